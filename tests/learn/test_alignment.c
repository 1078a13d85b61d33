/* test_alignment.c - the contrastive loss between experts and the joint energy's term of their agreement: missing
 * modalities, the gradient to the encoders' parameters, the chain that it guides, threads, and what training with them
 * comes to. The loss of one pair is compared with PyTorch in test_matching. */
#include "mmi_build.h"

#include "../rig/comm_rig.h"
#include "../rig/contrast_rig.h"
#include "../rig/learner_rig.h"
#include "../rig/rows_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { ROWS = 6, DIM = 4, M = RIG_MODALITIES };

/* Numbers without a pattern, from -1 to 1. */
static float number(uint32_t i)
{
	uint32_t words[4];
	mmi_philox(99, (const uint32_t[4]){ i, 0, 0, 0 }, words);
	return (float)(2 * (double)words[0] / 4294967296.0 - 1);
}

static void near(double found, double expected, double tolerance, const char *what)
{
	if (!(fabs(found - expected) <= tolerance * fmax(1, fabs(expected))))
		fail_msg("%s is %.9g, expected %.9g", what, found, expected);
}

typedef struct locations {
	float value[M][ROWS * DIM];
	float *loc[M];
	mmi_alignment alignment;
} locations;

static void open_locations(locations *l, int32_t compared)
{
	const mmi_model model = { .device = cpu_device(),
		                      .n_modalities = M,
		                      .config = { .latent_dim = DIM, .agreement_dim = compared } };
	mm_error e = MM_ERROR_INIT;
	for (uint32_t m = 0; m < M; m++) {
		l->loc[m] = l->value[m];
		for (uint32_t i = 0; i < ROWS * DIM; i++)
			l->value[m][i] = number(m * ROWS * DIM + i);
	}
	const mmi_reduce all = reduce_alone(ROWS);
	assert_int_equal(mmi_alignment_create(&model, &all, &l->alignment, &e), MM_OK);
}

static void close_locations(locations *l)
{
	const mmi_model model = { .device = cpu_device() };
	mmi_alignment_clear(&model, &l->alignment);
}

/* The alignment of all rows; observed NULL: all are there. Returns the loss. */
static double align(locations *l, const float *const *observed)
{
	mmi_floats loc[M], there[M];
	for (uint32_t m = 0; m < M; m++) {
		loc[m].at = l->loc[m];
		there[m] = mmi_floats_direct(observed ? observed[m] : NULL);
	}
	double told[2];
	mmi_alignment_make(&l->alignment, cpu_device(), loc, observed ? there : NULL, ROWS, 0.2, (mmi_doubles){ told });
	return mmi_alignment_loss(told);
}

static void the_loss_is_the_mean_over_pairs(void **state)
{
	locations l;
	float grad[M][ROWS * DIM] = { { 0 } };
	double sum = 0;
	(void)state;
	open_locations(&l, 0);
	for (uint32_t i = 0; i < M; i++)
		for (uint32_t k = i + 1; k < M; k++)
			sum += contrast_loss_of(l.loc[i], l.loc[k], ROWS, DIM, 0.2, 1.0 / 3, grad[i], grad[k]);
	near(align(&l, NULL), sum / 3, 1e-12, "the loss");
	for (uint32_t m = 0; m < M; m++)
		for (uint32_t i = 0; i < ROWS * DIM; i++)
			near((double)l.alignment.grad.x[m].at[i], (double)grad[m][i], 1e-6, "a gradient");
	close_locations(&l);
}

