/* call.h - one call of oneDNN: what both kinds, products and gradients to weights, have in common. */
#ifndef MMI_ONEDNN_CALL_H
#define MMI_ONEDNN_CALL_H

#include "backend/cpu/call.h"
#include "backend/cpu/weights.h"
#include "backend/onednn/module.h"
#include "backend/onednn/order.h"

enum { MMI_DNNL_SCRATCHPAD = MMI_DNNL_ROLES, MMI_DNNL_ARGUMENTS };

typedef struct mmi_dnnl_call {
	mmi_onednn_call base; /* first */
	const mmi_isa *isa;
	mmi_dnnl_op op;
	int64_t group;                 /* samples at a time; the call has a whole number of such groups */
	size_t count[MMI_DNNL_ROLES];  /* elements of a group's tensors */
	size_t at[MMI_DNNL_ARGUMENTS]; /* bytes before what is in scratch */
	mmi_dnnl_order order;          /* of weights or of their gradient */
	mmi_weights weights;           /* not of a gradient to them */
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_t primitive;
	dnnl_memory_t memory[MMI_DNNL_ARGUMENTS]; /* NULL: it has none of them */
	dnnl_exec_arg_t argument[MMI_DNNL_ARGUMENTS];
	int n_arguments;
} mmi_dnnl_call;

bool mmi_dnnl_accepts(const mmi_exec *x, bool amx);
mm_status mmi_dnnl_prepare(mmi_exec *x, mm_error *e);
void mmi_dnnl_release(mmi_exec *x);

void mmi_dnnl_run_product(mmi_exec *x);
void mmi_dnnl_run_gradient(mmi_exec *x);

#endif
