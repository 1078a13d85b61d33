/* emu_cublaslt.c - as much of cuBLASLt as the backend uses: products in double, column by column.
 *
 * The heuristic offers an algorithm that sums in place first unless the preference forbids it, and refuses to run it;
 * it asks for an odd workspace whose every byte it overwrites. */
#include "emu_internal.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORKSPACE = 517, IN_PLACE = 1, STAGED = 2 };

struct cublasLtContext {
	int unused;
};
struct cublasLtMatmulDescOpaque {
	cublasComputeType_t compute;
	cublasOperation_t op_a, op_b;
	cublasLtEpilogue_t epilogue;
	const void *bias;
};
struct cublasLtMatrixLayoutOpaque {
	int64_t rows, columns, stride;
	cudaDataType_t type;
};
struct cublasLtMatmulPreferenceOpaque {
	uint64_t workspace;
	uint32_t reductions, alignment[4]; /* of A, B, C, D in bytes */
};

static void *created(size_t bytes)
{
	void *p = calloc(1, bytes);
	if (!p)
		abort();
	return p;
}

size_t cublasLtGetVersion(void)
{
	return 130000;
}

const char *cublasLtGetStatusName(cublasStatus_t s)
{
	return s == CUBLAS_STATUS_SUCCESS ? "CUBLAS_STATUS_SUCCESS" : "an error of the emulated cuBLASLt";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *out)
{
	*out = created(sizeof **out);
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t h)
{
	free(h);
	return CUBLAS_STATUS_SUCCESS;
}

/* ------------------------------------------------------------ descriptors */

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *out, cublasComputeType_t compute, cudaDataType_t scale)
{
	(void)scale;
	*out = created(sizeof **out);
	(*out)->compute = compute;
	(*out)->op_a = (*out)->op_b = CUBLAS_OP_N;
	(*out)->epilogue = CUBLASLT_EPILOGUE_DEFAULT;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d)
{
	free(d);
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t name,
                                              const void *value, size_t bytes)
{
	void *to = name == CUBLASLT_MATMUL_DESC_TRANSA         ? (void *)&d->op_a
	           : name == CUBLASLT_MATMUL_DESC_TRANSB       ? (void *)&d->op_b
	           : name == CUBLASLT_MATMUL_DESC_EPILOGUE     ? (void *)&d->epilogue
	           : name == CUBLASLT_MATMUL_DESC_BIAS_POINTER ? (void *)&d->bias
	                                                       : NULL;
	if (!to)
		return CUBLAS_STATUS_NOT_SUPPORTED;
	memcpy(to, value, bytes);
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *out, cudaDataType_t type, uint64_t rows,
                                          uint64_t columns, int64_t stride)
{
	if ((type != CUDA_R_32F && type != CUDA_R_16BF) || stride < (int64_t)rows)
		return CUBLAS_STATUS_INVALID_VALUE;
	*out = created(sizeof **out);
	**out = (struct cublasLtMatrixLayoutOpaque){ (int64_t)rows, (int64_t)columns, stride, type };
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l)
{
	free(l);
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *out)
{
	*out = created(sizeof **out);
	(*out)->reductions = UINT32_MAX;
	for (int i = 0; i < 4; i++)
		(*out)->alignment[i] = 256; /* the library's default */
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p)
{
	free(p);
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t name, const void *value,
                                                    size_t bytes)
{
	void *to = name == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES     ? (void *)&p->workspace
	           : name == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK ? (void *)&p->reductions
	           : name == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES ? (void *)&p->alignment[0]
	           : name == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES ? (void *)&p->alignment[1]
	           : name == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES ? (void *)&p->alignment[2]
	           : name == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES ? (void *)&p->alignment[3]
	                                                                : NULL;
	if (!to)
		return CUBLAS_STATUS_NOT_SUPPORTED;
	memcpy(to, value, bytes);
	return CUBLAS_STATUS_SUCCESS;
}

/* ------------------------------------------------------------ choice */

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t h, cublasLtMatmulDesc_t d, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t to, cublasLtMatmulPreference_t p, int room,
                                              cublasLtMatmulHeuristicResult_t *out, int *found)
{
	const bool in_place = p->reductions & CUBLASLT_REDUCTION_SCHEME_INPLACE;
	(void)h;
	*found = 0;
	/* Operands of one type; in bfloat16 the result may be of floats, not the other way round. */
	if (a->type != b->type || c->type != to->type || (a->type == CUDA_R_32F && to->type != CUDA_R_32F) ||
	    (a->type == CUDA_R_16BF && d->compute != CUBLAS_COMPUTE_32F))
		return CUBLAS_STATUS_NOT_SUPPORTED;
	if (room < 1 || p->workspace < WORKSPACE)
		return CUBLAS_STATUS_NOT_SUPPORTED;
	out[0] = (cublasLtMatmulHeuristicResult_t){ .algo = { { in_place ? IN_PLACE : STAGED, p->alignment[0],
		                                                    p->alignment[1], p->alignment[2], p->alignment[3] } },
		                                        .workspaceSize = WORKSPACE,
		                                        .state = CUBLAS_STATUS_SUCCESS };
	*found = 1;
	return CUBLAS_STATUS_SUCCESS;
}

/* ------------------------------------------------------------ running */

