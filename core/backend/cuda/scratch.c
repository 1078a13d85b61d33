/* scratch.c - pieces of scratch memory. */
#include "mmi_build.h"

#include "backend/cuda/scratch.h"

enum { LINE = 256 };

size_t mmi_scratch_take(mmi_exec *x, size_t bytes)
{
	const size_t offset = x->scratch_bytes;
	x->scratch_bytes += (bytes + LINE - 1) / LINE * LINE;
	return offset;
}

void *mmi_scratch_at(const mmi_exec *x, size_t offset)
{
	return (char *)x->scratch + offset;
}

static size_t input_bytes(const mmi_exec *x, uint32_t k)
{
	const size_t samples = x->in_node[k]->batched ? (size_t)x->n : 1;
	const size_t size = x->narrow_in[k] ? sizeof(uint16_t) : sizeof(float);
	return samples * (size_t)mmi_shape_count(&x->in_node[k]->shape) * size;
}

size_t mmi_scratch_for_input(mmi_exec *x, uint32_t k)
{
	return mmi_scratch_take(x, x->in_node[k]->op == MMI_OP_INPUT ? input_bytes(x, k) : 0);
}

const void *mmi_scratch_input(const mmi_exec *x, uint32_t k, size_t offset)
{
	if ((uintptr_t)x->in[k] % MMI_ALIGNMENT == 0)
		return x->in[k];
	void *copy = mmi_scratch_at(x, offset);
	x->device->ops->copy(x->device, copy, x->in[k], input_bytes(x, k));
	return copy;
}
