/* simd_line.c - convolutions along rows by Winograd's algorithm with eight points (0, 1, -1, 2, -2, 1/2, -1/2,
 * infinity): eight pixels of a row give 9 - taps outputs by eight products, for kernels of 2 to 5 taps. Gradients to
 * weights are the same algorithm with the outputs' gradients as its kernel. */
#include "mmi_build.h"

#include "backend/cpu/simd_act.h"
#include "backend/cpu/simd_table.h"

#define POINTS MMI_LINE_POINTS
#define TILE_FLOATS (POINTS * MMI_LINE_STRIDE) /* of one block of channels */
/* A register tile: so many tiles of a row, so many points at a time, one vector of columns. */
#define LINE_SPLIT 4
#if W == 16 && !MMCORE_SANITIZED
#define LINE_TILES 6
#define LINE_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6)
#else
#define LINE_TILES 3
#define LINE_LIST(X) X(1) X(2) X(3)
#endif

/* First output of a tile, and its sample. */
typedef struct position {
	int64_t sample;
	int32_t y, x;
} position;

static position first_position(const mmi_line_job *j)
{
	const int32_t m = POINTS + 1 - j->taps, tiles = (j->columns + m - 1) / m;
	const int64_t rows = j->first_tile / tiles;
	return (position){ rows / j->rows, (int32_t)(rows % j->rows), (int32_t)(j->first_tile % tiles) * m };
}

/* The tile behind it. */
MMI_INLINE void advance(const mmi_line_job *j, position *at)
{
	at->x += POINTS + 1 - j->taps;
	if (at->x < j->columns)
		return;
	at->x = 0;
	if (++at->y < j->rows)
		return;
	at->y = 0;
	at->sample++;
}

/* ------------------------------------------------------------------ input */

MMI_INLINE void transform_in(const vf d[POINTS], vf out[POINTS])
{
	const vf half = splat(0.5f), quarter = splat(0.25f), two = splat(2.0f), four = splat(4.0f);
	const vf a = splat(4.25f), b = splat(5.25f), c = splat(1.25f), e = splat(2.5f), f = splat(5.0f);
	const vf even1 = d[2] + d[6] - a * d[4], odd1 = d[1] + d[5] - a * d[3];
	const vf even2 = d[6] + (quarter * d[2] - c * d[4]), odd2 = half * d[1] - e * d[3] + two * d[5];
	const vf even3 = d[6] + (four * d[2] - f * d[4]), odd3 = two * d[1] - e * d[3] + half * d[5];
	out[0] = (d[0] - d[6]) + b * (d[4] - d[2]);
	out[1] = even1 + odd1;
	out[2] = even1 - odd1;
	out[3] = even2 + odd2;
	out[4] = even2 - odd2;
	out[5] = even3 + odd3;
	out[6] = even3 - odd3;
	out[7] = (d[7] - d[1]) + b * (d[3] - d[5]);
}

/* The eight pixels of a tile; those outside are zeros. */
MMI_INLINE void tile_pixels(const mmi_line_job *j, int group, const position *at, const float *zeros,
                            const float *pixel[POINTS])
{
	const int32_t y = j->group[group].y + at->y, x = j->group[group].x + at->x * j->src_step;
	const bool inside = y >= 0 && y < j->h;
	const float *row = j->src + (at->sample * j->h + (inside ? y : 0)) * j->w * j->c;
	MMI_UNROLL
	for (int k = 0; k < POINTS; k++) {
		const int32_t from = x + k * j->src_step;
		pixel[k] = inside && from >= 0 && from < j->w ? row + (int64_t)from * j->c : zeros;
	}
}

MMI_INLINE void transform_pixels(const float *const *pixel, int64_t c, int lanes, float *v)
{
	vf d[POINTS], out[POINTS];
	MMI_UNROLL
	for (int k = 0; k < POINTS; k++)
		d[k] = load_up_to(pixel[k] + c, lanes);
	transform_in(d, out);
	MMI_UNROLL
	for (int k = 0; k < POINTS; k++)
		store(v + k * MMI_LINE_STRIDE, out[k]);
}

/* Where the tile's outputs will be stored: column by column, which is no order that a processor foresees. */
MMI_INLINE void prefetch_outputs(const mmi_line_job *j, const position *at)
{
	const int outputs = POINTS + 1 - j->taps, n = j->columns - at->x < outputs ? j->columns - at->x : outputs;
	const int64_t row = at->sample * j->dst_h + at->y, step = (int64_t)j->dst_step * j->cols;
	const float *to = j->dst + (row * j->dst_w + j->dst_x + (int64_t)at->x * j->dst_step) * j->cols;
	for (int i = 0; i < n; i++, to += step)
		for (int col = 0; col < j->cols; col += 16)
			__builtin_prefetch(to + col, 1);
}

