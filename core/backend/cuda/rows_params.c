/* rows_params.c - updates of parameters and spectral norms. */
#include "mmi_build.h"

#include "backend/cuda/rows.h"

#include <math.h>

extern const mmi_cuda_kernel mmi_kernel_adam, mmi_kernel_check, mmi_kernel_times, mmi_kernel_normalise,
	mmi_kernel_divide, mmi_kernel_spectral_grad, mmi_kernel_columns, mmi_kernel_columns_end;

void mmi_cuda_adam(const mmi_device *d, const mmi_adam_rows *a)
{
	const mmi_adam_args args = { .raw = a->raw.at,
		                         .m = a->m.at,
		                         .v = a->v.at,
		                         .ema = a->ema.at,
		                         .v_max = a->v_max.at,
		                         .grad = a->grad.at,
		                         .scale = a->scale.at,
		                         .guard = a->guard.at,
		                         .broken = a->broken.at,
		                         .n = (int64_t)a->n,
		                         .beta1 = a->adam.beta1,
		                         .beta2 = a->adam.beta2,
		                         .eps = a->adam.eps,
		                         .weight_decay = a->adam.weight_decay,
		                         .step = a->adam.rate / a->adam.correction1,
		                         .root = 1.0f / sqrtf(a->adam.correction2),
		                         .grad_scale = a->adam.grad_scale,
		                         .keep = a->keep };
	mmi_cuda_launch(d, &mmi_kernel_adam, (mmi_grid){ .x = mmi_cuda_blocks(args.n) }, &args);
}

void mmi_cuda_finite(const mmi_device *d, mmi_floats x, size_t n, mmi_words broken)
{
	const mmi_check_args args = { x.at, broken.at, (int64_t)n };
	mmi_cuda_launch(d, &mmi_kernel_check, (mmi_grid){ .x = mmi_cuda_blocks(args.n) }, &args);
}

/* ------------------------------------------------------------ spectral norm */

/* out = W u, W [rows, columns] */
static void times(const mmi_device *d, const mmi_spectral *a, const float *u, float *out)
{
	const mmi_times_args args = { a->raw.at, u, out, (int64_t)a->rows, (int64_t)a->columns };
	mmi_cuda_launch(d, &mmi_kernel_times, (mmi_grid){ .x = (args.rows + MMI_WARPS - 1) / MMI_WARPS }, &args);
}

/* u = W^T v; the sums of segments lie behind the two that normalise needs. */
static void times_transposed(const mmi_device *d, const mmi_spectral *a, double *partial)
{
	const int64_t rows = (int64_t)a->rows, columns = (int64_t)a->columns, per_segment = 256;
	const mmi_columns_args part = { a->raw.at, a->v.at, partial, rows, columns, per_segment, 0 };
	const mmi_columns_end_args end = { partial, a->u.at, (rows + per_segment - 1) / per_segment, columns, 0, 1 };
	mmi_cuda_launch(d, &mmi_kernel_columns, (mmi_grid){ .x = (columns + MMI_WARP - 1) / MMI_WARP, .y = end.segments },
	                &part);
	mmi_cuda_launch(d, &mmi_kernel_columns_end, (mmi_grid){ .x = (columns + MMI_BLOCK - 1) / MMI_BLOCK }, &end);
}

static void normalise(const mmi_device *d, float *x, size_t n, double *square)
{
	const mmi_normalise_args args = { square, x, (int64_t)n };
	mmi_cuda_sums(d, &(mmi_cuda_sum){ .x = x, .n = n, .sum_squares = square });
	mmi_cuda_launch(d, &mmi_kernel_normalise, (mmi_grid){ .x = mmi_cuda_blocks(args.n) }, &args);
}

/* Row operations share the room for partial sums, so what outlives one lies in memory of its own. */
void mmi_cuda_spectral(const mmi_device *d, const mmi_spectral *a, int iterations)
{
	double *number = mmi_cuda_of(d)->number;
	const int64_t segments = ((int64_t)a->rows + 255) / 256;
	for (int i = 0; i < iterations; i++) {
		times(d, a, a->u.at, a->v.at);
		normalise(d, a->v.at, a->rows, number);
		times_transposed(d, a, mmi_cuda_partials(d, (size_t)segments * a->columns));
		normalise(d, a->u.at, a->columns, number);
	}
	/* W u takes the value's place until that is made. */
	times(d, a, a->u.at, a->value.at);
	mmi_cuda_sums(d, &(mmi_cuda_sum){ .x = a->value.at, .factor = a->v.at, .n = a->rows, .sum = number });
	const mmi_divide_args args = { number, a->raw.at, a->sigma.at, a->value.at, (int64_t)(a->rows * a->columns) };
	mmi_cuda_launch(d, &mmi_kernel_divide, (mmi_grid){ .x = mmi_cuda_blocks(args.n) }, &args);
}

void mmi_cuda_spectral_grad(const mmi_device *d, const mmi_spectral *a, mmi_floats grad)
{
	double *number = mmi_cuda_of(d)->number;
	const mmi_spectral_args args = {
		number, a->u.at, a->v.at, a->sigma.at, grad.at, (int64_t)a->rows, (int64_t)a->columns
	};
	mmi_cuda_sums(d, &(mmi_cuda_sum){ .x = grad.at, .factor = a->value.at, .n = a->rows * a->columns, .sum = number });
	mmi_cuda_launch(d, &mmi_kernel_spectral_grad, (mmi_grid){ .x = mmi_cuda_blocks(args.rows * args.columns) }, &args);
}
