/* test_nccl.c - the emulated NCCL moves what it should, and tells each mistake. Ranks are processes with an emulated
 * device each. */
#include "mmi_build.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include "base/base.h"
#include "emu.h"

enum { N = 1000 };

typedef struct rank {
	int number;
	ncclUniqueId id;
	ncclComm_t comm;
	cudaStream_t stream;
	float *x, *y; /* of the device: what is sent, what is received */
} rank;

/* In a child: what a rank does; violations that are told end it, with the text on standard error. */
typedef void scene(rank *r);

#define MUST(call)                                             \
	do {                                                       \
		if (!(call)) {                                         \
			fprintf(stderr, "line %d: %s\n", __LINE__, #call); \
			_exit(3);                                          \
		}                                                      \
	} while (0)

static void fill(rank *r, float *x, float first)
{
	float *pinned;
	MUST(cudaMallocHost((void **)&pinned, N * sizeof *pinned) == cudaSuccess);
	for (int i = 0; i < N; i++)
		pinned[i] = first + (float)i;
	MUST(cudaMemcpyAsync(x, pinned, N * sizeof *x, cudaMemcpyHostToDevice, r->stream) == cudaSuccess);
	MUST(cudaStreamSynchronize(r->stream) == cudaSuccess);
}

static float first_of(const rank *r, const float *x, int at)
{
	float *pinned;
	MUST(cudaMallocHost((void **)&pinned, N * sizeof *pinned) == cudaSuccess);
	MUST(cudaMemcpyAsync(pinned, x, N * sizeof *x, cudaMemcpyDeviceToHost, r->stream) == cudaSuccess);
	MUST(cudaStreamSynchronize(r->stream) == cudaSuccess);
	return pinned[at];
}

static ncclResult_t settled(const rank *r)
{
	ncclResult_t now = ncclInProgress;
	while (now == ncclInProgress)
		MUST(ncclCommGetAsyncError(r->comm, &now) == ncclSuccess);
	return now;
}

static void begin(rank *r)
{
	ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
	config.blocking = 0;
	MUST(cudaStreamCreateWithFlags(&r->stream, cudaStreamNonBlocking) == cudaSuccess);
	MUST(cudaMalloc((void **)&r->x, N * sizeof *r->x) == cudaSuccess);
	MUST(cudaMalloc((void **)&r->y, N * sizeof *r->y) == cudaSuccess);
	fill(r, r->x, 1000.0f * (float)r->number);
	MUST(ncclCommInitRankConfig(&r->comm, 2, r->id, r->number, &config) == ncclInProgress);
	MUST(settled(r) == ncclSuccess);
}

static void swap(rank *r, size_t out, size_t in)
{
	const int with = 1 - r->number;
	MUST(ncclGroupStart() == ncclSuccess);
	if (out)
		MUST(ncclSend(r->x, out, ncclFloat32, with, r->comm, r->stream) == ncclSuccess);
	if (in)
		MUST(ncclRecv(r->y, in, ncclFloat32, with, r->comm, r->stream) == ncclSuccess);
	ncclGroupEnd();
	MUST(settled(r) == ncclSuccess);
}

static void end(rank *r)
{
	MUST(cudaStreamSynchronize(r->stream) == cudaSuccess);
	MUST(ncclCommFinalize(r->comm) == ncclInProgress);
	MUST(settled(r) == ncclSuccess);
	MUST(ncclCommDestroy(r->comm) == ncclSuccess);
}

static void run_rank(scene *play, int number, const ncclUniqueId *id, int to)
{
	rank r = { .number = number, .id = *id };
	dup2(to, STDERR_FILENO);
	alarm(120);
	MUST(cudaSetDevice(getenv("EMU_DEVICES") ? number : 0) == cudaSuccess);
	play(&r);
	_exit(0);
}

/* Two ranks play; whether both ended well. What they said is in `said`. */
static bool play(scene *what, char *said, size_t bytes)
{
	int ends[2], status[2] = { 0 };
	pid_t child[2];
	ncclUniqueId id;
	size_t n = 0;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(ncclGetUniqueId(&id), ncclSuccess);
	for (int i = 0; i < 2; i++) {
		child[i] = fork();
		if (!child[i])
			run_rank(what, i, &id, ends[1]);
	}
	close(ends[1]);
	/* A rank that is left alone when the other has died waits until its alarm. */
	const pid_t first = wait(&status[0]);
	if (status[0])
		kill(child[first == child[0]], SIGKILL);
	wait(&status[1]);
	for (ssize_t more; n + 1 < bytes && (more = read(ends[0], said + n, bytes - 1 - n)) > 0;)
		n += (size_t)more;
	said[n] = 0;
	close(ends[0]);
	unlink(id.internal);
	return !status[0] && !status[1];
}

static void assert_well(scene *what)
{
	char said[2000];
	if (!play(what, said, sizeof said))
		fail_msg("a rank ended badly: %s", said);
}

static void assert_told(scene *what, const char *text)
{
	char said[2000];
	if (play(what, said, sizeof said))
		fail_msg("both ranks ended well; expected \"%s\"", text);
	if (!strstr(said, text))
		fail_msg("told is \"%s\", without \"%s\"", said, text);
}

/* ------------------------------------------------------------ what is right */

static void swaps(rank *r)
{
	begin(r);
	for (int k = 0; k < 5; k++)
		swap(r, N, N);
	MUST(first_of(r, r->y, 7) == 1000.0f * (float)(1 - r->number) + 7);
	swap(r, r->number ? 3 : 0, r->number ? 0 : 3); /* one way */
	end(r);
}

/* What is queued behind a swap waits for it: the first writes where the swap reads, when the other has it. */
static void in_order(rank *r)
{
	begin(r);
	swap(r, N, N);
	MUST(cudaMemsetAsync(r->x, 0, N * sizeof *r->x, r->stream) == cudaSuccess);
	swap(r, N, N);
	MUST(first_of(r, r->y, 7) == 0.0f);
	end(r);
}

static void given_up(rank *r)
{
	begin(r);
	if (r->number)
		swap(r, N, N); /* the other never comes */
	MUST(cudaStreamQuery(r->stream) == (r->number ? cudaErrorNotReady : cudaSuccess));
	MUST(ncclCommAbort(r->comm) == ncclSuccess);
	MUST(cudaStreamSynchronize(r->stream) == cudaSuccess);
}

static void floats_are_swapped_in_the_order_of_the_stream(void **state)
{
	(void)state;
	assert_well(swaps);
	assert_well(in_order);
}

static void what_was_given_up_ends_what_is_queued(void **state)
{
	(void)state;
	assert_well(given_up);
}

/* ------------------------------------------------------------ mistakes */

static void blocking(rank *r)
{
	ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
	ncclCommInitRankConfig(&r->comm, 2, r->id, r->number, &config);
}

static void counts(rank *r)
{
	begin(r);
	swap(r, r->number ? N : N - 1, N);
	end(r);
}

static void one_sided(rank *r)
{
	begin(r);
	swap(r, r->number ? 0 : N, 0);
	end(r);
}

static void too_early(rank *r)
{
	begin(r);
	ncclGroupStart();
	ncclSend(r->x, N, ncclFloat32, 1 - r->number, r->comm, r->stream);
	ncclGroupEnd();
	ncclGroupStart();
	ncclSend(r->x, N, ncclFloat32, 1 - r->number, r->comm, r->stream);
}

static void no_group(rank *r)
{
	begin(r);
	ncclSend(r->x, N, ncclFloat32, 1 - r->number, r->comm, r->stream);
}

static void no_stream(rank *r)
{
	begin(r);
	ncclGroupStart();
	ncclSend(r->x, N, ncclFloat32, 1 - r->number, r->comm, NULL);
}

static void other_stream(rank *r)
{
	begin(r);
	swap(r, N, N);
	MUST(cudaStreamCreateWithFlags(&r->stream, cudaStreamNonBlocking) == cudaSuccess);
	swap(r, N, N);
}

static void captured(rank *r)
{
	begin(r);
	MUST(cudaStreamBeginCapture(r->stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
	swap(r, N, N);
}

static void host_memory(rank *r)
{
	float here[N];
	begin(r);
	r->x = here;
	swap(r, N, N);
}

static void past_the_end(rank *r)
{
	begin(r);
	swap(r, N, N + 1);
}

static void itself(rank *r)
{
	begin(r);
	ncclGroupStart();
	ncclSend(r->x, N, ncclFloat32, r->number, r->comm, r->stream);
}

static void destroyed(rank *r)
{
	begin(r);
	end(r);
	swap(r, N, N);
}

static void not_finalized(rank *r)
{
	begin(r);
	ncclCommDestroy(r->comm);
}

static void not_waited_for(rank *r)
{
	begin(r);
	swap(r, N, N);
	MUST(ncclCommFinalize(r->comm) == ncclInProgress);
	settled(r);
}

static void each_mistake_is_told(void **state)
{
	static const struct {
		scene *what;
		const char *text;
	} mistakes[] = {
		{ blocking, "whose calls block" },
		{ counts, "sends 999 floats where rank 1 receives 1000" },
		{ one_sided, "rank 0 sent what rank 1 never received" },
		{ too_early, "before ncclCommGetAsyncError said" },
		{ no_group, "outside of a group" },
		{ no_stream, "on the default stream" },
		{ other_stream, "on another stream" },
		{ captured, "while a graph is recorded" },
		{ host_memory, "not all in one piece of the device's memory" },
		{ past_the_end, "1001 floats that are not all" },
		{ itself, "has no rank" },
		{ destroyed, "that was destroyed" },
		{ not_finalized, "was not finalized" },
		{ not_waited_for, "while a swap is not done" },
	};
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(mistakes); i++)
		assert_told(mistakes[i].what, mistakes[i].text);
}

static void two_ranks_on_one_card_are_told(void **state)
{
	(void)state;
	unsetenv("EMU_DEVICES");
	assert_told(swaps, "two ranks on one card");
	setenv("EMU_DEVICES", "2", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floats_are_swapped_in_the_order_of_the_stream),
		cmocka_unit_test(what_was_given_up_ends_what_is_queued),
		cmocka_unit_test(each_mistake_is_told),
		cmocka_unit_test(two_ranks_on_one_card_are_told),
	};
	setenv("EMU_DEVICES", "2", 1);
	return cmocka_run_group_tests_name("the emulated NCCL", tests, NULL, NULL);
}
