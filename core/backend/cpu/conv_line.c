/* conv_line.c - convolutions one row high, along sequences and rows of pictures, their gradients to x and to weights,
 * by Winograd's algorithm with eight points: eight pixels give 9 - taps outputs by eight products. With stride 2 a
 * kernel is two of stride 1, for even pixels and odd ones. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/patch.h"
#include "backend/cpu/weights.h"

#include <string.h>

enum {
	PACK_LINE = 6,
	POINTS = MMI_LINE_POINTS,
	MIN_CHANNELS = 16,
	MOST_PARTS = 2,
	MOST_TAPS = 5,
	LIMIT = 11,      /* twentieths of the direct products that those of tiles may be, */
	LIMIT_MANY = 16, /* with so many channels, and registers enough for large tiles: */
	MANY_CHANNELS = 48,
	LEAST_TILES = 40, /* for gradients to weights */
	MOST_SUMS = 512 * 1024,
	BLOCK_TILES = 6,        /* of a convolution: few, so that they stay in the first-level cache */
	GRAD_FLOATS = 96 * 1024 /* transformed pixels of a block for weights: many, so that sums stay in registers */
};

typedef struct line_packing {
	mmi_conv_shape shape;
	int32_t bwd_x, width;
} line_packing;

typedef struct line_state {
	const mmi_simd *simd;
	int32_t n_jobs; /* one, or one for each part of the output */
	mmi_line_job job[MOST_PARTS];
	int64_t n_tiles[MOST_PARTS];
	int32_t max_tiles;
	size_t zeros_at, e_at, sums_at; /* in scratch, in floats */
	int64_t u_floats;               /* packed weights of one part */
	int32_t *src_off;               /* gradients to weights: of each tile of a block */
	int32_t kernel, stride;         /* the same */
	mmi_weights weights;
} line_state;

static int32_t taps_of(const mmi_conv_shape *s)
{
	return (s->kw + s->sw - 1) / s->sw;
}

static int32_t outputs_of(int32_t taps)
{
	return POINTS + 1 - taps;
}

/* Floats of one tile's transformed pixels. */
static int64_t tile_floats(const mmi_line_job *j)
{
	return (int64_t)j->n_groups * ((j->c + MMI_LINE_CHANNELS - 1) / MMI_LINE_CHANNELS) * POINTS * MMI_LINE_STRIDE;
}

/* ------------------------------------------------------------------ weights */

/* What a kernel's transform, a power series in each point, is multiplied with. */
static const double points[POINTS] = { 0, 1, -1, 2, -2, 0.5, -0.5, 0 };
static const double factors[POINTS] = { 1, -2.0 / 9, -2.0 / 9, 1.0 / 90, 1.0 / 90, 32.0 / 45.0, 32.0 / 45.0, 1 };

/* The taps of one part of a kernel to the points. */
static void transform_kernel(const double *tap, int32_t taps, double out[POINTS])
{
	for (int32_t p = 0; p < POINTS; p++) {
		double sum = 0;
		for (int32_t t = taps; t-- > 0;)
			sum = sum * points[p] + tap[t];
		out[p] = p == POINTS - 1 ? tap[taps - 1] : factors[p] * sum;
	}
}

/* Weights of the taps from channel c to column col of a part; flipped for the gradient; zeros behind the last. */
static void read_kernel(const line_packing *k, const float *w, int32_t part, int32_t c, int32_t col, double *tap)
{
	const mmi_conv_shape *s = &k->shape;
	const int32_t there = (s->kw - part + s->sw - 1) / s->sw;
	const int64_t at = k->bwd_x ? (int64_t)col * s->co + c : (int64_t)c * s->co + col;
	for (int32_t t = 0; t < taps_of(s); t++)
		tap[t] =
			t < there ? (double)w[(part + s->sw * (k->bwd_x ? there - 1 - t : t)) * (int64_t)s->ci * s->co + at] : 0.0;
}

/* Channel c of part `part` to a vector of columns: [point][lane]. */
static void pack_vector(const line_packing *k, const float *source, int32_t part, int32_t c, int32_t col, float *out)
{
	const int32_t cols = k->bwd_x ? k->shape.ci : k->shape.co;
	for (int32_t l = 0; l < k->width; l++) {
		double tap[MOST_TAPS] = { 0 }, u[POINTS] = { 0 };
		if (col + l < cols) {
			read_kernel(k, source, part, c, col + l, tap);
			transform_kernel(tap, taps_of(&k->shape), u);
		}
		for (int32_t p = 0; p < POINTS; p++)
			out[p * k->width + l] = (float)u[p];
	}
}

