/* linear_rig.c - linear modalities. */
#include "mmi_build.h"

#include "linear_rig.h"
#include "device_rig.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

const float linear_sigmas[LINEAR] = { 0.5f, 0.8f, 0.6f }, linear_weights[LINEAR] = { 1, 2, 0.5f };

static const mm_host_graph *const ops = &mmi_graph_ops;

static mm_tensor linear(mm_graph *g, mm_tensor x, const char *name, int32_t features)
{
	return ops->linear(g, x, name, features, 1, MM_INIT_DEFAULT);
}

static mm_status encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	(void)i, (void)e;
	io->z_loc = linear(g, io->x, "z_loc", io->latent_dim);
	io->z_raw = linear(g, io->x, "z_raw", io->latent_dim);
	if (io->private_dim) {
		io->w_loc = linear(g, io->x, "w_loc", io->private_dim);
		io->w_raw = linear(g, io->x, "w_raw", io->private_dim);
	}
	return MM_OK;
}

static mm_status decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mm_tensor both[] = { io->z, io->w };
	(void)i, (void)e;
	io->out = linear(g, io->w == MM_NO_TENSOR ? io->z : ops->concat(g, both, 2, 0), "out", LINEAR_WIDTH);
	return MM_OK;
}

static mm_status features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)i, (void)e;
	io->features = linear(g, io->x, "features", 4);
	return MM_OK;
}

static const mm_modality_desc desc = {
	.struct_size = sizeof desc,
	.id = "linear",
	.default_name = "linear",
	.build_encoder = encoder,
	.build_decoder = decoder,
	.build_features = features,
};

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

static void make_modality(linear_rig *r, int m)
{
	r->modality[m] = (mmi_modality){ .desc = &desc,
		                             .count = LINEAR_WIDTH,
		                             .x_scale = 1,
		                             .info = { .shape = mmi_shape(1, LINEAR_WIDTH),
		                                       .support = MM_SUPPORT_REAL,
		                                       .likelihood = MM_LIKELIHOOD_GAUSSIAN,
		                                       .likelihood_scale = linear_sigmas[m],
		                                       .likelihood_weight = linear_weights[m] } };
	snprintf(r->modality[m].name, sizeof r->modality[m].name, "m%d", m);
	r->x[m] = mmi_alloc((size_t)r->rows * LINEAR_WIDTH, sizeof *r->x[m]);
	r->observed[m] = mmi_alloc(r->rows, sizeof *r->observed[m]);
	r->missing[m] = mmi_alloc(r->rows, 1);
	assert_true(r->x[m] && r->observed[m] && r->missing[m]);
	for (uint32_t i = 0; i < r->rows * LINEAR_WIDTH; i++)
		r->x[m][i] = (float)(i % LINEAR_WIDTH) * (float)(m + 1) * 0.3f - 1;
}

void linear_open(linear_rig *r, mmi_model_config config, uint32_t rows)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_sampler_config sampler = { LINEAR_CHUNK, rows, 3, MMI_NET_ALL };
	*r = (linear_rig){ .rows = rows };
	for (int m = 0; m < LINEAR; m++)
		make_modality(r, m);
	config.nef = 4;
	config.blocks = 1;
	config.shortcut_kernel = 3;
	config.seed = 5;
	must(mmi_model_create(tested_device(), r->modality, LINEAR, &config, &r->model, &e), &e);
	must(mmi_pool_create(TESTED_THREADS, &r->pool, &e), &e);
	must(mmi_sampler_create(r->model, r->pool, &sampler, &r->sampler, &e), &e);
}

void linear_close(linear_rig *r)
{
	mmi_sampler_destroy(r->sampler);
	mmi_pool_destroy(r->pool);
	mmi_model_destroy(r->model);
	for (int m = 0; m < LINEAR; m++) {
		mmi_free(r->x[m]);
		mmi_free(r->observed[m]);
		mmi_free(r->missing[m]);
	}
}

void linear_observe(linear_rig *r, uint32_t subset)
{
	for (uint32_t m = 0; m < LINEAR; m++)
		for (uint32_t i = 0; i < r->rows; i++) {
			r->observed[m][i] = subset >> m & 1 ? 1.0f : 0.0f;
			r->missing[m][i] = !(subset >> m & 1);
		}
}

const float *linear_parameter(const mmi_params *p, const char *format, ...)
{
	char name[96];
	va_list ap;
	va_start(ap, format);
	vsnprintf(name, sizeof name, format, ap);
	va_end(ap);
	for (uint32_t i = 0; i < p->n; i++)
		if (!strcmp(p->info[i].name, name))
			return mmi_params_value(p, i).at;
	fail_msg("%s lacks %s", p->name, name);
	return NULL;
}
