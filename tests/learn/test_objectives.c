/* test_objectives.c - every ELBO and the learner's likelihood losses against PyTorch (reference/make_objectives.py),
 * with complete batches and with missing modalities: values to 1e-5, gradients to 1e-5 in norm. */
#include "mmi_build.h"

#include "../rig/device_rig.h"
#include "../rig/linear_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "learn/objectives/objective.h"
#include "../rig/ops_reference.h"
#include "model/device_rows.h"

enum { N = 4, Z = 2, W = 1, PLACES = LINEAR + 1, SMALL_CHUNK = 2, MOST_SENT = 64 };

typedef struct rig {
	linear_rig linear;
	mmi_lanes generator, inference;
	mmi_pass pass;
	int private;
	bool masked;
	float *x[LINEAR], *seen[LINEAR];
	const float *const *shown; /* to encoders; NULL: x */
	mmi_latents places[PLACES];
	float *observed[LINEAR], *share[LINEAR], *log_share[LINEAR], *counts[LINEAR], *subset[LINEAR], *single[LINEAR];
	mmi_mask mask;
	mmi_floats sent_subset[LINEAR], sent_single[LINEAR];
	mmi_floats sent[MOST_SENT]; /* what a device that is not direct has */
	size_t n_sent;
} rig;

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

static void load(float *to, const char *format, ...) MMI_PRINTF(2, 3);
static void load(float *to, const char *format, ...)
{
	char name[128];
	va_list ap;
	va_start(ap, format);
	vsnprintf(name, sizeof name, format, ap);
	va_end(ap);
	const reference_record *r = find(name);
	for (int64_t i = 0; i < r->count; i++)
		to[i] = (float)r->values[i];
}

static float *floats(size_t n)
{
	float *x = mmi_alloc(n, sizeof *x);
	assert_non_null(x);
	return x;
}

/* ---------------------------------------------------------------- set-up */

/* n floats as the device has them, until they are taken back; NULL stays NULL. */
static mmi_floats sent(rig *r, const float *x, size_t n)
{
	const mmi_device *d = tested_device();
	if (!x || d->ops->direct)
		return mmi_floats_direct(x);
	assert_true(r->n_sent < MOST_SENT);
	r->sent[r->n_sent] = mmi_floats_alloc(d, n);
	return mmi_floats_write(d, x, n, r->sent[r->n_sent++]);
}

static void take_back(rig *r, size_t first)
{
	while (r->n_sent > first)
		mmi_floats_release(tested_device(), &r->sent[--r->n_sent]);
}

static mmi_device_rows rows_sent(rig *r, const float *const *x)
{
	mmi_device_rows d = { { { NULL } } };
	for (int m = 0; m < LINEAR; m++)
		d.x[m] = sent(r, x[m], N * LINEAR_WIDTH);
	return d;
}

static mmi_device_latents latents_sent(rig *r, const mmi_latents *z)
{
	mmi_device_latents d = { .z = sent(r, z->z, N * Z) };
	for (int m = 0; m < LINEAR; m++)
		d.w[m] = sent(r, z->w[m], N * W);
	return d;
}

static void load_params(const rig *r, mmi_params *p)
{
	for (size_t i = 0; i < p->n; i++)
		load((float *)p->raw_copy.host + p->info[i].offset, "%d/%s/%s", r->private, p->name, p->info[i].name);
	mmi_params_push(p);
	mmi_params_update(p, 0);
}

