/* test_library.c - what libmmcore gives is what the commands write, from files and from memory; what makes no sense is
 * refused with a text. */
#include "mmi_build.h"

#include "../rig/toy_model.h"

#include <float.h>
#include <math.h>

static char toys[256]; /* a folder with a run, "run", and of baselines "plain" and "latent" */

static int train_once(void **state)
{
	rig *r;
	if (rig_setup(state))
		return -1;
	r = *state;
	snprintf(toys, sizeof toys, "%s", r->folder);
	toy_train(toys, "run", "--set learner.private_dim=2 --set sample.latent_steps=2 --set sample.candidates=3");
	toy_train(toys, "plain", "--set learner.objective=mopoe");
	toy_train(toys, "latent", "--set learner.objective=mvebm --set learner.prior_steps=9");
	return 0;
}

static const char *at(const char *name)
{
	static char path[4][600];
	static int next;
	next = (next + 1) % 4;
	snprintf(path[next], sizeof path[next], "%s/%s", toys, name);
	return path[next];
}

static mm_open_options options(void)
{
	mm_open_options o = MM_OPEN_OPTIONS_INIT;
	o.threads = 2;
	o.plugin_path = getenv("MMCORE_TEST_PLUGINS");
	return o;
}

static mm_model *open_run(const char *name)
{
	mm_error e = MM_ERROR_INIT;
	mm_model *model = NULL;
	const mm_open_options o = options();
	assert_ok(mm_model_open(at(name), &o, &model, &e), e);
	return model;
}

static void *read_whole(const char *path, size_t *size)
{
	struct stat st;
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is not there", path);
	assert_int_equal(fstat(fileno(file), &st), 0);
	char *bytes = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(bytes);
	*size = fread(bytes, 1, (size_t)st.st_size, file);
	fclose(file);
	return bytes;
}

/* The sample as the plugin saves it is the file, to the byte. */
static void assert_saved_as(mm_model *model, uint32_t m, const float *x, const char *path)
{
	mm_error e = MM_ERROR_INIT;
	size_t a, b;
	assert_ok(mm_model_render(model, m, x, at("one.txt"), &e), e);
	char *ours = read_whole(at("one.txt"), &a), *theirs = read_whole(path, &b);
	if (strcmp(ours, theirs))
		fail_msg("%s holds\n%s, the library gives\n%s", path, theirs, ours);
	free(ours);
	free(theirs);
}

/* n samples of each toy. */
typedef struct tuples {
	float *x[TOYS];
	uint32_t n;
} tuples;

static tuples new_tuples(uint32_t n)
{
	tuples t = { .n = n };
	for (int m = 0; m < TOYS; m++)
		assert_non_null(t.x[m] = calloc((size_t)n * TOY_FLOATS, sizeof(float)));
	return t;
}

static void clear(tuples *t)
{
	for (int m = 0; m < TOYS; m++)
		free(t->x[m]);
}

static void assert_same(const float *a, const float *b, size_t n)
{
	assert_memory_equal(a, b, n * sizeof *a);
}

static tuples sampled(mm_model *model, uint32_t n)
{
	mm_error e = MM_ERROR_INIT;
	tuples t = new_tuples(n);
	assert_ok(mm_model_sample(model, n, NULL, t.x, NULL, &e), e);
	return t;
}

/* ---------------------------------------------------------------- what it holds */

