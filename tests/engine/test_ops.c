/* test_ops.c - every operation three ways: gradients against central differences, the float backends against the double
 * reference, and the double reference against PyTorch. */
#include "mmi_build.h"

#include "../rig/ops_cases.h"
#include "../rig/ops_reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/cpu/isa.h"
#include "engine/program.h"
#include "engine/vec.h"
#include "../rig/device_rig.h"

/* ---------------------------------------------------------------- values and runs */

enum { MAX_VALUES = RIG_MAX_INPUTS + 2 };

/* Values of all inputs (r and seed last), multiples of float32. */
typedef struct values {
	int64_t n;
	double *v[MAX_VALUES];
} values;

static uint32_t n_values(const rig *r)
{
	return r->n_inputs + 2;
}

static mm_tensor value_id(const rig *r, uint32_t i)
{
	return i < r->n_inputs ? r->inputs[i].id : i == r->n_inputs ? r->r : r->seed;
}

static int64_t count_of(const rig *r, mm_tensor x)
{
	return mmi_shape_count(&mmi_graph_node(r->g, x)->shape);
}

static double *new_doubles(int64_t n)
{
	double *d = mmi_alloc((size_t)n, sizeof *d);

	assert_non_null(d);
	return d;
}

static void fill_uniform(double *out, int64_t n, float lo, float hi, const char *case_name, uint32_t which)
{
	const uint64_t key = mmi_rng_key(1, case_name);

	for (int64_t i = 0; i < n; i++) {
		uint32_t w[4];

		mmi_philox(key, (const uint32_t[4]){ (uint32_t)i, which, 0, 0 }, w);
		out[i] = (double)(lo + (hi - lo) * ((float)(w[0] >> 8) * 0x1p-24f));
	}
}

/* Rows that sum to about one. */
static void normalise_rows(double *v, int64_t n, int64_t width)
{
	for (int64_t at = 0; at < n; at += width) {
		double sum = 0;

		for (int64_t i = 0; i < width; i++)
			sum += v[at + i] + 1.01;
		for (int64_t i = 0; i < width; i++)
			v[at + i] = (double)(float)((v[at + i] + 1.01) / sum);
	}
}

static void generate(const rig *r, const op_case *c, int64_t n, values *out)
{
	*out = (values){ .n = n };
	for (uint32_t i = 0; i < n_values(r); i++) {
		const rig_input *in = i < r->n_inputs ? &r->inputs[i] : NULL;
		const int64_t count = n * count_of(r, value_id(r, i));

		out->v[i] = new_doubles(count);
		fill_uniform(out->v[i], count, in ? in->lo : -1, in ? in->hi : 1, c->name, i);
		if (in && in->kind == RIG_SIMPLEX)
			normalise_rows(out->v[i], count, in->shape.dim[in->shape.rank - 1]);
	}
}

static void free_values(values *v)
{
	for (int i = 0; i < MAX_VALUES; i++)
		mmi_free(v->v[i]);
}

static void store_numbers(const mmi_backend *backend, void *to, const double *from, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		if (backend->element_size == sizeof(double))
			((double *)to)[i] = from[i];
		else
			((float *)to)[i] = (float)from[i];
	}
}

static double *load_numbers(const mmi_backend *backend, const void *from, int64_t n)
{
	double *out = new_doubles(n);

	for (int64_t i = 0; i < n; i++)
		out[i] = backend->element_size == sizeof(double) ? ((const double *)from)[i] : (double)((const float *)from)[i];
	return out;
}

static mmi_program *open_program(const rig *r, const mmi_backend *backend, bool no_fusion, const values *v,
                                 const mm_tensor *outputs, uint32_t n_outputs)
{
	mm_error e = MM_ERROR_INIT;
	mmi_program *p = NULL;
	const mmi_program_spec spec = { .graph = r->g,
		                            .device = device_of(backend),
		                            .n = v->n,
		                            .outputs = outputs,
		                            .n_outputs = n_outputs,
		                            .no_fusion = no_fusion };

	if (mmi_program_create(&spec, &p, &e) != MM_OK)
		fail_msg("%s", e.message);
	for (uint32_t i = 0; i < n_values(r); i++) {
		void *to = mmi_program_data(p, value_id(r, i)).at;

		if (to)
			store_numbers(backend, to, v->v[i], v->n * count_of(r, value_id(r, i)));
	}
	return p;
}

