/* rival_onednn.c - kernel_rig calls by oneDNN, version 2 or 3: convolutions in the layouts it chooses, between pictures
 * with channels last, by its Winograd algorithm, as transposed convolutions; products by its sgemm. */
#include "mmi_build.h"

#include "rivals.h"

#include <string.h>

#if HAVE_ONEAPI_DNNL_DNNL_H
#include <oneapi/dnnl/dnnl.h>
#else
#include <dnnl.h>
#endif

#define MAKE(call)                         \
	do {                                   \
		const dnnl_status_t made = (call); \
		if (made != dnnl_success)          \
			return made;                   \
	} while (0)

/* The tensors of a forward convolution; a call writes one of them. */
enum { X, WEIGHTS, Y, TENSORS };

typedef struct geometry {
	dnnl_dims_t dims[TENSORS];
	dnnl_dims_t strides, dilates, before, after;
} geometry;

/* ------------------------------------------------------------------ what differs between versions 2 and 3 */

typedef enum direction { FORWARD, BACKWARD_X, BACKWARD_WEIGHTS, TRANSPOSED } direction;

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t layout; /* as calls take it */
typedef dnnl_memory_desc_t own_layout;
#define LAYOUT(own) (own)

static dnnl_status_t layout_make(own_layout *own, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
	return dnnl_memory_desc_create_with_tag(own, 4, dims, dnnl_f32, tag);
}

static dnnl_status_t layout_make_strided(own_layout *own, const dnnl_dims_t dims, const dnnl_dims_t strides)
{
	return dnnl_memory_desc_create_with_strides(own, 4, dims, dnnl_f32, strides);
}

static void layout_free(own_layout *own)
{
	dnnl_memory_desc_destroy(*own);
}

static dnnl_status_t describe(dnnl_primitive_desc_t *out, direction d, dnnl_alg_kind_t alg, const own_layout t[TENSORS],
                              const geometry *g, dnnl_engine_t engine, const_dnnl_primitive_desc_t hint)
{
	switch (d) {
	case FORWARD:
		return dnnl_convolution_forward_primitive_desc_create(out, engine, dnnl_forward_training, alg, t[X], t[WEIGHTS],
		                                                      NULL, t[Y], g->strides, g->dilates, g->before, g->after,
		                                                      NULL);
	case BACKWARD_X:
		return dnnl_convolution_backward_data_primitive_desc_create(
			out, engine, alg, t[X], t[WEIGHTS], t[Y], g->strides, g->dilates, g->before, g->after, hint, NULL);
	case BACKWARD_WEIGHTS:
		return dnnl_convolution_backward_weights_primitive_desc_create(
			out, engine, alg, t[X], t[WEIGHTS], NULL, t[Y], g->strides, g->dilates, g->before, g->after, hint, NULL);
	default:
		return dnnl_deconvolution_forward_primitive_desc_create(out, engine, dnnl_forward_inference, alg, t[Y],
		                                                        t[WEIGHTS], NULL, t[X], g->strides, g->dilates,
		                                                        g->before, g->after, NULL);
	}
}
#else
typedef const dnnl_memory_desc_t *layout;
typedef dnnl_memory_desc_t own_layout;
#define LAYOUT(own) (&(own))

static dnnl_status_t layout_make(own_layout *own, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
	return dnnl_memory_desc_init_by_tag(own, 4, dims, dnnl_f32, tag);
}

static dnnl_status_t layout_make_strided(own_layout *own, const dnnl_dims_t dims, const dnnl_dims_t strides)
{
	return dnnl_memory_desc_init_by_strides(own, 4, dims, dnnl_f32, strides);
}

static void layout_free(own_layout *own)
{
	(void)own;
}

