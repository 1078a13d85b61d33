/* api.h - what of oneDNN is used, with one face for its versions 2 and 3: descriptions of convolutions and inner
 * products, and of the layouts that they choose. */
#ifndef MMI_ONEDNN_API_H
#define MMI_ONEDNN_API_H

#include "base/base.h"

#if HAVE_ONEAPI_DNNL_DNNL_H
#include <oneapi/dnnl/dnnl.h>
#else
#include <dnnl.h>
#endif

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t mmi_dnnl_layout;
#else
typedef const dnnl_memory_desc_t *mmi_dnnl_layout;
#endif

#define MMI_DNNL_TRY(call)                \
	do {                                  \
		const dnnl_status_t did = (call); \
		if (did != dnnl_success)          \
			return did;                   \
	} while (0)

/* A call writes one of the tensors of a forward one, or its gradient. */
typedef enum mmi_dnnl_role { MMI_DNNL_X, MMI_DNNL_WEIGHTS, MMI_DNNL_Y, MMI_DNNL_BIAS, MMI_DNNL_ROLES } mmi_dnnl_role;
typedef enum mmi_dnnl_direction { MMI_DNNL_FORWARD, MMI_DNNL_BACKWARD_X, MMI_DNNL_BACKWARD_WEIGHTS } mmi_dnnl_direction;

typedef struct mmi_dnnl_tensor {
	int ndims; /* 0: there is none */
	dnnl_dims_t dims;
	dnnl_data_type_t type;
	dnnl_format_tag_t tag;
} mmi_dnnl_tensor;

typedef struct mmi_dnnl_op {
	mmi_dnnl_direction direction;
	bool linear; /* an inner product; else a convolution */
	mmi_dnnl_tensor tensor[MMI_DNNL_ROLES];
	dnnl_dims_t strides, padding;
	dnnl_alg_kind_t act; /* of a forward call; dnnl_alg_kind_undef: none */
	float alpha;
} mmi_dnnl_op;

/* Computes on the calling thread, in scratch memory that it is given. */
dnnl_status_t mmi_dnnl_describe(const mmi_dnnl_op *op, dnnl_engine_t engine, dnnl_primitive_desc_t *out);
/* A tensor's layout as the description has it, which it lives as long as; and the name of an argument of the call. */
mmi_dnnl_layout mmi_dnnl_layout_of(const_dnnl_primitive_desc_t d, const mmi_dnnl_op *op, mmi_dnnl_role role);
int mmi_dnnl_argument(const mmi_dnnl_op *op, mmi_dnnl_role role);

/* Where the elements of a tensor lie: outermost blocks by strides, and dense blocks within them, the innermost last. */
enum { MMI_DNNL_DIMS = 4, MMI_DNNL_BLOCKS = 8 };
typedef struct mmi_dnnl_blocks {
	int64_t stride[MMI_DNNL_DIMS]; /* 0 of dimensions that the tensor lacks */
	int64_t n, size[MMI_DNNL_BLOCKS], dim[MMI_DNNL_BLOCKS];
} mmi_dnnl_blocks;
/* False where the layout is none of that kind. */
bool mmi_dnnl_blocks_of(mmi_dnnl_layout layout, mmi_dnnl_blocks *out);

#endif
