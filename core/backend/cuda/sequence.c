/* sequence.c - CUDA graphs, found by who queues the work and by the addresses it is bound to. */
#include "mmi_build.h"

#include "backend/cuda/sequence.h"

/* Most of an owner: rows that come in chunks bind a program to as many addresses. Others run as they are. */
enum { MOST_OF_OWNER = 32 };

typedef struct sequence {
	const void *owner;
	uint64_t key;
	cudaGraphExec_t graph; /* NULL: it has run once */
} sequence;

struct mmi_sequences {
	sequence *at;
	size_t n, capacity;
	bool off;       /* the runtime would not record one */
	bool recording; /* sequences are not nested */
};

mm_status mmi_sequences_create(mmi_sequences **out, mm_error *e)
{
	*out = mmi_alloc(1, sizeof **out);
	return *out ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the CUDA device");
}

void mmi_sequences_destroy(mmi_sequences *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->at[i].graph)
			cudaGraphExecDestroy(s->at[i].graph);
	mmi_free(s->at);
	mmi_free(s);
}

static sequence *find(const mmi_sequences *s, const void *owner, uint64_t key)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->at[i].owner == owner && s->at[i].key == key)
			return &s->at[i];
	return NULL;
}

static bool has_room(const mmi_sequences *s, const void *owner)
{
	size_t own = 0;
	for (size_t i = 0; i < s->n; i++)
		own += s->at[i].owner == owner;
	return own < MOST_OF_OWNER;
}

static void remember(mmi_sequences *s, const void *owner, uint64_t key)
{
	if (!has_room(s, owner))
		return;
	if (s->n == s->capacity) {
		const size_t capacity = s->capacity ? 2 * s->capacity : 64;
		sequence *grown = mmi_grow(s->at, s->n, capacity, sizeof *grown);
		if (!grown)
			return; /* it runs as it is */
		s->at = grown;
		s->capacity = capacity;
	}
	s->at[s->n++] = (sequence){ owner, key, NULL };
}

/* A thread-local capture: what other threads do, the loader of batches for one, cannot void it. */
static cudaGraphExec_t record(mmi_cuda *c, void (*work)(void *ctx), void *ctx)
{
	cudaGraph_t graph = NULL;
	cudaGraphExec_t exec = NULL;
	if (cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeThreadLocal) != cudaSuccess)
		return NULL;
	c->sequences->recording = true;
	work(ctx);
	c->sequences->recording = false;
	if (cudaStreamEndCapture(c->stream, &graph) != cudaSuccess || !graph)
		return NULL;
	if (cudaGraphInstantiate(&exec, graph, 0) != cudaSuccess)
		exec = NULL;
	cudaGraphDestroy(graph);
	return exec;
}

void mmi_sequence_run(const mmi_device *d, const void *owner, uint64_t key, void (*work)(void *ctx), void *ctx)
{
	mmi_cuda *c = mmi_cuda_of(d);
	mmi_sequences *s = c->sequences;
	sequence *found = s->off || s->recording || c->status != MM_OK ? NULL : find(s, owner, key);
	if (found && !found->graph) {
		found->graph = record(c, work, ctx);
		s->off = !found->graph;
	}
	if (found && found->graph) {
		mmi_cuda_check(c, cudaGraphLaunch(found->graph, c->stream), "a recorded sequence");
		return;
	}
	work(ctx);
	if (!found && !s->off && !s->recording)
		remember(s, owner, key);
}

void mmi_sequence_forget(const mmi_device *d, const void *owner)
{
	mmi_sequences *s = mmi_cuda_of(d)->sequences;
	for (size_t i = s->n; i-- > 0;)
		if (s->at[i].owner == owner) {
			if (s->at[i].graph)
				cudaGraphExecDestroy(s->at[i].graph);
			s->at[i] = s->at[--s->n];
		}
}
