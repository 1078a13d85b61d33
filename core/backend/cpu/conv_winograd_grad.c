/* conv_winograd_grad.c - gradients to the weights of convolutions of 3x3 with stride 1 and of 4x4 with stride 2 by
 * Winograd's algorithm. In float32 also where products are in bfloat16, if they are that much fewer. */
#include "mmi_build.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/winograd.h"

#include <string.h>

enum { SUM_TILES = 24 /* what sums cost once, as so many tiles would */ };

typedef struct grad_state {
	const mmi_simd *simd;
	mmi_wino_grad_job job; /* all but the pointers and the block's position */
	int64_t n_tiles;
	size_t sums_at, sums; /* in scratch, in floats */
	int32_t kw, sw;
	int32_t *src_off;
} grad_state;

/* False: their sums would be too many. */
static bool make_tiles(const mmi_exec *x, const mmi_conv_shape *s, mmi_wino_job *j)
{
	int32_t high, wide;
	mmi_wino_forward(j, s);
	j->together = 1;
	const bool few =
		mmi_wino_choose(j->rows, j->columns, j->taps, sizeof(float) * (double)j->c * j->cols, &high, &wide);
	j->n = x->n;
	j->y = mmi_wino_axis_of(j->rows, high + 1 - j->taps);
	j->x = mmi_wino_axis_of(j->columns, wide + 1 - j->taps);
	return few;
}

/* Products for each channel and column, against those without transforms; in bfloat16 those take half the time. */
static bool accepts(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	mmi_wino_job j;
	if (!mmi_wino_takes(&s) || s.oh < 1 || s.ow < 1 || !make_tiles(x, &s, &j))
		return false;
	const int64_t high = j.y.size + j.taps - 1, wide = j.x.size + j.taps - 1;
	const int64_t direct = (int64_t)j.taps * j.taps * j.rows * j.columns * j.n;
	const int64_t products =
		mmi_wino_products(j.rows, (int32_t)high, j.taps) * mmi_wino_products(j.columns, (int32_t)wide, j.taps) * j.n;
	return (products + high * wide * SUM_TILES) * 20 <= direct * (mmi_bf16_of(x) ? 7 : 13);
}

static void release(mmi_exec *x)
{
	grad_state *s = x->state;
	if (!s)
		return;
	mmi_free(s->src_off);
	mmi_free(s);
	x->state = NULL;
}

static mm_status prepare(mmi_exec *x, mm_error *e)
{
	const mmi_conv_shape shape = mmi_conv_shape_of(x);
	grad_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	x->state = s;
	s->simd = mmi_simd_of(x);
	s->kw = shape.kw;
	s->sw = shape.sw;
	make_tiles(x, &shape, &s->job.tiles);
	s->n_tiles = mmi_wino_tiles(&s->job.tiles);
	mmi_wino_job *j = &s->job.tiles;
	const int64_t points = (int64_t)(j->y.size + j->taps - 1) * (j->x.size + j->taps - 1);
	s->sums_at = mmi_wino_blocks(j, s->simd->width, 1);
	s->sums = (size_t)(points * j->c * j->cols);
	x->scratch_bytes = (s->sums_at + s->sums) * sizeof(float);
	s->src_off = mmi_alloc((size_t)j->max_tiles, sizeof *s->src_off);
	if (!s->src_off) {
		release(x);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's offsets (%d tiles)", j->max_tiles);
	}
	for (int32_t t = 0; t < j->max_tiles; t++)
		s->src_off[t] = (int32_t)(t * mmi_wino_row(points, j->c_block));
	return MM_OK;
}

static void sum_blocks(const grad_state *s, mmi_wino_grad_job *g)
{
	mmi_wino_job *j = &g->tiles;
	const int64_t n_blocks = (s->n_tiles + j->max_tiles - 1) / j->max_tiles;
	memset(g->sums, 0, s->sums * sizeof *g->sums);
	for (int64_t i = 0; i < n_blocks; i++) {
		j->first_tile = s->n_tiles * i / n_blocks;
		j->n_tiles = (int32_t)(s->n_tiles * (i + 1) / n_blocks - j->first_tile);
		s->simd->winograd_grad(g);
	}
}

static void run(mmi_exec *x)
{
	const grad_state *s = x->state;
	mmi_wino_grad_job g = s->job;
	mmi_wino_job *j = &g.tiles;
	const int64_t tap = (int64_t)j->c * j->cols;
	float *out = x->out;
	j->src = x->in[0];
	j->scratch = x->scratch;
	j->narrow_src = x->narrow_in[0];
	g.dy = x->in[1];
	g.narrow_dy = x->narrow_in[1];
	g.src_off = s->src_off;
	g.sums = j->scratch + s->sums_at;
	g.out_row = (int64_t)s->sw * s->kw * tap;
	g.out_column = s->sw * tap;
	for (g.group = 0; g.group < j->n_groups; g.group++) {
		g.out = out + (g.group / s->sw * s->kw + g.group % s->sw) * tap;
		sum_blocks(s, &g);
		s->simd->winograd_taps(&g);
	}
}

const mmi_kernel mmi_kernel_winograd_grad = {
	.name = "winograd/square-grad",
	.flags = MMI_KERNEL_NARROW,
	.accepts = accepts,
	.prepare = prepare,
	.run = run,
	.release = release,
};
