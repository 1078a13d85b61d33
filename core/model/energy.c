/* energy.c - the energy network: feature maps of one size are joined along channels and pass a residual trunk; pooled
 * trunks and vector features pass the fused head, so that modalities can disagree. With separate trunks each map keeps
 * to itself until the head.
 *
 * Block (the paper's Table 6, whose ancestors are the dual-MCMC networks): [ReLU unless first] conv3x3 ReLU conv3x3
 * [average-pool 2]; shortcut: the first block pools, then convolves; later ones convolve, then pool; identity where
 * nothing changes. No biases in the trunk.
 *
 * What this energy learns of chains is texture; whether modalities fit each other is judged in fit.c. */
#include "mmi_build.h"

#include "model/model.h"

#include <stdio.h>

static mm_tensor conv(const mmi_model *m, mmi_graph *g, mm_tensor x, const char *name, int32_t kernel)
{
	mm_conv c = { .struct_size = sizeof c,
		          .out_channels = m->config.nef,
		          .kernel_h = kernel,
		          .kernel_w = kernel,
		          .stride_h = 1,
		          .stride_w = 1,
		          .pad_h = kernel / 2,
		          .pad_w = kernel / 2,
		          .bias = m->config.trunk_bias };
	return mmi_graph_ops.conv2d(g, x, name, &c);
}

static mm_tensor pool2(mmi_graph *g, mm_tensor x)
{
	return mmi_graph_ops.avg_pool(g, x, 2, 2, 0, 1);
}

static mm_tensor relu(mmi_graph *g, mm_tensor x)
{
	return mmi_graph_ops.activation(g, x, MM_ACT_RELU, 0);
}

static mm_tensor shortcut(const mmi_model *m, mmi_graph *g, mm_tensor x, const char *name, bool first, bool down)
{
	int32_t in = mmi_graph_ops.shape(g, x).dim[2], kernel = m->config.shortcut_kernel;
	if (!down && in == m->config.nef)
		return x;
	if (down && first)
		x = pool2(g, x);
	x = conv(m, g, x, name, kernel);
	return down && !first ? pool2(g, x) : x;
}

static mm_tensor block(const mmi_model *m, mmi_graph *g, mm_tensor x, int32_t index)
{
	char conv1[24], conv2[24], across[24];
	mm_shape s = mmi_graph_ops.shape(g, x);
	bool first = index == 0, down = index < 2 && s.dim[0] >= 2 && s.dim[1] >= 2;
	snprintf(conv1, sizeof conv1, "block%d.conv1", index);
	snprintf(conv2, sizeof conv2, "block%d.conv2", index);
	snprintf(across, sizeof across, "block%d.shortcut", index);

	mm_tensor h = conv(m, g, first ? x : relu(g, x), conv1, 3);
	h = conv(m, g, relu(g, h), conv2, 3);
	if (down)
		h = pool2(g, h);
	return mmi_graph_ops.add(g, h, shortcut(m, g, x, across, first, down));
}

/* [h,w,c] -> [nef], with the parameters of the present scope. */
static mm_tensor trunk(const mmi_model *m, mmi_graph *g, mm_tensor x)
{
	for (int32_t i = 0; i < m->config.blocks; i++)
		x = block(m, g, x, i);
	x = relu(g, x);
	mm_shape s = mmi_graph_ops.shape(g, x);
	mm_shape flat = mmi_shape(2, s.dim[0] * s.dim[1], s.dim[2]);
	x = mmi_graph_ops.reshape(g, x, &flat);
	return m->config.pool == MMI_POOL_SUM ? mmi_graph_ops.sum(g, x, 0) : mmi_graph_ops.mean(g, x, 0);
}

static mm_tensor head(const mmi_model *m, mmi_graph *g, mm_tensor x)
{
	mm_shape scalar = mmi_shape(0);
	mmi_graph_scope(g, m->energy, "head");
	if (m->config.head == MMI_HEAD_MLP) {
		x = mmi_graph_ops.linear(g, x, "hidden", m->config.nef, 1, MM_INIT_DEFAULT);
		x = mmi_graph_ops.activation(g, x, MM_ACT_LEAKY_RELU, 0.2f);
	}
	return mmi_graph_ops.reshape(g, mmi_graph_ops.linear(g, x, "energy", 1, 0, MM_INIT_DEFAULT), &scalar);
}

/* Joins the maps that are as large as map i and not yet taken, and runs them through their trunk. */
static mm_tensor trunk_of_size(const mmi_model *m, mmi_graph *g, const mm_tensor *features, uint32_t i, bool *taken)
{
	mm_tensor same[MMI_MAX_MODALITIES];
	uint32_t n = 0;
	mm_shape size = mmi_graph_ops.shape(g, features[i]);
	for (uint32_t k = i; k < m->n_modalities; k++) {
		mm_shape s = mmi_graph_ops.shape(g, features[k]);
		if (s.rank != 3 || s.dim[0] != size.dim[0] || s.dim[1] != size.dim[1])
			continue;
		taken[k] = true;
		same[n++] = features[k];
	}
	mmi_graph_scope(g, m->energy, "trunk%dx%d", size.dim[0], size.dim[1]);
	return trunk(m, g, mmi_graph_ops.concat(g, same, n, 2));
}

mm_status mmi_model_energy(const mmi_model *m, mmi_graph *g, const mm_tensor *x, mm_tensor *out, mm_error *e)
{
	mm_tensor features[MMI_MAX_MODALITIES], parts[MMI_MAX_MODALITIES];
	bool taken[MMI_MAX_MODALITIES] = { false };
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->n_modalities; i++) {
		mmi_graph_scope(g, m->energy, "%s.features", m->modalities[i].name);
		MMI_TRY(mmi_modality_build_features(&m->modalities[i], g, x[i], &features[i], e));
	}
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		if (mmi_graph_ops.shape(g, features[i]).rank == 1) {
			parts[n++] = features[i];
		} else if (m->config.separate_trunks) {
			mmi_graph_scope(g, m->energy, "%s.trunk", m->modalities[i].name);
			parts[n++] = trunk(m, g, features[i]);
		} else if (!taken[i]) {
			parts[n++] = trunk_of_size(m, g, features, i, taken);
		}
	}
	*out = head(m, g, mmi_graph_ops.concat(g, parts, n, 0));
	return mmi_graph_check(g, e);
}
