/* test_cuda_rows.c - row operations of the CUDA backend, on the emulated device, against the host's: draws, sums and
 * chains, on odd numbers of rows, with rows that are held and experts that are missing. */
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

/* ------------------------------------------------------------ draws */

static void draws_are_the_hosts(void **state)
{
	static const size_t counts[] = { 1, 7, 64, 65, 300, 2352 };
	(void)state;
	for (int kind = MMI_DRAW_NORMAL; kind <= MMI_DRAW_UNIFORM; kind++)
		for (size_t c = 0; c < MMI_COUNT(counts); c++) {
			arrays a;
			open_arrays(&a);
			const int out = add_floats(&a, ROWS * counts[c], 1, 0);
			for (int s = 0; s < SIDES; s++)
				a.device[s]->rows->draw(a.device[s],
				                        &(mmi_draw){ .out = floats_of(&a, s, out),
				                                     .rows = ROWS,
				                                     .count = counts[c],
				                                     .kind = (mmi_draw_kind)kind,
				                                     .rng = { .key = 99, .sample = 40, .step = 3, .iteration = 17 },
				                                     .lo = -0.5f,
				                                     .hi = 2 });
			assert_floats(&a, out, "draws", 3e-7);
			close_arrays(&a);
		}
}

enum { EXPERTS = 4, DIM = 9 };

static void place_with(arrays *a, mmi_place_kind kind, bool single, bool some, double temperature)
{
	static const uint32_t expert[ROWS] = { 2, 0, 1, 3, 2 };
	int loc[EXPERTS], scale[EXPERTS], seen[EXPERTS];
	const int out = add_floats(a, ROWS * DIM, 1, 0), own = add_bytes(a, expert, sizeof expert);
	for (uint32_t m = 0; m < EXPERTS; m++) {
		float there[ROWS];
		for (uint32_t r = 0; r < ROWS; r++)
			there[r] = expert[r] == m || (r + m) % 3 ? 1 : 0;
		loc[m] = add_floats(a, ROWS * DIM, 1, 0);
		scale[m] = add_floats(a, ROWS * DIM, 0.1f, 1);
		seen[m] = add_bytes(a, there, sizeof there);
	}
	for (int s = 0; s < SIDES; s++) {
		mmi_placing p = { .kind = kind,
			              .out = floats_of(a, s, out),
			              .rows = ROWS,
			              .n = EXPERTS,
			              .own = 1,
			              .dim = DIM,
			              .expert = { a->array[own].at[s] },
			              .single = single,
			              .prior = !single,
			              .temperature = temperature,
			              .correlation = 0.4 };
		for (int m = 0; m < EXPERTS; m++) {
			p.loc[m] = floats_of(a, s, loc[m]);
			p.scale[m] = floats_of(a, s, scale[m]);
			if (some)
				p.observed[m] = floats_of(a, s, seen[m]);
		}
		a->device[s]->rows->place(a->device[s], &p);
	}
	assert_floats(a, out, "rows of latents", 1e-6);
}

static void latents_start_where_the_hosts_do(void **state)
{
	(void)state;
	for (int kind = MMI_PLACE_EXPERT; kind <= MMI_PLACE_CONSENSUS; kind++)
		for (int way = 0; way < 8; way++) {
			arrays a;
			open_arrays(&a);
			place_with(&a, (mmi_place_kind)kind, way & 1, way & 2, way & 4 ? 0.0 : 0.7);
			close_arrays(&a);
		}
}

static void clusters_are_the_hosts(void **state)
{
	enum { N = 37, CLUSTERS = 4, OF = 40 };
	(void)state;
	for (int way = 0; way < 3; way++) {
		arrays a;
		open_arrays(&a);
		const int out = add_floats(&a, N * OF, 1, 0), weight = add_floats(&a, CLUSTERS, 1, 0),
				  loc = add_floats(&a, CLUSTERS * OF, 3, 0), scale = add_floats(&a, CLUSTERS * OF * OF, 0.3f, 0.1f);
		for (int s = 0; s < SIDES; s++)
			a.device[s]->rows->mix(a.device[s],
			                       &(mmi_mix){ .out = floats_of(&a, s, out),
			                                   .rows = N,
			                                   .n = CLUSTERS,
			                                   .dim = OF,
			                                   .log_weight = floats_of(&a, s, weight),
			                                   .loc = floats_of(&a, s, loc),
			                                   .scale = { way ? floats_of(&a, s, scale).at : NULL },
			                                   .full = way == 2,
			                                   .rng = { .key = 5, .sample = 9, .step = 2, .iteration = 8 } });
		assert_floats(&a, out, "draws of clusters", 1e-6);
		close_arrays(&a);
	}
}

