/* device.c - a GPU as a device: memory, order, failures. */
#include "mmi_build.h"

#include "backend/cuda/device.h"

#include "backend/cuda/conv_plan.h"
#include "backend/cuda/exchange.h"
#include "backend/cuda/sequence.h"
#include "backend/cuda/staging.h"
#include "engine/row_ops.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------ failures */

void mmi_cuda_fail(mmi_cuda *c, const char *format, ...)
{
	va_list ap;
	if (c->status != MM_OK)
		return;
	c->status = MM_EIO;
	va_start(ap, format);
	vsnprintf(c->failure, sizeof c->failure, format, ap);
	va_end(ap);
}

void mmi_cuda_check(mmi_cuda *c, cudaError_t status, const char *call)
{
	if (status != cudaSuccess)
		mmi_cuda_fail(c, "%s: %s (CUDA error %d)", call, cudaGetErrorString(status), (int)status);
}

/* ------------------------------------------------------------ memory */

static void cuda_zero(const mmi_device *d, void *to, size_t bytes)
{
	mmi_cuda *c = mmi_cuda_of(d);
	if (bytes)
		mmi_cuda_check(c, cudaMemsetAsync(to, 0, bytes, c->stream), "clearing memory");
}

static void *cuda_alloc(const mmi_device *d, size_t bytes)
{
	void *p = NULL;
	if (cudaMalloc(&p, bytes ? bytes : 1) != cudaSuccess)
		return NULL;
	cuda_zero(d, p, bytes);
	return p;
}

static void cuda_release(const mmi_device *d, void *p)
{
	if (p)
		mmi_cuda_check(mmi_cuda_of(d), cudaFree(p), "releasing memory");
}

static void *cuda_alloc_staging(const mmi_device *d, size_t bytes)
{
	return mmi_staging_alloc(mmi_cuda_of(d)->staging, bytes);
}

static void cuda_release_staging(const mmi_device *d, void *p)
{
	mmi_staging_release(mmi_cuda_of(d)->staging, p);
}

static void cuda_upload(const mmi_device *d, void *to, const void *host, size_t bytes)
{
	if (bytes)
		mmi_staging_upload(mmi_cuda_of(d), to, host, bytes);
}

static void cuda_download(const mmi_device *d, void *host, const void *from, size_t bytes)
{
	if (bytes)
		mmi_staging_download(mmi_cuda_of(d), host, from, bytes);
}

static void cuda_copy(const mmi_device *d, void *to, const void *from, size_t bytes)
{
	mmi_cuda *c = mmi_cuda_of(d);
	if (bytes && to != from)
		mmi_cuda_check(c, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, c->stream), "a copy on the GPU");
}

static mm_status cuda_wait(const mmi_device *d, mm_error *e)
{
	mmi_cuda *c = mmi_cuda_of(d);
	if (c->exchange)
		mmi_exchange_wait(c->exchange);
	mmi_cuda_check(c, cudaStreamSynchronize(c->stream), "the GPU's work");
	mmi_staging_deliver(c);
	return c->status == MM_OK ? MM_OK : mmi_fail(e, c->status, "device cuda (%s): %s", c->text, c->failure);
}

double *mmi_cuda_partials(const mmi_device *d, size_t n)
{
	mmi_cuda *c = mmi_cuda_of(d);
	void *grown = NULL;
	if (n <= c->n_partials)
		return c->partials;
	n = n < 2 * c->n_partials ? 2 * c->n_partials : n;
	if (cudaMalloc(&grown, n * sizeof *c->partials) != cudaSuccess) {
		mmi_cuda_fail(c, "out of GPU memory for %zu sums", n);
		return NULL;
	}
	cudaFree(c->partials); /* waits for what still reads it */
	c->partials = grown;
	c->n_partials = n;
	return c->partials;
}

/* ------------------------------------------------------------ launches */

int64_t mmi_cuda_blocks(int64_t n)
{
	const int64_t blocks = (n + MMI_BLOCK - 1) / MMI_BLOCK, most = 8192;
	return blocks < most ? blocks : most;
}

void mmi_cuda_launch(const mmi_device *d, const mmi_cuda_kernel *k, mmi_grid grid, const void *args)
{
	mmi_cuda *c = mmi_cuda_of(d);
	void *all[] = { (void *)(uintptr_t)args };
	const dim3 blocks = { (unsigned)grid.x, grid.y ? (unsigned)grid.y : 1, grid.z ? (unsigned)grid.z : 1 };
	if (grid.x > 0)
		mmi_cuda_check(c, cudaLaunchKernel(k->function, blocks, (dim3){ MMI_BLOCK, 1, 1 }, all, 0, c->stream), k->name);
}

