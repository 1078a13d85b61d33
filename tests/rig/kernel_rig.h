/* kernel_rig.h - one kernel call built by hand, for tests and measurements of linear and convolution kernels. */
#ifndef MMI_TEST_KERNEL_RIG_H
#define MMI_TEST_KERNEL_RIG_H

#include "engine/kernel.h"
#include "engine/params.h"

#include <stdio.h>

/* A call of LINEAR, CONV or one of their gradients: the forward convolution [h, w, ci] -> co and what is fused.
 * Linear: h = w = kernel = 1. */
typedef struct rig_case {
	mmi_opcode op;
	int64_t n;
	int32_t h, w, ci, co, k, s, p;
	bool bias;
	int32_t act, mask_act; /* MM_ACT_...; mask_act MM_ACT_NONE: no mask */
	bool line;             /* the kernel is one row high: 1 x k, stride 1 and no padding down the columns */
} rig_case;

typedef struct rig {
	rig_case c;
	int32_t oh, ow, kh, sh, ph;
	mmi_node node, in_node[3];
	float *in[3], *mask, *out; /* inputs random, out zero */
	size_t in_count[3], out_count;
	mmi_packs *packs; /* NULL: the kernel packs in each run */
	mmi_exec x;
	const mmi_kernel *kernel; /* what rig_prepare was given */
} rig;

/* Aborts the program when out of memory. The same values for the same case. */
void rig_make(rig *r, const rig_case *c, bool with_packs);
void rig_free(rig *r);
/* False, with the reason on standard error, when the kernel's prepare fails. */
bool rig_prepare(rig *r, const mmi_kernel *k);
void rig_release(rig *r);
/* One run; operations that add to their output start from zero when `fresh`. */
void rig_run(rig *r, bool fresh);
/* 2 * multiply-adds, padding included. */
double rig_flops(const rig *r);
/* "conv 16x28x28x64 -> 64 k3 s1 p1 bias" into text; returns text. */
char *rig_text(const rig_case *c, char *text, size_t size);

/* Convolutions that every kernel for them is tried on: n, h, w, ci, co, kernel, stride, padding. */
enum { RIG_CONV_SHAPES = 35 };
extern const int32_t rig_conv_shapes[RIG_CONV_SHAPES][8];
rig_case rig_conv_case(mmi_opcode op, const int32_t s[8]);

#endif