static void a_model_says_what_it_holds(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mm_model_about about = { .struct_size = sizeof about };
	mm_modality_about m = { .struct_size = sizeof m };
	mm_model *model = open_run("run");
	(void)state;
	assert_ok(mm_model_describe(model, &about, &e), e);
	assert_int_equal(about.n_modalities, TOYS);
	assert_int_equal(about.latent_dim, 3);
	assert_int_equal(about.private_dim, 2);
	assert_int_equal(about.has_energy, 1);
	assert_int_equal(about.threads, 2);
	assert_int_equal(about.iteration, 12);
	assert_ok(mm_model_modality(model, 1, &m, &e), e);
	assert_string_equal(m.name, "m1");
	assert_string_equal(m.plugin, "org.example.toy");
	assert_string_equal(m.version, "1.0");
	assert_string_equal(m.kind, "vector");
	assert_string_equal(m.file_suffix, ".txt");
	assert_string_equal(m.support, "box");
	assert_string_equal(m.likelihood, "gaussian");
	assert_int_equal(m.rank, 1);
	assert_int_equal(m.dim[0], TOY_FLOATS);
	assert_int_equal(m.floats, TOY_FLOATS);
	assert_int_equal(m.can, MM_CAN_READ_FILES | MM_CAN_READ_TEXT | MM_CAN_DRAW);
	assert_int_equal(m.picture_width, 8);
	assert_int_equal(m.picture_height, 1);
	assert_int_equal(mm_model_find(model, "m2"), 2);
	assert_int_equal(mm_model_find(model, "m3"), -1);
	assert_string_equal(mm_model_meta(model, "plugin_versions"), "m0=1.0,m1=1.0,m2=1.0");
	assert_null(mm_model_meta(model, "nothing"));
	size_t n = 0;
	for (const char *key; (key = mm_model_meta_key(model, n)); n++)
		assert_non_null(mm_model_meta(model, key));
	assert_true(n > 5);
	assert_fails(mm_model_modality(model, 3, &m, &e), MM_EARG, e, "there is no modality 3; they are 0 to 2");
	mm_model_close(model);
}

static void memory_is_as_good_as_a_file(void **state)
{
	mm_error e = MM_ERROR_INIT;
	size_t size;
	mm_model *model = open_run("run"), *other;
	const mm_open_options o = options();
	char *bytes = read_whole(at("run/checkpoints/checkpoint-00000012.safetensors"), &size);
	(void)state;
	assert_ok(mm_model_open_memory(bytes, size, NULL, &o, &other, &e), e);
	memset(bytes, 0xA5, size); /* not needed any more */
	tuples a = sampled(model, 5), b = sampled(other, 5);
	for (int m = 0; m < TOYS; m++)
		assert_same(a.x[m], b.x[m], 5 * TOY_FLOATS);
	clear(&a);
	clear(&b);
	mm_model_close(model);
	mm_model_close(other);
	assert_fails(mm_model_open_memory(bytes, size, "block", &o, &other, &e), MM_EFORMAT, e,
	             "block: not a safetensors file");
	free(bytes);
}

static void a_cut_block_of_memory_is_refused_wherever_it_is_cut(void **state)
{
	mm_error e = MM_ERROR_INIT;
	size_t size;
	mm_model *model = NULL;
	const mm_open_options o = options();
	char *bytes = read_whole(at("run/checkpoints/checkpoint-00000012.safetensors"), &size);
	(void)state;
	for (size_t cut = 0; cut < size; cut += cut < 32 ? 1 : size / 50) {
		char *part = malloc(cut ? cut : 1); /* so that reading on is seen */
		assert_non_null(part);
		memcpy(part, bytes, cut);
		assert_int_equal(mm_model_open_memory(part, cut, NULL, &o, &model, &e), MM_EFORMAT);
		assert_null(model);
		free(part);
	}
	bytes[size - 5] ^= 1;
	assert_fails(mm_model_open_memory(bytes, size, NULL, &o, &model, &e), MM_EFORMAT, e, "damaged");
	free(bytes);
}

/* ---------------------------------------------------------------- as the commands write it */

