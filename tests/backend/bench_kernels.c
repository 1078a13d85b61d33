/* bench_kernels.c - the linear and convolution kernels on one thread beside what other libraries take for the same
 * call, all measured in turn in one run, results compared. The program itself uses none of those libraries; they are
 * measured where configure found them. Usage: bench_kernels [batch [part of a case's text]]. Exit status 1: results
 * differ. */
#include "mmi_build.h"

#include "../rig/kernel_rig.h"
#include "rivals.h"

#include "backend/cpu/kernels.h"
#include "backend/cpu/isa.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONV(op, h, ci, co, k, s, p)                                                  \
	{                                                                                 \
		MMI_OP_##op, 0, h, h, ci, co, k, s, p, false, MM_ACT_NONE, MM_ACT_NONE, false \
	}
#define LINEAR(op, ci, co) CONV(op, 1, ci, co, 1, 1, 0)

/* A transposed convolution is the gradient to x of the convolution named here. */
static const rig_case cases[] = {
	CONV(CONV_BWD_X, 14, 64, 128, 4, 2, 1),
	CONV(CONV, 14, 64, 128, 4, 2, 1),
	CONV(CONV_BWD_W, 14, 64, 128, 4, 2, 1),
	CONV(CONV_BWD_X, 28, 32, 64, 4, 2, 1),
	CONV(CONV, 28, 32, 64, 4, 2, 1),
	CONV(CONV_BWD_W, 28, 32, 64, 4, 2, 1),
	CONV(CONV, 28, 32, 3, 3, 1, 1),
	CONV(CONV_BWD_X, 28, 32, 3, 3, 1, 1),
	CONV(CONV_BWD_W, 28, 32, 3, 3, 1, 1),
	CONV(CONV, 28, 3, 64, 3, 1, 1),
	CONV(CONV_BWD_X, 28, 3, 64, 3, 1, 1),
	CONV(CONV_BWD_W, 28, 3, 64, 3, 1, 1),
	CONV(CONV, 28, 64, 3, 3, 1, 1),
	CONV(CONV_BWD_X, 28, 64, 3, 3, 1, 1),
	CONV(CONV, 28, 64, 64, 3, 1, 1),
	CONV(CONV_BWD_X, 28, 64, 64, 3, 1, 1),
	CONV(CONV_BWD_W, 28, 64, 64, 3, 1, 1),
	CONV(CONV, 28, 320, 64, 3, 1, 1),
	CONV(CONV_BWD_X, 28, 320, 64, 3, 1, 1),
	CONV(CONV_BWD_W, 28, 320, 64, 3, 1, 1),
	CONV(CONV, 14, 64, 64, 3, 1, 1),
	CONV(CONV_BWD_X, 14, 64, 64, 3, 1, 1),
	CONV(CONV, 7, 64, 64, 3, 1, 1),
	CONV(CONV, 14, 320, 64, 1, 1, 0),
	CONV(CONV_BWD_X, 14, 320, 64, 1, 1, 0),
	LINEAR(LINEAR, 32, 6272),
	LINEAR(LINEAR_BWD_X, 32, 6272),
	LINEAR(LINEAR_BWD_W, 32, 6272),
	LINEAR(LINEAR, 512, 512),
	LINEAR(LINEAR_BWD_X, 512, 512),
	LINEAR(LINEAR_BWD_W, 512, 512),
};

/* ------------------------------------------------------------------ contestants */

/* First two of ours, the one that programs use and the next that accepts the call; then the rivals. */
enum { OURS = 2, CONTESTANTS = OURS + RIVALS_OF_ONEDNN + RIVALS_OF_OPENBLAS };

typedef struct contestant {
	rig rig;            /* of ours; `kernel` NULL: no such one */
	const rival *rival; /* of others, with its state; `state` NULL: it has no way to compute this */
	void *state;
	double best; /* seconds */
} contestant;

/* NULL for libraries that configure did not find. */
static const rival *rival_number(int i)
{
#if HAVE_DNNL
	if (i < RIVALS_OF_ONEDNN)
		return &rivals_of_onednn[i];
#endif
#if HAVE_OPENBLAS
	if (i >= RIVALS_OF_ONEDNN)
		return &rivals_of_openblas[i - RIVALS_OF_ONEDNN];
#endif
	(void)i;
	return NULL;
}

static bool competes(const contestant *c)
{
	return c->rig.kernel || c->state;
}

static void make_ours(contestant *ours, const rig_case *c)
{
	int n = 0;
	for (const mmi_kernel *const *k = mmi_cpu_kernels(c->op); *k && n < OURS; k++) {
		rig *r = &ours[n].rig;
		rig_make(r, c, true);
		if ((!(*k)->accepts || (*k)->accepts(&r->x)) && rig_prepare(r, *k))
			n++;
		else
			rig_free(r);
	}
	for (; n < OURS; n++)
		memset(&ours[n].rig, 0, sizeof ours[n].rig);
}

static void make_contestants(contestant all[CONTESTANTS], const rig_case *c)
{
	memset(all, 0, CONTESTANTS * sizeof *all);
	make_ours(all, c);
	for (int i = OURS; i < CONTESTANTS; i++) {
		all[i].rival = rival_number(i - OURS);
		all[i].state = all[i].rival ? all[i].rival->make(&all[0].rig) : NULL;
	}
}

