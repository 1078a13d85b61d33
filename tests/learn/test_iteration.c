/* test_iteration.c - whole iterations of the learner against PyTorch in double precision (reference/make_iteration.py).
 *
 * With the same weights, data and seed: the states of both chains after every step, losses, the gradient of every
 * tensor, and every tensor after the updates, for any chunk size and every instruction set. */
#include "mmi_build.h"

#include "learn/learner.h"
#include "learn/objectives/objective.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/cpu/isa.h"
#include "../rig/comm_rig.h"
#include "../rig/ops_reference.h"
#include "../rig/device_rig.h"

#define N_MODALITIES 3
#define BATCH 6

/* Of states, absolute; of losses, gradients and what updates change, in norm. In bfloat16 Adam's first steps, which go
 * by a gradient's sign, make of a small error a large one: on a GPU, where maps are stored so, too, the
 * run that begins with a warm-up, and computes its chains from what that has made, is allowed more. */
static const struct {
	double state, measure, gradient, update;
} tolerance =
#if defined(MMI_TEST_BF16)
	{ 8e-2, 4e-2, 1.5e-1, 3e-1 };
enum { OF_ALL = true }; /* errors are told in the norm of all of a model's tensors, or of a state */
static const mmi_isa *const isas = mmi_isas_bf16;
static const mmi_isa *isa_taken(void)
{
	return mmi_isa_get_bf16();
}
#else
	{ 1e-4, 1e-4, 1e-4, 1e-4 };
enum { OF_ALL = false }; /* each tensor and each element of a state by itself */
static const mmi_isa *const isas = mmi_isas;
static const mmi_isa *isa_taken(void)
{
	return mmi_isa_get();
}
#endif

static double allowed(const char *name, double most)
{
#if defined(MMI_TEST_CUDA) && defined(MMI_TEST_BF16)
	return strncmp(name, "warm/", 5) ? most : 3 * most;
#else
	(void)name;
	return most;
#endif
}

/* ------------------------------------------------------------ modalities: pictures and vectors */

struct mm_instance {
	mm_shape shape;
	int32_t stride; /* of a picture's feature map */
	bool logits;    /* the decoder ends without tanh */
};

static const mm_host_graph *const ops = &mmi_graph_ops;

static mm_conv convolution(int32_t channels, int32_t kernel, int32_t stride)
{
	return (mm_conv){ .struct_size = MM_SIZE_THROUGH(mm_conv, init),
		              .out_channels = channels,
		              .kernel_h = kernel,
		              .kernel_w = kernel,
		              .stride_h = stride,
		              .stride_w = stride,
		              .pad_h = 1,
		              .pad_w = 1,
		              .bias = 1 };
}

static mm_tensor linear(mm_graph *g, mm_tensor x, const char *name, int32_t features)
{
	return ops->linear(g, x, name, features, 1, MM_INIT_DEFAULT);
}

static mm_status encode_picture(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mm_conv down = convolution(6, 4, 2);
	mm_tensor h = ops->activation(g, ops->conv2d(g, io->x, "down", &down), MM_ACT_RELU, 0);

	(void)i, (void)e;
	h = linear(g, h, "head", 2 * io->latent_dim);
	io->z_loc = ops->slice(g, h, 0, 0, io->latent_dim);
	io->z_raw = ops->slice(g, h, 0, io->latent_dim, io->latent_dim);
	return MM_OK;
}

static mm_status decode_picture(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mm_conv up = convolution(i->shape.dim[2], 4, 2);
	const mm_shape half = mmi_shape(3, i->shape.dim[0] / 2, i->shape.dim[1] / 2, 6);
	mm_tensor h = linear(g, io->z, "grow", half.dim[0] * half.dim[1] * half.dim[2]);

	(void)e;
	h = ops->reshape(g, ops->activation(g, h, MM_ACT_RELU, 0), &half);
	h = ops->conv2d_transposed(g, h, "up", &up);
	io->out = i->logits ? h : ops->activation(g, h, MM_ACT_TANH, 0);
	return MM_OK;
}

static mm_status map_picture(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const mm_conv map = convolution(i->shape.dim[2] + 1, 3, i->stride);

	(void)e;
	io->features = ops->conv2d(g, io->x, "map", &map);
	return MM_OK;
}

static mm_status encode_vector(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mm_tensor h = ops->activation(g, linear(g, io->x, "hidden", 10), MM_ACT_TANH, 0);

	(void)i, (void)e;
	io->z_loc = linear(g, h, "loc", io->latent_dim);
	io->z_raw = linear(g, h, "raw", io->latent_dim);
	return MM_OK;
}

