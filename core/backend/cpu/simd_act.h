/* simd_act.h - activations and their derivatives on vectors, for the instruction set that is being compiled. */
#ifndef MMI_CPU_SIMD_ACT_H
#define MMI_CPU_SIMD_ACT_H

#include "backend/cpu/simd_map.h"
#include "backend/cpu/vec_math.h"

#define ACT_LANES(x, expression)             \
	do {                                     \
		float lanes[W];                      \
		store(lanes, x);                     \
		MMI_SIMD                             \
		for (int i = 0; i < W; i++)          \
			lanes[i] = expression(lanes[i]); \
		return load(lanes);                  \
	} while (0)

/* The costly ones out of line: they would bloat every loop that stores. */
static __attribute__((noinline)) vf vact_rare(vf x, int32_t act)
{
	switch (act) {
	case MM_ACT_TANH:
		ACT_LANES(x, vm_tanh);
	case MM_ACT_SIGMOID:
		ACT_LANES(x, vm_sigmoid);
	case MM_ACT_SOFTPLUS:
		ACT_LANES(x, vm_softplus);
	case MM_ACT_EXP:
		ACT_LANES(x, vm_exp);
	default:
		return x;
	}
}

MMI_INLINE vf vact(vf x, int32_t act, float alpha)
{
	if (act == MM_ACT_NONE)
		return x;
	if (act == MM_ACT_RELU)
		return vmax(splat(0.0f), x); /* in this order a NaN stays one, for the guards to see */
	if (act == MM_ACT_LEAKY_RELU)
		return choose((vi)(x > splat(0.0f)), x, splat(alpha) * x);
	return vact_rare(x, act);
}

static __attribute__((noinline)) vf vact_slope_rare(vf y, int32_t act)
{
	switch (act) {
	case MM_ACT_TANH:
		return splat(1.0f) - y * y;
	case MM_ACT_SIGMOID:
		return y * (splat(1.0f) - y);
	case MM_ACT_SOFTPLUS:
		ACT_LANES(y, vm_one_minus_exp);
	case MM_ACT_EXP:
		return y;
	default:
		return splat(1.0f);
	}
}

/* x times the activation's derivative, from its output y. */
MMI_INLINE vf vact_bwd(vf x, vf y, int32_t act, float alpha)
{
	vi positive = (vi)(y > splat(0.0f));
	if (act == MM_ACT_RELU)
		return (vf)((vi)x & positive);
	if (act == MM_ACT_LEAKY_RELU)
		return choose(positive, x, splat(alpha) * x);
	return x * vact_slope_rare(y, act);
}

/* Columns col..col+n-1 (n <= W) of one row: x is stored at out + at + col. */
MMI_INLINE void finish(void *out, bool narrow, int64_t at, int col, int n, vf x, vf bias, const mmi_epilogue *ep)
{
	x = vact(x + bias, ep->act, ep->act_alpha);
	if (ep->mask)
		x = vact_bwd(x, load_map_up_to(ep->narrow_mask, ep->mask, at + col, n), ep->mask_act, ep->mask_alpha);
	store_map_up_to(narrow, out, at + col, x, n);
}

MMI_INLINE vf bias_of(const mmi_epilogue *ep, int col, int n)
{
	return ep->bias ? load_up_to(ep->bias + col, n) : splat(0.0f);
}

#endif
