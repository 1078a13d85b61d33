/* cuda.h - the CUDA device from inside: one stream, the libraries' handles, what has failed.
 *
 * All work goes to one stream, in the order of the calls, from one thread at a time. A failure of what was queued is
 * kept: everything that is queued after it may be nonsense, and wait tells the first one for ever. */
#ifndef MMI_CUDA_H
#define MMI_CUDA_H

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "backend/cuda/args.h"
#include "backend/cuda/dialect_host.h"
#include "engine/device.h"

typedef struct mmi_conv_plan mmi_conv_plan; /* conv_plan.h */
typedef struct mmi_staging mmi_staging;     /* staging.h */
typedef struct mmi_sequences mmi_sequences; /* sequence.h */
typedef struct mmi_exchange mmi_exchange;   /* exchange.h */

typedef struct mmi_cuda {
	cudaStream_t stream;
	cudnnHandle_t cudnn;
	cublasLtHandle_t blas;
	bool tensor_cores; /* products may be of TF32 or bfloat16 */
	mm_status status;  /* of the first failure of what was queued */
	char failure[256];
	double *partials; /* of row operations: sums of blocks */
	size_t n_partials;
	double *number;       /* one that a row operation needs in its next launch */
	mmi_conv_plan *plans; /* made so far */
	mmi_staging *staging;
	mmi_sequences *sequences;
	mmi_exchange *exchange; /* with the cards of other ranks; NULL: there is none */
	char card[16];          /* its UUID */
	char text[128];         /* "NVIDIA H200, CUDA 13.0, cuDNN 9.19, tf32" */
} mmi_cuda;

typedef struct mmi_grid {
	int64_t x, y, z; /* y and z 0: 1 */
} mmi_grid;

static inline mmi_cuda *mmi_cuda_of(const mmi_device *d)
{
	return (mmi_cuda *)(uintptr_t)d->own;
}

/* Of kernels whose arguments begin with what they read, here input k of the call, and what they write: `narrow`. */
static inline uint32_t mmi_cuda_narrow(const mmi_exec *x, uint32_t k)
{
	return (uint32_t)x->narrow_in[k] | (uint32_t)x->narrow_out << 1;
}

/* Keeps the first failure. */
void mmi_cuda_fail(mmi_cuda *c, const char *format, ...) MMI_PRINTF(2, 3);
/* The same of a call of the runtime, unless it succeeded. */
void mmi_cuda_check(mmi_cuda *c, cudaError_t status, const char *call);
/* Queues a kernel with blocks of MMI_BLOCK threads; an empty grid is none. */
void mmi_cuda_launch(const mmi_device *d, const mmi_cuda_kernel *k, mmi_grid grid, const void *args);
/* Blocks for n elements, which kernels go over in strides of the grid: a function of n alone. */
int64_t mmi_cuda_blocks(int64_t n);
/* Room for the sums of blocks, until the next call; NULL, and a failure is kept, when there is no memory. */
double *mmi_cuda_partials(const mmi_device *d, size_t n);

extern const mmi_row_ops mmi_cuda_rows;
extern const mmi_backend mmi_cuda_backend, mmi_cuda_backend_narrow; /* maps in bfloat16 */

#endif
