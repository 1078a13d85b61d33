/* test_use.c - what commands on a trained model share: inputs that users name, samples and translations that the energy
 * guides, recordings of chains, ways between latents. */
#include "mmi_build.h"

#include "../rig/store_rig.h"

#include "../rig/learner_rig.h"

#include <math.h>

#include "mcmc/generate.h"
#include "mcmc/translate.h"
#include "model/rows.h"
#include "trained/inputs.h"
#include "trained/interpolate.h"
#include "trained/recorder.h"
#include "trained/scores.h"

/* ---------------------------------------------------------------- inputs */

/* A sample is one number: the length of a text, or the first byte of a file. */
static mm_status length_of(mm_instance *i, const char *text, float *out, mm_error *e)
{
	(void)i, (void)e;
	*out = (float)strlen(text);
	return MM_OK;
}

static mm_status first_byte(mm_instance *i, const char *path, float *out, mm_error *e)
{
	(void)i, (void)e;
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	*out = (float)fgetc(f);
	fclose(f);
	return MM_OK;
}

static const mm_modality_file reads_words = { sizeof reads_words, first_byte, length_of };
static const mm_modality_file reads_files = { sizeof reads_files, first_byte, NULL };

typedef struct bench {
	rig *rig;
	mmi_modality modality[3];
	mmi_model model;
	char a[300], b[300], c[300]; /* files "x", "y", "with,comma" */
} bench;

static mmi_modality number(const char *name, const mm_modality_file *file)
{
	mmi_modality m = { .file = file, .count = 1, .info = { .support = MM_SUPPORT_REAL, .lo = -1e9f, .hi = 1e9f } };
	snprintf(m.name, sizeof m.name, "%s", name);
	return m;
}

static void open_bench(bench *t, rig *r)
{
	*t = (bench){
		.rig = r, .modality = { number("pic", &reads_files), number("txt", &reads_words), number("snd", &reads_files) }
	};
	t->model = (mmi_model){ .modalities = t->modality, .n_modalities = 3 };
	snprintf(t->a, sizeof t->a, "%s", rig_path(r, "x"));
	snprintf(t->b, sizeof t->b, "%s", rig_path(r, "y"));
	snprintf(t->c, sizeof t->c, "%s", rig_path(r, "with,comma"));
	rig_write(t->a, "A", 1);
	rig_write(t->b, "B", 1);
	rig_write(t->c, "C", 1);
}

/* Words may hold %a, %b, %c for the three files. */
static mm_status named(bench *t, mmi_inputs *in, mm_error *e, const char *first, const char *second)
{
	static char text[2][2000];
	const char *const from[2] = { first, second };
	const char *words[2];
	size_t n = 0;
	for (; n < 2 && from[n]; n++) {
		char *to = text[n];
		for (const char *p = from[n]; *p; p++)
			if (*p == '%') {
				p++;
				to += sprintf(to, "%s", *p == 'a' ? t->a : *p == 'b' ? t->b : t->c);
			} else {
				*to++ = *p;
			}
		*to = 0;
		words[n] = text[n];
	}
	return mmi_inputs_named(&t->model, words, n, "--given", in, e);
}

static void assert_values(const float *x, size_t n, const float *expected)
{
	for (size_t i = 0; i < n; i++)
		if (x[i] < expected[i] || x[i] > expected[i])
			fail_msg("value %zu is %g, expected %g", i, (double)x[i], (double)expected[i]);
}

static void lists_of_files_are_split_and_texts_are_not(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_inputs in;
	bench t;
	open_bench(&t, *state);
	assert_ok(named(&t, &in, &e, "pic=%a,%b,%a", "txt=a bird, red"), e);
	assert_int_equal(in.n, 3);
	assert_values(in.x[0], 3, (float[]){ 'A', 'B', 'A' });
	assert_values(in.x[1], 3, (float[]){ 11, 11, 11 }); /* one text serves all */
	assert_true(in.given[0] && in.given[1] && !in.given[2]);
	assert_null(in.x[2]);
	assert_non_null(strstr(in.name[1], t.b));
	assert_non_null(strstr(in.name[1], "txt=a bird, red"));
	mmi_inputs_clear(&in);
	assert_ok(named(&t, &in, &e, "txt=%a,%b", NULL), e); /* the first part is a file: a list, also here */
	assert_int_equal(in.n, 2);
	assert_values(in.x[1], 2, (float[]){ 'A', 'B' });
	mmi_inputs_clear(&in);
	assert_ok(named(&t, &in, &e, "pic=%c", NULL), e); /* a file's name may hold a comma */
	assert_values(in.x[0], 1, (float[]){ 'C' });
	mmi_inputs_clear(&in);
}