/* ------------------------------------------------------------ life */

static void destroy(mmi_cuda *c)
{
	if (!c)
		return;
	mmi_exchange_destroy(c->exchange);
	if (c->stream)
		cudaStreamSynchronize(c->stream);
	mmi_sequences_destroy(c->sequences);
	mmi_conv_plans_destroy(c->plans);
	if (c->cudnn)
		cudnnDestroy(c->cudnn);
	if (c->blas)
		cublasLtDestroy(c->blas);
	cudaFree(c->partials);
	cudaFree(c->number);
	mmi_staging_destroy(c->staging);
	if (c->stream)
		cudaStreamDestroy(c->stream);
	mmi_free(c);
}

static void cuda_close(const mmi_device *d)
{
	destroy(mmi_cuda_of(d));
}

static const mmi_device_ops cuda_ops = {
	.name = "cuda",
	.whole = true,
	.alloc = cuda_alloc,
	.release = cuda_release,
	.alloc_staging = cuda_alloc_staging,
	.release_staging = cuda_release_staging,
	.upload = cuda_upload,
	.download = cuda_download,
	.copy = cuda_copy,
	.zero = cuda_zero,
	.wait = cuda_wait,
	.sequence = mmi_sequence_run,
	.forget = mmi_sequence_forget,
	.join = mmi_exchange_join,
	.close = cuda_close,
};

static mm_status open_libraries(mmi_cuda *c, mm_error *e)
{
	const cudaError_t stream = cudaStreamCreateWithFlags(&c->stream, cudaStreamNonBlocking);
	if (stream != cudaSuccess)
		return mmi_fail(e, MM_EUNSUPPORTED, "the GPU cannot be used: %s", cudaGetErrorString(stream));
	const cudnnStatus_t cudnn = cudnnCreate(&c->cudnn);
	if (cudnn != CUDNN_STATUS_SUCCESS)
		return mmi_fail(e, MM_EUNSUPPORTED, "cuDNN does not start: %s", cudnnGetErrorString(cudnn));
	const cublasStatus_t blas = cublasLtCreate(&c->blas);
	if (blas != CUBLAS_STATUS_SUCCESS)
		return mmi_fail(e, MM_EUNSUPPORTED, "cuBLASLt does not start: %s", cublasLtGetStatusName(blas));
	if (cudaMalloc((void **)&c->number, sizeof *c->number) != cudaSuccess)
		return mmi_fail(e, MM_ENOMEM, "the GPU has no memory left");
	if (cudnnSetStream(c->cudnn, c->stream) != CUDNN_STATUS_SUCCESS)
		return mmi_fail(e, MM_EUNSUPPORTED, "cuDNN does not take a stream");
	return MM_OK;
}

static void describe(mmi_cuda *c, const mmi_cuda_config *config)
{
	static const char *const names[] = {
		[MMI_CUDA_FLOAT32] = "float32", [MMI_CUDA_TF32] = "tf32", [MMI_CUDA_BFLOAT16] = "bfloat16"
	};
	struct cudaDeviceProp p;
	const size_t cudnn = cudnnGetVersion();
	int runtime = 0;
	cudaRuntimeGetVersion(&runtime);
	if (cudaGetDeviceProperties(&p, config->number) != cudaSuccess)
		p = (struct cudaDeviceProp){ .name = "GPU" };
	memcpy(c->card, &p.uuid, sizeof c->card);
	snprintf(c->text, sizeof c->text, "%.64s, CUDA %d.%d, cuDNN %zu.%zu, %s", p.name, runtime / 1000,
	         runtime % 1000 / 10, cudnn / 10000, cudnn / 100 % 100, names[config->precision]);
}

mm_status mmi_cuda_create(const mmi_cuda_config *config, mmi_device *out, mm_error *e)
{
	mmi_cuda *c = mmi_alloc(1, sizeof *c);
	mm_status status;
	if (!c)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the CUDA device");
	c->tensor_cores = config->precision != MMI_CUDA_FLOAT32;
	MMI_TRY_GOTO(mmi_staging_create(&c->staging, e), failed);
	MMI_TRY_GOTO(mmi_sequences_create(&c->sequences, e), failed);
	MMI_TRY_GOTO(open_libraries(c, e), failed);
	describe(c, config);
	*out =
		(mmi_device){ .ops = &cuda_ops,
		              .backend = config->precision == MMI_CUDA_BFLOAT16 ? &mmi_cuda_backend_narrow : &mmi_cuda_backend,
		              .rows = &mmi_cuda_rows,
		              .vec = config->vec,
		              .own = c,
		              .text = c->text };
	return MM_OK;
failed:
	destroy(c);
	return status;
}