/* contrast_dim = 2: the loss of the first two latents of each row, and no gradient to the others. */
static void only_the_leading_latents_are_compared(void **state)
{
	enum { LEADING = 2 };
	locations l;
	float leading[M][ROWS * LEADING], grad[M][ROWS * LEADING] = { { 0 } };
	double sum = 0;
	(void)state;
	open_locations(&l, LEADING);
	for (uint32_t m = 0; m < M; m++)
		for (uint32_t r = 0; r < ROWS; r++)
			memcpy(leading[m] + r * LEADING, l.loc[m] + r * DIM, LEADING * sizeof(float));
	for (uint32_t i = 0; i < M; i++)
		for (uint32_t k = i + 1; k < M; k++)
			sum += contrast_loss_of(leading[i], leading[k], ROWS, LEADING, 0.2, 1.0 / 3, grad[i], grad[k]);
	near(align(&l, NULL), sum / 3, 1e-12, "the loss");
	for (uint32_t m = 0; m < M; m++)
		for (uint32_t i = 0; i < ROWS * DIM; i++)
			near((double)l.alignment.grad.x[m].at[i],
			     i % DIM < LEADING ? (double)grad[m][i / DIM * LEADING + i % DIM] : 0, 1e-6, "a gradient");
	close_locations(&l);
}

/* Rows 1 and 4 lack modality 0; what stands in their place must not matter to the bit. */
static void a_missing_modality_drops_out(void **state)
{
	locations l;
	float observed[M][ROWS], first[M][ROWS * DIM];
	const float *flags[M];
	(void)state;
	open_locations(&l, 0);
	for (uint32_t m = 0; m < M; m++) {
		flags[m] = observed[m];
		for (uint32_t r = 0; r < ROWS; r++)
			observed[m][r] = m || (r != 1 && r != 4);
	}
	const double loss = align(&l, flags);
	for (uint32_t m = 0; m < M; m++)
		memcpy(first[m], l.alignment.grad.x[m].at, sizeof first[m]);
	for (uint32_t k = 0; k < DIM; k++) {
		assert_true(fabsf(first[0][1 * DIM + k]) <= 0 && fabsf(first[0][4 * DIM + k]) <= 0);
		l.loc[0][1 * DIM + k] = l.loc[0][4 * DIM + k] = 7;
	}
	const double again = align(&l, flags);
	assert_true(again <= loss && again >= loss);
	for (uint32_t m = 0; m < M; m++)
		assert_memory_equal(first[m], l.alignment.grad.x[m].at, sizeof first[m]);

	/* With one row of modality 0 no pair with it has an alternative: only that of the others is left, with its share.
	 */
	for (uint32_t r = 1; r < ROWS; r++)
		observed[0][r] = 0;
	assert_true(align(&l, flags) > 0);
	for (uint32_t i = 0; i < ROWS * DIM; i++)
		assert_true(fabsf(l.alignment.grad.x[0].at[i]) <= 0);
	close_locations(&l);
}

/* ------------------------------------------------------------ in the learner */

/* The loss as a function of the encoders' parameters. */
static double loss_now(learner_rig *r, const mmi_batch *batch)
{
	mmi_learner *l = r->learner;
	mmi_params_update(r->model->inference, 0);
	mmi_learner_take(l, batch);
	mmi_run_encode(l->sampler, &l->x, r->settings.batch, &l->experts);
	double told[2];
	mmi_alignment_make(&l->alignment, cpu_device(), l->experts.loc, NULL, r->settings.batch,
	                   r->settings.contrast_temperature, (mmi_doubles){ told });
	return mmi_alignment_loss(told);
}

static void its_gradient_reaches_the_encoders(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("learner.contrast_factor=2", "learner.contrast_temperature=0.5"));
	mmi_learner *l = r.learner;
	mmi_params *p = r.model->inference;
	const mmi_batch *batch = rig_batch(&r, 0);
	loss_now(&r, batch);
	mmi_segment s = {
		.loss = &l->locations, .x = &l->x, .rows = r.settings.batch, .x_rows = r.settings.batch, .seed = 1
	};
	for (uint32_t m = 0; m < M; m++)
		s.z[m].z = l->alignment.grad.x[m];
	mmi_segments_run(&l->pass, &s, 1);
	mmi_lanes_reduce(&l->inference_lanes, r.pool);

	/* Along a direction that moves every parameter, and the gradient's share of it in each tensor apart. */
	for (size_t i = 0; i < p->n; i++) {
		const double h = 2e-4;
		float *at = p->raw.at + p->info[i].offset, kept[4096];
		const float *gradient = l->inference_lanes.lane[0].at + p->info[i].offset;
		size_t n = p->info[i].count;
		double along = 0, norm = 0;
		assert_true(n <= MMI_COUNT(kept));
		memcpy(kept, at, n * sizeof *at);
		for (size_t k = 0; k < n; k++)
			norm += (double)gradient[k] * (double)gradient[k];
		norm = sqrt(norm);
		double value[2];
		for (int side = 0; side < 2; side++) {
			for (size_t k = 0; k < n; k++)
				at[k] = kept[k] + (float)((side ? h : -h) * (norm > 0 ? (double)gradient[k] / norm : 1));
			value[side] = loss_now(&r, batch);
		}
		memcpy(at, kept, n * sizeof *at);
		along = (value[1] - value[0]) / (2 * h);
		if (!(fabs(along - norm) <= 1e-2 * fmax(0.1, norm)))
			fail_msg("%s: the loss changes by %g along a gradient of %g", p->info[i].name, along, norm);
	}
	rig_close(&r);
}