static void a_name_given_again_makes_a_list(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_inputs in;
	bench t;
	open_bench(&t, *state);
	assert_ok(named(&t, &in, &e, "txt=one, two", "txt=three"), e);
	assert_int_equal(in.n, 2);
	assert_values(in.x[1], 2, (float[]){ 8, 5 });
	assert_string_equal(in.name[0], "txt=one, two");
	assert_int_equal(in.label[0], -1);
	mmi_inputs_clear(&in);
}

static void what_cannot_be_input_is_refused(void **state)
{
	static const struct {
		const char *first, *second, *part;
		mm_status status;
	} cases[] = {
		{ NULL, NULL, "--given is missing", MM_ECONFIG },
		{ "pic", NULL, "expected NAME=FILE", MM_ECONFIG },
		{ "foo=%a", NULL, "unknown modality 'foo'; the model has pic, txt, snd", MM_ECONFIG },
		{ "=%a", NULL, "unknown modality ''", MM_ECONFIG },
		{ "pi=%a", NULL, "unknown modality 'pi'", MM_ECONFIG },
		{ "pic=", NULL, "expected a file", MM_ECONFIG },
		{ "txt=", NULL, "expected a file or a text", MM_ECONFIG },
		{ "pic=%a,", NULL, "empty", MM_ECONFIG },
		{ "pic=%a,%b", "snd=%a,%b,%a", "snd has 3 samples and pic 2", MM_ECONFIG },
	};
	bench t;
	open_bench(&t, *state);
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		mm_error e = MM_ERROR_INIT;
		mmi_inputs in;
		assert_fails(named(&t, &in, &e, cases[i].first, cases[i].second), cases[i].status, e, cases[i].part);
	}
}

static void names_and_numbers_are_parsed_whole(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static const char *const bad[] = { "", "1,", ",1", "x", "1 2", "-1", "4294967296", "99999999999999999999", "1.5" };
	bool flags[MMI_MAX_MODALITIES] = { false };
	uint32_t *list, n;
	bench t;
	open_bench(&t, *state);
	assert_ok(mmi_names_parse(&t.model, "snd,pic", "--want", flags, &e), e);
	assert_true(flags[0] && !flags[1] && flags[2]);
	assert_fails(mmi_names_parse(&t.model, "txt,snd", "--want", flags, &e), MM_ECONFIG, e,
	             "--want: snd is named twice");
	assert_fails(mmi_names_parse(&t.model, "", "--want", flags, &e), MM_ECONFIG, e, "unknown modality ''");
	assert_ok(mmi_numbers_parse("0,4294967295,7", "--test", &list, &n, &e), e);
	assert_int_equal(n, 3);
	assert_true(list[0] == 0 && list[1] == UINT32_MAX && list[2] == 7);
	mmi_free(list);
	for (size_t i = 0; i < MMI_COUNT(bad); i++)
		assert_fails(mmi_numbers_parse(bad[i], "--test", &list, &n, &e), MM_ECONFIG, e, "--test: '");
}

/* ---------------------------------------------------------------- samples and translations */

enum { GENERATED = 16 };

typedef struct drawn {
	learner_rig rig;
	mmi_latents z;
	float *generated[RIG_MODALITIES], *revised[RIG_MODALITIES];
} drawn;

static float *new_samples(const learner_rig *r, uint32_t m)
{
	float *x = mmi_alloc(GENERATED * (size_t)r->modality[m].count, sizeof *x);
	assert_non_null(x);
	return x;
}

