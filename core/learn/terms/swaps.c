/* swaps.c - swapped tuples as negatives. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

#include <math.h>

mm_status mmi_swaps_create(const mmi_model *m, mmi_span span, mmi_swaps *out, mm_error *e)
{
	mmi_swaps k = { .energy = mmi_floats_alloc(m->device, span.rows) };
	float **rows[] = { &k.e_data, &k.e_swapped, &k.seed_data, &k.seed_swapped, &k.whole };
	bool ok = k.energy.at;
	for (size_t i = 0; i < MMI_COUNT(rows); i++)
		ok = (*rows[i] = mmi_alloc(span.of, sizeof(float))) && ok;
	mm_status status = mmi_device_rows_create(m, span.rows, &k.x, e);
	if (status == MM_OK)
		status = mmi_mirror_create(m->device, m->n_modalities * span.rows * sizeof(uint32_t), &k.from, e);
	if (status != MM_OK || !ok) {
		mmi_swaps_clear(m, &k);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u swapped tuples", span.rows);
	}
	*out = k;
	return MM_OK;
}

void mmi_swaps_clear(const mmi_model *m, mmi_swaps *k)
{
	float *rows[] = { k->e_data, k->e_swapped, k->seed_data, k->seed_swapped, k->whole };
	for (size_t i = 0; i < MMI_COUNT(rows); i++)
		mmi_free(rows[i]);
	mmi_device_rows_clear(m, &k->x);
	mmi_mirror_clear(m->device, &k->from);
	mmi_floats_release(m->device, &k->energy);
	*k = (mmi_swaps){ .mean_data = 0 };
}

/* Any other row of the whole batch that is not left out, uniformly; the row itself when there is none. */
static uint32_t another_row(mmi_sampler *s, const float *whole, uint32_t row, uint32_t rows, uint32_t iteration,
                            uint32_t number)
{
	uint32_t others = 0, at = row;
	for (uint32_t i = 0; i < rows; i++)
		others += i != row && (!whole || whole[i] > 0);
	if (!others)
		return row;
	for (uint32_t left = mmi_sampler_below(s, row, 2 * number + 1, iteration, others) + 1; left;
	     left -= at != row && (!whole || whole[at] > 0))
		at = (at + 1) % rows;
	return at;
}

void mmi_swaps_draw(mmi_swaps *k, mmi_sampler *s, const mmi_model *m, const mmi_device_rows *x, const float *whole,
                    mmi_span span, uint32_t iteration, uint32_t number)
{
	uint32_t *from = k->from.host;
	for (uint32_t r = 0; r < span.rows; r++) {
		uint32_t row = span.first + r, which = mmi_sampler_below(s, row, 2 * number, iteration, m->n_modalities);
		uint32_t other = another_row(s, whole, row, span.of, iteration, number);
		for (uint32_t i = 0; i < m->n_modalities; i++)
			from[i * span.rows + r] = i == which ? other : row;
	}
	mmi_mirror_push(m->device, &k->from);
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		const mmi_pick taken = { .out = k->x.x[i],
			                     .from = x->x[i],
			                     .from_row = { (uint32_t *)k->from.device + (size_t)i * span.rows },
			                     .rows = span.rows,
			                     .count = (size_t)m->modalities[i].count };
		m->device->rows->pick(m->device, &taken);
	}
}

/* Of the rows that are not left out; NaN if all are. */
static double mean_of(const float *x, const float *whole, uint32_t rows)
{
	double sum = 0, n = 0;
	for (uint32_t i = 0; i < rows; i++)
		if (!whole || whole[i] > 0) {
			sum += (double)x[i];
			n++;
		}
	return n > 0 ? sum / n : NAN;
}

static double standard_deviation(const float *x, const float *whole, uint32_t rows, double mean)
{
	double sum = 0, n = 0;
	for (uint32_t i = 0; i < rows; i++)
		if (!whole || whole[i] > 0) {
			sum += ((double)x[i] - mean) * ((double)x[i] - mean);
			n++;
		}
	return sqrt(sum / n);
}

static void set_factors(mmi_swaps *k, const float *whole, uint32_t rows, double factor, double margin)
{
	double right = 0, n = 0;
	k->mean_data = mean_of(k->e_data, whole, rows);
	double wanted = margin * standard_deviation(k->e_data, whole, rows, k->mean_data);
	for (uint32_t i = 0; i < rows; i++) {
		float here = whole ? whole[i] : 1;
		double rise = (double)k->e_swapped[i] - (double)k->e_data[i];
		k->seed_swapped[i] = rise < wanted ? here * (float)factor : 0;
		k->seed_data[i] = here + k->seed_swapped[i];
		right += here > 0 && rise > 0;
		n += here > 0;
	}
	k->rank = n > 0 ? right / n : NAN;
}

/* Energies of the rows here to their places among all. */
static void find_energies(mmi_swaps *k, mmi_sampler *s, const mmi_model *m, const mmi_reduce *r,
                          const mmi_device_rows *x, float *all)
{
	float *own = all + r->span.first;
	/* E alone: this teaches the energy model, not the experts whose agreement the joint energy has beside it. */
	mmi_run_energies(s, x, r->span.rows, &(mmi_device_energies){ .term[MMI_TERM_TEXTURE] = k->energy });
	m->device->ops->download(m->device, own, k->energy.at, r->span.rows * sizeof *own);
	m->device->ops->wait(m->device, NULL);
	mmi_reduce_floats(r, own, 1, all);
}

void mmi_swaps_make(mmi_swaps *k, mmi_sampler *s, const mmi_model *m, const mmi_reduce *r, const mmi_swaps_args *a)
{
	const float *whole = a->whole ? mmi_reduce_floats(r, a->whole, 1, k->whole) : NULL;
	const mmi_device_rows x = mmi_reduce_samples(r, m, a->x, a->all);
	mmi_swaps_draw(k, s, m, &x, whole, r->span, a->iteration, a->number);
	find_energies(k, s, m, r, a->x, k->e_data);
	find_energies(k, s, m, r, &k->x, k->e_swapped);
	set_factors(k, whole, r->span.of, a->factor, a->margin);
}

void mmi_term_swaps(mmi_learner *l, uint32_t number, mmi_terms *t)
{
	const mmi_settings *s = l->settings;
	mmi_segment *data = &t->at[0], *swapped = &t->at[t->n];
	const mmi_swaps_args args = { .x = data->x,
		                          .all = &l->all,
		                          .whole = data->row_seed,
		                          .factor = s->swap_factor,
		                          .margin = s->swap_margin,
		                          .iteration = (uint32_t)l->state.iteration,
		                          .number = number };
	if (!(s->swap_factor > 0))
		return;
	mmi_swaps_make(&l->swaps, l->sampler, l->model, &l->reduce, &args);
	*swapped = *data;
	swapped->x = &l->swaps.x;
	swapped->seed = -data->seed;
	swapped->row_seed = l->swaps.seed_swapped + l->span.first;
	data->row_seed = l->swaps.seed_data + l->span.first;
	t->n++;
}
