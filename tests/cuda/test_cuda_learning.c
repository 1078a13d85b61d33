/* test_cuda_learning.c - row operations of the CUDA backend that learning asks for, on the emulated device, against the
 * host's: losses, what stops an update, parameters. */
#include "mmi_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arrays_rig.h"
#include "cuda_rig.h"
#include "emu.h"

enum { ROWS = 5 };

/* ------------------------------------------------------------ losses */

static void seeds_of_rows_are_the_hosts(void **state)
{
	enum { CHUNK = 7, N = 6 * CHUNK };
	(void)state;
	for (int way = 0; way < 4; way++) {
		arrays a;
		open_arrays(&a);
		const int out = add_floats(&a, 3 * N, 1, 0), factor = add_floats(&a, N, 1, 0),
				  weight = add_bytes(&a, &(double){ 0.7 }, sizeof(double));
		for (int s = 0; s < SIDES; s++)
			a.device[s]->rows->seeds(a.device[s],
			                         &(mmi_seeds){ .out = floats_of(&a, s, out),
			                                       .factor = { way & 1 ? floats_of(&a, s, factor).at : NULL },
			                                       .rows = N,
			                                       .chunk = CHUNK,
			                                       .weight = 0.3f,
			                                       .l2_weight = -2,
			                                       .weight_at = { way & 2 ? a.array[weight].at[s] : NULL },
			                                       .weight_of = 13 });
		assert_bytes(&a, out);
		close_arrays(&a);
	}
}

/* More rows than a block has threads; some, none and all but one are left out. */
static void factors_of_swapped_tuples_are_the_hosts(void **state)
{
	enum { N = 300 };
	(void)state;
	for (int way = 0; way < 4; way++) {
		arrays a;
		float whole[N];
		for (int i = 0; i < N; i++)
			whole[i] = way == 1 ? i % 3 > 0 : way == 2 ? i == 5 : 0;
		open_arrays(&a);
		const int data = add_floats(&a, N, 1, 3), swapped = add_floats(&a, N, 1.5f, 3),
				  there = add_bytes(&a, whole, sizeof whole), of_data = add_floats(&a, N, 1, 0),
				  of_swapped = add_floats(&a, N, 1, 0), told = add_bytes(&a, (double[2]){ 7, 7 }, 2 * sizeof(double));
		for (int s = 0; s < SIDES; s++)
			a.device[s]->rows->swap_factors(a.device[s],
			                                &(mmi_swap_factors){ .data = floats_of(&a, s, data),
			                                                     .swapped = floats_of(&a, s, swapped),
			                                                     .whole = { way ? floats_of(&a, s, there).at : NULL },
			                                                     .of_data = floats_of(&a, s, of_data),
			                                                     .of_swapped = floats_of(&a, s, of_swapped),
			                                                     .rows = N,
			                                                     .factor = 0.75,
			                                                     .margin = 0.5,
			                                                     .told = { a.array[told].at[s] } });
		assert_bytes(&a, of_data);
		assert_bytes(&a, of_swapped);
		if (way < 3) {
			assert_doubles(&a, told, "what is told of swapped tuples");
		} else {
			double none[2];
			read_array(&a, 1, told, none);
			assert_true(isnan(none[0]) && isnan(none[1]));
		}
		close_arrays(&a);
	}
}

/* 1 and 0: all but every third; the first alone. */
static int add_flags(arrays *a, size_t n, int which)
{
	float flag[512];
	assert_true(n <= MMI_COUNT(flag));
	for (size_t i = 0; i < n; i++)
		flag[i] = which == 2 ? i == 0 : (i + (size_t)which) % 3 > 0;
	return add_bytes(a, flag, n * sizeof *flag);
}

