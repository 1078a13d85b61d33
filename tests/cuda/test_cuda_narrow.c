/* test_cuda_narrow.c - maps in bfloat16: which tensors of a program are, what is rounded how often, and that no kernel
 * writes or reads beyond the bytes that they have. */
#include "mmi_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../rig/conv_layer.h"
#include "../rig/ops_cases.h"
#include "cuda_rig.h"
#include "emu.h"
#include "engine/op.h"
#include "engine/plan.h"
#include "engine/program.h"

static const mm_host_graph *const ops = &mmi_graph_ops;

static void must(mm_status status, const mm_error *e)
{
	if (status != MM_OK)
		fail_msg("%s", e->message);
}

/* ------------------------------------------------------------ an encoder and its losses */

typedef struct encoder {
	mmi_graph *g;
	mmi_params *store;
	mm_tensor x, z, h[2], loc, scale, density, likelihood, bound, total, seed, grads[1];
	mm_tensor *param_grads;
	uint32_t n_param_grads;
} encoder;

static mm_tensor conv_of(mmi_graph *g, mm_tensor x, const char *name, int32_t channels)
{
	const mm_conv c = rig_conv3x3(channels, 1);
	return ops->conv2d(g, x, name, &c);
}

static mm_tensor two(mmi_graph *g, mmi_opcode op, mm_tensor a, mm_tensor b)
{
	return mmi_op(g, op, 2, (mm_tensor[]){ a, b }, &(mmi_attr){ .a = 1, .b = 1 });
}

/* The log-mean-exp of two densities, one number a sample: as a loss over experts has it. */
static mm_tensor mixture(mmi_graph *g, mm_tensor a, mm_tensor b)
{
	const mm_shape one = mmi_shape(1, 1);
	const mm_tensor both[] = { ops->reshape(g, a, &one), ops->reshape(g, b, &one) };
	return ops->log_sum_exp(g, ops->concat(g, both, 2, 0));
}

static void record(encoder *m)
{
	mmi_graph *g = m->g;
	m->x = mmi_input(g, "x", mmi_shape(3, 8, 8, 4));
	m->z = mmi_input(g, "z", mmi_shape(1, 6));
	m->seed = mmi_input(g, "seed", mmi_shape(0));
	m->h[0] = ops->activation(g, conv_of(g, m->x, "a", 16), MM_ACT_LEAKY_RELU, 0.2f);
	m->h[1] = two(g, MMI_OP_ADD, conv_of(g, m->h[0], "b", 16), conv_of(g, m->x, "c", 16));
	const mm_tensor heads = ops->linear(g, m->h[1], "heads", 12, 1, MM_INIT_DEFAULT);
	m->loc = ops->slice(g, heads, 0, 0, 6);
	m->scale = ops->activation(g, ops->slice(g, heads, 0, 6, 6), MM_ACT_SOFTPLUS, 0);
	m->density = mmi_op(g, MMI_OP_LOGPDF_NORMAL, 3, (mm_tensor[]){ m->z, m->loc, m->scale }, NULL);
	m->likelihood = two(g, MMI_OP_NLL_GAUSSIAN, m->x, conv_of(g, m->h[1], "d", 4));
	m->bound = mixture(g, m->density, m->likelihood);
	m->total = two(g, MMI_OP_ADD, m->bound, m->likelihood);
}

static void open_encoder(encoder *m, const mmi_device *d)
{
	mm_error e = MM_ERROR_INIT;
	*m = (encoder){ .g = NULL };
	must(mmi_graph_create(&m->g, &e), &e);
	must(mmi_params_create(d, "t", &m->store, &e), &e);
	mmi_graph_scope(m->g, m->store, "t");
	record(m);
	must(mmi_graph_check(m->g, &e), &e);
	must(mmi_params_finalise(m->store, 7, &e), &e);
	mmi_params *stores[] = { m->store };
	mmi_grad_request r = {
		.loss = m->total, .seed = m->seed, .wrt = &m->x, .n_wrt = 1, .grads = m->grads, .stores = stores, .n_stores = 1
	};
	must(mmi_graph_grad(m->g, &r, &e), &e);
	m->param_grads = r.param_grads;
	m->n_param_grads = r.n_param_grads;
}

static void close_encoder(encoder *m)
{
	mmi_free(m->param_grads);
	mmi_graph_destroy(m->g);
	mmi_params_destroy(m->store);
}