static void free_contestants(contestant all[CONTESTANTS])
{
	for (int i = 0; i < CONTESTANTS; i++) {
		if (all[i].rig.kernel)
			rig_free(&all[i].rig);
		if (all[i].state)
			all[i].rival->destroy(all[i].state);
	}
}

static void run(contestant *c, bool fresh)
{
	if (c->rig.kernel)
		rig_run(&c->rig, fresh);
	else
		c->rival->run(c->state);
}

/* ------------------------------------------------------------------ agreement */

/* The largest difference, in units of the mean sum of absolute products. Inputs are even in -1..1. */
static double difference(const rig *r, const float *a, const float *b)
{
	const double products = rig_flops(r) / 2 / (double)r->out_count;
	double largest = 0;
	for (size_t i = 0; i < r->out_count; i++) {
		const double d = fabs((double)a[i] - (double)b[i]);
		if (!(d <= largest))
			largest = d;
	}
	return largest / (products / 4);
}

/* Between the kernel that programs use and all others. Negative: out of memory. */
static double largest_difference(contestant all[CONTESTANTS])
{
	const rig *r = &all[0].rig;
	float *theirs = mmi_alloc(r->out_count, sizeof *theirs);
	double largest = theirs ? 0 : -1;
	run(&all[0], true);
	for (int i = 1; theirs && i < CONTESTANTS; i++) {
		if (!competes(&all[i]))
			continue;
		run(&all[i], true);
		if (all[i].state)
			all[i].rival->result(all[i].state, theirs);
		const double d = difference(r, r->out, all[i].state ? theirs : all[i].rig.out);
		largest = d <= largest ? largest : d;
	}
	mmi_free(theirs);
	return largest;
}

/* Single precision leaves some 1e-7; Winograd's algorithm, theirs or ours, up to 1.4e-6. */
static bool agree(double difference)
{
	return difference >= 0 && difference <= 2e-5;
}

/* ------------------------------------------------------------------ time */

/* Processor time, of all threads: other programs slow it through the caches only. */
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Best of at least 6 runs and 0.1 s each, taken in turns of 2. */
static void time_all(contestant all[CONTESTANTS])
{
	int n = 0;
	for (int i = 0; i < CONTESTANTS; i++) {
		all[i].best = 1e9;
		n += competes(&all[i]);
	}
	const double start = now();
	for (int round = 0; round < 3 || now() - start < 0.1 * n; round++)
		for (int i = 0; i < 2 * CONTESTANTS; i++) {
			contestant *c = &all[i / 2];
			if (!competes(c))
				continue;
			const double t = now();
			run(c, false);
			const double took = now() - t;
			c->best = took < c->best ? took : c->best;
		}
}

/* ------------------------------------------------------------------ table */

static void print_head(void)
{
	printf("instruction set %s, GFLOP/s of one thread counting padding; ratio: ours / best of the others\n",
	       mmi_isa_get()->name);
	printf("%-36s %-14s %8s %8s", "call", "ours", "", "(next)");
	for (int i = OURS; i < CONTESTANTS; i++)
		printf(" %8s", rival_number(i - OURS) ? rival_number(i - OURS)->name : "");
	printf(" %6s %8s\n", "ratio", "differ");
}

static void print_row(const contestant all[CONTESTANTS], double differ)
{
	const rig *r = &all[0].rig;
	double best_other = 0;
	printf("%-14s", r->kernel->name);
	for (int i = 0; i < CONTESTANTS; i++) {
		const double speed = rig_flops(r) / all[i].best * 1e-9;
		if (competes(&all[i]))
			printf(" %8.1f", speed);
		else
			printf(" %8s", "-");
		if (i >= OURS && competes(&all[i]) && speed > best_other)
			best_other = speed;
	}
	if (best_other > 0)
		printf(" %6.2f", rig_flops(r) / all[0].best * 1e-9 / best_other);
	else
		printf(" %6s", "-");
	printf(" %8.1e%s\n", differ, agree(differ) ? "" : "  RESULTS DIFFER");
	fflush(stdout);
}

static bool measure(const rig_case *c)
{
	char text[128];
	contestant all[CONTESTANTS];
	printf("%-36s ", rig_text(c, text, sizeof text));
	make_contestants(all, c);
	const double differ = largest_difference(all);
	time_all(all);
	print_row(all, differ);
	free_contestants(all);
	return agree(differ);
}

/* The libraries' thread pools read their size when they are loaded; OpenBLAS reads it there too. */
static void ask_for_one_thread(char **argv)
{
	const char *now_set = getenv("OMP_NUM_THREADS");
	if (now_set && strcmp(now_set, "1") == 0)
		return;
	setenv("OMP_NUM_THREADS", "1", 1);
	execvp(argv[0], argv);
}

int main(int argc, char **argv)
{
	ask_for_one_thread(argv);
	const int64_t n = argc > 1 ? strtoll(argv[1], NULL, 10) : 16;
	bool all_agree = true;
	print_head();
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		char text[128];
		rig_case c = cases[i];
		c.n = n > 0 ? n : 16;
		if (argc <= 2 || strstr(rig_text(&c, text, sizeof text), argv[2]))
			all_agree = measure(&c) && all_agree;
	}
	return all_agree ? 0 : 1;
}
