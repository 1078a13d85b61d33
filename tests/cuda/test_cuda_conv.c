/* test_cuda_conv.c - what libraries would punish only now and then, planted: a workspace that is too small or shared
 * with data, tensors that are unaligned or not the device's, engines and algorithms that are not deterministic. */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backend/cuda/conv_graph.h"
#include "cuda_rig.h"
#include "emu.h"

enum { PLENTY = 4096 /* bytes of any tensor here */ };

static const mmi_conv_shape shape = {
	.n = 1, .h = 4, .w = 4, .in = 4, .oh = 4, .ow = 4, .out = 4, .kh = 3, .kw = 3, .sh = 1, .sw = 1, .ph = 1, .pw = 1
};

static mmi_cuda *device(void)
{
	return mmi_cuda_of(cuda_device());
}

static char *memory(size_t bytes)
{
	char *p = cuda_device()->ops->alloc(cuda_device(), bytes);
	assert_non_null(p);
	return p;
}

static mmi_conv_plan *plan_within(int64_t workspace, mm_status expected)
{
	const mmi_conv_query q = { .handle = device()->cudnn, .workspace = workspace };
	mmi_conv_plan *plan = NULL;
	mm_error e = MM_ERROR_INIT;
	assert_int_equal(mmi_conv_plan_make(&q, &shape, &plan, &e), expected);
	return plan;
}

/* What the device tells of one run; NULL: nothing. */
static const char *told(const mmi_conv_tensors *at, void *workspace)
{
	mmi_conv_plan *plan = plan_within(PLENTY, MM_OK);
	mmi_conv_binding binding = { .pack = NULL };
	mmi_cuda c = *device(); /* what fails here is not kept */
	emu_expect_violations(true);
	mmi_conv_run(&c, plan, &binding, at, workspace);
	const char *violation = emu_violation();
	emu_expect_violations(false);
	mmi_conv_unbind(&binding);
	mmi_conv_plans_destroy(plan);
	return violation;
}

static void a_run_with_all_it_needs_is_not_told(void **state)
{
	(void)state;
	assert_null(told(&(mmi_conv_tensors){ memory(PLENTY), memory(PLENTY), memory(PLENTY), NULL }, memory(PLENTY)));
}

static void a_workspace_that_is_too_small_is_told(void **state)
{
	(void)state;
	const char *text = told(&(mmi_conv_tensors){ memory(PLENTY), memory(PLENTY), memory(PLENTY), NULL }, memory(16));
	assert_non_null(text);
	assert_non_null(strstr(text, "workspace"));
}

static void no_plan_is_made_beyond_the_workspace_allowed(void **state)
{
	(void)state;
	plan_within(10, MM_EUNSUPPORTED);
}

static void tensors_that_are_unaligned_too_small_or_elsewhere_are_told(void **state)
{
	static _Alignas(16) char host[PLENTY];
	char *w = memory(PLENTY), *y = memory(PLENTY), *space = memory(PLENTY);
	const void *const wrong[] = { memory(PLENTY) + 4, memory(64), host };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		const char *text = told(&(mmi_conv_tensors){ wrong[i], w, y, NULL }, space);
		assert_non_null(text);
		assert_non_null(strstr(text, "tensor 'x'"));
	}
}

/* The workspace is overwritten to its last byte: what shares it is lost. */
static void a_workspace_that_is_shared_with_data_spoils_them(void **state)
{
	const mmi_device *d = cuda_device();
	char *space = memory(PLENTY), before[PLENTY] = { 1, 2, 3 }, after[PLENTY];
	(void)state;
	d->ops->upload(d, space, before, PLENTY);
	assert_null(told(&(mmi_conv_tensors){ memory(PLENTY), memory(PLENTY), memory(PLENTY), NULL }, space));
	d->ops->download(d, after, space, PLENTY);
	assert_int_equal(d->ops->wait(d, NULL), MM_OK);
	assert_int_not_equal(after[0], 1);
	assert_int_not_equal(after[1002], 0);
	assert_int_equal(after[1003], 0);
}

/* The first engine that is offered, whatever its notes say. */
static void a_nondeterministic_engine_is_told(void **state)
{
	mmi_conv_plan *p = mmi_alloc(1, sizeof *p);
	cudnnBackendDescriptor_t graph, heuristic, config, plan;
	const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
	int64_t n = 0;
	(void)state;
	assert_non_null(p);
	p->shape = shape;
	assert_int_equal(mmi_conv_graph(p, device()->cudnn, &graph), CUDNN_STATUS_SUCCESS);
	mmi_conv_part(p, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristic);
	mmi_conv_set_part(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
	cudnnBackendSetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
	assert_int_equal(cudnnBackendFinalize(heuristic), CUDNN_STATUS_SUCCESS);
	mmi_conv_part(p, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &config);
	cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &config);
	mmi_conv_part(p, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan);
	mmi_conv_set_part(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
	cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &device()->cudnn);
	assert_int_equal(cudnnBackendFinalize(plan), CUDNN_STATUS_SUCCESS);
	p->plan = plan;
	mmi_conv_binding binding = { .pack = NULL };
	emu_expect_violations(true);
	mmi_conv_run(device(), p, &binding, &(mmi_conv_tensors){ memory(PLENTY), memory(PLENTY), memory(PLENTY), NULL },
	             memory(PLENTY));
	const char *text = emu_violation();
	emu_expect_violations(false);
	assert_non_null(text);
	assert_non_null(strstr(text, "not deterministic"));
	mmi_conv_unbind(&binding);
	mmi_conv_plans_destroy(p);
}

static void memory_that_is_full_is_told_and_nothing_breaks(void **state)
{
	const mmi_device *d = cuda_device();
	(void)state;
	emu_set_memory(1000);
	assert_null(d->ops->alloc(d, 2000));
	assert_non_null(d->ops->alloc(d, 500));
	assert_int_equal(d->ops->wait(d, NULL), MM_OK);
	emu_set_memory((size_t)1 << 34);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_with_all_it_needs_is_not_told),
		cmocka_unit_test(a_workspace_that_is_too_small_is_told),
		cmocka_unit_test(no_plan_is_made_beyond_the_workspace_allowed),
		cmocka_unit_test(tensors_that_are_unaligned_too_small_or_elsewhere_are_told),
		cmocka_unit_test(a_workspace_that_is_shared_with_data_spoils_them),
		cmocka_unit_test(a_nondeterministic_engine_is_told),
		cmocka_unit_test(memory_that_is_full_is_told_and_nothing_breaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
