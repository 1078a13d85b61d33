/* elementwise.cu - operations on each element alone, as small programs, and copies of runs. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"
#include <mmcore/host.h>

static __device__ float map_act(int32_t act, float a, float v)
{
	switch (act) {
	case MM_ACT_RELU:
		return v < 0.f ? 0.f : v; /* NaN stays NaN */
	case MM_ACT_LEAKY_RELU:
		return v > 0.f ? v : a * v;
	case MM_ACT_TANH:
		return tanhf(v);
	case MM_ACT_SIGMOID: {
		const float e = expf(-fabsf(v));
		return (v < 0.f ? e : 1.f) / (1.f + e);
	}
	case MM_ACT_SOFTPLUS:
		return (v < 0.f ? 0.f : v) + log1pf(expf(-fabsf(v)));
	case MM_ACT_EXP:
		return expf(v);
	default:
		return v;
	}
}

/* The activation's derivative in terms of its output y. */
static __device__ float map_slope(int32_t act, float a, float y)
{
	switch (act) {
	case MM_ACT_RELU:
		return y > 0.f ? 1.f : 0.f;
	case MM_ACT_LEAKY_RELU:
		return y > 0.f ? 1.f : a;
	case MM_ACT_TANH:
		return 1.f - y * y;
	case MM_ACT_SIGMOID:
		return y * (1.f - y);
	case MM_ACT_SOFTPLUS:
		return -expm1f(-y);
	case MM_ACT_EXP:
		return y;
	default:
		return 1.f;
	}
}

static __device__ float map_step(const mmi_map_step *s, float v, float x)
{
	switch (s->code) {
	case MMI_MAP_LOAD:
		return x;
	case MMI_MAP_ADD:
		return s->a * v + s->b * x;
	case MMI_MAP_MUL:
		return v * x;
	case MMI_MAP_DIV:
		return v / x;
	case MMI_MAP_AFFINE:
		return s->a * v + s->b;
	case MMI_MAP_SQUARE:
		return v * v;
	case MMI_MAP_ABS:
		return fabsf(v);
	case MMI_MAP_SIGN:
		return (float)((v > 0.f) - (v < 0.f));
	case MMI_MAP_LOG:
		return logf(v);
	case MMI_MAP_EXP:
		return expf(v);
	case MMI_MAP_CLAMP:
		return v < s->a ? s->a : v > s->b ? s->b : v;
	case MMI_MAP_WITHIN:
		return x >= s->a && x <= s->b ? v : 0.f;
	case MMI_MAP_ACT:
		return map_act(s->act, s->a, v);
	default:
		return v * map_slope(s->act, s->a, x);
	}
}

static __device__ float map_operand(const mmi_map_args *a, int32_t k, int64_t i)
{
	const mmi_map_index at = a->index[k];
	if (at.divide != 1 || at.inner != 1)
		i = i / at.divide * at.inner + (at.inner > 1 ? i % at.inner : 0);
	return load_element(a->in[k], a->narrow >> k & 1u, i);
}

static __global__ void map(const mmi_map_args a)
{
	for (int64_t i = global_thread(); i < a.n; i += global_threads()) {
		float v = 0.f;
		for (int32_t s = 0; s < a.n_steps; s++) {
			const mmi_map_step *step = &a.step[s];
			v = map_step(step, v, step->operand < 0 ? 0.f : map_operand(&a, step->operand, i));
		}
		store_element(a.out, a.narrow >> MMI_MAP_INPUTS & 1u, i, v);
	}
}
MMI_KERNEL(map, mmi_map_args, MMI_MAP_INPUTS + 1);

static __global__ void runs(const mmi_runs_args a)
{
	for (int64_t i = global_thread(); i < a.runs * a.run; i += global_threads()) {
		const int64_t r = i / a.run, k = i % a.run;
		const int64_t from = r % a.from_runs * a.from_stride + a.from_begin + k;
		store_element(a.to, a.narrow & 2u, r * a.to_stride + a.to_begin + k, load_element(a.from, a.narrow & 1u, from));
	}
}
MMI_KERNEL(runs, mmi_runs_args, 2);

static __global__ void exchange(const mmi_exchange_args a)
{
	for (int64_t i = global_thread(); i < a.n; i += global_threads()) {
		const float kept = a.a[i];
		a.a[i] = a.b[i];
		a.b[i] = kept;
	}
}
MMI_KERNEL(exchange, mmi_exchange_args, 2);