/* Of the leading 5 of 8 numbers a row, twice: what is told adds up. The last of the ways leaves one row. */
static void contrastive_losses_are_the_hosts(void **state)
{
	enum { N = 70, STRIDE = 8, COMPARED = 5 };
	(void)state;
	for (int way = 0; way < 4; way++) {
		arrays a;
		open_arrays(&a);
		const int told = add_bytes(&a, (double[2]){ 0.5, 0 }, 2 * sizeof(double));
		int x[2], has[2], grad[2];
		for (int k = 0; k < 2; k++) {
			x[k] = add_floats(&a, N * STRIDE, 1, 0);
			has[k] = add_flags(&a, N, way == 3 ? 2 : k);
			grad[k] = add_floats(&a, N * STRIDE, 0.01f, 0);
		}
		for (int s = 0; s < SIDES; s++) {
			const mmi_device *d = a.device[s];
			mmi_contrast c = { .rows = N,
				               .stride = STRIDE,
				               .dim = COMPARED,
				               .temperature = 0.2,
				               .weight = 0.7,
				               .room = { d->ops->alloc(d, mmi_contrast_room(N, COMPARED) * sizeof(double)) },
				               .told = { a.array[told].at[s] } };
			for (int k = 0; k < 2; k++) {
				c.x[k] = floats_of(&a, s, x[k]);
				c.has[k].at = way ? floats_of(&a, s, has[k]).at : NULL;
				c.grad[k].at = way == 2 ? NULL : floats_of(&a, s, grad[k]).at;
			}
			d->rows->contrast(d, &c);
			d->rows->contrast(d, &c);
			assert_int_equal(d->ops->wait(d, NULL), MM_OK);
			d->ops->release(d, c.room.at);
		}
		for (int k = 0; k < 2; k++)
			assert_floats(&a, grad[k], "the contrastive loss's gradient", 1e-6);
		assert_doubles(&a, told, "the contrastive loss");
		close_arrays(&a);
	}
}

/* Of three modalities, all there, some missing, and so that only one tuple has the first. */
static void rankings_are_the_hosts(void **state)
{
	enum { N = 45, MODALITIES = 3, UNIT = 6 };
	(void)state;
	for (int way = 0; way < 3; way++) {
		arrays a;
		open_arrays(&a);
		const int told = add_bytes(&a, (double[MMI_RANK_TOLD]){ 0 }, MMI_RANK_TOLD * sizeof(double)),
				  scale = add_bytes(&a, &(float){ 1.3f }, sizeof(float));
		int unit[MODALITIES], has[MODALITIES], grad[MODALITIES];
		for (int m = 0; m < MODALITIES; m++) {
			unit[m] = add_floats(&a, N * UNIT, 0.4f, 0);
			has[m] = add_flags(&a, N, way == 2 && !m ? 2 : m % 2);
			grad[m] = add_floats(&a, N * UNIT, 1, 0);
		}
		for (int s = 0; s < SIDES; s++) {
			const mmi_device *d = a.device[s];
			mmi_rank r = { .n = MODALITIES,
				           .rows = N,
				           .dim = UNIT,
				           .scale = floats_of(&a, s, scale),
				           .room = { d->ops->alloc(d, mmi_rank_room(MODALITIES, N, UNIT) * sizeof(double)) },
				           .told = { a.array[told].at[s] } };
			for (int m = 0; m < MODALITIES; m++) {
				r.unit[m] = floats_of(&a, s, unit[m]);
				r.has[m].at = way ? floats_of(&a, s, has[m]).at : NULL;
				r.grad[m] = floats_of(&a, s, grad[m]);
			}
			d->rows->rank(d, &r);
			assert_int_equal(d->ops->wait(d, NULL), MM_OK);
			d->ops->release(d, r.room.at);
		}
		for (int m = 0; m < MODALITIES; m++)
			assert_floats(&a, grad[m], "the ranking loss's gradient", 1e-6);
		assert_doubles(&a, told, "what is told of a ranking");
		close_arrays(&a);
	}
}

