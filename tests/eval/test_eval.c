/* test_eval.c - the judge, reports, and latents as files, of a tiny run on a test plugin's made-up data. */
#include "mmi_build.h"

#include "../rig/eval_rig.h"

#include <math.h>

#include "trained/encode.h"
#include "store/files.h"
#include "store/npy.h"
#include "../rig/device_rig.h"

/* ------------------------------------------------------------ the judge */

static void the_judge_learns_what_the_labels_say(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j;
	float x[21 * 8], features[21 * 5], one[5];
	int32_t class_of[21], alone;
	eval_open_setup(*state, TWO, NULL, &setup);
	assert_ok(mmi_judge_train(&setup, &eval_quick, &eval_quiet, &j, &e), e);
	for (int r = 0; r < 21; r++) /* more than one chunk, and not whole ones */
		for (int i = 0; i < 8; i++)
			x[r * 8 + i] = r % 3 == 1 ? 0.5f : -0.5f;
	for (uint32_t m = 0; m < 2; m++) {
		assert_true(j->member[m].accuracy == 1);
		assert_int_equal(j->member[m].tested, 8);
		assert_int_equal(j->member[m].n_features, 5);
		mmi_judge_run(j, m, x, 21, class_of, features);
		for (int r = 0; r < 21; r++)
			assert_int_equal(class_of[r], r % 3 == 1);
		mmi_judge_run(j, m, x + 19 * 8, 1, &alone, one); /* a row alone gives what it gives among others */
		assert_int_equal(alone, class_of[19]);
		assert_memory_equal(one, features + 19 * 5, sizeof one);
	}
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

static void threads_do_not_change_the_judge(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup[2];
	mmi_judge *j[2];
	const mmi_judge_training how = { .epochs = 3, .batch = 32, .rate = 1e-2 };
	for (int i = 0; i < 2; i++) {
		eval_open_setup(*state, TWO, i ? "run.threads=3" : NULL, &setup[i]);
		assert_ok(mmi_judge_train(&setup[i], &how, &eval_quiet, &j[i], &e), e);
	}
	assert_int_equal(j[0]->params->count, j[1]->params->count);
	assert_memory_equal(j[0]->params->raw.at, j[1]->params->raw.at, j[0]->params->count * sizeof(float));
	for (int i = 0; i < 2; i++) {
		mmi_judge_destroy(j[i]);
		mmi_setup_close(&setup[i]);
	}
}

static void a_judge_is_read_back_as_it_was(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j;
	char text[64];
	const char *path = eval_make_judge(*state);
	eval_open_setup(*state, TWO, NULL, &setup);
	assert_ok(mmi_judge_open(path, cpu_device(), setup.modalities, setup.n_modalities, setup.pool, &j, &e), e);
	assert_string_equal(mmi_judge_text(j, text, sizeof text), "a 1.0000, b 1.0000");
	mmi_judge_destroy(j);
	assert_ok(mmi_judge_open(path, cpu_device(), setup.modalities + 1, 1, setup.pool, &j, &e),
	          e); /* b alone: a judge may know more */
	assert_string_equal(mmi_judge_text(j, text, sizeof text), "b 1.0000");
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

static void judges_of_other_modalities_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j = NULL;
	char checkpoint[512];
	const char *path = eval_make_judge(*state);
	eval_open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy.so\n[c]\nplugin = " BADPLUGIN_DIR "/toy.so\n", NULL,
	                &setup);
	assert_fails(mmi_judge_open(path, cpu_device(), setup.modalities, 2, setup.pool, &j, &e), MM_ESHAPE, e,
	             "does not know the modality \"c\"");
	mmi_setup_close(&setup);
	eval_open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy_newer.so\n", NULL, &setup);
	assert_fails(mmi_judge_open(path, cpu_device(), setup.modalities, 1, setup.pool, &j, &e), MM_ESHAPE, e,
	             "this judge's \"a\" is vector of plugin org.example.toy,");
	mmi_setup_close(&setup);
	eval_make_run(*state, checkpoint, sizeof checkpoint);
	eval_open_setup(*state, TWO, NULL, &setup);
	assert_fails(mmi_judge_open(checkpoint, cpu_device(), setup.modalities, 2, setup.pool, &j, &e), MM_EFORMAT, e,
	             "expected \"mmcore judge 1\"");
	assert_null(j);
	mmi_setup_close(&setup);
}