/* [job][vector of columns][group][channel][point][lane]: the parts of a convolution are groups, of a gradient jobs. */
static void pack(const float *source, void *data, const void *ctx)
{
	const line_packing *k = ctx;
	const int32_t channels = k->bwd_x ? k->shape.co : k->shape.ci, cols = k->bwd_x ? k->shape.ci : k->shape.co;
	const int32_t jobs = k->bwd_x ? k->shape.sw : 1, groups = k->bwd_x ? 1 : k->shape.sw;
	float *out = data;
	for (int32_t job = 0; job < jobs; job++)
		for (int32_t col = 0; col < cols; col += k->width)
			for (int32_t group = 0; group < groups; group++)
				for (int32_t c = 0; c < channels; c++, out += POINTS * k->width)
					pack_vector(k, source, job + group, c, col, out);
}

/* ------------------------------------------------------------------ jobs */

static int64_t tiles_along(int32_t columns, int32_t taps)
{
	return (columns + outputs_of(taps) - 1) / outputs_of(taps);
}

/* Tiles of a row: for a convolution in each part of the source, for a gradient to x in each part of the output. */
static int64_t tiles_of_row(const mmi_conv_shape *s, bool bwd_x)
{
	int64_t tiles = 0;
	for (int32_t part = 0; part < s->sw; part++)
		tiles += tiles_along(bwd_x ? mmi_backward_axis(s->kw, s->sw, s->pw, s->w, part).count : s->ow, taps_of(s));
	return tiles;
}

/* Whether tiles need at most `limit` twentieths of the products that the direct form has. */
static bool saves(const mmi_conv_shape *s, bool bwd_x, int32_t limit)
{
	return tiles_of_row(s, bwd_x) * POINTS * 20 <= (int64_t)s->kw * s->ow * limit;
}

static bool along_a_row(const mmi_conv_shape *s)
{
	return s->kh == 1 && s->sh == 1 && s->sw <= MOST_PARTS && s->kw > s->sw && taps_of(s) <= MOST_TAPS &&
	       s->ci >= MIN_CHANNELS && s->co >= MIN_CHANNELS;
}

static bool accepts(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	const bool registers = mmi_simd_of(x)->width == 16, bwd_x = mmi_op_is_bwd_x(x->node->op);
	return along_a_row(&s) &&
	       (saves(&s, bwd_x, LIMIT) || (registers && s.ci + s.co >= MANY_CHANNELS && saves(&s, bwd_x, LIMIT_MANY)));
}

/* Sums of all points are to stay in the cache, and tiles to be many beside what is done once for all of them. */
static bool accepts_grad(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	return along_a_row(&s) && saves(&s, false, LIMIT) && x->n * s.oh * tiles_along(s.ow, taps_of(&s)) >= LEAST_TILES &&
	       (int64_t)s.sw * POINTS * s.ci * s.co <= MOST_SUMS;
}

/* A convolution: the parts of the source add up. */
static void forward_job(mmi_line_job *j, const mmi_conv_shape *s)
{
	*j = (mmi_line_job){ .h = s->h,
		                 .w = s->w,
		                 .c = s->ci,
		                 .dst_h = s->oh,
		                 .dst_w = s->ow,
		                 .cols = s->co,
		                 .taps = taps_of(s),
		                 .src_step = s->sw,
		                 .n_groups = s->sw,
		                 .dst_step = 1,
		                 .rows = s->oh,
		                 .columns = s->ow };
	for (int32_t part = 0; part < j->n_groups; part++) {
		j->group[part].y = -s->ph;
		j->group[part].x = part - s->pw;
	}
}

/* A gradient to x: one part of the output. */
static void backward_job(mmi_line_job *j, const mmi_conv_shape *s, int32_t part)
{
	const mmi_axis x = mmi_backward_axis(s->kw, s->sw, s->pw, s->w, part);
	*j = (mmi_line_job){ .h = s->oh,
		                 .w = s->ow,
		                 .c = s->co,
		                 .dst_h = s->h,
		                 .dst_w = s->w,
		                 .cols = s->ci,
		                 .taps = taps_of(s),
		                 .src_step = 1,
		                 .n_groups = 1,
		                 .dst_x = x.first_dst,
		                 .dst_step = s->sw,
		                 .rows = s->h,
		                 .columns = x.count };
	j->group[0].y = s->ph;
	j->group[0].x = x.first_src;
}

