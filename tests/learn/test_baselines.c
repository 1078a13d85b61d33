/* test_baselines.c - objectives on one small case whose experts are numbers, against their definitions in PyTorch
 * (reference/make_baselines.py): losses, gradients to an expert and to what an objective learns beside the networks,
 * and what the sampler makes of several experts. To 1e-5. */
#include "mmi_build.h"

#include "../rig/device_rig.h"
#include "../rig/ops_reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/row_ops.h"
#include "learn/objectives/objective.h"
#include "learn/terms/importance.h"

enum { M = 3, Z = 2, DRAWS = 7 };

static reference values;

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

static const reference_record *find(const char *name)
{
	const reference_record *r = reference_find(&values, "%s", name);
	if (!r)
		fail_msg("the reference lacks %s", name);
	return r;
}

static void load(float *to, const char *name)
{
	const reference_record *r = find(name);
	for (int64_t i = 0; i < r->count; i++)
		to[i] = (float)r->values[i];
}

static void near(double found, double want, const char *what)
{
	if (!(fabs(found - want) <= 1e-5 * (1 + fabs(want))))
		fail_msg("%s: %.9g, expected %.9g", what, found, want);
}

/* Against the record CASE/WHAT. */
static void check(const float *found, const char *name, const char *what)
{
	char record[128];
	snprintf(record, sizeof record, "%s/%s", name, what);
	const reference_record *want = find(record);
	for (int64_t i = 0; i < want->count; i++)
		near((double)found[i], want->values[i], record);
}

/* ---------------------------------------------------------------- modalities of one number */

static const mm_host_graph *const ops = &mmi_graph_ops;

static mm_tensor linear(mm_graph *g, mm_tensor x, const char *name, int32_t features)
{
	return ops->linear(g, x, name, features, 0, MM_INIT_DEFAULT);
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
	io->out = linear(g, io->w == MM_NO_TENSOR ? io->z : ops->concat(g, both, 2, 0), "out", 1);
	return MM_OK;
}

static mm_status features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)i, (void)e;
	io->features = linear(g, io->x, "features", 2);
	return MM_OK;
}

static const mm_modality_desc desc = {
	.struct_size = sizeof desc,
	.id = "number",
	.default_name = "number",
	.build_encoder = encoder,
	.build_decoder = decoder,
	.build_features = features,
};

/* ---------------------------------------------------------------- one loss */

typedef struct given { /* numbers of the case */
	float loc[M][Z], scale[M][Z], w_loc[M], w_scale[M], x[M];
} given;

typedef struct rig {
	mmi_modality modality[M];
	mmi_model *model;
	mmi_pool *pool;
	mmi_loss loss;
	mmi_expert experts[M], held[M]; /* the same numbers, with and without a gradient */
	mm_tensor to_loc, to_scale;     /* gradients to the first expert */
	given is;
	float *grads; /* of the generator's store */
} rig;

static void make_modalities(rig *r)
{
	for (int m = 0; m < M; m++) {
		r->modality[m] = (mmi_modality){ .desc = &desc,
			                             .count = 1,
			                             .x_scale = 1,
			                             .info = { .shape = mmi_shape(1, 1),
			                                       .support = MM_SUPPORT_REAL,
			                                       .likelihood = MM_LIKELIHOOD_GAUSSIAN,
			                                       .likelihood_scale = 0.5f,
			                                       .likelihood_weight = 1 } };
		snprintf(r->modality[m].name, sizeof r->modality[m].name, "m%d", m);
	}
}

static float *parameter(mmi_params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->info[i].name, name))
			return p->raw.at + p->info[i].offset;
	fail_msg("%s lacks %s", p->name, name);
	return NULL;
}

static void set_decoders(rig *r, bool private)
{
	float a[M * Z], bw[M], auxiliary[M];
	char name[64];
	load(a, "given/a");
	load(bw, "given/bw");
	load(auxiliary, "given/auxiliary");
	for (int m = 0; m < M; m++) {
		snprintf(name, sizeof name, "m%d.decoder.out.weight", m);
		float *out = parameter(r->model->generator, name);
		memcpy(out, a + m * Z, Z * sizeof *out);
		if (!private)
			continue;
		out[Z] = bw[m];
		snprintf(name, sizeof name, "m%d.auxiliary.scale.weight", m);
		*parameter(r->model->generator, name) = (float)(log(exp((double)auxiliary[m] - 1e-6) - 1) - 0.54132485);
	}
	mmi_params_update(r->model->generator, 0);
}