typedef struct job {
	int64_t rows, columns, inner, to_stride, c_stride;
	int64_t a_row, a_inner, b_inner, b_column; /* strides */
	const void *a, *b, *c, *bias;              /* the bias is of the result's type */
	void *to;
	float alpha, beta;
	bool relu, narrow, narrow_to; /* operands and result in bfloat16 */
	void *workspace;
} job;

static double read(const void *at, bool narrow, int64_t i)
{
	return (double)(narrow ? emu_from_bf16(((const uint16_t *)at)[i]) : ((const float *)at)[i]);
}

static void write(void *at, bool narrow, int64_t i, double v)
{
	if (narrow)
		((uint16_t *)at)[i] = emu_to_bf16((float)v);
	else
		((float *)at)[i] = (float)v;
}

static void run(const void *ctx)
{
	const job *j = ctx;
	emu_counter()->launches++;
	if (emu_is_hollow())
		return;
	memset(j->workspace, 0xA5, WORKSPACE);
	for (int64_t column = 0; column < j->columns; column++)
		for (int64_t row = 0; row < j->rows; row++) {
			double sum = 0;
			for (int64_t k = 0; k < j->inner; k++)
				sum += read(j->a, j->narrow, row * j->a_row + k * j->a_inner) *
				       read(j->b, j->narrow, k * j->b_inner + column * j->b_column);
			sum *= (double)j->alpha;
			if (fabsf(j->beta) > 0)
				sum += (double)j->beta * read(j->c, j->narrow_to, column * j->c_stride + row);
			sum += j->bias ? read(j->bias, j->narrow_to, row) : 0;
			write(j->to, j->narrow_to, column * j->to_stride + row, j->relu && sum < 0 ? 0 : sum);
		}
}

static size_t size_of(cudaDataType_t type)
{
	return type == CUDA_R_16BF ? sizeof(uint16_t) : sizeof(float);
}

/* Which: 0 A to 3 D. The algorithm was chosen for an alignment. */
static bool is_matrix(const cublasLtMatmulAlgo_t *algo, int which, const void *at, cublasLtMatrixLayout_t l)
{
	const size_t bytes = (size_t)((l->columns - 1) * l->stride + l->rows) * size_of(l->type);
	const bool ok = emu_is_device(at, bytes) && (uintptr_t)at % algo->data[1 + which] == 0;
	if (!ok)
		emu_violate("cublasLtMatmul: matrix %c at %p is not memory of the device, %zu bytes aligned to %u",
		            "ABCD"[which], at, bytes, (unsigned)algo -> data[1 + which]);
	return ok;
}

static bool takes_bias(cublasLtEpilogue_t e)
{
	return e == CUBLASLT_EPILOGUE_BIAS || e == CUBLASLT_EPILOGUE_RELU_BIAS;
}

static job job_of(cublasLtMatmulDesc_t d, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t to)
{
	const bool across_a = d->op_a == CUBLAS_OP_T, across_b = d->op_b == CUBLAS_OP_T;
	return (job){
		.rows = to->rows,
		.columns = to->columns,
		.inner = across_a ? a->rows : a->columns,
		.to_stride = to->stride,
		.a_row = across_a ? a->stride : 1,
		.a_inner = across_a ? 1 : a->stride,
		.b_inner = across_b ? b->stride : 1,
		.b_column = across_b ? 1 : b->stride,
		.bias = takes_bias(d->epilogue) ? d->bias : NULL,
		.narrow = a->type == CUDA_R_16BF,
		.narrow_to = to->type == CUDA_R_16BF,
		.relu = d->epilogue == CUBLASLT_EPILOGUE_RELU || d->epilogue == CUBLASLT_EPILOGUE_RELU_BIAS,
	};
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t h, cublasLtMatmulDesc_t d, const void *alpha, const void *a,
                              cublasLtMatrixLayout_t a_layout, const void *b, cublasLtMatrixLayout_t b_layout,
                              const void *beta, const void *c, cublasLtMatrixLayout_t c_layout, void *to,
                              cublasLtMatrixLayout_t to_layout, const cublasLtMatmulAlgo_t *algo, void *workspace,
                              size_t workspace_bytes, cudaStream_t s)
{
	job j = job_of(d, a_layout, b_layout, to_layout);
	(void)h;
	if (algo->data[0] != STAGED)
		emu_violate("cublasLtMatmul: an algorithm that adds partial products in place, in any order");
	if (workspace_bytes < WORKSPACE || !emu_is_device(workspace, WORKSPACE)) {
		emu_violate("cublasLtMatmul: the workspace at %p does not hold %d bytes", workspace, WORKSPACE);
		return CUBLAS_STATUS_INVALID_VALUE;
	}
	if (!is_matrix(algo, 0, a, a_layout) || !is_matrix(algo, 1, b, b_layout) || !is_matrix(algo, 2, c, c_layout) ||
	    !is_matrix(algo, 3, to, to_layout))
		return CUBLAS_STATUS_INVALID_VALUE;
	if (j.bias && !emu_is_device(j.bias, (size_t)j.rows * size_of(to_layout->type)))
		emu_violate("cublasLtMatmul: a bias of %lld numbers that is not memory of the device", (long long)j.rows);
	j.alpha = *(const float *)alpha;
	j.beta = *(const float *)beta;
	j.a = a;
	j.b = b;
	j.c = c;
	j.to = to;
	j.c_stride = c_layout->stride;
	j.workspace = workspace;
	return emu_enqueue(s, run, &j, sizeof j) ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}