/* Tiles of a block, and what lies where in scratch behind their transformed pixels. Returns floats of scratch. */
static size_t lay_out(line_state *s, int64_t block_floats, size_t e_floats, size_t sums)
{
	const mmi_line_job *j = &s->job[0];
	const int64_t most = s->n_tiles[0] > s->n_tiles[s->n_jobs - 1] ? s->n_tiles[0] : s->n_tiles[s->n_jobs - 1];
	int64_t tiles = block_floats / tile_floats(j) / 3 * 3;
	tiles = tiles < BLOCK_TILES ? BLOCK_TILES : tiles;
	s->max_tiles = (int32_t)(tiles < most ? tiles : most);
	s->zeros_at = (size_t)s->max_tiles * (size_t)tile_floats(j);
	s->e_at = s->zeros_at + (size_t)mmi_round_up(j->c, 16) + 16;
	s->sums_at = s->e_at + (size_t)s->max_tiles * e_floats;
	return s->sums_at + sums;
}

static void line_release(mmi_exec *x)
{
	line_state *s = x->state;
	if (!s)
		return;
	mmi_weights_release(&s->weights);
	mmi_free(s->src_off);
	mmi_free(s);
	x->state = NULL;
}

static mm_status make_state(mmi_exec *x, line_state **out, mm_error *e)
{
	line_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	x->state = *out = s;
	s->simd = mmi_simd_of(x);
	return MM_OK;
}

static mm_status line_prepare(mmi_exec *x, mm_error *e)
{
	line_state *s;
	MMI_TRY(make_state(x, &s, e));
	const line_packing packing = { .shape = mmi_conv_shape_of(x),
		                           .bwd_x = mmi_op_is_bwd_x(x->node->op),
		                           .width = s->simd->width };
	const mmi_conv_shape *shape = &packing.shape;
	s->n_jobs = packing.bwd_x ? shape->sw : 1;
	for (int32_t i = 0; i < s->n_jobs; i++) {
		mmi_line_job *j = &s->job[i];
		if (packing.bwd_x)
			backward_job(j, shape, i);
		else
			forward_job(j, shape);
		s->n_tiles[i] = x->n * j->rows * tiles_along(j->columns, j->taps);
	}
	const mmi_line_job *j = &s->job[0];
	s->u_floats = (int64_t)j->n_groups * j->c * POINTS * mmi_round_up(j->cols, packing.width);
	x->scratch_bytes = lay_out(s, 0, 0, 0) * sizeof(float);
	mm_status status = mmi_weights_prepare(&s->weights, x, PACK_LINE, (size_t)(s->n_jobs * s->u_floats), pack, &packing,
	                                       sizeof packing, e);
	if (status != MM_OK)
		line_release(x);
	return status;
}

static void begin(const line_state *s, mmi_line_job *j, float *scratch)
{
	float *zeros = scratch + s->zeros_at;
	memset(zeros, 0, (s->e_at - s->zeros_at) * sizeof *zeros);
	j->v = scratch;
	j->zeros = zeros;
	j->e = scratch + s->e_at;
}

static void next_block(const line_state *s, int64_t n_tiles, int64_t i, int64_t n_blocks, mmi_line_job *j)
{
	j->first_tile = n_tiles * i / n_blocks;
	j->n_tiles = (int32_t)(n_tiles * (i + 1) / n_blocks - j->first_tile);
	s->simd->line_gather(j);
}

static int64_t blocks_of(const line_state *s, int64_t n_tiles)
{
	return (n_tiles + s->max_tiles - 1) / s->max_tiles;
}

static void line_run(mmi_exec *x)
{
	const line_state *s = x->state;
	const float *u = mmi_weights_data(&s->weights, x);
	for (int32_t i = 0; i < s->n_jobs; i++) {
		mmi_line_job j = s->job[i];
		const int64_t n_blocks = blocks_of(s, s->n_tiles[i]);
		begin(s, &j, x->scratch);
		j.src = x->in[0];
		j.dst = x->out;
		j.u = u + i * s->u_floats;
		j.ep = mmi_epilogue_of(x);
		for (int64_t block = 0; block < n_blocks; block++) {
			next_block(s, s->n_tiles[i], block, n_blocks, &j);
			s->simd->line_product(&j);
		}
	}
}

const mmi_kernel mmi_kernel_line = {
	.name = "winograd/line",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	.accepts = accepts,
	.prepare = line_prepare,
	.run = line_run,
	.release = line_release,
};