static void a_matcher_takes_any_number_of_modalities(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j, *part;
	float x[8] = { 0.5f, -0.5f, 0.25f }, all[MMI_MATCHER_DIM], some[MMI_MATCHER_DIM];
	mmi_judge_training how = eval_quick;
	how.epochs = 3;
	how.wish = MMI_MATCHER_YES;
	eval_open_setup(*state, TWO "[c]\nplugin = " BADPLUGIN_DIR "/toy.so\n", NULL, &setup);
	assert_ok(mmi_judge_train(&setup, &how, &eval_quiet, &j, &e), e);
	for (uint32_t a = 0; a < 3; a++)
		for (uint32_t b = 0; b < 3; b++)
			assert_int_equal(j->matcher->recall[a][b].queries, a == b ? 0 : 8);
	assert_ok(mmi_judge_save(j, &setup, rig_path(*state, "three"), &e), e);
	assert_ok(mmi_judge_open(rig_path(*state, "three"), cpu_device(), setup.modalities + 1, 2, setup.pool, &part, &e),
	          e); /* b and c alone */
	assert_memory_equal(&part->matcher->recall[0][1], &j->matcher->recall[1][2], sizeof(mmi_recall));
	mmi_matcher_run(j->matcher, 2, x, 1, all);
	mmi_matcher_run(part->matcher, 1, x, 1, some);
	assert_memory_equal(all, some, sizeof all);
	mmi_judge_destroy(part);
	mmi_judge_destroy(j);
	mmi_setup_close(&setup);
}

static void without_classifiers_there_is_no_judge(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j = NULL;
	eval_open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy_minimal.so\n", NULL, &setup);
	assert_fails(mmi_judge_train(&setup, &eval_quick, &eval_quiet, &j, &e), MM_EUNSUPPORTED, e,
	             "nothing to judge samples with: [a] ");
	assert_null(j);
	mmi_setup_close(&setup);
}

static bool at_once(void *ctx)
{
	(void)ctx;
	return true;
}

static void training_a_judge_can_be_stopped(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *j = NULL;
	const mmi_judge_hooks hooks = { .stop = at_once };
	eval_open_setup(*state, TWO, NULL, &setup);
	assert_fails(mmi_judge_train(&setup, &eval_quick, &hooks, &j, &e), MM_ECANCELLED, e,
	             "interrupted after 0 of 120 batches");
	mmi_setup_close(&setup);
}