static mmi_program_spec spec_of(const encoder *m, const mmi_device *d, mm_tensor outputs[])
{
	uint32_t n = 0;
	outputs[n++] = m->total;
	outputs[n++] = m->grads[0];
	for (uint32_t i = 0; i < m->n_param_grads; i++)
		outputs[n++] = m->param_grads[i];
	return (mmi_program_spec){ .graph = m->g, .device = d, .n = 4, .outputs = outputs, .n_outputs = n };
}

static mmi_plan *plan_of(const encoder *m, const mmi_device *d)
{
	mm_tensor outputs[32];
	mm_error e = MM_ERROR_INIT;
	mmi_plan *p = NULL;
	const mmi_program_spec spec = spec_of(m, d, outputs);
	must(mmi_plan_create(&spec, &p, &e), &e);
	return p;
}

static bool is_narrow(const mmi_plan *p, mm_tensor id)
{
	return p->narrow[p->root[id]];
}

static void maps_are_narrow_and_what_losses_are_made_of_is_not(void **state)
{
	encoder m;
	(void)state;
	open_encoder(&m, cuda_device_bf16());
	mmi_plan *p = plan_of(&m, cuda_device_bf16());
	const mm_tensor floats[] = {
		m.x, m.z, m.seed, m.loc, m.scale, m.density, m.likelihood, m.bound, m.total, m.grads[0]
	};
	for (size_t i = 0; i < MMI_COUNT(floats); i++)
		assert_false(is_narrow(p, floats[i]));
	for (size_t i = 0; i < MMI_COUNT(m.h); i++)
		assert_true(is_narrow(p, m.h[i]));
	size_t gradients = 0;
	for (size_t i = 0; i < p->n_nodes; i++) {
		const mmi_opcode op = p->nodes[i].op;
		if (p->needed[i] && (mmi_ops[op]->param_grad || op == MMI_OP_PARAM || op == MMI_OP_LSE_BWD || op == MMI_OP_LSE))
			assert_false(is_narrow(p, (mm_tensor)i));
		if (p->needed[i] && (op == MMI_OP_CONV_BWD_X || op == MMI_OP_NLL_GAUSSIAN_BWD) && !p->output[i])
			gradients += is_narrow(p, (mm_tensor)i);
	}
	assert_true(gradients >= 3);
	mmi_plan_destroy(p);
	close_encoder(&m);
}

/* Every product has its operands in bfloat16, and an input that four of them read is rounded once. */
static void an_operand_is_rounded_once_a_run(void **state)
{
	encoder m;
	(void)state;
	open_encoder(&m, cuda_device_bf16());
	mmi_plan *p = plan_of(&m, cuda_device_bf16());
	size_t copies = 0, products = 0;
	for (size_t c = 0; c < p->n_calls; c++) {
		const mmi_node *node = &p->nodes[p->calls[c].node];
		if (node->op == MMI_OP_AFFINE && node->in[0] == m.x)
			copies++;
		if (node->op < MMI_OP_LINEAR || node->op > MMI_OP_CONV_BWD_W)
			continue;
		products++;
		assert_true(is_narrow(p, node->in[0]));
		assert_true(!mmi_ops[node->op]->param_grad || is_narrow(p, node->in[1]));
	}
	assert_int_equal(copies, 1);
	assert_true(products > 10);
	mmi_plan_destroy(p);
	close_encoder(&m);
}

static void maps_take_half_the_memory(void **state)
{
	encoder narrow, wide;
	(void)state;
	open_encoder(&narrow, cuda_device_bf16());
	open_encoder(&wide, cuda_device());
	mmi_plan *a = plan_of(&narrow, cuda_device_bf16()), *b = plan_of(&wide, cuda_device());
	assert_true((double)a->arena_bytes <
	            0.7 * (double)b->arena_bytes); /* x, its gradient and a copy of x are a third */
	mmi_plan_destroy(a);
	mmi_plan_destroy(b);
	close_encoder(&narrow);
	close_encoder(&wide);
}

