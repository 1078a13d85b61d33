/* presets.c - what presets ask of a GPU, from their programs as they are compiled for it; no card computes anything.
 *
 *     presets convolutions INI      every convolution that it asks cuDNN for, in any precision, one a line
 *     presets floors INI            operations and bytes of one iteration, in float32 and in bfloat16
 *     presets host INI              the host's time to queue one iteration, with what the emulation does taken out
 *
 * Further arguments are settings, SECTION.KEY=VALUE. Status 77: the preset's data are not here, or not its plugins. */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <cuda_runtime_api.h>

#include "cuda_rig.h"
#include "presets.h"
#include "emu.h"
#include "learn/learner.h"
#include "run/setup.h"

enum { ABSENT = 77, MOST_SETS = 32 };

/* ------------------------------------------------------------ a learner on a device */

typedef struct work {
	mmi_setup setup;
	mmi_model *model;
	mmi_learner *learner;
	float *x[MMI_MAX_MODALITIES];
} work;

static void give_up(const char *ini, const mm_error *e)
{
	fprintf(stderr, "%s: %s\n", ini, e->message);
	exit(ABSENT);
}

/* Chains in every iteration, and no measurement of x_step, which takes another step and another wait. */
static void open_work(work *w, const mmi_device *d, int argc, char **argv)
{
	const char *sets[MOST_SETS] = { "learner.warmup=0", "run.device=cpu", "run.threads=1" };
	mm_error e = MM_ERROR_INIT;
	mmi_setup_request r = { .ini = argv[0], .sets = sets, .n_sets = 3 };
	for (int i = 1; i < argc && r.n_sets < MOST_SETS; i++)
		sets[r.n_sets++] = argv[i];
	*w = (work){ .learner = NULL };
	if (mmi_setup_open(&r, &w->setup, &e) != MM_OK)
		give_up(argv[0], &e);
	mmi_settings *s = &w->setup.settings;
	s->chunk = s->batch;
	if (mmi_model_create(d, w->setup.modalities, w->setup.n_modalities, &s->model, &w->model, &e) != MM_OK ||
	    mmi_learner_create(s, w->model, w->setup.pool, &w->setup.comm, &w->learner, &e) != MM_OK)
		give_up(argv[0], &e);
	w->learner->state.x_step_n = MMI_CALIBRATE;
	w->learner->state.x_step = 0.01;
	for (size_t m = 0; m < w->setup.n_modalities; m++)
		w->x[m] = mmi_alloc(s->batch * (size_t)w->setup.modalities[m].count, sizeof(float));
}

static void close_work(work *w)
{
	mmi_learner_destroy(w->learner);
	mmi_model_destroy(w->model);
	for (size_t m = 0; m < w->setup.n_modalities; m++)
		mmi_free(w->x[m]);
	mmi_setup_close(&w->setup);
}

static void iterate(work *w)
{
	mm_error e = MM_ERROR_INIT;
	mmi_measures m;
	const mmi_batch batch = { .iteration = (uint64_t)w->learner->state.iteration,
		                      .size = w->setup.settings.batch,
		                      .x = w->x };
	if (mmi_learner_iterate(w->learner, &batch, &m, &e) != MM_OK) {
		fprintf(stderr, "an iteration: %s\n", e.message);
		exit(1);
	}
}

/* ------------------------------------------------------------ a device whose programs are counted and not run */

static struct {
	const work *w;
	double flops, bytes, matrix_bytes;
	struct {
		const char *op;
		double bytes;
	} by[MMI_OP_COUNT];
	size_t n_by;
	size_t runs, calls;
} counted;

/* Zeros that are never touched: the maps of a large preset take gigabytes. */
static void *blank_alloc(const mmi_device *d, size_t bytes)
{
	void *p = NULL;
	(void)d;
	return cudaMalloc(&p, bytes ? bytes : 1) == cudaSuccess ? p : NULL;
}

static bool is_refresh(const void *owner)
{
	const mmi_model *m = counted.w->model;
	return owner == m->generator->packs || owner == m->inference->packs || owner == m->energy->packs;
}

static bool is_product(const char *op)
{
	return !strncmp(op, "conv", 4) || !strncmp(op, "linear", 6);
}

static void count_op(const char *op, double bytes)
{
	size_t i = 0;
	while (i < counted.n_by && strcmp(counted.by[i].op, op))
		i++;
	if (i == counted.n_by)
		counted.by[counted.n_by++].op = op;
	counted.by[i].bytes += bytes;
}

