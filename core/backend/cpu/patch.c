/* patch.c - convolutions as products of patches with weights: which pixels each output row reads. */
#include "mmi_build.h"

#include "backend/cpu/patch.h"
#include "backend/cpu/bf16.h"

#include <string.h>

enum {
	MOST_LANES = 32,          /* of a panel: two vectors */
	GROUP_FLOATS = 64 * 1024, /* padded copy of a group: a quarter of a usual second-level cache */
	GROUP_ROWS = 4096         /* limit on the offset tables */
};

/* ------------------------------------------------------------------ axes */

static mmi_axis forward_axis(int32_t k, int32_t s, int32_t p, int32_t out)
{
	return (mmi_axis){ .taps = k, .count = out, .dst_step = 1, .first_src = -p, .src_step = s };
}

mmi_axis mmi_backward_axis(int32_t k, int32_t s, int32_t p, int32_t size, int32_t phase)
{
	mmi_axis a = { .dst_step = s, .src_step = 1 };
	a.taps = phase < k ? (k - phase + s - 1) / s : 0;
	a.first_dst = ((phase - p) % s + s) % s;
	a.count = size > a.first_dst ? (size - a.first_dst + s - 1) / s : 0;
	a.first_src = (a.first_dst + p) / s - (a.taps - 1);
	return a;
}

static mmi_axis axis_y(const mmi_conv_shape *s, bool bwd_x, int32_t phase)
{
	return bwd_x ? mmi_backward_axis(s->kh, s->sh, s->ph, s->h, phase / s->sw)
	             : forward_axis(s->kh, s->sh, s->ph, s->oh);
}

static mmi_axis axis_x(const mmi_conv_shape *s, bool bwd_x, int32_t phase)
{
	return bwd_x ? mmi_backward_axis(s->kw, s->sw, s->pw, s->w, phase % s->sw)
	             : forward_axis(s->kw, s->sw, s->pw, s->ow);
}

static int32_t phase_count(const mmi_conv_shape *s, bool bwd_x)
{
	return bwd_x ? s->sh * s->sw : 1;
}

/* ------------------------------------------------------------------ plans */

/* Widens before..after so that the axis stays inside a source of `size`. */
static void cover(const mmi_axis *a, int32_t size, int32_t *before, int32_t *after)
{
	if (a->taps == 0 || a->count == 0)
		return;
	const int32_t last = a->first_src + (a->count - 1) * a->src_step + a->taps - 1;
	if (-a->first_src > *before)
		*before = -a->first_src;
	if (last - (size - 1) > *after)
		*after = last - (size - 1);
}

static void plan_padding(mmi_patch_plan *p)
{
	int32_t bottom = 0, right = 0;
	for (int32_t i = 0; i < p->n_phases; i++) {
		cover(&p->phases[i].y, p->h, &p->top, &bottom);
		cover(&p->phases[i].x, p->w, &p->left, &right);
	}
	p->full_h = p->top + p->h + bottom;
	p->full_w = p->left + p->w + right;
}

static int32_t group_size(const mmi_patch_plan *p, int64_t n)
{
	int64_t pixels = (int64_t)p->dst_h * p->dst_w, floats = (int64_t)p->full_h * p->full_w * p->c;
	int64_t group = GROUP_ROWS / (pixels > 0 ? pixels : 1);
	if (p->copy && GROUP_FLOATS / floats < group)
		group = GROUP_FLOATS / floats;
	const int64_t largest = floats > pixels * p->cols ? floats : pixels * p->cols;
	if (INT32_MAX / largest < group) /* offsets are 32 bits */
		group = INT32_MAX / largest;
	group = group < n ? group : n;
	return (int32_t)(group > 1 ? group : 1);
}

