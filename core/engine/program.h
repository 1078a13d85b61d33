/* program.h - a fixed list of kernel calls and one arena with planned lifetimes, compiled from a graph.
 *
 * A program belongs to one thread at a time. Several workers have one each, made from the same graph. */
#ifndef MMI_PROGRAM_H
#define MMI_PROGRAM_H

#include "engine/device.h"
#include "engine/graph.h"
#include "engine/params.h"

typedef struct mmi_program mmi_program;

typedef struct mmi_program_spec {
	const mmi_graph *graph;
	const mmi_device *device;
	int64_t n;                /* samples per run */
	const mm_tensor *outputs; /* kept until the next run; parameter gradients go here too */
	uint32_t n_outputs;
	bool no_fusion; /* for tests: one kernel per node */
} mmi_program_spec;

mm_status mmi_program_create(const mmi_program_spec *spec, mmi_program **out, mm_error *e);
void mmi_program_destroy(mmi_program *p);
const mmi_device *mmi_program_device(const mmi_program *p);

/* Storage of an input or output on the device: n * count elements (float, or double on ref64). .at is NULL if the
 * program lacks it. */
mmi_floats mmi_program_data(const mmi_program *p, mm_tensor x);
/* The first n samples of an input or output, to and from the host: done when they return. An input that is written to
 * is read from the program's own memory again; one that the program lacks is passed over. */
void mmi_program_read(const mmi_program *p, mm_tensor x, int64_t n, void *to);
void mmi_program_write(mmi_program *p, mm_tensor input, int64_t n, const void *from);
/* Makes an input read from the caller's memory from the next run on (no copy). */
void mmi_program_bind(mmi_program *p, mm_tensor input, mmi_floats data);
/* The same for n samples on the host: bound where the device is direct, copied there otherwise. */
void mmi_program_feed(mmi_program *p, mm_tensor input, int64_t n, const float *host);
/* Where gradients of a store's parameters are added: a flat array of params->count elements. ref64: doubles. */
void mmi_program_bind_grads(mmi_program *p, const mmi_params *store, mmi_floats flat);
/* ref64 only: the double copy of a store's parameters that the program reads (flat), refreshed from the store by
 * mmi_program_load_params; tests may change single entries. NULL on float backends, which read the store itself. */
double *mmi_program_params(mmi_program *p, const mmi_params *store);
void mmi_program_load_params(mmi_program *p);
void mmi_program_run(mmi_program *p);

typedef struct mmi_program_stats {
	size_t n_calls, n_fused, arena_bytes, scratch_bytes;
	double flops; /* multiply-adds counted twice, per run, padding taps not counted apart */
	double bytes; /* that calls read and write, per run: of each call its inputs, mask and output once */
} mmi_program_stats;
mmi_program_stats mmi_program_info(const mmi_program *p);
typedef struct mmi_call_info {
	const char *op, *kernel;
	char shapes[208];    /* "[14,14,64] x [3,3,64,64] -> [14,14,64]" */
	bool act, mask;      /* fused into the call */
	double flops, bytes; /* as in mmi_program_stats */
} mmi_call_info;
/* Kernel call c of n_calls. */
mmi_call_info mmi_program_call(const mmi_program *p, size_t c);
/* Runs once and tells the processor time each call took. */
void mmi_program_profile(mmi_program *p, double *seconds);
/* One line per kernel call: "conv/winograd-avx512 [28,28,64] ..." to a callback. */
void mmi_program_describe(const mmi_program *p, void (*line)(void *ctx, const char *text), void *ctx);

#endif