static dnnl_status_t describe(dnnl_primitive_desc_t *out, direction d, dnnl_alg_kind_t alg, const own_layout t[TENSORS],
                              const geometry *g, dnnl_engine_t engine, const_dnnl_primitive_desc_t hint)
{
	dnnl_convolution_desc_t c;
	switch (d) {
	case FORWARD:
		MAKE(dnnl_dilated_convolution_forward_desc_init(&c, dnnl_forward_training, alg, &t[X], &t[WEIGHTS], NULL, &t[Y],
		                                                g->strides, g->dilates, g->before, g->after));
		break;
	case BACKWARD_X:
		MAKE(dnnl_dilated_convolution_backward_data_desc_init(&c, alg, &t[X], &t[WEIGHTS], &t[Y], g->strides,
		                                                      g->dilates, g->before, g->after));
		break;
	case BACKWARD_WEIGHTS:
		MAKE(dnnl_dilated_convolution_backward_weights_desc_init(&c, alg, &t[X], &t[WEIGHTS], NULL, &t[Y], g->strides,
		                                                         g->dilates, g->before, g->after));
		break;
	default:
		MAKE(dnnl_dilated_deconvolution_forward_desc_init(&c, dnnl_forward_inference, alg, &t[Y], &t[WEIGHTS], NULL,
		                                                  &t[X], g->strides, g->dilates, g->before, g->after));
		break;
	}
	return dnnl_primitive_desc_create(out, &c, NULL, engine, hint);
}
#endif

/* ------------------------------------------------------------------ convolutions */

/* What oneDNN calls our tensors. */
static const struct role {
	dnnl_query_t layout;
	int arg;
} roles[][TENSORS] = {
	[FORWARD] = { { dnnl_query_src_md, DNNL_ARG_SRC },
	              { dnnl_query_weights_md, DNNL_ARG_WEIGHTS },
	              { dnnl_query_dst_md, DNNL_ARG_DST } },
	[BACKWARD_X] = { { dnnl_query_diff_src_md, DNNL_ARG_DIFF_SRC },
	                 { dnnl_query_weights_md, DNNL_ARG_WEIGHTS },
	                 { dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST } },
	[BACKWARD_WEIGHTS] = { { dnnl_query_src_md, DNNL_ARG_SRC },
	                       { dnnl_query_diff_weights_md, DNNL_ARG_DIFF_WEIGHTS },
	                       { dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST } },
	[TRANSPOSED] = { { dnnl_query_dst_md, DNNL_ARG_DST },
	                 { dnnl_query_weights_md, DNNL_ARG_WEIGHTS },
	                 { dnnl_query_src_md, DNNL_ARG_SRC } },
};
static const int outputs[] = { [FORWARD] = Y, [BACKWARD_X] = X, [BACKWARD_WEIGHTS] = WEIGHTS, [TRANSPOSED] = X };

typedef struct conv_call {
	direction d;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_desc_t description, hint;
	dnnl_primitive_t primitive;
	own_layout ours[TENSORS];
	bool have_ours[TENSORS];
	dnnl_memory_t inner[TENSORS];
	dnnl_exec_arg_t args[TENSORS];
} conv_call;

static void conv_destroy(void *state)
{
	conv_call *c = state;
	for (int t = 0; t < TENSORS; t++) {
		dnnl_memory_destroy(c->inner[t]);
		if (c->have_ours[t])
			layout_free(&c->ours[t]);
	}
	dnnl_primitive_destroy(c->primitive);
	dnnl_primitive_desc_destroy(c->description);
	dnnl_primitive_desc_destroy(c->hint);
	dnnl_stream_destroy(c->stream);
	dnnl_engine_destroy(c->engine);
	mmi_free(c);
}

static geometry geometry_of(const rig *r, direction d)
{
	const rig_case *c = &r->c;
	geometry g = { .dims = { { c->n, c->ci, c->h, c->w }, { c->co, c->ci, c->k, c->k }, { c->n, c->co, r->oh, r->ow } },
		           .strides = { c->s, c->s },
		           .before = { c->p, c->p },
		           .after = { (r->oh - 1) * c->s + c->k - c->h - c->p, (r->ow - 1) * c->s + c->k - c->w - c->p } };
	if (d == TRANSPOSED) {
		g.dims[WEIGHTS][0] = c->ci;
		g.dims[WEIGHTS][1] = c->co;
	}
	return g;
}