static void load_masks(rig *r)
{
	for (int m = 0; m < LINEAR; m++) {
		r->observed[m] = floats(N);
		r->share[m] = floats(N);
		r->log_share[m] = floats(N);
		r->subset[m] = floats(N);
		r->counts[m] = floats(LINEAR * N);
		load(r->observed[m], "observed/%d", m);
		load(r->subset[m], "subset/%s/%d", r->masked ? "masked" : "full", m);
		r->single[m] = floats(N);
		load(r->single[m], "single/%d", m);
		for (int k = 0; k < LINEAR; k++)
			load(r->counts[m] + k * N, "counts/%d/%d", k, m);
	}
	for (int i = 0; i < N; i++) {
		float count = r->observed[0][i] + r->observed[1][i] + r->observed[2][i];
		for (int m = 0; m < LINEAR; m++) {
			r->share[m][i] = r->observed[m][i] / count;
			r->log_share[m][i] = r->observed[m][i] > 0 ? -logf(count) : MMI_LOG_OF_NOTHING;
		}
	}
	for (int m = 0; m < LINEAR; m++) {
		r->mask.observed[m] = sent(r, r->observed[m], N);
		r->mask.share[m] = sent(r, r->share[m], N);
		r->mask.log_share[m] = sent(r, r->log_share[m], N);
		r->mask.counts_w[m] = sent(r, r->counts[m], LINEAR * N);
		r->mask.subset[m] = r->sent_subset[m] = sent(r, r->subset[m], N);
		r->sent_single[m] = sent(r, r->single[m], N);
	}
}

static void open_rig_with(rig *r, bool private, bool masked, mmi_scale_head head)
{
	mm_error e = MM_ERROR_INIT;
	*r = (rig){ .private = private, .masked = masked };
	linear_open(&r->linear,
	            (mmi_model_config){ .latent_dim = Z,
	                                .private_dim = private ? W : 0,
	                                .subset_weights = !private,
	                                .correlation = 0.4,
	                                .scale_head = head },
	            LINEAR_CHUNK);
	load_params(r, r->linear.model->generator);
	load_params(r, r->linear.model->inference);
	must(mmi_lanes_create(r->linear.model->generator, N / SMALL_CHUNK, NULL, &r->generator, &e), &e);
	must(mmi_lanes_create(r->linear.model->inference, N / SMALL_CHUNK, NULL, &r->inference, &e), &e);
	must(mmi_pass_create(tested_device(), r->linear.pool, SMALL_CHUNK, N, &r->pass, &e), &e);
	for (int m = 0; m < LINEAR; m++) {
		r->x[m] = floats(N * LINEAR_WIDTH);
		load(r->x[m], "data/%d", m);
		r->seen[m] = floats(N * LINEAR_WIDTH);
		load(r->seen[m], "seen/%d", m);
	}
	for (int k = 0; k < PLACES; k++) {
		must(mmi_latents_create(r->linear.model, N, &r->places[k], &e), &e);
		load(r->places[k].z, "eps/%d/z", k);
		for (int m = 0; private && m < LINEAR; m++)
			load(r->places[k].w[m], "eps/%d/w/%d", k, m);
	}
	load_masks(r);
}

static void open_rig(rig *r, bool private, bool masked)
{
	open_rig_with(r, private, masked, MMI_SCALE_SOFTPLUS);
}

static void close_rig(rig *r)
{
	take_back(r, 0);
	for (int m = 0; m < LINEAR; m++) {
		float *all[] = { r->x[m],         r->seen[m],   r->observed[m], r->share[m],
			             r->log_share[m], r->counts[m], r->subset[m],   r->single[m] };
		for (size_t i = 0; i < MMI_COUNT(all); i++)
			mmi_free(all[i]);
	}
	for (int k = 0; k < PLACES; k++)
		mmi_latents_clear(&r->places[k]);
	mmi_pass_clear(&r->pass);
	mmi_lanes_clear(&r->generator);
	mmi_lanes_clear(&r->inference);
	linear_close(&r->linear);
}

/* ---------------------------------------------------------------- comparison */