/* The gradient of an ELBO that takes `pull` along, into what the caller frees. */
static float *elbo_gradient(learner_rig *r, const mmi_batch *batch, const mmi_floats *pull)
{
	mmi_learner *l = r->learner;
	mmi_learner_take(l, batch);
	mmi_segment s = {
		.loss = &l->elbo, .x = &l->x, .pull = pull, .rows = r->settings.batch, .x_rows = r->settings.batch, .seed = 0.1f
	};
	for (uint32_t i = 0; i < l->n_eps; i++)
		s.z[i] = l->eps[i];
	mmi_segments_run(&l->pass, &s, 1);
	mmi_lanes_reduce(&l->inference_lanes, r->pool);
	float *out = malloc(l->inference_lanes.count * sizeof *out);
	assert_non_null(out);
	memcpy(out, l->inference_lanes.lane[0].at, l->inference_lanes.count * sizeof *out);
	return out;
}

/* One pass through the encoders gives what the ELBO's and the contrastive loss's own passes give together. */
static void an_elbo_takes_it_along(void **state)
{
	learner_rig r;
	(void)state;
	rig_open(&r, SETS("learner.contrast_factor=2", "learner.contrast_temperature=0.5", "learner.warmup=1"));
	mmi_learner *l = r.learner;
	const mmi_batch *batch = rig_batch(&r, 0);
	for (uint32_t i = 0; i < l->n_eps; i++)
		mmi_run_standard(l->sampler, mmi_whole(r.settings.batch), 100 + i, 0, &l->eps[i]);
	loss_now(&r, batch);
	float *both = elbo_gradient(&r, batch, l->alignment.grad.x), *alone;
	mmi_floats none[M];
	for (uint32_t m = 0; m < M; m++)
		assert_non_null(none[m].at = calloc(r.settings.batch * l->alignment.dim, sizeof(float)));
	alone = elbo_gradient(&r, batch, none);
	mmi_segment s = {
		.loss = &l->locations, .x = &l->x, .rows = r.settings.batch, .x_rows = r.settings.batch, .seed = 2
	};
	for (uint32_t m = 0; m < M; m++)
		s.z[m].z = l->alignment.grad.x[m];
	mmi_segments_run(&l->pass, &s, 1);
	mmi_lanes_reduce(&l->inference_lanes, r.pool);
	double moved = 0;
	for (size_t i = 0; i < l->inference_lanes.count; i++) {
		double own = (double)l->inference_lanes.lane[0].at[i];
		moved += own * own;
		near((double)both[i], (double)alone[i] + own, 1e-4, "a gradient");
	}
	assert_true(moved > 1e-4);
	for (uint32_t m = 0; m < M; m++)
		free(none[m].at);
	free(both);
	free(alone);
	rig_close(&r);
}

/* The mean cosine of the first `compared` of dim numbers of the experts' locations of a row. */
static double mean_cosine(const mmi_experts *x, uint32_t row, size_t dim, size_t compared)
{
	double sum = 0;
	for (uint32_t i = 0; i < M; i++)
		for (uint32_t k = i + 1; k < M; k++) {
			double dot = 0, a2 = 0, b2 = 0;
			for (size_t d = row * dim; d < row * dim + compared; d++) {
				double a = (double)x->loc[i][d], b = (double)x->loc[k][d];
				dot += a * b;
				a2 += a * a;
				b2 += b * b;
			}
			sum += dot / sqrt(a2 * b2);
		}
	return sum / (M * (M - 1) / 2);
}

