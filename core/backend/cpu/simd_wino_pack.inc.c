/* simd_wino_pack.inc.c - kernels of Winograd's convolutions to points, many columns at a time. */
#include "backend/cpu/simd_element.h"
#include "backend/cpu/simd_table.h"
#include "backend/cpu/winograd_points.h"

#define MOST_POINTS (MMI_WINO_MOST_POINTS * MMI_WINO_MOST_POINTS)

typedef double vd __attribute__((vector_size(W * 8)));

/* A tap of one channel and W columns, of which so many are there. */
MMI_INLINE vf load_tap(const float *w, int64_t column, int there)
{
	float lanes[W];
	if (column == 1)
		return load_up_to(w, there);
	for (int i = 0; i < W; i++)
		lanes[i] = i < there ? w[i * column] : 0.0f;
	return load(lanes);
}

MMI_INLINE void weigh(const int taps, const double row[3], const vd g[3], vd *sum)
{
	*sum = row[0] * g[0];
	MMI_UNROLL
	for (int i = 1; i < taps; i++)
		*sum += row[i] * g[i];
}

/* One channel to W columns from w on. */
MMI_INLINE void transform_taps(const int taps, const mmi_wino_pack_job *j, const float *w, int there, vf u[MOST_POINTS])
{
	vd g[3][3], half[3];
	MMI_UNROLL
	for (int x = 0; x < taps; x++) {
		MMI_UNROLL
		for (int y = 0; y < taps; y++)
			g[x][y] = __builtin_convertvector(load_tap(w + j->tap[y][x], j->column, there), vd);
	}
	for (int y = 0; y < j->high; y++, u += j->wide) {
		MMI_UNROLL
		for (int x = 0; x < taps; x++)
			weigh(taps, j->rows_high[y], g[x], &half[x]);
		for (int x = 0; x < j->wide; x++) {
			vd sum;
			weigh(taps, j->rows_wide[x], half, &sum);
			u[x] = __builtin_convertvector(sum, vf);
		}
	}
}

static __attribute__((noinline)) void transform_2(const mmi_wino_pack_job *j, const float *w, int there,
                                                  vf u[MOST_POINTS])
{
	transform_taps(2, j, w, there, u);
}

static __attribute__((noinline)) void transform_3(const mmi_wino_pack_job *j, const float *w, int there,
                                                  vf u[MOST_POINTS])
{
	transform_taps(3, j, w, there, u);
}

/* Channel c, behind the last one zeros. */
static void transform_channel(const mmi_wino_pack_job *j, int c, int first, vf u[MOST_POINTS])
{
	const float *w = j->w + c * j->channel + first * j->column;
	if (c >= j->channels)
		memset(u, 0, MOST_POINTS * sizeof *u);
	else if (j->taps == 2)
		transform_2(j, w, j->columns - first, u);
	else
		transform_3(j, w, j->columns - first, u);
}

void MMI_PRODUCT_NAME(mmi_winograd_pack)(const mmi_wino_pack_job *j)
{
	vf u[PER_LANE][MOST_POINTS];
	for (int c = 0; c < j->channels; c += PER_LANE)
		for (int v = 0; v < j->vectors; v++) {
			element *out = (element *)j->out + (c * j->vectors + v * PER_LANE) * W;
			for (int i = 0; i < PER_LANE; i++)
				transform_channel(j, c + i, v * W, u[i]);
			for (int p = 0; p < j->high * j->wide; p++, out += j->plane) {
#if MMI_PAIRS
				*(vp_any *)(void *)out = pairs_of(u[0][p], u[1][p]);
#else
				store(out, u[0][p]);
#endif
			}
		}
}
