/* test_sequences.c - a convolution along a sequence is conv2d with a kernel of 1 by k on [1, steps, channels]: it
 * computes what a plain loop does, forward and transposed. */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/params.h"
#include "engine/program.h"
#include "../rig/device_rig.h"

#include <math.h>
#include <mmcore/author.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 3, MOST = 1 << 16 };

typedef struct along {
	int32_t steps, in, out, kernel, stride, pad;
} along;

static const along cases[] = {
	{ 32, 3, 8, 5, 1, 2 },    { 33, 1, 4, 7, 2, 3 }, { 64, 16, 32, 4, 2, 1 },
	{ 128, 32, 32, 3, 1, 1 }, { 7, 2, 3, 7, 1, 0 },
};

typedef struct fixture {
	const mmi_device *device;
	mmi_graph *g;
	mmi_params *params;
	mmi_program *p;
	mm_tensor x, y;
	mm_error e;
	float in[MOST], out[MOST];
} fixture;

static void record(fixture *f, const along *c, bool transposed)
{
	memset(f, 0, sizeof *f);
	f->e.struct_size = sizeof f->e;
	f->device = cpu_device();
	assert_int_equal(mmi_params_create(f->device, "test", &f->params, &f->e), MM_OK);
	assert_int_equal(mmi_graph_create(&f->g, &f->e), MM_OK);
	mmi_graph_scope(f->g, f->params, "a");
	f->x = mmi_input(f->g, "x", mmi_shape(3, 1, (int)c->steps, (int)c->in));
	const mma_net n = { &mmi_graph_ops, f->g };
	f->y = (transposed ? mma_conv_transposed : mma_conv)(&n, f->x, "conv", c->out,
	                                                     mma_along(c->kernel, c->stride, c->pad));
	assert_int_equal(mmi_graph_check(f->g, &f->e), MM_OK);
	assert_int_equal(mmi_params_finalise(f->params, 3, &f->e), MM_OK);
	const mmi_program_spec spec = { .graph = f->g, .device = f->device, .n = ROWS, .outputs = &f->y, .n_outputs = 1 };
	assert_int_equal(mmi_program_create(&spec, &f->p, &f->e), MM_OK);
	for (int32_t i = 0; i < ROWS * c->steps * c->in; i++)
		f->in[i] = (float)mma_chance((uint32_t)i, 1) - 0.5f;
	mmi_program_write(f->p, f->x, ROWS, f->in);
	mmi_program_run(f->p);
	mmi_program_read(f->p, f->y, ROWS, f->out);
}

static void clear(fixture *f)
{
	mmi_program_destroy(f->p);
	mmi_graph_destroy(f->g);
	mmi_params_destroy(f->params);
}

static const float *values(const fixture *f, size_t rank)
{
	for (uint32_t i = 0; i < f->params->n; i++)
		if (f->params->info[i].shape.rank == rank)
			return mmi_params_value(f->params, i).at;
	fail_msg("no tensor of rank %zu", rank);
	return NULL;
}

/* Weights of a convolution are [1, k, in, out], of a transposed one [1, k, out, in]. */
static double plain(const fixture *f, const along *c, bool transposed, int32_t row, int32_t at, int32_t channel)
{
	const float *w = values(f, 4);
	double sum = (double)values(f, 1)[channel];
	for (int32_t t = 0; t < c->steps; t++) {
		const int32_t k = transposed ? at + c->pad - t * c->stride : t - (at * c->stride - c->pad);
		if (k < 0 || k >= c->kernel)
			continue;
		for (int32_t i = 0; i < c->in; i++) {
			const int32_t weight = transposed ? (k * c->out + channel) * c->in + i : (k * c->in + i) * c->out + channel;
			sum += (double)f->in[(row * c->steps + t) * c->in + i] * (double)w[weight];
		}
	}
	return sum;
}

static void compare(const along *c, bool transposed)
{
	static fixture f;
	record(&f, c, transposed);
	const mm_shape s = mmi_graph_ops.shape(f.g, f.y);
	const int32_t steps = transposed ? (c->steps - 1) * c->stride - 2 * c->pad + c->kernel
	                                 : (c->steps + 2 * c->pad - c->kernel) / c->stride + 1;
	assert_int_equal(s.dim[0], 1);
	assert_int_equal(s.dim[1], steps);
	assert_int_equal(s.dim[2], c->out);
	for (int32_t row = 0; row < ROWS; row++)
		for (int32_t t = 0; t < steps; t++)
			for (int32_t k = 0; k < c->out; k++) {
				const double found = (double)f.out[(row * steps + t) * c->out + k];
				const double wanted = plain(&f, c, transposed, row, t, k);
				if (!(fabs(found - wanted) <= 1e-5 * (1 + fabs(wanted))))
					fail_msg("row %d, step %d, channel %d: %g, expected %g", row, t, k, found, wanted);
			}
	clear(&f);
}

static void forward_is_that_of_a_plain_loop(void **state)
{
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++)
		compare(&cases[i], false);
}

static void transposed_is_that_of_a_plain_loop(void **state)
{
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++)
		compare(&cases[i], true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forward_is_that_of_a_plain_loop),
		cmocka_unit_test(transposed_is_that_of_a_plain_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
