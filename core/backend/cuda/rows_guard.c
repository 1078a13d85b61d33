/* rows_guard.c - what stops an update, norms of gradients, sums of few parts. */
#include "mmi_build.h"

#include "backend/cuda/rows.h"

extern const mmi_cuda_kernel mmi_kernel_total, mmi_kernel_prior, mmi_kernel_guard, mmi_kernel_gap,
	mmi_kernel_gradient_norm;

_Static_assert(MMI_GAPS <= MMI_BLOCK, "a thread an entry of the ring");

static const mmi_grid one = { .x = 1 };

void mmi_cuda_total(const mmi_device *d, mmi_doubles parts, uint32_t count, uint32_t n, mmi_doubles out)
{
	const mmi_total_args args = { parts.at, out.at, count, n };
	mmi_cuda_launch(d, &mmi_kernel_total, one, &args);
}

void mmi_cuda_prior(const mmi_device *d, const mmi_prior_sums *a)
{
	const mmi_prior_args args = { .x = a->x.at,
		                          .sums = a->sums.at,
		                          .count = (int64_t)a->count,
		                          .offset = (double)a->count * (a->laplace ? 0.69314718055994531 : 0.91893853320467274),
		                          .laplace = a->laplace };
	mmi_cuda_launch(d, &mmi_kernel_prior, (mmi_grid){ .x = a->chunks }, &args);
}

void mmi_cuda_guard(const mmi_device *d, const mmi_guard *a)
{
	const mmi_guard_args args = { .word = a->word.at,
		                          .broken = a->broken.at,
		                          .x = a->x.at,
		                          .blame = a->blame.at,
		                          .mark = a->mark,
		                          .n = a->n,
		                          .n_blame = a->n_blame };
	mmi_cuda_launch(d, &mmi_kernel_guard, one, &args);
}

void mmi_cuda_gap(const mmi_device *d, const mmi_gap *a)
{
	const mmi_gap_args args = { .word = a->word.at,
		                        .data = a->data.at,
		                        .revised = a->revised.at,
		                        .ring = a->ring.at,
		                        .told = a->told.at,
		                        .of_data = a->of_data,
		                        .of_revised = a->of_revised,
		                        .limit = a->limit,
		                        .written = a->written,
		                        .size = MMI_GAPS,
		                        .mark = a->mark };
	mmi_cuda_launch(d, &mmi_kernel_gap, one, &args);
}

void mmi_cuda_norm(const mmi_device *d, const mmi_norm *a)
{
	const mmi_norm_args args = { a->squares.at, a->norm.at, a->scale.at, a->clip, a->n };
	mmi_cuda_launch(d, &mmi_kernel_gradient_norm, one, &args);
}
