/* plan.h - from a graph and its wanted outputs to a list of kernel calls with fused activations and arena offsets. */
#ifndef MMI_PLAN_H
#define MMI_PLAN_H

#include "engine/kernel.h"
#include "engine/program.h"

/* One kernel call. */
typedef struct mmi_plan_call {
	mm_tensor node; /* the operation */
	mm_tensor out;  /* the tensor it yields: node itself, or the activation fused behind it */
	const mmi_kernel *kernel;
	int32_t act, mask_act;
	float act_alpha, mask_alpha;
	mm_tensor mask; /* or MMI_NONE */
} mmi_plan_call;

#define MMI_NO_SLOT SIZE_MAX

typedef struct mmi_plan {
	mmi_node *nodes; /* copy of the graph's nodes */
	size_t n_nodes;  /* with copies in bfloat16 */
	int64_t n;       /* samples */
	const mmi_device *device;
	bool *needed, *output;
	uint32_t *consumers; /* needed nodes that read this one */
	bool *narrow;        /* per root: stored in bfloat16 */
	mm_tensor *rounded;  /* the tensor's copy in bfloat16, or MMI_NONE */
	mm_tensor *root;     /* whose storage this tensor shares (reshapes, fused activations) */
	mmi_plan_call *calls;
	size_t n_calls, n_fused;
	size_t *slot;        /* per root: index of its storage, or MMI_NO_SLOT (parameters and their gradients) */
	size_t *slot_offset; /* per slot: bytes from the arena's start */
	size_t n_slots, arena_bytes;
} mmi_plan;

mm_status mmi_plan_create(const mmi_program_spec *spec, mmi_plan **out, mm_error *e);
void mmi_plan_destroy(mmi_plan *p);
/* Fills node, in_node and n of an exec (no pointers): what kernels look at when they are chosen. */
void mmi_plan_exec(const mmi_plan *p, mm_tensor node, mmi_exec *x);

/* Of an element of a root's storage. */
size_t mmi_plan_element_size(const mmi_plan *p, mm_tensor root);

#endif
