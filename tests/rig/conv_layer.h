/* conv_layer.h - the convolution that most networks of tests are made of. */
#ifndef MMI_TEST_CONV_LAYER_H
#define MMI_TEST_CONV_LAYER_H

#include <mmcore/host.h>

/* 3x3, stride 1, with padding: as many pixels as before. */
static inline mm_conv rig_conv3x3(int32_t channels, int32_t bias)
{
	return (mm_conv){ .struct_size = sizeof(mm_conv),
		              .out_channels = channels,
		              .kernel_h = 3,
		              .kernel_w = 3,
		              .stride_h = 1,
		              .stride_w = 1,
		              .pad_h = 1,
		              .pad_w = 1,
		              .bias = bias };
}

#endif
