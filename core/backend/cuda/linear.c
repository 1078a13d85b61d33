/* linear.c - linear layers and their gradients through cuBLASLt, which counts columns first: y[N,O] = x[N,I] w[I,O] is
 * y^T = w^T x^T there, and nothing has to be transposed in memory. */
#include "mmi_build.h"

#include "backend/cuda/after.h"
#include "backend/cuda/kernels.h"
#include "backend/cuda/scratch.h"
#include "backend/cuda/shadow.h"

enum { WORKSPACE = 32 << 20 };

/* A product D = A B (+ D): D has rows x columns, and both are stored with `stride` numbers from column to column. */
typedef struct matrix {
	uint64_t rows, columns; /* as stored */
	cublasOperation_t op;
} matrix;

typedef struct linear_state {
	cublasLtMatmulDesc_t product;
	cublasLtMatrixLayout_t a, b, d;
	cublasLtMatmulAlgo_t algo;
	size_t workspace_bytes;
	const void *bias;          /* that the product knows */
	size_t workspace, in[2];   /* offsets in the scratch memory */
	uint32_t a_input, b_input; /* which inputs of the call A and B are */
	float alpha, beta;
	mmi_product does;
	mmi_after after;
	mmi_shadow weights, rounded_bias; /* in bfloat16, where the product is */
} linear_state;

static int64_t per_sample(const mmi_exec *x, uint32_t k)
{
	return mmi_shape_count(&x->in_node[k]->shape);
}

/* ------------------------------------------------------------ the three products */

typedef struct product_spec {
	uint32_t a_input, b_input;
	matrix a, b, d;
	float beta;
} product_spec;

static product_spec spec_of(const mmi_exec *x)
{
	const uint64_t n = (uint64_t)x->n, first = (uint64_t)per_sample(x, 0);
	const uint64_t out = (uint64_t)mmi_shape_count(&x->node->shape);
	if (x->node->op == MMI_OP_LINEAR) /* A: w, O x I; B: x, I x N */
		return (
			product_spec){ 1, 0, { out, first, CUBLAS_OP_N }, { first, n, CUBLAS_OP_N }, { out, n, CUBLAS_OP_N }, 0 };
	if (x->node->op == MMI_OP_LINEAR_BWD_X) /* A: w transposed; B: dy, O x N */
		return (
			product_spec){ 1, 0, { first, out, CUBLAS_OP_T }, { first, n, CUBLAS_OP_N }, { out, n, CUBLAS_OP_N }, 0 };
	const uint64_t second = (uint64_t)per_sample(x, 1); /* A: dy, O x N; B: x transposed; added */
	return (product_spec){ 1, 0, { second, n, CUBLAS_OP_N }, { first, n, CUBLAS_OP_T }, { second, first, CUBLAS_OP_N },
		                   1 };
}

/* ------------------------------------------------------------ descriptors */

#define BLAS_TRY(expression)                       \
	do {                                           \
		cublasStatus_t try_status_ = (expression); \
		if (try_status_ != CUBLAS_STATUS_SUCCESS)  \
			return try_status_;                    \
	} while (0)

static cublasStatus_t set(linear_state *s, cublasLtMatmulDescAttributes_t name, const void *value, size_t bytes)
{
	return cublasLtMatmulDescSetAttribute(s->product, name, value, bytes);
}