static void samples_are_those_of_the_command(void **state)
{
	enum { N = 70 }; /* two blocks */
	mm_error e = MM_ERROR_INIT;
	char path[64];
	mm_model *model = open_run("run");
	tuples t = new_tuples(N), g = new_tuples(N);
	mm_options q = MM_OPTIONS_INIT;
	q.number = 7;
	(void)state;
	toy_program(toys, "sample --ckpt run --count 70 --number 7 --out samples");
	assert_ok(mm_model_sample(model, N, &q, t.x, g.x, &e), e);
	for (uint32_t i = 0; i < N; i += 23)
		for (uint32_t m = 0; m < TOYS; m++) {
			snprintf(path, sizeof path, "samples/revised/m%u-%05u.txt", m, i);
			assert_saved_as(model, m, t.x[m] + i * TOY_FLOATS, at(path));
			snprintf(path, sizeof path, "samples/generator/m%u-%05u.txt", m, i);
			assert_saved_as(model, m, g.x[m] + i * TOY_FLOATS, at(path));
		}
	/* Some of them, alone: the same ones. */
	float few[2 * TOY_FLOATS];
	float *const second[TOYS] = { NULL, few, NULL };
	assert_ok(mm_model_sample(model, 2, &q, NULL, second, &e), e);
	assert_same(few, g.x[1], 2 * TOY_FLOATS);
	assert_ok(mm_model_sample(model, 1, &q, second, NULL, &e), e);
	assert_same(few, t.x[1], TOY_FLOATS);
	clear(&t);
	clear(&g);
	mm_model_close(model);
}

static void translations_are_those_of_the_command(void **state)
{
	enum { INPUTS = 3, DRAWS = 30 };
	mm_error e = MM_ERROR_INIT;
	char path[64];
	mm_model *model = open_run("run");
	tuples s = sampled(model, INPUTS), t = new_tuples(INPUTS * DRAWS);
	mm_options q = MM_OPTIONS_INIT;
	q.draws = DRAWS;
	q.z_steps = 5;
	q.candidates = 4;
	(void)state;
	for (uint32_t i = 0; i < INPUTS; i++) {
		snprintf(path, sizeof path, "given-%u.txt", i);
		assert_ok(mm_model_render(model, 0, s.x[0] + i * TOY_FLOATS, at(path), &e), e);
	}
	toy_program(toys, "translate --ckpt run --given m0=given-0.txt,given-1.txt,given-2.txt --count 30 --z-steps 5 "
	                  "--candidates 4 --out translations");
	const float *const given[TOYS] = { s.x[0], NULL, NULL };
	assert_ok(mm_model_translate(model, INPUTS, given, NULL, &q, t.x, NULL, &e), e);
	for (uint32_t i = 0; i < INPUTS; i++)
		for (uint32_t d = 0; d < DRAWS; d += 29)
			for (uint32_t m = 1; m < TOYS; m++) {
				snprintf(path, sizeof path, "translations/m%u-%05u-%03u.txt", m, i, d);
				assert_saved_as(model, m, t.x[m] + (i * DRAWS + d) * TOY_FLOATS, at(path));
			}
	assert_same(t.x[0] + DRAWS * TOY_FLOATS, s.x[0] + TOY_FLOATS, TOY_FLOATS); /* what was given comes back */
	clear(&s);
	clear(&t);
	mm_model_close(model);
}

static void scores_are_those_of_the_command(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char arguments[256], expected[64];
	float energy[5];
	size_t size;
	mm_model *model = open_run("run");
	tuples t = sampled(model, 5);
	(void)state;
	for (uint32_t m = 0; m < TOYS; m++) {
		char name[32];
		snprintf(name, sizeof name, "tuple-%u.txt", m);
		assert_ok(mm_model_render(model, m, t.x[m] + 4 * TOY_FLOATS, at(name), &e), e);
	}
	snprintf(arguments, sizeof arguments, "score --ckpt run m0=tuple-0.txt m1=tuple-1.txt m2=tuple-2.txt");
	toy_program(toys, arguments);
	assert_ok(mm_model_score(model, 5, (const float *const *)t.x, NULL, energy, &e), e);
	char *said = read_whole(at("out"), &size);
	snprintf(expected, sizeof expected, "%.7g\n", (double)energy[4]);
	assert_string_equal(said, expected);
	free(said);
	clear(&t);
	mm_model_close(model);
}