#if EMULATED
/* Weights and biases are converted when parameters change, and at no other time. */
static void weights_are_rounded_once_an_update(void **state)
{
	encoder m;
	mm_tensor outputs[32];
	mm_error e = MM_ERROR_INIT;
	mmi_program *p = NULL;
	const mmi_device *d = cuda_device_bf16();
	(void)state;
	open_encoder(&m, d);
	const mmi_program_spec spec = spec_of(&m, d, outputs);
	must(mmi_program_create(&spec, &p, &e), &e);
	mmi_floats grads = mmi_floats_alloc(d, m.store->count);
	mmi_program_bind_grads(p, m.store, grads);
	unsigned long launches[3];
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			mmi_params_update(m.store, 0);
		must(d->ops->wait(d, &e), &e);
		const unsigned long before = emu_counted().launches;
		mmi_program_run(p);
		must(d->ops->wait(d, &e), &e);
		launches[i] = emu_counted().launches - before;
	}
	assert_int_equal(launches[0], launches[1]);
	assert_int_equal(launches[0], launches[2]);
	const unsigned long before = emu_counted().launches;
	mmi_params_update(m.store, 0);
	must(d->ops->wait(d, &e), &e);
	/* Five weights, and the biases of the two products whose results are stored as they are. */
	assert_int_equal(emu_counted().launches - before, 7);
	mmi_program_destroy(p);
	mmi_floats_release(d, &grads);
	close_encoder(&m);
}
#endif

/* To the nearest, to even at a tie; what is not a number, and what has no end, stays so. */
static void floats_are_rounded_to_the_nearest(void **state)
{
	static const float in[] = {
		1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 1 + 0x1p-8f + 0x1p-20f, -1 - 0x1p-9f, 0x1.fep127f, 0x1.ffp127f, -INFINITY,
		NAN,         0x1.01p-130f
	};
	static const float out[] = {
		1, 1 + 4 * 0x1p-8f, 1 + 0x1p-7f, -1, 0x1.fep127f, INFINITY, -INFINITY, NAN, 0x1p-130f
	};
	const mmi_device *d = cuda_device_bf16();
	mm_error e = MM_ERROR_INIT;
	mmi_graph *g;
	mmi_program *p;
	float found[MMI_COUNT(in)];
	(void)state;
	must(mmi_graph_create(&g, &e), &e);
	const mm_tensor x = mmi_input(g, "x", mmi_shape(1, (int)MMI_COUNT(in)));
	mm_tensor y = x;
	for (int i = 0; i < 2; i++)
		y = mmi_op(g, MMI_OP_AFFINE, 1, &y, &(mmi_attr){ .a = 1 });
	const mmi_program_spec spec = { .graph = g, .device = d, .n = 1, .outputs = &y, .n_outputs = 1, .no_fusion = true };
	must(mmi_program_create(&spec, &p, &e), &e);
	mmi_program_write(p, x, 1, in);
	mmi_program_run(p);
	mmi_program_read(p, y, 1, found);
	for (size_t i = 0; i < MMI_COUNT(in); i++)
		if (isnan(out[i]) ? !isnan(found[i]) : memcmp(&found[i], &out[i], sizeof out[i]) != 0)
			fail_msg("%a became %a; expected %a", (double)in[i], (double)found[i], (double)out[i]);
	mmi_program_destroy(p);
	mmi_graph_destroy(g);
}

/* ------------------------------------------------------------ bytes */

enum {
	ROWS = 128 /* of 2 bytes each: so that a map's end is that of its allocation, which the emulation rounds to 256 */
};

typedef struct apart {
	const mmi_device *d;
	mmi_plan *p;
	void **at, **signs; /* per root: memory of its own */
	void *grads;
} apart;

static size_t bytes_of(const apart *a, mm_tensor root)
{
	const mmi_node *node = &a->p->nodes[root];
	return (size_t)mmi_shape_count(&node->shape) * (node->batched ? ROWS : 1) * mmi_plan_element_size(a->p, root);
}

static void *memory_of(apart *a, mm_tensor id)
{
	const mm_tensor root = a->p->root[id];
	const mmi_node *node = &a->p->nodes[root];
	if (node->op == MMI_OP_PARAM)
		return node->params->value.at + node->params->info[node->param].offset;
	if (mmi_ops[node->op]->param_grad)
		return (float *)a->grads + node->params->info[node->param].offset;
	if (!a->at[root]) {
		a->at[root] = a->d->ops->alloc(a->d, bytes_of(a, root));
		assert_non_null(a->at[root]);
	}
	return a->at[root];
}

