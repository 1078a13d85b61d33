/* conv_winograd.c - convolutions of 3x3 with stride 1 and of 4x4 with stride 2, and their gradients to x, by Winograd's
 * algorithm. A 4x4 kernel with stride 2 is four 2x2 kernels with stride 1. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/patch.h"
#include "backend/cpu/weights.h"
#include "backend/cpu/winograd.h"

#include <string.h>

enum {
	PACK_WINOGRAD = 2,
	PACK_WINOGRAD_BF16 = 5,
	MAX_PARTS = 4,
	MAX_LANES = 32, /* of a panel: two vectors */
	MAX_POINTS = MMI_WINO_MOST_POINTS * MMI_WINO_MOST_POINTS
};

typedef struct winograd_packing {
	mmi_conv_shape shape;
	int32_t bwd_x, width, pairs;
	int32_t high, wide; /* points along each axis */
} winograd_packing;

typedef struct winograd_state {
	void (*product)(const mmi_wino_job *j);
	int32_t n_jobs;              /* one, or one for each part of the output */
	mmi_wino_job job[MAX_PARTS]; /* all but the pointers and the block's position */
	int64_t n_tiles[MAX_PARTS];
	int64_t u_bytes; /* packed weights of one part */
	mmi_weights weights;
} winograd_state;

static int32_t round_up(int32_t n, int32_t width)
{
	return (n + width - 1) / width * width;
}

/* ------------------------------------------------------------------ weights */

/* Kernels of neighbouring columns, side by side: [tap][lane], with zeros where a kernel has no third tap. */
typedef struct kernels {
	double tap[3][3][MAX_LANES];
} kernels;

/* The point with that number along an axis; the last one is infinity. */
static double point_of(const float pairs[MMI_WINO_MOST_PAIRS], int32_t points, int32_t i)
{
	const int32_t zero = points % 2 == 0;
	const double a = i < zero ? 0 : (double)pairs[(i - zero) / 2];
	return (i - zero) % 2 ? -a : a;
}

/* Rows of G: 1, a, a^2 for a point a, over the product of a - b for all others but infinity, which takes the last tap.
 */
static void rows_of(const winograd_packing *p, int32_t points, double rows[MMI_WINO_MOST_POINTS][3])
{
	const float *pairs = p->pairs ? mmi_wino_pairs_bf16[points] : mmi_wino_pairs[points];
	const int32_t taps = p->shape.kh / p->shape.sh;
	for (int32_t i = 0; i + 1 < points; i++) {
		const double a = point_of(pairs, points, i);
		double product = 1;
		for (int32_t k = 0; k + 1 < points; k++)
			product *= k == i ? 1 : a - point_of(pairs, points, k);
		rows[i][0] = 1 / product;
		rows[i][1] = a / product;
		rows[i][2] = a * a / product;
	}
	for (int32_t k = 0; k < 3; k++)
		rows[points - 1][k] = k == taps - 1;
}

/* u = G g G^T for kernels of taps x taps. Value p of lane i goes to out[p * plane + i]. */
static void transform_kernels(const winograd_packing *p, const kernels *g, int32_t lanes, int64_t plane, float *out)
{
	double high[MMI_WINO_MOST_POINTS][3], wide[MMI_WINO_MOST_POINTS][3];
	rows_of(p, p->high, high);
	rows_of(p, p->wide, wide);
	double half[3][MAX_LANES];
	for (int i = 0; i < p->high; i++) {
		for (int x = 0; x < 3; x++)
			for (int l = 0; l < lanes; l++)
				half[x][l] = high[i][0] * g->tap[0][x][l] + high[i][1] * g->tap[1][x][l] + high[i][2] * g->tap[2][x][l];
		for (int k = 0; k < p->wide; k++, out += plane)
			for (int l = 0; l < lanes; l++)
				out[l] = (float)(wide[k][0] * half[0][l] + wide[k][1] * half[1][l] + wide[k][2] * half[2][l]);
	}
}

/* One part's kernels from channel c to n columns from `col` on; flipped for the gradient. */
static void read_kernels(const winograd_packing *k, const float *w, int32_t part, int32_t c, int32_t col, int32_t n,
                         kernels *g)
{
	const mmi_conv_shape *s = &k->shape;
	const int32_t taps = s->kh / s->sh;
	const int64_t first = k->bwd_x ? (int64_t)col * s->co + c : (int64_t)c * s->co + col, step = k->bwd_x ? s->co : 1;
	for (int32_t y = 0; y < taps; y++)
		for (int32_t x = 0; x < taps; x++) {
			const int32_t ky = part / s->sw + s->sh * (k->bwd_x ? taps - 1 - y : y);
			const int32_t kx = part % s->sw + s->sw * (k->bwd_x ? taps - 1 - x : x);
			const float *tap = w + ((int64_t)ky * s->kw + kx) * s->ci * s->co + first;
			for (int32_t l = 0; l < n; l++)
				g->tap[y][x][l] = (double)tap[l * step];
		}
}