static void check_joint_energy(const char *contrast_dim, size_t compared)
{
	learner_rig with, without;
	float e_with[64], e_without[64];
	rig_open(&with, SETS("energy.agreement=3", contrast_dim));
	const size_t dim = (size_t)with.settings.model.latent_dim;
	rig_open(&without, SETS("energy.agreement=0"));
	const mmi_batch *batch = rig_batch(&with, 0);
	const uint32_t rows = with.settings.batch;
	const float *const *x = (const float *const *)batch->x;
	assert_true(rows <= MMI_COUNT(e_with));
	mmi_sampler_energy(with.learner->sampler, x, rows, e_with);
	mmi_sampler_energy(without.learner->sampler, x, rows, e_without);
	const mmi_experts experts = experts_on_host(&with.learner->experts);
	mmi_sampler_encode(with.learner->sampler, x, rows, &experts);
	for (uint32_t r = 0; r < rows; r++)
		near((double)e_with[r], (double)e_without[r] - 3 * mean_cosine(&experts, r, dim, compared ? compared : dim),
		     1e-5, "an energy");

	/* The energy's losses leave the experts as they are. */
	assert_int_equal(with.learner->energy_loss.n_lanes, 1);
	assert_ptr_equal(with.learner->energy_loss.lanes[0]->params, with.model->energy);
	rig_close(&with);
	rig_close(&without);
}

/* Before it starts a run is the same as without it, to the bit; then it has a loss, in warm-up and beside the chains.
 */
static void it_starts_when_asked_to(void **state)
{
	(void)state;
	for (int chains = 0; chains < 2; chains++) {
		learner_rig with, without;
		const char *warmup = chains ? "learner.warmup=2" : "learner.warmup=9";
		rig_open(&with,
		         SETS("learner.contrast_factor=20", "learner.contrast_start=5", "learner.elbo_updates=1", warmup));
		rig_open(&without, SETS("learner.contrast_factor=0", "learner.elbo_updates=1", warmup));
		assert_true(isnan(rig_run(&with, 5).contrast));
		rig_run(&without, 5);
		const mmi_params *a = with.model->inference, *b = without.model->inference;
		for (size_t i = 0; i < a->n; i++)
			assert_memory_equal(a->raw.at + a->info[i].offset, b->raw.at + b->info[i].offset,
			                    a->info[i].count * sizeof(float));
		assert_true(isfinite(rig_run(&with, 6).contrast));
		rig_run(&without, 6);
		double apart = 0;
		for (size_t i = 0; i < a->n; i++)
			for (size_t k = a->info[i].offset; k < a->info[i].offset + a->info[i].count; k++)
				apart += fabs((double)a->raw.at[k] - (double)b->raw.at[k]);
		assert_true(apart > 0);
		rig_close(&with);
		rig_close(&without);
	}
}

static void agreement_lowers_the_joint_energy(void **state)
{
	(void)state;
	check_joint_energy("learner.contrast_dim=0", 0);
	check_joint_energy("learner.contrast_dim=2", 2);
}

/* U of the guided chain at z, and z one step without noise further on. */
static double guided_step(learner_rig *r, const mmi_guide_args *like, mmi_latents *z, double step)
{
	mmi_chain_stats stats;
	mmi_guide_args args = *like;
	args.steps = 1;
	args.step = step;
	mmi_sampler_guide(r->learner->sampler, &args, mmi_whole(r->settings.batch), z, NULL, &stats);
	return stats.energy;
}

