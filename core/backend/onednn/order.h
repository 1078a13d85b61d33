/* order.h - weights between our order, [kh, kw, ci, co], and the blocks that oneDNN wants them in. */
#ifndef MMI_ONEDNN_ORDER_H
#define MMI_ONEDNN_ORDER_H

#include "backend/onednn/api.h"

typedef struct mmi_dnnl_order {
	mmi_dnnl_blocks blocks; /* of co, ci, kh, kw */
	int64_t kh, kw, ci, co;
} mmi_dnnl_order;

/* Floats to bfloat16 in oneDNN's order; what is between them, zeros, is left alone. `order`: an mmi_dnnl_order. */
void mmi_dnnl_pack(const float *weights, void *data, const void *order);
/* weights += floats in oneDNN's order. */
void mmi_dnnl_add(const mmi_dnnl_order *order, const float *data, float *weights);

#endif
