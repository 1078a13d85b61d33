/* data_rig.h - three modalities of synthetic data; included by the data tests, each of which gets its own copy. */
#ifndef MMI_TEST_DATA_RIG_H
#define MMI_TEST_DATA_RIG_H

#include "data/batches.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---------------------------------------------------------------- a modality of synthetic data */

enum { FLOATS = 5, NEVER = -1 };

struct mm_instance {
	int64_t count;            /* keys "k<first>" to "k<first + count - 1>" */
	int64_t first, step;      /* sample i has number first + i * step */
	int64_t odd_label;        /* number whose label is off by one, or NEVER */
	int64_t twin;             /* sample whose key repeats that of sample 0, or NEVER */
	int64_t broken, infinite; /* numbers that cannot be read, or hold an infinity */
	const char *prefix;
	int64_t group_size; /* so many numbers in a row are one group */
	float bias, vary;   /* vary: added in training, with the number of the draw; 0: none */
	int slow_us;
	int opened;
	atomic_int reads;
};

struct mm_dataset {
	mm_instance *i;
	int32_t split;
};

static int64_t number_of(const mm_dataset *d, uint64_t index)
{
	return d->i->first + (int64_t)index * d->i->step;
}

static mm_status fake_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	if (i->count < 0)
		return mmi_fail(e, MM_EIO, "no such folder");
	mm_dataset *d = calloc(1, sizeof *d);
	d->i = i;
	d->split = split;
	i->opened++;
	*out = d;
	return MM_OK;
}

static void fake_close(mm_dataset *d)
{
	if (d)
		d->i->opened--;
	free(d);
}

static uint64_t fake_count(const mm_dataset *d)
{
	return (uint64_t)d->i->count;
}

static mm_status fake_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	(void)e;
	snprintf(out, size, "%s%" PRId64, d->i->prefix, number_of(d, (int64_t)index == d->i->twin ? 0 : index));
	return MM_OK;
}

static int32_t fake_label(const mm_dataset *d, uint64_t index)
{
	int64_t number = number_of(d, index);
	return (int32_t)((number + (number == d->i->odd_label)) % 10);
}

static mm_status fake_read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	int64_t number = number_of(d, index);

	atomic_fetch_add(&d->i->reads, 1);
	if (d->i->slow_us)
		nanosleep(&(struct timespec){ 0, d->i->slow_us * 1000L }, NULL);
	if (number == d->i->broken)
		return mmi_fail(e, MM_EFORMAT, "picture is cut off");
	for (int i = 0; i < FLOATS; i++)
		out[i] = (float)number + d->i->bias + (float)d->split * 0.5f;
	if (number == d->i->infinite)
		out[3] = INFINITY;
	return MM_OK;
}

static void fake_vary(const mm_instance *i, uint64_t draw, float *x)
{
	for (int k = 0; k < FLOATS && i->vary != 0; k++)
		x[k] += i->vary * (float)(draw + 1);
}

static const mm_modality_variation fake_variation = { sizeof fake_variation, fake_vary };

static uint64_t fake_group(const mm_dataset *d, uint64_t index)
{
	return (uint64_t)(number_of(d, index) / d->i->group_size);
}

static const mm_modality_group fake_groups = { sizeof fake_groups, fake_group };

static const mm_modality_desc fake_desc = {
	.struct_size = sizeof fake_desc,
	.id = "fake",
	.default_name = "fake",
	.open = fake_open,
	.close = fake_close,
	.count = fake_count,
	.key = fake_key,
	.label = fake_label,
	.read = fake_read,
};

enum { MODALITIES = 3 };

typedef struct {
	mm_instance instance[MODALITIES];
	mmi_modality modality[MODALITIES];
	int lines;
	char heard[8][256];
} world;

static int world_setup(void **state)
{
	world *w = calloc(1, sizeof *w);

	for (int m = 0; m < MODALITIES; m++) {
		w->instance[m] = (mm_instance){ .count = 100,
			                            .step = 1,
			                            .odd_label = NEVER,
			                            .twin = NEVER,
			                            .broken = NEVER,
			                            .infinite = NEVER,
			                            .prefix = "k",
			                            .bias = (float)(1000 * m) };
		snprintf(w->modality[m].name, sizeof w->modality[m].name, "m%d", m);
		w->modality[m].desc = &fake_desc;
		w->modality[m].instance = &w->instance[m];
		w->modality[m].count = FLOATS;
		w->modality[m].info = (mm_modality_info){ .support = MM_SUPPORT_REAL, .n_classes = 10 };
	}
	*state = w;
	return 0;
}

/* Whatever a test did, no data set stays open. */
static int world_teardown(void **state)
{
	world *w = *state;
	int left = 0;

	for (int m = 0; m < MODALITIES; m++)
		left += w->instance[m].opened;
	free(w);
	return left;
}

static void hear(void *ctx, int level, const char *text)
{
	world *w = ctx;

	assert_int_equal(level, MM_LOG_WARNING);
	snprintf(w->heard[w->lines++ % 8], sizeof w->heard[0], "%s", text);
}

#endif