/* The same from its parts: the posterior chain's U, and the joint energy of the completed tuples. */
static double expected_u(learner_rig *r, const mmi_guide_args *a, mmi_latents *z, const float *const *x,
                         const float *const *observed)
{
	mmi_learner *l = r->learner;
	const uint32_t rows = r->settings.batch;
	mmi_chain_stats stats;
	mmi_posterior_args still = { .steps = 1, .grad_scale = 1, .observed = observed };
	float energy[64];
	double sum = 0;
	mmi_sampler_posterior(l->sampler, &still, x, mmi_whole(rows), 1, z, NULL, &stats);
	float *made[MMI_MAX_MODALITIES];
	on_host(&l->revised, made);
	mmi_sampler_decode(l->sampler, z, rows, made);
	for (uint32_t m = 0; m < M; m++) {
		size_t count = (size_t)r->modality[m].count;
		for (uint32_t i = 0; i < rows; i++)
			if (observed[m][i] > 0)
				memcpy(l->revised.x[m].at + i * count, x[m] + i * count, count * sizeof(float));
	}
	mmi_sampler_energy(l->sampler, (const float *const *)made, rows, energy);
	for (uint32_t i = 0; i < rows; i++)
		sum += (double)energy[i];
	return stats.energy + a->weight * sum;
}

/* Nothing given, and in each row another modality or two: U is what it should be, and a step goes down its gradient. */
static void the_energy_guides_latents(void **state)
{
	const double step = 1e-2; /* large enough that rounding of U is nothing beside its fall */
	(void)state;
	for (int k = 0; k < 4; k++) {
		const bool given = k % 2;
		learner_rig r;
		float flag[M][64];
		const float *observed[M];
		rig_open(&r, SETS("energy.agreement=3", k / 2 ? "learner.contrast_dim=2" : "learner.contrast_dim=0"));
		mmi_learner *l = r.learner;
		const mmi_batch *batch = rig_batch(&r, 0);
		const float *const *x = (const float *const *)batch->x;
		const uint32_t rows = r.settings.batch;
		for (uint32_t m = 0; m < M; m++) {
			observed[m] = flag[m];
			for (uint32_t i = 0; i < rows; i++)
				flag[m][i] = given && (i + m) % 3 != 0 && (i % 2 || m != 1);
		}
		mmi_guide_args a = { .weight = 7 };
		if (given) {
			a.x = x;
			a.observed = observed;
		}
		mmi_latents z = latents_on_host(&l->z_prior), start = latents_on_host(&l->z_start);
		mmi_sampler_prior(l->sampler, mmi_whole(rows), 0, 5, &z);
		mmi_latents_copy(&start, &z, r.model, rows);
		double expected = expected_u(&r, &a, &z, x, observed);
		double first = guided_step(&r, &a, &z, step), gradient2 = 0;
		near(first / expected, 1, 1e-5, "U of the guided chain over its parts");
		for (size_t i = 0; i < rows * (size_t)r.settings.model.latent_dim; i++) {
			double moved = (double)z.z[i] - (double)start.z[i];
			gradient2 += moved * moved / (step * step / 2);
		}
		double second = guided_step(&r, &a, &z, 0);
		near((first - second) / gradient2, 1, 0.005, "the fall of U over the square of its gradient");
		rig_close(&r);
	}
}

static void threads_do_not_matter(void **state)
{
	learner_rig one, two;
	(void)state;
	rig_open(&one, SETS("learner.contrast_factor=5", "energy.agreement=2", "learner.elbo_updates=1", "learner.warmup=3",
	                    "run.threads=1"));
	rig_open(&two, SETS("learner.contrast_factor=5", "energy.agreement=2", "learner.elbo_updates=1", "learner.warmup=3",
	                    "run.threads=2"));
	rig_run(&one, 8);
	rig_run(&two, 8);
	rig_assert_same(&one, &two);
	rig_close(&one);
	rig_close(&two);
}

/* The class of a row of the batch: where its first word is. */
static int class_of(const mmi_batch *batch, size_t words, uint32_t row)
{
	const float *word = batch->x[RIG_WORDS] + row * words;
	int best = 0;
	for (int k = 1; k < 4; k++)
		best = word[k] > word[best] ? k : best;
	return best;
}