static mm_status decode_vector(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mm_tensor h = ops->activation(g, linear(g, io->z, "hidden", 10), MM_ACT_LEAKY_RELU, 0.1f);

	(void)e;
	io->out = ops->reshape(g, linear(g, h, "out", (int32_t)mmi_shape_count(&i->shape)), &i->shape);
	return MM_OK;
}

static mm_status map_vector(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)i, (void)e;
	io->features = ops->activation(g, linear(g, io->x, "map", 5), MM_ACT_TANH, 0);
	return MM_OK;
}

static const mm_modality_desc picture = { .struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	                                      .id = "picture",
	                                      .build_encoder = encode_picture,
	                                      .build_decoder = decode_picture,
	                                      .build_features = map_picture };
static const mm_modality_desc vector = { .struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	                                     .id = "vector",
	                                     .build_encoder = encode_vector,
	                                     .build_decoder = decode_vector,
	                                     .build_features = map_vector };

#define SHAPE(r, ...)                       \
	{                                       \
		.rank = (r), .dim = { __VA_ARGS__ } \
	}
#define MODALITY(n, d, number, ...)                                      \
	{                                                                    \
		.name = n, .desc = &(d), .count = (number), .info = {            \
			.struct_size = MM_SIZE_THROUGH(mm_modality_info, n_classes), \
			__VA_ARGS__                                                  \
		}

/* Pictures of one size, which share a trunk, and a vector. */
static mm_instance view_instances[N_MODALITIES] = {
	{ SHAPE(3, 8, 8, 3), 1, false },
	{ SHAPE(3, 8, 8, 1), 1, false },
	{ SHAPE(1, 6), 0, false },
};
static const mmi_modality views[N_MODALITIES] = { MODALITY("m0", picture, 192, SHAPE(3, 8, 8, 3), MM_SUPPORT_BOX, -1, 1,
	                                                       MM_LIKELIHOOD_GAUSSIAN, 0.7f, 1),
	                                              .x_scale = 1, .instance = &view_instances[0] },
						  MODALITY("m1", picture, 64, SHAPE(3, 8, 8, 1), MM_SUPPORT_BOX, -1, 1, MM_LIKELIHOOD_GAUSSIAN,
                                   0.5f, 0.6f),
						  .x_scale = 1.5, .instance = &view_instances[1]
}
, MODALITY("m2", vector, 6, SHAPE(1, 6), MM_SUPPORT_REAL, 0, 0, MM_LIKELIHOOD_LAPLACE, 0.8f, 2),
	.x_scale = 0.7, .instance = &view_instances[2]
}
,
}
;

/* Two trunks, logits and probabilities. */
static mm_instance mixed_instances[N_MODALITIES] = {
	{ SHAPE(3, 6, 6, 1), 1, true },
	{ SHAPE(3, 6, 6, 2), 2, false },
	{ SHAPE(2, 3, 5), 0, false },
};
static const mmi_modality mixed[N_MODALITIES] = { MODALITY("m0", picture, 36, SHAPE(3, 6, 6, 1), MM_SUPPORT_BOX, 0, 1,
	                                                       MM_LIKELIHOOD_BERNOULLI, 0, 1),
	                                              .x_scale = 1, .instance = &mixed_instances[0] },
						  MODALITY("m1", picture, 72, SHAPE(3, 6, 6, 2), MM_SUPPORT_BOX, -1, 1, MM_LIKELIHOOD_GAUSSIAN,
                                   0.9f, 1),
						  .x_scale = 2, .instance = &mixed_instances[1]
}
, MODALITY("m2", vector, 15, SHAPE(2, 3, 5), MM_SUPPORT_SIMPLEX, 0, 1, MM_LIKELIHOOD_CATEGORICAL, 0, 0.5f),
	.x_scale = 0.5, .instance = &mixed_instances[2]
}
,
}
;

/* ------------------------------------------------------------ a learner in the reference's state */

typedef struct run {
	const char *name, *set; /* in the reference */
	const mmi_modality *modalities;
	uint32_t iterations;
} run;

typedef struct rig {
	const run *run;
	mmi_settings settings;
	mmi_pool *pool;
	mmi_model *model;
	mmi_learner *learner;
	float *data[N_MODALITIES];
	mmi_batch batch;
} rig;

