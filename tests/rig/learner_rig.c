/* learner_rig.c - a small learner on made-up data. */
#include "mmi_build.h"

#include "learner_rig.h"

#include "engine/vec.h"
#include "device_rig.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---------------------------------------------------------------- modalities */

struct mm_instance {
	int kind;
};

static const mm_host_graph *const ops = &mmi_graph_ops;

enum { SIDE = 8, CHANNELS = 2, WORDS = 5, VOCABULARY = 4, SENSORS = 6, HIDDEN = 24 };

static mm_tensor relu(mm_graph *g, mm_tensor x)
{
	return ops->activation(g, x, MM_ACT_RELU, 0);
}

static mm_tensor conv(mm_graph *g, mm_tensor x, const char *name, int32_t out, int32_t stride, bool transposed)
{
	mm_conv c = { .struct_size = sizeof c,
		          .out_channels = out,
		          .kernel_h = 4,
		          .kernel_w = 4,
		          .stride_h = stride,
		          .stride_w = stride,
		          .pad_h = 1,
		          .pad_w = 1,
		          .bias = 1 };
	if (stride == 1)
		c.kernel_h = c.kernel_w = 3;
	return transposed ? ops->conv2d_transposed(g, x, name, &c) : ops->conv2d(g, x, name, &c);
}

static mm_status build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	mm_tensor h = io->x;
	(void)e;
	if (i->kind == RIG_PICTURE)
		h = relu(g, conv(g, h, "conv", 8, 2, false));
	h = relu(g, ops->linear(g, h, "hidden", HIDDEN, 1, MM_INIT_DEFAULT));
	io->z_loc = ops->linear(g, h, "loc", io->latent_dim, 1, MM_INIT_DEFAULT);
	io->z_raw = ops->linear(g, h, "raw", io->latent_dim, 1, MM_INIT_DEFAULT);
	if (io->private_dim) {
		io->w_loc = ops->linear(g, h, "w_loc", io->private_dim, 1, MM_INIT_DEFAULT);
		io->w_raw = ops->linear(g, h, "w_raw", io->private_dim, 1, MM_INIT_DEFAULT);
	}
	return MM_OK;
}

static mm_status build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	static const mm_shape map = { 3, { SIDE / 2, SIDE / 2, 8, 0 } }, words = { 2, { WORDS, VOCABULARY, 0, 0 } };
	const mm_tensor both[] = { io->z, io->w };
	mm_tensor h = io->w == MM_NO_TENSOR ? io->z : ops->concat(g, both, 2, 0);
	h = relu(g, ops->linear(g, h, "hidden", HIDDEN, 1, MM_INIT_DEFAULT));
	(void)e;
	if (i->kind == RIG_PICTURE) {
		h = ops->reshape(g, relu(g, ops->linear(g, h, "map", SIDE * SIDE / 4 * 8, 1, MM_INIT_DEFAULT)), &map);
		io->out = ops->activation(g, conv(g, h, "out", CHANNELS, 2, true), MM_ACT_TANH, 0);
	} else if (i->kind == RIG_WORDS) {
		io->out = ops->reshape(g, ops->linear(g, h, "out", WORDS * VOCABULARY, 1, MM_INIT_DEFAULT), &words);
	} else {
		io->out = ops->linear(g, h, "out", SENSORS, 1, MM_INIT_DEFAULT);
	}
	return MM_OK;
}

static mm_status build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)e;
	io->features = i->kind == RIG_PICTURE ? conv(g, io->x, "conv", 4, 1, false)
	                                      : relu(g, ops->linear(g, io->x, "linear", 8, 1, MM_INIT_DEFAULT));
	return MM_OK;
}

static const mm_modality_desc desc = {
	.struct_size = sizeof desc,
	.id = "rig",
	.default_name = "rig",
	.build_encoder = build_encoder,
	.build_decoder = build_decoder,
	.build_features = build_features,
};

mmi_modality rig_modality(int kind)
{
	static mm_instance instances[RIG_MODALITIES] = { { RIG_PICTURE }, { RIG_WORDS }, { RIG_SENSOR } };
	static const char *const names[] = { "picture", "words", "sensor" };
	static const mm_modality_info infos[] = {
		{ .shape = { 3, { SIDE, SIDE, CHANNELS, 0 } },
		  .support = MM_SUPPORT_BOX,
		  .lo = -1,
		  .hi = 1,
		  .likelihood = MM_LIKELIHOOD_GAUSSIAN,
		  .likelihood_scale = 0.5f,
		  .likelihood_weight = 1 },
		{ .shape = { 2, { WORDS, VOCABULARY, 0, 0 } },
		  .support = MM_SUPPORT_SIMPLEX,
		  .lo = 0,
		  .hi = 1,
		  .likelihood = MM_LIKELIHOOD_CATEGORICAL,
		  .likelihood_weight = 2 },
		{ .shape = { 1, { SENSORS, 0, 0, 0 } },
		  .support = MM_SUPPORT_REAL,
		  .lo = -1e30f,
		  .hi = 1e30f,
		  .likelihood = MM_LIKELIHOOD_LAPLACE,
		  .likelihood_scale = 0.3f,
		  .likelihood_weight = 1 },
	};
	mmi_modality m = { .desc = &desc, .instance = &instances[kind], .info = infos[kind], .x_scale = 1 };
	snprintf(m.name, sizeof m.name, "%s", names[kind]);
	m.info.struct_size = sizeof m.info;
	m.count = mmi_shape_count(&m.info.shape);
	return m;
}

