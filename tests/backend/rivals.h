/* rivals.h - other libraries' ways to compute a kernel_rig call, for bench_kernels. mmcore uses none of them. */
#ifndef MMI_TEST_RIVALS_H
#define MMI_TEST_RIVALS_H

#include "../rig/kernel_rig.h"

/* One thread, float. Layouts that the library prefers are made outside of run: weights and, unless the way's name says
 * NHWC, pictures too; so a rival is timed in a network of its own. */
typedef struct rival {
	const char *name;
	void *(*make)(const rig *r); /* NULL: there is no such way to compute this call */
	void (*run)(void *state);
	void (*result)(void *state, float *out); /* what the last run computed, laid out as the rig's output */
	void (*destroy)(void *state);
} rival;

enum { RIVALS_OF_ONEDNN = 5, RIVALS_OF_OPENBLAS = 1 };
extern const rival rivals_of_onednn[RIVALS_OF_ONEDNN];
extern const rival rivals_of_openblas[RIVALS_OF_OPENBLAS];

/* A call that is one product of matrices, row by row: c [m, n] = op(a) op(b) of depth k. */
typedef struct rival_product {
	bool a_transposed, b_transposed;
	int m, n, k, lda, ldb; /* c is dense */
	const float *a, *b;
} rival_product;

/* False for convolutions that look at neighbours. */
bool rival_product_of(const rig *r, rival_product *p);

#endif
