/* layers.c - layers that networks of several plugins are made of. */
#include "mmi_build.h"

#include "layers.h"

#include <stdio.h>

static mm_tensor conv(const mma_net *n, mm_tensor x, const char *name, int32_t channels, mma_kernel k, int32_t bias)
{
	mm_conv c = mma_conv_of(channels, k);
	c.bias = bias;
	return n->ops->conv2d(n->g, x, name, &c);
}

mm_tensor com_energy_map(const mma_net *n, mm_tensor x, int32_t channels, int32_t stride, int32_t bias)
{
	return conv(n, x, "features", channels, mma_square(stride > 1 ? stride + 2 : 3, stride, 1), bias);
}

/* ---------------------------------------------------------------- residual networks */

mm_tensor com_conv_in(const mma_net *b, mm_tensor x, const char *prefix, const char *name, int32_t channels,
                      int32_t kernel, int32_t bias)
{
	char full[48];
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return conv(b, x, full, channels, mma_square(kernel, 1, kernel / 2), bias);
}

mm_tensor com_linear_in(const mma_net *b, mm_tensor x, const char *prefix, const char *name, int32_t features)
{
	char full[48];
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return mma_linear(b, x, full, features);
}

mm_tensor com_leaky(const mma_net *b, mm_tensor x)
{
	return b->ops->activation(b->g, x, MM_ACT_LEAKY_RELU, 0.2f);
}

static mm_tensor larger(const mma_net *b, mm_tensor x, int32_t factor)
{
	return factor > 1 ? b->ops->upsample_nearest(b->g, x, factor) : x;
}

/* Whatever looks at single cells does so before they are repeated: the same numbers for a part of the work. */
mm_tensor com_residual_up(const mma_net *b, mm_tensor x, int32_t factor, const char *prefix, int32_t number, int32_t in,
                          int32_t out)
{
	char block[32];
	snprintf(block, sizeof(block), "%sres%d", prefix, (int)number);
	mm_tensor h = com_conv_in(b, larger(b, com_leaky(b, x), factor), block, "conv1", in < out ? in : out, 3, 1);
	h = com_conv_in(b, com_leaky(b, h), block, "conv2", out, 3, 1);
	mm_tensor shortcut = in == out ? x : com_conv_in(b, x, block, "shortcut", out, 1, 0);
	return b->ops->axpby(b->g, 1.0f, larger(b, shortcut, factor), 0.1f, h);
}

mm_tensor com_residual(const mma_net *b, mm_tensor x, const char *prefix, int32_t number, int32_t in, int32_t out)
{
	return com_residual_up(b, x, 1, prefix, number, in, out);
}
