/* starts.c - other starts of the data chain. */
#include "mmi_build.h"

#include "learn/terms/starts.h"
#include "model/rows.h"

/* Of a row of the whole batch. The buffer's rows take turns, so that no row is in a batch twice. */
static size_t slot(const mmi_learner *l, uint32_t number)
{
	return ((size_t)l->state.n_buffered + number) % l->settings->x_buffer;
}

static void copy_row(const mmi_learner *l, float *const *to, size_t to_row, float *const *from, size_t from_row)
{
	float *a[MMI_MAX_MODALITIES], *b[MMI_MAX_MODALITIES];
	mmi_rows_at(l->model, to, to_row, a);
	mmi_rows_at(l->model, from, from_row, b);
	mmi_rows_copy(l->model, 1, a, b);
}

static void copy_place(const mmi_learner *l, const mmi_latents *to, size_t to_row, const mmi_latents *from,
                       size_t from_row)
{
	mmi_latents a = mmi_latents_at(to, l->model, to_row), b = mmi_latents_at(from, l->model, from_row);
	mmi_latents_copy(&a, &b, l->model, 1);
}

static void resume(mmi_learner *l, uint32_t t)
{
	for (uint32_t b = 0; b < l->span.rows; b++) {
		const uint32_t number = l->span.first + b;
		size_t row = slot(l, number);
		bool filled = l->state.n_buffered + number >= l->settings->x_buffer;
		if (!filled || mmi_sampler_chance(l->sampler, number, t) < l->settings->x_refresh)
			continue;
		copy_row(l, l->generated, b, l->buffer, row);
		copy_place(l, &l->z_prior, b, &l->buffer_z, row);
	}
}

void mmi_start_data_chain(mmi_learner *l, uint32_t t)
{
	if (l->settings->x_start == MMI_START_BUFFER)
		resume(l, t);
	if (l->settings->x_start == MMI_START_NOISE)
		mmi_sampler_noise(l->sampler, l->span, t, l->generated);
}

/* Every rank keeps the rows of all: next time they may be another's. */
void mmi_keep_data_chain(mmi_learner *l)
{
	if (l->settings->x_start != MMI_START_BUFFER)
		return;
	float *const *x = mmi_reduce_samples(&l->reduce, l->model, l->revised, l->all_x);
	const mmi_latents *place = mmi_reduce_latents(&l->reduce, l->model, &l->z_prior, &l->all_z);
	for (uint32_t b = 0; b < l->span.of; b++) {
		copy_row(l, l->buffer, slot(l, b), x, b);
		copy_place(l, &l->buffer_z, slot(l, b), place, b);
	}
	l->state.n_buffered += l->span.of;
}