/* The same in bfloat16, where a lane has the values of two channels. */
static void transform_kernels_bf16(const winograd_packing *k, const kernels *g, int32_t lanes, int64_t plane,
                                   uint16_t *out)
{
	float values[MAX_POINTS * MAX_LANES];
	transform_kernels(k, g, lanes, lanes, values);
	for (int32_t p = 0; p < k->high * k->wide; p++)
		for (int32_t l = 0; l < lanes; l++)
			out[p * plane + 2 * l] = mmi_to_bf16(values[p * lanes + l]);
}

/* All channels to the columns col..col+lanes-1, one panel. */
static void pack_panel(const winograd_packing *k, const float *source, int32_t part, int32_t col, int32_t lanes,
                       int64_t plane, float *out)
{
	const int32_t channels = k->bwd_x ? k->shape.co : k->shape.ci, cols = k->bwd_x ? k->shape.ci : k->shape.co;
	const int32_t there = cols - col < lanes ? cols - col : lanes;
	kernels g = { { { { 0 } } } };
	for (int32_t c = 0; c < channels; c++) {
		read_kernels(k, source, part, c, col, there, &g);
		transform_kernels(k, &g, lanes, plane, out + c * lanes);
	}
}

/* An odd number of channels has one of zeros behind it. */
static void pack_panel_bf16(const winograd_packing *k, const float *source, int32_t part, int32_t col, int32_t lanes,
                            int64_t plane, uint16_t *out)
{
	const int32_t channels = k->bwd_x ? k->shape.co : k->shape.ci, cols = k->bwd_x ? k->shape.ci : k->shape.co;
	const int32_t there = cols - col < lanes ? cols - col : lanes;
	kernels g = { { { { 0 } } } };
	for (int32_t c = 0; c < round_up(channels, 2); c++) {
		if (c < channels)
			read_kernels(k, source, part, c, col, there, &g);
		else
			memset(&g, 0, sizeof g);
		transform_kernels_bf16(k, &g, lanes, plane, out + c / 2 * 2 * lanes + c % 2);
	}
}

static float *pack_part(const winograd_packing *k, const float *source, int32_t part, float *data)
{
	const int32_t channels = k->bwd_x ? k->shape.co : k->shape.ci, cols = k->bwd_x ? k->shape.ci : k->shape.co;
	const int32_t padded = round_up(cols, k->width);
	const int64_t plane = (int64_t)channels * padded;
	for (int32_t col = 0; col < padded; col += 2 * k->width) {
		const int32_t lanes = padded - col > k->width ? 2 * k->width : k->width;
		pack_panel(k, source, part, col, lanes, plane, data + (int64_t)col * channels);
	}
	return data + k->high * k->wide * plane;
}

static uint16_t *pack_part_bf16(const winograd_packing *k, const float *source, int32_t part, uint16_t *data)
{
	const int32_t channels = round_up(k->bwd_x ? k->shape.co : k->shape.ci, 2);
	const int32_t padded = round_up(k->bwd_x ? k->shape.ci : k->shape.co, k->width);
	const int64_t plane = (int64_t)channels * padded;
	for (int32_t col = 0; col < padded; col += 2 * k->width) {
		const int32_t lanes = padded - col > k->width ? 2 * k->width : k->width;
		pack_panel_bf16(k, source, part, col, lanes, plane, data + (int64_t)col * channels);
	}
	return data + k->high * k->wide * plane;
}

static void pack_bf16(const float *source, void *data, const void *ctx)
{
	const winograd_packing *k = ctx;
	uint16_t *next = data;
	for (int32_t part = 0; part < k->shape.sh * k->shape.sw; part++)
		next = pack_part_bf16(k, source, part, next);
}

static void pack(const float *source, void *data, const void *ctx)
{
	const winograd_packing *k = ctx;
	float *next = data;
	for (int32_t part = 0; part < k->shape.sh * k->shape.sw; part++)
		next = pack_part(k, source, part, next);
}

/* ------------------------------------------------------------------ jobs */

/* Rows and columns of one part of the output, the largest. */
static void part_of(const winograd_packing *p, int32_t *rows, int32_t *columns)
{
	const mmi_conv_shape *s = &p->shape;
	*rows = p->bwd_x ? (s->h + s->sh - 1) / s->sh : s->oh;
	*columns = p->bwd_x ? (s->w + s->sw - 1) / s->sw : s->ow;
}

static void choose_points(winograd_packing *p)
{
	const mmi_conv_shape *s = &p->shape;
	const int32_t taps = s->kh / s->sh;
	int32_t rows, columns;
	part_of(p, &rows, &columns);
	if (p->pairs)
		p->high = p->wide = MMI_WINO_SMALL_TILE + taps - 1;
	else
		mmi_wino_choose(rows, columns, taps, sizeof(float) * (double)s->sh * s->sw * s->ci * s->co, &p->high, &p->wide);
}

static winograd_packing packing_of(const mmi_exec *x, bool bf16)
{
	winograd_packing p = { .shape = mmi_conv_shape_of(x),
		                   .bwd_x = mmi_op_is_bwd_x(x->node->op),
		                   .width = mmi_simd_of(x)->width,
		                   .pairs = bf16 };
	choose_points(&p);
	return p;
}

