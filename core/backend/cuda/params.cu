/* params.cu - updates of parameters, and spectral norms. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

static __device__ int is_finite(float x)
{
	return fabsf(x) < INFINITY;
}

/* As vec_kernels.c: adam. Threads that find what is not finite write the same word. */
static __global__ void adam(const mmi_adam_args a)
{
	const float scale = a.scale ? *a.scale : a.grad_scale;
	if (a.guard && *a.guard)
		return;
	for (int64_t i = global_thread(); i < a.n; i += global_threads()) {
		const float grad = scale * a.grad[i] + a.weight_decay * a.raw[i];
		const float m = a.beta1 * a.m[i] + (1.f - a.beta1) * grad;
		const float v = a.beta2 * a.v[i] + (1.f - a.beta2) * (grad * grad);
		const float v_max = a.v_max ? fmaxf(a.v_max[i], v) : v;
		const float raw = a.raw[i] - a.step * m / (sqrtf(v_max) * a.root + a.eps);
		const float ema = a.ema ? a.keep * a.ema[i] + (1.f - a.keep) * raw : 0.f;
		a.m[i] = m;
		a.v[i] = v;
		if (a.v_max)
			a.v_max[i] = v_max;
		a.raw[i] = raw;
		if (a.ema)
			a.ema[i] = ema;
		if (!is_finite(raw) || !is_finite(m) || !is_finite(v) || !is_finite(ema))
			*a.broken = 1;
	}
}
MMI_KERNEL(adam, mmi_adam_args, 9);

static __global__ void check(const mmi_check_args a)
{
	for (int64_t i = global_thread(); i < a.n; i += global_threads())
		if (!is_finite(a.x[i]))
			*a.broken = 1;
}
MMI_KERNEL(check, mmi_check_args, 2);

/* ------------------------------------------------------------ spectral norm */

/* A warp a row. */
static __global__ void times(const mmi_times_args a)
{
	const int64_t row = (int64_t)blockIdx.x * MMI_WARPS + (int64_t)threadIdx.x / MMI_WARP;
	const int64_t lane = (int64_t)threadIdx.x % MMI_WARP;
	double sum = 0;
	if (row >= a.rows)
		return; /* whole warps */
	for (int64_t c = lane; c < a.columns; c += MMI_WARP)
		sum += (double)a.w[row * a.columns + c] * (double)a.u[c];
	sum = warp_sum(sum);
	if (lane == 0)
		a.out[row] = (float)sum;
}
MMI_KERNEL(times, mmi_times_args, 3);

static __global__ void normalise(const mmi_normalise_args a)
{
	const double length = sqrt(*a.square);
	const float factor = (float)(1.0 / (length > 1e-12 ? length : 1e-12));
	for (int64_t i = global_thread(); i < a.n; i += global_threads())
		a.x[i] *= factor;
}
MMI_KERNEL(normalise, mmi_normalise_args, 2);

static __global__ void divide(const mmi_divide_args a)
{
	const float sigma = (float)(*a.sum > 1e-12 ? *a.sum : 1e-12);
	for (int64_t i = global_thread(); i < a.n; i += global_threads())
		a.value[i] = a.raw[i] / sigma;
	if (global_thread() == 0)
		*a.sigma = sigma;
}
MMI_KERNEL(divide, mmi_divide_args, 4);

static __global__ void spectral_grad(const mmi_spectral_args a)
{
	const float dot = (float)*a.dot, sigma = *a.sigma;
	for (int64_t i = global_thread(); i < a.rows * a.columns; i += global_threads())
		a.grad[i] = (a.grad[i] - dot * a.v[i / a.columns] * a.u[i % a.columns]) / sigma;
}
MMI_KERNEL(spectral_grad, mmi_spectral_args, 5);
