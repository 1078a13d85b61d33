/* swaps.c - swapped tuples as negatives. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

mm_status mmi_swaps_create(const mmi_model *m, const mmi_reduce *r, mmi_swaps *out, mm_error *e)
{
	const mmi_device *d = m->device;
	const uint32_t rows = r->span.rows, batch = r->span.of;
	mmi_swaps k = { .whole = mmi_alloc(batch, sizeof *k.whole) };
	mmi_floats *const here[] = { &k.e_data, &k.e_swapped }, *const all[] = { &k.seed_data, &k.seed_swapped };
	mmi_mirror *const rooms[] = { &k.all_data, &k.all_swapped, &k.all_whole };
	bool ok = k.whole;
	for (size_t i = 0; i < MMI_COUNT(here); i++)
		ok = (*here[i] = mmi_floats_alloc(d, rows)).at && (*all[i] = mmi_floats_alloc(d, batch)).at && ok;
	for (size_t i = 0; i < MMI_COUNT(rooms); i++)
		ok = mmi_reduce_room(r, d, 1, rooms[i], e) == MM_OK && ok;
	ok = mmi_device_rows_create(m, rows, &k.x, e) == MM_OK && ok;
	ok = mmi_mirror_create_again(d, m->n_modalities * rows * sizeof(uint32_t), &k.from, e) == MM_OK && ok;
	if (!ok) {
		mmi_swaps_clear(m, &k);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u swapped tuples", rows);
	}
	*out = k;
	return MM_OK;
}

void mmi_swaps_clear(const mmi_model *m, mmi_swaps *k)
{
	mmi_floats *const rows[] = { &k->e_data, &k->e_swapped, &k->seed_data, &k->seed_swapped };
	mmi_mirror *const mirrors[] = { &k->from, &k->all_data, &k->all_swapped, &k->all_whole };
	for (size_t i = 0; i < MMI_COUNT(rows); i++)
		mmi_floats_release(m->device, rows[i]);
	for (size_t i = 0; i < MMI_COUNT(mirrors); i++)
		mmi_mirror_clear(m->device, mirrors[i]);
	mmi_device_rows_clear(m, &k->x);
	mmi_free(k->whole);
	*k = (mmi_swaps){ .whole = NULL };
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

/* E alone: this teaches the energy model, not the experts whose agreement the joint energy has beside it. */
static mmi_floats find_energies(mmi_sampler *s, const mmi_model *m, const mmi_reduce *r, const mmi_device_rows *x,
                                mmi_floats here, const mmi_mirror *all)
{
	mmi_run_energies(s, x, r->span.rows, &(mmi_device_energies){ .term[MMI_TERM_TEXTURE] = here });
	return mmi_reduce_on_device(r, m->device, here, 1, all);
}

void mmi_swaps_make(mmi_swaps *k, mmi_sampler *s, const mmi_model *m, const mmi_reduce *r, const mmi_swaps_args *a)
{
	const mmi_device *d = m->device;
	const float *whole = a->whole ? mmi_reduce_floats(r, a->whole, 1, k->whole) : NULL;
	const mmi_device_rows x = mmi_reduce_samples(r, m, a->x, a->all);
	mmi_swaps_draw(k, s, m, &x, whole, r->span, a->iteration, a->number);
	const mmi_floats e_data = find_energies(s, m, r, a->x, k->e_data, &k->all_data);
	const mmi_floats e_swapped = find_energies(s, m, r, &k->x, k->e_swapped, &k->all_swapped);
	const mmi_swap_factors factors = { .data = e_data,
		                               .swapped = e_swapped,
		                               .whole = mmi_reduce_on_device(r, d, a->whole_there, 1, &k->all_whole),
		                               .of_data = k->seed_data,
		                               .of_swapped = k->seed_swapped,
		                               .rows = r->span.of,
		                               .factor = a->factor,
		                               .margin = a->margin,
		                               .told = a->told };
	d->rows->swap_factors(d, &factors);
	k->told = a->told;
}

void mmi_term_swaps(mmi_learner *l, uint32_t number, mmi_terms *t)
{
	const mmi_settings *s = l->settings;
	mmi_segment *data = &t->at[0], *swapped = &t->at[t->n];
	const mmi_swaps_args args = { .x = data->x,
		                          .all = &l->all,
		                          .whole = data->row_seed.at ? l->masks.whole : NULL,
		                          .whole_there = data->row_seed,
		                          .factor = s->swap_factor,
		                          .margin = s->swap_margin,
		                          .told = mmi_readings_take(&l->readings, s->swap_factor > 0 ? 2 : 0),
		                          .iteration = (uint32_t)l->state.iteration,
		                          .number = number };
	if (!(s->swap_factor > 0))
		return;
	mmi_swaps_make(&l->swaps, l->sampler, l->model, &l->reduce, &args);
	*swapped = *data;
	swapped->x = &l->swaps.x;
	swapped->seed = -data->seed;
	swapped->row_seed = mmi_floats_at(l->swaps.seed_swapped, l->span.first);
	data->row_seed = mmi_floats_at(l->swaps.seed_data, l->span.first);
	t->n++;
}
