/* test_repeat.c - a sample is a function of its index: not of order, instance, thread or process. */
#include "mmi_build.h"

#include "validate/tests.h"

#include <string.h>

enum { SOME = 24 };

static float *floats(const mmi_guarded *g)
{
	return (float *)(void *)g->at;
}

static mm_status differs(mmi_subject *s, uint64_t index, const mmi_guarded *a, const mmi_guarded *b, const char *when,
                         mm_error *e)
{
	for (int64_t k = 0; k < s->m.count; k++)
		if (memcmp(&floats(a)[k], &floats(b)[k], sizeof(float)))
			return mmi_subject_blame(e, "sample %llu is another one %s: value %lld is %g and %g",
			                         (unsigned long long)index, when, (long long)k, (double)floats(a)[k],
			                         (double)floats(b)[k]);
	return MM_OK;
}

static mm_status two_blocks(mmi_subject *s, mmi_guarded *x[2], mm_error *e)
{
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x[0], e));
	return mmi_subject_sample_block(s, "the room for a sample", &x[1], e);
}

mm_status mmi_test_read_repeat(mmi_subject *s, mm_error *e)
{
	const uint64_t n = mmi_subject_some(s, SOME);
	mmi_guarded *x[2];
	MMI_TRY(two_blocks(s, x, e));
	for (uint64_t i = 0; i < n; i++) {
		MMI_TRY(mmi_subject_read(s, s->train, i, x[0], e));
		MMI_TRY(mmi_subject_read(s, s->train, i, x[1], e));
		MMI_TRY(differs(s, i, x[0], x[1], "when it is read again", e));
	}
	return MM_OK;
}

/* All of some samples, in order, in one block. */
static mm_status read_all(mmi_subject *s, mm_dataset *d, uint64_t n, float *all, mm_error *e)
{
	mmi_call call;
	for (uint64_t i = 0; i < n; i++) {
		mmi_call_begin_sample(&call, s->m.name, s->m.plugin, "read");
		MMI_TRY(mmi_call_end(&call, s->m.desc->read(d, i, all + (size_t)i * (size_t)s->m.count, &call.error), e));
	}
	return MM_OK;
}

static mm_status compare_backwards(mmi_subject *s, mm_dataset *d, uint64_t n, const float *all, const char *when,
                                   mm_error *e)
{
	mmi_guarded *x[2];
	MMI_TRY(two_blocks(s, x, e));
	for (uint64_t i = n; i-- > 0;) {
		memcpy(x[0]->at, all + (size_t)i * (size_t)s->m.count, x[0]->bytes);
		MMI_TRY(mmi_subject_read(s, d, i, x[1], e));
		MMI_TRY(differs(s, i, x[0], x[1], when, e));
	}
	return MM_OK;
}

static mm_status with_all(mmi_subject *s, mm_status (*work)(mmi_subject *, uint64_t, const float *, mm_error *),
                          mm_error *e)
{
	const uint64_t n = mmi_subject_some(s, SOME);
	float *all = mmi_alloc((size_t)n * (size_t)s->m.count, sizeof *all);
	if (!all)
		return mmi_fail(e, MM_ENOMEM, "out of memory for samples");
	mm_status status = read_all(s, s->train, n, all, e);
	if (status == MM_OK)
		status = work(s, n, all, e);
	mmi_free(all);
	return status;
}

static mm_status other_orders(mmi_subject *s, uint64_t n, const float *all, mm_error *e)
{
	mm_dataset *again;
	MMI_TRY(compare_backwards(s, s->train, n, all, "in another order", e));
	MMI_TRY(mmi_modality_open(&s->m, MM_SPLIT_TRAIN, &again, e));
	mm_status status = compare_backwards(s, again, n, all, "when the data are opened again", e);
	mmi_modality_close(&s->m, again);
	return status;
}

mm_status mmi_test_read_order(mmi_subject *s, mm_error *e)
{
	return with_all(s, other_orders, e);
}

static mm_status other_instance(mmi_subject *s, uint64_t n, const float *all, mm_error *e)
{
	mmi_modality twin = { 0 };
	mm_dataset *d;
	MMI_TRY(mmi_modality_create(s->registry, s->config, s->section, s->plugin, s->request->modality, &twin, e));
	mm_status status = mmi_modality_open(&twin, MM_SPLIT_TRAIN, &d, e);
	if (status == MM_OK) {
		status = compare_backwards(s, d, n, all, "in another instance of the same settings", e);
		mmi_modality_close(&twin, d);
	}
	mmi_modality_destroy(&twin);
	return status;
}