/* What one run yields. */
typedef struct result {
	double *y, *loss, *grads[RIG_MAX_INPUTS], *param_grads;
} result;

static void free_result(result *a)
{
	mmi_free(a->y);
	mmi_free(a->loss);
	for (int i = 0; i < RIG_MAX_INPUTS; i++)
		mmi_free(a->grads[i]);
	mmi_free(a->param_grads);
}

static uint32_t list_outputs(const rig *r, mm_tensor *outputs)
{
	uint32_t n = 0;

	outputs[n++] = r->y;
	outputs[n++] = r->loss;
	for (uint32_t i = 0; i < r->n_inputs; i++)
		if (r->inputs[i].grad != MMI_NONE)
			outputs[n++] = r->inputs[i].grad;
	for (uint32_t i = 0; i < r->n_param_grads; i++)
		outputs[n++] = r->param_grads[i];
	return n;
}

static result run(const rig *r, const mmi_backend *backend, bool no_fusion, const values *v)
{
	mm_tensor outputs[64];
	const uint32_t n_outputs = list_outputs(r, outputs);
	mmi_program *p = open_program(r, backend, no_fusion, v, outputs, n_outputs);
	void *grads = mmi_alloc(r->store->count + 1, backend->element_size);
	result a = { 0 };

	assert_non_null(grads);
	if (r->n_param_grads)
		mmi_program_bind_grads(p, r->store, mmi_floats_direct(grads));
	mmi_program_load_params(p);
	mmi_program_run(p);
	a.y = load_numbers(backend, mmi_program_data(p, r->y).at, v->n * count_of(r, r->y));
	a.loss = load_numbers(backend, mmi_program_data(p, r->loss).at, v->n);
	for (uint32_t i = 0; i < r->n_inputs; i++)
		if (r->inputs[i].grad != MMI_NONE)
			a.grads[i] =
				load_numbers(backend, mmi_program_data(p, r->inputs[i].grad).at, v->n * count_of(r, r->inputs[i].id));
	a.param_grads = load_numbers(backend, grads, (int64_t)r->store->count);
	mmi_program_destroy(p);
	mmi_free(grads);
	return a;
}

/* ---------------------------------------------------------------- comparisons */

static double largest(const double *v, int64_t n)
{
	double max = 0;

	for (int64_t i = 0; i < n; i++)
		max = fmax(max, fabs(v[i]));
	return max;
}

/* Fails where found differs by more than `tolerance` times the largest expected value. */
static void compare(const char *what, const double *found, const double *expected, int64_t n, double tolerance)
{
	const double scale = largest(expected, n);

	for (int64_t i = 0; i < n; i++)
		if (!(fabs(found[i] - expected[i]) <= tolerance * scale))
			fail_msg("%s, element %lld: %.17g, expected %.17g, largest value %g, tolerance %g", what, (long long)i,
			         found[i], expected[i], scale, tolerance);
}

static void compare_results(const rig *r, const char *what, const result *found, const result *expected, int64_t n,
                            double tolerance)
{
	char text[160];

	snprintf(text, sizeof text, "%s: output", what);
	compare(text, found->y, expected->y, n * count_of(r, r->y), tolerance);
	for (uint32_t i = 0; i < r->n_inputs; i++) {
		snprintf(text, sizeof text, "%s: gradient to input %s", what, r->inputs[i].name);
		if (r->inputs[i].grad != MMI_NONE)
			compare(text, found->grads[i], expected->grads[i], n * count_of(r, r->inputs[i].id), tolerance);
	}
	for (size_t i = 0; i < r->store->n; i++) {
		const mmi_param_info *info = &r->store->info[i];

		snprintf(text, sizeof text, "%s: gradient to %s", what, info->name);
		compare(text, found->param_grads + info->offset, expected->param_grads + info->offset, (int64_t)info->count,
		        tolerance);
	}
}

/* ---------------------------------------------------------------- gradients against differences */

static double weighted_loss(const rig *r, mmi_program *p, const values *v)
{
	const double *loss = (const void *)mmi_program_data(p, r->loss).at, *seeds = v->v[r->n_inputs + 1];
	double sum = 0;

	mmi_program_run(p);
	for (int64_t s = 0; s < v->n; s++)
		sum += seeds[s] * loss[s];
	return sum;
}

