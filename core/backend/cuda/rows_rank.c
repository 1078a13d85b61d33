/* rows_rank.c - the ranking loss. */
#include "mmi_build.h"

#include "backend/cuda/rows.h"

extern const mmi_cuda_kernel mmi_kernel_rank_count, mmi_kernel_rank_contexts, mmi_kernel_rank_logits,
	mmi_kernel_rank_lines, mmi_kernel_rank_spread, mmi_kernel_rank_round, mmi_kernel_rank_end;

void mmi_cuda_rank(const mmi_device *d, const mmi_rank *a)
{
	mmi_rank_args args = {
		.scale = a->scale.at, .room = a->room.at, .told = a->told.at, .n = a->n, .rows = a->rows, .dim = (int64_t)a->dim
	};
	const int64_t floats = args.rows * args.dim;
	for (uint32_t m = 0; m < a->n; m++) {
		args.unit[m] = a->unit[m].at;
		args.has[m] = a->has[m].at;
		args.grad[m] = a->grad[m].at;
	}
	mmi_cuda_launch(d, &mmi_kernel_rank_count, (mmi_grid){ .x = a->n }, &args);
	for (; args.m < args.n; args.m++) {
		mmi_cuda_launch(d, &mmi_kernel_rank_contexts, (mmi_grid){ .x = mmi_cuda_blocks(floats) }, &args);
		mmi_cuda_launch(d, &mmi_kernel_rank_logits, (mmi_grid){ .x = mmi_cuda_blocks(args.rows * args.rows) }, &args);
		mmi_cuda_launch(d, &mmi_kernel_rank_lines, (mmi_grid){ .x = (args.rows + MMI_WARPS - 1) / MMI_WARPS }, &args);
		mmi_cuda_launch(d, &mmi_kernel_rank_spread, (mmi_grid){ .x = mmi_cuda_blocks(floats) }, &args);
	}
	args.m = 0;
	mmi_cuda_launch(d, &mmi_kernel_rank_round, (mmi_grid){ .x = mmi_cuda_blocks(args.n * floats) }, &args);
	mmi_cuda_launch(d, &mmi_kernel_rank_end, (mmi_grid){ .x = 1 }, &args);
}
