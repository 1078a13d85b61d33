/* after.h - the pass behind a product: a factor, a bias and what is joined to the call, as far as the library's product
 * does not compute them itself. */
#ifndef MMI_CUDA_AFTER_H
#define MMI_CUDA_AFTER_H

#include "backend/cuda/map.h"

/* What the product computes beside itself. */
typedef struct mmi_product {
	bool narrow; /* it yields bfloat16 */
	bool bias;   /* it adds the bias, if there is one */
	bool factor; /* it multiplies by the factor, if there is one */
	bool relu;   /* and rectifies, which is the first of what is joined */
} mmi_product;

typedef struct mmi_after {
	bool needed; /* there is a pass */
	size_t room; /* of the product's result in the scratch memory, where it has no other place */
	void *raw;
	void *const *at; /* who knows where the product writes: the exec, or raw */
	mmi_walk pass;
	double bytes; /* moved beside inputs and values, once each */
} mmi_after;

/* Whether a ReLU is the first of what is joined, and nobody reads what it is of. */
bool mmi_after_relu(const mmi_exec *x);
/* Whether the value is stored as it is, in that type, and by the product: the last that it computes. */
bool mmi_after_direct(const mmi_exec *x, bool relu, bool narrow);
/* Plans the pass, and takes scratch memory. */
void mmi_after_prepare(mmi_exec *x, const mmi_product *p, mmi_after *a);
/* Where the product is to write. */
void *mmi_after_raw(const mmi_exec *x, mmi_after *a);
void mmi_after_run(const mmi_exec *x, mmi_after *a);

#endif
