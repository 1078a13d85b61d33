/* staging.c - pinned memory, and a way through it for what is not. */
#include "mmi_build.h"

#include "backend/cuda/staging.h"

#include <string.h>

enum { BOUNCE = 1 << 20, LINE = 256 };

typedef struct block {
	char *at;
	size_t bytes, used; /* used: of a bounce block, since the last delivery */
} block;

typedef struct blocks {
	block *at;
	size_t n, capacity;
} blocks;

typedef struct delivery {
	void *host;
	const void *pinned;
	size_t bytes;
} delivery;

struct mmi_staging {
	blocks given, bounce;
	delivery *due;
	size_t n_due, due_capacity;
};

static bool add_block(blocks *b, const block *item)
{
	if (b->n == b->capacity) {
		const size_t capacity = b->capacity ? 2 * b->capacity : 16;
		block *grown = mmi_grow(b->at, b->n, capacity, sizeof *grown);
		if (!grown)
			return false;
		b->at = grown;
		b->capacity = capacity;
	}
	b->at[b->n++] = *item;
	return true;
}

static block pinned(size_t bytes)
{
	block b = { .bytes = bytes ? bytes : 1 };
	void *p = NULL;
	if (cudaMallocHost(&p, b.bytes) == cudaSuccess)
		b.at = p;
	return b;
}

mm_status mmi_staging_create(mmi_staging **out, mm_error *e)
{
	*out = mmi_alloc(1, sizeof **out);
	return *out ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the CUDA device");
}

static void free_blocks(blocks *b)
{
	for (size_t i = 0; i < b->n; i++)
		cudaFreeHost(b->at[i].at);
	mmi_free(b->at);
}

void mmi_staging_destroy(mmi_staging *s)
{
	if (!s)
		return;
	free_blocks(&s->given);
	free_blocks(&s->bounce);
	mmi_free(s->due);
	mmi_free(s);
}

void *mmi_staging_alloc(mmi_staging *s, size_t bytes)
{
	const block b = pinned(bytes);
	if (!b.at)
		return NULL;
	if (!add_block(&s->given, &b)) {
		cudaFreeHost(b.at);
		return NULL;
	}
	memset(b.at, 0, b.bytes);
	return b.at;
}

void mmi_staging_release(mmi_staging *s, void *p)
{
	for (size_t i = 0; p && i < s->given.n; i++)
		if (s->given.at[i].at == p) {
			cudaFreeHost(p);
			s->given.at[i] = s->given.at[--s->given.n];
			return;
		}
}

static bool is_given(const mmi_staging *s, const void *p)
{
	for (size_t i = 0; i < s->given.n; i++)
		if ((const char *)p >= s->given.at[i].at && (const char *)p < s->given.at[i].at + s->given.at[i].bytes)
			return true;
	return false;
}

/* Pinned bytes until the next delivery. Blocks stay, so that a training step allocates nothing once it has run. */
static void *passage(mmi_staging *s, size_t bytes)
{
	bytes = (bytes + LINE - 1) / LINE * LINE;
	for (size_t i = 0; i < s->bounce.n; i++) {
		block *b = &s->bounce.at[i];
		if (b->bytes - b->used >= bytes) {
			b->used += bytes;
			return b->at + b->used - bytes;
		}
	}
	block b = pinned(bytes > BOUNCE ? bytes : BOUNCE);
	b.used = bytes;
	if (b.at && add_block(&s->bounce, &b))
		return b.at;
	cudaFreeHost(b.at);
	return NULL;
}

void mmi_staging_upload(mmi_cuda *c, void *to, const void *host, size_t bytes)
{
	if (!is_given(c->staging, host)) {
		void *p = passage(c->staging, bytes);
		if (!p) {
			mmi_cuda_fail(c, "out of host memory for a copy of %zu bytes to the GPU", bytes);
			return;
		}
		memcpy(p, host, bytes);
		host = p;
	}
	mmi_cuda_check(c, cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, c->stream), "a copy to the GPU");
}

static bool is_due(mmi_staging *s, void *host, const void *pinned_at, size_t bytes)
{
	if (s->n_due == s->due_capacity) {
		const size_t capacity = s->due_capacity ? 2 * s->due_capacity : 64;
		delivery *grown = mmi_grow(s->due, s->n_due, capacity, sizeof *grown);
		if (!grown)
			return false;
		s->due = grown;
		s->due_capacity = capacity;
	}
	s->due[s->n_due++] = (delivery){ host, pinned_at, bytes };
	return true;
}

void mmi_staging_download(mmi_cuda *c, void *host, const void *from, size_t bytes)
{
	void *p = host;
	if (!is_given(c->staging, host))
		p = passage(c->staging, bytes);
	if (!p || !is_due(c->staging, host, p, bytes)) {
		mmi_cuda_fail(c, "out of host memory for a copy of %zu bytes from the GPU", bytes);
		return;
	}
	mmi_cuda_check(c, cudaMemcpyAsync(p, from, bytes, cudaMemcpyDeviceToHost, c->stream), "a copy from the GPU");
}

void mmi_staging_deliver(mmi_cuda *c)
{
	mmi_staging *s = c->staging;
	for (size_t i = 0; i < s->n_due; i++)
		if (c->status != MM_OK)
			memset(s->due[i].host, 0xFF, s->due[i].bytes);
		else if (s->due[i].host != s->due[i].pinned)
			memcpy(s->due[i].host, s->due[i].pinned, s->due[i].bytes);
	s->n_due = 0;
	for (size_t i = 0; i < s->bounce.n; i++)
		s->bounce.at[i].used = 0;
}
