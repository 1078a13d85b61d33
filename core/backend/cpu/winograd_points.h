/* winograd_points.h - the interpolation points of Winograd's convolutions (Lavin and Gray 2016; Toom and Cook): an even
 * number of points is 0, pairs a and -a, and infinity, an odd number the same without 0. */
#ifndef MMI_CPU_WINOGRAD_POINTS_H
#define MMI_CPU_WINOGRAD_POINTS_H

enum { MMI_WINO_MOST_POINTS = 9, MMI_WINO_MOST_PAIRS = 4 };

/* [points][pair]. Of the multiples of 1/8 up to 3 those that left the least error over random maps, 2 and 3 taps alike;
 * with 5 and 6 points, which tiles rounded to bfloat16 have, of the multiples of 1/16 those whose worst output was
 * best, and float32's errors are hardly larger for it. Squares and their products are exact. The error is 2 (5 points)
 * to 25 times (9) that of direct sums in float32 (tests/bench/winograd_points.py). */
static const float mmi_wino_pairs[MMI_WINO_MOST_POINTS + 1][MMI_WINO_MOST_PAIRS] = {
	[4] = { 1 },
	[5] = { 3 / 8.0f, 19 / 16.0f },
	[6] = { 11 / 16.0f, 11 / 8.0f },
	[7] = { 3 / 8.0f, 7 / 8.0f, 7 / 4.0f },
	[8] = { 1 / 2.0f, 1, 2 },
	[9] = { 1 / 4.0f, 3 / 4.0f, 9 / 8.0f, 2 },
};

#endif