static void pictures_are_judged_as_they_are_saved(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	float x[8] = { -1, 1, 0, 1.5f, -7, 1.0f / 255, 0.001f, -0.999f };
	const float levels[8] = { 0, 255, 128, 255, 0, 128, 128, 0 };
	(void)e;
	eval_open_setup(*state, TWO, NULL, &setup);
	mmi_judge_as_saved(&setup.modalities[0], x, 1);
	for (int i = 0; i < 8; i++)
		assert_float_equal(x[i], levels[i] / 255 * 2 - 1, 1e-6f);
	mmi_setup_close(&setup);
	eval_open_setup(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy_minimal.so\n", NULL, &setup);
	float real[2] = { 0.1234567f, -30 };
	mmi_judge_as_saved(&setup.modalities[0], real, 1);
	assert_true(real[0] == 0.1234567f && real[1] == -30);
	mmi_setup_close(&setup);
}

/* ------------------------------------------------------------ figures */

static void figures_survive_a_file(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report f = { 0 }, g;
	char *json, *csv;
	size_t bytes;
	assert_ok(mmi_report_fact(&f, "checkpoint", &e, "a \"quoted\" name"), e);
	assert_ok(mmi_report_fact(&f, "samples", &e, "%d", 1000), e);
	assert_ok(mmi_report_add(&f, "coherence, z revised", "a -> b", "generator", 0.1, &e), e);
	assert_ok(mmi_report_add(&f, "coherence, z revised", "a -> b", "match, untrained", NAN, &e), e);
	assert_ok(mmi_report_lack(&f, "Frechet distance", "no LAPACK", &e), e);
	assert_ok(mmi_report_json(&f, &json, &e), e);
	assert_ok(mmi_report_write(&f, rig_path(*state, "folder"), "f", &e), e);
	csv = rig_read(rig_path(*state, "folder/f.csv"), &bytes);
	assert_string_equal(csv, "figure,of,variant,value\n\"coherence, z revised\",a -> b,generator,0.1\n"
	                         "\"coherence, z revised\",a -> b,\"match, untrained\",\nFrechet distance,,,\n");
	assert_non_null(strstr(json, "\"samples\":\t1000"));
	assert_ok(mmi_write_file_atomic(rig_path(*state, "f.json"), json, strlen(json), &e), e);
	assert_ok(mmi_report_read(rig_path(*state, "f.json"), &g, &e), e);
	assert_int_equal(g.n, 3);
	assert_true(mmi_report_find(&g, "coherence, z revised", "a -> b", "generator")->value == 0.1);
	assert_true(isnan(g.item[1].value));
	assert_string_equal(g.item[2].why, "no LAPACK");
	mmi_report_clear(&f);
	mmi_report_clear(&g);
	mmi_free(json);
	free(csv);
	assert_ok(mmi_write_file_atomic(rig_path(*state, "bad.json"), "{\"a\": 1}", 8, &e), e);
	assert_fails(mmi_report_read(rig_path(*state, "bad.json"), &g, &e), MM_EFORMAT, e, "no list \"figures\"");
	assert_ok(mmi_write_file_atomic(rig_path(*state, "bad.json"), "# no", 4, &e), e);
	assert_fails(mmi_report_read(rig_path(*state, "bad.json"), &g, &e), MM_EFORMAT, e, "not valid JSON");
}

/* Sources down, targets across, a dash where a modality would go to itself; the mean in a table of its own. */
static void pairs_are_printed_as_a_matrix(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report f = { 0 };
	size_t bytes;
	assert_ok(mmi_report_add(&f, "coherence", "a -> b", "generator", 0.25, &e), e);
	assert_ok(mmi_report_add(&f, "coherence", "b -> a", "generator", 0.5, &e), e);
	assert_ok(mmi_report_add(&f, "coherence", "mean", "generator", 0.375, &e), e);
	FILE *out = fopen(rig_path(*state, "table"), "w");
	assert_non_null(out);
	mmi_report_print(&f, out);
	assert_int_equal(fclose(out), 0);
	char *text = rig_read(rig_path(*state, "table"), &bytes);
	assert_string_equal(text, "\ncoherence, generator                                 a         b\n"
	                          "  from a                                             -    0.2500\n"
	                          "  from b                                        0.5000         -\n"
	                          "\ncoherence                                       generator\n"
	                          "  mean                                             0.3750\n");
	free(text);
	mmi_report_clear(&f);
}

static void seeds_are_summarised_by_mean_and_deviation(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report run[3] = { { 0 } }, s;
	const double values[3] = { 0.2, 0.5, 0.8 };
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_ok(mmi_report_add(&run[i], "coherence", "all", "revised", values[i], &e), e);
		if (i < 2)
			assert_ok(mmi_report_add(&run[i], "cost", "seconds", "", i + 1, &e), e);
		assert_ok(mmi_report_lack(&run[i], "Frechet distance", "no LAPACK", &e), e);
		assert_ok(mmi_report_fact(&run[i], "split", &e, "test"), e);
		assert_ok(mmi_report_fact(&run[i], "samples", &e, "%d", i < 2 ? 1000 : 500), e);
	}
	assert_ok(mmi_report_add(&run[2], "coherence", "one", "revised", 0.25, &e),
	          e); /* the first run has none of these two */
	assert_ok(mmi_report_add(&run[1], "alignment", "mean", "", 0.75, &e), e);
	assert_ok(mmi_report_summary(run, 3, &s, &e), e);
	assert_int_equal(s.n, 12);
	assert_float_equal(mmi_report_find(&s, "coherence, revised", "one", "mean")->value, 0.25, 1e-12);
	assert_float_equal(mmi_report_find(&s, "alignment", "mean", "runs")->value, 1, 0);
	assert_int_equal(s.n_facts, 2);
	assert_string_equal(s.fact[1].key, "runs differ in");
	assert_string_equal(s.fact[1].value, "samples");
	assert_float_equal(mmi_report_find(&s, "coherence, revised", "all", "mean")->value, 0.5, 1e-12);
	assert_float_equal(mmi_report_find(&s, "coherence, revised", "all", "sd")->value, 0.3, 1e-12);
	assert_float_equal(mmi_report_find(&s, "coherence, revised", "all", "runs")->value, 3, 0);
	assert_float_equal(mmi_report_find(&s, "cost", "seconds", "mean")->value, 1.5, 1e-12);
	assert_float_equal(mmi_report_find(&s, "cost", "seconds", "runs")->value, 2, 0);
	mmi_report_clear(&s);
	assert_ok(mmi_report_summary(run, 1, &s, &e), e);
	assert_int_equal(s.n_facts, 1);
	assert_true(isnan(mmi_report_find(&s, "coherence, revised", "all", "sd")->value)); /* one run has no spread */
	mmi_report_clear(&s);
	for (int i = 0; i < 3; i++)
		mmi_report_clear(&run[i]);
}