static void choices_are_the_hosts(void **state)
{
	enum { N = 300 };
	static const float special[3] = { NAN, INFINITY, 1e30f };
	arrays a;
	(void)state;
	open_arrays(&a);
	const int score = add_bytes(&a, (double[N]){ 0 }, N * sizeof(double)), taken = add_bytes(&a, (char[N]){ 0 }, N);
	for (uint32_t candidate = 0; candidate < 4; candidate++) {
		const int energy = add_floats(&a, N, 1, 0);
		for (int s = 0; s < SIDES; s++) {
			const mmi_device *d = a.device[s];
			d->ops->upload(d, a.array[energy].at[s], special, sizeof special);
			d->rows->choose(d, &(mmi_choice){ .energy = floats_of(&a, s, energy),
			                                  .score = { a.array[score].at[s] },
			                                  .taken = { a.array[taken].at[s] },
			                                  .rows = N,
			                                  .first = 30,
			                                  .candidate = candidate,
			                                  .iteration = 5,
			                                  .key = 7,
			                                  .weight = 2 });
		}
		assert_bytes(&a, taken);
	}
	close_arrays(&a);
}

static void rows_are_picked_as_on_the_host(void **state)
{
	static const uint32_t to[ROWS] = { 4, 2, 0, 1, 3 }, from[ROWS] = { 1, 1, 6, 0, 5 };
	static const uint8_t where[ROWS] = { 1, 0, 1, 1, 0 };
	(void)state;
	for (int way = 0; way < 8; way++) {
		arrays a;
		open_arrays(&a);
		const int out = add_floats(&a, ROWS * DIM, 1, 0), source = add_floats(&a, 7 * DIM, 1, 0);
		const int index[3] = { add_bytes(&a, to, sizeof to), add_bytes(&a, from, sizeof from),
			                   add_bytes(&a, where, sizeof where) };
		for (int s = 0; s < SIDES; s++)
			a.device[s]->rows->pick(a.device[s], &(mmi_pick){
													 .out = floats_of(&a, s, out),
													 .from = floats_of(&a, s, source),
													 .to_row = { way & 1 ? a.array[index[0]].at[s] : NULL },
													 .from_row = { way & 2 ? a.array[index[1]].at[s] : NULL },
													 .where = { way & 4 ? a.array[index[2]].at[s] : NULL },
													 .rows = ROWS,
													 .count = DIM,
												 });
		assert_bytes(&a, out);
		close_arrays(&a);
	}
}

/* ------------------------------------------------------------ sums */

static void sums_are_the_hosts(void **state)
{
	static const size_t sizes[] = { 1, 255, 4097, 50001 };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(sizes); i++) {
		arrays a;
		open_arrays(&a);
		const int x = add_floats(&a, sizes[i], 1, 0.3f), factor = add_floats(&a, sizes[i], 0.1f, 1);
		const int out[3] = { add_bytes(&a, (double[2]){ 7, 7 }, 2 * sizeof(double)),
			                 add_bytes(&a, (double[2]){ 7, 7 }, 2 * sizeof(double)),
			                 add_bytes(&a, (double[1]){ 7 }, sizeof(double)) };
		for (int s = 0; s < SIDES; s++) {
			const mmi_device *d = a.device[s];
			d->rows->sums(d, floats_of(&a, s, x), (mmi_floats){ NULL }, sizes[i],
			              (mmi_doubles){ a.array[out[0]].at[s] });
			d->rows->sums(d, floats_of(&a, s, x), floats_of(&a, s, factor), sizes[i],
			              (mmi_doubles){ a.array[out[1]].at[s] });
			d->rows->sum_squares(d, floats_of(&a, s, x), sizes[i], (mmi_doubles){ a.array[out[2]].at[s] });
		}
		for (int k = 0; k < 3; k++)
			assert_doubles(&a, out[k], "sums");
		close_arrays(&a);
	}
}

static void sums_and_exchanges_of_arrays_are_the_hosts(void **state)
{
	enum { N = 5003 };
	arrays a;
	(void)state;
	open_arrays(&a);
	const int x = add_floats(&a, N, 1, 0), y = add_floats(&a, N, 1, 0);
	for (int s = 0; s < SIDES; s++) {
		a.device[s]->rows->add(a.device[s], floats_of(&a, s, x), floats_of(&a, s, y), N);
		a.device[s]->rows->exchange(a.device[s], floats_of(&a, s, x), floats_of(&a, s, y), N);
	}
	assert_bytes(&a, x);
	assert_bytes(&a, y);
	close_arrays(&a);
}

static void projections_on_the_simplex_are_the_hosts(void **state)
{
	static const size_t sizes[] = { 1, 2, 31, 32, 33, 200 };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(sizes); i++) {
		arrays a;
		open_arrays(&a);
		const int x = add_floats(&a, 13 * sizes[i], 1, 0);
		for (int s = 0; s < SIDES; s++)
			a.device[s]->rows->simplex(a.device[s], floats_of(&a, s, x), 13, sizes[i]);
		assert_floats(&a, x, "a point of the simplex", 1e-6);
		close_arrays(&a);
	}
}

