/* emu_block.c - one block of a launch: its threads are fibers, started only when one of them waits.
 *
 * Threads run one after the other on one fiber as long as none waits; a thread that meets a barrier keeps its fiber,
 * and goes over to a fiber for the threads not yet started, or to that of the next one that may go on. So kernels
 * without barriers cost a function call a thread, and others one change of the stack a wait. */
#define _GNU_SOURCE
#include "emu_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MOST_THREADS = 1024, STACK = 64 * 1024, WARP = 32 };

/* ------------------------------------------------------------ stacks */

/* swapcontext asks the kernel for the signal mask at each change, which is most of the time of a block that waits. */
#if defined(__x86_64__)
typedef void *place; /* the top of a stack that holds the registers a call keeps */

void emu_change_stack(place *from, const place *to);
__asm__(".text\n.globl emu_change_stack\n.hidden emu_change_stack\n.type emu_change_stack, @function\n"
        "emu_change_stack:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, (%rdi)\nmov (%rsi), %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\n"
        "ret\n.size emu_change_stack, .-emu_change_stack");

/* The registers, and the frames of the calls that led there. */
static void bring_near(const place *at)
{
	for (int line = 0; line < 4; line++)
		__builtin_prefetch((const char *)*at + 64 * line, 1);
}

/* Six registers, then where to go; a function begins where its stack is 8 below a multiple of 16. */
static void make_place(place *at, char *stack, void (*entry)(void))
{
	void **top = (void **)(void *)(stack + STACK) - 8;
	memset(top, 0, 8 * sizeof *top);
	top[6] = (void *)(uintptr_t)entry;
	*at = top;
}
#else
#include <ucontext.h>
typedef ucontext_t place;

static void emu_change_stack(place *from, const place *to)
{
	swapcontext(from, to);
}

static void bring_near(const place *at)
{
	(void)at;
}

static void make_place(place *at, char *stack, void (*entry)(void))
{
	getcontext(at);
	at->uc_stack.ss_sp = stack;
	at->uc_stack.ss_size = STACK;
	at->uc_link = NULL;
	makecontext(at, entry, 0);
}
#endif

/* ------------------------------------------------------------ threads */

emu_uint3 emu_thread_idx, emu_block_idx, emu_block_dim, emu_grid_dim;
extern char __start_emu_shared[] __attribute__((weak)), __stop_emu_shared[] __attribute__((weak));

typedef struct fiber {
	place at; /* where it left off */
	char *stack;
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
	unsigned current, turn; /* the thread that runs; how many of order have had their turn since the last release */
	fiber *running, *free, scheduler;
	double slot[2][MOST_THREADS];
	unsigned char parity[MOST_THREADS];
} b;

static void set_builtins(unsigned t)
{
	b.current = t;
	emu_thread_idx = (emu_uint3){ t % emu_block_dim.x, t / emu_block_dim.x % emu_block_dim.y,
		                          t / emu_block_dim.x / emu_block_dim.y };
}

static void fiber_main(void);

static fiber *take_fiber(void)
{
	fiber *f = b.free;
	if (f) {
		b.free = f->next_free;
		if (b.free)
			bring_near(&b.free->at);
		return f;
	}
	f = calloc(1, sizeof *f);
	if (!f || (f->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		abort();
	mprotect(f->stack, 4096, PROT_NONE);
	make_place(&f->at, f->stack, fiber_main);
	return f;
}

/* The fiber that has work: for threads not yet started, of the next thread that may go on, or the scheduler. */
static fiber *next_fiber(void)
{
	if (b.started < b.n)
		return take_fiber();
	while (b.turn < b.n) {
		const unsigned t = b.order[b.turn++];
		if (b.turn + 1 < b.n)
			bring_near(&b.on[b.order[b.turn + 1]]->at); /* stacks of a block do not fit in the first cache */
		if (b.state[t] == READY)
			return b.on[t];
	}
	return &b.scheduler;
}

static void go_over(fiber *to)
{
	fiber *from = b.running;
	b.running = to;
	if (to != from)
		emu_change_stack(&from->at, &to->at);
}

/* Runs threads that have not been started. */
static void fiber_main(void)
{
	for (;;) {
		fiber *self = b.running;
		while (b.started < b.n) {
			const unsigned t = b.order[b.started++];
			b.state[t] = RUNNING;
			b.on[t] = self;
			set_builtins(t);
			b.kernel->call(b.args);
			b.state[b.current] = FINISHED;
			b.finished++;
		}
		self->next_free = b.free;
		b.free = self;
		go_over(next_fiber()); /* comes back when taken from the free list */
	}
}

static void wait_as(thread_state state, int line)
{
	const unsigned t = b.current;
	b.state[t] = state;
	b.line[t] = line;
	go_over(next_fiber());
	b.state[t] = RUNNING;
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
			munmap(b.on[t]->stack, STACK);
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
	b.running = &b.scheduler;
	b.turn = b.n;
	for (go_over(next_fiber()); b.finished < b.n; go_over(next_fiber())) {
		if (!release()) {
			tell_stuck();
			abandon();
			break;
		}
		emu_permute(b.order, b.n);
		b.turn = 0;
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