static void unknown_figures_are_named(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_eval_request all = { .only = NULL }, some = { .only = "cost,energy" }, but = { .without = "cost" };
	(void)state;
	assert_ok(mmi_eval_check_names("cost,energy", &e), e);
	assert_true(mmi_eval_wants(&some, "cost") && mmi_eval_wants(&some, "energy") &&
	            !mmi_eval_wants(&some, "coherence"));
	assert_true(mmi_eval_wants(&all, "cost") && mmi_eval_wants(&but, "energy") && !mmi_eval_wants(&but, "cost"));
	assert_fails(mmi_eval_check_names("cost,fid", &e), MM_ECONFIG, e,
	             "unknown figures \"fid\"; there are alignment,coherence,");
	assert_fails(mmi_eval_check_names("costs", &e), MM_ECONFIG, e, "unknown figures \"costs\"");
}

/* ------------------------------------------------------------ whose choice the plugin's file is */

static mm_status reopen(rig *r, const char *settings, const char *const *sets, mm_error *e)
{
	const mmi_text_pair meta[] = { { "settings", settings }, { "modalities", "a" } };
	const char *path = rig_path(r, "forged.safetensors");
	int64_t zero = 0;
	const mmi_tensor_item item = mmi_item_counter("state.iteration", &zero);
	mmi_setup setup;
	mmi_checkpoint *ck;
	MMI_TRY(mmi_checkpoint_save(path, &item, 1, meta, 2, e));
	MMI_TRY(mmi_checkpoint_open(path, &ck, e));
	mm_status status = mmi_setup_reopen(ck, &(mmi_setup_request){ .sets = sets, .n_sets = sets ? 1 : 0 }, &setup, e);
	if (status == MM_OK)
		mmi_setup_close(&setup);
	mmi_checkpoint_close(ck);
	return status;
}

static void a_checkpoint_cannot_choose_which_file_runs(void **state)
{
	static const char *const file[] = { "a.plugin=" BADPLUGIN_DIR "/toy.so" }, *const folder[] = {
		"run.plugin_path=" BADPLUGIN_DIR
	};
	mm_error e = MM_ERROR_INIT;
	setenv("MMCORE_PLUGIN_PATH", "", 1);
	assert_fails(reopen(*state, "[a]\nplugin = " BADPLUGIN_DIR "/toy.so\n", NULL, &e), MM_ECONFIG, e,
	             "a checkpoint cannot choose which file is run");
	assert_fails(reopen(*state, "[a]\nplugin = x/evil.so\n", NULL, &e), MM_ECONFIG, e, "give --plugin a=FILE");
	assert_fails(reopen(*state, "[run]\nplugin_path = " BADPLUGIN_DIR "\n[a]\nplugin = toy.so\n", NULL, &e), MM_EIO, e,
	             "plugin toy.so was not found");
	assert_ok(reopen(*state, "[a]\nplugin = x/evil.so\n", file, &e), e);
	assert_ok(reopen(*state, "[a]\nplugin = toy.so\n", folder, &e), e);
}

/* ------------------------------------------------------------ latents as files */