/* A model whose experts have been told what belongs together, so that their agreement means something. */
static void open_drawn(drawn *d)
{
	static const char *const sets[] = { "energy.agreement=5",
		                                "learner.contrast_factor=10",
		                                "sample.latent_step=0.3",
		                                "translate.latent_step=0.3",
		                                "learner.warmup=60",
		                                "learner.iterations=70",
		                                NULL };
	mm_error e = MM_ERROR_INIT;
	*d = (drawn){ .z = { .z = NULL } };
	rig_open(&d->rig, sets);
	rig_run(&d->rig, 70);
	assert_int_equal(GENERATED % mmi_sampler_chunk(d->rig.learner->sampler), 0);
	assert_ok(mmi_latents_create(d->rig.model, GENERATED, &d->z, &e), e);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		d->generated[m] = new_samples(&d->rig, m);
		d->revised[m] = new_samples(&d->rig, m);
	}
}

static void close_drawn(drawn *d)
{
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		mmi_free(d->generated[m]);
		mmi_free(d->revised[m]);
	}
	mmi_latents_clear(&d->z);
	rig_close(&d->rig);
}

static mmi_chains chains_of(const drawn *d, int64_t guide_steps, int64_t x_steps)
{
	const mmi_recipe_change change = { -1, -1, guide_steps, x_steps };
	const mmi_recipe recipe = mmi_recipe_changed(&d->rig.settings.sample, &change);
	mmi_chains a = mmi_settings_chains(&d->rig.settings, d->rig.n_modalities, &recipe, 0.1);
	a.revise.noise = 0.05;
	a.revise.move_max = 0.02; /* so that it matters where the data chain begins */
	return a;
}

static void generate(drawn *d, const mmi_chains *a)
{
	mmi_generate(d->rig.model, d->rig.learner->sampler, a, 9, mmi_whole(GENERATED), &d->z, d->generated, d->revised);
}

static bool same_samples(const drawn *d, uint32_t m, const float *a, const float *b)
{
	return memcmp(a, b, GENERATED * (size_t)d->rig.modality[m].count * sizeof *a) == 0;
}

static double mean_energy(const drawn *d, float *const *x)
{
	float energy[GENERATED];
	double sum = 0;
	mmi_sampler_energy(d->rig.learner->sampler, (const float *const *)x, GENERATED, energy);
	for (uint32_t i = 0; i < GENERATED; i++)
		sum += (double)energy[i];
	return sum / GENERATED;
}

static void the_guide_lowers_the_joint_energy_of_samples(void **state)
{
	drawn d;
	(void)state;
	open_drawn(&d);
	const mmi_chains guided = chains_of(&d, 40, 0), alone = chains_of(&d, 0, 0);
	generate(&d, &guided);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++)
		assert_false(same_samples(&d, m, d.generated[m], d.revised[m]));
	double before = mean_energy(&d, d.generated), after = mean_energy(&d, d.revised);
	print_message("joint energy %.3f, guided %.3f\n", before, after);
	assert_true(after < before - 0.5);
	generate(&d, &alone);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++)
		assert_true(same_samples(&d, m, d.generated[m], d.revised[m]));
	assert_true(mean_energy(&d, d.revised) >= before && mean_energy(&d, d.revised) <= before); /* from the same draws */
	close_drawn(&d);
}

/* An energy that is nowhere finite would show, however little it weighed. */
static void agreement_guides_and_chooses_without_the_energy_network(void **state)
{
	const uint32_t terms = 1u << MMI_TERM_AGREEMENT;
	mm_error e = MM_ERROR_INIT;
	drawn d;
	float *before[RIG_MODALITIES];
	(void)state;
	open_drawn(&d);
	mmi_chains a = chains_of(&d, 3, 0);
	a.guide.candidates = 3;
	a.guide.terms = terms;
	assert_ok(mmi_sampler_prepare(d.rig.learner->sampler, mmi_chains_nets(&a), &e), e);
	generate(&d, &a);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		before[m] = new_samples(&d.rig, m);
		memcpy(before[m], d.revised[m], GENERATED * (size_t)d.rig.modality[m].count * sizeof(float));
		assert_false(same_samples(&d, m, d.generated[m], d.revised[m]));
	}
	for (size_t i = 0; i < d.rig.model->energy->count; i++)
		d.rig.model->energy->raw.at[i] = NAN;
	mmi_params_update(d.rig.model->energy, 0);
	generate(&d, &a);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		assert_true(same_samples(&d, m, before[m], d.revised[m]));
		mmi_free(before[m]);
	}
	close_drawn(&d);
}

