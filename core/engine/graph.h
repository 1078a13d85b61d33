/* graph.h - a network as a list of operations, recorded once. Programs (program.h) are compiled from it.
 *
 * A node's inputs always have smaller ids, so the list is a topological order. Gradient rules append further nodes to
 * the same graph; a program then keeps only what its outputs need. */
#ifndef MMI_GRAPH_H
#define MMI_GRAPH_H

#include "base/base.h"
#include "engine/opcodes.h"

#define MMI_MAX_IN 20
#define MMI_NONE MM_NO_TENSOR

typedef struct mmi_params mmi_params;
typedef struct mmi_packs mmi_packs;

/* Attributes of an operation; which ones count is said in opcodes.h. */
typedef struct mmi_attr {
	int32_t kh, kw, sh, sw, ph, pw; /* kernel, stride, padding, cells */
	int32_t axis, begin, count;     /* concat, slice, sum */
	int32_t act;                    /* MM_ACT_... */
	int32_t flag;
	float a, b;
} mmi_attr;

typedef struct mmi_node {
	mmi_opcode op;
	uint32_t n_in;
	mm_tensor in[MMI_MAX_IN];
	mm_shape shape;
	bool batched; /* false: PARAM and parameter gradients */
	mmi_attr attr;
	mmi_params *params; /* PARAM and PARAM_GRAD operations: the store ... */
	uint32_t param;     /* ... and the tensor's index in it */
	char name[32];      /* of INPUTs, for messages; else empty */
} mmi_node;

struct mm_graph {
	mmi_node *nodes;
	size_t n, capacity;
	mmi_params *params; /* store that new parameters go to */
	char scope[64];     /* prefix of parameter names: "m0.decoder" */
	mm_error error;     /* first failure: sticky */
	size_t limit;       /* of nodes, to see what becomes of a recording that fails; 0: none */
};
typedef struct mm_graph mmi_graph;

mm_status mmi_graph_create(mmi_graph **out, mm_error *e);
void mmi_graph_destroy(mmi_graph *g);
/* Where the following operations look up and declare their parameters. */
void mmi_graph_scope(mmi_graph *g, mmi_params *store, const char *format, ...) MMI_PRINTF(3, 4);
/* MM_OK, or the first failure of any operation since creation. */
mm_status mmi_graph_check(const mmi_graph *g, mm_error *e);
const mmi_node *mmi_graph_node(const mmi_graph *g, mm_tensor x);

/* How many cells on a side a cell of the other map has, if the operation resamples by whole cells: upsampling, pooling
 * without overlap or padding, their gradients; else 0. in: the shape of its input. */
int32_t mmi_resampled(const mmi_node *node, const mm_shape *in);

mm_shape mmi_shape(uint32_t rank, ...); /* int dims */
int64_t mmi_shape_count(const mm_shape *s);
bool mmi_shape_equal(const mm_shape *a, const mm_shape *b);
/* "[28,28,3]" into text (at least 64 bytes); returns text. */
char *mmi_shape_text(const mm_shape *s, char *text);

/* The table handed to plugins, also used by the core itself. */
extern const mm_host_graph mmi_graph_ops;

/* Operations the core needs beyond mm_host_graph. Sticky errors as there. */
mm_tensor mmi_input(mmi_graph *g, const char *name, mm_shape shape);
mm_tensor mmi_const(mmi_graph *g, mm_shape shape, float value);
mm_tensor mmi_param(mmi_graph *g, const char *name, mm_shape shape, int32_t init, int32_t fan_in);
mm_tensor mmi_op(mmi_graph *g, mmi_opcode op, uint32_t n_in, const mm_tensor *in, const mmi_attr *attr);
mm_tensor mmi_sum_all(mmi_graph *g, mm_tensor x, float scale);
/* Marks the graph as failed, unless it already is. Returns MMI_NONE. */
mm_tensor mmi_graph_fail(mmi_graph *g, mm_status code, const char *message);

/* Appends nodes for the gradient of the per-sample scalar `loss`, weighted per sample by `seed` (a rank-0 tensor, e.g.
 * an input that the learner fills with 1/B), with respect to the tensors wrt[0..n). grads[i] becomes the gradient's id,
 * or MMI_NONE where loss does not depend on it. With `store` set, gradients of all parameters of these stores are
 * recorded too: *param_grads (freed by the caller with mmi_free) lists the PARAM_GRAD nodes. */
typedef struct mmi_grad_request {
	mm_tensor loss, seed;
	const mm_tensor *wrt;
	uint32_t n_wrt;
	mm_tensor *grads;          /* out, n_wrt */
	mmi_params *const *stores; /* whose parameters are trained; may be NULL */
	uint32_t n_stores;
	mm_tensor *param_grads; /* out, owned by the caller */
	uint32_t n_param_grads; /* out */
} mmi_grad_request;
mm_status mmi_graph_grad(mmi_graph *g, mmi_grad_request *r, mm_error *e);

#endif