/* The floats of a .npy file behind its header. */
static void assert_npy(const char *path, const float *x, size_t n)
{
	size_t size;
	char *bytes = read_whole(path, &size);
	assert_true(size > n * sizeof(float));
	assert_memory_equal(bytes + size - n * sizeof(float), x, n * sizeof(float));
	free(bytes);
}

static void latents_are_those_of_the_command(void **state)
{
	enum { N = 8, Z = 3, W = 2 }; /* the toy's test split */
	mm_error e = MM_ERROR_INIT;
	mm_model *model = open_run("run");
	tuples t = new_tuples(N);
	float mean[N * Z], scale[N * Z], w[N * W];
	(void)state;
	toy_program(toys, "encode --ckpt run --out latents");
	toy_program(toys, "translate --ckpt run --test-count 8 --given m1 --out test");
	for (uint32_t i = 0; i < N; i++) {
		char name[64];
		snprintf(name, sizeof name, "test/m1-%05u-given.txt", i);
		assert_ok(mm_model_read_file(model, 1, at(name), t.x[1] + i * TOY_FLOATS, &e), e);
	}
	const float *const x[TOYS] = { NULL, t.x[1], NULL };
	float *const z_mean[TOYS] = { NULL, mean, NULL }, *const z_scale[TOYS] = { NULL, scale, NULL };
	float *const w_mean[TOYS] = { NULL, w, NULL };
	const mm_encoded out = { .struct_size = sizeof out, .z_mean = z_mean, .z_scale = z_scale, .w_mean = w_mean };
	assert_ok(mm_model_encode(model, N, x, NULL, &out, &e), e);
	assert_npy(at("latents/m1-z-mean.npy"), mean, N * Z);
	assert_npy(at("latents/m1-z-scale.npy"), scale, N * Z);
	assert_npy(at("latents/m1-w-mean.npy"), w, N * W);
	clear(&t);
	mm_model_close(model);
}

/* ---------------------------------------------------------------- chains */

/* Which of n tuples are as they were. */
static int unmoved(const tuples *a, const tuples *b, int n)
{
	int same = 0;
	for (int i = 0; i < n; i++)
		same += !memcmp(a->x[0] + i * TOY_FLOATS, b->x[0] + i * TOY_FLOATS, TOY_FLOATS * sizeof(float));
	return same;
}

/* Some stay, as in samples; without the bound none does. */
static void the_data_chain_is_bounded_as_in_samples(void **state)
{
	enum { N = 32 };
	const char *sets[] = { "energy.agreement=10", "sample.rise_max=1e-3" };
	mm_error e = MM_ERROR_INIT;
	mm_open_options o = options();
	mm_options q = MM_OPTIONS_INIT;
	q.guide_steps = 0;
	q.candidates = 1;
	q.x_steps = 4;
	(void)state;
	o.settings = sets;
	for (o.n_settings = 1; o.n_settings <= 2; o.n_settings++) {
		mm_model *model;
		assert_ok(mm_model_open(at("run"), &o, &model, &e), e);
		tuples t = new_tuples(N), g = new_tuples(N), r = new_tuples(N);
		assert_ok(mm_model_sample(model, N, &q, t.x, g.x, &e), e);
		for (int m = 0; m < TOYS; m++)
			memcpy(r.x[m], g.x[m], N * TOY_FLOATS * sizeof(float));
		assert_ok(mm_model_revise(model, N, NULL, &q, r.x, &e), e);
		for (int m = 0; m < TOYS; m++)
			assert_same(r.x[m], t.x[m], N * TOY_FLOATS);
		print_message("%zu settings: %d of %d stayed\n", o.n_settings, unmoved(&r, &g, N), (int)N);
		assert_in_range(unmoved(&r, &g, N), o.n_settings > 1 ? 1 : 0, o.n_settings > 1 ? N - 1 : 0);
		clear(&t);
		clear(&g);
		clear(&r);
		mm_model_close(model);
	}
}

