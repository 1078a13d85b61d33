/* conv_winograd.c - convolutions of 3x3 with stride 1 and of 4x4 with stride 2, and their gradients to x, by Winograd's
 * algorithm. A 4x4 kernel with stride 2 is four 2x2 kernels with stride 1. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/patch.h"
#include "backend/cpu/weights.h"
#include "backend/cpu/winograd.h"

#include <string.h>

enum { PACK_WINOGRAD = 2, PACK_WINOGRAD_BF16 = 5, MAX_PARTS = 4 };

/* What decides how weights are packed; without gaps, which would not compare. */
typedef struct winograd_packing {
	void (*pack)(const mmi_wino_pack_job *j);
	mmi_conv_shape shape;
	int32_t bwd_x, width, pairs; /* in bfloat16, by twos */
	int32_t high, wide;          /* points along each axis */
	int32_t none;                /* fills the gap */
} winograd_packing;

typedef struct winograd_state {
	void (*product)(const mmi_wino_job *j);
	int32_t n_jobs;              /* one, or one for each part of the output */
	mmi_wino_job job[MAX_PARTS]; /* all but the pointers and the block's position */
	int64_t n_tiles[MAX_PARTS];
	int64_t u_bytes; /* packed weights of one part */
	mmi_weights weights;
} winograd_state;

/* ------------------------------------------------------------------ weights */

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
	const float *pairs = mmi_wino_pairs[points];
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

/* The taps of one part, flipped for the gradient. */
static void place_taps(const winograd_packing *k, int32_t part, mmi_wino_pack_job *j)
{
	const mmi_conv_shape *s = &k->shape;
	for (int32_t y = 0; y < j->taps; y++)
		for (int32_t x = 0; x < j->taps; x++) {
			const int32_t ky = part / s->sw + s->sh * (k->bwd_x ? j->taps - 1 - y : y);
			const int32_t kx = part % s->sw + s->sw * (k->bwd_x ? j->taps - 1 - x : x);
			j->tap[y][x] = ((int64_t)ky * s->kw + kx) * s->ci * s->co;
		}
}

/* One part, panel by panel of columns. Returns the number of its packed weights. */
static int64_t pack_part(const winograd_packing *k, const float *source, int32_t part, mmi_wino_pack_job *j, char *data)
{
	const int32_t channels = mmi_round_up(j->channels, k->pairs ? 2 : 1);
	const int32_t cols = k->bwd_x ? k->shape.ci : k->shape.co, padded = mmi_round_up(cols, k->width);
	const size_t size = k->pairs ? sizeof(uint16_t) : sizeof(float);
	j->plane = (int64_t)channels * padded;
	place_taps(k, part, j);
	for (int32_t col = 0; col < padded; col += 2 * k->width) {
		j->w = source + col * j->column;
		j->out = data + (size_t)col * (size_t)channels * size;
		j->vectors = padded - col > k->width ? 2 : 1;
		j->columns = cols - col;
		k->pack(j);
	}
	return k->high * k->wide * j->plane * (int64_t)size;
}

static void pack(const float *source, void *data, const void *ctx)
{
	const winograd_packing *k = ctx;
	const mmi_conv_shape *s = &k->shape;
	mmi_wino_pack_job j = { .channel = k->bwd_x ? 1 : s->co,
		                    .column = k->bwd_x ? s->co : 1,
		                    .channels = k->bwd_x ? s->co : s->ci,
		                    .taps = s->kh / s->sh,
		                    .high = k->high,
		                    .wide = k->wide };
	char *next = data;
	rows_of(k, k->high, j.rows_high);
	rows_of(k, k->wide, j.rows_wide);
	for (int32_t part = 0; part < s->sh * s->sw; part++)
		next += pack_part(k, source, part, &j, next);
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
		mmi_wino_choose_bf16(rows, columns, taps, &p->high, &p->wide);
	else
		mmi_wino_choose(rows, columns, taps, sizeof(float) * (double)s->sh * s->sw * s->ci * s->co, &p->high, &p->wide);
}

static winograd_packing packing_of(const mmi_exec *x, const mmi_bf16 *bf16)
{
	const mmi_simd *simd = mmi_simd_of(x);
	winograd_packing p = { .pack = bf16 ? bf16->winograd_pack : simd->winograd_pack,
		                   .shape = mmi_conv_shape_of(x),
		                   .bwd_x = mmi_op_is_bwd_x(x->node->op),
		                   .width = simd->width,
		                   .pairs = bf16 != NULL };
	choose_points(&p);
	return p;
}

static bool accepts_as(const mmi_exec *x, const mmi_bf16 *bf16)
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
	return accepts_as(x, NULL);
}

/* Products are twice as fast, transforms are not: with 4x4 kernels they pay from some 32 and 64 channels on. */
static bool accepts_bf16(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	const mmi_bf16 *bf16 = mmi_bf16_of(x);
	return bf16 && accepts_as(x, bf16) && (s.kh == 3 || s.ci * s.co >= 20 * (s.ci + s.co));
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
		const size_t bytes = mmi_wino_blocks(&s->job[i], k->width, k->pairs ? 2 : 1) * sizeof(float);
		x->scratch_bytes = bytes > x->scratch_bytes ? bytes : x->scratch_bytes;
	}
	const mmi_wino_job *j = &s->job[0];
	s->u_bytes = (int64_t)k->high * k->wide * mmi_round_up(j->cols, k->width) *
	             (k->pairs ? mmi_round_up(j->c, 2) * (int64_t)sizeof(uint16_t) : j->c * (int64_t)sizeof(float));
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
	const winograd_packing packing = packing_of(x, bf16);
	make_jobs(s, x, &packing);
	const size_t floats = (size_t)(packing.shape.sh * packing.shape.sw) * (size_t)s->u_bytes / sizeof(float);
	mm_status status = mmi_weights_prepare(&s->weights, x, bf16 ? PACK_WINOGRAD_BF16 : PACK_WINOGRAD, floats, pack,
	                                       &packing, sizeof packing, e);
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
		j.narrow_src = x->narrow_in[0];
		j.narrow_dst = x->narrow_out;
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
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK | MMI_KERNEL_NARROW,
	.accepts = accepts_bf16,
	.prepare = winograd_prepare_bf16,
	.run = winograd_run,
	.release = winograd_release,
};
