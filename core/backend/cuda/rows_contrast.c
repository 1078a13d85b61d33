/* rows_contrast.c - the contrastive loss of two sets of rows. */
#include "mmi_build.h"

#include "backend/cuda/rows.h"

extern const mmi_cuda_kernel mmi_kernel_contrast_count, mmi_kernel_contrast_units, mmi_kernel_contrast_similarity,
	mmi_kernel_contrast_lines, mmi_kernel_contrast_weights, mmi_kernel_contrast_spread, mmi_kernel_contrast_close,
	mmi_kernel_contrast_end;

void mmi_cuda_contrast(const mmi_device *d, const mmi_contrast *a)
{
	const mmi_contrast_args args = { .x = { a->x[0].at, a->x[1].at },
		                             .has = { a->has[0].at, a->has[1].at },
		                             .grad = { a->grad[0].at, a->grad[1].at },
		                             .room = a->room.at,
		                             .told = a->told.at,
		                             .rows = a->rows,
		                             .dim = (int64_t)a->dim,
		                             .stride = (int64_t)a->stride,
		                             .temperature = a->temperature,
		                             .weight = a->weight };
	const mmi_grid one = { .x = 1 }, warps = { .x = (args.rows + MMI_WARPS - 1) / MMI_WARPS, .y = 2 },
				   pairs = { .x = mmi_cuda_blocks(args.rows * args.rows) },
				   elements = { .x = mmi_cuda_blocks(args.rows * args.dim), .y = 2 };
	mmi_cuda_launch(d, &mmi_kernel_contrast_count, one, &args);
	mmi_cuda_launch(d, &mmi_kernel_contrast_units, warps, &args);
	mmi_cuda_launch(d, &mmi_kernel_contrast_similarity, pairs, &args);
	mmi_cuda_launch(d, &mmi_kernel_contrast_lines, warps, &args);
	mmi_cuda_launch(d, &mmi_kernel_contrast_end, one, &args);
	if (!a->grad[0].at)
		return;
	mmi_cuda_launch(d, &mmi_kernel_contrast_weights, pairs, &args);
	mmi_cuda_launch(d, &mmi_kernel_contrast_spread, elements, &args);
	mmi_cuda_launch(d, &mmi_kernel_contrast_close, warps, &args);
}
