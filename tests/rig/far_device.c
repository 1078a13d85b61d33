/* far_device.c - the host's kernels and rows behind a closed door. */
#define _GNU_SOURCE
#include "far_device.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/cpu/device.h"
#include "engine/row_ops.h"

enum { LINE = 64, PAGE = 65536 };

static struct {
	char *memory;
	size_t size, used, open; /* bytes; open: how deep inside the device */
	mmi_device host, device;
	far_counts counts;
	bool broken;
} far;

/* ---------------------------------------------------------------- the door */

static void set_door(int protection)
{
	const size_t bytes = (far.used + PAGE - 1) / PAGE * PAGE;
	if (bytes && mprotect(far.memory, bytes, protection))
		fail_msg("mprotect of %zu bytes fails", bytes);
}

static void enter(void)
{
	if (!far.open++)
		set_door(PROT_READ | PROT_WRITE);
}

static void leave(void)
{
	if (!--far.open)
		set_door(PROT_NONE);
}

/* ---------------------------------------------------------------- memory and order */

static void *far_alloc(const mmi_device *d, size_t bytes)
{
	(void)d;
	if (far.size - far.used < bytes + PAGE)
		return NULL;
	enter();
	char *at = far.memory + far.used;
	far.used += (bytes + LINE - 1) / LINE * LINE;
	set_door(PROT_READ | PROT_WRITE); /* what is new as well */
	leave();
	return at;
}

static void far_release(const mmi_device *d, void *p)
{
	(void)d;
	(void)p; /* all goes when the test ends */
}

static void *staging(const mmi_device *d, size_t bytes)
{
	(void)d;
	return mmi_alloc(bytes, 1);
}

static void release_staging(const mmi_device *d, void *p)
{
	(void)d;
	mmi_free(p);
}

static bool inside(const void *p)
{
	return (const char *)p >= far.memory && (const char *)p < far.memory + far.used;
}

static void move(void *to, const void *from, size_t bytes)
{
	enter();
	if (bytes)
		memcpy(to, from, bytes);
	leave();
}

static void far_upload(const mmi_device *d, void *to, const void *host, size_t bytes)
{
	(void)d;
	assert_true(!bytes || (inside(to) && !inside(host)));
	far.counts.uploads++;
	move(to, host, bytes);
}

static void far_download(const mmi_device *d, void *host, const void *from, size_t bytes)
{
	(void)d;
	assert_true(!bytes || (inside(from) && !inside(host)));
	far.counts.downloads++;
	move(host, from, bytes);
}

static void far_copy(const mmi_device *d, void *to, const void *from, size_t bytes)
{
	(void)d;
	assert_true(!bytes || (inside(from) && inside(to)));
	if (to != from)
		move(to, from, bytes);
}

static void far_zero(const mmi_device *d, void *to, size_t bytes)
{
	(void)d;
	enter();
	memset(to, 0, bytes);
	leave();
}

static mm_status far_wait(const mmi_device *d, mm_error *e)
{
	(void)d;
	far.counts.waits++;
	return far.broken ? mmi_fail(e, MM_EIO, "the far device has failed") : MM_OK;
}

static void far_sequence(const mmi_device *d, const void *owner, uint64_t key, void (*work)(void *ctx), void *ctx)
{
	(void)d, (void)owner, (void)key;
	enter();
	work(ctx);
	leave();
}

static const mmi_device_ops far_ops = {
	.name = "far",
	.alloc = far_alloc,
	.release = far_release,
	.alloc_staging = staging,
	.release_staging = release_staging,
	.upload = far_upload,
	.download = far_download,
	.copy = far_copy,
	.zero = far_zero,
	.wait = far_wait,
	.sequence = far_sequence,
};

/* ---------------------------------------------------------------- kernels */

static mm_status prepare(mmi_exec *x, mm_error *e)
{
	const mmi_kernel *k = far.host.backend->select(x);
	enter();
	mm_status status = k->prepare ? k->prepare(x, e) : MM_OK;
	leave();
	return status;
}

static void run(mmi_exec *x)
{
	for (uint32_t i = 0; i < x->n_in; i++)
		assert_true(inside(x->in[i]));
	assert_true(inside(x->out) && (!x->mask || inside(x->mask)));
	enter();
	far.host.backend->select(x)->run(x);
	leave();
}

static void release(mmi_exec *x)
{
	const mmi_kernel *k = far.host.backend->select(x);
	if (k->release)
		k->release(x);
}

#define KERNEL(f)                                                                       \
	{                                                                                   \
		.name = "far", .flags = (f), .prepare = prepare, .run = run, .release = release \
	}

static const mmi_kernel *select_kernel(const mmi_exec *x)
{
	enum { FUSED = MMI_KERNEL_INPLACE | MMI_KERNEL_ACT | MMI_KERNEL_MASK };
	static const mmi_kernel kernels[FUSED + 1] = { KERNEL(0), KERNEL(1), KERNEL(2), KERNEL(3),
		                                           KERNEL(4), KERNEL(5), KERNEL(6), KERNEL(7) };
	const mmi_kernel *k = far.host.backend->select(x);
	return k ? &kernels[k->flags & FUSED] : NULL;
}