static void the_data_chain_alone_is_that_of_samples(void **state)
{
	enum { N = 9 };
	mm_error e = MM_ERROR_INIT;
	mm_model *model = open_run("run");
	tuples t = new_tuples(N), g = new_tuples(N);
	mm_options q = MM_OPTIONS_INIT;
	uint8_t held[N] = { 1, 0, 1 };
	q.guide_steps = 0;
	q.candidates = 1;
	q.x_steps = 4;
	(void)state;
	assert_ok(mm_model_sample(model, N, &q, t.x, g.x, &e), e);
	float first[TOY_FLOATS], second[TOY_FLOATS];
	memcpy(first, g.x[1], sizeof first);
	memcpy(second, g.x[1] + TOY_FLOATS, sizeof second);
	assert_true(memcmp(t.x[1], g.x[1], sizeof first) != 0);
	tuples r = new_tuples(N);
	for (int m = 0; m < TOYS; m++)
		memcpy(r.x[m], g.x[m], N * TOY_FLOATS * sizeof(float));
	assert_ok(mm_model_revise(model, N, NULL, &q, r.x, &e), e);
	for (int m = 0; m < TOYS; m++)
		assert_same(r.x[m], t.x[m], N * TOY_FLOATS);
	const uint8_t *const marks[TOYS] = { NULL, held, NULL };
	assert_ok(mm_model_revise(model, N, marks, &q, g.x, &e), e);
	assert_same(g.x[1], first, TOY_FLOATS);
	assert_true(memcmp(g.x[1] + TOY_FLOATS, second, sizeof second) != 0);
	clear(&t);
	clear(&g);
	clear(&r);
	mm_model_close(model);
}

static void the_posterior_chain_alone_is_that_of_translations(void **state)
{
	enum { N = 6, Z = 3, W = 2 };
	mm_error e = MM_ERROR_INIT;
	mm_model *model = open_run("run");
	tuples s = sampled(model, N), a = new_tuples(N), b = new_tuples(N);
	const float *const given[TOYS] = { NULL, s.x[1], NULL };
	float z[2][N * Z], w[2][TOYS][N * W];
	float *const w0[TOYS] = { w[0][0], w[0][1], w[0][2] }, *const w1[TOYS] = { w[1][0], w[1][1], w[1][2] };
	const mm_latents start = { sizeof start, z[0], w0 }, end = { sizeof end, z[1], w1 };
	mm_options q = MM_OPTIONS_INIT;
	q.mean = 1;
	q.z_steps = 0;
	q.x_steps = 0;
	(void)state;
	assert_ok(mm_model_translate(model, N, given, NULL, &q, NULL, &start, &e), e);
	q.z_steps = 6;
	assert_ok(mm_model_translate(model, N, given, NULL, &q, a.x, &end, &e), e);
	assert_true(memcmp(z[0], z[1], sizeof z[0]) != 0);
	assert_ok(mm_model_revise_latents(model, N, given, NULL, &q, &start, &e), e);
	assert_same(z[0], z[1], N * Z);
	assert_same(w[0][1], w[1][1], N * W);
	assert_ok(mm_model_decode(model, N, &end, NULL, b.x, &e), e);
	assert_same(a.x[0], b.x[0], N * TOY_FLOATS);
	assert_same(a.x[2], b.x[2], N * TOY_FLOATS);
	clear(&s);
	clear(&a);
	clear(&b);
	mm_model_close(model);
}