/* ---------------------------------------------------------------- data */

static float uniform(uint64_t iteration, uint32_t sample, uint32_t element, uint32_t what)
{
	uint32_t w[4];
	mmi_philox(mmi_rng_key(17, "rig"), (const uint32_t[4]){ element, sample, what, (uint32_t)iteration }, w);
	return (float)(w[0] >> 8) * 0x1p-24f;
}

/* Class c: a bright quadrant, one favourite word, a shifted wave. */
static void make_sample(int kind, uint64_t t, uint32_t sample, float *x)
{
	int c = (int)(4 * uniform(t, sample, 0, 99));
	if (kind == RIG_PICTURE)
		for (int y = 0; y < SIDE; y++)
			for (int k = 0; k < SIDE * CHANNELS; k++)
				x[y * SIDE * CHANNELS + k] = (2 * (y / (SIDE / 2)) + k / (SIDE / 2 * CHANNELS) == c ? 0.8f : -0.7f) +
				                             0.2f * (uniform(t, sample, (uint32_t)(y * 64 + k), 0) - 0.5f);
	for (int w = 0; kind == RIG_WORDS && w < WORDS; w++)
		for (int k = 0; k < VOCABULARY; k++)
			x[w * VOCABULARY + k] = (w + c) % VOCABULARY == k ? 0.7f : 0.1f;
	for (int k = 0; kind == RIG_SENSOR && k < SENSORS; k++)
		x[k] = (float)((k + 2 * c) % 5) * 0.5f - 1 + 0.1f * (uniform(t, sample, (uint32_t)k, 1) - 0.5f);
}

/* Sample i lacks modality i mod (M + 1); every (M + 1)-th is complete. */
static void hide(learner_rig *r, uint32_t m)
{
	size_t count = (size_t)r->modality[m].count;
	for (uint32_t i = 0; i < r->settings.batch; i++) {
		bool gone = i % (r->n_modalities + 1) == m;
		r->observed[m][i] = gone ? 0.0f : 1.0f;
		if (gone)
			memset(r->x[m] + i * count, 0, count * sizeof(float));
	}
}

const mmi_batch *rig_batch(learner_rig *r, uint64_t iteration)
{
	for (uint32_t m = 0; m < r->n_modalities; m++)
		for (uint32_t i = 0; i < r->settings.batch; i++)
			make_sample(r->modality[m].instance->kind, iteration, i, r->x[m] + i * r->modality[m].count);
	for (uint32_t m = 0; r->lacking && m < r->n_modalities; m++)
		hide(r, m);
	const mmi_span span = r->learner ? r->learner->span : mmi_whole(r->settings.batch);
	for (uint32_t m = 0; m < r->n_modalities; m++) {
		r->here[m] = r->x[m] + span.first * (size_t)r->modality[m].count;
		r->there[m] = r->observed[m] + span.first;
	}
	r->batch = (mmi_batch){ .iteration = iteration, .size = span.rows, .x = r->here };
	if (r->lacking)
		r->batch.observed = r->there;
	return &r->batch;
}

/* ---------------------------------------------------------------- life */

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

static void read_settings(learner_rig *r, const char *const *sets)
{
	static const char *const own[] = {
		"run.threads=1",     "run.chunk=4",          "run.grid_columns=4",
		"learner.batch=16",  "learner.latent_dim=6", "learner.iterations=1000",
		"learner.x_steps=4", "learner.z_steps=4",    "energy.nef=8",
		"energy.blocks=3",
	};
	mm_error e = MM_ERROR_INIT;
	must(mmi_config_create(&r->config, &e), &e);
	for (size_t i = 0; i < MMI_COUNT(own); i++)
		must(mmi_config_set(r->config, own[i], &e), &e);
	for (; sets && *sets; sets++)
		must(mmi_config_set(r->config, *sets, &e), &e);
	must(mmi_settings_read(r->config, &r->settings, &e), &e);
	must(mmi_config_check(r->config, &e), &e);
}

