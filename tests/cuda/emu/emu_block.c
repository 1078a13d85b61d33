/* emu_block.c - one block of a launch: its threads are fibers, started only when one of them waits.
 *
 * Threads run one after the other on one fiber as long as none waits; a thread that meets a barrier keeps its fiber,
 * and another fiber goes on with the threads not yet started. So kernels without barriers cost a function call a
 * thread. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its longjmp knows one stack only */
#include "emu_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <setjmp.h>
#include <ucontext.h>

enum { MOST_THREADS = 1024, STACK = 64 * 1024, WARP = 32 };

emu_uint3 emu_thread_idx, emu_block_idx, emu_block_dim, emu_grid_dim;
extern char __start_emu_shared[] __attribute__((weak)), __stop_emu_shared[] __attribute__((weak));

typedef struct fiber {
	ucontext_t context; /* for the first entry: swapcontext asks the kernel for the signal mask, _longjmp does not */
	jmp_buf at;
	bool entered;
	struct fiber *next_free;
} fiber;

typedef enum { FRESH, RUNNING, AT_BARRIER, AT_SHUFFLE, READY, FINISHED } thread_state;

static struct {
	const emu_kernel *kernel;
	const void *args;
	unsigned n, started, finished;
	unsigned order[MOST_THREADS];
	thread_state state[MOST_THREADS];
	int line[MOST_THREADS];
	fiber *on[MOST_THREADS];
	unsigned current;
	fiber *running, *free;
	ucontext_t scheduler;
	jmp_buf scheduler_at;
	double slot[2][MOST_THREADS];
	unsigned char parity[MOST_THREADS];
} b;

static __attribute__((noinline)) void to_scheduler(fiber *self)
{
	if (!_setjmp(self->at))
		_longjmp(b.scheduler_at, 1);
}

static void set_builtins(unsigned t)
{
	b.current = t;
	emu_thread_idx = (emu_uint3){ t % emu_block_dim.x, t / emu_block_dim.x % emu_block_dim.y,
		                          t / emu_block_dim.x / emu_block_dim.y };
}

/* Runs threads that have not been started. */
static void fiber_main(void)
{
	for (;;) {
		while (b.started < b.n) {
			const unsigned t = b.order[b.started++];
			b.state[t] = RUNNING;
			b.on[t] = b.running;
			set_builtins(t);
			b.kernel->call(b.args);
			b.state[b.current] = FINISHED;
			b.finished++;
		}
		fiber *self = b.running;
		self->next_free = b.free;
		b.free = self;
		to_scheduler(self); /* comes back when taken from the free list */
	}
}

static __attribute__((noinline)) fiber *take_fiber(void)
{
	fiber *volatile f = b.free; /* getcontext returns twice, the compiler thinks */
	if (f) {
		b.free = f->next_free;
		return f;
	}
	f = calloc(1, sizeof *f);
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!f || stack == MAP_FAILED)
		abort();
	mprotect(stack, 4096, PROT_NONE);
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = stack;
	f->context.uc_stack.ss_size = STACK;
	f->context.uc_link = NULL;
	makecontext(&f->context, fiber_main, 0);
	return f;
}

static __attribute__((noinline)) void resume(fiber *f)
{
	b.running = f;
	if (_setjmp(b.scheduler_at))
		return;
	if (f->entered)
		_longjmp(f->at, 1);
	f->entered = true;
	swapcontext(&b.scheduler, &f->context);
}

static void wait_as(thread_state state, int line)
{
	const unsigned t = b.current;
	b.state[t] = state;
	b.line[t] = line;
	to_scheduler(b.on[t]);
	b.state[t] = RUNNING;
	b.running = b.on[t];
	set_builtins(t);
}

void emu_barrier(int line)
{
	wait_as(AT_BARRIER, line);
}

double emu_shuffle_xor(unsigned mask, double value, int lane_mask, int line)
{
	const unsigned t = b.current, p = b.parity[t] = !b.parity[t];
	if (mask != 0xFFFFFFFFu)
		emu_violate("%s, line %d: a shuffle of mask %#x; only whole warps are allowed", b.kernel->name, line, mask);
	b.slot[p][t] = value;
	wait_as(AT_SHUFFLE, line);
	return b.slot[p][(t & ~31u) | ((t ^ (unsigned)lane_mask) & 31u)];
}