static const mmi_backend far_backend = { .name = "far", .element_size = sizeof(float), .select = select_kernel };

/* ---------------------------------------------------------------- rows */

#define ROWS(name, parameters, ...)       \
	static void far_##name parameters     \
	{                                     \
		enter();                          \
		far.host.rows->name(__VA_ARGS__); \
		leave();                          \
	}

static void far_draw(const mmi_device *d, const mmi_draw *a)
{
	assert_true(inside(a->out.at));
	enter();
	far.host.rows->draw(d, a);
	leave();
}

ROWS(place, (const mmi_device *d, const mmi_placing *a), d, a)
ROWS(mix, (const mmi_device *d, const mmi_mix *a), d, a)
ROWS(choose, (const mmi_device *d, const mmi_choice *a), d, a)
ROWS(pick, (const mmi_device *d, const mmi_pick *a), d, a)
ROWS(sums, (const mmi_device *d, mmi_floats x, mmi_floats factor, size_t n, mmi_doubles out), d, x, factor, n, out)
ROWS(sum_squares, (const mmi_device *d, mmi_floats x, size_t n, mmi_doubles out), d, x, n, out)
ROWS(total, (const mmi_device *d, mmi_doubles parts, uint32_t count, uint32_t n, mmi_doubles out), d, parts, count, n,
     out)
ROWS(add, (const mmi_device *d, mmi_floats x, mmi_floats y, size_t n), d, x, y, n)
ROWS(exchange, (const mmi_device *d, mmi_floats a, mmi_floats b, size_t n), d, a, b, n)
ROWS(simplex, (const mmi_device *d, mmi_floats x, size_t runs, size_t n), d, x, runs, n)
ROWS(chain_start, (const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r), d, c, r)
static void far_chain_move(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r, uint32_t step)
{
	assert_true(inside(r->sums.at));
	for (uint32_t i = 0; i < c->n_states; i++)
		assert_true(inside(r->state[i].at) && (!r->start[i].at || inside(r->start[i].at)) &&
		            (!r->held[i].at || inside(r->held[i].at)));
	enter();
	far.host.rows->chain_move(d, c, r, step);
	leave();
}

ROWS(chain_end, (const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r), d, c, r)
ROWS(seeds, (const mmi_device *d, const mmi_seeds *a), d, a)
ROWS(swap_factors, (const mmi_device *d, const mmi_swap_factors *a), d, a)
ROWS(contrast, (const mmi_device *d, const mmi_contrast *a), d, a)
ROWS(rank, (const mmi_device *d, const mmi_rank *a), d, a)
ROWS(weights, (const mmi_device *d, const mmi_weights *a), d, a)
ROWS(prior, (const mmi_device *d, const mmi_prior_sums *a), d, a)
ROWS(guard, (const mmi_device *d, const mmi_guard *a), d, a)
ROWS(gap, (const mmi_device *d, const mmi_gap *a), d, a)
ROWS(norm, (const mmi_device *d, const mmi_norm *a), d, a)
ROWS(adam, (const mmi_device *d, const mmi_adam_rows *a), d, a)
ROWS(check, (const mmi_device *d, mmi_floats x, size_t n, mmi_words broken), d, x, n, broken)
ROWS(spectral, (const mmi_device *d, const mmi_spectral *a, int iterations), d, a, iterations)
ROWS(spectral_grad, (const mmi_device *d, const mmi_spectral *a, mmi_floats grad), d, a, grad)

static const mmi_row_ops far_rows = {
	.draw = far_draw,
	.place = far_place,
	.mix = far_mix,
	.choose = far_choose,
	.pick = far_pick,
	.sums = far_sums,
	.sum_squares = far_sum_squares,
	.total = far_total,
	.add = far_add,
	.exchange = far_exchange,
	.simplex = far_simplex,
	.chain_start = far_chain_start,
	.chain_move = far_chain_move,
	.chain_end = far_chain_end,
	.seeds = far_seeds,
	.swap_factors = far_swap_factors,
	.contrast = far_contrast,
	.rank = far_rank,
	.weights = far_weights,
	.prior = far_prior,
	.guard = far_guard,
	.gap = far_gap,
	.norm = far_norm,
	.adam = far_adam,
	.check = far_check,
	.spectral = far_spectral,
	.spectral_grad = far_spectral_grad,
};

/* ---------------------------------------------------------------- life */

const mmi_device *far_device(void)
{
	if (far.memory)
		munmap(far.memory, far.size);
	far.size = (size_t)1 << 30;
	far.used = far.open = 0;
	far.counts = (far_counts){ 0 };
	far.broken = false;
	far.memory = mmap(NULL, far.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (far.memory == MAP_FAILED)
		fail_msg("mmap fails");
	far.host = far.device = mmi_cpu_device();
	far.device.ops = &far_ops;
	far.device.backend = &far_backend;
	far.device.rows = &far_rows;
	return &far.device;
}

far_counts far_counted(void)
{
	return far.counts;
}

void far_break(void)
{
	far.broken = true;
}