/* ------------------------------------------------------------ chains */

enum { STATES = 3 };

typedef struct chain_rig {
	arrays a;
	mmi_chain c;
	int state[STATES], start[STATES], held[STATES], grad[STATES], energy, sums;
} chain_rig;

static void open_chain(chain_rig *r, float move_max)
{
	static const int64_t counts[STATES] = { 12, 1100, 35 };
	static const uint8_t some[2][ROWS] = { { 0, 1, 0, 0, 0 }, { 1, 1, 0, 0, 1 } };
	open_arrays(&r->a);
	r->c = (mmi_chain){ .n_states = STATES, .steps = 3, .iteration = 21, .move_max = move_max };
	for (uint32_t i = 0; i < STATES; i++) {
		const size_t n = ROWS * (size_t)counts[i];
		r->c.count[i] = counts[i];
		r->c.update[i] = (mmi_langevin){ 0.05f, i == 2 ? 0 : 0.1f, -1.5f, i ? INFINITY : 1.5f };
		r->c.key[i] = 1000 + i;
		r->c.unit[i] = (float)(1 + i);
		r->c.weight[i] = 1 / (float)(1 + i);
		r->state[i] = add_floats(&r->a, n, 1, 0);
		r->start[i] = add_floats(&r->a, n, 1, 0);
		r->grad[i] = add_floats(&r->a, n, 1, 0);
		r->held[i] = i ? add_bytes(&r->a, some[i - 1], ROWS) : -1;
	}
	r->c.simplex[2] = 7;
	r->energy = add_floats(&r->a, ROWS, 1, 0);
	r->sums = add_bytes(&r->a, &(mmi_chain_stats){ 0 }, sizeof(mmi_chain_stats));
}

static mmi_chain_rows chain_rows(const chain_rig *r, int side, bool measured)
{
	mmi_chain_rows rows = {
		.n = ROWS, .first = 8, .energy = floats_of(&r->a, side, r->energy), .sums = { r->a.array[r->sums].at[side] }
	};
	for (int i = 0; i < STATES; i++) {
		rows.state[i] = floats_of(&r->a, side, r->state[i]);
		rows.grad[i] = floats_of(&r->a, side, r->grad[i]);
		if (measured)
			rows.start[i] = floats_of(&r->a, side, r->start[i]);
		if (r->held[i] >= 0)
			rows.held[i].at = r->a.array[r->held[i]].at[side];
	}
	return rows;
}

static void run_chain(float move_max, bool measured)
{
	chain_rig r;
	open_chain(&r, move_max);
	for (int s = 0; s < SIDES; s++) {
		const mmi_device *d = r.a.device[s];
		const mmi_chain_rows rows = chain_rows(&r, s, measured);
		d->rows->chain_start(d, &r.c, &rows);
		for (uint32_t step = 0; step < r.c.steps; step++)
			d->rows->chain_move(d, &r.c, &rows, step);
		d->rows->chain_end(d, &r.c, &rows);
	}
	for (int i = 0; i < STATES; i++)
		assert_floats(&r.a, r.state[i], "a chain's state", 1e-6);
	assert_doubles(&r.a, r.sums, "a chain's sums");
	close_arrays(&r.a);
}

static void chains_move_as_the_hosts(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 3; order++) {
		emu_set_order(order);
		run_chain(0, false);
		run_chain(0, true);
		run_chain(0.2f, true);
	}
}
/* An operation that is added to the table is added here. */
static void every_operation_of_the_table_is_there(void **state)
{
	enum { OPERATIONS = sizeof(mmi_row_ops) / sizeof(void (*)(void)) };
	void (*host[OPERATIONS])(void), (*cuda[OPERATIONS])(void);
	(void)state;
	memcpy(host, cpu_device()->rows, sizeof host);
	memcpy(cuda, cuda_device()->rows, sizeof cuda);
	for (int i = 0; i < OPERATIONS; i++)
		if (host[i] && !cuda[i])
			fail_msg("row operation %d of row_ops.h has no CUDA version", i);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_of_the_table_is_there),
		cmocka_unit_test(draws_are_the_hosts),
		cmocka_unit_test(latents_start_where_the_hosts_do),
		cmocka_unit_test(clusters_are_the_hosts),
		cmocka_unit_test(choices_are_the_hosts),
		cmocka_unit_test(rows_are_picked_as_on_the_host),
		cmocka_unit_test(sums_are_the_hosts),
		cmocka_unit_test(sums_and_exchanges_of_arrays_are_the_hosts),
		cmocka_unit_test(projections_on_the_simplex_are_the_hosts),
		cmocka_unit_test(chains_move_as_the_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