static void open_on(learner_rig *r, const mmi_device *device, mmi_comm comm, const char *const *sets,
                    const mmi_modality *modalities, uint32_t n)
{
	mm_error e = MM_ERROR_INIT;
	*r = (learner_rig){ .n_modalities = n, .comm = comm };
	read_settings(r, sets);
	memcpy(r->modality, modalities, n * sizeof *modalities);
	for (uint32_t m = 0; m < n; m++) {
		r->x[m] = mmi_alloc(r->settings.batch * (size_t)modalities[m].count, sizeof(float));
		r->observed[m] = mmi_alloc(r->settings.batch, sizeof(float));
		assert_true(r->x[m] && r->observed[m]);
	}
	must(mmi_pool_create(r->settings.threads, &r->pool, &e), &e);
	must(mmi_model_create(device, r->modality, n, &r->settings.model, &r->model, &e), &e);
	must(mmi_learner_create(&r->settings, r->model, r->pool, &r->comm, &r->learner, &e), &e);
	/* Tests choose and guide otherwise than the settings say. */
	must(mmi_sampler_prepare(r->learner->sampler, MMI_NET_ALL, &e), &e);
}

void rig_open_with(learner_rig *r, const char *const *sets, const mmi_modality *modalities, uint32_t n)
{
	open_on(r, cpu_device(), mmi_comm_alone(), sets, modalities, n);
}

static void open_all(learner_rig *r, const mmi_device *device, mmi_comm comm, const char *const *sets)
{
	mmi_modality all[RIG_MODALITIES];
	for (int m = 0; m < RIG_MODALITIES; m++)
		all[m] = rig_modality(m);
	open_on(r, device, comm, sets, all, RIG_MODALITIES);
}

void rig_open_on(learner_rig *r, const mmi_device *device, const char *const *sets)
{
	open_all(r, device, mmi_comm_alone(), sets);
}

void rig_open_ranked(learner_rig *r, const mmi_comm *comm, const char *const *sets)
{
	open_all(r, cpu_device(), *comm, sets);
}

void rig_open(learner_rig *r, const char *const *sets)
{
	rig_open_on(r, cpu_device(), sets);
}

void rig_close(learner_rig *r)
{
	mmi_learner_destroy(r->learner);
	mmi_model_destroy(r->model);
	mmi_pool_destroy(r->pool);
	for (uint32_t m = 0; m < r->n_modalities; m++) {
		mmi_free(r->x[m]);
		mmi_free(r->observed[m]);
	}
	mmi_config_destroy(r->config);
}

mm_status rig_iterate(learner_rig *r, mmi_measures *m, mm_error *e)
{
	return mmi_learner_iterate(r->learner, rig_batch(r, (uint64_t)r->learner->state.iteration), m, e);
}

mmi_measures rig_run(learner_rig *r, uint32_t n)
{
	mm_error e = MM_ERROR_INIT;
	mmi_measures m = { 0 };
	for (uint32_t i = 0; i < n; i++)
		must(rig_iterate(r, &m, &e), &e);
	return m;
}

/* ---------------------------------------------------------------- comparison */

static size_t item_bytes(const mmi_tensor_item *i)
{
	size_t bytes = mmi_dtype_size(i->dtype);
	for (uint32_t k = 0; k < i->rank; k++)
		bytes *= (size_t)i->dim[k];
	return bytes;
}

void rig_assert_same(learner_rig *a, learner_rig *b)
{
	mm_error e = MM_ERROR_INIT;
	mmi_tensor_item *items[2];
	char **names[2];
	size_t n[2], n_names[2];
	mmi_learner_fetch(a->learner, NULL);
	mmi_learner_fetch(b->learner, NULL);
	must(mmi_learner_items(a->learner, &items[0], &n[0], &names[0], &n_names[0], &e), &e);
	must(mmi_learner_items(b->learner, &items[1], &n[1], &names[1], &n_names[1], &e), &e);
	assert_int_equal(n[0], n[1]);
	for (size_t i = 0; i < n[0]; i++) {
		assert_string_equal(items[0][i].name, items[1][i].name);
		assert_int_equal(item_bytes(&items[0][i]), item_bytes(&items[1][i]));
		if (memcmp(items[0][i].data, items[1][i].data, item_bytes(&items[0][i])))
			fail_msg("%s differs", items[0][i].name);
	}
	mmi_learner_items_free(items[0], names[0], n_names[0]);
	mmi_learner_items_free(items[1], names[1], n_names[1]);
}

uint64_t rig_hash(const mmi_params *p)
{
	const unsigned char *bytes = (const unsigned char *)p->raw.at;
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (size_t i = 0; i < p->count * sizeof *p->raw.at; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

rig_hashes rig_hash_all(const learner_rig *r)
{
	return (rig_hashes){ rig_hash(r->model->generator), rig_hash(r->model->inference), rig_hash(r->model->energy) };
}
