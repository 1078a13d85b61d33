/* test_cuda_ops.c - every operation of the CUDA backend, on the emulated device, against the reference in double: with
 * and without fusion, for odd numbers of samples, with blocks and threads in several orders, from memory that is NaN
 * where nobody wrote; and with maps in bfloat16. */
#include "mmi_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../rig/device_rig.h"
#include "../rig/conv_layer.h"
#include "../rig/ops_cases.h"
#include "cuda_rig.h"
#include "emu.h"
#include "engine/op.h"
#include "engine/plan.h"
#include "engine/program.h"

enum { MAX_OUTPUTS = 64, MAX_VALUES = RIG_MAX_INPUTS + 2 };

/* ------------------------------------------------------------ one case on one device */

typedef struct run {
	rig r;
	int64_t n;
	mmi_program *program;
	mm_tensor outputs[MAX_OUTPUTS];
	uint32_t n_outputs;
	mmi_floats grads; /* flat, of the device */
} run;

static mm_tensor value_id(const rig *r, uint32_t i)
{
	return i < r->n_inputs ? r->inputs[i].id : i == r->n_inputs ? r->r : r->seed;
}

static int64_t count_of(const run *a, mm_tensor x)
{
	return a->n * mmi_shape_count(&mmi_graph_node(a->r.g, x)->shape);
}

static bool is_double(const run *a)
{
	return mmi_program_device(a->program)->backend->element_size == sizeof(double);
}

static void *allocated(size_t n, size_t size)
{
	void *p = mmi_alloc(n + 1, size);
	assert_non_null(p);
	return p;
}

static void list_outputs(run *a)
{
	a->outputs[a->n_outputs++] = a->r.y;
	a->outputs[a->n_outputs++] = a->r.loss;
	for (uint32_t i = 0; i < a->r.n_inputs; i++)
		if (a->r.inputs[i].grad != MMI_NONE)
			a->outputs[a->n_outputs++] = a->r.inputs[i].grad;
	for (uint32_t i = 0; i < a->r.n_param_grads; i++)
		a->outputs[a->n_outputs++] = a->r.param_grads[i];
}

/* How a case is run. */
typedef struct how_run {
	int64_t n;
	bool no_fusion;
	bool inside; /* inputs are rounded to bfloat16, and the operation reads and yields maps of the program */
} how_run;

static void open_run(run *a, const op_case *c, const mmi_device *d, const how_run *h)
{
	mm_error e = MM_ERROR_INIT;
	*a = (run){ .n = h->n };
	if (h->inside)
		rig_open_inside(&a->r, c, d);
	else
		rig_open_on(&a->r, c, d);
	list_outputs(a);
	const mmi_program_spec spec = {
		.graph = a->r.g,
		.device = d,
		.n = h->n,
		.outputs = a->outputs,
		.n_outputs = a->n_outputs,
		.no_fusion = h->no_fusion,
	};
	if (mmi_program_create(&spec, &a->program, &e) != MM_OK)
		fail_msg("%s: %s", c->name, e.message);
	a->grads.at = d->ops->alloc(d, (a->r.store->count + 1) * d->backend->element_size);
	assert_non_null(a->grads.at);
	if (a->r.n_param_grads)
		mmi_program_bind_grads(a->program, a->r.store, a->grads);
}

static void close_run(run *a)
{
	const mmi_device *d = mmi_program_device(a->program);
	mmi_program_destroy(a->program);
	d->ops->release(d, a->grads.at);
	rig_close(&a->r);
}

/* Values of an input in lo..hi; rows of a simplex sum to 1. */
static void fill(float *out, int64_t n, const rig_input *in, uint64_t seed)
{
	const float lo = in ? in->lo : -1, hi = in ? in->hi : 1;
	for (int64_t i = 0; i < n; i++) {
		uint32_t w[4];
		mmi_philox(seed, (const uint32_t[4]){ (uint32_t)i, 0, 0, 0 }, w);
		out[i] = lo + (hi - lo) * ((float)(w[0] >> 8) * 0x1p-24f);
	}
	const int64_t width = in && in->kind == RIG_SIMPLEX ? in->shape.dim[in->shape.rank - 1] : 0;
	for (int64_t at = 0; width && at < n; at += width) {
		float sum = 0;
		for (int64_t i = 0; i < width; i++)
			sum += out[at + i] + 1.01f;
		for (int64_t i = 0; i < width; i++)
			out[at + i] = (out[at + i] + 1.01f) / sum;
	}
}