void MMI_NAME(mmi_line_gather)(const mmi_line_job *j)
{
	const float *pixel[POINTS];
	const int32_t blocks = (j->c + MMI_LINE_CHANNELS - 1) / MMI_LINE_CHANNELS;
	float *v = j->v;
	position at = first_position(j);
	for (int t = 0; t < j->n_tiles; t++, advance(j, &at)) {
		if (j->dst)
			prefetch_outputs(j, &at);
		for (int group = 0; group < j->n_groups; group++) {
			tile_pixels(j, group, &at, j->zeros, pixel);
			for (int block = 0; block < blocks; block++, v += TILE_FLOATS) {
				const int c0 = block * MMI_LINE_CHANNELS;
				const int count = j->c - c0 < MMI_LINE_CHANNELS ? j->c - c0 : MMI_LINE_CHANNELS;
				int c = 0;
				for (; c + W <= count; c += W)
					transform_pixels(pixel, c0 + c, W, v + c);
				if (c < count)
					transform_pixels(pixel, c0 + c, count - c, v + c);
			}
		}
	}
}

/* ------------------------------------------------------------------ products and output */

/* Loaded once: compilers would rather load it again for each product, which takes longer than the products do. */
MMI_INLINE vf in_register(vf x)
{
#if defined(__AVX512F__)
	__asm__("" : "+v"(x));
#elif defined(__x86_64__)
	__asm__("" : "+x"(x));
#endif
	return x;
}

/* A product: m = v times u over all channels, for tiles of a row and one vector of columns. */
typedef struct product {
	const mmi_line_job *job;
	const float *v;
	int64_t v_tile; /* floats of a tile */
	const float *u; /* [group, channel][point][lane] */
	vf m[LINE_TILES][POINTS];
} product;

/* Of LINE_SPLIT points from `point` on. */
MMI_INLINE void sum_points(const int tiles, const int point, product *p)
{
	const mmi_line_job *j = p->job;
	const float *v = p->v + point * MMI_LINE_STRIDE, *u = p->u + point * W, *a[LINE_TILES];
	vf acc[LINE_TILES][LINE_SPLIT];
	MMI_UNROLL
	for (int t = 0; t < tiles; t++) {
		a[t] = v + t * p->v_tile;
		MMI_UNROLL
		for (int k = 0; k < LINE_SPLIT; k++)
			acc[t][k] = splat(0.0f);
	}
	int64_t block = 0;
	for (int group = 0; group < j->n_groups; group++)
		for (int c0 = 0; c0 < j->c; c0 += MMI_LINE_CHANNELS, block += TILE_FLOATS) {
			const int64_t end = block + (j->c - c0 < MMI_LINE_CHANNELS ? j->c - c0 : MMI_LINE_CHANNELS);
			for (int64_t c = block; c < end; c++, u += POINTS * W) {
				MMI_UNROLL
				for (int k = 0; k < LINE_SPLIT; k++) {
					const vf w = in_register(load(u + k * W));
					MMI_UNROLL
					for (int t = 0; t < tiles; t++)
						acc[t][k] += splat(a[t][c + k * MMI_LINE_STRIDE]) * w;
				}
			}
		}
	MMI_UNROLL
	for (int t = 0; t < tiles; t++) {
		MMI_UNROLL
		for (int k = 0; k < LINE_SPLIT; k++)
			p->m[t][point + k] = acc[t][k];
	}
}

typedef void (*product_fn)(product *p);
#define PRODUCT_FN(tiles)                   \
	static void product_##tiles(product *p) \
	{                                       \
		sum_points(tiles, 0, p);            \
		sum_points(tiles, LINE_SPLIT, p);   \
	}
#define PRODUCT_ENTRY(tiles) product_##tiles,
LINE_LIST(PRODUCT_FN)
static const product_fn product_table[LINE_TILES] = { LINE_LIST(PRODUCT_ENTRY) };

/* The outputs y[i]: sums of a^i m over the points a. */
MMI_INLINE void transform_out(const int outputs, const vf m[POINTS], vf y[POINTS])
{
	const vf s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4], s3 = m[5] + m[6], d3 = m[5] - m[6];
	y[0] = m[0] + s1 + s2 + s3;
	MMI_UNROLL
	for (int i = 1; i < outputs; i++) {
		const vf up = splat((float)(1 << i)), down = splat(1 / (float)(1 << i));
		y[i] = i % 2 ? d1 + up * d2 + down * d3 : s1 + up * s2 + down * s3;
	}
	y[outputs - 1] += m[7];
}

