/* finite.h - numbers that are not: NaN and infinity, found in large arrays at little cost. */
#ifndef MMI_FINITE_H
#define MMI_FINITE_H

#include <stdbool.h>
#include <stddef.h>

bool mmi_finite(const float *x, size_t n);
/* Index of the first value that is not finite; n when all are. */
size_t mmi_find_nonfinite(const float *x, size_t n);
size_t mmi_find_nonfinite_double(const double *x, size_t n);

#endif
