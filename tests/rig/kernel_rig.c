/* kernel_rig.c - one kernel call built by hand. */
#include "mmi_build.h"

#include "kernel_rig.h"

#include "engine/params.h"
#include "device_rig.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "kernel_rig: out of memory\n");
		abort();
	}
	return p;
}

static bool is_linear(mmi_opcode op)
{
	return op == MMI_OP_LINEAR || op == MMI_OP_LINEAR_BWD_X || op == MMI_OP_LINEAR_BWD_W;
}

static bool is_weight_gradient(mmi_opcode op)
{
	return op == MMI_OP_LINEAR_BWD_W || op == MMI_OP_CONV_BWD_W;
}

/* Reproducible values in -1..1. */
static float *random_values(size_t n, uint64_t seed)
{
	float *v = must(mmi_alloc(n, sizeof *v));
	uint64_t s = seed * 0x9E3779B97F4A7C15u + 1;
	for (size_t i = 0; i < n; i++) {
		s = s * 6364136223846793005u + 1442695040888963407u;
		v[i] = (float)(int32_t)(s >> 32) * 0x1p-31f;
	}
	return v;
}

/* Values that the activation can have put out. */
static float *mask_values(size_t n, int32_t act)
{
	float *v = random_values(n, 9);
	for (size_t i = 0; i < n && act >= MM_ACT_SIGMOID; i++)
		v[i] = v[i] < 0 ? -v[i] : v[i];
	return v;
}

typedef struct rig_shapes {
	mm_shape x, y, w;
} rig_shapes;

static rig_shapes shapes_of(const rig *r)
{
	const rig_case *c = &r->c;
	if (is_linear(c->op))
		return (rig_shapes){ mmi_shape(1, c->ci), mmi_shape(1, c->co), mmi_shape(2, c->ci, c->co) };
	return (rig_shapes){ mmi_shape(3, c->h, c->w, c->ci), mmi_shape(3, r->oh, r->ow, c->co),
		                 mmi_shape(4, r->kh, c->k, c->ci, c->co) };
}

static void set_input(rig *r, uint32_t i, mmi_opcode op, mm_shape shape, bool batched)
{
	r->in_node[i] = (mmi_node){ .op = op, .shape = shape, .batched = batched };
	r->in_count[i] = (size_t)mmi_shape_count(&shape) * (batched ? (size_t)r->c.n : 1);
	r->in[i] = random_values(r->in_count[i], i + 1);
	r->x.in_node[i] = &r->in_node[i];
	r->x.in[i] = r->in[i];
}

static void make_inputs(rig *r)
{
	const rig_case *c = &r->c;
	const rig_shapes s = shapes_of(r);
	const bool bwd_x = c->op == MMI_OP_CONV_BWD_X || c->op == MMI_OP_LINEAR_BWD_X;
	set_input(r, 0, MMI_OP_INPUT, bwd_x ? s.y : s.x, true);
	if (is_weight_gradient(c->op))
		set_input(r, 1, MMI_OP_INPUT, s.y, true);
	else
		set_input(r, 1, MMI_OP_PARAM, s.w, false);
	if (c->bias)
		set_input(r, 2, MMI_OP_PARAM, mmi_shape(1, bwd_x ? c->ci : c->co), false);
	r->x.n_in = c->bias ? 3 : 2;
	r->node.shape = is_weight_gradient(c->op) ? s.w : bwd_x ? s.x : s.y;
}

void rig_make(rig *r, const rig_case *c, bool with_packs)
{
	memset(r, 0, sizeof *r);
	r->c = *c;
	r->kh = c->line ? 1 : c->k;
	r->sh = c->line ? 1 : c->s;
	r->ph = c->line ? 0 : c->p;
	r->oh = (c->h + 2 * r->ph - r->kh) / r->sh + 1;
	r->ow = (c->w + 2 * c->p - c->k) / c->s + 1;
	r->node = (mmi_node){ .op = c->op,
		                  .batched = !is_weight_gradient(c->op),
		                  .attr = { .kh = r->kh, .kw = c->k, .sh = r->sh, .sw = c->s, .ph = r->ph, .pw = c->p } };
	make_inputs(r);
	r->node.n_in = r->x.n_in;
	r->out_count = (size_t)mmi_shape_count(&r->node.shape) * (r->node.batched ? (size_t)c->n : 1);
	r->out = must(mmi_alloc(r->out_count, sizeof(float)));
	r->packs = with_packs ? must(mmi_packs_create(cpu_device())) : NULL;
	if (c->mask_act != MM_ACT_NONE)
		r->mask = mask_values(r->out_count, c->mask_act);
	r->x.node = &r->node;
	r->x.n = c->n;
	r->x.out = r->out;
	r->x.act = c->act;
	r->x.act_alpha = 0.2f;
	r->x.mask_act = c->mask_act;
	r->x.mask_alpha = 0.2f;
	r->x.mask = r->mask;
	r->x.packs = r->packs;
}

void rig_free(rig *r)
{
	rig_release(r);
	for (int i = 0; i < 3; i++)
		mmi_free(r->in[i]);
	mmi_free(r->mask);
	mmi_free(r->out);
	mmi_packs_destroy(r->packs);
}

