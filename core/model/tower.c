/* tower.c - the layers of towers. */
#include "mmi_build.h"

#include "model/tower.h"

#include <stdio.h>

enum { SIDE = 4 };

static mm_tensor relu(mmi_graph *g, mm_tensor x)
{
	return mmi_graph_ops.activation(g, x, MM_ACT_RELU, 0);
}

static mm_tensor linear(mmi_graph *g, mm_tensor x, const char *name, int32_t features)
{
	return mmi_graph_ops.linear(g, x, name, features, 1, MM_INIT_DEFAULT);
}

/* Pictures and maps: halved until a side is SIDE or less. */
static mm_tensor see_map(const mmi_tower_size *size, mmi_graph *g, mm_tensor x)
{
	char name[24];
	mm_conv c = { .struct_size = sizeof c,
		          .out_channels = size->channels,
		          .kernel_h = 4,
		          .kernel_w = 4,
		          .stride_h = 2,
		          .stride_w = 2,
		          .pad_h = 1,
		          .pad_w = 1,
		          .bias = 1 };
	mm_shape s = mmi_graph_ops.shape(g, x);
	for (int k = 1; s.dim[0] > SIDE && s.dim[1] > SIDE; k++, s = mmi_graph_ops.shape(g, x)) {
		snprintf(name, sizeof name, "conv%d", k);
		x = relu(g, mmi_graph_ops.conv2d(g, x, name, &c));
		c.out_channels = c.out_channels < size->most_channels ? 2 * c.out_channels : size->most_channels;
	}
	return x;
}

/* Sequences [length, features]: each place, then each with its neighbours, then their mean. */
static mm_tensor see_sequence(const mmi_tower_size *size, mmi_graph *g, mm_tensor x)
{
	const mm_shape s = mmi_graph_ops.shape(g, x), map = mmi_shape(3, 1, s.dim[0], s.dim[1]);
	const mm_conv each = { .struct_size = sizeof each,
		                   .out_channels = size->most_channels,
		                   .kernel_h = 1,
		                   .kernel_w = 1,
		                   .stride_h = 1,
		                   .stride_w = 1,
		                   .bias = 1 };
	const mm_conv near = { .struct_size = sizeof near,
		                   .out_channels = size->most_channels,
		                   .kernel_h = 1,
		                   .kernel_w = 3,
		                   .stride_h = 1,
		                   .stride_w = 1,
		                   .pad_w = 1,
		                   .bias = 1 };
	mm_tensor h = relu(g, mmi_graph_ops.conv2d(g, mmi_graph_ops.reshape(g, x, &map), "each", &each));
	return mmi_graph_ops.global_avg_pool(g, relu(g, mmi_graph_ops.conv2d(g, h, "near", &near)));
}

mm_tensor mmi_tower_record(const mmi_tower_size *size, mmi_graph *g, mm_tensor x)
{
	const uint32_t rank = mmi_graph_ops.shape(g, x).rank;
	mm_tensor h = rank == 3 ? see_map(size, g, x) : rank == 2 ? see_sequence(size, g, x) : x;
	const mm_shape s = mmi_graph_ops.shape(g, h), flat = mmi_shape(1, (int)mmi_shape_count(&s));
	h = relu(g, linear(g, mmi_graph_ops.reshape(g, h, &flat), "hidden", size->hidden));
	return linear(g, h, "embedding", size->embedding);
}