static float *load_parameter(rig *r, const char *name, const char *record)
{
	float *to = parameter(r->model->generator, name);
	load(to, record);
	mmi_params_update(r->model->generator, 0);
	return r->grads + (to - r->model->generator->raw.at);
}

static void open_rig(rig *r, mmi_model_config config)
{
	mm_error e = MM_ERROR_INIT;
	*r = (rig){ .grads = NULL };
	config.latent_dim = Z;
	config.nef = 2;
	config.blocks = 1;
	config.shortcut_kernel = 3;
	config.seed = 1;
	make_modalities(r);
	must(mmi_pool_create(1, &r->pool, &e), &e);
	must(mmi_model_create(cpu_device(), r->modality, M, &config, &r->model, &e), &e);
	set_decoders(r, config.private_dim);
	load(&r->is.loc[0][0], "given/loc");
	load(&r->is.scale[0][0], "given/scale");
	load(r->is.w_loc, "given/w_loc");
	load(r->is.w_scale, "given/w_scale");
	load(r->is.x, "given/x");
	r->grads = mmi_alloc(r->model->generator->count, sizeof *r->grads);
	assert_non_null(r->grads);
}

static void close_rig(rig *r)
{
	mmi_model_destroy(r->model);
	mmi_pool_destroy(r->pool);
	mmi_free(r->grads);
}

static mm_tensor flag(mmi_graph *g, const char *name)
{
	return mmi_input(g, name, mmi_shape(0));
}

static mmi_expert expert_inputs(const rig *r)
{
	const bool private = r->model->config.private_dim;
	mmi_graph *g = r->loss.net.graph;
	return (mmi_expert){ mmi_input(g, "loc", mmi_shape(1, Z)), mmi_input(g, "scale", mmi_shape(1, Z)),
		                 private ? mmi_input(g, "w_loc", mmi_shape(1, 1)) : MMI_NONE,
		                 private ? mmi_input(g, "w_scale", mmi_shape(1, 1)) : MMI_NONE };
}

static void record_inputs(rig *r, const mmi_objective *o, bool masked)
{
	mmi_loss *l = &r->loss;
	mmi_graph *g = l->net.graph;
	l->n_x = M;
	l->n_z = o->draws(r->model);
	l->masked = masked;
	for (int m = 0; m < M; m++) {
		l->x[m] = mmi_input(g, "x", mmi_shape(1, 1));
		r->experts[m] = expert_inputs(r);
		r->held[m] = expert_inputs(r);
		l->observed[m] = flag(g, "observed");
		l->mixture.share[m] = flag(g, "share");
		l->mixture.log_share[m] = flag(g, "log_share");
		l->subset[m] = flag(g, "subset");
	}
	for (uint32_t k = 0; k < l->n_z; k++)
		l->z[k] = mmi_model_place(r->model, g);
}

static void compile(rig *r, const mmi_objective *o, bool masked, bool dreg)
{
	mm_error e = MM_ERROR_INIT;
	mmi_loss *l = &r->loss;
	*l = (mmi_loss){ .n_x = M };
	must(mmi_network_open(&l->net, &e), &e);
	record_inputs(r, o, masked);
	const mmi_elbo_io io = { r->model, l, r->experts, masked ? &l->mixture : NULL, 1.5f, dreg ? r->held : NULL };
	must(o->record(&io, &l->value, &e), &e);
	const mm_tensor wrt[] = { r->experts[0].loc, r->experts[0].scale };
	mm_tensor grads[2], outputs[256];
	mmi_params *stores[] = { r->model->generator };
	mmi_grad_request q = { .loss = l->value,
		                   .seed = mmi_const(l->net.graph, mmi_shape(0), 1),
		                   .wrt = wrt,
		                   .n_wrt = 2,
		                   .grads = grads,
		                   .stores = stores,
		                   .n_stores = 1 };
	must(mmi_graph_grad(l->net.graph, &q, &e), &e);
	outputs[0] = l->value;
	outputs[1] = r->to_loc = grads[0];
	outputs[2] = r->to_scale = grads[1];
	memcpy(outputs + 3, q.param_grads, q.n_param_grads * sizeof *outputs);
	must(mmi_network_compile(&l->net, cpu_device(), outputs, 3 + q.n_param_grads, 1, 1, &e), &e);
	mmi_free(q.param_grads);
}