/* Tuples that lack different things, together as apart. */
static void tuples_may_lack_what_others_have(void **state)
{
	enum { N = 2 };
	mm_error e = MM_ERROR_INIT;
	mm_model *model = open_run("run");
	tuples s = sampled(model, N), mixed = new_tuples(N), both = new_tuples(N), one = new_tuples(N);
	const float *const given[TOYS] = { s.x[0], s.x[1], NULL }, *const first[TOYS] = { s.x[0], NULL, NULL };
	const uint8_t lacks[N] = { 1, 0 };
	const uint8_t *const lacking[TOYS] = { NULL, lacks, NULL };
	(void)state;
	s.x[1][3] = NAN; /* of what is not given nothing is seen */
	assert_ok(mm_model_translate(model, N, given, lacking, NULL, mixed.x, NULL, &e), e);
	s.x[1][3] = 0.5f;
	assert_ok(mm_model_translate(model, N, given, NULL, NULL, both.x, NULL, &e), e);
	assert_ok(mm_model_translate(model, N, first, NULL, NULL, one.x, NULL, &e), e);
	for (int m = 0; m < TOYS; m++) {
		assert_same(mixed.x[m], one.x[m], TOY_FLOATS);
		assert_same(mixed.x[m] + TOY_FLOATS, both.x[m] + TOY_FLOATS, TOY_FLOATS);
	}
	const uint8_t *const nothing[TOYS] = { lacks, lacks, NULL };
	assert_fails(mm_model_translate(model, N, given, nothing, NULL, mixed.x, NULL, &e), MM_EARG, e,
	             "nothing is given of tuple 0");
	clear(&s);
	clear(&mixed);
	clear(&both);
	clear(&one);
	mm_model_close(model);
}

/* ---------------------------------------------------------------- files, words, pictures */

static void samples_come_from_words_and_become_pictures(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mm_model *model = open_run("run");
	float x[TOY_FLOATS];
	uint8_t rgb[3 * TOY_FLOATS];
	(void)state;
	assert_ok(mm_model_read_text(model, 0, "0 0.5 1 -1 0 0 0 0.25", x, &e), e);
	assert_float_equal(x[1], 0.5f, 0);
	assert_float_equal(x[7], 0.25f, 0);
	assert_ok(mm_model_draw(model, 0, x, rgb, sizeof rgb, &e), e);
	assert_int_equal(rgb[0], 127);
	assert_int_equal(rgb[3 * 2], 255);
	assert_int_equal(rgb[3 * 3 + 2], 0);
	assert_fails(mm_model_draw(model, 0, x, rgb, 23, &e), MM_EARG, e,
	             "stride is 23; a row of the picture has 24 bytes");
	assert_fails(mm_model_read_text(model, 0, "one two", x, &e), MM_EFORMAT, e, "read_text: expected eight numbers");
	assert_fails(mm_model_read_text(model, 0, "0 0 0 0 0 0 0 9", x, &e), MM_EFORMAT, e, "9");
	assert_fails(mm_model_read_file(model, 0, at("nowhere"), x, &e), MM_EIO, e, "cannot read the file");
	assert_fails(mm_model_render(model, 1, x, at("no/such/folder"), &e), MM_EIO, e, "[m1]");
	mm_model_close(model);
}

/* ---------------------------------------------------------------- what is refused */

static void checkpoints_and_plugins_that_do_not_fit_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char plugin[600];
	mm_model *model = NULL;
	mm_open_options o = options();
	const char *const plugins[] = { plugin };
	const char *const settings[] = { "m0.hidden=17" };
	(void)state;
	assert_fails(mm_model_open(at("nowhere.safetensors"), &o, &model, &e), MM_EIO, e, "nowhere.safetensors");
	assert_fails(mm_model_open(at("toy.ini"), &o, &model, &e), MM_EFORMAT, e, "not a safetensors file");
	snprintf(plugin, sizeof plugin, "m0=%s/toy_next.so", getenv("MMCORE_TEST_PLUGINS"));
	o.plugins = plugins;
	o.n_plugins = 1;
	assert_fails(
		mm_model_open(at("run"), &o, &model, &e), MM_ECONFIG, e,
		"[m0] the checkpoint was trained with version 1.0 of plugin org.example.toy, here it is version 2.0 (");
	snprintf(plugin, sizeof plugin, "m0=%s/toy_data.so", getenv("MMCORE_TEST_PLUGINS"));
	assert_int_equal(mm_model_open(at("run"), &o, &model, &e), MM_ECONFIG);
	o.n_plugins = 0;
	o.settings = settings;
	o.n_settings = 1;
	assert_fails(mm_model_open(at("run"), &o, &model, &e), MM_ESHAPE, e, "another architecture");
	o = options();
	o.device = "abacus";
	assert_fails(mm_model_open(at("run"), &o, &model, &e), MM_ECONFIG, e, "abacus");
	o = options();
	o.plugin_path = toys;
	assert_fails(mm_model_open(at("run"), &o, &model, &e), MM_EIO, e, "toy.so");
	assert_null(model);
}