/* ------------------------------------------------------------------ gradients to weights */

static int64_t plane_of(const mmi_line_job *j, int32_t width)
{
	return mmi_round_up(j->cols, width);
}

static mm_status line_grad_prepare(mmi_exec *x, mm_error *e)
{
	line_state *s;
	MMI_TRY(make_state(x, &s, e));
	const mmi_conv_shape shape = mmi_conv_shape_of(x);
	mmi_line_job *j = &s->job[0];
	s->n_jobs = 1;
	s->kernel = shape.kw;
	s->stride = shape.sw;
	forward_job(j, &shape);
	s->n_tiles[0] = x->n * j->rows * tiles_along(j->columns, j->taps);
	const size_t e_floats = (size_t)(POINTS * plane_of(j, s->simd->width));
	const size_t sums = (size_t)j->n_groups * POINTS * (size_t)j->c * (size_t)j->cols;
	x->scratch_bytes = lay_out(s, GRAD_FLOATS, e_floats, sums) * sizeof(float);
	s->src_off = mmi_alloc((size_t)s->max_tiles, sizeof *s->src_off);
	if (!s->src_off) {
		line_release(x);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's offsets");
	}
	for (int32_t t = 0; t < s->max_tiles; t++)
		s->src_off[t] = (int32_t)(t * tile_floats(j));
	return MM_OK;
}

/* sums[group][point][channel][column] += the block's tiles, a product for each point and block of channels. */
static void add_products(const line_state *s, const mmi_line_job *j, float *sums)
{
	const int64_t plane = plane_of(j, s->simd->width), v_block = POINTS * MMI_LINE_STRIDE;
	mmi_grad_job g = {
		.src_off = s->src_off, .dy_stride = POINTS * plane, .rows = j->n_tiles, .n_seg = 1, .cols = j->cols
	};
	const float *v = j->v;
	for (int32_t group = 0; group < j->n_groups; group++)
		for (int32_t c = 0; c < j->c; c += MMI_LINE_CHANNELS, v += v_block)
			for (int32_t p = 0; p < POINTS; p++) {
				g.src = v + p * MMI_LINE_STRIDE;
				g.dy = j->e + p * plane;
				g.seg_len = j->c - c < MMI_LINE_CHANNELS ? j->c - c : MMI_LINE_CHANNELS;
				g.out = sums + ((int64_t)(group * POINTS + p) * j->c + c) * j->cols;
				s->simd->grad_wide(&g);
			}
}

/* out[tap] += sum over the points of a^tap times the factor's sums. */
static void add_taps(const line_state *s, const mmi_line_job *j, const float *sums, float *out)
{
	const int64_t n = (int64_t)j->c * j->cols;
	for (int32_t k = 0; k < s->kernel; k++, out += n) {
		const float *from = sums + k % s->stride * POINTS * n;
		double f[POINTS];
		for (int32_t p = 0; p < POINTS; p++) {
			f[p] = p == POINTS - 1 ? k / s->stride == j->taps - 1 : factors[p];
			for (int32_t t = 0; t < k / s->stride && p < POINTS - 1; t++)
				f[p] *= points[p];
		}
		for (int64_t i = 0; i < n; i++) {
			double sum = (double)out[i];
			for (int32_t p = 0; p < POINTS; p++)
				sum += f[p] * (double)from[p * n + i];
			out[i] = (float)sum;
		}
	}
}

static void line_grad_run(mmi_exec *x)
{
	const line_state *s = x->state;
	mmi_line_job j = s->job[0];
	const int64_t n_blocks = blocks_of(s, s->n_tiles[0]);
	float *scratch = x->scratch, *sums = scratch + s->sums_at;
	begin(s, &j, scratch);
	j.src = x->in[0];
	j.dy = x->in[1];
	memset(sums, 0, (size_t)j.n_groups * POINTS * (size_t)j.c * (size_t)j.cols * sizeof *sums);
	for (int64_t block = 0; block < n_blocks; block++) {
		next_block(s, s->n_tiles[0], block, n_blocks, &j);
		s->simd->line_gather_dy(&j);
		add_products(s, &j, sums);
	}
	add_taps(s, &j, sums, x->out);
}

const mmi_kernel mmi_kernel_line_grad = {
	.name = "winograd/line-grad",
	.accepts = accepts_grad,
	.prepare = line_grad_prepare,
	.run = line_grad_run,
	.release = line_release,
};
