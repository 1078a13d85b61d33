/* rows_draw.c - draws, where rows of latents start, choices among them, single rows. */
#include "mmi_build.h"

#include "backend/cuda/rows.h"

extern const mmi_cuda_kernel mmi_kernel_draw, mmi_kernel_place, mmi_kernel_fuse, mmi_kernel_choose, mmi_kernel_mix,
	mmi_kernel_pick;

_Static_assert(MMI_STATES == MMI_MAX_STATES, "kernels have room for all states of a chain");

void mmi_cuda_draw(const mmi_device *d, const mmi_draw *a)
{
	const mmi_draw_args args = { .out = a->out.at,
		                         .rows = a->rows,
		                         .count = (int64_t)a->count,
		                         .key = a->rng.key,
		                         .sample = a->rng.sample,
		                         .step = a->rng.step,
		                         .iteration = a->rng.iteration,
		                         .kind = (int32_t)a->kind,
		                         .lo = a->lo,
		                         .hi = a->hi };
	mmi_cuda_launch(d, &mmi_kernel_draw, (mmi_grid){ .x = mmi_cuda_blocks(args.rows * ((args.count + 63) / 64 * 16)) },
	                &args);
}

void mmi_cuda_place(const mmi_device *d, const mmi_placing *a)
{
	mmi_place_args args = { .expert = a->expert.at,
		                    .out = a->out.at,
		                    .rows = a->rows,
		                    .dim = (int64_t)a->dim,
		                    .n = a->n,
		                    .own = a->own,
		                    .kind = (int32_t)a->kind,
		                    .single = a->single,
		                    .prior = a->prior,
		                    .temperature = a->temperature,
		                    .correlation = a->correlation };
	for (uint32_t m = 0; m < a->n; m++) {
		args.loc[m] = a->loc[m].at;
		args.scale[m] = a->scale[m].at;
		args.observed[m] = a->observed[m].at;
	}
	if (a->kind >= MMI_PLACE_HELLINGER)
		mmi_cuda_launch(d, &mmi_kernel_fuse, (mmi_grid){ .x = a->rows }, &args);
	else
		mmi_cuda_launch(d, &mmi_kernel_place, (mmi_grid){ .x = mmi_cuda_blocks(args.rows * args.dim) }, &args);
}

void mmi_cuda_mix(const mmi_device *d, const mmi_mix *a)
{
	const mmi_mix_args args = { .log_weight = a->log_weight.at,
		                        .loc = a->loc.at,
		                        .scale = a->scale.at,
		                        .out = a->out.at,
		                        .rows = a->rows,
		                        .n = a->n,
		                        .dim = (int64_t)a->dim,
		                        .key = a->rng.key,
		                        .sample = a->rng.sample,
		                        .step = a->rng.step,
		                        .iteration = a->rng.iteration,
		                        .full = a->full };
	mmi_cuda_launch(d, &mmi_kernel_mix, (mmi_grid){ .x = (args.rows + MMI_WARPS - 1) / MMI_WARPS }, &args);
}

void mmi_cuda_choose(const mmi_device *d, const mmi_choice *a)
{
	const mmi_choose_args args = { .energy = a->energy.at,
		                           .score = a->score.at,
		                           .taken = a->taken.at,
		                           .key = a->key,
		                           .rows = a->rows,
		                           .first = a->first,
		                           .candidate = a->candidate,
		                           .iteration = a->iteration,
		                           .weight = a->weight };
	mmi_cuda_launch(d, &mmi_kernel_choose, (mmi_grid){ .x = (a->rows + MMI_BLOCK - 1) / MMI_BLOCK }, &args);
}

void mmi_cuda_pick(const mmi_device *d, const mmi_pick *a)
{
	const mmi_pick_args args = { .from = a->from.at,
		                         .to_row = a->to_row.at,
		                         .from_row = a->from_row.at,
		                         .where = a->where.at,
		                         .out = a->out.at,
		                         .rows = a->rows,
		                         .count = (int64_t)a->count };
	mmi_cuda_launch(d, &mmi_kernel_pick, (mmi_grid){ .x = mmi_cuda_blocks(args.rows * args.count) }, &args);
}
