/* test_emu.c - the emulated device runs kernels right, and notices what a GPU would punish only now and then: each
 * mistake is planted and seen. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cuda_runtime_api.h>

#include "backend/cuda/args.h"
#include "emu.h"
#include "mistakes.h"

enum { N = 1024, BLOCKS = N / MMI_BLOCK, ORDERS = 8 };

extern const mmi_cuda_kernel mmi_kernel_map;

static cudaStream_t stream;

#define OK(call) assert_int_equal((call), cudaSuccess)

static float *device_floats(size_t n)
{
	void *p = NULL;
	OK(cudaMalloc(&p, n * sizeof(float)));
	return p;
}

static float *pinned_floats(size_t n)
{
	void *p = NULL;
	OK(cudaMallocHost(&p, n * sizeof(float)));
	for (size_t i = 0; i < n; i++)
		((float *)p)[i] = sinf((float)i + 1);
	return p;
}

static void upload(void *to, const void *from, size_t n)
{
	OK(cudaMemcpyAsync(to, from, n * sizeof(float), cudaMemcpyHostToDevice, stream));
}

static void download(void *to, const void *from, size_t n)
{
	OK(cudaMemcpyAsync(to, from, n * sizeof(float), cudaMemcpyDeviceToHost, stream));
	OK(cudaStreamSynchronize(stream));
}

static cudaError_t launch(cudaStream_t s, const mmi_cuda_kernel *k, unsigned blocks, const void *args)
{
	void *all[] = { (void *)(uintptr_t)args };
	return cudaLaunchKernel(k->function, (dim3){ blocks, 1, 1 }, (dim3){ MMI_BLOCK, 1, 1 }, all, 0, s);
}

/* out = factor * x */
static mmi_map_args scaled(const float *x, float *out, float factor)
{
	return (mmi_map_args){ .in = { x },
		                   .out = { out },
		                   .from = { { .run = MMI_MAP_ROW } },
		                   .to = { { .run = MMI_MAP_ROW } },
		                   .n = N,
		                   .n_steps = 3,
		                   .step = { { .code = MMI_MAP_LOAD },
		                             { .code = MMI_MAP_AFFINE, .operand = -1, .a = factor },
		                             { .code = MMI_MAP_STORE } } };
}

/* Whether the program dies where a child does `what`. */
static bool dies(void (*what)(void *), void *ctx)
{
	int status;
	const pid_t child = fork();
	if (!child) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGSEGV, SIG_DFL);
		what(ctx);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* The rule that was broken, which must be one and say `word`. */
static void assert_told(const char *word)
{
	const char *told = emu_violation();
	assert_non_null(told);
	if (!strstr(told, word))
		fail_msg("told is \"%s\", without \"%s\"", told, word);
}

/* ------------------------------------------------------------ what is right */

static void element_wise_kernels_are_exact_in_any_order(void **state)
{
	float *x = pinned_floats(N), *out = pinned_floats(N), *dx = device_floats(N);
	(void)state;
	for (unsigned order = 0; order < ORDERS; order++) {
		const mmi_map_args a = scaled(dx, dx, 0.7f);
		emu_set_order(order);
		upload(dx, x, N);
		OK(launch(stream, &mmi_kernel_map, 3, &a));
		download(out, dx, N);
		for (int i = 0; i < N; i++)
			assert_true(!memcmp(&out[i], &(float){ 0.7f * x[i] + 0 }, sizeof out[i]));
	}
}

/* Sums of blocks in many orders: whether all are the same. */
static bool same_in_any_order(int which)
{
	float *x = pinned_floats(N), *out = pinned_floats(BLOCKS), first[BLOCKS];
	const mistakes_args a = { device_floats(N), device_floats(BLOCKS), N, which };
	bool same = true;
	for (unsigned order = 0; order < ORDERS; order++) {
		emu_set_order(order);
		upload(a.x, x, N);
		OK(launch(stream, &mmi_kernel_mistakes, BLOCKS, &a));
		download(out, a.out, BLOCKS);
		if (order == 0)
			memcpy(first, out, sizeof first);
		same = same && !memcmp(first, out, sizeof first);
	}
	for (int b = 0; which == RIGHT && b < BLOCKS; b++) {
		double sum = 0;
		for (int i = 0; i < MMI_BLOCK; i++)
			sum += (double)x[b * MMI_BLOCK + i];
		assert_true(fabs((double)out[b] - sum) < 1e-4);
	}
	return same;
}

