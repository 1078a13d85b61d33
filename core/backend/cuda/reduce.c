/* reduce.c - sums over samples, axes and rows of the last axis; what needs one of a row to compute the row. */
#include "mmi_build.h"

#include "backend/cuda/kernels.h"

#include <math.h>

extern const mmi_cuda_kernel mmi_kernel_samples, mmi_kernel_axis_sum, mmi_kernel_rows, mmi_kernel_gather,
	mmi_kernel_columns, mmi_kernel_columns_end;

static const double log_two_pi = 1.8378770664093454836;

/* ------------------------------------------------------------ one number a sample */

/* What is summed of an operation, and what is added to the sum: of the attribute a, for each element. */
typedef struct sample_op {
	mmi_term term;
	double (*constant)(double a);
} sample_op;

static double nothing(double a)
{
	(void)a;
	return 0;
}

static double of_gaussian(double a)
{
	return log(a) + log_two_pi / 2;
}

static double of_laplace(double a)
{
	return log(2 * a);
}

static double of_normal(double a)
{
	(void)a;
	return -log_two_pi / 2;
}

static double of_double(double a)
{
	(void)a;
	return -log(2);
}

static const sample_op sample_ops[MMI_OP_COUNT] = {
	[MMI_OP_SUM_ALL] = { MMI_TERM_VALUE, nothing },          [MMI_OP_NLL_GAUSSIAN] = { MMI_TERM_GAUSSIAN, of_gaussian },
	[MMI_OP_NLL_LAPLACE] = { MMI_TERM_LAPLACE, of_laplace }, [MMI_OP_NLL_BERNOULLI] = { MMI_TERM_BERNOULLI, nothing },
	[MMI_OP_LOGPDF_NORMAL] = { MMI_TERM_NORMAL, of_normal }, [MMI_OP_LOGPDF_LAPLACE] = { MMI_TERM_DOUBLE, of_double },
};

static void samples(mmi_exec *x)
{
	const sample_op *op = &sample_ops[x->node->op];
	const int64_t count = mmi_shape_count(&x->in_node[0]->shape);
	mmi_samples_args a = { .x = x->in[0],
		                   .y = x->n_in > 1 ? x->in[1] : NULL,
		                   .s = x->n_in > 2 ? x->in[2] : NULL,
		                   .out = x->out,
		                   .count = count,
		                   .factor = x->node->op == MMI_OP_SUM_ALL ? (double)x->node->attr.a : 1,
		                   .offset = (double)count * op->constant((double)x->node->attr.a),
		                   .term = (int32_t)op->term,
		                   .a = x->node->attr.a };
	for (uint32_t k = 0; k < x->n_in; k++) {
		a.stride[k] = x->in_node[k]->batched ? count : 0;
		a.narrow |= (uint32_t)x->narrow_in[k] << k;
	}
	mmi_cuda_launch(x->device, &mmi_kernel_samples, (mmi_grid){ .x = x->n }, &a);
}

const mmi_kernel mmi_cuda_samples = { .name = "samples/cuda", .run = samples };

/* ------------------------------------------------------------ rows of the last axis */

static int64_t last_axis(const mm_shape *s)
{
	return s->rank ? s->dim[s->rank - 1] : 1;
}

static void launch_rows(const mmi_exec *x, const mmi_rows_args *a)
{
	mmi_cuda_launch(x->device, &mmi_kernel_rows, (mmi_grid){ .x = (a->rows + MMI_WARPS - 1) / MMI_WARPS }, a);
}

/* Inputs that have rows, in the order of the kernel's x, y and ds. */
typedef struct row_op {
	mmi_row_kind kind;
	int x, y, ds; /* -1: none */
} row_op;

static const row_op row_ops[MMI_OP_COUNT] = {
	[MMI_OP_SOFTMAX] = { MMI_ROW_SOFTMAX, 0, -1, -1 },
	[MMI_OP_SOFTMAX_BWD] = { MMI_ROW_SOFTMAX_BWD, 0, 1, -1 },
	[MMI_OP_LSE] = { MMI_ROW_LSE, 0, -1, -1 },
	[MMI_OP_NLL_CATEGORICAL] = { MMI_ROW_CATEGORICAL, 0, 1, -1 },
	[MMI_OP_NLL_CATEGORICAL_BWD] = { MMI_ROW_CATEGORICAL_BWD, 1, 2, 0 },
};

static const void *input(const mmi_exec *x, int k)
{
	return k < 0 ? NULL : x->in[k];
}

/* The bit of one of the kernel's x, y and ds. */
static uint32_t narrow_bit(const mmi_exec *x, int k, uint32_t bit)
{
	return k >= 0 && x->narrow_in[k] ? bit : 0;
}

