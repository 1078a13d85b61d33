/* memory.c - the allocator, and what the machine can hold. */
#include "mmi_build.h"

#include "base/cgroup.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The number behind "\nNAME" in lines of names and numbers; NAN where there is none. */
static double number_of(const char *text, const char *name)
{
	const size_t length = strlen(name);
	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, length))
			return strtod(at + length, NULL);
	}
	return NAN;
}

static double number_in(const char *folder, const char *name)
{
	char text[64], *end;
	if (!mmi_cgroup_read(folder, name, text, sizeof text))
		return INFINITY;
	const double x = strtod(text, &end);
	return end == text ? INFINITY : x; /* "max" */
}

/* What is left of a group's limit, the pages of files that it could give back counted as left. */
static double left_of(const char *folder, const char *limit, const char *usage, const char *inactive,
                      const char *active)
{
	char stat[4096] = "";
	const double most = number_in(folder, limit), used = number_in(folder, usage);
	if (!isfinite(most) || !isfinite(used))
		return INFINITY;
	mmi_cgroup_read(folder, "memory.stat", stat, sizeof stat);
	const double cached = number_of(stat, inactive) + number_of(stat, active);
	return fmax(0, most - used + (isnan(cached) ? 0 : fmin(cached, used)));
}

static double left_by_v1(const char *folder)
{
	return left_of(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ",
	               "total_active_file ");
}

static double left_by_v2(const char *folder)
{
	return left_of(folder, "memory.max", "memory.current", "inactive_file ", "active_file ");
}

double mmi_memory_left(const char *machine, const char *groups, const char *self)
{
	char text[4096] = "";
	mmi_cgroup_read("", machine, text, sizeof text);
	const double available = 1024 * number_of(text, "MemAvailable:"), swap = 1024 * number_of(text, "SwapFree:");
	const double granted = mmi_cgroup_least(groups, self, "memory", left_by_v1, left_by_v2);
	return fmin(isnan(available) ? INFINITY : available, granted) + (isnan(swap) ? 0 : swap);
}

/* Linux promises memory that it has not, and ends the program that fills it. What there is not, beside all that was
 * filled before, is refused. Short blocks are not worth the question. */
static bool beyond_the_machine(size_t bytes)
{
	enum { SHORT = 1 << 24 };
	return bytes >= SHORT && (double)bytes > mmi_memory_left("/proc/meminfo", "/sys/fs/cgroup", "/proc/self/cgroup");
}

/* All of it is about to be written: its pages are asked for in one call, not by a fault each. A kernel before
 * Linux 5.14 does not know how, which is no harm. */
static void populate(void *block, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
	enum { PAGES = 1 << 16, WORTH = 4 * PAGES }; /* whole pages of any size there is */
	const uintptr_t begin = ((uintptr_t)block + PAGES - 1) / PAGES * PAGES,
					end = ((uintptr_t)block + bytes) / PAGES * PAGES;
	const int before = errno;
	if (bytes >= WORTH)
		madvise((void *)begin, end - begin, MADV_POPULATE_WRITE);
	errno = before;
#else
	(void)block, (void)bytes;
#endif
}

/* Long arrays in large pages, where the system has them to give: kernels that stride through them would otherwise wait
 * for addresses to be looked up. */
static void *take(size_t bytes)
{
	enum { LARGE_PAGE = 1 << 21 };
	if (bytes < LARGE_PAGE)
		return aligned_alloc(64, bytes);
	void *block = aligned_alloc(LARGE_PAGE, (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE); /* as C11 wants it */
#ifdef MADV_HUGEPAGE
	if (block)
		madvise(block, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
#endif
	return block;
}

void *mmi_promise(size_t bytes)
{
	return bytes > SIZE_MAX - 64 || beyond_the_machine(bytes) ? NULL : take((bytes + 63) / 64 * 64);
}

void *mmi_alloc(size_t n, size_t size)
{
	if (size && n > (SIZE_MAX - 64) / size)
		return NULL;
	size_t bytes = (n * size + 63) / 64 * 64;
	if (beyond_the_machine(bytes))
		return NULL;
	bytes = bytes ? bytes : 64;
	void *block = take(bytes);
	if (block) {
		populate(block, bytes);
		memset(block, 0, bytes);
	}
	return block;
}

void *mmi_grow(void *block, size_t old_n, size_t new_n, size_t size)
{
	void *grown = mmi_alloc(new_n, size);
	if (!grown)
		return NULL;
	if (block)
		memcpy(grown, block, (old_n < new_n ? old_n : new_n) * size);
	mmi_free(block);
	return grown;
}

void mmi_free(void *block)
{
	free(block);
}