/* Of tuples of one modality each there is nothing to rank: no gradient, and no loss. */
static void nothing_to_rank_is_told(void **state)
{
	enum { N = 9, UNIT = 4 };
	(void)state;
	arrays a;
	double found[MMI_RANK_TOLD];
	float none[N] = { 0 };
	open_arrays(&a);
	const int told = add_bytes(&a, (double[MMI_RANK_TOLD]){ 0 }, MMI_RANK_TOLD * sizeof(double)),
			  scale = add_bytes(&a, &(float){ 1 }, sizeof(float)), unit = add_floats(&a, N * UNIT, 1, 0),
			  has = add_bytes(&a, none, sizeof none),
			  grad[2] = { add_floats(&a, N * UNIT, 1, 0), add_floats(&a, N * UNIT, 1, 0) };
	for (int s = 0; s < SIDES; s++) {
		const mmi_device *d = a.device[s];
		const mmi_rank r = { .n = 2,
			                 .rows = N,
			                 .dim = UNIT,
			                 .unit = { floats_of(&a, s, unit), floats_of(&a, s, unit) },
			                 .has = { { NULL }, floats_of(&a, s, has) },
			                 .grad = { floats_of(&a, s, grad[0]), floats_of(&a, s, grad[1]) },
			                 .scale = floats_of(&a, s, scale),
			                 .room = { d->ops->alloc(d, mmi_rank_room(2, N, UNIT) * sizeof(double)) },
			                 .told = { a.array[told].at[s] } };
		d->rows->rank(d, &r);
		read_array(&a, s, told, found);
		assert_true(isnan(found[MMI_RANK_LOSS]) && isnan(found[MMI_RANK_FIRST]));
		d->ops->release(d, r.room.at);
	}
	assert_bytes(&a, grad[0]);
	assert_bytes(&a, grad[1]);
	close_arrays(&a);
}

static void weights_of_draws_are_the_hosts(void **state)
{
	enum { MODALITIES = 3, DRAWS = 4, CHUNK = 5, N = 2 * CHUNK };
	arrays a;
	(void)state;
	open_arrays(&a);
	const int term = add_floats(&a, MODALITIES * DRAWS * N, 300, 0),
			  share = add_floats(&a, MODALITIES * DRAWS * N, 1, 0),
			  bound = add_bytes(&a, (double[2]){ 7, 7 }, 2 * sizeof(double));
	const int of[MODALITIES] = { add_flags(&a, N, 0), add_flags(&a, N, 1), add_floats(&a, N, 0.01f, 0.5f) };
	for (int s = 0; s < SIDES; s++) {
		mmi_weights w = { .n = MODALITIES,
			              .draws = DRAWS,
			              .rows = N,
			              .chunk = CHUNK,
			              .term = floats_of(&a, s, term),
			              .share = floats_of(&a, s, share),
			              .bound = { a.array[bound].at[s] } };
		for (int m = 0; m < MODALITIES; m++)
			w.of[m] = floats_of(&a, s, of[m]);
		a.device[s]->rows->weights(a.device[s], &w);
	}
	assert_floats(&a, share, "shares of draws", 1e-6);
	assert_doubles(&a, bound, "the bound");
	close_arrays(&a);
}

static void priors_are_the_hosts(void **state)
{
	enum { CHUNKS = 3, COUNT = 700 };
	(void)state;
	for (int laplace = 0; laplace < 2; laplace++) {
		arrays a;
		open_arrays(&a);
		const int x = add_floats(&a, CHUNKS * COUNT, 1, 0),
				  sums = add_bytes(&a, (double[CHUNKS]){ 1, 2, 3 }, CHUNKS * sizeof(double));
		for (int s = 0; s < SIDES; s++)
			a.device[s]->rows->prior(a.device[s], &(mmi_prior_sums){ .x = floats_of(&a, s, x),
			                                                         .chunks = CHUNKS,
			                                                         .count = COUNT,
			                                                         .laplace = laplace,
			                                                         .sums = { a.array[sums].at[s] } });
		assert_doubles(&a, sums, "sums of -log p0");
		close_arrays(&a);
	}
}

/* ------------------------------------------------------------ what stops an update */

