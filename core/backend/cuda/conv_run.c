/* conv_run.c - running a plan. */
#include "mmi_build.h"

#include "backend/cuda/conv_graph.h"

void mmi_conv_unbind(mmi_conv_binding *b)
{
	if (b->pack)
		cudnnBackendDestroyDescriptor(b->pack);
	*b = (mmi_conv_binding){ .pack = NULL };
}

static cudnnStatus_t bind(mmi_conv_binding *b)
{
	static const int64_t ids[4] = { MMI_CONV_ID_X, MMI_CONV_ID_WEIGHTS, MMI_CONV_ID_Y, MMI_CONV_ID_BIAS };
	const void *at[4] = { b->at.x, b->at.weights, b->at.y, b->at.bias };
	const int64_t n = b->at.bias ? 4 : 3;
	CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &b->pack));
	CUDNN_TRY(cudnnBackendSetAttribute(b->pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, at));
	CUDNN_TRY(cudnnBackendSetAttribute(b->pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, ids));
	CUDNN_TRY(
		cudnnBackendSetAttribute(b->pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &b->workspace));
	return cudnnBackendFinalize(b->pack);
}

static bool same_tensors(const mmi_conv_tensors *a, const mmi_conv_tensors *b)
{
	return a->x == b->x && a->weights == b->weights && a->y == b->y && a->bias == b->bias;
}

void mmi_conv_run(mmi_cuda *c, const mmi_conv_plan *p, mmi_conv_binding *b, const mmi_conv_tensors *at, void *workspace)
{
	cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
	if (!b->pack || !same_tensors(&b->at, at) || b->workspace != workspace) {
		mmi_conv_unbind(b);
		b->at = *at;
		b->workspace = workspace;
		status = bind(b);
	}
	if (status == CUDNN_STATUS_SUCCESS)
		status = cudnnBackendExecute(c->cudnn, p->plan, b->pack);
	if (status != CUDNN_STATUS_SUCCESS)
		mmi_cuda_fail(c, "cuDNN: %s", cudnnGetErrorString(status));
}
