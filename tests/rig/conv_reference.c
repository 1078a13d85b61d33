/* conv_reference.c - linear layers, convolutions and their gradients by plain loops in double. */
#include "mmi_build.h"

#include "conv_reference.h"

#include <math.h>
#include <stdlib.h>

static double activation(double x, int32_t act)
{
	switch (act) {
	case MM_ACT_RELU:
		return x > 0 ? x : 0;
	case MM_ACT_LEAKY_RELU:
		return x > 0 ? x : (double)0.2f * x;
	case MM_ACT_TANH:
		return tanh(x);
	case MM_ACT_SIGMOID:
		return 1 / (1 + exp(-x));
	case MM_ACT_SOFTPLUS:
		return x > 30 ? x : log1p(exp(x));
	case MM_ACT_EXP:
		return exp(x);
	default:
		return x;
	}
}

static double slope(double y, int32_t act)
{
	switch (act) {
	case MM_ACT_RELU:
		return y > 0;
	case MM_ACT_LEAKY_RELU:
		return y > 0 ? 1 : (double)0.2f;
	case MM_ACT_TANH:
		return 1 - y * y;
	case MM_ACT_SIGMOID:
		return y * (1 - y);
	case MM_ACT_SOFTPLUS:
		return 1 - exp(-y);
	case MM_ACT_EXP:
		return y;
	default:
		return 1;
	}
}

/* The three tensors of a convolution at one (output pixel, kernel element): offsets of their channel 0. */
typedef struct taps {
	size_t x, y, w;
} taps;

/* out += a b over the channels, the role of `out` given by the operation. */
static void multiply_channels(const rig *r, taps t, conv_reference *ref)
{
	const rig_case *c = &r->c;
	const bool forward = c->op == MMI_OP_CONV || c->op == MMI_OP_LINEAR;
	const bool bwd_x = c->op == MMI_OP_CONV_BWD_X || c->op == MMI_OP_LINEAR_BWD_X;
	for (size_t i = 0; i < (size_t)c->ci; i++)
		for (size_t o = 0; o < (size_t)c->co; o++) {
			const size_t x = t.x + i, y = t.y + o, w = t.w + i * (size_t)c->co + o;
			const size_t to = forward ? y : bwd_x ? x : w;
			const double a = (double)r->in[0][forward ? x
			                                  : bwd_x ? y
			                                          : x],
						 b = (double)r->in[1][forward || bwd_x ? w : y];
			ref->sum[to] += a * b;
			ref->size[to] += fabs(a * b);
		}
}

static void reference_products(const rig *r, conv_reference *ref)
{
	const rig_case *c = &r->c;
	for (int64_t n = 0; n < c->n; n++)
		for (int oy = 0; oy < r->oh; oy++)
			for (int ox = 0; ox < r->ow; ox++)
				for (int k = 0; k < r->kh * c->k; k++) {
					const int iy = oy * r->sh - r->ph + k / c->k, ix = ox * c->s - c->p + k % c->k;
					if (iy < 0 || iy >= c->h || ix < 0 || ix >= c->w)
						continue;
					const taps t = { (size_t)(((n * c->h + iy) * c->w + ix) * c->ci),
						             (size_t)(((n * r->oh + oy) * r->ow + ox) * c->co), (size_t)(k * c->ci * c->co) };
					multiply_channels(r, t, ref);
				}
}

conv_reference conv_reference_make(const rig *r)
{
	conv_reference ref = { mmi_alloc(r->out_count, sizeof(double)), mmi_alloc(r->out_count, sizeof(double)), 0 };
	if (!ref.sum || !ref.size) {
		fprintf(stderr, "conv_reference: out of memory\n");
		abort();
	}
	reference_products(r, &ref);
	for (size_t i = 0; i < r->out_count; i++) {
		const double bias = r->in[2] ? (double)r->in[2][i % r->in_count[2]] : 0;
		ref.size[i] += fabs(bias);
		ref.sum[i] = activation(ref.sum[i] + bias, r->c.act);
		ref.size[i] *= r->c.act == MM_ACT_EXP ? fabs(ref.sum[i]) : 1; /* |act'| is at most 1 for the others */
		if (r->mask) {
			ref.sum[i] *= slope((double)r->mask[i], r->c.mask_act);
			ref.size[i] *= fmax(fabs(slope((double)r->mask[i], r->c.mask_act)), 0.3); /* 1 - y * y cancels */
		}
		ref.largest = fmax(ref.largest, ref.size[i]);
	}
	return ref;
}

void conv_reference_free(conv_reference *ref)
{
	mmi_free(ref->sum);
	mmi_free(ref->size);
}
