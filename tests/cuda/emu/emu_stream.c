/* emu_stream.c - streams are queues: nothing runs before something waits for it, and then in an order drawn among the
 * streams. Graphs are lists of what was queued, with copies of the arguments. */
#define _GNU_SOURCE
#include "emu_internal.h"

#include <cuda_runtime_api.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef enum { WORK, RECORD, WAIT } op_kind;
typedef struct op {
	op_kind kind;
	void (*run)(const void *ctx);
	bool (*ready)(const void *ctx); /* NULL: always */
	void *ctx;
	size_t bytes;
	struct CUevent_st *event;
	unsigned long generation; /* of a wait */
	struct op *next;
} op;
typedef struct queue {
	op *first, **last;
} queue;
struct CUgraph_st {
	queue ops;
};
struct CUgraphExec_st {
	queue ops;
};
struct CUevent_st {
	unsigned long recorded, done;
};
struct CUstream_st {
	queue ops;
	struct CUgraph_st *graph;
	bool capturing, spoilt, can_run;
	struct CUstream_st *next;
};
static struct CUstream_st *streams;

static void append(queue *q, const op *o)
{
	op *copy = malloc(sizeof *copy);
	if (!copy)
		abort();
	*copy = *o;
	copy->ctx = malloc(o->bytes + 1);
	if (!copy->ctx)
		abort();
	memcpy(copy->ctx, o->ctx ? o->ctx : "", o->bytes);
	copy->next = NULL;
	*(q->first ? q->last : &q->first) = copy;
	q->last = &copy->next;
}

static void *created(size_t bytes)
{
	void *p = calloc(1, bytes);
	if (!p)
		abort();
	return p;
}

static void free_queue(queue *q)
{
	for (op *o = q->first, *next; o; o = next) {
		next = o->next;
		free(o->ctx);
		free(o);
	}
}

/* ------------------------------------------------------------ queuing */

bool emu_is_capturing(const void *s)
{
	return s && ((const struct CUstream_st *)s)->capturing;
}

bool emu_refuse_in_capture(const char *call)
{
	bool found = false;
	for (struct CUstream_st *s = streams; s; s = s->next)
		if (s->capturing)
			found = s->spoilt = true;
	if (found)
		emu_violate("%s while a stream captures: not allowed, and the capture is void", call);
	return found;
}

static cudaError_t enqueue(struct CUstream_st *s, const op *o)
{
	if (!s) {
		emu_violate("work on the default stream: every call names a stream");
		return cudaErrorInvalidResourceHandle;
	}
	append(s->capturing ? &s->graph->ops : &s->ops, o);
	return cudaSuccess;
}

int emu_enqueue(void *stream, void (*run)(const void *), const void *ctx, size_t bytes)
{
	emu_enter();
	emu_counter()->queued++;
	const cudaError_t status =
		enqueue(stream, &(op){ .kind = WORK, .run = run, .ctx = (void *)(uintptr_t)ctx, .bytes = bytes });
	emu_leave();
	return (int)status;
}

static void nothing(const void *ctx)
{
	(void)ctx;
}

int emu_enqueue_when(void *stream, bool (*ready)(const void *), const void *ctx, size_t bytes)
{
	emu_enter();
	emu_counter()->queued++;
	const cudaError_t status = enqueue(
		stream, &(op){ .kind = WORK, .run = nothing, .ready = ready, .ctx = (void *)(uintptr_t)ctx, .bytes = bytes });
	emu_leave();
	return (int)status;
}

/* ------------------------------------------------------------ running */

static bool runnable(const struct CUstream_st *s)
{
	const op *o = s->ops.first;
	return o && !(o->kind == WAIT && o->event->done < o->generation) && !(o->ready && !o->ready(o->ctx));
}

/* Something waits for what another process does. */
static bool waits_for_others(void)
{
	for (struct CUstream_st *s = streams; s; s = s->next)
		if (s->ops.first && s->ops.first->ready)
			return true;
	return false;
}

/* The first work of a stream that has some. */
static void step(struct CUstream_st *s)
{
	op *o = s->ops.first;
	s->ops.first = o->next;
	if (o->kind == WORK)
		o->run(o->ctx);
	if (o->kind == RECORD && o->generation > o->event->done)
		o->event->done = o->generation;
	free(o->ctx);
	free(o);
}

static struct CUstream_st *draw_stream(void)
{
	unsigned n = 0;
	for (struct CUstream_st *s = streams; s; s = s->next)
		n += s->can_run = runnable(s);
	unsigned which = n ? emu_choose(n) : 0;
	for (struct CUstream_st *s = streams; s; s = s->next)
		if (s->can_run && which-- == 0)
			return s;
	return NULL;
}

