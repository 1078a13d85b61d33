/* backend.c - the CPU backend: the first kernel that accepts a call, of the instruction set that is used; the reference
 * for the rest. */
#include "mmi_build.h"

#include "backend/cpu/isa.h"
#include "engine/device.h"

const mmi_kernel *const *mmi_cpu_kernels(mmi_opcode op)
{
	return mmi_isa_get()->kernels[op];
}

static const mmi_isa *isa_of(const mmi_exec *x)
{
	return x->device ? x->device->own : mmi_isa_get();
}

const mmi_simd *mmi_simd_of(const mmi_exec *x)
{
	return isa_of(x)->simd;
}

const mmi_bf16 *mmi_bf16_of(const mmi_exec *x)
{
	return isa_of(x)->bf16;
}

bool mmi_uses_blas(const mmi_exec *x)
{
	return isa_of(x)->blas;
}

bool mmi_uses_onednn(const mmi_exec *x)
{
	return isa_of(x)->onednn;
}

static const mmi_kernel *select_kernel(const mmi_exec *x)
{
	for (const mmi_kernel *const *k = isa_of(x)->kernels[x->node->op]; *k; k++)
		if (!(*k)->accepts || (*k)->accepts(x))
			return *k;
	return mmi_backend_ref32.select(x);
}

const mmi_backend mmi_backend_cpu = { .name = "cpu", .element_size = sizeof(float), .select = select_kernel };
