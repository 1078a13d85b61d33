/* test_large.c - 256 x 256 pictures with captions: fifty iterations, and the memory they take. A part of make bigcheck.
 */
#include "mmi_build.h"

#include "../rig/media_rig.h"

#include <sys/resource.h>

#include "train/train.h"

enum { ITERATIONS = 50 };

/* Measured: 873 MB on x86-64 with AVX-512 and two threads, each with programs of its own. The rest is for kernels that
 * want more scratch, and other allocators. */
#define BOUND_MB 1200.0

static void write_ini(rig *r)
{
	media_text(r, "run.ini",
	           "[run]\nthreads = 2\nlog_interval = 10\ngrid_interval = 50\ngrid_columns = 4\ncheckpoint_interval = "
	           "50\n[data]\nroot = d\n"
	           "[learner]\niterations = 50\nwarmup = 10\nbatch = 8\nlatent_dim = 16\nx_steps = 4\nz_steps = 4\n"
	           "[energy]\nnef = 16\nblocks = 3\nenergy_l2 = 0.01\nhead = mlp\n"
	           "[img]\nplugin = img.so\nsize = 256\nwidth = 8\nenergy_channels = 16\nenergy_stride = 4\ncache_mb = 4\n"
	           "[txt]\nplugin = txt.so\nmin_count = 1\nlength = 16\nwidth = 8\nenergy_width = 16\n");
}

/* The largest size of this process so far, in megabytes. Linux counts in kilobytes. */
static double peak_mb(void)
{
	struct rusage use;
	assert_int_equal(getrusage(RUSAGE_SELF, &use), 0);
	return (double)use.ru_maxrss / 1000;
}

/* Once all networks have run, nothing more is to be had. */
static void note_peak(void *ctx, uint64_t done, uint64_t total, double seconds_left, const mmi_measures *m)
{
	(void)total, (void)seconds_left, (void)m;
	if (done == 20)
		*(double *)ctx = peak_mb();
}

static void fifty_iterations_at_256_fit_into_bounded_memory(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	double early = 0;
	const mmi_train_hooks hooks = { .ctx = &early, .step = note_peak };
	media_cub(*state, "d");
	write_ini(*state);
	const mmi_setup_request request = { .ini = rig_path(*state, "run.ini") };
	assert_ok(mmi_setup_open(&request, &setup, &e), e);
	assert_int_equal(setup.modalities[0].count, 256 * 256 * 3);
	assert_ok(mmi_train(&setup, rig_path(*state, "run"), false, &hooks, &result, &e), e);
	mmi_setup_close(&setup);
	double peak = peak_mb();
	print_message(
		"256 x 256, batch 8: peak memory %.0f MB after 20 iterations, %.0f MB after %d and a sheet, bound %.0f MB\n",
		early, peak, ITERATIONS, BOUND_MB);
	assert_int_equal(result.iterations, ITERATIONS);
	assert_true(peak < BOUND_MB);
	assert_true(peak < 1.1 * early);
	assert_true(peak > 8 * 256 * 256 * 3 * sizeof(float) / 1e6); /* a batch alone: the system does count */
	assert_int_equal(access(rig_path(*state, "run/checkpoints/checkpoint-00000050.safetensors"), R_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fifty_iterations_at_256_fit_into_bounded_memory, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
