/* conv_reference.h - what a call of kernel_rig.h must yield, by plain loops in double. */
#ifndef MMI_TEST_CONV_REFERENCE_H
#define MMI_TEST_CONV_REFERENCE_H

#include "kernel_rig.h"

typedef struct conv_reference {
	double *sum, *size; /* result, and the sum of absolute products that rounding errors scale with */
	double largest;     /* size: Winograd's errors scale with the whole tile, which padding does not make smaller */
} conv_reference;

/* Aborts the program when out of memory. */
conv_reference conv_reference_make(const rig *r);
void conv_reference_free(conv_reference *ref);

#endif