static mmi_rows_args rows_of(const mmi_exec *x)
{
	const row_op *op = &row_ops[x->node->op];
	const mm_shape *s = &x->in_node[op->x]->shape;
	const int64_t width = last_axis(s), per_sample = mmi_shape_count(s) / width;
	return (mmi_rows_args){ .x = input(x, op->x),
		                    .y = input(x, op->y),
		                    .ds = input(x, op->ds),
		                    .out = x->out,
		                    .rows = x->n * per_sample,
		                    .width = width,
		                    .per_sample = per_sample,
		                    .factor = 1,
		                    .narrow = narrow_bit(x, op->x, 1) | narrow_bit(x, op->y, 2) | narrow_bit(x, op->ds, 4) |
		                              (x->narrow_out ? 8u : 0),
		                    .kind = (int32_t)op->kind };
}

static void rows(mmi_exec *x)
{
	const mmi_rows_args a = rows_of(x);
	launch_rows(x, &a);
}

const mmi_kernel mmi_cuda_rows_kernel = { .name = "rows/cuda", .run = rows };

/* Each row's part goes to its own place; then a sample's are added in order. */
static mm_status prepare_categorical(mmi_exec *x, mm_error *e)
{
	(void)e;
	x->scratch_bytes = (size_t)rows_of(x).rows * sizeof(double);
	return MM_OK;
}

static void categorical(mmi_exec *x)
{
	mmi_rows_args a = rows_of(x);
	a.out = NULL;
	a.partial = x->scratch;
	launch_rows(x, &a);
	const mmi_gather_args g = { a.partial, x->out, x->n, a.per_sample };
	mmi_cuda_launch(x->device, &mmi_kernel_gather, (mmi_grid){ .x = (x->n + MMI_BLOCK - 1) / MMI_BLOCK }, &g);
}

const mmi_kernel mmi_cuda_categorical = { .name = "categorical/cuda",
	                                      .prepare = prepare_categorical,
	                                      .run = categorical };

/* ------------------------------------------------------------ an axis */

static void sum_axis(mmi_exec *x)
{
	const mm_shape *s = &x->in_node[0]->shape;
	mmi_axis_args a = { .x = x->in[0],
		                .out = x->out,
		                .outer = x->n,
		                .count = s->dim[x->node->attr.axis],
		                .inner = 1,
		                .factor = (double)x->node->attr.a,
		                .narrow = mmi_cuda_narrow(x, 0) };
	for (int32_t i = 0; i < (int32_t)s->rank; i++) {
		a.outer *= i < x->node->attr.axis ? s->dim[i] : 1;
		a.inner *= i > x->node->attr.axis ? s->dim[i] : 1;
	}
	if (a.inner == 1)
		launch_rows(x, &(mmi_rows_args){ .x = a.x,
		                                 .out = a.out,
		                                 .rows = a.outer,
		                                 .width = a.count,
		                                 .factor = a.factor,
		                                 .narrow = narrow_bit(x, 0, 1) | (x->narrow_out ? 8u : 0),
		                                 .kind = MMI_ROW_SUM });
	else
		mmi_cuda_launch(x->device, &mmi_kernel_axis_sum, (mmi_grid){ .x = mmi_cuda_blocks(a.outer * a.inner) }, &a);
}

const mmi_kernel mmi_cuda_sum = { .name = "sum/cuda", .run = sum_axis };

/* ------------------------------------------------------------ columns */

/* Rows of a segment: as many as keep the segments below 1024. */
static int64_t rows_of_segment(int64_t rows)
{
	const int64_t least = 256, share = (rows + 1023) / 1024;
	return share > least ? share : least;
}

static mmi_columns_args columns_of(const mmi_exec *x)
{
	const int64_t columns = mmi_shape_count(&x->node->shape),
				  rows_ = x->n * mmi_shape_count(&x->in_node[0]->shape) / columns;
	return (mmi_columns_args){
		.x = x->in[0],
		.partial = x->scratch,
		.rows = rows_,
		.columns = columns,
		.per_segment = rows_of_segment(rows_),
		.narrow = x->narrow_in[0],
	};
}

static int64_t segments_of(const mmi_columns_args *a)
{
	return (a->rows + a->per_segment - 1) / a->per_segment;
}

static mm_status prepare_columns(mmi_exec *x, mm_error *e)
{
	const mmi_columns_args a = columns_of(x);
	(void)e;
	x->scratch_bytes = (size_t)(segments_of(&a) * a.columns) * sizeof(double);
	return MM_OK;
}

static void bias_bwd(mmi_exec *x)
{
	const mmi_columns_args a = columns_of(x);
	const mmi_columns_end_args end = {
		a.partial, x->out, segments_of(&a), a.columns, 1, x->factor != 0 ? x->factor : 1
	};
	mmi_cuda_launch(x->device, &mmi_kernel_columns,
	                (mmi_grid){ .x = (a.columns + MMI_WARP - 1) / MMI_WARP, .y = end.segments }, &a);
	mmi_cuda_launch(x->device, &mmi_kernel_columns_end, (mmi_grid){ .x = (a.columns + MMI_BLOCK - 1) / MMI_BLOCK },
	                &end);
}

const mmi_kernel mmi_cuda_bias_bwd = { .name = "bias_bwd/cuda", .prepare = prepare_columns, .run = bias_bwd };
