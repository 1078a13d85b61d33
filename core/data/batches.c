/* batches.c - a thread that reads batches ahead into a ring of three buffers: one in use, two ahead. */
#include "mmi_build.h"

#include "data/batches.h"

#include "engine/streams.h"
#include "engine/vec.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

enum { RING = 3 };

typedef struct {
	mmi_batch batch;
	float **x, **observed; /* observed: NULL where tuples are complete */
	float **seen;          /* NULL, or x[m] but where modality m is varied */
	uint32_t *index;
	int32_t *label;
} ring_slot;

struct mmi_batches {
	mmi_tuples *tuples;
	mmi_span span;
	size_t size, n_modalities; /* size: of the span */
	uint64_t per_epoch;
	uint64_t key; /* of the epochs' permutations */
	bool varied;  /* encoders see something else than x in some modality */
	ring_slot slot[RING];

	/* the loader's own */
	uint64_t iteration;
	uint64_t epoch; /* of `order`; UINT64_MAX: none yet */
	uint32_t *order;
	float **row, **seen_row; /* where the next sample goes; NULL in seen_row: nothing does */

	/* shared, under the lock; batch number i lives in slot[i % RING] */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t filled, released;
	mm_error error;   /* code 0: none */
	atomic_bool stop; /* also read without the lock, between samples */

	/* the caller's own */
	bool holding, started;
	pthread_t thread;
};

/* ---------------------------------------------------------------- the loader */

static void enter_epoch(mmi_batches *b, uint64_t epoch)
{
	const mmi_rng r = { .key = b->key, .step = (uint32_t)(epoch >> 32), .iteration = (uint32_t)epoch };

	if (b->epoch == epoch)
		return;
	mmi_rng_permutation(r, mmi_tuples_count(b->tuples), b->order);
	b->epoch = epoch;
}

static mm_status fill_row(mmi_batches *b, ring_slot *s, size_t i, mm_error *e)
{
	for (size_t m = 0; m < b->n_modalities; m++) {
		b->row[m] = s->x[m] + i * (size_t)mmi_tuples_floats(b->tuples, m);
		b->seen_row[m] =
			s->seen && s->seen[m] != s->x[m] ? s->seen[m] + i * (size_t)mmi_tuples_floats(b->tuples, m) : NULL;
		if (s->observed)
			s->observed[m][i] = mmi_tuples_has(b->tuples, s->index[i], m) ? 1.0f : 0.0f;
	}
	s->label[i] = mmi_tuples_label(b->tuples, s->index[i]);
	MMI_TRY(mmi_tuples_read(b->tuples, s->index[i], b->row, e));
	return s->seen ? mmi_tuples_vary(b->tuples, s->index[i], b->iteration * b->span.of + b->span.first + i, b->row,
	                                 b->seen_row, e)
	               : MM_OK;
}

static mm_status fill_slot(mmi_batches *b, ring_slot *s, mm_error *e)
{
	uint64_t epoch = b->iteration / b->per_epoch;
	size_t first = (size_t)(b->iteration % b->per_epoch) * b->span.of + b->span.first;

	enter_epoch(b, epoch);
	s->batch.iteration = b->iteration;
	s->batch.epoch = epoch;
	memcpy(s->index, b->order + first, b->size * sizeof *s->index);
	for (size_t i = 0; i < b->size; i++) {
		if (atomic_load_explicit(&b->stop, memory_order_relaxed))
			return mmi_fail(e, MM_ECANCELLED, "the loader was stopped");
		MMI_TRY(fill_row(b, s, i, e));
	}
	b->iteration++;
	return MM_OK;
}

/* Waits for a free slot; NULL when it is time to stop. */
static ring_slot *free_slot(mmi_batches *b)
{
	pthread_mutex_lock(&b->lock);
	while (!b->stop && b->filled - b->released == RING)
		pthread_cond_wait(&b->changed, &b->lock);
	ring_slot *s = b->stop ? NULL : &b->slot[b->filled % RING];
	pthread_mutex_unlock(&b->lock);
	return s;
}

