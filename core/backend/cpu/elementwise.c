/* elementwise.c - the choice among the variants of the element-wise kernels. */
#include "mmi_build.h"

#include "backend/cpu/elementwise.h"

#include "backend/cpu/isa.h"

static const mmi_kernel *table_for_this_processor(void)
{
#if HAVE_X86_KERNELS
	static const mmi_kernel *const variants[MMI_ISA_COUNT] = {
		mmi_elementwise_generic, mmi_elementwise_avx2, mmi_elementwise_avx512
	};

	return variants[mmi_cpu_isa()];
#else
	return mmi_elementwise_generic;
#endif
}

const mmi_kernel *mmi_cpu_elementwise_kernel(mmi_opcode op)
{
	const mmi_kernel *k = &table_for_this_processor()[op];

	return k->run ? k : NULL;
}
