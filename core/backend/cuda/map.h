/* map.h - programs for elements (args.h): built when a call is prepared, launched with the addresses of the time. */
#ifndef MMI_CUDA_MAP_H
#define MMI_CUDA_MAP_H

#include "backend/cuda/cuda.h"

enum { MMI_MAP_NONE = -1 }; /* no operand */

/* A program, and who knows the addresses of its operands and outputs. */
typedef struct mmi_walk {
	mmi_map_args args;
	uint32_t n_in, n_out;
	const void *const *in[MMI_MAP_INPUTS];
	void *const *out[MMI_MAP_OUTPUTS];
} mmi_walk;

/* Over n elements, without steps. */
void mmi_walk_begin(mmi_walk *p, int64_t n);
/* Operands, which yield their number: element by element; a number for each of the last axis's entries. */
int32_t mmi_walk_in(mmi_walk *p, const void *const *at, bool narrow);
int32_t mmi_walk_bias(mmi_walk *p, const void *const *at, int64_t entries);
void mmi_walk_step(mmi_walk *p, mmi_map_code code, int32_t operand, float a, float b);
/* The value is written there; NULL: nobody wants it. */
void mmi_walk_store(mmi_walk *p, void *const *at, bool narrow);
/* Bits of the value's signs. */
void mmi_walk_signs(mmi_walk *p, void *const *at);
/* An activation, fused or joined. */
void mmi_walk_act(mmi_walk *p, mmi_map_code code, int32_t operand, int32_t act, float alpha);
/* What is joined to the call, from the first-th on. */
void mmi_walk_joined(mmi_walk *p, const mmi_exec *x, uint32_t first);
void mmi_walk_run(mmi_walk *p, const mmi_device *d);

#endif