static void set(mmi_program *p, mm_tensor input, const float *value)
{
	if (input != MMI_NONE && mmi_program_data(p, input).at)
		mmi_program_write(p, input, 1, value);
}

static void set_number(mmi_program *p, mm_tensor input, double value)
{
	const float x = (float)value;
	set(p, input, &x);
}

/* Draw k of expert e at place `at`. */
static void set_draws(rig *r, mmi_program *p, uint32_t at, int e, int k)
{
	char name[64];
	float z[Z], w[M];
	snprintf(name, sizeof name, "given/z/%d/%d", e, k);
	load(z, name);
	snprintf(name, sizeof name, "given/w/%d/%d", e, k);
	load(w, name);
	set(p, r->loss.z[at].z, z);
	for (int m = 0; m < M; m++)
		set_number(p, r->loss.z[at].w[m], (double)w[m]);
}

static void set_expert(const rig *r, mmi_program *p, const mmi_expert *to, int m)
{
	set(p, to->loc, r->is.loc[m]);
	set(p, to->scale, r->is.scale[m]);
	set(p, to->w_loc, &r->is.w_loc[m]);
	set(p, to->w_scale, &r->is.w_scale[m]);
}

/* n: modalities that are observed, the first ones. */
static void set_case(rig *r, mmi_program *p, int n, uint32_t subset)
{
	const mmi_loss *l = &r->loss;
	for (int m = 0; m < M; m++) {
		const bool there = m < n;
		set(p, l->x[m], &r->is.x[m]);
		set_expert(r, p, &r->experts[m], m);
		set_expert(r, p, &r->held[m], m);
		set_number(p, l->observed[m], there);
		set_number(p, l->mixture.share[m], there ? 1.0 / n : 0);
		set_number(p, l->mixture.log_share[m], there ? -log(n) : (double)MMI_LOG_OF_NOTHING);
		set_number(p, l->subset[m], subset >> m & 1);
	}
}

/* With gradients to the generator's parameters from 0 on. */
static mmi_program *begin(rig *r, int n, uint32_t subset)
{
	mmi_program *p = r->loss.net.programs[0];
	mmi_program_bind_grads(p, r->model->generator, (mmi_floats){ r->grads });
	memset(r->grads, 0, r->model->generator->count * sizeof *r->grads);
	set_case(r, p, n, subset);
	return p;
}

/* One objective with the first n modalities observed, `each` its draws of expert i for place i or of the first for all.
 * The graph for complete batches has no masks. */
static mmi_program *evaluate(rig *r, const mmi_objective *o, int n, uint32_t subset, bool each)
{
	compile(r, o, n < M, false);
	mmi_program *p = begin(r, n, subset);
	for (uint32_t i = 0; i < r->loss.n_z; i++)
		set_draws(r, p, i, each ? (int)i : 0, 0);
	mmi_program_run(p);
	return p;
}

static void check_case(rig *r, const mmi_objective *o, int n, uint32_t subset, bool each, const char *name)
{
	mmi_program *p = evaluate(r, o, n, subset, each);
	check(mmi_program_data(p, r->loss.value).at, name, "value");
	check(mmi_program_data(p, r->to_loc).at, name, "loc");
	check(mmi_program_data(p, r->to_scale).at, name, "scale");
	mmi_network_clear(&r->loss.net);
}

/* ---------------------------------------------------------------- objectives */

static void one_draw_of_the_hellinger_pool(void **state)
{
	rig r;
	(void)state;
	open_rig(&r, (mmi_model_config){ .fusion = MMI_FUSION_HELLINGER });
	check_case(&r, &mmi_objective_helvae, 3, 0, false, "helvae/full");
	check_case(&r, &mmi_objective_helvae, 2, 0, false, "helvae/part");
	close_rig(&r);
}

static void jensen_shannon_of_experts_and_prior(void **state)
{
	rig r;
	(void)state;
	open_rig(&r, (mmi_model_config){ 0 });
	check_case(&r, &mmi_objective_mmjsd, 3, 1, false, "mmjsd/full");
	check_case(&r, &mmi_objective_mmjsd, 2, 1, false, "mmjsd/part");
	close_rig(&r);
}

