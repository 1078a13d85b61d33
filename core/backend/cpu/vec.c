/* vec.c - the vector kernels of the instruction set that is used. */
#include "mmi_build.h"

#include "backend/cpu/isa.h"

const mmi_vec *mmi_vec_get(void)
{
	return mmi_isa_get()->vec;
}