/* Each part of a recipe alone, and both, are what samples with the other part switched off are. */
static void parts_of_a_recipe_are_samples_without_the_other(void **state)
{
	drawn d;
	float *generated[RIG_MODALITIES], *chained[RIG_MODALITIES], *guided[RIG_MODALITIES], *revised[RIG_MODALITIES];
	(void)state;
	open_drawn(&d);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		float **const all[] = { generated, chained, guided, revised };
		for (size_t i = 0; i < MMI_COUNT(all); i++)
			all[i][m] = new_samples(&d.rig, m);
	}
	const mmi_chains both = chains_of(&d, 5, 3);
	assert_true(mmi_generate_has_parts(&both));
	mmi_generate_parts(d.rig.model, d.rig.learner->sampler, &both, 9, mmi_whole(GENERATED), &d.z, generated, chained,
	                   guided, revised);
	float *const *const parts[] = { revised, guided, chained };
	for (int i = 0; i < 3; i++) {
		const mmi_chains a = chains_of(&d, i < 2 ? 5 : 0, i == 1 ? 0 : 3);
		assert_int_equal(mmi_generate_has_parts(&a), i == 0);
		generate(&d, &a);
		for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
			assert_true(same_samples(&d, m, d.generated[m], generated[m]));
			assert_true(same_samples(&d, m, d.revised[m], parts[i][m]));
		}
	}
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		float *const all[] = { generated[m], chained[m], guided[m], revised[m] };
		for (size_t i = 0; i < MMI_COUNT(all); i++)
			mmi_free(all[i]);
	}
	close_drawn(&d);
}

/* Without steps noise itself; the generator's samples beside it are what they always are. */
static void samples_start_at_noise_where_training_did(void **state)
{
	drawn d;
	float *noise[RIG_MODALITIES], *decoded[RIG_MODALITIES];
	mmi_chain_stats stats;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	d = (drawn){ .z = { .z = NULL } };
	rig_open(&d.rig, (const char *const[]){ "learner.x_start=noise", "sample.latent_steps=5", NULL });
	rig_run(&d.rig, 2);
	assert_ok(mmi_latents_create(d.rig.model, GENERATED, &d.z, &e), e);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		float **const all[] = { d.generated, d.revised, noise, decoded };
		for (size_t i = 0; i < MMI_COUNT(all); i++)
			all[i][m] = new_samples(&d.rig, m);
	}
	mmi_sampler *s = d.rig.learner->sampler;
	for (int64_t steps = 0; steps < 3; steps += 2) {
		mmi_chains a = chains_of(&d, -1, steps);
		generate(&d, &a);
		a.revise.iteration = 9;
		mmi_sampler_noise(s, mmi_whole(GENERATED), 9, noise);
		mmi_rows_copy(d.rig.model, GENERATED, decoded, noise);
		mmi_sampler_revise(s, &a.revise, noise, (const float *const *)decoded, mmi_whole(GENERATED), &stats);
		mmi_sampler_prior(s, mmi_whole(GENERATED), 0, 9, &d.z);
		mmi_sampler_decode(s, &d.z, GENERATED, decoded);
		for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
			assert_true(same_samples(&d, m, d.revised[m], noise[m]));
			assert_true(same_samples(&d, m, d.generated[m], decoded[m]));
		}
	}
	const mmi_recipe_change no_steps = { -1, -1, -1, 0 };
	mmi_saved saved = { .setup = { .settings = d.rig.settings, .n_modalities = RIG_MODALITIES }, .has_energy = true };
	assert_true(mmi_saved_chains(&saved, &d.rig.settings.sample, &no_steps).revise.from_noise);
	saved.has_energy = false; /* then there is no such chain */
	assert_false(mmi_saved_chains(&saved, &d.rig.settings.sample, &no_steps).revise.from_noise);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		mmi_free(noise[m]);
		mmi_free(decoded[m]);
	}
	close_drawn(&d);
}

