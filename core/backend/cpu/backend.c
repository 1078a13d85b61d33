/* backend.c - the CPU backend: convolutions and linear layers, element-wise kernels, and the reference for the rest. */
#include "mmi_build.h"

#include "backend/cpu/conv.h"
#include "backend/cpu/elementwise.h"

static bool accepts(const mmi_kernel *k, const mmi_exec *x)
{
	return !k->accepts || k->accepts(x);
}

static const mmi_kernel *select_kernel(const mmi_exec *x)
{
	const mmi_kernel *const *list = mmi_cpu_conv_kernels(x->node->op);
	const mmi_kernel *k = mmi_cpu_elementwise_kernel(x->node->op);

	for (; list && *list; list++)
		if (accepts(*list, x))
			return *list;
	return k && accepts(k, x) ? k : mmi_backend_ref32.select(x);
}

const mmi_backend mmi_backend_cpu = { .name = "cpu", .element_size = sizeof(float), .select = select_kernel };
