/* conv_winograd.c - 3x3 convolutions and their gradients to x by Winograd's F(4x4, 3x3). */
#include "config.h"

#include "backend/cpu/conv_kernels.h"
#include "backend/cpu/patch.h"
#include "backend/cpu/weights.h"

enum {
	PACK_WINOGRAD = 2,
	MIN_CHANNELS = 16,
	MAX_CHANNEL_BLOCK = 128,
	BLOCK_FLOATS = 160 * 1024 /* transformed tiles and products of one block; weights stream past them */
};

typedef struct winograd_state {
	const mmi_simd *simd;
	mmi_wino_job job;        /* all but the pointers and the block's position */
	int64_t n_tiles;
	mmi_weights weights;
} winograd_state;

typedef struct winograd_packing {
	int32_t c, cols, bwd_x, width;
} winograd_packing;

/* ------------------------------------------------------------------ weights */

/* G g G^T, with G's rows as in Lavin and Gray. */
static void transform_kernel(double g[3][3], double u[6][6])
{
	static const double rows[6][3] = { { 1.0 / 4, 0, 0 }, { -1.0 / 6, -1.0 / 6, -1.0 / 6 }, { -1.0 / 6, 1.0 / 6, -1.0 / 6 },
	                                   { 1.0 / 24, 1.0 / 12, 1.0 / 6 }, { 1.0 / 24, -1.0 / 12, 1.0 / 6 }, { 0, 0, 1 } };
	double half[6][3];
	for (int i = 0; i < 6; i++)
		for (int x = 0; x < 3; x++)
			half[i][x] = rows[i][0] * g[0][x] + rows[i][1] * g[1][x] + rows[i][2] * g[2][x];
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < 6; k++)
			u[i][k] = rows[k][0] * half[i][0] + rows[k][1] * half[i][1] + rows[k][2] * half[i][2];
}

/* The 3x3 kernel from channel c to column `col`; flipped for the gradient. */
static void read_kernel(const winograd_packing *k, const float *w, int32_t c, int32_t col, double g[3][3])
{
	for (int t = 0; t < 9; t++) {
		const int64_t at = k->bwd_x ? ((int64_t)(8 - t) * k->cols + col) * k->c + c : ((int64_t)t * k->c + c) * k->cols + col;
		g[t / 3][t % 3] = (double)w[at];
	}
}

static int32_t round_up(int32_t n, int32_t width)
{
	return (n + width - 1) / width * width;
}

static void pack(const float *source, void *data, const void *ctx)
{
	const winograd_packing *k = ctx;
	const int32_t padded = round_up(k->cols, k->width);
	const int64_t plane = (int64_t)k->c * padded;
	double g[3][3] = { { 0 } }, u[6][6] = { { 0 } };
	for (int32_t col = 0; col < padded; col++) {
		const int32_t panel = col / (2 * k->width) * 2 * k->width;
		const int32_t lanes = padded - panel > k->width ? 2 * k->width : k->width;
		for (int32_t c = 0; c < k->c; c++) {
			float *out = (float *)data + (int64_t)panel * k->c + (int64_t)c * lanes + (col - panel);
			if (col < k->cols) {
				read_kernel(k, source, c, col, g);
				transform_kernel(g, u);
			}
			for (int p = 0; p < MMI_WINO_POINTS; p++)
				out[p * plane] = col < k->cols ? (float)u[p / 6][p % 6] : 0.0f;
		}
	}
}

/* ------------------------------------------------------------------ kernel */

static bool accepts(const mmi_exec *x)
{
	const mmi_conv_shape s = mmi_conv_shape_of(x);
	const int64_t tiles = (int64_t)((s.h + 3) / 4) * ((s.w + 3) / 4);
	return s.kh == 3 && s.kw == 3 && s.sh == 1 && s.sw == 1 && s.ph == 1 && s.pw == 1 && s.ci >= MIN_CHANNELS &&
	       s.co >= MIN_CHANNELS && tiles * MMI_WINO_POINTS * 2 <= (int64_t)s.h * s.w * 9;
}

/* Block sizes: channels in equal parts, tiles in whole register tiles that fit the cache. */
static void choose_blocks(mmi_wino_job *j, int64_t n_tiles, int32_t width)
{
	const int32_t parts = (j->c + MAX_CHANNEL_BLOCK - 1) / MAX_CHANNEL_BLOCK;
	j->c_block = round_up((j->c + parts - 1) / parts, width);
	int64_t tiles = BLOCK_FLOATS / MMI_WINO_POINTS / (j->c_block + round_up(j->cols, width));
	tiles = tiles > 14 ? tiles / 14 * 14 : 14;
	j->max_tiles = (int32_t)(tiles < n_tiles ? tiles : n_tiles);
}

static size_t scratch_floats(const mmi_wino_job *j, int32_t width)
{
	const size_t tile = (size_t)j->c_block + (size_t)round_up(j->cols, width);
	return (size_t)j->max_tiles * (MMI_WINO_POINTS * tile + 32) + (size_t)round_up(j->c, width);
}

static void winograd_release(mmi_exec *x)
{
	winograd_state *s = x->state;
	if (!s)
		return;
	mmi_weights_release(&s->weights);
	mmi_free(s);
	x->state = NULL;
}

static mm_status winograd_prepare(mmi_exec *x, mm_error *e)
{
	const mmi_conv_shape shape = mmi_conv_shape_of(x);
	const bool bwd_x = mmi_op_is_bwd_x(x->node->op);
	winograd_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a convolution's state");
	x->state = s;
	s->simd = mmi_simd_get();
	const int32_t width = s->simd->width;
	s->job = (mmi_wino_job){ .h = shape.h, .w = shape.w, .c = bwd_x ? shape.co : shape.ci,
	                         .cols = bwd_x ? shape.ci : shape.co };
	s->n_tiles = x->n * ((shape.h + 3) / 4) * ((shape.w + 3) / 4);
	choose_blocks(&s->job, s->n_tiles, width);
	x->scratch_bytes = scratch_floats(&s->job, width) * sizeof(float);
	const winograd_packing packing = { s->job.c, s->job.cols, bwd_x, width };
	const size_t floats = (size_t)MMI_WINO_POINTS * (size_t)packing.c * (size_t)round_up(packing.cols, width);
	mm_status status = mmi_weights_prepare(&s->weights, x, PACK_WINOGRAD, floats, pack, &packing, sizeof packing, e);
	if (status != MM_OK)
		winograd_release(x);
	return status;
}

static void winograd_run(mmi_exec *x)
{
	const winograd_state *s = x->state;
	const int64_t n_blocks = (s->n_tiles + s->job.max_tiles - 1) / s->job.max_tiles;
	mmi_wino_job j = s->job;
	j.src = x->in[0];
	j.dst = x->out;
	j.u = mmi_weights_data(&s->weights, x);
	j.scratch = x->scratch;
	j.ep = mmi_epilogue_of(x);
	for (int64_t i = 0; i < n_blocks; i++) {
		j.first_tile = s->n_tiles * i / n_blocks;
		j.n_tiles = (int32_t)(s->n_tiles * (i + 1) / n_blocks - j.first_tile);
		s->simd->winograd(&j);
	}
}

const mmi_kernel mmi_kernel_winograd = {
	.name = "winograd/4x4", .flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK, .accepts = accepts,
	.prepare = winograd_prepare, .run = winograd_run, .release = winograd_release,
};