static void fill_offsets(const mmi_patch_plan *p, mmi_patch_phase *f)
{
	int64_t r = 0;
	for (int32_t g = 0; g < p->group; g++)
		for (int32_t y = 0; y < f->y.count; y++)
			for (int32_t x = 0; x < f->x.count; x++, r++) {
				const int32_t sy = p->top + f->y.first_src + y * f->y.src_step, dy = f->y.first_dst + y * f->y.dst_step;
				const int32_t sx = p->left + f->x.first_src + x * f->x.src_step,
							  dx = f->x.first_dst + x * f->x.dst_step;
				f->src_off[r] = f->n_seg == 0 ? 0 : ((g * p->full_h + sy) * p->full_w + sx) * p->c;
				f->dst_off[r] = ((g * p->dst_h + dy) * p->dst_w + dx) * p->cols;
			}
}

static mm_status plan_offsets(mmi_patch_plan *p, mm_error *e)
{
	const size_t rows = (size_t)p->group * (size_t)p->dst_h * (size_t)p->dst_w;
	p->offsets = mmi_alloc(2 * rows, sizeof *p->offsets);
	if (!p->offsets)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's offsets (%zu rows)", rows);
	int32_t *next = p->offsets;
	for (int32_t i = 0; i < p->n_phases; i++) {
		mmi_patch_phase *f = &p->phases[i];
		f->src_off = next;
		f->dst_off = next + p->group * f->rows;
		next += 2 * p->group * f->rows;
		fill_offsets(p, f);
	}
	return MM_OK;
}

static void plan_phases(mmi_patch_plan *p, const mmi_conv_shape *s, bool bwd_x)
{
	for (int32_t i = 0; i < p->n_phases; i++) {
		mmi_patch_phase *f = &p->phases[i];
		f->y = axis_y(s, bwd_x, i);
		f->x = axis_x(s, bwd_x, i);
		f->seg_len = f->x.taps * p->c;
		f->n_seg = f->seg_len > 0 ? f->y.taps : 0;
		f->rows = (int64_t)f->y.count * f->x.count;
	}
}

mm_status mmi_patch_plan_make(mmi_patch_plan *p, const mmi_conv_shape *s, bool bwd_x, int64_t n, int32_t whole,
                              mm_error *e)
{
	*p = (mmi_patch_plan){ .h = bwd_x ? s->oh : s->h,
		                   .w = bwd_x ? s->ow : s->w,
		                   .c = bwd_x ? s->co : s->ci,
		                   .dst_h = bwd_x ? s->h : s->oh,
		                   .dst_w = bwd_x ? s->w : s->ow,
		                   .cols = bwd_x ? s->ci : s->co,
		                   .n_phases = phase_count(s, bwd_x) };
	p->phases = mmi_alloc((size_t)p->n_phases, sizeof *p->phases);
	if (!p->phases)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's %d phases", p->n_phases);
	plan_phases(p, s, bwd_x);
	plan_padding(p);
	p->copy = p->full_h != p->h || p->full_w != p->w;
	for (int32_t i = 0; i < p->n_phases; i++)
		p->copy = p->copy || p->phases[i].seg_len % whole != 0;
	p->group = group_size(p, n);
	mm_status status = plan_offsets(p, e);
	if (status != MM_OK)
		mmi_patch_plan_release(p);
	return status;
}

void mmi_patch_plan_release(mmi_patch_plan *p)
{
	mmi_free(p->phases);
	mmi_free(p->offsets);
	p->phases = NULL;
	p->offsets = NULL;
}

/* ------------------------------------------------------------------ padded copies */

static size_t padded_floats(const mmi_patch_plan *p)
{
	return (size_t)p->full_h * (size_t)p->full_w * (size_t)p->c;
}

size_t mmi_patch_scratch(const mmi_patch_plan *p, int32_t width)
{
	return p->copy ? (size_t)p->group * padded_floats(p) + (size_t)width : 0;
}

static void clear(float *p, size_t n)
{
	memset(p, 0, n * sizeof *p);
}