static void publish(mmi_batches *b, const mm_error *error)
{
	pthread_mutex_lock(&b->lock);
	if (error->code)
		b->error = *error;
	else
		b->filled++;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void *loader(void *arg)
{
	mmi_batches *b = arg;
	mm_error error = MM_ERROR_INIT;

	while (!error.code) {
		ring_slot *s = free_slot(b);
		if (!s)
			break;
		fill_slot(b, s, &error);
		publish(b, &error);
	}
	return NULL;
}

/* ---------------------------------------------------------------- creating */

static bool allocate_observed(mmi_batches *b, ring_slot *s)
{
	if (mmi_tuples_complete(b->tuples))
		return true;
	s->observed = mmi_alloc(b->n_modalities, sizeof *s->observed);
	for (size_t m = 0; s->observed && m < b->n_modalities; m++)
		if (!(s->observed[m] = mmi_alloc(b->size, sizeof *s->observed[m])))
			return false;
	return s->observed;
}

static bool allocate_seen(mmi_batches *b, ring_slot *s)
{
	if (!b->varied)
		return true;
	s->seen = mmi_alloc(b->n_modalities, sizeof *s->seen);
	for (size_t m = 0; s->seen && m < b->n_modalities; m++) {
		bool own = mmi_tuples_varies(b->tuples, m);
		s->seen[m] = own ? mmi_alloc(b->size, (size_t)mmi_tuples_floats(b->tuples, m) * sizeof *s->seen[m]) : s->x[m];
		if (!s->seen[m])
			return false;
	}
	return s->seen;
}

static bool allocate_slot(mmi_batches *b, ring_slot *s)
{
	s->x = mmi_alloc(b->n_modalities, sizeof *s->x);
	s->index = mmi_alloc(b->size, sizeof *s->index);
	s->label = mmi_alloc(b->size, sizeof *s->label);
	bool ok = s->x && s->index && s->label && allocate_observed(b, s);
	for (size_t m = 0; m < b->n_modalities && ok; m++) {
		s->x[m] = mmi_alloc(b->size, (size_t)mmi_tuples_floats(b->tuples, m) * sizeof *s->x[m]);
		ok = s->x[m];
	}
	ok = ok && allocate_seen(b, s);
	s->batch = (mmi_batch){ .size = b->size,
		                    .x = s->x,
		                    .seen = s->seen,
		                    .index = s->index,
		                    .label = s->label,
		                    .observed = (const float *const *)s->observed };
	return ok;
}

static mm_status allocate(mmi_batches *b, mm_error *e)
{
	b->order = mmi_alloc(mmi_tuples_count(b->tuples), sizeof *b->order);
	b->row = mmi_alloc(b->n_modalities, sizeof *b->row);
	b->seen_row = mmi_alloc(b->n_modalities, sizeof *b->seen_row);
	bool ok = b->order && b->row && b->seen_row;
	for (int i = 0; i < RING && ok; i++)
		ok = allocate_slot(b, &b->slot[i]);
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for %d batches of %zu samples", RING, b->size);
}

static void release(mmi_batches *b)
{
	for (int i = 0; i < RING; i++) {
		ring_slot *s = &b->slot[i];
		for (size_t m = 0; s->seen && m < b->n_modalities; m++)
			if (s->seen[m] != s->x[m])
				mmi_free(s->seen[m]);
		for (size_t m = 0; s->x && m < b->n_modalities; m++)
			mmi_free(s->x[m]);
		for (size_t m = 0; s->observed && m < b->n_modalities; m++)
			mmi_free(s->observed[m]);
		mmi_free(s->observed);
		mmi_free(s->seen);
		mmi_free(s->x);
		mmi_free(s->index);
		mmi_free(s->label);
	}
	mmi_free(b->order);
	mmi_free(b->row);
	mmi_free(b->seen_row);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	mmi_free(b);
}

/* Signals are for the main thread. */
static mm_status start(mmi_batches *b, mm_error *e)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&b->thread, NULL, loader, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return mmi_fail(e, MM_EIO, "cannot start the loader thread: %s", strerror(error));
	b->started = true;
	return MM_OK;
}

mm_status mmi_batches_create(mmi_tuples *tuples, mmi_span span, uint64_t seed, uint64_t first_iteration, bool varied,
                             mmi_batches **out, mm_error *e)
{
	uint32_t n = mmi_tuples_count(tuples);

	if (!span.of || span.of > n)
		return mmi_fail(e, MM_ECONFIG, "a batch of %u samples, expected 1 to %u, the number of training samples",
		                span.of, n);
	mmi_batches *b = mmi_alloc(1, sizeof *b);
	if (!b)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	b->tuples = tuples;
	b->span = span;
	b->size = span.rows;
	b->n_modalities = mmi_tuples_modalities(tuples);
	for (size_t m = 0; varied && m < b->n_modalities; m++)
		b->varied = b->varied || mmi_tuples_varies(tuples, m);
	b->per_epoch = n / span.of;
	b->key = mmi_rng_key(seed, MMI_STREAM_EPOCH);
	b->iteration = first_iteration;
	b->epoch = UINT64_MAX;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	mm_status status = allocate(b, e);
	if (status == MM_OK)
		status = start(b, e);
	if (status != MM_OK) {
		release(b);
		return status;
	}
	*out = b;
	return MM_OK;
}

void mmi_batches_destroy(mmi_batches *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->stop = true;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
	if (b->started)
		pthread_join(b->thread, NULL);
	release(b);
}

/* ---------------------------------------------------------------- using */

/* Under the lock: gives the slot in use back, waits for the one behind it. */
static void wait_for_batch(mmi_batches *b)
{
	if (b->holding) {
		b->holding = false;
		b->released++;
		pthread_cond_signal(&b->changed);
	}
	while (b->filled == b->released && !b->error.code)
		pthread_cond_wait(&b->changed, &b->lock);
}

mm_status mmi_batches_next(mmi_batches *b, const mmi_batch **out, mm_error *e)
{
	mm_status status = MM_OK;

	pthread_mutex_lock(&b->lock);
	wait_for_batch(b);
	if (b->filled > b->released) {
		b->holding = true;
		*out = &b->slot[b->released % RING].batch;
	} else {
		status = mmi_fail(e, b->error.code, "%s", b->error.message);
	}
	pthread_mutex_unlock(&b->lock);
	return status;
}

uint64_t mmi_batches_per_epoch(const mmi_batches *b)
{
	return b->per_epoch;
}
