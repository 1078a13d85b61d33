/* bench_kernels.c - speed of the linear and convolution kernels on one thread: GFLOP/s of processor time for each
 * variant that accepts a shape. Not a test. Usage: bench_kernels [batch [part of a case's text]] */
#include "config.h"

#include "kernel_rig.h"

#include "backend/cpu/conv.h"
#include "backend/cpu/isa.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONV(op, h, ci, co, k, s, p) { MMI_OP_##op, 0, h, h, ci, co, k, s, p, false, MM_ACT_NONE, MM_ACT_NONE }
#define LINEAR(op, ci, co) CONV(op, 1, ci, co, 1, 1, 0)

/* A transposed convolution is the gradient to x of the convolution named here. */
static const rig_case cases[] = {
	CONV(CONV_BWD_X, 14, 64, 128, 4, 2, 1), CONV(CONV, 14, 64, 128, 4, 2, 1), CONV(CONV_BWD_W, 14, 64, 128, 4, 2, 1),
	CONV(CONV_BWD_X, 28, 32, 64, 4, 2, 1), CONV(CONV, 28, 32, 64, 4, 2, 1), CONV(CONV_BWD_W, 28, 32, 64, 4, 2, 1),
	CONV(CONV, 28, 32, 3, 3, 1, 1), CONV(CONV_BWD_X, 28, 32, 3, 3, 1, 1), CONV(CONV_BWD_W, 28, 32, 3, 3, 1, 1),
	CONV(CONV, 28, 3, 64, 3, 1, 1), CONV(CONV_BWD_X, 28, 3, 64, 3, 1, 1), CONV(CONV_BWD_W, 28, 3, 64, 3, 1, 1),
	CONV(CONV, 28, 64, 3, 3, 1, 1), CONV(CONV_BWD_X, 28, 64, 3, 3, 1, 1),
	CONV(CONV, 28, 64, 64, 3, 1, 1), CONV(CONV_BWD_X, 28, 64, 64, 3, 1, 1), CONV(CONV_BWD_W, 28, 64, 64, 3, 1, 1),
	CONV(CONV, 28, 320, 64, 3, 1, 1), CONV(CONV_BWD_X, 28, 320, 64, 3, 1, 1), CONV(CONV_BWD_W, 28, 320, 64, 3, 1, 1),
	CONV(CONV, 14, 64, 64, 3, 1, 1), CONV(CONV_BWD_X, 14, 64, 64, 3, 1, 1), CONV(CONV, 7, 64, 64, 3, 1, 1),
	CONV(CONV, 14, 320, 64, 1, 1, 0), CONV(CONV_BWD_X, 14, 320, 64, 1, 1, 0),
	LINEAR(LINEAR, 32, 6272), LINEAR(LINEAR_BWD_X, 32, 6272), LINEAR(LINEAR_BWD_W, 32, 6272),
	LINEAR(LINEAR, 512, 512), LINEAR(LINEAR_BWD_X, 512, 512), LINEAR(LINEAR_BWD_W, 512, 512),
};

/* Processor time: other programs slow it through the caches only. */
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Best of at least 5 runs and 0.15 s. */
static double seconds_per_run(rig *r)
{
	double best = 1e9;
	const double start = now();
	for (int i = 0; i < 5 || now() - start < 0.15; i++) {
		const double t = now();
		rig_run(r, false);
		const double took = now() - t;
		best = took < best ? took : best;
	}
	return best;
}

static void measure(const rig_case *c)
{
	char text[128];
	printf("%-54s", rig_text(c, text, sizeof text));
	for (const mmi_kernel *const *k = mmi_cpu_conv_kernels(c->op); *k; k++) {
		rig r;
		rig_make(&r, c, true);
		if ((!(*k)->accepts || (*k)->accepts(&r.x)) && rig_prepare(&r, *k)) {
			const double s = seconds_per_run(&r);
			printf("  %s %6.1f (%.3f ms)", (*k)->name, rig_flops(&r) / s * 1e-9, s * 1e3);
		}
		rig_free(&r);
	}
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const int64_t n = argc > 1 ? strtoll(argv[1], NULL, 10) : 16;
	printf("instruction set %s, GFLOP/s counting padding\n", mmi_cpu_isa_name(mmi_cpu_isa()));
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		char text[128];
		rig_case c = cases[i];
		c.n = n > 0 ? n : 16;
		if (argc <= 2 || strstr(rig_text(&c, text, sizeof text), argv[2]))
			measure(&c);
	}
	return 0;
}