/* Candidates, guide, decode, data chain from there; with neither, what the data chain makes of the generator's samples.
 */
static void samples_are_what_the_chains_by_hand_give(void **state)
{
	static const struct {
		uint32_t candidates, steps;
	} guides[] = { { 1, 0 }, { 1, 7 }, { 3, 0 }, { 3, 7 } };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(guides); i++) {
		drawn d;
		float *start[RIG_MODALITIES], *x[RIG_MODALITIES], *prior[RIG_MODALITIES];
		mmi_chain_stats stats;
		open_drawn(&d);
		mmi_sampler *s = d.rig.learner->sampler;
		mmi_chains a = chains_of(&d, guides[i].steps, 3);
		a.guide.candidates = guides[i].candidates;
		for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
			start[m] = new_samples(&d.rig, m);
			x[m] = new_samples(&d.rig, m);
			prior[m] = new_samples(&d.rig, m);
		}
		generate(&d, &a);
		a.guide.iteration = a.revise.iteration = 9;
		mmi_sampler_prior(s, mmi_whole(GENERATED), 0, 9, &d.z);
		mmi_sampler_decode(s, &d.z, GENERATED, prior);
		mmi_sampler_choose_prior(s, &a.guide, mmi_whole(GENERATED), &d.z);
		if (a.guide.steps)
			mmi_sampler_guide(s, &a.guide, mmi_whole(GENERATED), &d.z, NULL, &stats);
		mmi_sampler_decode(s, &d.z, GENERATED, start);
		mmi_sampler_decode(s, &d.z, GENERATED, x);
		mmi_sampler_revise(s, &a.revise, x, (const float *const *)start, mmi_whole(GENERATED), &stats);
		for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
			assert_true(same_samples(&d, m, d.generated[m], prior[m]));
			assert_true(same_samples(&d, m, d.revised[m], x[m]));
			assert_false(same_samples(&d, m, x[m], start[m]));
			mmi_free(start[m]);
			mmi_free(x[m]);
			mmi_free(prior[m]);
		}
		close_drawn(&d);
	}
}

/* The rig's data with `given` shown alone, translated into d->revised. */
static mm_status read_ones(void *ctx, uint32_t i, float *const *x, mm_error *e)
{
	const drawn *d = ctx;
	(void)i;
	(void)e;
	for (uint32_t m = 0; m < RIG_MODALITIES; m++)
		for (int64_t k = 0; k < d->rig.modality[m].count; k++)
			x[m][k] = 0.5f;
	return MM_OK;
}

static void what_a_diverged_model_gives_is_an_error(void **state)
{
	mm_error e = MM_ERROR_INIT;
	drawn d;
	float energy[2];
	(void)state;
	open_drawn(&d);
	const mmi_saved saved = { .setup = { .settings = d.rig.settings },
		                      .model = d.rig.model,
		                      .sampler = d.rig.learner->sampler,
		                      .has_energy = true };
	assert_ok(mmi_scores_of(&saved, 2, read_ones, &d, &(mmi_hooks){ 0 }, energy, &e), e);
	mmi_chains a = chains_of(&d, 0, 2);
	generate(&d, &a);
	assert_ok(mmi_rows_check(d.rig.model, GENERATED, d.revised, "samples", &e), e);
	for (size_t i = 0; i < d.rig.model->energy->count; i++)
		d.rig.model->energy->raw.at[i] = INFINITY;
	mmi_params_update(d.rig.model->energy, 0);
	assert_fails(mmi_scores_of(&saved, 2, read_ones, &d, &(mmi_hooks){ 0 }, energy, &e), MM_ENUMERIC, e,
	             "the energy of tuple 0 is ");
	d.revised[1][3] = NAN;
	assert_fails(mmi_rows_check(d.rig.model, GENERATED, d.revised, "samples", &e), MM_ENUMERIC, e, "samples of [");
	close_drawn(&d);
}

