/* layers.h - layers that networks of several plugins are made of, beyond those of <mmcore/author.h>. */
#ifndef LAYERS_H
#define LAYERS_H

#include "common.h"

/* What feeds the energy's trunk: one convolution whose map is `stride` times smaller, for large samples need that to
 * keep the trunk affordable. An even kernel for an even stride: every value is read by as many windows as its
 * neighbours. */
mm_tensor com_energy_map(const mma_net *n, mm_tensor x, int32_t channels, int32_t stride, int32_t bias);

/* MMVAE+'s networks for pictures. Names of parameters are "PREFIX.NAME". */
mm_tensor com_conv_in(const mma_net *b, mm_tensor x, const char *prefix, const char *name, int32_t channels,
                      int32_t kernel, int32_t bias); /* of stride 1, the size stays */
mm_tensor com_linear_in(const mma_net *b, mm_tensor x, const char *prefix, const char *name, int32_t features);
mm_tensor com_leaky(const mma_net *b, mm_tensor x);
/* shortcut(x) + 0.1 h, both convolutions after an activation; the shortcut is 1x1 without bias where channels change.
 * Parameters are "PREFIXresNUMBER.conv1" and so on. */
mm_tensor com_residual(const mma_net *b, mm_tensor x, const char *prefix, int32_t number, int32_t in, int32_t out);
/* The same of x upsampled by a factor. */
mm_tensor com_residual_up(const mma_net *b, mm_tensor x, int32_t factor, const char *prefix, int32_t number, int32_t in,
                          int32_t out);

#endif