static reference ref;

static const reference_record *record(const char *format, ...) MMI_PRINTF(1, 2);
static const reference_record *record(const char *format, ...)
{
	char name[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(name, sizeof name, format, ap);
	va_end(ap);
	const reference_record *found = reference_find(&ref, "%s", name);
	if (!found)
		fail_msg("the reference has no record %s", name);
	return found;
}

static double number(const rig *r, const char *key)
{
	return record("%s/set/%s", r->run->name, key)->values[0];
}

static uint32_t count(const rig *r, const char *key)
{
	return (uint32_t)number(r, key);
}

static mmi_adam_config adam(const rig *r, const char *store)
{
	return (mmi_adam_config){
		.rate = record("%s/set/rate_%s", r->run->name, store)->values[0],
		.weight_decay = record("%s/set/weight_decay_%s", r->run->name, store)->values[0],
		.beta1 = number(r, "beta1"),
		.beta2 = number(r, "beta2"),
		.eps = number(r, "adam_eps"),
		.clip = number(r, "clip"),
	};
}

static mmi_model_config model_config(const rig *r)
{
	const char *set = r->run->set;

	return (mmi_model_config){
		.latent_dim = 4,
		.prior = (mmi_prior)record("%s/model/laplace", set)->values[0],
		.scale_head = (mmi_scale_head)record("%s/model/log_variance", set)->values[0],
		.nef = (int32_t)record("%s/model/nef", set)->values[0],
		.blocks = (int32_t)record("%s/model/blocks", set)->values[0],
		.shortcut_kernel = (int32_t)record("%s/model/shortcut_kernel", set)->values[0],
		.pool = record("%s/model/mean_pool", set)->values[0] != 0 ? MMI_POOL_MEAN : MMI_POOL_SUM,
		.head = record("%s/model/mlp", set)->values[0] != 0 ? MMI_HEAD_MLP : MMI_HEAD_LINEAR,
		.spectral_norm = record("%s/model/spectral_norm", set)->values[0] != 0,
		.seed = 1,
	};
}

static mmi_settings read_settings(const rig *r, uint32_t chunk)
{
	return (mmi_settings){
		.seed = count(r, "seed"),
		.chunk = chunk,
		.batch = BATCH,
		.iterations = count(r, "iterations"),
		.warmup = count(r, "warmup"),
		.experts_all = number(r, "experts_all") != 0,
		.expert_reduce_mean = number(r, "expert_reduce_mean") != 0,
		.elbo = &mmi_objective_mmvae,
		.draws = 1,
		.cooperative = true,
		.beta = number(r, "beta"),
		.inference_target = (mmi_inference_target)count(r, "inference_target"),
		.x_steps = count(r, "x_steps"),
		.x_step = number(r, "x_step"),
		.x_noise = number(r, "x_noise"),
		.x_drift = number(r, "x_drift"),
		.x_move_max = number(r, "x_move_max"),
		.clamp = number(r, "clamp") != 0,
		.z_steps = count(r, "z_steps"),
		.z_step = number(r, "z_step"),
		.z_noise = number(r, "z_noise"),
		.s_factor = number(r, "s_factor"),
		.i_factor = number(r, "i_factor"),
		.energy_l2 = number(r, "energy_l2"),
		.refresh_negatives = number(r, "refresh_negatives") != 0,
		.generator_updates = count(r, "generator_updates"),
		.inference_updates = count(r, "inference_updates"),
		.energy_updates = count(r, "energy_updates"),
		.generator = adam(r, "generator"),
		.inference = adam(r, "inference"),
		.energy = adam(r, "energy"),
		.schedule = (mmi_schedule)count(r, "schedule"),
		.schedule_end = number(r, "schedule_end"),
		.gap_limit = 1000,
		.snapshot_interval = 100,
		.max_rollbacks = 1,
		.grid_columns = 1,
		.model = model_config(r),
	};
}

/* As floats: the record's numbers are multiples of float32. */
static void load(const reference_record *from, size_t expected, float *to)
{
	assert_int_equal(from->count, expected);
	for (int64_t i = 0; i < from->count; i++)
		to[i] = (float)from->values[i];
}

/* All tensors, and no others, have their record, of the same shape. */
static void load_params(const rig *r, mmi_params *p)
{
	size_t records = 0;
	char prefix[64];

	snprintf(prefix, sizeof prefix, "%s/%s/", r->run->set, p->name);
	for (size_t i = 0; i < ref.n; i++)
		records += strncmp(ref.records[i].name, prefix, strlen(prefix)) == 0;
	assert_int_equal(p->n, records);
	for (size_t i = 0; i < p->n; i++) {
		const mmi_param_info *info = &p->info[i];
		const reference_record *from = record("%s%s", prefix, info->name);

		assert_int_equal(info->shape.rank, from->rank);
		for (uint32_t d = 0; d < from->rank; d++)
			assert_int_equal(info->shape.dim[d], from->dim[d]);
		load(from, info->count, (float *)p->raw_copy.host + info->offset);
		assert_int_equal(info->spectral, r->settings.model.spectral_norm && p == r->model->energy && from->rank > 1);
		if (info->spectral)
			load(record("%s/u/%s", r->run->set, info->name), info->u_count,
			     (float *)p->vectors_copy.host + info->u_offset);
	}
	mmi_params_push(p);
	mmi_params_update(p, (int)record("power")->values[0]);
}

static void setup(rig *r, const run *what, uint32_t chunk, uint32_t threads)
{
	mm_error e = MM_ERROR_INIT;

	*r = (rig){ .run = what };
	r->settings = read_settings(r, chunk);
	assert_int_equal(mmi_pool_create(threads, &r->pool, &e), MM_OK);
	assert_int_equal(
		mmi_model_create(tested_device(), what->modalities, N_MODALITIES, &r->settings.model, &r->model, &e), MM_OK);
	if (mmi_learner_create(&r->settings, r->model, r->pool, comm_alone(), &r->learner, &e) != MM_OK)
		fail_msg("%s", e.message);
	assert_int_equal(r->learner->chunk, chunk);
	load_params(r, r->model->generator);
	load_params(r, r->model->inference);
	load_params(r, r->model->energy);
	for (size_t m = 0; m < N_MODALITIES; m++) {
		const size_t floats = BATCH * (size_t)what->modalities[m].count;

		r->data[m] = mmi_alloc(floats, sizeof(float));
		assert_non_null(r->data[m]);
		load(record("%s/data/%s", what->set, what->modalities[m].name), floats, r->data[m]);
	}
	r->batch = (mmi_batch){ .size = BATCH, .x = r->data };
}

static void teardown(rig *r)
{
	mmi_learner_destroy(r->learner);
	mmi_model_destroy(r->model);
	mmi_pool_destroy(r->pool);
	for (size_t m = 0; m < N_MODALITIES; m++)
		mmi_free(r->data[m]);
}

/* ------------------------------------------------------------ comparisons */

/* The worst of a run, to be printed: how much room the tolerances leave. */
static struct {
	double state, measure, gradient, update;
} worst;

static void keep_worst(double *of, double error)
{
	*of = fmax(*of, error);
}

static void check_state(mmi_floats state, size_t n, const reference_record *want)
{
	float *got = device_floats(tested_device(), state, n);

	assert_non_null(got);
	assert_int_equal(want->count, n);
	double all = 0;
	for (size_t i = 0; i < n; i++)
		all += pow((double)got[i] - want->values[i], 2) / (double)n;
	for (size_t i = 0; i < n; i++) {
		const double error = OF_ALL ? sqrt(all) : fabs((double)got[i] - want->values[i]);

		if (!(error <= allowed(want->name, tolerance.state)))
			fail_msg("%s: element %zu is %.7g, the reference's %.7g", want->name, i, (double)got[i], want->values[i]);
		keep_worst(&worst.state, error);
	}
	mmi_free(got);
}

static void check_number(const rig *r, int64_t t, const char *name, double got, double scale)
{
	const reference_record *want = record("%s/%lld/measure/%s", r->run->name, (long long)t, name);
	const double error = fabs(got - want->values[0]) / fmax(fabs(want->values[0]), scale);

	if (!(error <= allowed(want->name, tolerance.measure)))
		fail_msg("%s is %.9g, the reference's %.9g", want->name, got, want->values[0]);
	keep_worst(&worst.measure, error);
}

/* |got - want| / |want - origin|, Euclidean, over one tensor or several. */
typedef struct relative {
	double difference2, size2;
} relative;

/* origin may be NULL. */
static void add_tensor(relative *r, const float *got, const reference_record *want, const reference_record *origin)
{
	for (int64_t i = 0; i < want->count; i++) {
		r->difference2 += pow((double)got[i] - want->values[i], 2);
		r->size2 += pow(want->values[i] - (origin ? origin->values[i] : 0), 2);
	}
}

static double relative_error(const relative *r)
{
	return r->difference2 == 0 ? 0 : sqrt(r->difference2 / r->size2);
}

static void check_gradients(const rig *r, int64_t t, const mmi_lanes *lanes)
{
	const mmi_params *p = lanes->params;
	float *gradient = device_floats(p->device, lanes->lane[0], p->count);

	assert_non_null(gradient);
	relative sum = { 0, 0 };
	for (size_t i = 0; i < p->n; i++) {
		const reference_record *want =
			record("%s/%lld/grad/%s/%s", r->run->name, (long long)t, p->name, p->info[i].name);
		add_tensor(&sum, gradient + p->info[i].offset, want, NULL);
		if (OF_ALL && i + 1 < p->n)
			continue;
		const double error = relative_error(&sum);

		sum = (relative){ 0, 0 };
		if (!(error <= allowed(want->name, tolerance.gradient) *
		                   (OF_ALL && t > 0 ? 3 : 1))) /* from parameters that differ already */
			fail_msg("%s: relative error %.3g", want->name, error);
		keep_worst(&worst.gradient, error);
	}
	mmi_free(gradient);
}

/* Relative to how far the updates moved a tensor. */
static void check_params(const rig *r, const mmi_params *p)
{
	relative sum = { 0, 0 };
	mmi_params_fetch(p);
	for (size_t i = 0; i < p->n; i++) {
		const char *tensor = p->info[i].name;
		const reference_record *want = record("%s/after/%s/%s", r->run->name, p->name, tensor);
		const reference_record *origin = record("%s/%s/%s", r->run->set, p->name, tensor);
		add_tensor(&sum, (const float *)p->raw_copy.host + p->info[i].offset, want, origin);
		if (OF_ALL && i + 1 < p->n)
			continue;
		const double error = relative_error(&sum);

		sum = (relative){ 0, 0 };
		if (!(error <= allowed(want->name, tolerance.update)))
			fail_msg("%s: relative error of the change %.3g", want->name, error);
		keep_worst(&worst.update, error);
	}
}

/* ------------------------------------------------------------ iterations */

static void iterate(rig *r, mmi_measures *m)
{
	mm_error e = MM_ERROR_INIT;

	r->batch.iteration = (uint64_t)r->learner->state.iteration;
	if (mmi_learner_iterate(r->learner, &r->batch, m, &e) != MM_OK)
		fail_msg("%s", e.message);
}

/* Chains of 0, 1, 2, ... steps, without updates and from the same state: all rows after each step. */
static void check_chains(rig *r)
{
	const mmi_settings settings = r->settings;
	const mmi_learner_state before = r->learner->state;
	const char *name = r->run->name;
	const int t = (int)before.iteration;
	const size_t latents = BATCH * 4;
	mmi_measures m;

	r->settings.generator_updates = r->settings.inference_updates = r->settings.energy_updates = 0;
	r->settings.refresh_negatives = false;
	assert_int_equal(settings.x_steps, settings.z_steps);
	for (uint32_t k = 0; k <= settings.x_steps; k++) {
		r->settings.x_steps = r->settings.z_steps = k;
		iterate(r, &m);
		r->learner->state = before;
		check_state(r->learner->z.z, r->learner->n_chains * latents, record("%s/%d/z/%u", name, t, k));
		check_state(r->learner->z_prior.z, latents, record("%s/%d/z_prior", name, t));
		for (size_t i = 0; i < N_MODALITIES; i++)
			check_state(r->learner->revised.x[i], BATCH * (size_t)r->run->modalities[i].count,
			            record("%s/%d/x/%s/%u", name, t, r->run->modalities[i].name, k));
	}
	r->settings = settings;
}

static void check_measures(const rig *r, int64_t t, const mmi_measures *m)
{
	const double energies = fabs(m->e_data) + fabs(m->e_revised); /* the gap is their difference */

	check_number(r, t, "u_start", m->u_start, 0);
	check_number(r, t, "u_end", m->u_end, 0);
	check_number(r, t, "nll_end", m->nll_end, 0);
	check_number(r, t, "loss_generator", m->loss_generator, 0);
	check_number(r, t, "loss_inference", m->loss_inference, 0);
	check_number(r, t, "e_data", m->e_data, energies);
	check_number(r, t, "e_generated", m->e_generated, energies);
	check_number(r, t, "e_revised", m->e_revised, energies);
	check_number(r, t, "gap", m->gap, energies);
	check_number(r, t, "z_drift", m->z_drift, 0);
	check_number(r, t, "z_noise", m->z_noise, 0);
	check_number(r, t, "z_move", m->z_move, 0);
	check_number(r, t, "x_drift", m->x_drift, 0);
	check_number(r, t, "x_noise", m->x_noise, 1e-6);
	check_number(r, t, "x_move", m->x_move, 0);
	check_number(r, t, "x_step", m->x_step, 0);
	check_number(r, t, "norm_generator", m->norm_generator, 0);
	check_number(r, t, "norm_inference", m->norm_inference, 0);
	check_number(r, t, "norm_energy", m->norm_energy, 0);
}

static void check_refreshed(const rig *r, int64_t t)
{
	for (size_t i = 0; i < N_MODALITIES; i++)
		check_state(r->learner->revised.x[i], BATCH * (size_t)r->run->modalities[i].count,
		            record("%s/%lld/refreshed/%s", r->run->name, (long long)t, r->run->modalities[i].name));
}

static void check_iteration(rig *r)
{
	const int64_t t = r->learner->state.iteration;
	const bool warm = (uint64_t)t < r->settings.warmup;
	mmi_measures m;

	if (!warm)
		check_chains(r);
	iterate(r, &m);
	assert_int_equal(m.warm, warm);
	check_gradients(r, t, &r->learner->generator_lanes);
	check_gradients(r, t, &r->learner->inference_lanes);
	if (warm) {
		check_number(r, t, "elbo", m.elbo, 0);
		check_number(r, t, "norm_generator", m.norm_generator, 0);
		check_number(r, t, "norm_inference", m.norm_inference, 0);
		return;
	}
	check_gradients(r, t, &r->learner->energy_lanes);
	check_measures(r, t, &m);
	if (r->settings.refresh_negatives)
		check_refreshed(r, t);
}

static void check_run(const run *what, uint32_t chunk, uint32_t threads)
{
	rig r;

	setup(&r, what, chunk, threads);
	for (uint32_t t = 0; t < what->iterations; t++)
		check_iteration(&r);
	check_params(&r, r.model->generator);
	check_params(&r, r.model->inference);
	check_params(&r, r.model->energy);
	teardown(&r);
}

static void for_any_chunk_and_processor(void **state)
{
	const run *what = *state;
	static const struct {
		uint32_t chunk, threads;
	} ways[] = { { 6, 1 }, { 3, TESTED_THREADS }, { 2, 1 }, { 1, TESTED_THREADS == 1 ? 1 : 3 } };
	const bool cuda = !tested_device()->ops->direct; /* there chunks take long, and one instruction set is as good */
	const size_t n_ways = cuda ? 2 : MMI_COUNT(ways);
	bool done = false;

	memset(&worst, 0, sizeof worst);
	for (const mmi_isa *isa = isas; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		for (size_t i = 0; i < n_ways && isa_taken() == isa && !(cuda && done); i++)
			check_run(what, ways[i].chunk, ways[i].threads);
		done = done || isa_taken() == isa;
	}
	unsetenv("MMCORE_ISA");
	printf("%s: largest errors: states %.1e, losses %.1e, gradients %.1e, updates %.1e\n", what->name, worst.state,
	       worst.measure, worst.gradient, worst.update);
}

static int open_reference(void **state)
{
	(void)state;
	return reference_open_file(&ref, "iteration.bin") ? 0 : -1;
}

static int close_reference(void **state)
{
	(void)state;
	reference_close(&ref);
	return 0;
}

#define RUN(what, ...)                                        \
	{                                                         \
		what, for_any_chunk_and_processor, NULL, NULL, &(run) \
		{                                                     \
			__VA_ARGS__                                       \
		}                                                     \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN("the listing: all experts, mean gradients, mixture target, spectral norm", "paper", "views", views, 2),
		RUN("warm-up on the mixture's ELBO, then the chains", "warm", "views", views, 2),
		RUN("one expert, laplace, refreshed negatives, bounded movement, clipping and decay", "single", "plain", views,
		    1),
		RUN("measured step, probabilities, logits, two trunks, several updates, cosine schedule", "mixed", "mixed",
		    mixed, 2),
		RUN("warm-up with logits and probabilities under spectral norm", "start", "start", mixed, 2),
	};

	return cmocka_run_group_tests_name("whole iterations against PyTorch", tests, open_reference, close_reference);
}
