/* plan.h - from a graph and its wanted outputs to a list of kernel calls with fused activations and arena offsets. */
#ifndef MMI_PLAN_H
#define MMI_PLAN_H

#include "engine/kernel.h"
#include "engine/program.h"

enum { MMI_MOST_JOINED = 6, MMI_MOST_READS = MMI_MAX_IN + MMI_MOST_JOINED + 1 };

/* One kernel call. */
typedef struct mmi_plan_call {
	mm_tensor node; /* the operation */
	mm_tensor out;  /* the tensor it yields: node itself, or the activation fused behind it */
	const mmi_kernel *kernel;
	int32_t act, mask_act;
	float act_alpha, mask_alpha;
	mm_tensor mask; /* or MMI_NONE */
	uint32_t n_joined;
	mm_tensor joined[MMI_MOST_JOINED]; /* computed behind it in the same call, in this order (join.h) ... */
	uint8_t value[MMI_MOST_JOINED];    /* ... each of this input */
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
	bool *stored;        /* per root: somebody reads it from memory */
	bool *absorbed;      /* not computed: who reads it reads its input through it */
	bool *by_signs;      /* of this node's second input signs are read, which take a bit */
	float *factor;       /* of this node's result; 0: none */
	size_t *signs;       /* per root: index of the storage of its signs, or MMI_NO_SLOT */
	size_t *slot;        /* per root: index of its storage, or MMI_NO_SLOT (parameters and their gradients) */
	size_t *slot_offset; /* per slot: bytes from the arena's start */
	size_t n_slots, arena_bytes;
} mmi_plan;

mm_status mmi_plan_create(const mmi_program_spec *spec, mmi_plan **out, mm_error *e);
void mmi_plan_destroy(mmi_plan *p);
/* Fills node, in_node and n of an exec (no pointers): what kernels look at when they are chosen. */
void mmi_plan_exec(const mmi_plan *p, mm_tensor node, mmi_exec *x);
/* The same of a call, with room for what is joined to it. */
void mmi_plan_exec_call(const mmi_plan *p, const mmi_plan_call *call, mmi_exec *x, mmi_joined *joined);

/* What a call reads from memory. */
typedef struct mmi_read {
	mm_tensor tensor;  /* that is stored */
	mm_tensor through; /* the operation that it is read through, or MMI_NONE */
	bool signs;        /* of its signs alone */
	int32_t by;        /* 0: the call's operation; i: the i-th that is joined to it; -1: the mask */
	uint32_t k;        /* which input of it */
} mmi_read;
uint32_t mmi_plan_reads(const mmi_plan *p, const mmi_plan_call *call, mmi_read out[MMI_MOST_READS]);
/* Where an exec of the call has the address. */
const void **mmi_plan_read_at(mmi_exec *x, const mmi_read *r);
/* What the call's operation (0), or the i-th that is joined to it, yields. */
mm_tensor mmi_plan_value(const mmi_plan_call *call, uint32_t i);
void **mmi_plan_value_at(mmi_exec *x, uint32_t i);
void **mmi_plan_signs_at(mmi_exec *x, uint32_t i);
size_t mmi_plan_signs_bytes(const mmi_plan *p, mm_tensor root);

/* Of an element of a root's storage. */
size_t mmi_plan_element_size(const mmi_plan *p, mm_tensor root);

#endif
