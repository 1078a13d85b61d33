/* test_media.c - training on pictures with captions through the whole program's library: the same bits, going on, using
 * a model without the data, and what captions have to say about pictures. */
#include "mmi_build.h"

#include "../rig/media_rig.h"

#include <math.h>

#include "run/saved.h"
#include "train/train.h"
#include "../rig/device_rig.h"

static void write_ini(rig *r, const char *txt)
{
	char text[2048];
	snprintf(text, sizeof text,
	         "[run]\nthreads = 2\nlog_interval = 1\ngrid_interval = 6\ngrid_columns = 3\ncheckpoint_interval = 3\n"
	         "checkpoint_keep = 9\n[data]\nroot = d\n[learner]\niterations = 6\nwarmup = 2\nbatch = 8\nlatent_dim = "
	         "8\nx_steps = 3\nz_steps = 2\n"
	         "[energy]\nnef = 6\nblocks = 2\nenergy_l2 = 0.01\n[img]\nplugin = img.so\nsize = 32\nwidth = "
	         "4\nenergy_channels = 3\n"
	         "[txt]\nplugin = txt.so\nmin_count = 1\nlength = 8\nwidth = 4\nenergy_width = 8\n%s\n",
	         txt);
	media_text(r, "run.ini", text);
}

static mm_status train(rig *r, const char *folder, bool resume, const char *const *sets, size_t n_sets, mm_error *e)
{
	mmi_setup setup;
	mmi_train_result result;
	const mmi_train_hooks hooks = { .log = NULL };
	const char *out = rig_path(r, folder);
	const mmi_setup_request request = { .ini = rig_path(r, "run.ini"), .sets = sets, .n_sets = n_sets };
	MMI_TRY(resume ? mmi_setup_resume(&request, out, &setup, e) : mmi_setup_open(&request, &setup, e));
	mm_status status = mmi_train(&setup, out, resume, &hooks, &result, e);
	mmi_setup_close(&setup);
	return status;
}

static const char *checkpoint(rig *r, const char *folder, int iteration)
{
	static char name[100];
	snprintf(name, sizeof name, "%s/checkpoints/checkpoint-%08d.safetensors", folder, iteration);
	return rig_path(r, name);
}

static void assert_same_tensors(const char *a, const char *b)
{
	mm_error e = MM_ERROR_INIT;
	mmi_checkpoint *x, *y;
	assert_ok(mmi_checkpoint_open(a, &x, &e), e);
	assert_ok(mmi_checkpoint_open(b, &y, &e), e);
	const mmi_safetensors *f = mmi_checkpoint_tensors(x), *g = mmi_checkpoint_tensors(y);
	assert_string_equal(mmi_safetensors_meta(f, MMI_SAFETENSORS_CRC), mmi_safetensors_meta(g, MMI_SAFETENSORS_CRC));
	assert_non_null(mmi_safetensors_find(f, "modality.txt.state"));
	assert_string_equal(mmi_checkpoint_meta(x, "plugins"), "img=org.mmcore.img/picture,txt=org.mmcore.txt/caption");
	mmi_checkpoint_close(x);
	mmi_checkpoint_close(y);
}

static void runs_repeat_and_go_on_bit_for_bit(void **state)
{
	static const char *const representations[] = { "", "representation = onehot\nnet = paper\nlikelihood_weight = 5" };
	media_cub(*state, "d");
	for (size_t k = 0; k < MMI_COUNT(representations); k++) {
		static const char *const one_thread[] = { "run.threads=1" }, *const short_run[] = { "learner.iterations=3" };
		char a[8], b[8], c[8];
		mm_error e = MM_ERROR_INIT;
		snprintf(a, sizeof a, "a%zu", k);
		snprintf(b, sizeof b, "b%zu", k);
		snprintf(c, sizeof c, "c%zu", k);
		write_ini(*state, representations[k]);
		assert_ok(train(*state, a, false, NULL, 0, &e), e);
		assert_ok(train(*state, b, false, one_thread, 1, &e), e);
		assert_same_tensors(checkpoint(*state, a, 6), checkpoint(*state, b, 6));
		assert_ok(train(*state, c, false, short_run, 1, &e), e);
		/* Captions that changed meanwhile would give another vocabulary: the run goes on with the one it began with. */
		media_text(*state, "d/text/001.red & co/square_0.txt", "A test caption that nobody trains on.\nAnother.\n");
		assert_ok(train(*state, c, true, NULL, 0, &e), e);
		assert_same_tensors(checkpoint(*state, a, 6), checkpoint(*state, c, 6));
	}
}

static void a_vocabulary_comes_from_the_checkpoint_and_not_from_the_data(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static const char *const short_run[] = { "learner.iterations=3" };
	media_cub(*state, "d");
	write_ini(*state, "");
	assert_ok(train(*state, "a", false, short_run, 1, &e), e);
	media_text(*state, "d/text/001.red & co/square_5.txt",
	           "Quite other words than before\nlike these, and more of them.\n");
	mmi_setup anew; /* a setup that does not look into the run's folder has learned from the changed captions */
	mmi_train_result result;
	const mmi_train_hooks hooks = { .log = NULL };
	const mmi_setup_request request = { .ini = rig_path(*state, "run.ini") };
	assert_ok(mmi_setup_open(&request, &anew, &e), e);
	assert_fails(mmi_train(&anew, rig_path(*state, "a"), true, &hooks, &result, &e), MM_ECONFIG, e,
	             "learned from the data of [txt]");
	mmi_setup_close(&anew);
	assert_ok(train(*state, "a", true, NULL, 0, &e), e);
}