bool rig_prepare(rig *r, const mmi_kernel *k)
{
	mm_error e = MM_ERROR_INIT;
	r->kernel = k;
	if (k->prepare && k->prepare(&r->x, &e) != MM_OK) {
		fprintf(stderr, "%s: %s\n", k->name, e.message);
		r->kernel = NULL;
		return false;
	}
	if (r->x.scratch_bytes) {
		r->x.scratch = must(mmi_alloc(r->x.scratch_bytes, 1));
		memset(r->x.scratch, 0xff, r->x.scratch_bytes); /* NaN wherever the kernel trusts what it did not write */
	}
	return true;
}

void rig_release(rig *r)
{
	if (r->kernel && r->kernel->release)
		r->kernel->release(&r->x);
	mmi_free(r->x.scratch);
	r->kernel = NULL;
	r->x.scratch = NULL;
	r->x.scratch_bytes = 0;
	r->x.state = NULL;
}

void rig_run(rig *r, bool fresh)
{
	if (fresh && !r->node.batched)
		memset(r->out, 0, r->out_count * sizeof *r->out);
	r->kernel->run(&r->x);
}

double rig_flops(const rig *r)
{
	const rig_case *c = &r->c;
	return 2.0 * (double)c->n * r->oh * r->ow * r->kh * c->k * c->ci * c->co;
}

char *rig_text(const rig_case *c, char *text, size_t size)
{
	static const char *const names[MMI_OP_COUNT] = {
		[MMI_OP_LINEAR] = "linear", [MMI_OP_LINEAR_BWD_X] = "linear_bwd_x", [MMI_OP_LINEAR_BWD_W] = "linear_bwd_w",
		[MMI_OP_CONV] = "conv",     [MMI_OP_CONV_BWD_X] = "conv_bwd_x",     [MMI_OP_CONV_BWD_W] = "conv_bwd_w",
	};
	char fused[32] = "";
	if (c->act != MM_ACT_NONE || c->mask_act != MM_ACT_NONE)
		snprintf(fused, sizeof fused, " act %d mask %d", c->act, c->mask_act);
	snprintf(text, size, "%s %lldx%dx%dx%d->%d k%s%d s%d p%d%s%s", names[c->op], (long long)c->n, c->h, c->w, c->ci,
	         c->co, c->line ? "1x" : "", c->k, c->s, c->p, c->bias ? " bias" : "", fused);
	return text;
}

const int32_t rig_conv_shapes[RIG_CONV_SHAPES][8] = {
	{ 1, 1, 1, 1, 1, 1, 1, 0 },     { 3, 5, 7, 3, 5, 3, 1, 1 },      { 2, 6, 5, 5, 3, 3, 1, 0 },
	{ 3, 7, 7, 16, 16, 3, 1, 1 },   { 1, 9, 8, 40, 24, 3, 1, 1 },    { 2, 8, 8, 16, 40, 3, 1, 1 },
	{ 1, 14, 14, 64, 32, 3, 1, 1 }, { 5, 8, 8, 17, 33, 3, 1, 1 },    { 1, 6, 7, 160, 16, 3, 1, 1 },
	{ 3, 28, 28, 3, 16, 3, 1, 1 },  { 2, 28, 28, 16, 3, 3, 1, 1 },   { 3, 9, 9, 32, 1, 3, 1, 1 },
	{ 2, 5, 5, 64, 4, 5, 1, 2 },    { 2, 7, 6, 2, 2, 4, 1, 2 },      { 2, 7, 7, 16, 40, 1, 1, 0 },
	{ 2, 7, 7, 16, 32, 1, 2, 0 },   { 3, 14, 14, 8, 16, 4, 2, 1 },   { 2, 7, 9, 5, 17, 4, 2, 1 },
	{ 2, 9, 9, 3, 5, 3, 2, 1 },     { 1, 11, 8, 4, 3, 5, 2, 2 },     { 2, 9, 9, 6, 7, 2, 3, 0 },
	{ 2, 10, 7, 1, 3, 4, 3, 3 },    { 1, 4, 4, 32, 64, 4, 1, 0 },    { 16, 4, 4, 32, 16, 3, 1, 1 },
	{ 17, 2, 2, 16, 32, 3, 1, 1 },  { 2, 5, 5, 3, 3, 3, 1, 2 },      { 2, 3, 3, 3, 4, 5, 2, 4 },
	{ 3, 14, 14, 16, 16, 4, 2, 1 }, { 2, 15, 17, 32, 24, 4, 2, 1 },  { 1, 16, 13, 40, 16, 4, 2, 2 },
	{ 2, 9, 8, 16, 16, 3, 1, 0 },   { 1, 16, 16, 144, 16, 4, 2, 0 }, { 2, 6, 7, 16, 16, 3, 1, 2 },
	{ 1, 28, 28, 64, 32, 4, 2, 1 }, { 2, 28, 28, 32, 64, 3, 1, 1 },
};

rig_case rig_conv_case(mmi_opcode op, const int32_t s[8])
{
	return (
		rig_case){ .op = op, .n = s[0], .h = s[1], .w = s[2], .ci = s[3], .co = s[4], .k = s[5], .s = s[6], .p = s[7] };
}