static cublasLtEpilogue_t epilogue_of(const mmi_exec *x, const mmi_product *does)
{
	if (x->n_in > 2 && does->bias)
		return does->relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
	return does->relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

/* Operands are of one type; D is of the value that is stored, and gradients are floats. */
static cudaDataType_t operands_of(const mmi_exec *x)
{
	return x->narrow_in[0] ? CUDA_R_16BF : CUDA_R_32F;
}

static cublasComputeType_t compute_of(const mmi_exec *x)
{
	const bool tf32 = mmi_cuda_of(x->device)->tensor_cores && !x->narrow_in[0];
	return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

static cublasStatus_t make_product(const mmi_exec *x, linear_state *s, const product_spec *p)
{
	const cudaDataType_t operands = operands_of(x);
	const cublasLtEpilogue_t epilogue = epilogue_of(x, &s->does);
	BLAS_TRY(cublasLtMatmulDescCreate(&s->product, compute_of(x), CUDA_R_32F));
	BLAS_TRY(set(s, CUBLASLT_MATMUL_DESC_TRANSA, &p->a.op, sizeof p->a.op));
	BLAS_TRY(set(s, CUBLASLT_MATMUL_DESC_TRANSB, &p->b.op, sizeof p->b.op));
	BLAS_TRY(set(s, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue));
	if (epilogue == CUBLASLT_EPILOGUE_BIAS || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS) {
		s->bias = s->does.narrow ? s->rounded_bias.pack->data : x->in[2];
		BLAS_TRY(set(s, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &s->bias, sizeof s->bias));
	}
	BLAS_TRY(cublasLtMatrixLayoutCreate(&s->a, operands, p->a.rows, p->a.columns, (int64_t)p->a.rows));
	BLAS_TRY(cublasLtMatrixLayoutCreate(&s->b, operands, p->b.rows, p->b.columns, (int64_t)p->b.rows));
	return cublasLtMatrixLayoutCreate(&s->d, s->does.narrow ? CUDA_R_16BF : CUDA_R_32F, p->d.rows, p->d.columns,
	                                  (int64_t)p->d.rows);
}

/* Sums are formed in one order: partial ones may go through the workspace, but not onto each other as they come. */
static cublasStatus_t set_preference(cublasLtMatmulPreference_t p)
{
	static const cublasLtMatmulPreferenceAttributes_t aligned[] = { CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
		                                                            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
		                                                            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
		                                                            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES };
	const uint64_t most = WORKSPACE;
	const uint32_t alignment = MMI_ALIGNMENT;
	const uint32_t reductions = (uint32_t)CUBLASLT_REDUCTION_SCHEME_NONE |
	                            (uint32_t)CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE |
	                            (uint32_t)CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
	for (size_t i = 0; i < MMI_COUNT(aligned); i++)
		BLAS_TRY(cublasLtMatmulPreferenceSetAttribute(p, aligned[i], &alignment, sizeof alignment));
	BLAS_TRY(cublasLtMatmulPreferenceSetAttribute(p, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most));
	return cublasLtMatmulPreferenceSetAttribute(p, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reductions,
	                                            sizeof reductions);
}

static cublasStatus_t choose(mmi_cuda *c, linear_state *s, cublasLtMatmulPreference_t p)
{
	cublasLtMatmulHeuristicResult_t best;
	int found = 0;
	BLAS_TRY(set_preference(p));
	BLAS_TRY(cublasLtMatmulAlgoGetHeuristic(c->blas, s->product, s->a, s->b, s->d, s->d, p, 1, &best, &found));
	if (!found || best.state != CUBLAS_STATUS_SUCCESS)
		return CUBLAS_STATUS_NOT_SUPPORTED;
	s->algo = best.algo;
	s->workspace_bytes = best.workspaceSize;
	return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t make(mmi_exec *x, linear_state *s)
{
	const product_spec p = spec_of(x);
	cublasLtMatmulPreference_t preference;
	s->a_input = p.a_input;
	s->b_input = p.b_input;
	s->alpha = x->factor != 0 ? x->factor : 1;
	s->beta = p.beta;
	BLAS_TRY(make_product(x, s, &p));
	BLAS_TRY(cublasLtMatmulPreferenceCreate(&preference));
	const cublasStatus_t status = choose(mmi_cuda_of(x->device), s, preference);
	cublasLtMatmulPreferenceDestroy(preference);
	return status;
}

/* ------------------------------------------------------------ calls */

static void release(mmi_exec *x)
{
	linear_state *s = x->state;
	if (!s)
		return;
	if (s->product)
		cublasLtMatmulDescDestroy(s->product);
	if (s->a)
		cublasLtMatrixLayoutDestroy(s->a);
	if (s->b)
		cublasLtMatrixLayoutDestroy(s->b);
	if (s->d)
		cublasLtMatrixLayoutDestroy(s->d);
	mmi_free(s);
	x->state = NULL;
}

/* cuBLASLt multiplies by a factor, adds a bias and rectifies, where the value is then stored; the rest is a pass. */
static mmi_product product_of(const mmi_exec *x)
{
	const bool relu = x->node->op == MMI_OP_LINEAR && mmi_after_relu(x);
	const bool narrow = relu ? x->joined[0].narrow_out : x->narrow_out;
	const bool kept = !narrow || x->packs; /* the bias has a place that the product can know */
	mmi_product p = { .narrow = narrow, .factor = true };
	p.bias = x->node->op == MMI_OP_LINEAR && kept && mmi_after_direct(x, relu, narrow);
	p.relu = relu && (p.bias || x->n_in < 3) && mmi_after_direct(x, relu, narrow);
	return p;
}

static bool yields_weights(const mmi_exec *x)
{
	return x->node->op == MMI_OP_LINEAR_BWD_W;
}

static mm_status prepare_shadows(mmi_exec *x, linear_state *s, mm_error *e)
{
	if (!x->narrow_in[0] || yields_weights(x))
		return MM_OK;
	if (x->n_in > 2 && s->does.narrow && s->does.bias)
		MMI_TRY(mmi_shadow_prepare(x, 2, &s->rounded_bias, e));
	return mmi_shadow_prepare(x, 1, &s->weights, e);
}

static mm_status prepare(mmi_exec *x, mm_error *e)
{
	linear_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a linear layer's state");
	x->state = s;
	s->does = product_of(x);
	if (!yields_weights(x))
		mmi_after_prepare(x, &s->does, &s->after);
	const mm_status shadows = prepare_shadows(x, s, e);
	if (shadows != MM_OK) {
		release(x);
		return shadows;
	}
	const cublasStatus_t status = make(x, s);
	if (status != CUBLAS_STATUS_SUCCESS) {
		release(x);
		return mmi_fail(e, MM_EUNSUPPORTED, "cuBLASLt has no product of these shapes: %s",
		                cublasLtGetStatusName(status));
	}
	s->workspace = mmi_scratch_take(x, s->workspace_bytes);
	s->in[0] = mmi_scratch_for_input(x, 0);
	s->in[1] = mmi_scratch_for_input(x, 1);
	return MM_OK;
}

static void run(mmi_exec *x)
{
	linear_state *s = x->state;
	mmi_cuda *c = mmi_cuda_of(x->device);
	void *out = yields_weights(x) ? x->out : mmi_after_raw(x, &s->after);
	const bool rounds = x->narrow_in[0] && !yields_weights(x);
	const void *in[2] = { mmi_scratch_input(x, 0, s->in[0]),
		                  rounds ? mmi_shadow_at(x, 1, &s->weights) : mmi_scratch_input(x, 1, s->in[1]) };
	const cublasStatus_t status =
		cublasLtMatmul(c->blas, s->product, &s->alpha, in[s->a_input], s->a, in[s->b_input], s->b, &s->beta, out, s->d,
	                   out, s->d, &s->algo, mmi_scratch_at(x, s->workspace), s->workspace_bytes, c->stream);
	if (status != CUBLAS_STATUS_SUCCESS)
		mmi_cuda_fail(c, "cuBLASLt: %s", cublasLtGetStatusName(status));
	mmi_after_run(x, &s->after);
}

static double again(const mmi_exec *x)
{
	const linear_state *s = x->state;
	return s->after.bytes;
}

const mmi_kernel mmi_cuda_linear = { .name = "linear/cublaslt",
	                                 .flags = MMI_KERNEL_JOIN | MMI_KERNEL_RELU,
	                                 .prepare = prepare,
	                                 .run = run,
	                                 .release = release,
	                                 .again = again };