static void translate(drawn *d, uint32_t given, uint32_t candidates, uint32_t guide_steps)
{
	static const float ones[GENERATED] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, zeros[GENERATED] = { 0 };
	const mmi_chains chains = chains_of(d, guide_steps, 2);
	mmi_translate_args args = { .number = 4,
		                        .expert = (int32_t)given,
		                        .temperature = 1,
		                        .guide = chains.guide,
		                        .revise = chains.revise,
		                        .posterior = { .steps = 2, .step = 0.1, .noise = 0.1, .grad_scale = 1 } };
	args.guide.candidates = candidates;
	const float *observed[RIG_MODALITIES];
	mm_error e = MM_ERROR_INIT;
	mmi_translator *t;
	assert_ok(mmi_translator_create(d->rig.model, d->rig.learner->sampler, GENERATED, &t, &e), e);
	for (uint32_t m = 0; m < RIG_MODALITIES; m++) {
		observed[m] = m == given ? ones : zeros;
		memcpy(d->revised[m], rig_batch(&d->rig, 500)->x[m],
		       GENERATED * (size_t)d->rig.modality[m].count * sizeof(float));
	}
	mmi_translate(t, &args, d->revised, observed, mmi_whole(GENERATED), NULL);
	mmi_translator_destroy(t);
}

static void a_guided_translation_leaves_what_was_given(void **state)
{
	drawn d;
	(void)state;
	open_drawn(&d);
	for (uint32_t given = 0; given < RIG_MODALITIES; given++) {
		translate(&d, given, 1, 0);
		double before = mean_energy(&d, d.revised);
		for (uint32_t m = 0; m < RIG_MODALITIES; m++)
			memcpy(d.generated[m], d.revised[m], GENERATED * (size_t)d.rig.modality[m].count * sizeof(float));
		for (uint32_t chosen = 0; chosen < 2; chosen++) {
			translate(&d, given, chosen ? 16 : 1, chosen ? 0 : 40);
			for (uint32_t m = 0; m < RIG_MODALITIES; m++)
				assert_true(same_samples(&d, m, d.generated[m], d.revised[m]) == (m == given));
			assert_true(same_samples(&d, given, rig_batch(&d.rig, 500)->x[given], d.revised[given]));
			print_message("given %u: joint energy %.3f, %s %.3f\n", given, before, chosen ? "chosen" : "guided",
			              mean_energy(&d, d.revised));
			assert_true(mean_energy(&d, d.revised) < before);
		}
	}
	close_drawn(&d);
}

/* ---------------------------------------------------------------- recordings */

enum { STEPS = 5 };

typedef struct course {
	learner_rig rig;
	mmi_latents z, start;
	mmi_recorder recorder;
	mmi_chain_stats stats;
	uint32_t rows;
} course;

/* A posterior chain of one chunk, observing everything or nothing, with or without a recorder. */
static void run_posterior(course *c, const char *const *sets, bool observe, bool record)
{
	static const float zeros[64] = { 0 };
	const float *observed[RIG_MODALITIES] = { zeros, zeros, zeros };
	mm_error e = MM_ERROR_INIT;
	rig_open(&c->rig, sets);
	mmi_sampler *s = c->rig.learner->sampler;
	c->rows = mmi_sampler_chunk(s);
	assert_ok(mmi_latents_create(c->rig.model, c->rows, &c->z, &e), e);
	assert_ok(mmi_latents_create(c->rig.model, c->rows, &c->start, &e), e);
	mmi_sampler_prior(s, mmi_whole(c->rows), 0, 3, &c->z);
	mmi_latents_copy(&c->start, &c->z, c->rig.model, c->rows);
	mmi_posterior_args args = { .steps = STEPS,
		                        .iteration = 1,
		                        .step = 0.1,
		                        .noise = 0.1,
		                        .grad_scale = 1,
		                        .observed = observe ? NULL : observed };
	if (record) {
		mmi_recorder *r = &c->recorder;
		assert_ok(mmi_recorder_create(c->rows, STEPS, mmi_sampler_energy_tensor(s, MMI_SAMPLER_POSTERIOR), r, &e), e);
		r->laplace = c->rig.model->config.prior == MMI_PRIOR_LAPLACE;
		assert_ok(mmi_recorder_add(r, c->z.z, (size_t)mmi_model_z_dim(c->rig.model), 1, &e), e);
		for (uint32_t m = 0; m < RIG_MODALITIES && c->z.w[m]; m++)
			assert_ok(mmi_recorder_add(r, c->z.w[m], (size_t)mmi_model_w_dim(c->rig.model), 1, &e), e);
		args.watch = mmi_recorder_watch;
		args.watch_ctx = r;
	}
	mmi_sampler_posterior(s, &args, (const float *const *)rig_batch(&c->rig, 0)->x, mmi_whole(c->rows), 1, &c->z,
	                      &c->start, &c->stats);
}