/* To the nearest number in bfloat16, away from zero at a tie: any will do. */
static void round_all(float *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &x[i], sizeof bits);
		bits = (bits + 0x8000u) & 0xFFFF0000u;
		memcpy(&x[i], &bits, sizeof bits);
	}
}

static void write_value(run *a, mm_tensor x, const float *values)
{
	const int64_t n = count_of(a, x);
	double *wide = allocated((size_t)n, sizeof *wide);
	for (int64_t i = 0; i < n; i++)
		wide[i] = (double)values[i];
	mmi_program_write(a->program, x, a->n, is_double(a) ? (const void *)wide : values);
	mmi_free(wide);
}

/* Both get the same values, and run. */
static void run_both(run *a, run *b, uint64_t seed)
{
	for (uint32_t i = 0; i < a->r.n_inputs + 2; i++) {
		const mm_tensor x = value_id(&a->r, i);
		float *values = allocated((size_t)count_of(a, x), sizeof *values);
		fill(values, count_of(a, x), i < a->r.n_inputs ? &a->r.inputs[i] : NULL, seed + i);
		if (a->r.inside)
			round_all(values, count_of(a, x));
		write_value(a, x, values);
		write_value(b, x, values);
		mmi_free(values);
	}
	run *const all[] = { a, b };
	for (int k = 0; k < 2; k++) {
		const mmi_device *d = mmi_program_device(all[k]->program);
		d->ops->zero(d, all[k]->grads.at, a->r.store->count * d->backend->element_size);
		mmi_program_load_params(all[k]->program);
		mmi_program_run(all[k]->program);
	}
}

/* ------------------------------------------------------------ comparing */

/* floor: what the largest value would be, had sums of many terms not cancelled. */
static void compare(const char *what, const float *found, const double *expected, int64_t n, double floor,
                    double tolerance)
{
	double largest = floor;
	for (int64_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(expected[i]));
	for (int64_t i = 0; i < n; i++)
		if (!(fabs((double)found[i] - expected[i]) <= tolerance * largest))
			fail_msg("%s, element %lld of %lld: %.9g, expected %.9g, largest value %g", what, (long long)i,
			         (long long)n, (double)found[i], expected[i], largest);
}

/* Of networks in bfloat16: where an activation has a kink, rounding turns single gradients over, and the errors of many
 * operations come together: five times as much is allowed. */
static void compare_in_norm(const char *what, const float *found, const double *expected, int64_t n, double floor,
                            double tolerance)
{
	double size = floor * floor * (double)n, error = 0;
	for (int64_t i = 0; i < n; i++) {
		size += expected[i] * expected[i];
		error += pow((double)found[i] - expected[i], 2);
	}
	if (!(sqrt(error) <= 5 * tolerance * sqrt(size)))
		fail_msg("%s: %g off in norm, of %g", what, sqrt(error), sqrt(size));
}

typedef void comparison(const char *what, const float *found, const double *expected, int64_t n, double floor,
                        double tolerance);

static comparison *comparison_of(const op_case *c, const run *found)
{
	const bool network = !strncmp(c->name, "net/", 4) || !strcmp(c->name, "large");
	return network && mmi_program_device(found->program)->backend->narrow ? compare_in_norm : compare;
}

static double largest_y(run *exact)
{
	const int64_t n = count_of(exact, exact->r.y);
	double *y = allocated((size_t)n, sizeof *y), largest = 0;
	mmi_program_read(exact->program, exact->r.y, exact->n, y);
	for (int64_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(y[i]));
	mmi_free(y);
	return largest;
}