static void barycentres_of_subsets(void **state)
{
	rig r;
	(void)state;
	open_rig(&r, (mmi_model_config){ 0 });
	check_case(&r, &mmi_objective_mwbvae, 3, 3, false, "mwbvae/full");
	check_case(&r, &mmi_objective_mwbvae, 2, 3, false, "mwbvae/part");
	check_case(&r, &mmi_objective_mwbvae, 3, 7, false, "mwbvae/all");
	close_rig(&r);
	open_rig(&r, (mmi_model_config){ .prior = MMI_PRIOR_LAPLACE });
	check_case(&r, &mmi_objective_mwbvae, 3, 7, false, "mwbvae/laplace");
	close_rig(&r);
}

static void consensus_of_all_subsets_with_learned_weights(void **state)
{
	static const char *const weights[] = { "equal", "rising" };
	const mmi_model_config config = { .subset_weights = true, .correlation = 0.4 };
	char name[64];
	rig r;
	(void)state;
	for (int w = 0; w < 2; w++)
		for (int n = 2; n <= M; n++) {
			open_rig(&r, config);
			snprintf(name, sizeof name, "codevae/%s/u", weights[w]);
			const float *logits = load_parameter(&r, "subsets.logits.weight", name);
			snprintf(name, sizeof name, "codevae/%s/%s", weights[w], n < M ? "part" : "full");
			check_case(&r, &mmi_objective_codevae, n, 0, false, name);
			check(logits, name, "logits");
			close_rig(&r);
		}
}

static void a_draw_of_each_expert(void **state)
{
	rig r;
	(void)state;
	open_rig(&r, (mmi_model_config){ 0 });
	check_case(&r, &mmi_objective_mmvae, 3, 0, true, "mmvae/full/1");
	check_case(&r, &mmi_objective_mmvae, 2, 0, true, "mmvae/part/1");
	close_rig(&r);
	open_rig(&r, (mmi_model_config){ .private_dim = 1 });
	check_case(&r, &mmi_objective_mmvae_plus, 3, 0, true, "mmvae+/full/1");
	check_case(&r, &mmi_objective_mmvae_plus, 2, 0, true, "mmvae+/part/1");
	close_rig(&r);
}

static void a_learned_mixture_as_prior(void **state)
{
	static const char *const families[] = { "normal", "laplace" };
	char name[64];
	rig r;
	(void)state;
	for (int family = 0; family < 2; family++)
		for (int n = 2; n <= M; n++) {
			open_rig(&r, (mmi_model_config){ .private_dim = 1, .clusters = 2, .prior = (mmi_prior)family });
			const float *means = load_parameter(&r, "prior.means.weight", "given/means"),
						*logits = load_parameter(&r, "prior.logits.weight", "given/logits");
			snprintf(name, sizeof name, "cmvae/%s/%s", families[family], n < M ? "part" : "full");
			check_case(&r, &mmi_objective_cmvae, n, 0, true, name);
			check(means, name, "means");
			check(logits, name, "logits");
			close_rig(&r);
		}
}

/* ---------------------------------------------------------------- an energy of latents as prior */

enum { HIDDEN = 200, PLACES = M + 2, KNOTS = 2 * (PLACES - 1) };

/* The reference's f is 0.7 tanh(u) + 0.2 z1, u = z0 - 0.5 z1: of the first term the lines that touch it at some places,
 * with another line from each to the next, which a network of two leaky layers can be. */
typedef struct lines {
	double begin, slope; /* of the first */
	double knot[KNOTS], bend[KNOTS];
} lines;

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double touching(double place, double u)
{
	return 0.7 * tanh(place) + 0.7 / pow(cosh(place), 2) * (u - place);
}

static lines touch(const double u[PLACES])
{
	lines l = { touching(u[0], 0), 0.7 / pow(cosh(u[0]), 2), { 0 }, { 0 } };
	double before = l.slope;
	for (int i = 0; i + 1 < PLACES; i++) {
		const double third = (u[i + 1] - u[i]) / 3, a = u[i] + third, b = a + third;
		const double join = (touching(u[i + 1], b) - touching(u[i], a)) / third, next = 0.7 / pow(cosh(u[i + 1]), 2);
		l.knot[2 * i] = a;
		l.bend[2 * i] = join - before;
		l.knot[2 * i + 1] = b;
		l.bend[2 * i + 1] = next - join;
		before = next;
	}
	return l;
}

static void clear_prior(mmi_params *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strncmp(p->info[i].name, "prior.", 6))
			memset(p->raw.at + p->info[i].offset, 0, p->info[i].count * sizeof(float));
}

