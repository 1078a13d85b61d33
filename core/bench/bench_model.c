/* bench_model.c - views as a plugin would bring them, built in: nothing is loaded, nothing is read. */
#include "mmi_build.h"

#include "bench/bench_model.h"

#include "engine/streams.h"
#include "plugin/loader.h"

#include <math.h>
#include <stdio.h>

struct mm_instance {
	bool decoder, features; /* of the measured size */
	int32_t side;
};

static mm_tensor convolve(mm_graph *g, mm_tensor x, const char *name, int32_t channels)
{
	const mm_conv c = { .struct_size = MM_SIZE_THROUGH(mm_conv, init),
		                .out_channels = channels,
		                .kernel_h = 3,
		                .kernel_w = 3,
		                .stride_h = 1,
		                .stride_w = 1,
		                .pad_h = 1,
		                .pad_w = 1,
		                .bias = 1 };
	return mmi_graph_ops.conv2d(g, x, name, &c);
}

/* Twice as large. */
static mm_tensor enlarge(mm_graph *g, mm_tensor x, const char *name, int32_t channels)
{
	const mm_conv c = { .struct_size = MM_SIZE_THROUGH(mm_conv, init),
		                .out_channels = channels,
		                .kernel_h = 4,
		                .kernel_w = 4,
		                .stride_h = 2,
		                .stride_w = 2,
		                .pad_h = 1,
		                .pad_w = 1,
		                .bias = 1 };
	return mmi_graph_ops.conv2d_transposed(g, x, name, &c);
}

static mm_tensor linear(mm_graph *g, mm_tensor x, const char *name, int32_t features)
{
	return mmi_graph_ops.linear(g, x, name, features, 1, MM_INIT_DEFAULT);
}

static mm_tensor relu(mm_graph *g, mm_tensor x)
{
	return mmi_graph_ops.activation(g, x, MM_ACT_RELU, 0);
}

static mm_status build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	(void)i;
	(void)e;
	io->z_loc = linear(g, io->x, "loc", io->latent_dim);
	io->z_raw = linear(g, io->x, "raw", io->latent_dim);
	return MM_OK;
}

static mm_status build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const int32_t side = i->side, quarter = side / 4;
	const mm_shape map = mmi_shape(3, quarter, quarter, 128), picture = mmi_shape(3, side, side, 3);
	(void)e;
	if (!i->decoder) {
		io->out = mmi_graph_ops.reshape(g, linear(g, io->z, "out", 3 * side * side), &picture);
		return MM_OK;
	}
	mm_tensor h = mmi_graph_ops.reshape(g, relu(g, linear(g, io->z, "hidden", quarter * quarter * 128)), &map);
	h = relu(g, enlarge(g, h, "conv1", 64));
	h = relu(g, enlarge(g, h, "conv2", 32));
	io->out = convolve(g, h, "conv3", 3);
	return MM_OK;
}

static mm_status build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)e;
	io->features = i->features ? convolve(g, io->x, "features", 64) : linear(g, io->x, "features", 1);
	return MM_OK;
}

/* Read and never called: what it lacks belongs to data and settings. */
static const mm_modality_desc view_desc = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	.id = "bench",
	.default_name = "view",
	.build_encoder = build_encoder,
	.build_decoder = build_decoder,
	.build_features = build_features,
};
static char view_path[] = "built in";
static const mmi_plugin view_plugin = { .path = view_path, .entry = { .id = "bench" } };

static mm_modality_info view_info(int32_t side)
{
	return (mm_modality_info){
		.struct_size = MM_SIZE_THROUGH(mm_modality_info, n_classes),
		.shape = mmi_shape(3, side, side, 3),
		.support = MM_SUPPORT_BOX,
		.lo = -1,
		.hi = 1,
		.likelihood = MM_LIKELIHOOD_GAUSSIAN,
		.likelihood_scale = 0.70710678f,
		.likelihood_weight = 1,
	};
}

static size_t pixels_of(const mmi_bench_model *m)
{
	return 3 * (size_t)m->extent.side * m->extent.side;
}

static mm_status name_views(mmi_bench_model *m, mmi_bench_size size, mm_error *e)
{
	m->instance = mmi_alloc(1, sizeof *m->instance);
	if (!m->instance)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a view");
	*m->instance = (struct mm_instance){ .decoder = size == MMI_BENCH_DECODERS,
		                                 .features = size == MMI_BENCH_TRUNK,
		                                 .side = (int32_t)m->extent.side };
	for (uint32_t i = 0; i < m->extent.views; i++) {
		m->views[i] = (mmi_modality){ .plugin = &view_plugin,
			                          .desc = &view_desc,
			                          .instance = m->instance,
			                          .info = view_info((int32_t)m->extent.side),
			                          .count = (int64_t)pixels_of(m),
			                          .x_scale = 1 };
		snprintf(m->views[i].name, sizeof m->views[i].name, "view%u", i);
	}
	return MM_OK;
}