/* Against the norm of all gradients of the store: single tensors may have none. */
static void check_gradient(const rig *r, const mmi_lanes *lanes, const char *name)
{
	const mmi_params *p = lanes->params;
	double error = 0, norm = 0;
	float *gradient = device_floats(p->device, lanes->lane[0], p->count);
	assert_non_null(gradient);
	for (size_t i = 0; i < p->n; i++) {
		char record[128];
		snprintf(record, sizeof record, "%d/%s/%s/grad/%s/%s", r->private, name, r->masked ? "masked" : "full", p->name,
		         p->info[i].name);
		const reference_record *want = find(record);
		assert_int_equal(want->count, p->info[i].count);
		for (int64_t k = 0; k < want->count; k++) {
			error += pow((double)gradient[p->info[i].offset + (size_t)k] - want->values[k], 2);
			norm += pow(want->values[k], 2);
		}
	}
	mmi_free(gradient);
	if (!(sqrt(error) <= 1e-5 * sqrt(norm)))
		fail_msg("%s: gradient of the %s off by %g of %g", name, p->name, sqrt(error), sqrt(norm));
}

static void check_loss(rig *r, mmi_loss *l, const char *name)
{
	const size_t before = r->n_sent;
	const mmi_device_rows x = rows_sent(r, (const float *const *)r->x),
						  seen = rows_sent(r, r->shown ? r->shown : (const float *const *)r->x);
	mmi_segment s = { .loss = l, .x = &x, .seen = &seen, .mask = &r->mask, .rows = N, .x_rows = N, .seed = 1.0f / N };
	double want = 0;
	char record[128];
	for (uint32_t k = 0; k < l->n_z; k++)
		s.z[k] = latents_sent(r, &r->places[k % PLACES]);
	mmi_segments_run(&r->pass, &s, 1);
	snprintf(record, sizeof record, "%d/%s/%s/value", r->private, name, r->masked ? "masked" : "full");
	for (int i = 0; i < N; i++)
		want += find(record)->values[i];
	double sums[N / SMALL_CHUNK][2], sum = 0;
	tested_device()->ops->download(tested_device(), sums, s.sums.at, sizeof sums);
	tested_device()->ops->wait(tested_device(), NULL);
	for (int c = 0; c < N / SMALL_CHUNK; c++)
		sum += sums[c][0];
	if (!(fabs(sum - want) <= 1e-5 * fabs(want)))
		fail_msg("%s: %.9g, expected %.9g", record, sum, want);
	for (uint32_t i = 0; i < l->n_lanes; i++) {
		mmi_lanes_reduce(l->lanes[i], r->linear.pool);
		check_gradient(r, l->lanes[i], name);
	}
	mmi_loss_clear(l);
	take_back(r, before);
}

static mmi_loss_place place_of(const rig *r)
{
	return (mmi_loss_place){ SMALL_CHUNK, r->linear.pool, r->masked };
}

/* Shared and private, complete and masked, as far as they apply. */
static void each_case(void (*check)(rig *r), bool shared, bool private)
{
	for (int i = 0; i < 4; i++) {
		rig r;
		if (i / 2 ? !private : !shared)
			continue;
		open_rig(&r, i / 2, i % 2);
		check(&r);
		close_rig(&r);
	}
}

/* ---------------------------------------------------------------- the tests */

static void check_elbos_named(rig *r, const char *suffix)
{
	mm_error e = MM_ERROR_INIT;
	mmi_loss_place place = place_of(r);
	for (int i = 0; mmi_objectives[i]; i++) {
		const mmi_objective *o = mmi_objectives[i];
		mmi_loss l;
		if (o->clusters || o->latent_energy || (r->private ? o->shared_only : o->private_only)) /* test_baselines.c */
			continue;
		const mmi_elbo_form form = { .objective = o, .beta = 1.5 };
		must(mmi_loss_elbo(r->linear.model, &place, &form, &r->generator, &r->inference, &l, &e), &e);
		char name[32];
		snprintf(name, sizeof name, "%s%s", o->name, suffix);
		for (int m = 0; m < LINEAR; m++)
			r->mask.subset[m] = o->subset == MMI_SUBSET_ONE ? r->sent_single[m] : r->sent_subset[m];
		check_loss(r, &l, name);
	}
}

static void check_elbos(rig *r)
{
	check_elbos_named(r, "");
}

static void elbos_and_their_gradients_are_pytorch_s(void **state)
{
	(void)state;
	each_case(check_elbos, true, true);
}

