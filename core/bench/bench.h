/* bench.h - measured speed of what training spends its time on. docs/BENCHMARKS.md says what each figure means.
 *
 *   peak       multiply-adds in registers, in the wanted precision, one thread and all: what the other figures are
 *              compared with
 *   posterior  one Langevin step of z: 5 decoders, 64 samples, a chain from each of 5 experts
 *   energy     one Langevin step of x: 5 views of 28x28x3, 64 channels each, a trunk of 64 channels, 64 samples
 *   noise      the Langevin update with fresh Gaussian noise alone
 *   iteration  one cooperative training iteration of an INI, with its data and plugins
 *   kernels    the time of each kernel call in the programs of posterior and energy, on one thread
 *   scale      how time and memory of the two steps grow with batch, modalities, steps, picture size and threads */
#ifndef MMI_BENCH_H
#define MMI_BENCH_H

#include "engine/program.h"
#include "run/setup.h"

#include <stdio.h>

typedef enum {
	MMI_BENCH_PEAK,
	MMI_BENCH_POSTERIOR,
	MMI_BENCH_ENERGY,
	MMI_BENCH_NOISE,
	MMI_BENCH_KERNELS,
	MMI_BENCH_ITERATION,
	MMI_BENCH_SCALE,
	MMI_BENCH_COUNT
} mmi_bench_kind;

#define MMI_BENCH_STAGES 8
#define MMI_BENCH_FIGURES (MMI_BENCH_COUNT + 1)

/* A part of the work, timed apart. */
typedef struct mmi_bench_stage {
	const char *name;
	double seconds; /* median */
} mmi_bench_stage;

typedef struct mmi_bench_figure {
	const char *name;
	uint32_t threads, repeats;
	double median, best;   /* seconds of one repetition */
	double cpu;            /* median processor time of one repetition, all threads together */
	double flops;          /* of one repetition, multiply-adds counted twice, padding included; 0: not counted */
	double elements;       /* of one repetition; 0: not counted */
	double resident, peak; /* bytes in memory at the end of the work, and at most; 0: unknown */
	mmi_bench_stage stage[MMI_BENCH_STAGES];
	uint32_t n_stages;
} mmi_bench_figure;

/* One kernel call of a program. */
typedef struct mmi_bench_kernel {
	const char *work; /* "posterior" or "energy" */
	mmi_call_info call;
	double seconds; /* processor time of one call over `samples` samples, the best of all repetitions */
	uint32_t samples;
} mmi_bench_kernel;

/* One of the two steps at one value of what it grows with, two views unless these are varied. */
typedef struct mmi_bench_point {
	const char *work; /* "posterior" or "energy" */
	const char *axis; /* "batch", ... */
	uint32_t value, threads;
	double seconds;  /* median */
	double flops;    /* of one repetition */
	double resident; /* bytes */
} mmi_bench_point;

typedef struct mmi_bench_request {
	bool wanted[MMI_BENCH_COUNT];
	const mmi_device *device; /* set by mmi_bench_run; the iteration uses what its INI says */
	uint32_t threads;         /* 0: all processors. An iteration uses what its INI says unless this is given */
	uint32_t repeat;          /* timed repetitions of each piece of work */
	uint32_t chunk;           /* samples a worker takes at a time */
	bool bf16;                /* operands of products and maps in bfloat16; the iteration does what its INI says */
	mmi_setup_request setup;  /* of the iteration */
} mmi_bench_request;

typedef struct mmi_bench_report {
	mmi_bench_figure figure[MMI_BENCH_FIGURES];
	uint32_t n_figures;
	mmi_bench_kernel *kernel;
	size_t n_kernels;
	mmi_bench_point *point;
	size_t n_points;
	char processor[96], isa[96];
	uint32_t processors;
	double load[2]; /* load average of the last minute, before and after */
} mmi_bench_report;

/* "peak", "posterior", ...; MMI_BENCH_COUNT for an unknown name. */
mmi_bench_kind mmi_bench_find(const char *name);
const char *mmi_bench_name(mmi_bench_kind kind);

mm_status mmi_bench_run(const mmi_bench_request *r, mmi_bench_report *out, mm_error *e);
void mmi_bench_clear(mmi_bench_report *r);
/* The figure of that name, or NULL. */
const mmi_bench_figure *mmi_bench_figure_of(const mmi_bench_report *r, const char *name);
void mmi_bench_print(const mmi_bench_report *r, FILE *out);
/* JSON text, freed with mmi_free. */
mm_status mmi_bench_json(const mmi_bench_report *r, char **out, mm_error *e);

/* The pieces of work, each filling one figure (peak: two). */
mm_status mmi_bench_peak(const mmi_bench_request *r, mmi_bench_figure *one, mmi_bench_figure *all, mm_error *e);
mm_status mmi_bench_posterior(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e);
mm_status mmi_bench_energy(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e);
mm_status mmi_bench_noise(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e);
mm_status mmi_bench_iteration(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e);
/* *out is the caller's to free. */
mm_status mmi_bench_kernels(const mmi_bench_request *r, mmi_bench_kernel **out, size_t *n, mm_error *e);
mm_status mmi_bench_scale(const mmi_bench_request *r, mmi_bench_point **out, size_t *n, mm_error *e);

#endif