static void compare_tensor(const op_case *c, const char *how, run *exact, run *found, mm_tensor x, double tolerance)
{
	const int64_t n = count_of(exact, x);
	double *expected = allocated((size_t)n, sizeof *expected);
	float *values = allocated((size_t)n, sizeof *values);
	char what[128];
	snprintf(what, sizeof what, "%s%s: %s", c->name, how, mmi_ops[mmi_graph_node(exact->r.g, x)->op]->name);
	mmi_program_read(exact->program, x, exact->n, expected);
	mmi_program_read(found->program, x, found->n, values);
	/* The loss is the sum of a sample's y times numbers of either sign. */
	const double terms = (double)mmi_shape_count(&mmi_graph_node(exact->r.g, exact->r.y)->shape);
	comparison_of(c, found)(what, values, expected, n, x == exact->r.loss ? sqrt(terms) * largest_y(exact) : 0,
	                        tolerance);
	mmi_free(expected);
	mmi_free(values);
}

static void compare_grads(const op_case *c, run *exact, run *found, double tolerance)
{
	const mmi_params *p = exact->r.store;
	const mmi_device *d = mmi_program_device(found->program);
	float *values = allocated(p->count, sizeof *values);
	d->ops->download(d, values, found->grads.at, p->count * sizeof *values);
	assert_int_equal(d->ops->wait(d, NULL), MM_OK);
	for (size_t i = 0; i < p->n; i++) {
		char what[192];
		snprintf(what, sizeof what, "%s: gradient to %s", c->name, p->info[i].name);
		comparison_of(c, found)(what, values + p->info[i].offset,
		                        (const double *)(const void *)exact->grads.at + p->info[i].offset,
		                        (int64_t)p->info[i].count, 0, tolerance);
	}
	mmi_free(values);
}

static void compare_with_double(const op_case *c, const mmi_device *d, const how_run *h, double tolerance)
{
	run exact, found;
	open_run(&exact, c, device_of(&mmi_backend_ref64), &(how_run){ .n = h->n, .no_fusion = true, .inside = h->inside });
	open_run(&found, c, d, h);
	for (uint64_t seed = 0; seed < 3; seed++) { /* the third is a replay */
		run_both(&exact, &found, 1000 * seed + (uint64_t)h->n);
		for (uint32_t i = 0; i < exact.n_outputs; i++)
			if (!mmi_ops[mmi_graph_node(exact.r.g, exact.outputs[i])->op]->param_grad)
				compare_tensor(c, h->no_fusion ? " without fusion" : "", &exact, &found, exact.outputs[i], tolerance);
		compare_grads(c, &exact, &found, tolerance);
	}
	close_run(&exact);
	close_run(&found);
}

static void matches_double(void **state)
{
	static const int64_t sizes[] = { 1, 3, 9 };
	for (size_t i = 0; i < MMI_COUNT(sizes); i++)
		for (int no_fusion = 0; no_fusion < 2; no_fusion++) {
			emu_set_order((unsigned)i);
			compare_with_double(*state, cuda_device_poisoned(), &(how_run){ sizes[i], no_fusion, false }, 5e-6);
		}
}

static void matches_double_on_tensor_cores(void **state)
{
	compare_with_double(*state, cuda_device_tf32(), &(how_run){ .n = 3 }, 2e-3);
}

static void matches_double_in_bfloat16(void **state)
{
	static const int64_t sizes[] = { 1, 3, 9 };
	for (size_t i = 0; i < MMI_COUNT(sizes); i++)
		for (int no_fusion = 0; no_fusion < 2; no_fusion++)
			for (int inside = 0; inside < 2; inside++) {
				emu_set_order((unsigned)i);
				compare_with_double(*state, cuda_device_bf16_poisoned(), &(how_run){ sizes[i], no_fusion, inside },
				                    2e-2);
			}
}

/* ------------------------------------------------------------ sizes beyond those of the cases */

