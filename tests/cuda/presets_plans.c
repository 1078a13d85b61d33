/* presets_plans.c - the convolutions of a device's programs, as text. */
#include "mmi_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/conv_plan.h"
#include "presets.h"

static int by_numbers(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(mmi_conv_shape));
}

static char letter(const mmi_conv_shape *s)
{
	if (s->kind != MMI_CONV_FORWARD)
		return s->kind == MMI_CONV_TO_X ? 'x' : 'w';
	return !s->bias ? 'f' : s->relu ? 'r' : 'b';
}

static void print_shape(const mmi_conv_shape *s)
{
	printf("%lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %c\n", (long long)s->n, (long long)s->h,
	       (long long)s->w, (long long)s->in, (long long)s->out, (long long)s->kh, (long long)s->kw, (long long)s->sh,
	       (long long)s->sw, (long long)s->ph, (long long)s->pw, letter(s));
}

void presets_print_plans(const mmi_device *d)
{
	const mmi_conv_plan *first = mmi_cuda_of(d)->plans;
	size_t n = 0;
	for (const mmi_conv_plan *p = first; p; p = p->next)
		n++;
	mmi_conv_shape *all = mmi_alloc(n + 1, sizeof *all);
	n = 0;
	for (const mmi_conv_plan *p = first; p && all; p = p->next)
		all[n++] = p->shape;
	if (all)
		qsort(all, n, sizeof *all, by_numbers);
	for (size_t i = 0; i < n; i++)
		print_shape(&all[i]);
	mmi_free(all);
}