/* leaky(x) = 0.2 x + 0.8 relu(x); leaky(x) - leaky(-x) = 1.2 x. */
static void set_prior(rig *r, const lines *l)
{
	mmi_params *p = r->model->energy;
	float *first = parameter(p, "prior.hidden1.weight"), *bias = parameter(p, "prior.hidden1.bias");
	float *second = parameter(p, "prior.hidden2.weight"), *out = parameter(p, "prior.out.weight");
	double level = l->begin, slope = l->slope;
	clear_prior(p);
	for (int i = 0; i < KNOTS; i++) {
		first[i] = 1;
		first[HIDDEN + i] = -0.5f;
		bias[i] = (float)-l->knot[i];
		slope -= 0.25 * l->bend[i];
		level += 0.25 * l->bend[i] * l->knot[i];
		second[i * HIDDEN] = (float)(l->bend[i] / 0.8);
	}
	for (int sign = 0; sign < 2; sign++) {
		const float s = sign ? -1.0f : 1.0f;
		first[KNOTS + sign] = s;
		first[HIDDEN + KNOTS + sign] = -0.5f * s;
		second[(KNOTS + sign) * HIDDEN] = s * (float)(slope / 1.2);
		first[HIDDEN + KNOTS + 2 + sign] = s;
		second[(KNOTS + 2 + sign) * HIDDEN] = s * (float)(0.2 / 1.2);
	}
	parameter(p, "prior.hidden2.bias")[0] = (float)level;
	for (int i = 0; i < HIDDEN; i++)
		second[i * HIDDEN + 1] = -second[i * HIDDEN];
	parameter(p, "prior.hidden2.bias")[1] = (float)-level;
	out[0] = (float)(1 / 1.2);
	out[1] = (float)(-1 / 1.2);
	mmi_params_update(p, 0);
}

static const float chain_start[Z] = { 0.3f, -0.8f };

/* The reference's places: a draw of each expert, and both ends of a step. */
static void find_places(const rig *r, float z[PLACES][Z])
{
	char name[64];
	for (int e = 0; e < M; e++) {
		snprintf(name, sizeof name, "given/z/%d/0", e);
		load(z[e], name);
		for (int d = 0; d < Z; d++)
			z[e][d] = r->is.loc[e][d] + r->is.scale[e][d] * z[e][d];
	}
	memcpy(z[M], chain_start, sizeof chain_start);
	load(z[M + 1], "mvebm/step");
}

static void open_mvebm(rig *r, float z[PLACES][Z])
{
	double u[PLACES];
	open_rig(r, (mmi_model_config){ .latent_energy = true });
	find_places(r, z);
	for (int i = 0; i < PLACES; i++)
		u[i] = (double)z[i][0] - 0.5 * (double)z[i][1];
	qsort(u, PLACES, sizeof *u, by_size);
	const lines l = touch(u);
	set_prior(r, &l);
}

static void an_energy_of_latents_as_prior(void **state)
{
	float z[PLACES][Z];
	rig r;
	(void)state;
	open_mvebm(&r, z);
	check_case(&r, &mmi_objective_mvebm, 3, 0, true, "mvebm/full");
	close_rig(&r);
}

/* f at every place, and as the loss has it. */
static void the_energy_of_latents_learns_by_its_difference(void **state)
{
	float z[PLACES][Z];
	double f[PLACES];
	mmi_lanes lanes;
	mm_error e = MM_ERROR_INIT;
	rig r;
	(void)state;
	open_mvebm(&r, z);
	const mmi_loss_place place = { 1, r.pool, false };
	must(mmi_lanes_create(r.model->energy, 1, NULL, &lanes, &e), &e);
	must(mmi_loss_latent_energy(r.model, &place, &lanes, &r.loss, &e), &e);
	mmi_program *p = r.loss.net.programs[0];
	mmi_program_bind_grads(p, r.model->energy, lanes.lane[0]);
	for (int i = 0; i < PLACES; i++) {
		set(p, r.loss.z[0].z, z[i]);
		mmi_program_run(p);
		f[i] = (double)*mmi_program_data(p, r.loss.value).at;
	}
	near(f[M + 1], find("mvebm/there")->values[0], "f where the chain ends");
	near(f[M + 1] - (f[0] + f[1] + f[2]) / M, find("mvebm/loss")->values[0], "the energy's loss");
	mmi_loss_clear(&r.loss);
	mmi_lanes_clear(&lanes);
	close_rig(&r);
}