/* All unfinished threads from..to wait in the same place. */
static bool together(unsigned from, unsigned to, thread_state state)
{
	for (unsigned t = from; t < to; t++)
		if (b.state[t] != state || b.line[t] != b.line[from])
			return false;
	return true;
}

static unsigned release(void)
{
	unsigned released = 0;
	for (unsigned w = 0; w < b.n; w += WARP) {
		const unsigned end = w + WARP < b.n ? w + WARP : b.n;
		if (!together(w, end, AT_SHUFFLE))
			continue;
		for (unsigned t = w; t < end; t++, released++)
			b.state[t] = READY;
	}
	if (!released && together(0, b.n, AT_BARRIER))
		for (; released < b.n; released++)
			b.state[released] = READY;
	return released;
}

static void tell_stuck(void)
{
	unsigned at_barrier = 0, at_shuffle = 0;
	for (unsigned t = 0; t < b.n; t++) {
		at_barrier += b.state[t] == AT_BARRIER;
		at_shuffle += b.state[t] == AT_SHUFFLE;
	}
	emu_violate("%s, block %u %u %u: of %u threads %u have ended, %u wait at a barrier and %u at a shuffle, not all in "
	            "one line: on a GPU this hangs or is undefined",
	            b.kernel->name, emu_block_idx.x, emu_block_idx.y, emu_block_idx.z, b.n, b.finished, at_barrier,
	            at_shuffle);
}

/* What a block finds in shared memory. Under AddressSanitizer there are zones between arrays that memset may not touch.
 */
#if defined(__SANITIZE_ADDRESS__)
__attribute__((no_sanitize("address")))
#endif
static void
spoil_shared(void)
{
#if defined(__SANITIZE_ADDRESS__)
	for (volatile char *p = __start_emu_shared; p && p < (volatile char *)__stop_emu_shared; p++)
		*p = (char)0xFF;
#else
	if (__start_emu_shared)
		memset(__start_emu_shared, 0xFF, (size_t)(__stop_emu_shared - __start_emu_shared));
#endif
}

/* Threads that wait for what will not come: each is in the middle of a fiber of its own, which cannot begin anew. */
static void abandon(void)
{
	for (unsigned t = 0; t < b.n; t++)
		if (b.state[t] == AT_BARRIER || b.state[t] == AT_SHUFFLE) {
			munmap(b.on[t]->context.uc_stack.ss_sp, STACK);
			free(b.on[t]);
		}
}

static void run_block(void)
{
	spoil_shared();
	b.started = b.finished = 0;
	emu_permute(b.order, b.n);
	for (unsigned t = 0; t < b.n; t++) {
		b.state[t] = FRESH;
		b.parity[t] = 0;
	}
	while (b.finished < b.n) {
		while (b.started < b.n)
			resume(take_fiber());
		for (unsigned i = 0; i < b.n; i++)
			if (b.state[b.order[i]] == READY)
				resume(b.on[b.order[i]]);
		if (b.finished == b.n)
			break;
		if (!release()) {
			tell_stuck();
			abandon();
			break;
		}
		emu_permute(b.order, b.n);
	}
}

void emu_run_grid(const emu_kernel *k, emu_uint3 grid, emu_uint3 block, const void *args)
{
	const unsigned long blocks = (unsigned long)grid.x * grid.y * grid.z;
	b.kernel = k;
	b.args = args;
	b.n = block.x * block.y * block.z;
	emu_grid_dim = grid;
	emu_block_dim = block;
	unsigned *order = malloc(blocks * sizeof *order);
	if (!order || b.n > MOST_THREADS)
		abort();
	for (unsigned long i = 0; i < blocks; i++)
		order[i] = (unsigned)i;
	emu_permute(order, (unsigned)blocks);
	for (unsigned t = 0; t < b.n; t++)
		b.order[t] = t;
	for (unsigned long i = 0; i < blocks; i++) {
		emu_block_idx = (emu_uint3){ order[i] % grid.x, order[i] / grid.x % grid.y, order[i] / grid.x / grid.y };
		run_block();
	}
	free(order);
}