/* Moves some of the entries at `at`, n in all, and compares the slope of the loss. */
static void check_slopes(const rig *r, mmi_program *p, const values *v, const char *what, double *at,
                         const double *grad, int64_t n)
{
	enum { MOST = 60 };
	const double h = 1e-5, scale = largest(grad, n);
	const int64_t stride = n / MOST + 1;

	for (int64_t i = 0; i < n; i += stride) {
		const double before = at[i];

		at[i] = before + h;
		const double up = weighted_loss(r, p, v);
		at[i] = before - h;
		const double down = weighted_loss(r, p, v);
		at[i] = before;
		const double slope = (up - down) / (2 * h);

		if (!(fabs(slope - grad[i]) <= 1e-6 * (fabs(grad[i]) + scale) + 1e-9))
			fail_msg("%s, element %lld: gradient %.12g, difference quotient %.12g", what, (long long)i, grad[i], slope);
	}
}

static void gradients_match_differences(void **state)
{
	const op_case *c = *state;
	rig r;
	values v;

	rig_open(&r, c);
	generate(&r, c, 2, &v);
	result a = run(&r, &mmi_backend_ref64, true, &v);
	mmi_program *p = open_program(&r, &mmi_backend_ref64, true, &v, &r.loss, 1);
	mmi_program_load_params(p);

	for (uint32_t i = 0; i < r.n_inputs; i++)
		if (!r.inputs[i].constant) {
			assert_int_not_equal(r.inputs[i].grad, MMI_NONE);
			check_slopes(&r, p, &v, r.inputs[i].name, (void *)mmi_program_data(p, r.inputs[i].id).at, a.grads[i],
			             2 * count_of(&r, r.inputs[i].id));
		}
	for (size_t i = 0; i < r.store->n; i++) {
		const mmi_param_info *info = &r.store->info[i];

		check_slopes(&r, p, &v, info->name, mmi_program_params(p, r.store) + info->offset, a.param_grads + info->offset,
		             (int64_t)info->count);
	}
	mmi_program_destroy(p);
	free_result(&a);
	free_values(&v);
	rig_close(&r);
}

/* ---------------------------------------------------------------- float backends */

static void compare_backend(const rig *r, const mmi_backend *backend, const char *what, const values *v,
                            const result *expected)
{
	for (int no_fusion = 0; no_fusion < 2; no_fusion++) {
		char text[64];
		result found = run(r, backend, no_fusion, v);

		snprintf(text, sizeof text, "%s%s", what, no_fusion ? " without fusion" : "");
		compare_results(r, text, &found, expected, v->n, 1.5e-5); /* of which Winograd's tiles take 1.1e-5 */
		free_result(&found);
	}
}

static void compare_every_isa(const rig *r, const values *v, const result *expected)
{
	for (const mmi_isa *isa = mmi_isas; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		if (mmi_isa_get() == isa)
			compare_backend(r, &mmi_backend_cpu, isa->name, v, expected);
	}
	unsetenv("MMCORE_ISA");
}

static void float_backends_match_double(void **state)
{
	const op_case *c = *state;
	const int64_t sizes[] = { 1, 3, 9 };
	rig r;

	rig_open(&r, c);
	for (size_t i = 0; i < MMI_COUNT(sizes); i++) {
		values v;

		generate(&r, c, sizes[i], &v);
		result expected = run(&r, &mmi_backend_ref64, true, &v);
		compare_backend(&r, &mmi_backend_ref32, "ref32", &v, &expected);
		compare_every_isa(&r, &v, &expected);
		free_result(&expected);
		free_values(&v);
	}
	rig_close(&r);
}

/* ---------------------------------------------------------------- PyTorch */

static reference torch;

static const reference_record *record(const op_case *c, const char *kind, const char *name, int64_t count)
{
	const reference_record *found = reference_find(&torch, "%s%s%s", c->name, kind, name);

	if (!found)
		fail_msg("%s%s%s is not in ops.bin; run tests/reference/make_ops.py", c->name, kind, name);
	if (found->count != count)
		fail_msg("%s has %lld values, the graph %lld", found->name, (long long)found->count, (long long)count);
	return found;
}

/* "t.conv.weight" is "conv.weight" in the file. */
static const char *short_name(const mmi_param_info *info)
{
	return strchr(info->name, '.') + 1;
}