/* z + s^2/2 (grad f - z) + s noise, s = 0.4; test_prior.c has the chain itself. */
static void the_prior_s_gradient_is_that_of_a_step(void **state)
{
	float z[PLACES][Z], noise[Z], step[Z];
	mm_error e = MM_ERROR_INIT;
	mm_tensor place, grad;
	rig r;
	(void)state;
	open_mvebm(&r, z);
	must(mmi_network_open(&r.loss.net, &e), &e);
	mmi_graph *g = r.loss.net.graph;
	place = mmi_input(g, "z", mmi_shape(1, Z));
	mmi_grad_request q = { .loss = mmi_model_log_prior_z(r.model, g, place),
		                   .seed = mmi_const(g, mmi_shape(0), 1),
		                   .wrt = &place,
		                   .n_wrt = 1,
		                   .grads = &grad };
	must(mmi_graph_grad(g, &q, &e), &e);
	must(mmi_network_compile(&r.loss.net, cpu_device(), &grad, 1, 1, 1, &e), &e);
	mmi_program *p = r.loss.net.programs[0];
	set(p, place, chain_start);
	mmi_program_run(p);
	load(noise, "given/z/1/0");
	for (int d = 0; d < Z; d++)
		step[d] = chain_start[d] + 0.08f * mmi_program_data(p, grad).at[d] + 0.4f * noise[d];
	check(step, "mvebm", "step");
	mmi_network_clear(&r.loss.net);
	close_rig(&r);
}

/* ---------------------------------------------------------------- several draws of each expert */

enum { MOST_DRAWS = 2 };

static void set_all_draws(rig *r, mmi_program *p, int k)
{
	for (uint32_t i = 0; i < r->loss.n_z; i++)
		set_draws(r, p, i, (int)i, k);
}

/* -lw of every expert and draw, [M][draws]. */
static void find_terms(rig *r, const mmi_objective *o, int n, int draws, float *term)
{
	const mmi_loss_place place = { 1, r->pool, true };
	const mmi_elbo_form form = { .objective = o, .beta = 1.5 };
	mm_error e = MM_ERROR_INIT;
	must(mmi_loss_weights(r->model, &place, &form, &r->loss, &e), &e);
	memcpy(r->experts, r->loss.held, sizeof r->experts);
	memcpy(r->held, r->loss.held, sizeof r->held);
	mmi_program *p = r->loss.net.programs[0];
	set_case(r, p, n, 0);
	for (int k = 0; k < draws; k++) {
		set_all_draws(r, p, k);
		mmi_program_run(p);
		for (int m = 0; m < M; m++)
			term[m * draws + k] = *mmi_program_data(p, r->loss.each[m]).at;
	}
	mmi_network_clear(&r->loss.net);
}

/* Gradients of all draws: to the first expert, and in r->grads to the generator. */
static void add_gradients(rig *r, const mmi_objective *o, int n, int draws, const float *share, bool dreg,
                          float to_loc[Z], float to_scale[Z])
{
	compile(r, o, true, dreg);
	mmi_program *p = begin(r, n, 0);
	for (int k = 0; k < draws; k++) {
		set_all_draws(r, p, k);
		for (int m = 0; m < M; m++)
			set_number(p, r->loss.mixture.share[m], (double)share[m * draws + k]);
		mmi_program_run(p);
		for (int d = 0; d < Z; d++) {
			to_loc[d] += mmi_program_data(p, r->to_loc).at[d];
			to_scale[d] += mmi_program_data(p, r->to_scale).at[d];
		}
	}
	mmi_network_clear(&r->loss.net);
}

static void check_rows(const float *term, int n, int draws, const char *name)
{
	char record[64];
	snprintf(record, sizeof record, "%s/rows", name);
	const reference_record *want = find(record);
	for (int i = 0; i < n * draws; i++)
		near(-(double)term[i], want->values[i], record);
}

/* Shares of all draws, and the bound. */
static double weigh(const float *term, int n, int draws, float *share)
{
	float part = 1.0f / (float)n, none = 0;
	double bound;
	mmi_weights a = { .n = M,
		              .draws = (uint32_t)draws,
		              .rows = 1,
		              .chunk = 1,
		              .term = mmi_floats_direct(term),
		              .share = { share },
		              .bound = { &bound } };
	for (int m = 0; m < M; m++)
		a.of[m].at = m < n ? &part : &none;
	cpu_device()->rows->weights(cpu_device(), &a);
	return bound;
}