/* Share of rows of unseen batches whose energy is below that with the sensor of a row of another class. */
static double ranked(learner_rig *r)
{
	float here[64], swapped[64];
	const float *x[M];
	double right = 0, n = 0;
	const uint32_t rows = r->settings.batch;
	for (uint32_t t = 0; t < 20; t++) {
		const mmi_batch *batch = rig_batch(r, 50000 + t);
		for (uint32_t m = 0; m < M; m++)
			x[m] = batch->x[m];
		mmi_sampler_energy(r->learner->sampler, x, rows, here);
		size_t count = (size_t)r->modality[RIG_SENSOR].count, words = (size_t)r->modality[RIG_WORDS].count;
		float *moved = r->learner->revised.x[RIG_SENSOR].at;
		for (uint32_t i = 0; i < rows; i++)
			memcpy(moved + i * count, batch->x[RIG_SENSOR] + (i + 1) % rows * count, count * sizeof(float));
		x[RIG_SENSOR] = moved;
		mmi_sampler_energy(r->learner->sampler, x, rows, swapped);
		for (uint32_t i = 0; i < rows; i++) {
			bool other = class_of(batch, words, i) != class_of(batch, words, (i + 1) % rows);
			right += other && here[i] < swapped[i];
			n += other;
		}
	}
	return right / n;
}

static void the_energy_tells_tuples_that_do_not_belong_together(void **state)
{
	static const char *const factor[2] = { "learner.contrast_factor=0", "learner.contrast_factor=30" };
	double rank[2], contrast = 0;
	(void)state;
	for (int i = 0; i < 2; i++) {
		learner_rig r;
		rig_open(&r, SETS(factor[i], "energy.agreement=10", "energy.head=linear", "learner.warmup=60",
		                  "learner.iterations=60"));
		mmi_measures m = rig_run(&r, 60);
		rank[i] = ranked(&r);
		if (i)
			contrast = m.contrast;
		else
			assert_true(isnan(m.contrast));
		rig_close(&r);
	}
	print_message("ranked right: %.3f without, %.3f with the contrastive loss, which ends at %.3f\n", rank[0], rank[1],
	              contrast);
	assert_true(rank[1] > 0.99 && rank[0] < rank[1] && contrast > 0);
}

/* No pair, no term, and no division by their number. */
static void one_modality_agrees_with_nothing(void **state)
{
	const mmi_modality one = rig_modality(RIG_SENSOR);
	learner_rig with, without;
	float e_with[64], e_without[64];
	(void)state;
	rig_open_with(&with, SETS("energy.agreement=3", "learner.contrast_factor=1"), &one, 1);
	rig_open_with(&without, SETS("energy.agreement=0"), &one, 1);
	const mmi_batch *batch = rig_batch(&with, 0);
	mmi_sampler_energy(with.learner->sampler, (const float *const *)batch->x, with.settings.batch, e_with);
	mmi_sampler_energy(without.learner->sampler, (const float *const *)batch->x, with.settings.batch, e_without);
	assert_memory_equal(e_with, e_without, with.settings.batch * sizeof(float));
	rig_run(&with, 2);
	rig_close(&with);
	rig_close(&without);
}

static void independent_latents_have_nothing_to_agree_on(void **state)
{
	mmi_config *c = NULL;
	mmi_settings s;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	assert_int_equal(mmi_config_create(&c, &e), MM_OK);
	assert_int_equal(mmi_config_set(c, "learner.generators=independent", &e), MM_OK);
	assert_int_equal(mmi_config_set(c, "learner.contrast_factor=1", &e), MM_OK);
	assert_int_equal(mmi_settings_read(c, &s, &e), MM_ECONFIG);
	assert_non_null(strstr(e.message, "contrast_factor"));
	mmi_config_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loss_is_the_mean_over_pairs),
		cmocka_unit_test(only_the_leading_latents_are_compared),
		cmocka_unit_test(a_missing_modality_drops_out),
		cmocka_unit_test(its_gradient_reaches_the_encoders),
		cmocka_unit_test(an_elbo_takes_it_along),
		cmocka_unit_test(it_starts_when_asked_to),
		cmocka_unit_test(agreement_lowers_the_joint_energy),
		cmocka_unit_test(the_energy_guides_latents),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(the_energy_tells_tuples_that_do_not_belong_together),
		cmocka_unit_test(one_modality_agrees_with_nothing),
		cmocka_unit_test(independent_latents_have_nothing_to_agree_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