mm_status mmi_test_read_instances(mmi_subject *s, mm_error *e)
{
	return with_all(s, other_instance, e);
}

mm_status mmi_test_group(mmi_subject *s, mm_error *e)
{
	const uint64_t n = mmi_subject_some(s, 1000);
	mm_dataset *again;
	if (!s->m.group)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_GROUP);
	MMI_TRY(mmi_modality_open(&s->m, MM_SPLIT_TRAIN, &again, e));
	mm_status status = MM_OK;
	for (uint64_t i = 0; i < n && status == MM_OK; i++) {
		const uint64_t group = mmi_modality_group(&s->m, s->train, i);
		if (mmi_modality_group(&s->m, s->train, i) != group || mmi_modality_group(&s->m, again, i) != group)
			status = mmi_subject_blame(e, "sample %llu is of another group the second time", (unsigned long long)i);
	}
	mmi_modality_close(&s->m, again);
	return status;
}

/* ---------------------------------------------------------------- other processes and seeds */

typedef struct reading {
	mmi_subject subject;
	int32_t split;
	uint64_t seed;
	uint64_t n, hash[SOME]; /* of the samples */
	bool done;
} reading;

static uint64_t hash_of(const unsigned char *p, size_t n)
{
	uint64_t h = 0xCBF29CE484222325u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001B3u;
	return h;
}

static mm_status read_hashes(reading *r, mm_error *e)
{
	mmi_subject *s = &r->subject;
	mm_dataset *d;
	mmi_guarded *x;
	MMI_TRY(mmi_subject_make(s, e));
	MMI_TRY(mmi_modality_open(&s->m, r->split, &d, e));
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x, e));
	r->n = mmi_modality_count(&s->m, d);
	for (uint64_t i = 0; i < r->n && i < SOME; i++) {
		MMI_TRY(mmi_subject_read(s, d, i, x, e));
		r->hash[i] = hash_of(x->at, x->bytes);
	}
	mmi_modality_close(&s->m, d);
	return MM_OK;
}

static void read_there(void *ctx)
{
	reading *r = ctx;
	mm_error e = MM_ERROR_INIT;
	r->subject.seed = r->seed;
	r->done = read_hashes(r, &e) == MM_OK;
}

/* Reads in a process that has not had the plugin before. */
static mm_status read_elsewhere(mmi_subject *s, int32_t split, uint64_t seed, reading **out, mm_error *e)
{
	reading *r = mmi_shared_alloc(sizeof *r);
	if (!r)
		return mmi_fail(e, MM_ENOMEM, "out of memory for samples");
	mmi_subject_init(&r->subject, s->request, s->trial);
	r->split = split;
	r->seed = seed;
	const double limit = s->request->limit / 2;
	const mmi_child_end end = mmi_child_run(read_there, r, NULL, NULL, limit, NULL);
	*out = r;
	if (end.hung)
		return mmi_subject_skip(s, e, "a process of its own had not read the data after %g seconds; raise --limit",
		                        limit);
	return r->done ? MM_OK : mmi_subject_skip(s, e, "the data could not be read in a process of its own");
}

static mm_status compare_readings(mmi_subject *s, int32_t split, uint64_t other_seed, bool *same, uint64_t *where,
                                  mm_error *e)
{
	reading *a = NULL, *b = NULL;
	mm_status status = read_elsewhere(s, split, s->seed, &a, e);
	if (status == MM_OK)
		status = read_elsewhere(s, split, other_seed, &b, e);
	*same = status != MM_OK || a->n == b->n;
	for (*where = 0; status == MM_OK && *same && *where < a->n && *where < SOME; ++*where)
		if (a->hash[*where] != b->hash[*where]) {
			*same = false;
			break;
		}
	mmi_shared_free(a, sizeof *a);
	mmi_shared_free(b, sizeof *b);
	return status;
}

mm_status mmi_test_read_process(mmi_subject *s, mm_error *e)
{
	bool same;
	uint64_t where;
	MMI_TRY(compare_readings(s, MM_SPLIT_TRAIN, s->seed, &same, &where, e));
	return same ? MM_OK
	            : mmi_subject_blame(e, "sample %llu is another one in another process", (unsigned long long)where);
}