static void a_baseline_has_no_energy(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mm_model_about about = { .struct_size = sizeof about };
	mm_model *model = open_run("plain");
	float energy[2];
	(void)state;
	assert_ok(mm_model_describe(model, &about, &e), e);
	assert_int_equal(about.has_energy, 0);
	tuples t = sampled(model, 2), g = new_tuples(2);
	assert_ok(mm_model_sample(model, 2, NULL, NULL, g.x, &e), e);
	assert_same(t.x[0], g.x[0], 2 * TOY_FLOATS);
	assert_fails(mm_model_score(model, 2, (const float *const *)t.x, NULL, energy, &e), MM_EUNSUPPORTED, e,
	             "a score needs an energy model");
	assert_fails(mm_model_revise(model, 2, NULL, NULL, t.x, &e), MM_EUNSUPPORTED, e, "the data chain needs");
	mm_options q = MM_OPTIONS_INIT;
	q.x_steps = 1;
	assert_fails(mm_model_sample(model, 2, &q, t.x, NULL, &e), MM_EUNSUPPORTED, e, "options.x_steps needs");
	clear(&t);
	clear(&g);
	mm_model_close(model);
}

static void arguments_that_make_no_sense_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mm_model *model = open_run("run"), *out;
	tuples t = sampled(model, 2);
	const float *const some[TOYS] = { t.x[0], NULL, t.x[2] }, *const none[TOYS] = { NULL };
	float energy[2];
	mm_options q = MM_OPTIONS_INIT;
	mm_model_about about = { 0 };
	(void)state;
	assert_fails(mm_model_open(NULL, NULL, &out, &e), MM_EARG, e, "path is NULL");
	assert_fails(mm_model_open("x", NULL, NULL, &e), MM_EARG, e, "out is NULL");
	assert_int_equal(mm_model_open(NULL, NULL, NULL, NULL), MM_EARG);
	assert_fails(mm_model_sample(NULL, 2, NULL, t.x, NULL, &e), MM_EARG, e, "model is NULL");
	assert_fails(mm_model_describe(model, &about, &e), MM_EARG, e, "about: struct_size is 0");
	q.struct_size = 0;
	assert_fails(mm_model_sample(model, 2, &q, t.x, NULL, &e), MM_EARG, e, "options: struct_size is 0");
	q.struct_size = sizeof q;
	q.number = 65536;
	assert_fails(mm_model_sample(model, 2, &q, t.x, NULL, &e), MM_EARG, e, "options.number is 65536");
	q.number = 0;
	q.candidates = 0;
	assert_fails(mm_model_sample(model, 2, &q, t.x, NULL, &e), MM_EARG, e, "options.candidates is 0");
	q.candidates = -1;
	assert_fails(mm_model_sample(model, 4194305, &q, t.x, NULL, &e), MM_EARG, e, "at most 4194304");
	assert_fails(mm_model_score(model, 2, some, NULL, energy, &e), MM_EARG, e, "x[1] (m1) is NULL");
	assert_fails(mm_model_translate(model, 2, none, NULL, NULL, t.x, NULL, &e), MM_EARG, e, "nothing is given");
	q.expert = 1;
	assert_fails(mm_model_translate(model, 2, some, NULL, &q, t.x, NULL, &e), MM_EARG, e, "options.expert is 1");
	t.x[2][11] = INFINITY;
	assert_fails(mm_model_translate(model, 2, some, NULL, NULL, t.x, NULL, &e), MM_EARG, e,
	             "value 3 of sample 1 of m2 is inf");
	assert_fails(mm_model_score(model, 2, (const float *const *)t.x, NULL, energy, &e), MM_EARG, e,
	             "value 3 of sample 1 of m2 is inf");
	assert_ok(mm_model_sample(model, 0, NULL, t.x, NULL, &e), e);
	clear(&t);
	mm_model_close(model);
	mm_model_close(NULL);
}

