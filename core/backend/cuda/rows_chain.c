/* rows_chain.c - Langevin chains: all states of all rows in one launch, and what is measured of them in a second one.
 */
#include "mmi_build.h"

#include "backend/cuda/rows.h"

extern const mmi_cuda_kernel mmi_kernel_chain, mmi_kernel_bound, mmi_kernel_simplex, mmi_kernel_sums_end;

static int64_t segments(int64_t count)
{
	return (count + MMI_SEGMENT - 1) / MMI_SEGMENT;
}

/* States, what they are compared with, and which rows are held. */
static mmi_chain_args args_of(const mmi_chain *c, const mmi_chain_rows *r, mmi_chain_what what)
{
	mmi_chain_args a = { .n_states = c->n_states,
		                 .first = r->first,
		                 .iteration = c->iteration,
		                 .what = (int32_t)what,
		                 .move_max = c->move_max };
	for (uint32_t i = 0; i < c->n_states; i++) {
		const double unit = (double)c->unit[i];
		a.state[i] = r->state[i].at;
		a.other[i] = what == MMI_CHAIN_DISTANCE ? r->start[i].at : r->grad[i].at;
		a.held[i] = r->held[i].at;
		a.count[i] = c->count[i];
		a.key[i] = c->key[i];
		a.factor[i] = 1 / (unit * unit);
		a.drift[i] = c->update[i].drift;
		a.noise[i] = c->update[i].noise;
		a.lo[i] = c->update[i].lo;
		a.hi[i] = c->update[i].hi;
	}
	return a;
}

/* The sums of all blocks are added to two members of the chain's sums. */
static void launch(const mmi_device *d, mmi_chain_args *a, uint32_t rows, double *first, double *second)
{
	mmi_grid grid = { rows, 1, a->n_states };
	for (uint32_t i = 0; i < a->n_states; i++)
		if (segments(a->count[i]) > grid.y)
			grid.y = segments(a->count[i]);
	const int64_t blocks = grid.x * grid.y * grid.z;
	a->partial = mmi_cuda_partials(d, 2 * (size_t)blocks);
	const mmi_sums_end_args end = {
		.partial = a->partial, .sum = first, .sum_squares = second, .blocks = blocks, .add = 1
	};
	mmi_cuda_launch(d, &mmi_kernel_chain, grid, a);
	mmi_cuda_launch(d, &mmi_kernel_sums_end, (mmi_grid){ .x = 1 }, &end);
}

void mmi_cuda_chain_start(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r)
{
	mmi_chain_args a = args_of(c, r, MMI_CHAIN_GRADIENT);
	for (uint32_t i = 0; i < c->n_states; i++)
		a.factor[i] *= (double)c->weight[i] * (double)c->weight[i];
	mmi_cuda_sums(d, &(mmi_cuda_sum){ .x = r->energy.at, .n = r->n, .sum = &r->sums.at->energy, .add = true });
	launch(d, &a, r->n, &r->sums.at->grad2, NULL);
}

void mmi_cuda_simplex(const mmi_device *d, mmi_floats x, size_t runs, size_t n)
{
	const mmi_simplex_args a = { .x = x.at, .runs = (int64_t)runs, .n = (int64_t)n, .per_row = 1 };
	mmi_cuda_launch(d, &mmi_kernel_simplex, (mmi_grid){ .x = (a.runs + MMI_WARPS - 1) / MMI_WARPS }, &a);
}

static void project(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r, uint32_t i)
{
	const int64_t per_row = c->count[i] / c->simplex[i];
	const mmi_simplex_args a = {
		.x = r->state[i].at, .held = r->held[i].at, .runs = r->n * per_row, .n = c->simplex[i], .per_row = per_row
	};
	mmi_cuda_launch(d, &mmi_kernel_simplex, (mmi_grid){ .x = (a.runs + MMI_WARPS - 1) / MMI_WARPS }, &a);
}

void mmi_cuda_chain_move(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r, uint32_t step)
{
	mmi_chain_args a = args_of(c, r, MMI_CHAIN_MOVE);
	a.step = step;
	launch(d, &a, r->n, &r->sums.at->drift2, &r->sums.at->noise2);
	for (uint32_t i = 0; i < c->n_states; i++)
		if (c->simplex[i])
			project(d, c, r, i);
	if (c->move_max > 0 && r->start[0].at) {
		const mmi_chain_args b = args_of(c, r, MMI_CHAIN_DISTANCE);
		mmi_cuda_launch(d, &mmi_kernel_bound, (mmi_grid){ .x = r->n }, &b);
	}
}

void mmi_cuda_chain_end(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r)
{
	mmi_chain_args a = args_of(c, r, MMI_CHAIN_DISTANCE);
	launch(d, &a, r->n, &r->sums.at->move2, &r->sums.at->elements);
}
