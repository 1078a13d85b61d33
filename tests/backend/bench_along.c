/* bench_along.c - kernels of 1 x k beside square ones on maps of the same size: [1, h h] beside [h, h], the same
 * channels, kernel and stride. Of both the kernel that programs use and the direct one, all measured in turn on one
 * thread; medians of processor time. Multiplications are counted twice: as the direct form has them, and as the kernels
 * in use execute them (Winograd's kernels: of transformed tiles, what is behind a map's end included). A ratio of 1 or
 * more: kernels of one row are no slower per multiplication. Usage: bench_along [batch [milliseconds a row]]. */
#include "mmi_build.h"

#include "../rig/kernel_rig.h"

#include "backend/cpu/isa.h"
#include "backend/cpu/kernels.h"
#include "backend/cpu/winograd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SQUARE, SQUARE_DIRECT, LINE, LINE_DIRECT, CONTESTANTS, MOST = 2000 };

typedef struct contestant {
	rig rig;
	double took[MOST]; /* seconds of each run */
} contestant;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static bool make(contestant *c, const rig_case *square, int which)
{
	rig_case own = *square;
	if (which >= LINE) {
		own.line = true;
		own.h = 1;
		own.w = square->h * square->w;
	}
	rig_make(&c->rig, &own, true);
	const bool direct = which == SQUARE_DIRECT || which == LINE_DIRECT;
	const mmi_kernel *wide = own.op == MMI_OP_CONV_BWD_W ? &mmi_kernel_grad_wide : &mmi_kernel_patch_wide;
	for (const mmi_kernel *const *k = mmi_cpu_kernels(own.op); *k; k++)
		if (direct ? *k == wide : !(*k)->accepts || (*k)->accepts(&c->rig.x))
			return rig_prepare(&c->rig, *k);
	return false;
}

static int64_t parts(int32_t n, int32_t size)
{
	return (n + size - 1) / size;
}

/* Of a square kernel along one axis, where its weights are few enough for the largest tiles. */
static int64_t products(int32_t outputs, int32_t taps)
{
	return mmi_wino_products(outputs, mmi_wino_size(outputs, MMI_WINO_LARGE_TILE) + taps - 1, taps);
}

/* The multiplications that the kernel executes, as a share of those of the direct form; outputs are even in number. */
static double executed(const rig *r)
{
	const int64_t taps = parts(r->c.k, r->c.s), along = r->c.s;
	if (!strncmp(r->kernel->name, "winograd/line", 13))
		return (double)(along * MMI_LINE_POINTS * parts(r->ow, (int32_t)(MMI_LINE_POINTS + 1 - taps))) /
		       (double)(r->c.k * r->ow);
	if (!strncmp(r->kernel->name, "winograd/square", 15))
		return (double)(along * along * products(r->oh, (int32_t)taps) * products(r->ow, (int32_t)taps)) /
		       (double)(r->c.k * r->c.k * r->oh * r->ow);
	return 1;
}

/* In turns, so that what slows the machine slows all. Returns how many runs each had. */
static int time_all(contestant all[CONTESTANTS], double seconds)
{
	const double start = now();
	int n = 0;
	for (; n < 9 || (n < MOST && now() - start < seconds); n++)
		for (int i = 0; i < CONTESTANTS; i++) {
			const double t = now();
			rig_run(&all[i].rig, false);
			all[i].took[n] = now() - t;
		}
	return n;
}

static void print_row(contestant all[CONTESTANTS], int runs)
{
	double speed[CONTESTANTS];
	char text[128];
	for (int i = 0; i < CONTESTANTS; i++) {
		qsort(all[i].took, (size_t)runs, sizeof(double), ascending);
		speed[i] = rig_flops(&all[i].rig) / all[i].took[runs / 2] * 1e-9;
	}
	const double square = executed(&all[SQUARE].rig), line = executed(&all[LINE].rig);
	printf("%-35s %-13s %6.1f %6.1f %5.2f  %-18s %6.1f %6.1f %5.2f  %5.2f %7.2f %8.2f\n",
	       rig_text(&all[SQUARE].rig.c, text, sizeof text), all[SQUARE].rig.kernel->name, speed[SQUARE],
	       speed[SQUARE_DIRECT], square, all[LINE].rig.kernel->name, speed[LINE], speed[LINE_DIRECT], line,
	       speed[LINE] / speed[SQUARE], speed[LINE] / speed[SQUARE_DIRECT],
	       speed[LINE] * line / (speed[SQUARE] * square));
	fflush(stdout);
}

static bool measure(const rig_case *c, double seconds)
{
	contestant *all = calloc(CONTESTANTS, sizeof *all);
	bool made = all != NULL;
	int n = 0;
	for (; made && n < CONTESTANTS; n++)
		made = make(&all[n], c, n);
	if (made)
		print_row(all, time_all(all, seconds));
	for (int i = 0; i < n; i++)
		rig_free(&all[i].rig);
	free(all);
	return made;
}

int main(int argc, char **argv)
{
	static const int32_t shapes[][3] = { { 8, 16, 16 },   { 8, 32, 32 },  { 8, 64, 64 },
		                                 { 8, 128, 128 }, { 16, 16, 32 }, { 16, 64, 64 } };
	static const int32_t kernels[][3] = { { 3, 1, 1 }, { 4, 2, 1 }, { 5, 1, 2 } };
	static const mmi_opcode ops[] = { MMI_OP_CONV, MMI_OP_CONV_BWD_X, MMI_OP_CONV_BWD_W };
	const int64_t n = argc > 1 ? strtoll(argv[1], NULL, 10) : 16;
	const double seconds = argc > 2 ? strtod(argv[2], NULL) / 1000 : 0.3;
	printf(
		"instruction set %s, GFLOP/s of one thread counting direct multiplications and padding; executed: their share\n"
		"that the kernel in use executes; ratios of 1 x k to the square kernel in use, to the direct square one, and "
		"to\n"
		"the one in use per executed multiplication\n"
		"%-35s %-13s %6s %6s %5s  %-18s %6s %6s %5s  %5s %7s %8s\n",
		mmi_isa_get()->name, "square", "in use", "", "direct", "exec", "1 x k: in use", "", "direct", "exec", "ratio",
		"/direct", "executed");
	for (size_t k = 0; k < MMI_COUNT(kernels); k++)
		for (size_t o = 0; o < MMI_COUNT(ops); o++)
			for (size_t i = 0; i < MMI_COUNT(shapes); i++) {
				const int32_t *s = shapes[i];
				const rig_case c = { .op = ops[o],
					                 .n = n > 0 ? n : 16,
					                 .h = s[0],
					                 .w = s[0],
					                 .ci = s[1],
					                 .co = s[2],
					                 .k = kernels[k][0],
					                 .s = kernels[k][1],
					                 .p = kernels[k][2] };
				if (!measure(&c, seconds))
					return 1;
			}
	return 0;
}
