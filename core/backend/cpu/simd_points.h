/* simd_points.h - Winograd's transforms of pixels and products along one axis, for the instruction set that is being
 * compiled. Numbers of points are constants where these are inlined, and so is what is made of the points. */
#ifndef MMI_CPU_SIMD_POINTS_H
#define MMI_CPU_SIMD_POINTS_H

#include "backend/cpu/simd_vec.h"
#include "backend/cpu/winograd_points.h"

#define MAX_SPAN MMI_WINO_MOST_POINTS

/* Coefficients of the product of x - a^2 over all pairs but number `skip`; the last one is 1. Returns its degree. */
MMI_INLINE int squares_but(const int points, const int skip, float c[MMI_WINO_MOST_PAIRS + 1])
{
	int degree = 0;
	c[0] = 1;
	MMI_UNROLL
	for (int i = 0; i < (points - 1) / 2; i++) {
		if (i == skip)
			continue;
		const float square = mmi_wino_pairs[points][i] * mmi_wino_pairs[points][i];
		c[degree + 1] = c[degree];
		MMI_UNROLL
		for (int k = degree; k > 0; k--)
			c[k] = c[k - 1] - square * c[k];
		c[0] *= -square;
		degree++;
	}
	return degree;
}

/* The sum of c[k] d[2 k], the last c being 1. */
MMI_INLINE vf every_other(const int degree, const float c[MMI_WINO_MOST_PAIRS + 1], const vf *d)
{
	vf sum = d[2 * degree];
	MMI_UNROLL
	for (int k = degree - 1; k >= 0; k--)
		sum += splat(c[k]) * d[2 * k];
	return sum;
}

/* Pixels to points: the value of each is the product of x - b over all other finite points b, of which a power of x
 * stands for a pixel. Without infinity (`last`) there is a pixel less, too. */
MMI_INLINE void transform_in(const int points, const bool last, const vf d[MAX_SPAN], vf out[MAX_SPAN])
{
	const int zero = points % 2 == 0, pairs = (points - 1) / 2;
	float c[MMI_WINO_MOST_PAIRS + 1];
	MMI_UNROLL
	for (int i = 0; i < pairs; i++) {
		const int degree = squares_but(points, i, c);
		const vf even = splat(mmi_wino_pairs[points][i]) * every_other(degree, c, d + zero);
		const vf odd = every_other(degree, c, d + zero + 1);
		out[zero + 2 * i] = odd + even;
		out[zero + 2 * i + 1] = odd - even;
	}
	const int degree = squares_but(points, -1, c);
	if (zero)
		out[0] = every_other(degree, c, d);
	if (last)
		out[points - 1] = every_other(degree, c, d + zero);
}

/* Products at the points to outputs: y[i] is the sum of a^i m over the points a; infinity is for the last output. */
MMI_INLINE void transform_out(const int points, const int taps, const bool last, const vf m[MAX_SPAN], vf y[MAX_SPAN])
{
	const int zero = points % 2 == 0, pairs = (points - 1) / 2, outputs = points - taps + 1;
	vf even[MMI_WINO_MOST_PAIRS], odd[MMI_WINO_MOST_PAIRS];
	MMI_UNROLL
	for (int i = 0; i < pairs; i++) {
		even[i] = m[zero + 2 * i] + m[zero + 2 * i + 1];
		odd[i] = m[zero + 2 * i] - m[zero + 2 * i + 1];
	}
	float power[MMI_WINO_MOST_PAIRS] = { 1, 1, 1, 1 };
	MMI_UNROLL
	for (int r = 0; r < outputs - !last; r++) {
		const vf *part = r % 2 ? odd : even;
		y[r] = splat(power[0]) * part[0];
		MMI_UNROLL
		for (int i = 1; i < pairs; i++)
			y[r] += splat(power[i]) * part[i];
		if (r == 0 && zero)
			y[r] += m[0];
		if (r == outputs - 1)
			y[r] += m[points - 1];
		MMI_UNROLL
		for (int i = 0; i < pairs; i++)
			power[i] *= mmi_wino_pairs[points][i];
	}
}

/* The `size` numbers of a tile of dy to points, as taps of a kernel: the sum of a^i d[i] over the product of a - b for
 * all other finite points b; infinity takes the last one, without which there is a number less. */
MMI_INLINE void transform_kernel(const int points, const int size, const bool last, const vf d[MAX_SPAN],
                                 vf out[MAX_SPAN])
{
	const int zero = points % 2 == 0, pairs = (points - 1) / 2, n = last ? size : size - 1;
	float at_zero = 1;
	MMI_UNROLL
	for (int i = 0; i < pairs; i++) {
		const float a = mmi_wino_pairs[points][i];
		float product = zero ? 2 * a * a : 2 * a, power = a * a;
		at_zero *= -a * a;
		MMI_UNROLL
		for (int k = 0; k < pairs; k++)
			if (k != i)
				product *= a * a - mmi_wino_pairs[points][k] * mmi_wino_pairs[points][k];
		vf even = d[0], odd = d[1];
		MMI_UNROLL
		for (int k = 2; k < n; k++) {
			if (k % 2)
				odd += splat(power) * d[k];
			else
				even += splat(power) * d[k];
			if (k % 2)
				power *= a * a;
		}
		even *= splat(1 / product);
		out[zero + 2 * i] = even + splat(a / product) * odd;
		out[zero + 2 * i + 1] = zero ? even - splat(a / product) * odd : splat(a / product) * odd - even;
	}
	if (zero)
		out[0] = splat(1 / at_zero) * d[0];
	if (last)
		out[points - 1] = d[size - 1];
}

#endif
