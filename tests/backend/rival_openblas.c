/* rival_openblas.c - kernel_rig calls by OpenBLAS: products, and convolutions by im2col, a picture at a time. */
#include "mmi_build.h"

#include "rivals.h"

#include <string.h>

#include <cblas.h>

typedef struct blas_call {
	const rig *r;
	bool is_product;
	rival_product product;
	float *columns; /* one picture's patches [oh * ow, k * k * ci] */
	float *out;
} blas_call;

static void blas_destroy(void *state)
{
	blas_call *c = state;
	mmi_free(c->columns);
	mmi_free(c->out);
	mmi_free(c);
}

static void *blas_make(const rig *r)
{
	blas_call *c = mmi_alloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->r = r;
	c->is_product = rival_product_of(r, &c->product);
	c->out = mmi_alloc(r->out_count, sizeof *c->out);
	c->columns = mmi_alloc((size_t)(r->oh * r->ow * r->c.k * r->c.k * r->c.ci), sizeof *c->columns);
	if (c->out && c->columns)
		return c;
	blas_destroy(c);
	return NULL;
}

static void multiply(const rival_product *p, float beta, float *c)
{
	cblas_sgemm(CblasRowMajor, p->a_transposed ? CblasTrans : CblasNoTrans, p->b_transposed ? CblasTrans : CblasNoTrans,
	            p->m, p->n, p->k, 1, p->a, p->lda, p->b, p->ldb, beta, c, p->n);
}

/* The picture's pixel that patch (oy, ox) reads with tap (ky, kx); NULL outside. */
static float *pixel_of(const rig *r, float *picture, int oy, int ox, int ky, int kx)
{
	const int y = oy * r->c.s + ky - r->c.p, x = ox * r->c.s + kx - r->c.p;
	return y >= 0 && y < r->c.h && x >= 0 && x < r->c.w ? picture + (y * r->c.w + x) * r->c.ci : NULL;
}

/* picture -> columns, or, back, columns added to picture. */
static void move_patches(const rig *r, float *picture, float *columns, bool back)
{
	const size_t ci = (size_t)r->c.ci;
	for (int oy = 0; oy < r->oh; oy++)
		for (int ox = 0; ox < r->ow; ox++)
			for (int tap = 0; tap < r->c.k * r->c.k; tap++, columns += ci) {
				float *pixel = pixel_of(r, picture, oy, ox, tap / r->c.k, tap % r->c.k);
				if (!back && pixel)
					memcpy(columns, pixel, ci * sizeof *columns);
				else if (!back)
					memset(columns, 0, ci * sizeof *columns);
				for (size_t i = 0; back && pixel && i < ci; i++)
					pixel[i] += columns[i];
			}
}

static void run_picture(blas_call *c, float *x, const float *w, const float *y, int64_t i)
{
	const rig *r = c->r;
	const int rows = r->oh * r->ow, depth = r->c.k * r->c.k * r->c.ci, co = r->c.co;
	if (r->c.op != MMI_OP_CONV_BWD_X)
		move_patches(r, x, c->columns, false);
	if (r->c.op == MMI_OP_CONV)
		multiply(&(rival_product){ false, false, rows, co, depth, depth, co, c->columns, w }, 0,
		         c->out + i * rows * co);
	else if (r->c.op == MMI_OP_CONV_BWD_W)
		multiply(&(rival_product){ true, false, depth, co, rows, depth, co, c->columns, y }, i > 0, c->out);
	else
		multiply(&(rival_product){ false, true, rows, depth, co, co, co, y, w }, 0, c->columns);
	if (r->c.op == MMI_OP_CONV_BWD_X)
		move_patches(r, x, c->columns, true);
}

static void blas_run(void *state)
{
	blas_call *c = state;
	const rig *r = c->r;
	if (c->is_product) {
		multiply(&c->product, 0, c->out);
		return;
	}
	const bool bwd_x = r->c.op == MMI_OP_CONV_BWD_X;
	if (bwd_x)
		memset(c->out, 0, r->out_count * sizeof *c->out);
	const int64_t x_size = (int64_t)r->c.h * r->c.w * r->c.ci, y_size = (int64_t)r->oh * r->ow * r->c.co;
	float *x = bwd_x ? c->out : r->in[0];
	const float *y = r->c.op == MMI_OP_CONV ? NULL : r->in[bwd_x ? 0 : 1];
	for (int64_t i = 0; i < r->c.n; i++)
		run_picture(c, x + i * x_size, r->in[1], y ? y + i * y_size : NULL, i);
}

static void blas_result(void *state, float *out)
{
	const blas_call *c = state;
	memcpy(out, c->out, c->r->out_count * sizeof *out);
}

const rival rivals_of_openblas[RIVALS_OF_OPENBLAS] = {
	{ "OpenBLAS", blas_make, blas_run, blas_result, blas_destroy },
};
