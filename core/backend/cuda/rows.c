/* rows.c - sums and copies, and the table of row operations. */
#include "mmi_build.h"

#include "backend/cuda/map.h"
#include "backend/cuda/rows.h"

extern const mmi_cuda_kernel mmi_kernel_sums, mmi_kernel_sums_end, mmi_kernel_exchange;

/* A block's share: as much as keeps the blocks below 1024. */
static int64_t per_block(int64_t n)
{
	const int64_t least = 4096, share = (n + 1023) / 1024;
	return share > least ? share : least;
}

void mmi_cuda_sums(const mmi_device *d, const mmi_cuda_sum *a)
{
	const int64_t n = (int64_t)a->n, share = per_block(n), blocks = (n + share - 1) / share;
	const mmi_sums_args part = {
		.x = a->x, .factor = a->factor, .partial = mmi_cuda_partials(d, 2 * (size_t)blocks), .n = n, .per_block = share
	};
	const mmi_sums_end_args end = {
		.partial = part.partial, .sum = a->sum, .sum_squares = a->sum_squares, .blocks = blocks, .add = a->add
	};
	mmi_cuda_launch(d, &mmi_kernel_sums, (mmi_grid){ .x = blocks }, &part);
	mmi_cuda_launch(d, &mmi_kernel_sums_end, (mmi_grid){ .x = 1 }, &end);
}

static void sums(const mmi_device *d, mmi_floats x, mmi_floats factor, size_t n, mmi_doubles out)
{
	mmi_cuda_sums(d, &(mmi_cuda_sum){ x.at, factor.at, n, out.at, out.at + 1, false });
}

static void sum_squares(const mmi_device *d, mmi_floats x, size_t n, mmi_doubles out)
{
	mmi_cuda_sums(d, &(mmi_cuda_sum){ x.at, NULL, n, NULL, out.at, false });
}

static void add(const mmi_device *d, mmi_floats x, mmi_floats y, size_t n)
{
	const void *const from[2] = { x.at, y.at };
	void *const to = x.at;
	mmi_walk p;
	mmi_walk_begin(&p, (int64_t)n);
	mmi_walk_step(&p, MMI_MAP_LOAD, mmi_walk_in(&p, &from[0], false), 0, 0);
	mmi_walk_step(&p, MMI_MAP_ADD, mmi_walk_in(&p, &from[1], false), 1, 1);
	mmi_walk_store(&p, &to, false);
	mmi_walk_run(&p, d);
}

static void exchange(const mmi_device *d, mmi_floats a, mmi_floats b, size_t n)
{
	const mmi_exchange_args args = { a.at, b.at, (int64_t)n };
	mmi_cuda_launch(d, &mmi_kernel_exchange, (mmi_grid){ .x = mmi_cuda_blocks(args.n) }, &args);
}

const mmi_row_ops mmi_cuda_rows = {
	.draw = mmi_cuda_draw,
	.place = mmi_cuda_place,
	.mix = mmi_cuda_mix,
	.choose = mmi_cuda_choose,
	.pick = mmi_cuda_pick,
	.sums = sums,
	.sum_squares = sum_squares,
	.total = mmi_cuda_total,
	.add = add,
	.exchange = exchange,
	.simplex = mmi_cuda_simplex,
	.chain_start = mmi_cuda_chain_start,
	.chain_move = mmi_cuda_chain_move,
	.chain_end = mmi_cuda_chain_end,
	.seeds = mmi_cuda_seeds,
	.swap_factors = mmi_cuda_swap_factors,
	.contrast = mmi_cuda_contrast,
	.rank = mmi_cuda_rank,
	.weights = mmi_cuda_weights,
	.prior = mmi_cuda_prior,
	.guard = mmi_cuda_guard,
	.gap = mmi_cuda_gap,
	.norm = mmi_cuda_norm,
	.adam = mmi_cuda_adam,
	.check = mmi_cuda_finite,
	.spectral = mmi_cuda_spectral,
	.spectral_grad = mmi_cuda_spectral_grad,
};