static void close_course(course *c)
{
	mmi_recorder_clear(&c->recorder);
	mmi_latents_clear(&c->z);
	mmi_latents_clear(&c->start);
	rig_close(&c->rig);
}

static void a_recording_changes_nothing_and_has_both_ends(void **state)
{
	course with = { .rows = 0 }, without = { .rows = 0 };
	(void)state;
	run_posterior(&with, NULL, true, true);
	run_posterior(&without, NULL, true, false);
	size_t bytes = with.rows * (size_t)mmi_model_z_dim(with.rig.model) * sizeof(float);
	assert_memory_equal(with.z.z, without.z.z, bytes);
	const mmi_recorder *r = &with.recorder;
	assert_int_equal(r->n_frames, 4); /* 0, 2, 4, 5 */
	assert_int_equal(mmi_recorder_step(r, 3), STEPS);
	assert_memory_equal(mmi_recorder_frame(r, 0, 0), with.start.z, bytes);
	assert_memory_equal(mmi_recorder_frame(r, 3, 0), with.z.z, bytes);
	double start = 0;
	for (uint32_t row = 0; row < r->rows; row++)
		start += r->energy[row];
	assert_true(fabs(start - with.stats.energy) <= 1e-6 * fabs(start));
	close_course(&with);
	close_course(&without);
}

/* From frame 2 (step 4) to frame 3 (step 5) is one step. */
static void movement_is_the_distance_of_one_step(void **state)
{
	course c = { .rows = 0 };
	(void)state;
	run_posterior(&c, NULL, true, true);
	const mmi_recorder *r = &c.recorder;
	size_t n = r->count[0];
	for (uint32_t row = 0; row < r->rows; row++) {
		double sum = 0;
		for (size_t k = 0; k < n; k++) {
			double d =
				(double)mmi_recorder_frame(r, 3, 0)[row * n + k] - (double)mmi_recorder_frame(r, 2, 0)[row * n + k];
			sum += d * d;
		}
		double expected = sqrt(sum / (double)n), found = r->move[(size_t)STEPS * r->rows + row];
		assert_true(expected > 0.01 && fabs(found - expected) < 1e-6);
		assert_true(r->move[row] <= 0 && r->move[row] >= 0); /* nothing has moved before step 0 */
	}
	close_course(&c);
}

/* Where nothing is observed U is -log p0 alone, so what is left of it is no likelihood at any step. */
static void the_prior_is_taken_out_of_u_exactly(void **state)
{
	static const char *const plain[] = { NULL }, *const laplace[] = { "learner.prior=laplace", NULL },
							 *const private[] = { "learner.private_dim=3", NULL };
	static const char *const *const all[] = { plain, laplace, private };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(all); i++) {
		course c = { .rows = 0 };
		run_posterior(&c, all[i], false, true);
		const mmi_recorder *r = &c.recorder;
		assert_int_equal(r->n_states, i == 2 ? 1 + RIG_MODALITIES : 1);
		for (size_t k = 0; k < (STEPS + 1) * (size_t)r->rows; k++)
			assert_true(r->energy[k] > 1 && fabs(r->energy[k] + r->log_prior[k]) < 1e-4);
		close_course(&c);
	}
}