MMI_INLINE void scatter(const int outputs, const mmi_line_job *j, const vf m[POINTS], const position *at, int col,
                        vf bias)
{
	const int n = j->columns - at->x < outputs ? j->columns - at->x : outputs;
	const int64_t row = at->sample * j->dst_h + at->y, step = (int64_t)j->dst_step * j->cols;
	int64_t to = (row * j->dst_w + j->dst_x + (int64_t)at->x * j->dst_step) * j->cols;
	vf y[POINTS];
	transform_out(outputs, m, y);
	for (int i = 0; i < n; i++, to += step)
		finish(j->dst, false, to, col, j->cols - col, y[i], bias, &j->ep);
}

static void scatter_tile(const mmi_line_job *j, const vf m[POINTS], const position *at, int col, vf bias)
{
	switch (j->taps) {
	case 2:
		scatter(7, j, m, at, col, bias);
		break;
	case 3:
		scatter(6, j, m, at, col, bias);
		break;
	case 4:
		scatter(5, j, m, at, col, bias);
		break;
	default:
		scatter(4, j, m, at, col, bias);
		break;
	}
}

void MMI_NAME(mmi_line_product)(const mmi_line_job *j)
{
	const int64_t blocks = (int64_t)j->n_groups * ((j->c + MMI_LINE_CHANNELS - 1) / MMI_LINE_CHANNELS);
	const int64_t n = (j->n_tiles + LINE_TILES - 1) / LINE_TILES;
	product p = { .job = j, .v_tile = blocks * TILE_FLOATS, .u = j->u };
	for (int col = 0; col < j->cols; col += W, p.u += (int64_t)j->n_groups * j->c * POINTS * W) {
		const vf bias = bias_of(&j->ep, col, j->cols - col);
		position at = first_position(j);
		p.v = j->v;
		for (int64_t i = 0; i < n; i++) {
			const int tiles = tile_rows_of(j->n_tiles, n, i);
			product_table[tiles - 1](&p);
			for (int t = 0; t < tiles; t++, advance(j, &at))
				scatter_tile(j, p.m[t], &at, col, bias);
			p.v += tiles * p.v_tile;
		}
	}
}

/* ------------------------------------------------------------------ gradients of outputs */

/* Sums of a^i d[i] over the outputs i: what the kernels' transform does, less a factor for each point. */
MMI_INLINE void transform_dy(const int outputs, const vf d[POINTS], vf e[POINTS])
{
	vf even[3], odd[3];
	for (int k = 0; k < 3; k++)
		even[k] = odd[k] = splat(0.0f);
	MMI_UNROLL
	for (int i = 0; i < outputs; i++) {
		const vf up = splat((float)(1 << i)), down = splat(1 / (float)(1 << i));
		vf *sum = i % 2 ? odd : even;
		sum[0] += d[i];
		sum[1] += up * d[i];
		sum[2] += down * d[i];
	}
	e[0] = d[0];
	MMI_UNROLL
	for (int k = 0; k < 3; k++) {
		e[1 + 2 * k] = even[k] + odd[k];
		e[2 + 2 * k] = even[k] - odd[k];
	}
	e[7] = d[outputs - 1];
}

MMI_INLINE void gather_dy(const int outputs, const mmi_line_job *j, const position *at, const float *zeros, float *e,
                          int64_t plane)
{
	const int n = j->columns - at->x < outputs ? j->columns - at->x : outputs;
	const float *from = j->dy + ((at->sample * j->rows + at->y) * j->columns + at->x) * j->cols;
	for (int col = 0; col < j->cols; col += W) {
		vf d[POINTS], out[POINTS];
		MMI_UNROLL
		for (int i = 0; i < outputs; i++)
			d[i] = load_up_to(i < n ? from + (int64_t)i * j->cols + col : zeros, j->cols - col);
		transform_dy(outputs, d, out);
		MMI_UNROLL
		for (int k = 0; k < POINTS; k++)
			store(e + k * plane + col, out[k]);
	}
}

void MMI_NAME(mmi_line_gather_dy)(const mmi_line_job *j)
{
	static const float zeros[W];
	const int64_t plane = (j->cols + W - 1) / W * W;
	float *e = j->e;
	position at = first_position(j);
	for (int t = 0; t < j->n_tiles; t++, advance(j, &at), e += POINTS * plane)
		switch (j->taps) {
		case 2:
			gather_dy(7, j, &at, zeros, e, plane);
			break;
		case 3:
			gather_dy(6, j, &at, zeros, e, plane);
			break;
		case 4:
			gather_dy(5, j, &at, zeros, e, plane);
			break;
		default:
			gather_dy(4, j, &at, zeros, e, plane);
			break;
		}
}