/* Two of three modalities are varied: their experts see something else than what is decoded. Without it all is as
 * before. */
static void check_seen_elbos(rig *r)
{
	static const mm_modality_variation varied = { .struct_size = sizeof varied };
	r->linear.modality[0].variation = r->linear.modality[2].variation = &varied;
	check_elbos(r);
	r->shown = (const float *const *)r->seen;
	check_elbos_named(r, "-seen");
}

static void encoders_see_variations_of_what_is_decoded(void **state)
{
	(void)state;
	each_case(check_seen_elbos, true, true);
}

/* D softmax(raw) + 1e-6 of the D numbers of a latent: their mean is 1. */
static void scales_by_a_softmax_are_pytorch_s(void **state)
{
	static const struct {
		const mmi_objective *objective;
		bool private;
	} cases[] = { { &mmi_objective_mmvae, false },
		          { &mmi_objective_mopoe, false },
		          { &mmi_objective_mmvae_plus, true } };
	(void)state;
	for (size_t i = 0; i < 2 * MMI_COUNT(cases); i++) {
		const mmi_elbo_form form = { .objective = cases[i / 2].objective, .beta = 1.5 };
		mm_error e = MM_ERROR_INIT;
		char name[32];
		mmi_loss l;
		rig r;
		open_rig_with(&r, cases[i / 2].private, i % 2, MMI_SCALE_SOFTMAX);
		const mmi_loss_place place = place_of(&r);
		must(mmi_loss_elbo(r.linear.model, &place, &form, &r.generator, &r.inference, &l, &e), &e);
		snprintf(name, sizeof name, "%s-softmax", form.objective->name);
		check_loss(&r, &l, name);
		close_rig(&r);
	}
}

static void check_generator(rig *r)
{
	mm_error e = MM_ERROR_INIT;
	mmi_loss_place place = place_of(r);
	mmi_loss l;
	must(mmi_loss_generator(r->linear.model, &place, &r->generator, &l, &e), &e);
	check_loss(r, &l, "generator");
}

static void the_generator_s_loss_counts_what_is_observed(void **state)
{
	(void)state;
	each_case(check_generator, true, true);
}

static void check_inference(rig *r)
{
	static const char *const names[] = { "mixture", "each", "both" };
	mm_error e = MM_ERROR_INIT;
	mmi_loss_place place = place_of(r);
	for (int target = 0; target < 3; target++) {
		mmi_loss l;
		must(mmi_loss_inference(r->linear.model, &place, LINEAR, (mmi_inference_target)target, false, &r->inference, &l,
		                        &e),
		     &e);
		check_loss(r, &l, names[target]);
	}
}

static void the_inference_loss_teaches_observed_experts_and_revised_private_latents(void **state)
{
	(void)state;
	each_case(check_inference, true, true);
}

static void check_separate(rig *r)
{
	mm_error e = MM_ERROR_INIT;
	mmi_loss_place place = place_of(r);
	mmi_loss l;
	must(mmi_loss_inference(r->linear.model, &place, LINEAR, MMI_TARGET_EACH, true, &r->inference, &l, &e), &e);
	check_loss(r, &l, "separate");
}

static void independent_experts_learn_from_their_own_chain_alone(void **state)
{
	(void)state;
	each_case(check_separate, true, false);
}

static int open_reference(void **state)
{
	(void)state;
	return reference_open_file(&values, "objectives.bin") ? 0 : -1;
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
		cmocka_unit_test(elbos_and_their_gradients_are_pytorch_s),
		cmocka_unit_test(encoders_see_variations_of_what_is_decoded),
		cmocka_unit_test(scales_by_a_softmax_are_pytorch_s),
		cmocka_unit_test(the_generator_s_loss_counts_what_is_observed),
		cmocka_unit_test(the_inference_loss_teaches_observed_experts_and_revised_private_latents),
		cmocka_unit_test(independent_experts_learn_from_their_own_chain_alone),
	};

	return cmocka_run_group_tests_name("objectives", tests, open_reference, close_reference);
}
