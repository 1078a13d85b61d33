/* ops_cases.h - the operations under test: for each case how its graph is built. The same cases, by name, are in
 * tests/reference/make_ops.py. */
#ifndef MMI_TEST_OPS_CASES_H
#define MMI_TEST_OPS_CASES_H

#include "engine/graph.h"
#include "engine/params.h"

enum { RIG_MAX_INPUTS = 4 };

/* What an input's generated values look like. */
typedef enum rig_kind { RIG_UNIFORM, RIG_SIMPLEX } rig_kind;

typedef struct rig_input {
	char name[32];
	mm_tensor id;
	mm_shape shape;
	rig_kind kind;
	float lo, hi;   /* uniform; hi: one past the largest index */
	bool constant;  /* no gradient */
	mm_tensor grad; /* MMI_NONE for constants */
} rig_input;

/* A case's graph: loss of a sample = sum(r * y), gradients weighted by the seeds. */
typedef struct rig {
	mmi_graph *g;
	mmi_params *store;
	rig_input inputs[RIG_MAX_INPUTS];
	uint32_t n_inputs;
	mm_tensor y, r, seed, loss;
	mm_tensor *param_grads;
	uint32_t n_param_grads;
	bool inside; /* inputs, y and all gradients are read and written inside the program too: see rig_open_inside */
} rig;

typedef struct op_case {
	const char *name;
	mm_tensor (*build)(rig *r, const struct op_case *c);
	int x[MM_MAX_RANK + 1]; /* dims of the first input, 0-terminated */
	mm_conv conv;
	int32_t k, s, p, flag; /* pooling; axis, begin, count; activation */
	float a, b, lo, hi;    /* lo, hi: range of the inputs, -1..1 if both are 0 */
} op_case;

extern const op_case op_cases[];
extern const size_t n_op_cases;

/* Builds graph and gradients. Aborts the test on failure. */
void rig_open(rig *r, const op_case *c);
/* The same with parameters on a device of the caller's. */
void rig_open_on(rig *r, const op_case *c, const mmi_device *device);
/* The same, but between what the program binds and what the operation reads and yields there is one that copies: so
 * that it works on tensors as a program stores them. */
void rig_open_inside(rig *r, const op_case *c, const mmi_device *device);
/* For builders elsewhere: the first input, as the case describes it. */
mm_tensor rig_input_of(rig *r, const op_case *c);
void rig_close(rig *r);

#endif
