/* finite.c - numbers that are not: NaN and infinity, found in large arrays at little cost. */
#include "mmi_build.h"

#include "base/finite.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* On the bits: comparisons of integers become vector instructions, isfinite with its early exit does not. */
bool mmi_finite(const float *x, size_t n)
{
	const uint32_t exponent = 0x7f800000u;
	uint32_t bad = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, x + i, sizeof bits);
		bad |= (bits & exponent) == exponent;
	}
	return !bad;
}

size_t mmi_find_nonfinite(const float *x, size_t n)
{
	size_t i = 0;
	while (i < n && isfinite(x[i]))
		i++;
	return i;
}

size_t mmi_find_nonfinite_double(const double *x, size_t n)
{
	size_t i = 0;
	while (i < n && isfinite(x[i]))
		i++;
	return i;
}
