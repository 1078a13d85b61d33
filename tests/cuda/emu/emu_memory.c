/* emu_memory.c - the device's memory: one reserved range that is closed (PROT_NONE) except while queued work runs, so
 * that a host that touches it dies at the instruction. Work opens an allocation by touching it: a run has thousands,
 * and most work a few. What is new is NaN; what is freed is never used again; each allocation ends where a closed page
 * begins. */
#define _GNU_SOURCE
#include "emu_internal.h"

#include <cuda_runtime_api.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, MOST_BLOCKS = 65536, MOST_PINNED = 65536, ALIGN = 256 };
#define ARENA ((size_t)1 << 38)

typedef struct block {
	char *at;
	size_t bytes, pages;
	bool open;
} block;

/* Blocks in the order of their addresses, which is that of their making. */
static struct {
	char *base;
	size_t used, left;
	block blocks[MOST_BLOCKS];
	unsigned n;
	block pinned[MOST_PINNED];
	unsigned n_pinned;
	bool limited, open, blank;
	struct sigaction otherwise; /* what an access that is not allowed does */
} memory;

void emu_set_memory(size_t bytes)
{
	memory.limited = true;
	memory.left = bytes;
}

void emu_set_blank(bool blank)
{
	memory.blank = blank;
}

static bool reserve(void)
{
	if (!memory.base)
		memory.base = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return memory.base != MAP_FAILED;
}

bool emu_in_arena(const void *p)
{
	return memory.base && (const char *)p >= memory.base && (const char *)p < memory.base + ARENA;
}

/* The block that begins at or before p, or NULL. */
static block *block_before(const void *p)
{
	unsigned low = 0, high = memory.n;
	while (low < high) {
		const unsigned middle = (low + high) / 2;
		if (memory.blocks[middle].at <= (const char *)p)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &memory.blocks[low - 1] : NULL;
}

static bool holds(const block *b, const void *p, size_t bytes)
{
	return b && (const char *)p >= b->at && (const char *)p + bytes <= b->at + b->bytes;
}

bool emu_is_device(const void *p, size_t bytes)
{
	return holds(block_before(p), p, bytes);
}

bool emu_is_pinned(const void *p, size_t bytes)
{
	for (unsigned i = 0; i < memory.n_pinned; i++)
		if (holds(&memory.pinned[i], p, bytes))
			return true;
	return false;
}

static char *first_page(const block *b)
{
	return (char *)((uintptr_t)b->at & ~(uintptr_t)(PAGE - 1));
}

static void protect(block *b, bool open)
{
	if (b->open != open)
		mprotect(first_page(b), b->pages * PAGE, open ? PROT_READ | PROT_WRITE : PROT_NONE);
	b->open = open;
}

/* Runs while work does. An instruction that comes back with no more allowed than before dies as it would have. */
static void on_fault(int signal_number, siginfo_t *info, void *context)
{
	const char *at = info->si_addr;
	block *b = block_before((const void *)((uintptr_t)at + PAGE)); /* a block begins somewhere in its first page */
	(void)context;
	if (b && !b->open && at >= first_page(b) && at < first_page(b) + b->pages * PAGE)
		protect(b, true);
	else
		sigaction(signal_number, &memory.otherwise, NULL);
}

void emu_open_memory(bool open)
{
	if (memory.open == open)
		return;
	memory.open = open;
	if (open)
		sigaction(SIGSEGV, &(struct sigaction){ .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, &memory.otherwise);
	else
		sigaction(SIGSEGV, &memory.otherwise, NULL);
	for (unsigned i = 0; i < memory.n && !open; i++)
		protect(&memory.blocks[i], false);
}

static bool has_room(size_t bytes, size_t pages)
{
	return bytes && reserve() && memory.n < MOST_BLOCKS && memory.used + (pages + 1) * PAGE <= ARENA &&
	       !(memory.limited && memory.left < bytes);
}

cudaError_t cudaMalloc(void **out, size_t bytes)
{
	if (emu_refuse_in_capture("cudaMalloc"))
		return cudaErrorStreamCaptureUnsupported;
	const size_t padded = (bytes + ALIGN - 1) / ALIGN * ALIGN, pages = (padded + PAGE - 1) / PAGE;
	if (!has_room(bytes, pages))
		return cudaErrorMemoryAllocation;
	emu_enter();
	char *first = memory.base + memory.used;
	block *b = &memory.blocks[memory.n++];
	*b = (block){ first + pages * PAGE - padded, bytes, pages, false };
	memory.used += (pages + 1) * PAGE;
	memory.left -= memory.limited ? bytes : 0;
	protect(b, true);
	if (!memory.blank)
		memset(first, 0xFF, pages * PAGE);
	protect(b, false);
	emu_counter()->allocated++;
	*out = b->at;
	emu_leave();
	return cudaSuccess;
}

cudaError_t cudaFree(void *p)
{
	if (!p)
		return cudaSuccess;
	if (emu_refuse_in_capture("cudaFree"))
		return cudaErrorStreamCaptureUnsupported;
	emu_wait_for_all();
	block *b = block_before(p);
	if (!b || b->at != p) {
		emu_violate("cudaFree of %p, which it did not give out", p);
		return cudaErrorInvalidValue;
	}
	protect(b, false);
	madvise(first_page(b), b->pages * PAGE, MADV_DONTNEED);
	memory.left += memory.limited ? b->bytes : 0;
	memmove(b, b + 1, (size_t)(memory.blocks + memory.n - b - 1) * sizeof *b);
	memory.n--;
	return cudaSuccess;
}

cudaError_t cudaMallocHost(void **out, size_t bytes)
{
	if (emu_refuse_in_capture("cudaMallocHost"))
		return cudaErrorStreamCaptureUnsupported;
	*out = aligned_alloc(ALIGN, (bytes + ALIGN) / ALIGN * ALIGN);
	if (!*out || memory.n_pinned == MOST_PINNED)
		return cudaErrorMemoryAllocation;
	memory.pinned[memory.n_pinned++] = (block){ .at = *out, .bytes = bytes };
	return cudaSuccess;
}

cudaError_t cudaFreeHost(void *p)
{
	if (!p)
		return cudaSuccess;
	if (emu_refuse_in_capture("cudaFreeHost"))
		return cudaErrorStreamCaptureUnsupported;
	emu_wait_for_all();
	for (unsigned i = 0; i < memory.n_pinned; i++)
		if (memory.pinned[i].at == p) {
			memory.pinned[i] = memory.pinned[--memory.n_pinned];
			free(p);
			return cudaSuccess;
		}
	emu_violate("cudaFreeHost of %p, which it did not give out", p);
	return cudaErrorInvalidValue;
}

cudaError_t cudaMemGetInfo(size_t *left, size_t *total)
{
	*total = ARENA;
	*left = memory.limited ? memory.left : ARENA - memory.used;
	return cudaSuccess;
}