static void check_draws(rig *r, const mmi_objective *o, int n, int draws, bool rows, const char *name)
{
	char record[64];
	float term[M * MOST_DRAWS], share[M * MOST_DRAWS], to_loc[Z] = { 0 }, to_scale[Z] = { 0 };
	find_terms(r, o, n, draws, term);
	if (rows)
		check_rows(term, n, draws, name);
	const double bound = weigh(term, n, draws, share);
	snprintf(record, sizeof record, "%s/value", name);
	near(bound, find(record)->values[0], record);
	add_gradients(r, o, n, draws, share, false, to_loc, to_scale);
	check(to_loc, name, "loc");
	check(to_scale, name, "scale");
}

static const struct {
	const mmi_objective *objective;
	const char *name;
	int32_t private_dim;
} weighted[] = { { &mmi_objective_mmvae, "mmvae", 0 }, { &mmi_objective_mmvae_plus, "mmvae+", 1 } };

static void draws_weighted_by_importance(void **state)
{
	char name[64];
	rig r;
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(weighted); i++) {
		open_rig(&r, (mmi_model_config){ .private_dim = weighted[i].private_dim });
		for (int n = 2; n <= M; n++)
			for (int draws = 1; draws <= MOST_DRAWS; draws++) {
				snprintf(name, sizeof name, "%s/%s/%d", weighted[i].name, n < M ? "part" : "full", draws);
				check_draws(&r, weighted[i].objective, n, draws, true, name);
			}
		close_rig(&r);
	}
	open_rig(&r, (mmi_model_config){ .prior = MMI_PRIOR_LAPLACE });
	check_draws(&r, &mmi_objective_mmvae, M, 2, false, "mmvae/laplace/2");
	close_rig(&r);
}

/* To the encoders; to the generator the gradient is that of the bound. */
static void check_dreg(rig *r, const mmi_objective *o, int n, const char *name)
{
	const size_t count = r->model->generator->count;
	float term[M * MOST_DRAWS], share[M * MOST_DRAWS], none[2][Z], to_loc[Z] = { 0 }, to_scale[Z] = { 0 };
	float *of_bound = mmi_alloc(count, sizeof *of_bound);
	assert_non_null(of_bound);
	find_terms(r, o, n, MOST_DRAWS, term);
	weigh(term, n, MOST_DRAWS, share);
	add_gradients(r, o, n, MOST_DRAWS, share, false, none[0], none[1]);
	memcpy(of_bound, r->grads, count * sizeof *of_bound);
	add_gradients(r, o, n, MOST_DRAWS, share, true, to_loc, to_scale);
	check(to_loc, name, "loc");
	check(to_scale, name, "scale");
	for (size_t i = 0; i < count; i++)
		near((double)r->grads[i], (double)of_bound[i], name);
	mmi_free(of_bound);
}

static void doubly_reparametrised_gradients(void **state)
{
	char name[64];
	rig r;
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(weighted); i++) {
		open_rig(&r, (mmi_model_config){ .private_dim = weighted[i].private_dim });
		for (int n = 2; n <= M; n++) {
			snprintf(name, sizeof name, "%s/%s/dreg", weighted[i].name, n < M ? "part" : "full");
			check_dreg(&r, weighted[i].objective, n, name);
		}
		close_rig(&r);
	}
}

/* Numbers that overflow and vanish as they stand, an expert that is missing, draws that are equally likely. */
static void weights_are_of_any_size(void **state)
{
	enum { ROWS = 4, OF_EACH = 3 };
	const float term[OF_EACH][ROWS] = { { 1000, -5000, 7, 2 }, { 1001, -5000, 1, 2 }, { 2000, -5003, 0, 2 } },
				of[ROWS] = { 0.5f, 1, 0, 1 };
	float share[OF_EACH][ROWS];
	double bound[ROWS];
	(void)state;
	cpu_device()->rows->weights(cpu_device(), &(mmi_weights){ .n = 1,
	                                                          .draws = OF_EACH,
	                                                          .rows = ROWS,
	                                                          .chunk = 1,
	                                                          .term = mmi_floats_direct(term),
	                                                          .share = { &share[0][0] },
	                                                          .of = { mmi_floats_direct(of) },
	                                                          .bound = { bound } });
	near((double)share[0][0], 0.5 / (1 + exp(-1)), "the likelier of two");
	near((double)share[2][0], 0, "one that vanishes");
	near(bound[0], 0.5 * (1000 - log((1 + exp(-1)) / 3)), "the bound");
	near((double)share[2][1], 1 / (2 * exp(-3) + 1), "the likeliest of three");
	for (int k = 0; k < OF_EACH; k++) {
		assert_true(share[k][2] == 0);
		near((double)share[k][3], 1.0 / 3, "equally likely");
	}
	assert_true(bound[2] == 0);
	near(bound[3], 2, "equal terms");
}

