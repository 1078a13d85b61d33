/* vec.c - the choice among the variants of the vector kernels. */
#include "mmi_build.h"

#include "backend/cpu/vec.h"

#include "backend/cpu/isa.h"

const mmi_vec *mmi_vec_get(void)
{
#if HAVE_X86_KERNELS
	static const mmi_vec *const variants[MMI_ISA_COUNT] = { &mmi_vec_generic, &mmi_vec_avx2, &mmi_vec_avx512 };

	return variants[mmi_cpu_isa()];
#else
	return &mmi_vec_generic;
#endif
}