static void totals_are_the_hosts(void **state)
{
	enum { COUNT = 9, N = 6 };
	double parts[COUNT * N];
	arrays a;
	(void)state;
	for (int i = 0; i < COUNT * N; i++)
		parts[i] = 1.0 / (1 + i);
	open_arrays(&a);
	const int from = add_bytes(&a, parts, sizeof parts), to = add_bytes(&a, parts, N * sizeof *parts);
	for (int s = 0; s < SIDES; s++)
		a.device[s]->rows->total(a.device[s], (mmi_doubles){ a.array[from].at[s] }, COUNT, N,
		                         (mmi_doubles){ a.array[to].at[s] });
	assert_bytes(&a, to);
	close_arrays(&a);
}

/* The word that a check leaves, which was `before`. */
static uint32_t guarded(uint32_t before, const double x[2], uint32_t broken, const double blame[2])
{
	arrays a;
	uint32_t word[SIDES];
	open_arrays(&a);
	const int at[] = { add_bytes(&a, &before, sizeof before), add_bytes(&a, x, 2 * sizeof *x),
		               add_bytes(&a, &broken, sizeof broken), add_bytes(&a, blame, 2 * sizeof *blame) };
	for (int s = 0; s < SIDES; s++) {
		a.device[s]->rows->guard(a.device[s], &(mmi_guard){ .word = { a.array[at[0]].at[s] },
		                                                    .mark = 20,
		                                                    .x = { a.array[at[1]].at[s] },
		                                                    .n = 2,
		                                                    .broken = { a.array[at[2]].at[s] },
		                                                    .blame = { a.array[at[3]].at[s] },
		                                                    .n_blame = 2 });
		read_array(&a, s, at[0], &word[s]);
	}
	assert_int_equal(word[0], word[1]);
	close_arrays(&a);
	return word[0];
}

static void the_guard_is_the_hosts(void **state)
{
	static const double fine[2] = { 1, -2 }, first[2] = { NAN, 1 }, second[2] = { 1, INFINITY };
	(void)state;
	assert_int_equal(guarded(0, fine, 0, fine), 0);
	assert_int_equal(guarded(7, first, 1, first), 7);
	assert_int_equal(guarded(0, second, 0, first), 20);
	assert_int_equal(guarded(0, first, 0, second), 21);
	assert_int_equal(guarded(0, fine, 1, fine), 21);
}

/* The word after an energy loss, with so many in the ring, on both sides. */
static uint32_t gap_of(double data, int64_t written, bool wanted_in_ring)
{
	double ring[MMI_GAPS];
	uint32_t word[SIDES];
	arrays a;
	for (int i = 0; i < MMI_GAPS; i++)
		ring[i] = 1 + (double)(i * 37 % 10); /* many are equal */
	open_arrays(&a);
	const int at[] = { add_bytes(&a, &(uint32_t){ 0 }, sizeof(uint32_t)), add_bytes(&a, &data, sizeof data),
		               add_bytes(&a, &(double){ 4 }, sizeof(double)), add_bytes(&a, ring, sizeof ring),
		               add_bytes(&a, (double[2]){ 0 }, 2 * sizeof(double)) };
	for (int s = 0; s < SIDES; s++) {
		a.device[s]->rows->gap(a.device[s], &(mmi_gap){ .word = { a.array[at[0]].at[s] },
		                                                .mark = 9,
		                                                .data = { a.array[at[1]].at[s] },
		                                                .revised = { a.array[at[2]].at[s] },
		                                                .of_data = 3,
		                                                .of_revised = 2,
		                                                .limit = 10,
		                                                .ring = { a.array[at[3]].at[s] },
		                                                .written = written,
		                                                .told = { a.array[at[4]].at[s] } });
		read_array(&a, s, at[0], &word[s]);
	}
	assert_int_equal(word[0], word[1]);
	assert_bytes(&a, at[3]);
	if (isfinite(data))
		assert_bytes(&a, at[4]);
	double told[2], kept[MMI_GAPS];
	read_array(&a, 0, at[4], told);
	read_array(&a, 1, at[3], kept);
	assert_true(!written || (told[1] >= 5 && told[1] <= 7)); /* of 1 to 10, as often each */
	assert_true((memcmp(kept, ring, sizeof ring) != 0) == wanted_in_ring);
	close_arrays(&a);
	return word[0];
}

