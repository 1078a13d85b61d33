/* conv_plan.h - convolutions through cuDNN's graph API: which engine computes one, and with how much memory.
 *
 * The choice depends on shapes, card and library alone, never on timing: deterministic engines only, without tensor
 * cores where floats are to stay floats, nothing that is compiled at run time; the first of cuDNN's own order that
 * takes no more than MMI_CONV_WORKSPACE. Plans are kept: a few shapes serve hundreds of calls. */
#ifndef MMI_CUDA_CONV_PLAN_H
#define MMI_CUDA_CONV_PLAN_H

#include "backend/cuda/cuda.h"

#define MMI_CONV_WORKSPACE ((int64_t)512 << 20)

typedef enum mmi_conv_kind { MMI_CONV_FORWARD, MMI_CONV_TO_X, MMI_CONV_TO_WEIGHTS } mmi_conv_kind;

/* Maps [n,h,w,in] and [n,oh,ow,out], weights [out,kh,kw,in], a bias of `out`. Padding is zeroed: shapes are compared as
 * bytes. */
typedef struct mmi_conv_shape {
	int64_t n, h, w, in, oh, ow, out, kh, kw, sh, sw, ph, pw;
	mmi_conv_kind kind;
	int32_t bias, relu; /* of the forward pass */
	int32_t narrow;     /* all tensors are in bfloat16; sums are formed in float */
} mmi_conv_shape;

typedef struct mmi_conv_tensors {
	const void *x, *weights, *y, *bias; /* aligned to 16 bytes; one is written */
} mmi_conv_tensors;

/* Asks for a plan: of the handle's card, or of a card that is described in JSON (cuDNN 9.8). */
typedef struct mmi_conv_query {
	cudnnHandle_t handle; /* NULL: the description's */
	cudnnBackendDescriptor_t card;
	bool tensor_cores;
	int64_t workspace; /* at most, bytes */
} mmi_conv_query;

struct mmi_conv_plan {
	mmi_conv_shape shape;
	cudnnBackendDescriptor_t plan;
	cudnnBackendDescriptor_t *parts; /* what it is made of */
	size_t n_parts, parts_capacity;
	int64_t workspace; /* bytes */
	mmi_conv_plan *next;
};

/* MM_EUNSUPPORTED, with cuDNN's reason, where no engine does it. */
mm_status mmi_conv_plan_make(const mmi_conv_query *q, const mmi_conv_shape *s, mmi_conv_plan **out, mm_error *e);
/* The device's plan for a shape, made if new. It belongs to the device. */
mm_status mmi_conv_plan_get(mmi_cuda *c, const mmi_conv_shape *s, const mmi_conv_plan **out, mm_error *e);
void mmi_conv_plans_destroy(mmi_conv_plan *first);

/* Where a plan reads and writes; made anew by mmi_conv_bind when an address has changed. */
typedef struct mmi_conv_binding {
	mmi_conv_tensors at;
	void *workspace;
	cudnnBackendDescriptor_t pack;
} mmi_conv_binding;
void mmi_conv_run(mmi_cuda *c, const mmi_conv_plan *p, mmi_conv_binding *b, const mmi_conv_tensors *at,
                  void *workspace);
void mmi_conv_unbind(mmi_conv_binding *b);

#endif