static void latents_are_written_for_every_tuple(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char checkpoint[512], path[400], *text;
	size_t bytes;
	mmi_saved saved;
	mmi_tuples *tuples;
	eval_make_run(*state, checkpoint, sizeof checkpoint);
	assert_ok(mmi_saved_open(checkpoint, &(mmi_setup_request){ .ini = NULL }, 4, &saved, &e), e);
	assert_ok(mmi_tuples_open(saved.setup.modalities, 2, MMI_PART_TEST, 0, 1, NULL, &tuples, &e), e);
	snprintf(path, sizeof path, "%s", rig_path(*state, "latents"));
	const mmi_encode_request request = { .count = 100, .block = 4, .folder = path };
	assert_ok(mmi_encode_write(&saved, tuples, &request, &e), e);
	snprintf(path, sizeof path, "%s", rig_path(*state, "latents/b-z-mean.npy"));
	assert_ok(mmi_read_file(path, 1 << 20, &text, &bytes, &e), e);
	assert_memory_equal(text, "\x93NUMPY\x01\x00", 8);
	assert_non_null(strstr(text + 10, "'shape': (8, 3), }"));
	size_t header = 10 + (unsigned char)text[8] + 256u * (unsigned char)text[9];
	assert_int_equal(header % 64, 0);
	assert_int_equal(bytes, header + 8 * 3 * sizeof(float));
	/* What is in the file is what the encoder says. */
	float x[2][4 * 8], z[4 * 3];
	mmi_experts experts;
	for (uint32_t r = 0; r < 4; r++)
		assert_ok(mmi_tuples_read(tuples, 4 + r, (float *[]){ x[0] + 8 * r, x[1] + 8 * r }, &e), e);
	assert_ok(mmi_sampler_prepare(saved.sampler, MMI_NET_ALL, &e), e);
	assert_ok(mmi_experts_create(saved.model, 4, &experts, &e), e);
	mmi_sampler_encode(saved.sampler, (const float *[]){ x[0], x[1] }, 4, &experts);
	memcpy(z, text + header + 4 * 3 * sizeof(float), sizeof z);
	assert_memory_equal(z, experts.loc[1], sizeof z);
	mmi_free(text);
	mmi_experts_clear(&experts);
	mmi_tuples_close(tuples);
	mmi_saved_close(&saved);
	snprintf(path, sizeof path, "%s", rig_path(*state, "latents/a-latents.csv"));
	assert_ok(mmi_read_file(path, 1 << 20, &text, &bytes, &e), e);
	assert_memory_equal(text, "key,label,z_mean_0,z_mean_1,z_mean_2,z_scale_0,z_scale_1,z_scale_2\n0,0,", 70);
	mmi_free(text);
}

/* The values of an array of floats in the rig's folder. */
static void read_array(rig *r, const char *name, float *out, size_t n)
{
	mm_error e = MM_ERROR_INIT;
	char *bytes;
	size_t size;
	assert_ok(mmi_read_file(rig_path(r, name), 1 << 20, &bytes, &size, &e), e);
	assert_true(size >= n * sizeof *out);
	memcpy(out, bytes + size - n * sizeof *out, n * sizeof *out);
	mmi_free(bytes);
}

enum { JOINT_FLOATS = 8 * 3 };

/* Location and scale of two normal experts as a fusion makes them one. */
static void fuse(mmi_fusion fusion, const double *loc, const double *scale, double *l, double *s)
{
	const double p0 = 1 / (scale[0] * scale[0]), p1 = 1 / (scale[1] * scale[1]), apart = (loc[0] - loc[1]) / 2;
	const bool product = fusion == MMI_FUSION_PRODUCT;
	*l = product ? (p0 * loc[0] + p1 * loc[1]) / (p0 + p1) : (loc[0] + loc[1]) / 2;
	*s = product                           ? 1 / sqrt(p0 + p1)
	     : fusion == MMI_FUSION_BARYCENTRE ? (scale[0] + scale[1]) / 2
	                                       : sqrt((1 / p0 + 1 / p1) / 2 + apart * apart);
}