/* A row of a map in floats. */
static void copy_row(const mmi_bf16 *bf16, const void *src, float *dst, size_t n)
{
	if (bf16)
		bf16->widen(src, dst, n);
	else
		memcpy(dst, src, n * sizeof *dst);
}

static void copy_padded(const mmi_patch_plan *p, const mmi_bf16 *bf16, const void *src, float *dst)
{
	const size_t c = (size_t)p->c, row = (size_t)p->w * c, full = (size_t)p->full_w * c, left = (size_t)p->left * c;
	clear(dst, (size_t)p->top * full);
	dst += (size_t)p->top * full;
	for (int32_t y = 0; y < p->h; y++, dst += full) {
		clear(dst, left);
		copy_row(bf16, mmi_map_at(src, bf16 != NULL, y * (int64_t)row), dst + left, row);
		clear(dst + left + row, full - left - row);
	}
	clear(dst, (size_t)(p->full_h - p->h - p->top) * full);
}

const float *mmi_patch_source(const mmi_patch_plan *p, const mmi_bf16 *bf16, const void *src, int64_t samples,
                              int32_t width, float *scratch)
{
	if (!p->copy)
		return src;
	const int64_t sample = (int64_t)p->h * p->w * p->c, padded = (int64_t)padded_floats(p);
	for (int64_t i = 0; i < samples; i++)
		copy_padded(p, bf16, mmi_map_at(src, bf16 != NULL, i * sample), scratch + i * padded);
	clear(scratch + samples * padded, (size_t)width);
	return scratch;
}

size_t mmi_patch_scratch_bf16(const mmi_patch_plan *p, int32_t width)
{
	return (mmi_patch_scratch(p, width) + 1) / 2;
}

static void clear_bf16(uint16_t *p, size_t n)
{
	memset(p, 0, n * sizeof *p);
}

/* A row of a map, rounded where it is in floats. */
static void take_row(const mmi_bf16 *bf16, const void *src, bool narrow, uint16_t *dst, size_t n)
{
	if (narrow)
		memcpy(dst, src, n * sizeof *dst);
	else
		bf16->round(src, dst, n);
}

static void take_padded(const mmi_patch_plan *p, const mmi_bf16 *bf16, const void *src, bool narrow, uint16_t *dst)
{
	const size_t c = (size_t)p->c, row = (size_t)p->w * c, full = (size_t)p->full_w * c, left = (size_t)p->left * c;
	clear_bf16(dst, (size_t)p->top * full);
	dst += (size_t)p->top * full;
	for (int32_t y = 0; y < p->h; y++, dst += full) {
		clear_bf16(dst, left);
		take_row(bf16, mmi_map_at(src, narrow, y * (int64_t)row), narrow, dst + left, row);
		clear_bf16(dst + left + row, full - left - row);
	}
	clear_bf16(dst, (size_t)(p->full_h - p->h - p->top) * full);
}

const uint16_t *mmi_patch_source_bf16(const mmi_patch_plan *p, const mmi_bf16 *bf16, const void *src, bool narrow,
                                      int64_t samples, int32_t width, void *scratch)
{
	const int64_t sample = (int64_t)p->h * p->w * p->c, padded = (int64_t)padded_floats(p);
	uint16_t *copy = scratch;
	for (int64_t i = 0; i < samples; i++)
		take_padded(p, bf16, mmi_map_at(src, narrow, i * sample), narrow, copy + i * padded);
	clear_bf16(copy + samples * padded, (size_t)width);
	return copy;
}

/* ------------------------------------------------------------------ packed weights */

/* Weights of one phase, given the taps along y and the length of a segment. */
static int64_t packed_count(const mmi_patch_packing *k, int64_t taps, int32_t seg_len, int32_t cols)
{
	const int32_t per_lane = k->pairs ? 2 : 1;
	return k->narrow ? taps * mmi_round_up(seg_len, per_lane * k->width) * cols
	                 : taps * mmi_round_up(seg_len, per_lane) * mmi_round_up(cols, k->width);
}

