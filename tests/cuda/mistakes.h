/* mistakes.h - kernels that are wrong, each in one way, and one that is right for comparison. */
#ifndef MISTAKES_H
#define MISTAKES_H

#include "backend/cuda/dialect.h"

enum {
	RIGHT,              /* out[block] = the sum of the block's 256 numbers */
	NO_BARRIERS,        /* the same, without its barriers */
	HALF_AT_A_BARRIER,  /* half of a block waits where the rest does not */
	PAST_THE_END,       /* writes the float behind x */
	UNWRITTEN_SHARED,   /* out[block] = shared memory that this block has not written */
	PAST_A_SHARED_ARRAY /* writes behind a shared array */
};

typedef struct mistakes_args {
	float *x, *out;
	int64_t n;
	int32_t which;
} mistakes_args;

/* out[i] = the largest of the warp's x; with `part`, of its first half only. */
typedef struct shuffle_args {
	const float *x;
	float *out;
	int32_t part;
} shuffle_args;

extern const mmi_cuda_kernel mmi_kernel_mistakes, mmi_kernel_shuffle;

#endif
