/* simd_sums.c - sums of columns. */
#include "mmi_build.h"

#include "backend/cpu/simd_table.h"
#include "backend/cpu/simd_vec.h"

#define SUM_ROWS 256

/* Sums of up to SUM_ROWS rows, W columns at a time. */
static void block_sums(const float *x, int64_t rows, int32_t cols, double *sums)
{
	for (int col = 0; col < cols; col += W) {
		const int lanes = cols - col < W ? cols - col : W;
		vf sum = splat(0.0f);
		for (int64_t r = 0; r < rows; r++)
			sum += load_up_to(x + r * cols + col, lanes);
		for (int i = 0; i < lanes; i++)
			sums[col + i] += (double)sum[i];
	}
}

void MMI_NAME(mmi_column_sums)(const float *x, int64_t rows, int32_t cols, double *sums)
{
	for (int64_t r = 0; r < rows; r += SUM_ROWS)
		block_sums(x + r * cols, rows - r < SUM_ROWS ? rows - r : SUM_ROWS, cols, sums);
}