static void values_of_record(const rig *r, const op_case *c, values *v)
{
	v->n = record(c, "/seed", "", 2)->dim[0];
	for (uint32_t i = 0; i < n_values(r); i++) {
		const int64_t count = v->n * count_of(r, value_id(r, i));
		const char *kind = i < r->n_inputs ? "/in/" : i == r->n_inputs ? "/r" : "/seed";

		v->v[i] = new_doubles(count);
		memcpy(v->v[i], record(c, kind, i < r->n_inputs ? r->inputs[i].name : "", count)->values,
		       (size_t)count * sizeof(double));
	}
	for (size_t i = 0; i < r->store->n; i++) {
		const mmi_param_info *info = &r->store->info[i];
		const double *w = record(c, "/w/", short_name(info), (int64_t)info->count)->values;

		for (size_t k = 0; k < info->count; k++)
			r->store->raw.at[info->offset + k] = (float)w[k];
	}
	mmi_params_update(r->store, 0);
}

static void double_matches_torch(void **state)
{
	const op_case *c = *state;
	const double tolerance = 1e-10;
	rig r;
	values v = { 0 };

	rig_open(&r, c);
	values_of_record(&r, c, &v);
	result a = run(&r, &mmi_backend_ref64, true, &v);
	const int64_t count = v.n * count_of(&r, r.y);

	compare("output", a.y, record(c, "/y", "", count)->values, count, tolerance);
	for (uint32_t i = 0; i < r.n_inputs; i++) {
		const int64_t size = v.n * count_of(&r, r.inputs[i].id);

		if (!r.inputs[i].constant)
			compare(r.inputs[i].name, a.grads[i], record(c, "/gin/", r.inputs[i].name, size)->values, size, tolerance);
	}
	for (size_t i = 0; i < r.store->n; i++) {
		const mmi_param_info *info = &r.store->info[i];
		const int64_t size = (int64_t)info->count;

		compare(info->name, a.param_grads + info->offset, record(c, "/gw/", short_name(info), size)->values, size,
		        tolerance);
	}
	free_result(&a);
	free_values(&v);
	rig_close(&r);
}

static bool is_case(const char *name)
{
	for (size_t i = 0; i < n_op_cases; i++)
		if (strcmp(op_cases[i].name, name) == 0)
			return true;
	return false;
}

/* Every case has one record of seeds. */
static void every_torch_case_is_tested(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < torch.n; i++) {
		char name[sizeof torch.records[i].name];
		char *end = strstr(memcpy(name, torch.records[i].name, sizeof name), "/seed");

		if (!end)
			continue;
		*end = 0;
		n++;
		if (!is_case(name))
			fail_msg("ops.bin has %s, ops_cases.c has no such case", name);
	}
	assert_int_equal(n, n_op_cases);
}

/* Also those that only gradients use: an operation added to opcodes.h needs a case here. */
static void every_operation_is_tested(void **state)
{
	bool used[MMI_OP_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < n_op_cases; i++) {
		rig r;

		rig_open(&r, &op_cases[i]);
		for (size_t k = 0; k < r.g->n; k++)
			used[r.g->nodes[k].op] = true;
		rig_close(&r);
	}
	for (int op = 0; op < MMI_OP_COUNT; op++)
		if (!used[op])
			fail_msg("no case uses operation %d of opcodes.h", op);
}

/* ---------------------------------------------------------------- the list */

static const struct {
	const char *name;
	CMUnitTestFunction function;
} checks[] = {
	{ "gradients match difference quotients", gradients_match_differences },
	{ "float backends match the double reference", float_backends_match_double },
	{ "double reference matches PyTorch", double_matches_torch },
};

int main(void)
{
	struct CMUnitTest tests[3 * 128] = { cmocka_unit_test(every_operation_is_tested),
		                                 cmocka_unit_test(every_torch_case_is_tested) };
	static char names[3 * 128][96];
	size_t n = 2;

	if (!reference_open(&torch) || n_op_cases > 120)
		return 1;
	for (size_t k = 0; k < MMI_COUNT(checks); k++)
		for (size_t i = 0; i < n_op_cases; i++, n++) {
			snprintf(names[n], sizeof names[n], "%s: %s", op_cases[i].name, checks[k].name);
			tests[n] = (struct CMUnitTest){ .name = names[n],
				                            .test_func = checks[k].function,
				                            .initial_state = (void *)(uintptr_t)&op_cases[i] };
		}
	const int failed = _cmocka_run_group_tests("ops", tests, n, NULL, NULL);
	reference_close(&torch);
	return failed;
}