static void the_energy_loss_s_guard_is_the_hosts(void **state)
{
	(void)state;
	assert_int_equal(gap_of(7, 300, true), 0);
	assert_int_equal(gap_of(7, MMI_GAPS, true), 0);
	assert_int_equal(gap_of(-600, 300, false), 9);
	assert_int_equal(gap_of(600, 51, false), 9); /* over half a ring is enough to know */
	assert_int_equal(gap_of(600, 50, true), 0);
	assert_int_equal(gap_of(600, 0, true), 0);
	assert_int_equal(gap_of((double)NAN, 0, false), 9);
	assert_int_equal(gap_of((double)INFINITY, 300, false), 9);
}

static void norms_are_the_hosts(void **state)
{
	static const double clips[] = { 0, 0.5, 100 };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(clips); i++) {
		arrays a;
		open_arrays(&a);
		const int squares = add_bytes(&a, (double[3]){ 1, 2, 0.25 }, 3 * sizeof(double)),
				  norm = add_bytes(&a, &(double){ 0 }, sizeof(double)), scale = add_floats(&a, 1, 1, 0);
		for (int s = 0; s < SIDES; s++)
			a.device[s]->rows->norm(a.device[s], &(mmi_norm){ .squares = { a.array[squares].at[s] },
			                                                  .n = 3,
			                                                  .clip = clips[i],
			                                                  .norm = { a.array[norm].at[s] },
			                                                  .scale = floats_of(&a, s, scale) });
		assert_bytes(&a, norm);
		assert_bytes(&a, scale);
		close_arrays(&a);
	}
}

/* ------------------------------------------------------------ parameters */

static void updates_of_adam_are_the_hosts(void **state)
{
	enum { N = 3001 };
	(void)state;
	for (int way = 0; way < 8; way++) {
		const bool averaged = way & 1, amsgrad = way & 2, clipped = way & 4;
		arrays a;
		open_arrays(&a);
		const int raw = add_floats(&a, N, 1, 0), m = add_floats(&a, N, 0.1f, 0), v = add_floats(&a, N, 0.01f, 0.1f),
				  ema = add_floats(&a, N, 1, 0), v_max = add_floats(&a, N, 0.01f, 0.1f), grad = add_floats(&a, N, 1, 0),
				  scale = add_bytes(&a, &(float){ 0.125f }, sizeof(float)),
				  guard = add_bytes(&a, &(uint32_t){ way == 7 }, sizeof(uint32_t)),
				  broken = add_bytes(&a, &(uint32_t){ 0 }, sizeof(uint32_t));
		for (int s = 0; s < SIDES; s++)
			a.device[s]->rows->adam(a.device[s],
			                        &(mmi_adam_rows){ .raw = floats_of(&a, s, raw),
			                                          .m = floats_of(&a, s, m),
			                                          .v = floats_of(&a, s, v),
			                                          .ema = { averaged ? floats_of(&a, s, ema).at : NULL },
			                                          .v_max = { amsgrad ? floats_of(&a, s, v_max).at : NULL },
			                                          .scale = { clipped ? floats_of(&a, s, scale).at : NULL },
			                                          .guard = { clipped ? a.array[guard].at[s] : NULL },
			                                          .grad = floats_of(&a, s, grad),
			                                          .n = N,
			                                          .adam = { 1e-2f, 0.9f, 0.99f, 1e-8f, 0.01f, 0.3f, 0.2f, 0.5f },
			                                          .keep = 0.9f,
			                                          .broken = { a.array[broken].at[s] } });
		const int made[] = { raw, m, v, ema, v_max };
		for (size_t i = 0; i < MMI_COUNT(made); i++)
			assert_floats(&a, made[i], "what Adam made", 1e-6);
		assert_bytes(&a, broken);
		close_arrays(&a);
	}
}

