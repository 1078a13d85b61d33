/* conv_graph.h - the parts of a plan. */
#ifndef MMI_CUDA_CONV_GRAPH_H
#define MMI_CUDA_CONV_GRAPH_H

#include "backend/cuda/conv_plan.h"

/* Propagates a failure of cuDNN to the caller. */
#define CUDNN_TRY(expression)                     \
	do {                                          \
		cudnnStatus_t try_status_ = (expression); \
		if (try_status_ != CUDNN_STATUS_SUCCESS)  \
			return try_status_;                   \
	} while (0)

/* Names that tensors have inside a plan. */
enum { MMI_CONV_ID_X = 'x', MMI_CONV_ID_WEIGHTS = 'w', MMI_CONV_ID_Y = 'y', MMI_CONV_ID_BIAS = 'b' };

/* A new descriptor, which goes when the plan does. */
cudnnStatus_t mmi_conv_part(mmi_conv_plan *p, cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *out);
cudnnStatus_t mmi_conv_set_part(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                cudnnBackendDescriptor_t part);
/* The plan's shape as an operation graph. */
cudnnStatus_t mmi_conv_graph(mmi_conv_plan *p, cudnnHandle_t handle, cudnnBackendDescriptor_t *out);

#endif
