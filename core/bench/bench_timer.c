/* bench_timer.c - wall and processor time of repeated work, and the process's memory. */
#include "mmi_build.h"

#include "bench/bench_timer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static double clock_seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Sorts the values. */
static double median(double *x, uint32_t n)
{
	qsort(x, n, sizeof *x, by_size);
	return 0.5 * (x[n / 2] + x[(n - 1) / 2]);
}

/* A line "VmRSS:   123 kB" of /proc/self/status, in bytes; 0 where there is none. */
static double status_bytes(const char *key)
{
	char line[128];
	double bytes = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, key, strlen(key)))
			bytes = 1024 * strtod(line + strlen(key) + 1, NULL);
	if (f)
		fclose(f);
	return bytes;
}

void mmi_bench_reset_peak(void)
{
#ifdef __GLIBC__
	malloc_trim(0); /* what earlier work has freed is not this one's */
#endif
	FILE *f = fopen("/proc/self/clear_refs", "w");
	if (!f)
		return;
	fputs("5", f);
	fclose(f);
}

mm_status mmi_bench_time(const char *name, uint32_t repeats, mmi_bench_task *task, void *ctx, mmi_bench_figure *out,
                         mm_error *e)
{
	double *wall = mmi_alloc(repeats, sizeof *wall), *cpu = mmi_alloc(repeats, sizeof *cpu);
	mm_status status = wall && cpu ? task(ctx, e) : mmi_fail(e, MM_ENOMEM, "out of memory for %u times", repeats);
	for (uint32_t i = 0; i < repeats && status == MM_OK; i++) {
		double wall_before = clock_seconds(CLOCK_MONOTONIC), cpu_before = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
		status = task(ctx, e);
		wall[i] = clock_seconds(CLOCK_MONOTONIC) - wall_before;
		cpu[i] = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
	}
	if (status == MM_OK) {
		*out = (mmi_bench_figure){ .name = name,
			                       .repeats = repeats,
			                       .median = median(wall, repeats),
			                       .best = wall[0],
			                       .cpu = median(cpu, repeats),
			                       .resident = status_bytes("VmRSS"),
			                       .peak = status_bytes("VmHWM") };
	}
	mmi_free(wall);
	mmi_free(cpu);
	return status;
}