/* Our layouts: channels last, weights [ky, kx, ci, co]. */
static dnnl_status_t make_ours(conv_call *c, const geometry *g, const rig *r)
{
	const dnnl_dim_t ci = r->c.ci, co = r->c.co, k = r->c.k;
	const bool transposed = c->d == TRANSPOSED;
	const dnnl_dims_t strides[TENSORS] = {
		{ r->c.h * r->c.w * ci, 1, r->c.w * ci, ci },
		{ transposed ? co : 1, transposed ? 1 : co, k * ci * co, ci * co },
		{ r->oh * r->ow * co, 1, r->ow * co, co },
	};
	for (int t = 0; t < TENSORS; t++) {
		MAKE(layout_make_strided(&c->ours[t], g->dims[t], strides[t]));
		c->have_ours[t] = true;
	}
	return dnnl_success;
}

static dnnl_status_t describe_call(conv_call *c, const geometry *g, dnnl_alg_kind_t alg, bool channels_last)
{
	own_layout wish[TENSORS];
	for (int t = 0; t < TENSORS; t++)
		MAKE(layout_make(&wish[t], g->dims[t], channels_last && t != WEIGHTS ? dnnl_nhwc : dnnl_format_tag_any));
	dnnl_status_t status = dnnl_success;
	if (c->d == BACKWARD_X || c->d == BACKWARD_WEIGHTS)
		status = describe(&c->hint, FORWARD, alg, wish, g, c->engine, NULL);
	if (status == dnnl_success)
		status = describe(&c->description, c->d, alg, wish, g, c->engine, c->hint);
	for (int t = 0; t < TENSORS; t++)
		layout_free(&wish[t]);
	return status;
}

static dnnl_status_t copy(conv_call *c, layout from_layout, dnnl_memory_t from, layout to_layout, dnnl_memory_t to)
{
	dnnl_primitive_desc_t description = NULL;
	dnnl_primitive_t reorder = NULL;
	const dnnl_exec_arg_t args[2] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
	dnnl_status_t status =
		dnnl_reorder_primitive_desc_create(&description, from_layout, c->engine, to_layout, c->engine, NULL);
	if (status == dnnl_success)
		status = dnnl_primitive_create(&reorder, description);
	if (status == dnnl_success)
		status = dnnl_primitive_execute(reorder, c->stream, 2, args);
	dnnl_stream_wait(c->stream);
	dnnl_primitive_destroy(reorder);
	dnnl_primitive_desc_destroy(description);
	return status;
}

/* Tensor t between `data` in our layout and the primitive's memory. */
static dnnl_status_t exchange(conv_call *c, int t, float *data, bool in)
{
	const layout ours = LAYOUT(c->ours[t]);
	const layout theirs = dnnl_primitive_desc_query_md(c->description, roles[c->d][t].layout, 0);
	dnnl_memory_t outer = NULL;
	MAKE(dnnl_memory_create(&outer, ours, c->engine, data));
	const dnnl_status_t status =
		in ? copy(c, ours, outer, theirs, c->inner[t]) : copy(c, theirs, c->inner[t], ours, outer);
	dnnl_memory_destroy(outer);
	return status;
}

static dnnl_status_t fill_memory(conv_call *c, const rig *r)
{
	int next = 0;
	for (int t = 0; t < TENSORS; t++) {
		layout theirs = dnnl_primitive_desc_query_md(c->description, roles[c->d][t].layout, 0);
		MAKE(dnnl_memory_create(&c->inner[t], theirs, c->engine, DNNL_MEMORY_ALLOCATE));
		c->args[t] = (dnnl_exec_arg_t){ roles[c->d][t].arg, c->inner[t] };
	}
	/* The rig's inputs: x, weights; x, dy; or dy, weights. */
	const int first = outputs[c->d] == X ? Y : X, second = outputs[c->d] == WEIGHTS ? Y : WEIGHTS;
	MAKE(exchange(c, first, r->in[next++], true));
	return exchange(c, second, r->in[next], true);
}

