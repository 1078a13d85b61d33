/* swaps.c - swapped tuples as negatives. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

#include <math.h>
#include <string.h>

mm_status mmi_swaps_create(const mmi_model *m, mmi_span span, mmi_swaps *out, mm_error *e)
{
	mmi_swaps k = { .mean_data = 0 };
	float **rows[] = { &k.e_data, &k.e_swapped, &k.seed_data, &k.seed_swapped, &k.whole };
	bool ok = true;
	for (size_t i = 0; i < MMI_COUNT(rows); i++)
		ok = (*rows[i] = mmi_alloc(span.of, sizeof(float))) && ok;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		ok = (k.x[i] = mmi_alloc(span.rows * (size_t)m->modalities[i].count, sizeof(float))) && ok;
	if (!ok) {
		mmi_swaps_clear(&k);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u swapped tuples", span.rows);
	}
	*out = k;
	return MM_OK;
}

void mmi_swaps_clear(mmi_swaps *k)
{
	float *rows[] = { k->e_data, k->e_swapped, k->seed_data, k->seed_swapped, k->whole };
	for (size_t i = 0; i < MMI_COUNT(rows); i++)
		mmi_free(rows[i]);
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++)
		mmi_free(k->x[i]);
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

void mmi_swaps_draw(mmi_swaps *k, mmi_sampler *s, const mmi_model *m, const float *const *x, const float *whole,
                    mmi_span span, uint32_t iteration, uint32_t number)
{
	for (uint32_t r = 0; r < span.rows; r++) {
		uint32_t row = span.first + r, which = mmi_sampler_below(s, row, 2 * number, iteration, m->n_modalities);
		uint32_t other = another_row(s, whole, row, span.of, iteration, number);
		for (uint32_t i = 0; i < m->n_modalities; i++) {
			size_t count = (size_t)m->modalities[i].count, from = i == which ? other : row;
			memcpy(k->x[i] + r * count, x[i] + from * count, count * sizeof(float));
		}
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
static void find_energies(mmi_sampler *s, const mmi_reduce *r, const float *const *x, float *all)
{
	/* E alone: this teaches the energy model, not the experts whose agreement the joint energy has beside it. */
	mmi_sampler_energies(s, x, r->span.rows, &(mmi_energies){ .term[MMI_TERM_TEXTURE] = all + r->span.first });
	mmi_reduce_floats(r, all + r->span.first, 1, all);
}

void mmi_swaps_make(mmi_swaps *k, mmi_sampler *s, const mmi_model *m, const mmi_reduce *r, const mmi_swaps_args *a)
{
	const float *x[MMI_MAX_MODALITIES];
	const float *whole = a->whole ? mmi_reduce_floats(r, a->whole, 1, k->whole) : NULL;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		x[i] = mmi_reduce_floats(r, a->x[i], (size_t)m->modalities[i].count, a->all_x ? a->all_x[i] : NULL);
	mmi_swaps_draw(k, s, m, x, whole, r->span, a->iteration, a->number);
	find_energies(s, r, a->x, k->e_data);
	find_energies(s, r, mmi_rows_read(k->x), k->e_swapped);
	set_factors(k, whole, r->span.of, a->factor, a->margin);
}

void mmi_term_swaps(mmi_learner *l, uint32_t number, mmi_terms *t)
{
	const mmi_settings *s = l->settings;
	mmi_segment *data = &t->at[0], *swapped = &t->at[t->n];
	const mmi_swaps_args args = { .x = data->x,
		                          .all_x = l->all_x,
		                          .whole = data->row_seed,
		                          .factor = s->swap_factor,
		                          .margin = s->swap_margin,
		                          .iteration = (uint32_t)l->state.iteration,
		                          .number = number };
	if (!(s->swap_factor > 0))
		return;
	mmi_swaps_make(&l->swaps, l->sampler, l->model, &l->reduce, &args);
	*swapped = *data;
	swapped->x = mmi_rows_read(l->swaps.x);
	swapped->seed = -data->seed;
	swapped->row_seed = l->swaps.seed_swapped + l->span.first;
	data->row_seed = l->swaps.seed_data + l->span.first;
	t->n++;
}