static bool accepts_as(const mmi_exec *x, bool bf16)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	if (!mmi_wino_takes(&s))
		return false;
	/* The products that one part of the output takes with and without the transforms. */
	const winograd_packing p = packing_of(x, bf16);
	const int32_t taps = s.kh / s.sh;
	int32_t rows, columns;
	part_of(&p, &rows, &columns);
	const int64_t direct = (int64_t)taps * taps * rows * columns;
	return direct > 0 &&
	       mmi_wino_products(rows, p.high, taps) * mmi_wino_products(columns, p.wide, taps) * 20 <= direct * 11;
}

static bool accepts(const mmi_exec *x)
{
	return accepts_as(x, false);
}

/* Products are twice as fast, transforms are not: with 4x4 kernels they pay from some 32 and 64 channels on. */
static bool accepts_bf16(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	return mmi_bf16_of(x) && accepts_as(x, true) && (s.kh == 3 || s.ci * s.co >= 20 * (s.ci + s.co));
}

static void make_jobs(winograd_state *s, mmi_exec *x, const winograd_packing *k)
{
	const mmi_conv_shape *shape = &k->shape;
	s->n_jobs = k->bwd_x ? shape->sh * shape->sw : 1;
	for (int32_t i = 0; i < s->n_jobs; i++) {
		if (k->bwd_x)
			mmi_wino_backward(&s->job[i], shape, i);
		else
			mmi_wino_forward(&s->job[i], shape);
		s->job[i].n = x->n;
		s->job[i].y = mmi_wino_axis_of(s->job[i].rows, k->high + 1 - s->job[i].taps);
		s->job[i].x = mmi_wino_axis_of(s->job[i].columns, k->wide + 1 - s->job[i].taps);
		s->n_tiles[i] = mmi_wino_tiles(&s->job[i]);
		const size_t bytes = mmi_wino_blocks(&s->job[i], k->width) * sizeof(float);
		x->scratch_bytes = bytes > x->scratch_bytes ? bytes : x->scratch_bytes;
	}
	const mmi_wino_job *j = &s->job[0];
	s->u_bytes = (int64_t)k->high * k->wide * round_up(j->cols, k->width) *
	             (k->pairs ? round_up(j->c, 2) * (int64_t)sizeof(uint16_t) : j->c * (int64_t)sizeof(float));
}

/* ------------------------------------------------------------------ kernel */

static void winograd_release(mmi_exec *x)
{
	winograd_state *s = x->state;
	if (!s)
		return;
	mmi_weights_release(&s->weights);
	mmi_free(s);
	x->state = NULL;
}

static mm_status prepare(mmi_exec *x, const mmi_bf16 *bf16, mm_error *e)
{
	const mmi_simd *simd = mmi_simd_of(x);
	winograd_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	x->state = s;
	x->scratch_bytes = 0;
	s->product = bf16 ? bf16->winograd : simd->winograd;
	const winograd_packing packing = packing_of(x, bf16 != NULL);
	make_jobs(s, x, &packing);
	const size_t floats = (size_t)(packing.shape.sh * packing.shape.sw) * (size_t)s->u_bytes / sizeof(float);
	mm_status status = mmi_weights_prepare(&s->weights, x, bf16 ? PACK_WINOGRAD_BF16 : PACK_WINOGRAD, floats,
	                                       bf16 ? pack_bf16 : pack, &packing, sizeof packing, e);
	if (status != MM_OK)
		winograd_release(x);
	return status;
}

static mm_status winograd_prepare(mmi_exec *x, mm_error *e)
{
	return prepare(x, NULL, e);
}

static mm_status winograd_prepare_bf16(mmi_exec *x, mm_error *e)
{
	return prepare(x, mmi_bf16_of(x), e);
}

static void run_blocks(const winograd_state *s, mmi_wino_job *j, int64_t n_tiles)
{
	const int64_t n_blocks = (n_tiles + j->max_tiles - 1) / j->max_tiles;
	for (int64_t i = 0; i < n_blocks; i++) {
		j->first_tile = n_tiles * i / n_blocks;
		j->n_tiles = (int32_t)(n_tiles * (i + 1) / n_blocks - j->first_tile);
		s->product(j);
	}
}

static void winograd_run(mmi_exec *x)
{
	const winograd_state *s = x->state;
	const char *u = (const char *)mmi_weights_data(&s->weights, x);
	for (int32_t i = 0; i < s->n_jobs; i++) {
		mmi_wino_job j = s->job[i];
		j.src = x->in[0];
		j.dst = x->out;
		j.u = u + i * s->u_bytes;
		j.scratch = x->scratch;
		j.ep = mmi_epilogue_of(x);
		run_blocks(s, &j, s->n_tiles[i]);
	}
}

const mmi_kernel mmi_kernel_winograd = {
	.name = "winograd/square",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	.accepts = accepts,
	.prepare = winograd_prepare,
	.run = winograd_run,
	.release = winograd_release,
};

const mmi_kernel mmi_kernel_winograd_bf16 = {
	.name = "winograd/square-bf16",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	.accepts = accepts_bf16,
	.prepare = winograd_prepare_bf16,
	.run = winograd_run,
	.release = winograd_release,
};
