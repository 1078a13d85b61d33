/* linear.c - linear layers and their gradients through cuBLASLt, which counts columns first: y[N,O] = x[N,I] w[I,O] is
 * y^T = w^T x^T there, and nothing has to be transposed in memory. */
#include "mmi_build.h"

#include "backend/cuda/kernels.h"
#include "backend/cuda/map.h"
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
	float beta;
	bool after; /* a pass follows */
	mmi_map_args pass;
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

static cublasLtEpilogue_t epilogue_of(const mmi_exec *x, bool after)
{
	const bool bias = x->n_in > 2, relu = x->act == MM_ACT_RELU;
	if (after || x->node->op != MMI_OP_LINEAR)
		return CUBLASLT_EPILOGUE_DEFAULT;
	if (bias)
		return relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
	return relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

/* Operands are of one type; D is of the call's output, and gradients are floats. */
static cudaDataType_t operands_of(const mmi_exec *x)
{
	return x->narrow_in[0] ? CUDA_R_16BF : CUDA_R_32F;
}

static cudaDataType_t result_of(const mmi_exec *x)
{
	return x->narrow_out ? CUDA_R_16BF : CUDA_R_32F;
}

static cublasComputeType_t compute_of(const mmi_exec *x)
{
	const bool tf32 = mmi_cuda_of(x->device)->tensor_cores && !x->narrow_in[0];
	return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

static cublasStatus_t make_product(const mmi_exec *x, linear_state *s, const product_spec *p)
{
	const cudaDataType_t operands = operands_of(x);
	const cublasLtEpilogue_t epilogue = epilogue_of(x, s->after);
	BLAS_TRY(cublasLtMatmulDescCreate(&s->product, compute_of(x), CUDA_R_32F));
	BLAS_TRY(set(s, CUBLASLT_MATMUL_DESC_TRANSA, &p->a.op, sizeof p->a.op));
	BLAS_TRY(set(s, CUBLASLT_MATMUL_DESC_TRANSB, &p->b.op, sizeof p->b.op));
	BLAS_TRY(set(s, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue));
	if (epilogue == CUBLASLT_EPILOGUE_BIAS || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS) {
		s->bias = x->narrow_out ? s->rounded_bias.pack->data : x->in[2];
		BLAS_TRY(set(s, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &s->bias, sizeof s->bias));
	}
	BLAS_TRY(cublasLtMatrixLayoutCreate(&s->a, operands, p->a.rows, p->a.columns, (int64_t)p->a.rows));
	BLAS_TRY(cublasLtMatrixLayoutCreate(&s->b, operands, p->b.rows, p->b.columns, (int64_t)p->b.rows));
	return cublasLtMatrixLayoutCreate(&s->d, result_of(x), p->d.rows, p->d.columns, (int64_t)p->d.rows);
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

/* Activations that cuBLASLt has not, masks, and a bias in front of them: one pass in place. */
static void prepare_pass(const mmi_exec *x, linear_state *s)
{
	const bool relu = x->node->op == MMI_OP_LINEAR && x->act == MM_ACT_RELU && x->mask_act == MM_ACT_NONE;
	const bool kept = !x->narrow_out || x->packs; /* the bias has a place that the product can know */
	s->pass = mmi_map_begin(x->n * mmi_shape_count(&x->node->shape));
	mmi_map_add(&s->pass, MMI_MAP_LOAD, MMI_MAP_OUT, 0, 0);
	if (x->n_in > 2) {
		s->pass.index[MMI_MAP_BIAS] = mmi_map_each(mmi_shape_count(&x->node->shape));
		mmi_map_add(&s->pass, MMI_MAP_ADD, MMI_MAP_BIAS, 1, 1);
	}
	mmi_map_narrow(&s->pass, MMI_MAP_OUT, x->narrow_out);
	mmi_map_narrow(&s->pass, MMI_MAP_INPUTS, x->narrow_out);
	s->after = (mmi_map_fused(&s->pass, x) && !relu) || (x->n_in > 2 && !kept);
}

static bool yields_weights(const mmi_exec *x)
{
	return x->node->op == MMI_OP_LINEAR_BWD_W;
}

static mm_status prepare_shadows(mmi_exec *x, linear_state *s, mm_error *e)
{
	if (!x->narrow_in[0] || yields_weights(x))
		return MM_OK;
	if (x->n_in > 2 && x->narrow_out && !s->after)
		MMI_TRY(mmi_shadow_prepare(x, 2, &s->rounded_bias, e));
	return mmi_shadow_prepare(x, 1, &s->weights, e);
}

static mm_status prepare(mmi_exec *x, mm_error *e)
{
	linear_state *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a linear layer's state");
	x->state = s;
	if (!yields_weights(x))
		prepare_pass(x, s);
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

static void run_pass(const mmi_exec *x, linear_state *s)
{
	if (!s->after)
		return;
	s->pass.in[MMI_MAP_OUT] = x->out;
	s->pass.in[MMI_MAP_BIAS] = x->n_in > 2 ? x->in[2] : NULL;
	s->pass.in[MMI_MAP_MASK] = x->mask;
	s->pass.out = x->out;
	mmi_map_launch(x->device, &s->pass);
}

static void run(mmi_exec *x)
{
	linear_state *s = x->state;
	mmi_cuda *c = mmi_cuda_of(x->device);
	const float one = 1;
	const bool rounds = x->narrow_in[0] && !yields_weights(x);
	const void *in[2] = { mmi_scratch_input(x, 0, s->in[0]),
		                  rounds ? mmi_shadow_at(x, 1, &s->weights) : mmi_scratch_input(x, 1, s->in[1]) };
	const cublasStatus_t status =
		cublasLtMatmul(c->blas, s->product, &one, in[s->a_input], s->a, in[s->b_input], s->b, &s->beta, x->out, s->d,
	                   x->out, s->d, &s->algo, mmi_scratch_at(x, s->workspace), s->workspace_bytes, c->stream);
	if (status != CUBLAS_STATUS_SUCCESS)
		mmi_cuda_fail(c, "cuBLASLt: %s", cublasLtGetStatusName(status));
	run_pass(x, s);
}

static double again(const mmi_exec *x)
{
	const linear_state *s = x->state;
	return s->after ? mmi_map_bytes(&s->pass) : 0;
}

const mmi_kernel mmi_cuda_linear = { .name = "linear/cublaslt",
	                                 .flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK,
	                                 .prepare = prepare,
	                                 .run = run,
	                                 .release = release,
	                                 .again = again };