int64_t mmi_patch_pack_layout(mmi_patch_plan *p, const mmi_patch_packing *k)
{
	int64_t total = 0;
	for (int32_t i = 0; i < p->n_phases; i++) {
		p->phases[i].b_offset = total;
		total += packed_count(k, p->phases[i].y.taps, p->phases[i].seg_len, p->cols);
	}
	return total;
}

/* Weights of one phase as a matrix [tap y, tap x, channel] by column, read from HWIO. */
typedef struct phase_weights {
	const float *w;
	const mmi_conv_shape *s;
	bool bwd_x;
	int32_t taps_y, taps_x, c, cols, phase;
} phase_weights;

static const float *tap_weights(const phase_weights *v, int32_t ty, int32_t tx)
{
	const mmi_conv_shape *s = v->s;
	if (v->bwd_x) {
		ty = v->phase / s->sw + s->sh * (v->taps_y - 1 - ty);
		tx = v->phase % s->sw + s->sw * (v->taps_x - 1 - tx);
	}
	return v->w + ((int64_t)ty * s->kw + tx) * s->ci * s->co;
}

/* n channels of `used` columns, weights side by side in memory, into rows of `lanes`. */
static void pack_rows(const float *w, int64_t channel_step, int32_t n, int32_t used, int32_t lanes, float *b)
{
	for (int32_t c = 0; c < n; c++, w += channel_step, b += lanes) {
		memcpy(b, w, (size_t)used * sizeof *b);
		clear(b + used, (size_t)(lanes - used));
	}
}

/* The same where channels are side by side: a transposition, in blocks whose rows stay in the nearest cache. */
static void pack_columns(const float *w, int64_t column_step, int32_t n, int32_t used, int32_t lanes, float *b)
{
	enum { BLOCK = 64 };
	for (int32_t first = 0; first < n; first += BLOCK) {
		const int32_t last = n - first < BLOCK ? n : first + BLOCK;
		for (int32_t i = 0; i < lanes; i++)
			for (int32_t c = first; c < last; c++)
				b[(int64_t)c * lanes + i] = i < used ? w[i * column_step + c] : 0.0f;
	}
}

static float *pack_wide(const phase_weights *v, int32_t width, float *b)
{
	for (int32_t col = 0; col < v->cols; col += 2 * width) {
		const int32_t lanes = v->cols - col > width ? 2 * width : width;
		const int32_t used = v->cols - col < lanes ? v->cols - col : lanes;
		for (int32_t tap = 0; tap < v->taps_y * v->taps_x; tap++, b += (int64_t)v->c * lanes) {
			const float *w = tap_weights(v, tap / v->taps_x, tap % v->taps_x);
			if (v->bwd_x)
				pack_columns(w + (int64_t)col * v->c, v->c, v->c, used, lanes, b);
			else
				pack_rows(w + col, v->cols, v->c, used, lanes, b);
		}
	}
	return b;
}

static float *pack_narrow(const phase_weights *v, int32_t width, float *b)
{
	const int64_t channel_step = v->bwd_x ? 1 : v->cols, column_step = v->bwd_x ? v->c : 1;
	const int32_t seg_len = v->taps_x * v->c, padded = mmi_round_up(seg_len, width);
	for (int32_t col = 0; col < v->cols; col++)
		for (int32_t ty = 0; ty < v->taps_y; ty++, b += padded) {
			for (int32_t i = 0; i < seg_len; i++)
				b[i] = tap_weights(v, ty, i / v->c)[i % v->c * channel_step + col * column_step];
			clear(b + seg_len, (size_t)(padded - seg_len));
		}
	return b;
}