mm_status mmi_test_seed(mmi_subject *s, mm_error *e)
{
	bool same;
	uint64_t where;
	MMI_TRY(compare_readings(s, MM_SPLIT_TEST, s->seed + 1, &same, &where, e));
	return same ? MM_OK
	            : mmi_subject_warn(s, e,
	                               "sample %llu of the test data changes with the run's seed, so figures of runs with "
	                               "different seeds are not of the same data",
	                               (unsigned long long)where);
}

/* ---------------------------------------------------------------- threads */

typedef struct worker {
	mmi_subject *s;
	mm_dataset *d;
	uint64_t n;
	const float *all;
	mmi_guarded *x;
	mm_status status;
	mm_error e;
	pthread_t thread;
	bool started;
} worker;

static void *work(void *ctx)
{
	worker *w = ctx;
	for (int round = 0; round < 3 && w->status == MM_OK; round++)
		for (uint64_t i = 0; i < w->n && w->status == MM_OK; i++) {
			w->status = mmi_subject_read(w->s, w->d, i, w->x, &w->e);
			if (w->status == MM_OK && memcmp(w->x->at, w->all + (size_t)i * (size_t)w->s->m.count, w->x->bytes))
				w->status = mmi_subject_blame(&w->e,
				                              "sample %llu is another one when it is read by another thread than "
				                              "opened the data",
				                              (unsigned long long)i);
		}
	return NULL;
}

static mm_status start(worker *w, mmi_subject *s, mm_dataset *d, uint64_t n, const float *all, mm_error *e)
{
	*w = (worker){ .s = s, .d = d, .n = n, .all = all, .e = MM_ERROR_INIT };
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &w->x, e));
	if (pthread_create(&w->thread, NULL, work, w))
		return mmi_fail(e, MM_ENOMEM, "no thread could be started");
	w->started = true;
	return MM_OK;
}

static mm_status finish(worker *w, mm_error *e)
{
	if (!w->started)
		return MM_OK;
	pthread_join(w->thread, NULL);
	return w->status == MM_OK ? MM_OK : mmi_fail(e, w->status, "%s", w->e.message);
}

static mm_status in_thread(mmi_subject *s, uint64_t n, const float *all, mm_error *e)
{
	worker w;
	mm_status started = start(&w, s, s->train, n, all, e);
	mm_status status = finish(&w, e);
	return started == MM_OK ? status : started;
}

mm_status mmi_test_read_thread(mmi_subject *s, mm_error *e)
{
	return with_all(s, in_thread, e);
}

/* What the main thread does meanwhile. */
static mm_status main_work(mmi_subject *s, const float *x, mm_error *e)
{
	uint32_t width, height;
	if (s->m.picture) {
		MMI_TRY(mmi_modality_picture_size(&s->m, &width, &height, e));
		uint8_t *rgb = mmi_alloc((size_t)width * height, 3);
		mm_status status = rgb ? mmi_modality_draw(&s->m, x, rgb, 3 * (size_t)width, e) : MM_ENOMEM;
		mmi_free(rgb);
		MMI_TRY(status);
	}
	(void)mmi_modality_count(&s->m, s->train);
	return mmi_modality_render(&s->m, x, "meanwhile", e);
}

static mm_status at_once(mmi_subject *s, uint64_t n, const float *all, mm_error *e)
{
	mm_dataset *other;
	mmi_guarded *x;
	worker w[2] = { { .started = false } };
	MMI_TRY(mmi_subject_sample_block(s, "the sample", &x, e));
	memcpy(x->at, all, x->bytes);
	MMI_TRY(mmi_modality_open(&s->m, MM_SPLIT_TRAIN, &other, e));
	mm_status status = start(&w[0], s, s->train, n, all, e);
	if (status == MM_OK)
		status = start(&w[1], s, other, n, all, e);
	mm_error ignored = MM_ERROR_INIT;
	for (int i = 0; i < 4 && status == MM_OK; i++)
		if (main_work(s, floats(x), &ignored) != MM_OK)
			break; /* what it does alone is other tests' */
	for (int i = 0; i < 2; i++) {
		mm_status ended = finish(&w[i], status == MM_OK ? e : &ignored);
		if (status == MM_OK)
			status = ended;
	}
	mmi_modality_close(&s->m, other);
	return status;
}

mm_status mmi_test_threads(mmi_subject *s, mm_error *e)
{
	return with_all(s, at_once, e);
}