static void *signs_of(apart *a, mm_tensor id)
{
	const mm_tensor root = a->p->root[id];
	if (a->p->signs[root] != MMI_NO_SLOT && !a->signs[root])
		a->signs[root] = a->d->ops->alloc(a->d, mmi_plan_signs_bytes(a->p, root));
	return a->signs[root];
}

static void run_apart(apart *a, const mmi_plan_call *call)
{
	mmi_exec x;
	mmi_joined joined[MMI_MOST_JOINED];
	mmi_read reads[MMI_MOST_READS];
	mm_error e = MM_ERROR_INIT;
	const uint32_t n = mmi_plan_reads(a->p, call, reads);
	mmi_plan_exec_call(a->p, call, &x, joined);
	for (uint32_t r = 0; r < n; r++)
		*mmi_plan_read_at(&x, &reads[r]) =
			reads[r].signs ? signs_of(a, reads[r].tensor) : memory_of(a, reads[r].tensor);
	for (uint32_t i = 0; i <= call->n_joined; i++) {
		const mm_tensor value = mmi_plan_value(call, i);
		*mmi_plan_value_at(&x, i) = a->p->stored[a->p->root[value]] ? memory_of(a, value) : NULL;
		*mmi_plan_signs_at(&x, i) = signs_of(a, value);
	}
	if (call->kernel->prepare)
		must(call->kernel->prepare(&x, &e), &e);
	x.scratch = a->d->ops->alloc(a->d, x.scratch_bytes);
	call->kernel->run(&x);
	must(a->d->ops->wait(a->d, &e), &e);
	if (call->kernel->release)
		call->kernel->release(&x);
	a->d->ops->release(a->d, x.scratch);
}

static void nothing_is_touched_beyond_a_maps_bytes(void **state)
{
	mm_tensor outputs[64];
	uint32_t n = 0;
	mm_error e = MM_ERROR_INIT;
	rig r;
	apart a = { .d = cuda_device_bf16() };
	rig_open_inside(&r, *state, a.d);
	outputs[n++] = r.loss;
	for (uint32_t i = 0; i < r.n_inputs; i++)
		if (r.inputs[i].grad != MMI_NONE)
			outputs[n++] = r.inputs[i].grad;
	for (uint32_t i = 0; i < r.n_param_grads; i++)
		outputs[n++] = r.param_grads[i];
	const mmi_program_spec spec = { .graph = r.g, .device = a.d, .n = ROWS, .outputs = outputs, .n_outputs = n };
	must(mmi_plan_create(&spec, &a.p, &e), &e);
	a.at = mmi_alloc(a.p->n_nodes, sizeof *a.at);
	a.signs = mmi_alloc(a.p->n_nodes, sizeof *a.signs);
	a.grads = a.d->ops->alloc(a.d, (r.store->count + 1) * sizeof(float));
	assert_true(a.at && a.signs && a.grads);
	for (size_t c = 0; c < a.p->n_calls; c++)
		run_apart(&a, &a.p->calls[c]);
	for (size_t i = 0; i < a.p->n_nodes; i++) {
		a.d->ops->release(a.d, a.at[i]);
		a.d->ops->release(a.d, a.signs[i]);
	}
	a.d->ops->release(a.d, a.grads);
	mmi_free(a.at);
	mmi_free(a.signs);
	mmi_plan_destroy(a.p);
	rig_close(&r);
}

int main(void)
{
	static struct CMUnitTest tests[256];
	static char names[256][96];
	size_t n = 0;
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(maps_are_narrow_and_what_losses_are_made_of_is_not);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_operand_is_rounded_once_a_run);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(maps_take_half_the_memory);
#if EMULATED
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(weights_are_rounded_once_an_update);
#endif
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(floats_are_rounded_to_the_nearest);
	for (size_t i = 0; i < n_op_cases; i++, n++) {
		snprintf(names[n], sizeof names[n], "%s_touches_nothing_beyond_a_maps_bytes", op_cases[i].name);
		tests[n] = (struct CMUnitTest){ names[n], nothing_is_touched_beyond_a_maps_bytes, NULL, NULL,
			                            (void *)(uintptr_t)&op_cases[i] };
	}
	return _cmocka_run_group_tests("cuda_narrow", tests, n, NULL, NULL);
}