static void run_until(bool (*done)(const void *), const void *what)
{
	emu_enter();
	if (!done(what))
		emu_open_memory(true);
	while (!done(what)) {
		struct CUstream_st *s = draw_stream();
		if (s) {
			step(s);
		} else if (waits_for_others()) {
			nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
		} else {
			emu_violate("streams wait for events that nobody records");
			break;
		}
	}
	emu_open_memory(false);
	emu_leave();
}

static bool stream_done(const void *s)
{
	return !((const struct CUstream_st *)s)->ops.first;
}

static bool all_done(const void *unused)
{
	(void)unused;
	for (struct CUstream_st *s = streams; s; s = s->next)
		if (s->ops.first)
			return false;
	return true;
}

static bool event_done(const void *e)
{
	return ((const struct CUevent_st *)e)->done >= ((const struct CUevent_st *)e)->recorded;
}

void emu_wait_for_all(void)
{
	run_until(all_done, NULL);
}

/* ------------------------------------------------------------ streams and events */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags)
{
	if (flags != cudaStreamNonBlocking)
		emu_violate("a stream that waits for the default stream; ask for cudaStreamNonBlocking");
	*out = created(sizeof **out);
	(*out)->next = streams;
	streams = *out;
	return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
	run_until(stream_done, s);
	for (struct CUstream_st **at = &streams; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	free(s);
	return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t s)
{
	if (emu_refuse_in_capture("cudaStreamSynchronize"))
		return cudaErrorStreamCaptureUnsupported;
	emu_counter()->waits++;
	run_until(stream_done, s);
	return cudaSuccess;
}

/* All that can be done now is done, by all streams. */
cudaError_t cudaStreamQuery(cudaStream_t s)
{
	if (emu_refuse_in_capture("cudaStreamQuery"))
		return cudaErrorStreamCaptureUnsupported;
	emu_enter();
	emu_open_memory(true);
	for (struct CUstream_st *next = draw_stream(); next; next = draw_stream())
		step(next);
	emu_open_memory(false);
	emu_leave();
	return stream_done(s) ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize(void)
{
	if (emu_refuse_in_capture("cudaDeviceSynchronize"))
		return cudaErrorStreamCaptureUnsupported;
	emu_counter()->waits++;
	emu_wait_for_all();
	return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags)
{
	(void)flags;
	*out = created(sizeof **out);
	return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
	emu_wait_for_all();
	free(e);
	return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s)
{
	return enqueue(s, &(op){ .kind = RECORD, .event = e, .generation = ++e->recorded });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags)
{
	(void)flags;
	return enqueue(s, &(op){ .kind = WAIT, .event = e, .generation = e->recorded });
}

cudaError_t cudaEventQuery(cudaEvent_t e)
{
	return event_done(e) ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
	if (emu_refuse_in_capture("cudaEventSynchronize"))
		return cudaErrorStreamCaptureUnsupported;
	emu_counter()->waits++;
	run_until(event_done, e);
	return cudaSuccess;
}

/* ------------------------------------------------------------ graphs */

cudaError_t cudaStreamBeginCapture(cudaStream_t s, enum cudaStreamCaptureMode mode)
{
	if (!emu_of_environment("EMU_GRAPHS", 1))
		return cudaErrorStreamCaptureUnsupported;
	if (mode != cudaStreamCaptureModeThreadLocal)
		emu_violate("a capture that other threads can spoil; ask for cudaStreamCaptureModeThreadLocal");
	s->graph = created(sizeof *s->graph);
	s->capturing = true;
	s->spoilt = false;
	return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *out)
{
	s->capturing = false;
	if (s->spoilt || emu_violated()) {
		free_queue(&s->graph->ops);
		free(s->graph);
		*out = NULL;
		return cudaErrorStreamCaptureInvalidated;
	}
	*out = s->graph;
	return cudaSuccess;
}

/* Everything is fixed here: addresses that are bound later do not reach a graph. */
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t g, unsigned long long flags)
{
	(void)flags;
	*out = created(sizeof **out);
	for (const op *o = g->ops.first; o; o = o->next)
		append(&(*out)->ops, o);
	emu_counter()->captures++;
	return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t g, cudaStream_t s)
{
	if (emu_is_capturing(s)) {
		emu_violate("a graph launched into a stream that captures");
		return cudaErrorStreamCaptureUnsupported;
	}
	emu_enter();
	emu_counter()->queued++;
	for (const op *o = g->ops.first; o; o = o->next)
		enqueue(s, o);
	emu_leave();
	return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t g)
{
	free_queue(&g->ops);
	free(g);
	return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t g)
{
	free_queue(&g->ops);
	free(g);
	return cudaSuccess;
}
