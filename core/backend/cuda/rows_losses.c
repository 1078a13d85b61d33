/* rows_losses.c - what losses need beside programs: seeds of their rows, factors of swapped tuples, weights of draws.
 */
#include "mmi_build.h"

#include "backend/cuda/rows.h"

extern const mmi_cuda_kernel mmi_kernel_seeds, mmi_kernel_swap_factors, mmi_kernel_weights;

void mmi_cuda_seeds(const mmi_device *d, const mmi_seeds *a)
{
	const mmi_seeds_args args = { .factor = a->factor.at,
		                          .weight_at = a->weight_at.at,
		                          .out = a->out.at,
		                          .rows = a->rows,
		                          .chunk = a->chunk,
		                          .weight_of = a->weight_of,
		                          .weight = a->weight,
		                          .l2_weight = a->l2_weight };
	mmi_cuda_launch(d, &mmi_kernel_seeds, (mmi_grid){ .x = mmi_cuda_blocks(args.rows) }, &args);
}

void mmi_cuda_swap_factors(const mmi_device *d, const mmi_swap_factors *a)
{
	const mmi_swap_args args = { .data = a->data.at,
		                         .swapped = a->swapped.at,
		                         .whole = a->whole.at,
		                         .of_data = a->of_data.at,
		                         .of_swapped = a->of_swapped.at,
		                         .told = a->told.at,
		                         .rows = a->rows,
		                         .factor = a->factor,
		                         .margin = a->margin };
	mmi_cuda_launch(d, &mmi_kernel_swap_factors, (mmi_grid){ .x = 1 }, &args);
}

void mmi_cuda_weights(const mmi_device *d, const mmi_weights *a)
{
	mmi_weights_args args = { .term = a->term.at,
		                      .share = a->share.at,
		                      .bound = a->bound.at,
		                      .n = a->n,
		                      .draws = a->draws,
		                      .rows = a->rows,
		                      .chunk = a->chunk };
	for (uint32_t i = 0; i < a->n; i++)
		args.of[i] = a->of[i].at;
	mmi_cuda_launch(d, &mmi_kernel_weights, (mmi_grid){ .x = a->rows / a->chunk }, &args);
}