static void count(const mmi_device *d, const void *owner, uint64_t key, void (*run)(void *ctx), void *ctx)
{
	(void)d;
	(void)key;
	(void)run;
	if (!counted.w || !counted.w->learner || is_refresh(owner))
		return;
	const mmi_program *p = ctx;
	const mmi_program_stats s = mmi_program_info(p);
	for (size_t c = 0; c < s.n_calls; c++) {
		const mmi_call_info call = mmi_program_call(p, c);
		counted.matrix_bytes += is_product(call.op) ? call.bytes : 0;
		counted.flops += is_product(call.op) ? call.flops : 0;
		count_op(call.op, call.bytes);
	}
	counted.bytes += s.bytes;
	counted.runs++;
	counted.calls += s.n_calls;
}

static const mmi_device *blank_device(const mmi_device *of)
{
	static mmi_device_ops ops[2];
	static mmi_device d[2];
	const int k = of->backend->narrow;
	ops[k] = *of->ops;
	ops[k].alloc = blank_alloc;
	ops[k].sequence = count;
	d[k] = *of;
	d[k].ops = &ops[k];
	return &d[k];
}

/* ------------------------------------------------------------ commands */

static void convolutions(int argc, char **argv)
{
	const mmi_device *const devices[] = { cuda_device(), cuda_device_bf16() };
	emu_set_blank(true);
	for (size_t i = 0; i < MMI_COUNT(devices); i++) {
		work w;
		open_work(&w, blank_device(devices[i]), argc, argv);
		close_work(&w);
		presets_print_plans(devices[i]);
	}
}

static void floors(int argc, char **argv)
{
	const mmi_device *const devices[] = { cuda_device(), cuda_device_bf16() };
	emu_set_blank(true);
	emu_set_hollow(true);
	for (size_t i = 0; i < MMI_COUNT(devices); i++) {
		work w;
		memset(&counted, 0, sizeof counted);
		open_work(&w, blank_device(devices[i]), argc, argv);
		counted.w = &w;
		iterate(&w);
		printf("%-8s %zu runs of programs, %zu calls, %.2f TFLOP in products; %.1f GB: %.1f in products and the passes "
		       "behind them, %.1f in all else\n",
		       i ? "bfloat16" : "float32", counted.runs, counted.calls, counted.flops * 1e-12, counted.bytes * 1e-9,
		       counted.matrix_bytes * 1e-9, (counted.bytes - counted.matrix_bytes) * 1e-9);
		for (size_t k = 0; k < counted.n_by; k++)
			if (counted.by[k].bytes > 0.01 * counted.bytes)
				printf("         %-14s %8.1f GB\n", counted.by[k].op, counted.by[k].bytes * 1e-9);
		counted.w = NULL;
		close_work(&w);
	}
	emu_set_hollow(false);
}

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void host(int argc, char **argv)
{
	enum { WARM = 4, TIMED = 15 };
	double ms[TIMED];
	work w;
	open_work(&w, cuda_device(), argc, argv);
	emu_set_hollow(true);
	for (int i = 0; i < WARM; i++)
		iterate(&w);
	const emu_counts before = emu_counted();
	for (int i = 0; i < TIMED; i++) {
		const double emulated = emu_counted().seconds, from = seconds_now();
		iterate(&w);
		ms[i] = 1e3 * (seconds_now() - from - (emu_counted().seconds - emulated));
	}
	const emu_counts after = emu_counted();
	for (int i = 0; i < TIMED; i++)
		for (int k = i + 1; k < TIMED; k++)
			if (ms[k] < ms[i]) {
				const double kept = ms[i];
				ms[i] = ms[k];
				ms[k] = kept;
			}
	printf("host: %.3f ms an iteration (median of %d; least %.3f), %lu calls that queue work, %lu kernels, %lu waits\n",
	       ms[TIMED / 2], TIMED, ms[0], (after.queued - before.queued) / TIMED,
	       (after.launches - before.launches) / TIMED, (after.waits - before.waits) / TIMED);
	emu_set_hollow(false);
	close_work(&w);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(int argc, char **argv);
	} commands[] = { { "convolutions", convolutions }, { "floors", floors }, { "host", host } };
	for (size_t i = 0; argc > 2 && i < MMI_COUNT(commands); i++)
		if (!strcmp(argv[1], commands[i].name)) {
			commands[i].run(argc - 2, argv + 2);
			return 0;
		}
	fprintf(stderr, "presets convolutions|floors|host INI [SECTION.KEY=VALUE...]\n");
	return 2;
}