/* ---------------------------------------------------------------- the same experts at use */

/* Standard draws of `eps` become loc + temperature scale eps. */
static void place(mmi_place_kind kind, int n, double temperature, float eps, float out[Z])
{
	given is;
	float there = 1, gone = 0;
	mmi_placing a = {
		.kind = kind, .out = { out }, .rows = 1, .n = M, .dim = Z, .temperature = temperature, .correlation = 0.4
	};
	load(&is.loc[0][0], "given/loc");
	load(&is.scale[0][0], "given/scale");
	for (int m = 0; m < M; m++) {
		a.loc[m].at = is.loc[m];
		a.scale[m].at = is.scale[m];
		a.observed[m].at = m < n ? &there : &gone;
	}
	for (int d = 0; d < Z; d++)
		out[d] = eps;
	cpu_device()->rows->place(cpu_device(), &a);
}

static void several_experts_become_one_at_use_as_in_the_losses(void **state)
{
	static const struct {
		mmi_place_kind kind;
		const char *name;
	} kinds[] = { { MMI_PLACE_HELLINGER, "hellinger" },
		          { MMI_PLACE_BARYCENTRE, "barycentre" },
		          { MMI_PLACE_CONSENSUS, "consensus" } };
	static const char *const sets[] = { "one", "part", "full" };
	float loc[Z], far[Z], scale[Z];
	char name[64];
	(void)state;
	for (size_t k = 0; k < MMI_COUNT(kinds); k++)
		for (int n = 1; n <= M; n++) {
			snprintf(name, sizeof name, "fused/%s/%s", kinds[k].name, sets[n - 1]);
			place(kinds[k].kind, n, 0, 1, loc);
			place(kinds[k].kind, n, 0.5, 2, far);
			for (int d = 0; d < Z; d++)
				scale[d] = far[d] - loc[d];
			check(loc, name, "loc");
			check(scale, name, "scale");
		}
}

/* Two experts that agree far from 0: in float32 the difference of moments is 6.1e-5 for 1.13e-4. */
static void the_pool_s_variance_keeps_its_digits(void **state)
{
	float loc[2] = { 30, 30.01f }, scale = 0.01f, out = 0, spread = 1;
	mmi_placing a = { .kind = MMI_PLACE_HELLINGER, .out = { &out }, .rows = 1, .n = 2, .dim = 1 };
	const double want = find("far/variance")->values[0];
	(void)state;
	for (int m = 0; m < 2; m++) {
		a.loc[m].at = &loc[m];
		a.scale[m].at = &scale;
	}
	cpu_device()->rows->place(cpu_device(), &a);
	a.temperature = 100; /* away from 30, where floats are far apart */
	a.out.at = &spread;
	cpu_device()->rows->place(cpu_device(), &a);
	const double found = pow((double)(spread - out) / 100, 2);
	if (!(fabs(found - want) <= 1e-3 * want))
		fail_msg("variance %g, expected %g", found, want);
}

static int open_reference(void **state)
{
	(void)state;
	return reference_open_file(&values, "baselines.bin") ? 0 : -1;
}

static int close_reference(void **state)
{
	(void)state;
	reference_close(&values);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_draw_of_the_hellinger_pool),
		cmocka_unit_test(jensen_shannon_of_experts_and_prior),
		cmocka_unit_test(barycentres_of_subsets),
		cmocka_unit_test(consensus_of_all_subsets_with_learned_weights),
		cmocka_unit_test(a_draw_of_each_expert),
		cmocka_unit_test(a_learned_mixture_as_prior),
		cmocka_unit_test(an_energy_of_latents_as_prior),
		cmocka_unit_test(the_energy_of_latents_learns_by_its_difference),
		cmocka_unit_test(the_prior_s_gradient_is_that_of_a_step),
		cmocka_unit_test(draws_weighted_by_importance),
		cmocka_unit_test(doubly_reparametrised_gradients),
		cmocka_unit_test(weights_are_of_any_size),
		cmocka_unit_test(several_experts_become_one_at_use_as_in_the_losses),
		cmocka_unit_test(the_pool_s_variance_keeps_its_digits),
	};

	return cmocka_run_group_tests_name("baselines", tests, open_reference, close_reference);
}