static void the_joint_posterior_is_what_the_fusion_makes(void **state)
{
	static const struct {
		const char *set;
		mmi_fusion fusion;
	} cases[] = { { "learner.fusion=mixture", MMI_FUSION_MIXTURE },
		          { "learner.fusion=product", MMI_FUSION_PRODUCT },
		          { "learner.fusion=barycentre", MMI_FUSION_BARYCENTRE } };
	char checkpoint[512], folder[400];
	eval_make_run(*state, checkpoint, sizeof checkpoint);
	snprintf(folder, sizeof folder, "%s", rig_path(*state, "joint"));
	for (size_t c = 0; c < MMI_COUNT(cases); c++) {
		mm_error e = MM_ERROR_INIT;
		mmi_saved saved;
		mmi_tuples *tuples;
		float found[2][JOINT_FLOATS], a[2][JOINT_FLOATS], b[2][JOINT_FLOATS];
		const mmi_setup_request how = { .sets = &cases[c].set, .n_sets = 1 };
		const mmi_encode_request request = { .count = 100, .block = 4, .folder = folder, .joint = true };
		assert_ok(mmi_saved_open(checkpoint, &how, 4, &saved, &e), e);
		assert_ok(mmi_tuples_open(saved.setup.modalities, 2, MMI_PART_TEST, 0, 1, NULL, &tuples, &e), e);
		assert_ok(mmi_encode_write(&saved, tuples, &request, &e), e);
		mmi_tuples_close(tuples);
		mmi_saved_close(&saved);
		read_array(*state, "joint/joint-z-mean.npy", found[0], JOINT_FLOATS);
		read_array(*state, "joint/joint-z-scale.npy", found[1], JOINT_FLOATS);
		read_array(*state, "joint/a-z-mean.npy", a[0], JOINT_FLOATS);
		read_array(*state, "joint/a-z-scale.npy", a[1], JOINT_FLOATS);
		read_array(*state, "joint/b-z-mean.npy", b[0], JOINT_FLOATS);
		read_array(*state, "joint/b-z-scale.npy", b[1], JOINT_FLOATS);
		for (size_t k = 0; k < JOINT_FLOATS; k++) {
			const double loc[] = { (double)a[0][k], (double)b[0][k] }, scale[] = { (double)a[1][k], (double)b[1][k] };
			double l, s;
			fuse(cases[c].fusion, loc, scale, &l, &s);
			assert_true(fabs((double)found[0][k] - l) <= 1e-6 * (1 + fabs(l)));
			assert_true(fabs((double)found[1][k] - s) <= 2e-6 * s);
		}
	}
}

static void an_array_has_the_shape_of_its_rows(void **state)
{
	static const struct {
		mm_shape row;
		const char *text;
	} cases[] = { { { 0, { 0 } }, "'shape': (2,), }" },
		          { { 1, { 3 } }, "'shape': (2, 3), }" },
		          { { 3, { 1, 2, 3 } }, "'shape': (2, 1, 2, 3), }" } };
	const float values[12] = { 1, 2, 3 };
	for (size_t c = 0; c < MMI_COUNT(cases); c++) {
		mm_error e = MM_ERROR_INIT;
		mmi_npy *f;
		char path[400], *text;
		size_t bytes, floats = 2;
		for (uint32_t d = 0; d < cases[c].row.rank; d++)
			floats *= (size_t)cases[c].row.dim[d];
		snprintf(path, sizeof path, "%s", rig_path(*state, "shape.npy"));
		assert_ok(mmi_npy_open(path, MMI_NPY_F32, 2, &cases[c].row, &f, &e), e);
		assert_ok(mmi_npy_write(f, values, 2, &e), e);
		assert_ok(mmi_npy_commit(f, &e), e);
		assert_ok(mmi_read_file(path, 1 << 20, &text, &bytes, &e), e);
		assert_non_null(strstr(text + 10, cases[c].text));
		assert_int_equal(bytes, 128 + floats * sizeof(float));
		mmi_free(text);
	}
}

static void a_short_npy_file_is_not_left_behind(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_npy *f;
	const float row[2] = { 1, 2 };
	char path[400];
	snprintf(path, sizeof path, "%s", rig_path(*state, "short.npy"));
	assert_ok(mmi_npy_open(path, MMI_NPY_F32, 2, &(mm_shape){ 1, { 2 } }, &f, &e), e);
	assert_ok(mmi_npy_write(f, row, 1, &e), e);
	assert_fails(mmi_npy_commit(f, &e), MM_ESTATE, e, "1 rows were written of 2");
	assert_int_not_equal(access(path, F_OK), 0);
}

#define one_test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_test(the_judge_learns_what_the_labels_say),
		one_test(threads_do_not_change_the_judge),
		one_test(a_judge_is_read_back_as_it_was),
		one_test(judges_of_other_modalities_are_refused),
		one_test(a_matcher_takes_any_number_of_modalities),
		one_test(without_classifiers_there_is_no_judge),
		one_test(training_a_judge_can_be_stopped),
		one_test(pictures_are_judged_as_they_are_saved),
		one_test(figures_survive_a_file),
		one_test(pairs_are_printed_as_a_matrix),
		one_test(seeds_are_summarised_by_mean_and_deviation),
		one_test(unknown_figures_are_named),
		one_test(a_checkpoint_cannot_choose_which_file_runs),
		one_test(latents_are_written_for_every_tuple),
		one_test(the_joint_posterior_is_what_the_fusion_makes),
		one_test(an_array_has_the_shape_of_its_rows),
		one_test(a_short_npy_file_is_not_left_behind),
	};
	return cmocka_run_group_tests_name("judges and reports", tests, NULL, NULL);
}