static void a_model_is_used_where_the_data_is_not(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved *s = calloc(1, sizeof *s);
	static const char *const sets[] = { "data.root=/nonexistent" };
	const mmi_setup_request request = { .sets = sets, .n_sets = 1 };
	size_t bytes;
	media_cub(*state, "d");
	write_ini(*state, "");
	assert_ok(train(*state, "a", false, NULL, 0, &e), e);
	assert_ok(mmi_saved_open(checkpoint(*state, "a", 6), &request, 8, s, &e), e);
	assert_int_equal(s->setup.modalities[1].info.n_classes, MEDIA_CLASSES);
	float *x = calloc((size_t)s->setup.modalities[1].count, sizeof *x);
	assert_ok(mmi_modality_render(&s->setup.modalities[1], x, rig_path(*state, "x.txt"), &e), e);
	free(rig_read(rig_path(*state, "x.txt"), &bytes));
	assert_true(bytes >= 1);
	free(x);
	mmi_saved_close(s);
	free(s);
}

static void another_plugin_refuses_the_checkpoint(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved *s = calloc(1, sizeof *s);
	static const char *const other[] = { "img=mnist.so" }, *const sets[] = { "img.modality=styled-digit" };
	const mmi_setup_request request = { .plugins = other, .n_plugins = 1, .sets = sets, .n_sets = 1 };
	media_cub(*state, "d");
	write_ini(*state, "");
	assert_ok(train(*state, "a", false, NULL, 0, &e), e);
	assert_fails(
		mmi_saved_open(checkpoint(*state, "a", 6), &request, 8, s, &e), MM_ECONFIG, e,
		"trained with the plugin and modality org.mmcore.img/picture, here it is org.mmcore.mnist/styled-digit");
	free(s);
}

/* ---------------------------------------------------------------- what captions tell pictures */

/* One step of the data chain without noise from the same picture with several captions: how far apart the pictures end,
 * relative to how far they moved. Before training: with pool = mean, so that neither modality drowns the other in the
 * head. */
static double caption_effect(rig *r, const char *head, const char *seed)
{
	enum { N = 32 * 32 * 3, ROWS = 8 };
	mm_error e = MM_ERROR_INIT;
	mmi_setup s;
	mmi_model *model;
	mmi_sampler *sampler;
	mm_dataset *d[2];
	mmi_chain_stats stats;
	double apart = 0, moved = 0;
	const char *const sets[] = { head, "energy.nef=32", "energy.pool=mean", seed };
	const mmi_setup_request request = { .ini = rig_path(r, "run.ini"), .sets = sets, .n_sets = MMI_COUNT(sets) };
	assert_ok(mmi_setup_open(&request, &s, &e), e);
	assert_ok(mmi_model_create(cpu_device(), s.modalities, 2, &s.settings.model, &model, &e), e);
	assert_ok(mmi_sampler_create(model, s.pool, &(mmi_sampler_config){ ROWS, ROWS, 1, MMI_NET_ALL }, &sampler, &e), e);
	size_t caption = (size_t)s.modalities[1].count;
	float *img = calloc(ROWS * N, sizeof *img), *before = calloc(ROWS * N, sizeof *before),
		  *txt = calloc(ROWS * caption, sizeof *txt);
	for (size_t m = 0; m < 2; m++)
		assert_ok(mmi_modality_open(&s.modalities[m], MM_SPLIT_TRAIN, &d[m], &e), e);
	for (size_t k = 0; k < ROWS; k++) {
		assert_ok(s.modalities[0].desc->read(d[0], 0, img + k * N, &e), e);
		assert_ok(s.modalities[1].desc->read(d[1], k, txt + k * caption, &e), e);
	}
	memcpy(before, img, ROWS * N * sizeof *img);
	mmi_sampler_revise(sampler, &(mmi_revise_args){ .steps = 1, .step = 1 }, (float *const[]){ img, txt }, NULL,
	                   mmi_whole(ROWS), &stats);
	for (size_t k = 1; k < ROWS; k++)
		for (size_t i = 0; i < N; i++) {
			apart += fabs((double)(img[k * N + i] - img[i]));
			moved += fabs((double)(img[k * N + i] - before[i]));
		}
	assert_true(moved > 0);
	for (size_t m = 0; m < 2; m++)
		s.modalities[m].desc->close(d[m]);
	free(img);
	free(before);
	free(txt);
	mmi_sampler_destroy(sampler);
	mmi_model_destroy(model);
	mmi_setup_close(&s);
	return apart / moved;
}

static void the_pictures_gradient_depends_on_the_caption_with_a_fused_head(void **state)
{
	media_cub(*state, "d");
	write_ini(*state, "");
	/* The head's units bend at 0: whether a caption bends one before any training is up to its first weights. */
	static const char *const seeds[] = { "run.seed=1", "run.seed=2", "run.seed=3",
		                                 "run.seed=4", "run.seed=5", "run.seed=6" };
	double mlp = 0, linear = 0;
	for (size_t i = 0; i < MMI_COUNT(seeds); i++) {
		double a = caption_effect(*state, "energy.head=mlp", seeds[i]),
			   b = caption_effect(*state, "energy.head=linear", seeds[i]);
		print_message("relative difference between captions, %s: %.3g with head = mlp, %.3g with linear\n", seeds[i], a,
		              b);
		mlp = fmax(mlp, a);
		linear = fmax(linear, b);
	}
	assert_true(mlp > 1e-3);
	assert_true(linear < 1e-6);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(runs_repeat_and_go_on_bit_for_bit),
		TEST(a_vocabulary_comes_from_the_checkpoint_and_not_from_the_data),
		TEST(a_model_is_used_where_the_data_is_not),
		TEST(another_plugin_refuses_the_checkpoint),
		TEST(the_pictures_gradient_depends_on_the_caption_with_a_fused_head),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