static mm_status fill_rows(mmi_bench_model *m, const mmi_vec *vec, mm_error *e)
{
	const size_t pixels = m->extent.batch * pixels_of(m),
				 latents = (size_t)m->extent.views * m->extent.batch * MMI_BENCH_LATENT;
	m->z.z = mmi_alloc(latents, sizeof *m->z.z);
	for (uint32_t i = 0; i < m->extent.views; i++) {
		m->x[i] = mmi_alloc(pixels, sizeof *m->x[i]);
		if (!m->x[i] || !m->z.z)
			return mmi_fail(e, MM_ENOMEM, "out of memory for a batch");
		vec->uniform(m->x[i], pixels, (mmi_rng){ .key = mmi_rng_key(1, MMI_STREAM_BENCH_X), .sample = i });
		for (size_t k = 0; k < pixels; k++)
			m->x[i][k] = 2 * m->x[i][k] - 1;
	}
	vec->normal(m->z.z, latents, (mmi_rng){ .key = mmi_rng_key(1, MMI_STREAM_BENCH_Z) });
	return MM_OK;
}

mm_status mmi_bench_model_create(const mmi_bench_request *r, mmi_bench_size size, const mmi_bench_extent *extent,
                                 mmi_bench_model *m, mm_error *e)
{
	const mmi_model_config config = { .latent_dim = MMI_BENCH_LATENT,
		                              .nef = 64,
		                              .blocks = 4,
		                              .shortcut_kernel = 3,
		                              .pool = MMI_POOL_MEAN,
		                              .head = MMI_HEAD_LINEAR,
		                              .seed = 1 };
	const mmi_sampler_config sampling = { .chunk = mmi_chunk_for(extent->batch, r->chunk),
		                                  .max_rows = extent->views * extent->batch,
		                                  .seed = 1,
		                                  .nets = MMI_NET_ALL };
	*m = (mmi_bench_model){ .extent = *extent };
	MMI_TRY(name_views(m, size, e));
	MMI_TRY(fill_rows(m, r->device->vec, e));
	MMI_TRY(mmi_model_create(r->device, m->views, extent->views, &config, &m->model, e));
	MMI_TRY(mmi_pool_create(extent->threads, &m->pool, e));
	return mmi_sampler_create(m->model, m->pool, &sampling, &m->sampler, e);
}

void mmi_bench_model_clear(mmi_bench_model *m)
{
	mmi_sampler_destroy(m->sampler);
	mmi_model_destroy(m->model);
	mmi_pool_destroy(m->pool);
	for (uint32_t i = 0; i < m->extent.views; i++)
		mmi_free(m->x[i]);
	mmi_latents_clear(&m->z);
	mmi_free(m->instance);
	*m = (mmi_bench_model){ .model = NULL };
}

/* ------------------------------------------------------------ the Langevin steps */

mm_status mmi_bench_posterior_steps(void *model, mm_error *e)
{
	mmi_bench_model *m = model;
	mmi_chain_stats stats;
	const mmi_posterior_args args = { .steps = m->extent.steps, .step = 0.1, .noise = 0.1, .grad_scale = 1 };
	mmi_sampler_posterior(m->sampler, &args, (const float *const *)m->x, mmi_whole(m->extent.batch), m->extent.views,
	                      &m->z, NULL, &stats);
	return isfinite(stats.energy) ? MM_OK : mmi_fail(e, MM_ENUMERIC, "the posterior chain's energy is not finite");
}

mm_status mmi_bench_energy_steps(void *model, mm_error *e)
{
	mmi_bench_model *m = model;
	mmi_chain_stats stats;
	const mmi_revise_args args = { .steps = m->extent.steps, .step = 0.1, .noise = 0.001, .clamp = true };
	mmi_sampler_revise(m->sampler, &args, m->x, NULL, mmi_whole(m->extent.batch), &stats);
	return isfinite(stats.energy) ? MM_OK : mmi_fail(e, MM_ENUMERIC, "the data chain's energy is not finite");
}

double mmi_bench_model_flops(const mmi_bench_model *m, mmi_bench_size size)
{
	const bool posterior = size == MMI_BENCH_DECODERS;
	const uint32_t rows = posterior ? m->extent.views * m->extent.batch : m->extent.batch;
	const mmi_sampler_part part = posterior ? MMI_SAMPLER_POSTERIOR : MMI_SAMPLER_REVISE;
	const mmi_program *p = mmi_sampler_program(m->sampler, part);
	return mmi_program_info(p).flops * rows / mmi_sampler_program_rows(m->sampler, part) * m->extent.steps;
}