static mm_tensor large_graph(rig *r, const op_case *c)
{
	const mm_host_graph *ops = &mmi_graph_ops;
	const mm_conv wide = rig_conv3x3(37, 1);
	const mm_tensor x = rig_input_of(r, c);
	mm_tensor h = ops->activation(r->g, ops->conv2d(r->g, x, "a", &wide), MM_ACT_LEAKY_RELU, 0.2f);
	h = ops->upsample_nearest(r->g, ops->avg_pool(r->g, h, 3, 2, 1, 1), 2);
	h = ops->slice(r->g, ops->reshape(r->g, h, &(mm_shape){ .rank = 1, .dim = { 14 * 12 * 37 } }), 0, 5, 41);
	h = ops->softmax(r->g, ops->linear(r->g, h, "b", 1030, 1, MM_INIT_DEFAULT));
	return ops->sum(r->g, ops->mul(r->g, h, h), 0);
}

/* Several blocks a sample, several tiles of weights, rows of many warps. */
static const op_case large = { "large", large_graph, .x = { 13, 11, 19 } };

static void large_shapes_match_double(void **state)
{
	(void)state;
	compare_with_double(&large, cuda_device_poisoned(), &(how_run){ .n = 5 }, 5e-6);
	compare_with_double(&large, cuda_device_bf16_poisoned(), &(how_run){ .n = 5, .inside = true }, 2e-2);
}

/* ------------------------------------------------------------ the same bits */

static void fill_outputs(const op_case *c, const mmi_device *d, unsigned order, float *out, int64_t *count)
{
	run a;
	emu_set_order(order);
	open_run(&a, c, d, &(how_run){ .n = 5 });
	run_both(&a, &a, 77);
	*count = 0;
	for (uint32_t i = 0; i < 2; i++) {
		mmi_program_read(a.program, a.outputs[i], a.n, out + *count);
		*count += count_of(&a, a.outputs[i]);
	}
	d->ops->download(d, out + *count, a.grads.at, a.r.store->count * sizeof(float));
	assert_int_equal(d->ops->wait(d, NULL), MM_OK);
	*count += (int64_t)a.r.store->count;
	close_run(&a);
}

static void any_order_of_blocks_and_threads_gives_the_same_bits(void **state)
{
	enum { MOST = 200000 };
	float *first = allocated(MOST, sizeof *first), *other = allocated(MOST, sizeof *other);
	int64_t n = 0;
	(void)state;
	const mmi_device *const devices[] = { cuda_device(), cuda_device_bf16() };
	for (size_t i = 0; i < MMI_COUNT(devices); i++) {
		fill_outputs(&large, devices[i], 0, first, &n);
		assert_true(n > 1000 && n < MOST);
		for (unsigned order = 1; order < 4; order++) {
			fill_outputs(&large, devices[i], order, other, &n);
			assert_memory_equal(first, other, (size_t)n * sizeof *first);
		}
	}
	mmi_free(first);
	mmi_free(other);
}

int main(void)
{
	static struct CMUnitTest tests[256];
	static char names[256][96];
	size_t n = 0;
	for (size_t i = 0; i < n_op_cases; i++) {
		snprintf(names[n], sizeof names[n], "%s_matches_double", op_cases[i].name);
		tests[n] = (struct CMUnitTest){ names[n], matches_double, NULL, NULL, (void *)(uintptr_t)&op_cases[i] };
		n++;
		snprintf(names[n], sizeof names[n], "%s_matches_double_in_bfloat16", op_cases[i].name);
		tests[n] =
			(struct CMUnitTest){ names[n], matches_double_in_bfloat16, NULL, NULL, (void *)(uintptr_t)&op_cases[i] };
		n++;
		if (strncmp(op_cases[i].name, "conv", 4) && strncmp(op_cases[i].name, "linear", 6))
			continue;
		snprintf(names[n], sizeof names[n], "%s_matches_double_on_tensor_cores", op_cases[i].name);
		tests[n] = (struct CMUnitTest){ names[n], matches_double_on_tensor_cores, NULL, NULL,
			                            (void *)(uintptr_t)&op_cases[i] };
		n++;
	}
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(large_shapes_match_double);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(any_order_of_blocks_and_threads_gives_the_same_bits);
	return _cmocka_run_group_tests("cuda_ops", tests, n, NULL, NULL);
}
