/* rows.c - the host's row operations: single rows, and the table of all. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"

#include <string.h>

static void pick(const mmi_device *d, const mmi_pick *a)
{
	(void)d;
	for (uint32_t i = 0; i < a->rows; i++) {
		const size_t to = a->to_row.at ? a->to_row.at[i] : i, from = a->from_row.at ? a->from_row.at[i] : i;
		if (!a->where.at || a->where.at[i])
			memcpy(a->out.at + to * a->count, a->from.at + from * a->count, a->count * sizeof(float));
	}
}

static void sums(const mmi_device *d, mmi_floats x, mmi_floats factor, size_t n, mmi_doubles out)
{
	out.at[0] = factor.at ? 0 : d->vec->sum(x.at, n);
	out.at[1] = factor.at ? 0 : d->vec->sum_squares(x.at, n);
	for (size_t i = 0; factor.at && i < n; i++) {
		out.at[0] += (double)factor.at[i] * (double)x.at[i];
		out.at[1] += (double)factor.at[i] * (double)x.at[i] * (double)x.at[i];
	}
}

static void sum_squares(const mmi_device *d, mmi_floats x, size_t n, mmi_doubles out)
{
	*out.at = d->vec->sum_squares(x.at, n);
}

static void total(const mmi_device *d, mmi_doubles parts, uint32_t count, uint32_t n, mmi_doubles out)
{
	(void)d;
	for (uint32_t i = 0; i < n; i++)
		out.at[i] = 0;
	for (uint32_t c = 0; c < count; c++)
		for (uint32_t i = 0; i < n; i++)
			out.at[i] += parts.at[(size_t)c * n + i];
}

static void add(const mmi_device *d, mmi_floats x, mmi_floats y, size_t n)
{
	d->vec->add(x.at, y.at, n);
}

static void exchange(const mmi_device *d, mmi_floats a, mmi_floats b, size_t n)
{
	(void)d;
	for (size_t i = 0; i < n; i++) {
		const float kept = a.at[i];
		a.at[i] = b.at[i];
		b.at[i] = kept;
	}
}

static void simplex(const mmi_device *d, mmi_floats x, size_t runs, size_t n)
{
	(void)d;
	for (size_t i = 0; i < runs; i++)
		mmi_simplex_project(x.at + i * n, (int64_t)n);
}

const mmi_row_ops mmi_host_rows = {
	.draw = mmi_host_draw,
	.place = mmi_host_place,
	.mix = mmi_host_mix,
	.choose = mmi_host_choose,
	.pick = pick,
	.sums = sums,
	.sum_squares = sum_squares,
	.total = total,
	.add = add,
	.exchange = exchange,
	.simplex = simplex,
	.chain_start = mmi_host_chain_start,
	.chain_move = mmi_host_chain_move,
	.chain_end = mmi_host_chain_end,
	.seeds = mmi_host_seeds,
	.swap_factors = mmi_host_swap_factors,
	.contrast = mmi_host_contrast,
	.rank = mmi_host_rank,
	.weights = mmi_host_weights,
	.prior = mmi_host_prior,
	.guard = mmi_host_guard,
	.gap = mmi_host_gap,
	.norm = mmi_host_norm,
	.adam = mmi_host_adam,
	.check = mmi_host_check,
	.spectral = mmi_host_spectral,
	.spectral_grad = mmi_host_spectral_grad,
};