/* Row k of a segment, the weights of `used` columns; those of a gradient's are copied, for they lie apart. */
static const float *row_weights(const phase_weights *v, int32_t ty, int32_t k, int32_t col, int32_t used, float *copy)
{
	const float *w = tap_weights(v, ty, k / v->c);
	const int32_t c = k % v->c;
	if (!v->bwd_x)
		return w + (int64_t)c * v->cols + col;
	for (int32_t i = 0; i < used; i++)
		copy[i] = w[(int64_t)(col + i) * v->c + c];
	return copy;
}

/* A lane takes two rows of a segment. */
static void pack_pairs(const phase_weights *v, const mmi_bf16 *bf16, int32_t ty, int32_t col, int32_t used,
                       int64_t step, uint16_t *b)
{
	float copy[2][MOST_LANES];
	const int32_t rows = v->taps_x * v->c;
	for (int32_t k = 0; k < rows; k += 2, b += step) {
		const float *low = row_weights(v, ty, k, col, used, copy[0]);
		const float *high = k + 1 < rows ? row_weights(v, ty, k + 1, col, used, copy[1]) : NULL;
		bf16->pair(low, high, (uint32_t *)(void *)b, (size_t)used);
	}
}

static uint16_t *pack_wide_bf16(const phase_weights *v, const mmi_bf16 *bf16, int32_t width, uint16_t *b)
{
	const int32_t pairs = (v->taps_x * v->c + 1) / 2;
	for (int32_t col = 0; col < v->cols; col += 2 * width) {
		const int32_t lanes = v->cols - col > width ? 2 * width : width;
		const int32_t used = v->cols - col < lanes ? v->cols - col : lanes;
		for (int32_t ty = 0; ty < v->taps_y; ty++, b += (int64_t)2 * pairs * lanes) {
			if (used < lanes)
				clear_bf16(b, (size_t)(2 * pairs * lanes));
			pack_pairs(v, bf16, ty, col, used, 2 * lanes, b);
		}
	}
	return b;
}

static uint16_t *pack_narrow_bf16(const phase_weights *v, int32_t width, uint16_t *b)
{
	const int32_t padded = mmi_round_up(v->taps_x * v->c, 2 * width);
	float copy;
	for (int32_t col = 0; col < v->cols; col++)
		for (int32_t ty = 0; ty < v->taps_y; ty++, b += padded) {
			clear_bf16(b, (size_t)padded);
			for (int32_t k = 0; k < v->taps_x * v->c; k++)
				b[k] = mmi_to_bf16(*row_weights(v, ty, k, col, 1, &copy));
		}
	return b;
}

static phase_weights weights_of(const mmi_patch_packing *k, const float *weights, int32_t phase)
{
	const mmi_conv_shape *s = &k->shape;
	const bool bwd_x = k->bwd_x != 0;
	return (phase_weights){ .w = weights,
		                    .s = s,
		                    .bwd_x = bwd_x,
		                    .taps_y = axis_y(s, bwd_x, phase).taps,
		                    .taps_x = axis_x(s, bwd_x, phase).taps,
		                    .c = bwd_x ? s->co : s->ci,
		                    .cols = bwd_x ? s->ci : s->co,
		                    .phase = phase };
}

void mmi_patch_pack_bf16(const float *weights, void *data, const void *packing)
{
	const mmi_patch_packing *k = packing;
	uint16_t *b = data;
	for (int32_t i = 0; i < phase_count(&k->shape, k->bwd_x != 0); i++) {
		const phase_weights v = weights_of(k, weights, i);
		b = k->narrow ? pack_narrow_bf16(&v, k->width, b) : pack_wide_bf16(&v, k->bf16, k->width, b);
	}
}

void mmi_patch_pack(const float *weights, void *data, const void *packing)
{
	const mmi_patch_packing *k = packing;
	float *b = data;
	for (int32_t i = 0; i < phase_count(&k->shape, k->bwd_x != 0); i++) {
		const phase_weights v = weights_of(k, weights, i);
		b = k->narrow ? pack_narrow(&v, k->width, b) : pack_wide(&v, k->width, b);
	}
}