static dnnl_status_t make_call(conv_call *c, const rig *r, dnnl_alg_kind_t alg, bool channels_last)
{
	const geometry g = geometry_of(r, c->d);
	MAKE(dnnl_engine_create(&c->engine, dnnl_cpu, 0));
	MAKE(dnnl_stream_create(&c->stream, c->engine, dnnl_stream_default_flags));
	MAKE(make_ours(c, &g, r));
	MAKE(describe_call(c, &g, alg, channels_last));
	MAKE(dnnl_primitive_create(&c->primitive, c->description));
	return fill_memory(c, r);
}

static void *conv_make(const rig *r, direction d, dnnl_alg_kind_t alg, bool channels_last)
{
	conv_call *c = mmi_alloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->d = d;
	const dnnl_status_t status = make_call(c, r, alg, channels_last);
	if (status == dnnl_success)
		return c;
	if (status != dnnl_unimplemented)
		fprintf(stderr, "oneDNN: status %d\n", (int)status);
	conv_destroy(c);
	return NULL;
}

static void *direct_make(const rig *r, dnnl_alg_kind_t alg, bool channels_last)
{
	switch (r->c.op) {
	case MMI_OP_CONV:
		return conv_make(r, FORWARD, alg, channels_last);
	case MMI_OP_CONV_BWD_X:
		return conv_make(r, BACKWARD_X, alg, channels_last);
	case MMI_OP_CONV_BWD_W:
		return conv_make(r, BACKWARD_WEIGHTS, alg, channels_last);
	default:
		return NULL;
	}
}

static void *make_blocked(const rig *r)
{
	return direct_make(r, dnnl_convolution_direct, false);
}
static void *make_nhwc(const rig *r)
{
	return direct_make(r, dnnl_convolution_direct, true);
}
static void *make_winograd(const rig *r)
{
	return direct_make(r, dnnl_convolution_winograd, false);
}

static void *make_transposed(const rig *r)
{
	return r->c.op == MMI_OP_CONV_BWD_X && r->c.s > 1 ? conv_make(r, TRANSPOSED, dnnl_deconvolution_direct, false)
	                                                  : NULL;
}

static void conv_run(void *state)
{
	const conv_call *c = state;
	dnnl_primitive_execute(c->primitive, c->stream, TENSORS, c->args);
	dnnl_stream_wait(c->stream);
}

static void conv_result(void *state, float *out)
{
	conv_call *c = state;
	if (exchange(c, outputs[c->d], out, false) != dnnl_success)
		fprintf(stderr, "oneDNN: the result cannot be read\n");
}

/* ------------------------------------------------------------------ products */

typedef struct sgemm_call {
	rival_product p;
	float *out;
} sgemm_call;

static void sgemm_destroy(void *state)
{
	sgemm_call *c = state;
	mmi_free(c->out);
	mmi_free(c);
}

static void *sgemm_make(const rig *r)
{
	rival_product p;
	sgemm_call *c = rival_product_of(r, &p) ? mmi_alloc(1, sizeof *c) : NULL;
	if (!c)
		return NULL;
	c->p = p;
	c->out = mmi_alloc(r->out_count, sizeof *c->out);
	if (c->out)
		return c;
	sgemm_destroy(c);
	return NULL;
}

static void sgemm_run(void *state)
{
	const sgemm_call *c = state;
	const rival_product *p = &c->p;
	dnnl_sgemm(p->a_transposed ? 'T' : 'N', p->b_transposed ? 'T' : 'N', p->m, p->n, p->k, 1, p->a, p->lda, p->b,
	           p->ldb, 0, c->out, p->n);
}

static void sgemm_result(void *state, float *out)
{
	const sgemm_call *c = state;
	memcpy(out, c->out, (size_t)c->p.m * (size_t)c->p.n * sizeof *out);
}

const rival rivals_of_onednn[RIVALS_OF_ONEDNN] = {
	{ "oneDNN", make_blocked, conv_run, conv_result, conv_destroy },
	{ "NHWC", make_nhwc, conv_run, conv_result, conv_destroy },
	{ "Winograd", make_winograd, conv_run, conv_result, conv_destroy },
	{ "deconv", make_transposed, conv_run, conv_result, conv_destroy },
	{ "sgemm", sgemm_make, sgemm_run, sgemm_result, sgemm_destroy },
};