/* Of one value among many, by each of the two that look. */
static void what_is_not_finite_is_told(void **state)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY, 1e38f };
	enum { N = 700 };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(bad); i++) {
		arrays a;
		open_arrays(&a);
		const int x = add_floats(&a, N, 1, 0), m = add_floats(&a, N, 1, 0), v = add_floats(&a, N, 0.1f, 1),
				  raw = add_floats(&a, N, 1, 0), zero = add_bytes(&a, &(uint32_t){ 0 }, sizeof(uint32_t)),
				  other = add_bytes(&a, &(uint32_t){ 0 }, sizeof(uint32_t));
		for (int s = 0; s < SIDES; s++) {
			const mmi_device *d = a.device[s];
			d->ops->upload(d, floats_of(&a, s, x).at + 501, &bad[i], sizeof bad[i]);
			d->rows->check(d, floats_of(&a, s, x), N, (mmi_words){ a.array[zero].at[s] });
			d->rows->adam(d, &(mmi_adam_rows){ .raw = floats_of(&a, s, raw),
			                                   .m = floats_of(&a, s, m),
			                                   .v = floats_of(&a, s, v),
			                                   .grad = floats_of(&a, s, x),
			                                   .n = N,
			                                   .adam = { 1e-2f, 0.9f, 0.99f, 1e-8f, 0, 0.3f, 0.2f, 1 },
			                                   .broken = { a.array[other].at[s] } });
		}
		assert_bytes(&a, zero);
		assert_bytes(&a, other);
		uint32_t told;
		read_array(&a, 1, other, &told);
		assert_int_equal(told, 1); /* the square of 1e38 is not finite either */
		close_arrays(&a);
	}
}

static void spectral_with(size_t rows, size_t columns, int iterations)
{
	arrays a;
	open_arrays(&a);
	const int raw = add_floats(&a, rows * columns, 1, 0), value = add_floats(&a, rows * columns, 1, 0),
			  sigma = add_floats(&a, 1, 1, 0), u = add_floats(&a, columns, 0.3f, 0), v = add_floats(&a, rows, 0.3f, 0),
			  grad = add_floats(&a, rows * columns, 1, 0);
	for (int s = 0; s < SIDES; s++) {
		const mmi_device *d = a.device[s];
		const mmi_spectral w = { .raw = floats_of(&a, s, raw),
			                     .value = floats_of(&a, s, value),
			                     .sigma = floats_of(&a, s, sigma),
			                     .u = floats_of(&a, s, u),
			                     .v = floats_of(&a, s, v),
			                     .rows = rows,
			                     .columns = columns };
		d->rows->spectral(d, &w, iterations);
		d->rows->spectral_grad(d, &w, floats_of(&a, s, grad));
	}
	const int made[] = { value, sigma, u, v, grad };
	for (size_t i = 0; i < MMI_COUNT(made); i++)
		assert_floats(&a, made[i], "a spectral norm", 2e-5);
	close_arrays(&a);
}

static void spectral_norms_are_the_hosts(void **state)
{
	(void)state;
	spectral_with(1, 1, 1);
	spectral_with(7, 5, 3);
	spectral_with(300, 41, 2);
	spectral_with(9, 70, 15);
	spectral_with(33, 3, 0);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds_of_rows_are_the_hosts),
		cmocka_unit_test(factors_of_swapped_tuples_are_the_hosts),
		cmocka_unit_test(contrastive_losses_are_the_hosts),
		cmocka_unit_test(rankings_are_the_hosts),
		cmocka_unit_test(nothing_to_rank_is_told),
		cmocka_unit_test(weights_of_draws_are_the_hosts),
		cmocka_unit_test(priors_are_the_hosts),
		cmocka_unit_test(totals_are_the_hosts),
		cmocka_unit_test(the_guard_is_the_hosts),
		cmocka_unit_test(the_energy_loss_s_guard_is_the_hosts),
		cmocka_unit_test(norms_are_the_hosts),
		cmocka_unit_test(updates_of_adam_are_the_hosts),
		cmocka_unit_test(what_is_not_finite_is_told),
		cmocka_unit_test(spectral_norms_are_the_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