static void a_reduction_has_the_same_bits_in_any_order_and_without_barriers_has_not(void **state)
{
	(void)state;
	assert_true(same_in_any_order(RIGHT));
	assert_false(same_in_any_order(NO_BARRIERS));
}

static void shuffles_reach_a_whole_warp(void **state)
{
	float *x = pinned_floats(N), *out = pinned_floats(N);
	const shuffle_args a = { device_floats(N), device_floats(N), 0 };
	(void)state;
	upload((void *)(uintptr_t)a.x, x, N);
	for (unsigned order = 0; order < ORDERS; order++) {
		emu_set_order(order);
		OK(launch(stream, &mmi_kernel_shuffle, BLOCKS, &a));
		download(out, a.out, N);
		for (int i = 0; i < N; i++) {
			float most = -INFINITY;
			for (int k = i / MMI_WARP * MMI_WARP; k < (i / MMI_WARP + 1) * MMI_WARP; k++)
				most = fmaxf(most, x[k]);
			assert_true(!memcmp(&out[i], &most, sizeof most));
		}
	}
}

/* A copy on one stream, a kernel on another: whether the kernel saw it in all orders. */
static bool copy_is_seen(bool joined)
{
	float *x = pinned_floats(N), *out = pinned_floats(N), *from = device_floats(N), *to = device_floats(N);
	const mmi_map_args a = scaled(from, to, 1);
	cudaStream_t other;
	cudaEvent_t ready;
	bool seen = true;
	OK(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
	OK(cudaEventCreateWithFlags(&ready, cudaEventDisableTiming));
	for (unsigned order = 0; order < 2 * ORDERS; order++) {
		emu_set_order(order);
		OK(cudaMemsetAsync(from, 0, N * sizeof *from, stream));
		OK(cudaStreamSynchronize(stream));
		OK(cudaMemcpyAsync(from, x, N * sizeof *x, cudaMemcpyHostToDevice, other));
		if (joined) {
			OK(cudaEventRecord(ready, other));
			OK(cudaStreamWaitEvent(stream, ready, 0));
		}
		OK(launch(stream, &mmi_kernel_map, 4, &a));
		download(out, to, N);
		seen = seen && !memcmp(out, x, N * sizeof *out);
		OK(cudaStreamSynchronize(other));
	}
	OK(cudaEventDestroy(ready));
	OK(cudaStreamDestroy(other));
	return seen;
}

static void a_missing_event_is_seen(void **state)
{
	(void)state;
	assert_true(copy_is_seen(true));
	assert_false(copy_is_seen(false));
}

/* ------------------------------------------------------------ the host and the device's memory */

static void read_one(void *x)
{
	(void)*(volatile float *)x;
}

static void the_host_dies_where_it_reads_device_memory(void **state)
{
	float *d = device_floats(4);
	(void)state;
	assert_true(dies(read_one, d));
}

static void what_was_not_waited_for_is_nan(void **state)
{
	float *x = pinned_floats(N), *out = pinned_floats(N), *d = device_floats(N);
	(void)state;
	upload(d, x, N);
	OK(cudaMemcpyAsync(out, d, N * sizeof *out, cudaMemcpyDeviceToHost, stream));
	assert_true(isnan(out[0]) && isnan(out[N - 1]));
	OK(cudaStreamSynchronize(stream));
	assert_memory_equal(out, x, N * sizeof *out);
}

static void a_source_that_is_reused_too_early_spoils_the_copy(void **state)
{
	float *x = pinned_floats(N), *out = pinned_floats(N), *d = device_floats(N);
	(void)state;
	upload(d, x, N);
	x[5] = -7;
	download(out, d, N);
	assert_true(out[5] < -6);
}

static void new_memory_is_nan(void **state)
{
	float *out = pinned_floats(N);
	(void)state;
	download(out, device_floats(N), N);
	for (int i = 0; i < N; i++)
		assert_true(isnan(out[i]));
}

static void shared_memory_of_a_new_block_is_nan(void **state)
{
	float *out = pinned_floats(BLOCKS);
	const mistakes_args a = { device_floats(N), device_floats(BLOCKS), N, UNWRITTEN_SHARED };
	(void)state;
	OK(launch(stream, &mmi_kernel_mistakes, BLOCKS, &a));
	download(out, a.out, BLOCKS);
	for (int i = 0; i < BLOCKS; i++)
		assert_true(isnan(out[i]));
}

static void run_mistake(void *args)
{
	launch(stream, &mmi_kernel_mistakes, 1, args);
	cudaStreamSynchronize(stream);
}

static void a_kernel_dies_where_it_writes_past_the_end(void **state)
{
	mistakes_args a = { device_floats(N), device_floats(BLOCKS), N, PAST_THE_END };
	(void)state;
	assert_true(dies(run_mistake, &a));
	a.n = N - 1;
	assert_false(dies(run_mistake, &a));
}

static void a_kernel_dies_where_it_writes_past_a_shared_array(void **state)
{
	mistakes_args a = { device_floats(N), device_floats(BLOCKS), 0, PAST_A_SHARED_ARRAY };
	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	assert_true(dies(run_mistake, &a));
#else
	(void)a;
	skip(); /* AddressSanitizer of gcc watches it */
#endif
}

static void copies_need_pinned_memory(void **state)
{
	float plain[4] = { 0 }, *d = device_floats(4);
	(void)state;
	emu_expect_violations(true);
	assert_int_not_equal(cudaMemcpyAsync(d, plain, sizeof plain, cudaMemcpyHostToDevice, stream), cudaSuccess);
	assert_told("pinned");
	assert_int_not_equal(cudaMemcpyAsync(plain, d, sizeof plain, cudaMemcpyDeviceToHost, stream), cudaSuccess);
	assert_told("pinned");
	assert_int_not_equal(cudaMemcpyAsync(d + 1, d, sizeof plain, cudaMemcpyDeviceToDevice, stream), cudaSuccess);
	assert_told("one allocation");
	emu_expect_violations(false);
}

static void kernels_refuse_addresses_that_are_not_the_devices(void **state)
{
	float plain[N], *d = device_floats(N), *gone = device_floats(N);
	const mmi_map_args from_host = scaled(plain, d, 1), from_freed = scaled(gone, d, 1);
	(void)state;
	OK(cudaFree(gone));
	emu_expect_violations(true);
	assert_int_not_equal(launch(stream, &mmi_kernel_map, 1, &from_host), cudaSuccess);
	assert_told("no address of the device");
	assert_int_not_equal(launch(stream, &mmi_kernel_map, 1, &from_freed), cudaSuccess);
	assert_told("no live device memory");
	emu_expect_violations(false);
}

static void the_default_stream_is_refused(void **state)
{
	float *d = device_floats(N);
	const mmi_map_args a = scaled(d, d, 1);
	(void)state;
	emu_expect_violations(true);
	assert_int_not_equal(launch(NULL, &mmi_kernel_map, 1, &a), cudaSuccess);
	assert_told("default stream");
	assert_int_not_equal(cudaMemsetAsync(d, 0, 4, NULL), cudaSuccess);
	assert_told("default stream");
	emu_expect_violations(false);
}

/* ------------------------------------------------------------ captures */

static void allocating_or_waiting_voids_a_capture(void **state)
{
	void *p;
	cudaGraph_t g;
	(void)state;
	emu_expect_violations(true);
	for (int waits = 0; waits < 2; waits++) {
		OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
		assert_int_equal(waits ? cudaStreamSynchronize(stream) : cudaMalloc(&p, 16), cudaErrorStreamCaptureUnsupported);
		assert_told("while a stream captures");
		assert_int_equal(cudaStreamEndCapture(stream, &g), cudaErrorStreamCaptureInvalidated);
	}
	emu_expect_violations(false);
}

static void a_graph_keeps_the_addresses_it_was_made_with(void **state)
{
	float *x = pinned_floats(N), *out = pinned_floats(N), *d = device_floats(N), *first = device_floats(N);
	mmi_map_args a = scaled(d, first, 2);
	cudaGraph_t g;
	cudaGraphExec_t e;
	(void)state;
	upload(d, x, N);
	OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
	OK(launch(stream, &mmi_kernel_map, 4, &a));
	OK(cudaStreamEndCapture(stream, &g));
	OK(cudaGraphInstantiate(&e, g, 0));
	a = scaled(d, d, 3);
	OK(cudaGraphLaunch(e, stream));
	download(out, first, N);
	for (int i = 0; i < N; i++)
		assert_true(!memcmp(&out[i], &(float){ 2 * x[i] }, sizeof out[i]));
	OK(cudaGraphDestroy(g));
	OK(cudaGraphExecDestroy(e));
}

/* ------------------------------------------------------------ blocks */

static void threads_that_do_not_meet_at_a_barrier_are_told(void **state)
{
	const mistakes_args a = { device_floats(N), device_floats(BLOCKS), N, HALF_AT_A_BARRIER };
	(void)state;
	emu_expect_violations(true);
	OK(launch(stream, &mmi_kernel_mistakes, 1, &a));
	OK(cudaStreamSynchronize(stream));
	assert_told("mistakes, block 0 0 0: of 256 threads 128 have ended, 128 wait at a barrier");
	emu_expect_violations(false);
}

static void shuffles_of_part_of_a_warp_are_refused(void **state)
{
	float *x = pinned_floats(N);
	const shuffle_args a = { device_floats(N), device_floats(N), 1 };
	(void)state;
	upload((void *)(uintptr_t)a.x, x, N);
	emu_expect_violations(true);
	OK(launch(stream, &mmi_kernel_shuffle, 1, &a));
	OK(cudaStreamSynchronize(stream));
	assert_told("only whole warps");
	emu_expect_violations(false);
}

static int open_stream(void **state)
{
	(void)state;
	return cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(element_wise_kernels_are_exact_in_any_order),
		cmocka_unit_test(a_reduction_has_the_same_bits_in_any_order_and_without_barriers_has_not),
		cmocka_unit_test(shuffles_reach_a_whole_warp),
		cmocka_unit_test(a_missing_event_is_seen),
		cmocka_unit_test(the_host_dies_where_it_reads_device_memory),
		cmocka_unit_test(what_was_not_waited_for_is_nan),
		cmocka_unit_test(a_source_that_is_reused_too_early_spoils_the_copy),
		cmocka_unit_test(new_memory_is_nan),
		cmocka_unit_test(shared_memory_of_a_new_block_is_nan),
		cmocka_unit_test(a_kernel_dies_where_it_writes_past_the_end),
		cmocka_unit_test(a_kernel_dies_where_it_writes_past_a_shared_array),
		cmocka_unit_test(copies_need_pinned_memory),
		cmocka_unit_test(kernels_refuse_addresses_that_are_not_the_devices),
		cmocka_unit_test(the_default_stream_is_refused),
		cmocka_unit_test(allocating_or_waiting_voids_a_capture),
		cmocka_unit_test(a_graph_keeps_the_addresses_it_was_made_with),
		cmocka_unit_test(threads_that_do_not_meet_at_a_barrier_are_told),
		cmocka_unit_test(shuffles_of_part_of_a_warp_are_refused),
	};
	return cmocka_run_group_tests(tests, open_stream, NULL);
}
