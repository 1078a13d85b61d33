/* vec.h - the variants of engine/vec.h's table, one per instruction set. */
#ifndef MMI_CPU_VEC_H
#define MMI_CPU_VEC_H

#include "engine/vec.h"

extern const mmi_vec mmi_vec_generic, mmi_vec_avx2, mmi_vec_avx512;

#endif
