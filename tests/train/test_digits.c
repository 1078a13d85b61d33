/* test_digits.c - training on real pictures: MNIST where the environment's MMCORE_DATA points to a folder with it, else
 * Fashion-MNIST as Debian installs it. LONG_RUN: larger networks, all pictures, more iterations. */
#include "mmi_build.h"

#include "../rig/store_rig.h"

#include <math.h>

#include "train/train.h"

enum { MOST_ITERATIONS = 2000 };

typedef struct course {
	mmi_measures at[MOST_ITERATIONS];
	uint32_t n;
	int warnings;
	char last[256];
} course;

#ifdef LONG_RUN
static const bool long_run = true;
#else
static const bool long_run = false;
#endif

static bool has_digits(const char *folder)
{
	static const char *const suffixes[] = { "", ".gz" };
	char path[512];
	for (size_t i = 0; i < MMI_COUNT(suffixes); i++) {
		snprintf(path, sizeof path, "%s/train-images-idx3-ubyte%s", folder, suffixes[i]);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

static const char *data_folder(void)
{
	static char path[480];
	const char *data = getenv("MMCORE_DATA");
	snprintf(path, sizeof path, "%s/mnist", data ? data : "");
	if (data && has_digits(path))
		return path;
	snprintf(path, sizeof path, "/usr/share/datasets/fashion-mnist");
	return has_digits(path) ? path : NULL;
}

static void write_ini(const char *path, const char *root)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
	        "[run]\nthreads = 2\ngrid_interval = 100000\ncheckpoint_interval = 100000\nlog_interval = "
	        "100\n[data]\nroot = %s\n",
	        root);
	fprintf(f, "[learner]\niterations = %d\nbatch = %d\nlatent_dim = 16\nx_steps = 5\nz_steps = 2\nlr_energy = 5e-5\n",
	        long_run ? 1500 : 300, long_run ? 32 : 16);
	fprintf(f, "[energy]\nnef = %d\n", long_run ? 16 : 8);
	for (int m = 0; m < 2; m++)
		fprintf(f, "[m%d]\nplugin = mnist.so\nwidth = %d\nenergy_channels = 4\nlimit = %d\n", m, long_run ? 16 : 8,
		        long_run ? 0 : 6000);
	assert_int_equal(fclose(f), 0);
}

static void note(void *ctx, uint64_t done, uint64_t total, double seconds_left, const mmi_measures *m)
{
	course *c = ctx;
	(void)total;
	(void)seconds_left;
	assert_true(done <= MOST_ITERATIONS);
	c->at[done - 1] = *m;
	c->n = (uint32_t)done;
}

static void hear(void *ctx, int level, const char *text)
{
	course *c = ctx;
	if (level < MM_LOG_WARNING)
		return;
	c->warnings++;
	snprintf(c->last, sizeof c->last, "%s", text);
}

/* The mean of a figure over iterations first..first + n - 1. */
static double mean(const course *c, size_t offset, uint32_t first, uint32_t n)
{
	double sum = 0;
	for (uint32_t i = first; i < first + n; i++)
		sum += *(const double *)((const char *)&c->at[i] + offset);
	return sum / n;
}

#define MEAN(field, first, n) mean(c, offsetof(mmi_measures, field), first, n)

static void train(rig *folder, course *c)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	mmi_log log = { .line = hear, .ctx = c };
	const char *ini = rig_path(folder, "run.ini");
	write_ini(ini, data_folder());
	mmi_setup_request request = { .ini = ini, .log = &log };
	mmi_train_hooks hooks = { .ctx = c, .step = note, .log = &log };
	assert_ok(mmi_setup_open(&request, &setup, &e), e);
	assert_ok(mmi_train(&setup, rig_path(folder, "run"), false, &hooks, &result, &e), e);
	mmi_setup_close(&setup);
	assert_int_equal(result.iterations, c->n);
	if (c->warnings)
		fail_msg("%d warnings, the last: %s", c->warnings, c->last);
}

static void a_run_on_pictures_learns_and_stays_in_bounds(void **state)
{
	if (!data_folder() || !getenv("MMCORE_PLUGIN_PATH")) {
		print_message(
			"neither $MMCORE_DATA/mnist nor /usr/share/datasets/fashion-mnist has pictures, or there is no plugin\n");
		skip();
	}
	course *c = calloc(1, sizeof *c);
	assert_non_null(c);
	train(*state, c);
	uint32_t n = c->n, tail = n / 6;
	print_message("on %s: NLL %.1f to %.1f, U along the chain %.2f, E along the chain %.4f, gap %.3g\n", data_folder(),
	              MEAN(nll_end, 0, 10), MEAN(nll_end, n - tail, tail),
	              MEAN(u_end, n - tail, tail) - MEAN(u_start, n - tail, tail),
	              MEAN(e_revised, n - tail, tail) - MEAN(e_generated, n - tail, tail), MEAN(gap, n - tail, tail));
	/* Less the constant of the likelihood, reconstruction errors nearly halve. */
	double constant = 2 * 28 * 28 * 3 * (log(0.7) + 0.5 * log(2 * 3.14159265358979323846));
	assert_true(MEAN(nll_end, n - tail, tail) - constant < 0.6 * (MEAN(nll_end, 0, 10) - constant));
	/* U falls along the posterior chain and E along the data chain: in the mean over every tenth of the run. */
	for (uint32_t first = 0; first + n / 10 <= n; first += n / 10) {
		assert_true(MEAN(u_end, first, n / 10) < MEAN(u_start, first, n / 10));
		assert_true(MEAN(e_revised, first, n / 10) < MEAN(e_generated, first, n / 10));
	}
	for (uint32_t i = 0; i < n; i++)
		assert_true(isfinite(c->at[i].gap) && fabs(c->at[i].gap) < 50);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_run_on_pictures_learns_and_stays_in_bounds, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
