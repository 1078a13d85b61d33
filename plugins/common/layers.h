/* layers.h - layers that networks of several plugins are made of. Shapes are those of one sample; parameters have
 * PyTorch's initial values. A call that fails leaves MM_NO_TENSOR, and the host reports it after the callback: no
 * result needs a test. */
#ifndef LAYERS_H
#define LAYERS_H

#include "common.h"

/* A network being recorded. */
typedef struct com_builder {
	const mm_host_graph *ops;
	mm_graph *g;
	const mm_instance *i;
} com_builder;

/* A kernel of h x w with its strides and pads. */
typedef struct com_kernel {
	int32_t h, w, stride_h, stride_w, pad_h, pad_w;
} com_kernel;

mm_tensor com_conv_by(const com_builder *b, mm_tensor x, const char *name, int32_t channels, const com_kernel *k,
                      int32_t bias);
mm_tensor com_conv_transposed_by(const com_builder *b, mm_tensor x, const char *name, int32_t channels,
                                 const com_kernel *k);
/* The same with square kernels. */
mm_tensor com_conv(const com_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel,
                   int32_t stride, int32_t pad, int32_t bias);
mm_tensor com_conv_transposed(const com_builder *b, mm_tensor x, const char *name, int32_t channels, int32_t kernel,
                              int32_t stride, int32_t pad);
mm_tensor com_linear(const com_builder *b, mm_tensor x, const char *name, int32_t features);
mm_tensor com_relu(const com_builder *b, mm_tensor x);
mm_tensor com_flatten(const com_builder *b, mm_tensor x);
mm_tensor com_map(const com_builder *b, mm_tensor x, int32_t height, int32_t width, int32_t channels);

/* A decoder's input: [w, z], or z alone. */
mm_tensor com_latent(const com_builder *b, const mm_decoder_io *io);
/* An encoder's outputs, linear in x: z_loc and z_raw, and w_loc and w_raw where there are private latents. */
void com_experts(const com_builder *b, mm_tensor x, mm_encoder_io *io);

/* MMVAE+'s networks for pictures. Names of parameters are "PREFIX.NAME". */
mm_tensor com_conv_in(const com_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t channels,
                      int32_t kernel, int32_t bias); /* of stride 1, the size stays */
mm_tensor com_linear_in(const com_builder *b, mm_tensor x, const char *prefix, const char *name, int32_t features);
mm_tensor com_leaky(const com_builder *b, mm_tensor x);
/* shortcut(x) + 0.1 h, both convolutions after an activation; the shortcut is 1x1 without bias where channels change.
 * Parameters are "PREFIXresNUMBER.conv1" and so on. */
mm_tensor com_residual(const com_builder *b, mm_tensor x, const char *prefix, int32_t number, int32_t in, int32_t out);

#endif