static void long_recordings_are_bounded_and_end_with_the_last_step(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 2, 3, 61, 62, 63, 64, 1000, 1001, 1000000 };
	mm_error e = MM_ERROR_INIT;
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(lengths); i++) {
		mmi_recorder r;
		assert_ok(mmi_recorder_create(2, lengths[i], 0, &r, &e), e);
		assert_true(r.n_frames <= MMI_RECORDER_FRAMES);
		assert_int_equal(mmi_recorder_step(&r, 0), 0);
		assert_int_equal(mmi_recorder_step(&r, r.n_frames - 1), lengths[i]);
		for (uint32_t f = 1; f < r.n_frames; f++)
			assert_true(mmi_recorder_step(&r, f) > mmi_recorder_step(&r, f - 1));
		assert_true(lengths[i] > 62 || r.stride == 2);
		mmi_recorder_clear(&r);
	}
}

/* ---------------------------------------------------------------- ways */

static void a_line_is_straight_and_a_circle_keeps_its_radius(void **state)
{
	const float a[3] = { 2, 0, 0 }, b[3] = { 0, 0, 2 };
	float x[3];
	(void)state;
	mmi_interpolate(a, b, 3, 0.25, false, x);
	assert_values(x, 3, (float[]){ 1.5f, 0, 0.5f });
	for (int i = 0; i <= 8; i++) {
		double t = i / 8.0, quarter = 2 * atan(1);
		mmi_interpolate(a, b, 3, t, true, x);
		assert_true(fabs((double)x[0] - 2 * cos(t * quarter)) < 1e-6);
		assert_true(fabs((double)x[2] - 2 * sin(t * quarter)) < 1e-6);
	}
}

static void both_ways_begin_and_end_at_the_ends(void **state)
{
	const float a[4] = { 0.3f, -1, 2, 0 }, b[4] = { 1, 1, -0.5f, 3 }, zero[4] = { 0 };
	float x[4];
	(void)state;
	for (int spherical = 0; spherical < 2; spherical++) {
		mmi_interpolate(a, b, 4, 0, spherical, x);
		assert_memory_equal(x, a, sizeof a);
		mmi_interpolate(a, b, 4, 1, spherical, x);
		assert_memory_equal(x, b, sizeof b);
		mmi_interpolate(a, a, 4, 0.3, spherical, x); /* parallel: no circle */
		for (int k = 0; k < 4; k++)
			assert_true(fabsf(x[k] - a[k]) < 1e-6f);
		mmi_interpolate(zero, b, 4, 0.5, spherical, x);
		assert_values(x, 4, (float[]){ 0.5f, 0.5f, -0.25f, 1.5f });
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_of_files_are_split_and_texts_are_not, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_name_given_again_makes_a_list, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_input_is_refused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(names_and_numbers_are_parsed_whole, rig_setup, rig_teardown),
		cmocka_unit_test(the_guide_lowers_the_joint_energy_of_samples),
		cmocka_unit_test(agreement_guides_and_chooses_without_the_energy_network),
		cmocka_unit_test(parts_of_a_recipe_are_samples_without_the_other),
		cmocka_unit_test(what_a_diverged_model_gives_is_an_error),
		cmocka_unit_test(samples_start_at_noise_where_training_did),
		cmocka_unit_test(samples_are_what_the_chains_by_hand_give),
		cmocka_unit_test(a_guided_translation_leaves_what_was_given),
		cmocka_unit_test(a_recording_changes_nothing_and_has_both_ends),
		cmocka_unit_test(movement_is_the_distance_of_one_step),
		cmocka_unit_test(the_prior_is_taken_out_of_u_exactly),
		cmocka_unit_test(long_recordings_are_bounded_and_end_with_the_last_step),
		cmocka_unit_test(a_line_is_straight_and_a_circle_keeps_its_radius),
		cmocka_unit_test(both_ways_begin_and_end_at_the_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