/* A program that was built with an older header knows fewer members. */
static void structs_of_older_and_newer_programs_are_understood(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mm_model *model = open_run("run");
	tuples a = new_tuples(2), b = new_tuples(2);
	struct {
		mm_options known;
		char unknown[64];
	} newer = { .known = MM_OPTIONS_INIT };
	mm_options older = MM_OPTIONS_INIT;
	mm_model_about about = { .struct_size = offsetof(mm_model_about, latent_dim), .latent_dim = -7 };
	(void)state;
	newer.known.struct_size = sizeof newer;
	newer.known.number = older.number = 3;
	older.x_steps = 1000000;
	older.struct_size = offsetof(mm_options, x_steps);
	assert_ok(mm_model_sample(model, 2, &newer.known, a.x, NULL, &e), e);
	assert_ok(mm_model_sample(model, 2, &older, b.x, NULL, &e), e);
	assert_same(a.x[0], b.x[0], 2 * TOY_FLOATS);
	assert_ok(mm_model_describe(model, &about, &e), e);
	assert_int_equal(about.n_modalities, TOYS);
	assert_int_equal(about.latent_dim, -7);
	clear(&a);
	clear(&b);
	mm_model_close(model);
}

/* An energy of latents is none of tuples: its chain is a part of each draw of the prior, and no other. */
static void samples_of_a_latent_energy_come_by_its_chain(void **state)
{
	static const char *const still[] = { "learner.prior_steps=0" };
	mm_error e = MM_ERROR_INIT;
	mm_model_about about = { .struct_size = sizeof about };
	mm_model *model = open_run("latent"), *without = NULL;
	mm_open_options o = options();
	(void)state;
	o.settings = still;
	o.n_settings = 1;
	assert_ok(mm_model_open(at("latent"), &o, &without, &e), e);
	assert_ok(mm_model_describe(model, &about, &e), e);
	assert_int_equal(about.has_energy, 0);
	tuples moved = sampled(model, 3), again = sampled(model, 3), unmoved = sampled(without, 3);
	assert_same(moved.x[0], again.x[0], 3 * TOY_FLOATS);
	assert_memory_not_equal(moved.x[0], unmoved.x[0], 3 * TOY_FLOATS * sizeof(float));
	clear(&moved);
	clear(&again);
	clear(&unmoved);
	mm_model_close(model);
	mm_model_close(without);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_says_what_it_holds),
		cmocka_unit_test(memory_is_as_good_as_a_file),
		cmocka_unit_test(a_cut_block_of_memory_is_refused_wherever_it_is_cut),
		cmocka_unit_test(samples_are_those_of_the_command),
		cmocka_unit_test(samples_of_a_latent_energy_come_by_its_chain),
		cmocka_unit_test(translations_are_those_of_the_command),
		cmocka_unit_test(scores_are_those_of_the_command),
		cmocka_unit_test(latents_are_those_of_the_command),
		cmocka_unit_test(the_data_chain_alone_is_that_of_samples),
		cmocka_unit_test(the_data_chain_is_bounded_as_in_samples),
		cmocka_unit_test(the_posterior_chain_alone_is_that_of_translations),
		cmocka_unit_test(tuples_may_lack_what_others_have),
		cmocka_unit_test(samples_come_from_words_and_become_pictures),
		cmocka_unit_test(checkpoints_and_plugins_that_do_not_fit_are_refused),
		cmocka_unit_test(a_baseline_has_no_energy),
		cmocka_unit_test(arguments_that_make_no_sense_are_refused),
		cmocka_unit_test(structs_of_older_and_newer_programs_are_understood),
	};
	return cmocka_run_group_tests(tests, train_once, rig_teardown);
}
