/* sampler_nets.c - what the networks of a sampler compute. */
#include "mmi_build.h"

#include "mcmc/sampler_nets.h"

#include <string.h>

static void record_inputs(const mmi_model *m, mmi_graph *g, mm_tensor *x)
{
	for (uint32_t i = 0; i < m->n_modalities; i++)
		x[i] = mmi_input(g, m->modalities[i].name, m->modalities[i].info.shape);
}

/* In place of what is left of a try that failed. */
static mm_status begin(mmi_network *net, mm_error *e)
{
	mmi_network_clear(net);
	return mmi_network_open(net, e);
}

static mm_status compile_for(mmi_sampler *s, mmi_network *net, const mm_tensor *outputs, uint32_t n, uint32_t rows,
                             mm_error *e)
{
	return mmi_network_compile(net, s->model->device, outputs, n, rows, mmi_pool_threads(s->pool), e);
}

static mm_status compile(mmi_sampler *s, mmi_network *net, const mm_tensor *outputs, uint32_t n, mm_error *e)
{
	return compile_for(s, net, outputs, n, s->config.chunk, e);
}

/* Appends what is there. */
static uint32_t append(mm_tensor *list, uint32_t n, mm_tensor x)
{
	if (x != MMI_NONE)
		list[n++] = x;
	return n;
}

static mm_status record_encode(mmi_sampler *s, mm_error *e)
{
	mmi_encode_net *n = &s->encode;
	mm_tensor outputs[4 * MMI_MAX_MODALITIES];
	uint32_t count = 0;
	MMI_TRY(begin(&n->net, e));
	record_inputs(s->model, n->net.graph, n->x);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		MMI_TRY(mmi_model_encode(s->model, i, n->net.graph, n->x[i], &n->expert[i], e));
		count = append(outputs, count, n->expert[i].loc);
		count = append(outputs, count, n->expert[i].scale);
		count = append(outputs, count, n->expert[i].w_loc);
		count = append(outputs, count, n->expert[i].w_scale);
	}
	return compile(s, &n->net, outputs, count, e);
}

static mm_status record_decode(mmi_sampler *s, mm_error *e)
{
	mmi_decode_net *n = &s->decode;
	MMI_TRY(begin(&n->net, e));
	n->place = mmi_model_place(s->model, n->net.graph);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		mm_tensor decoded;
		MMI_TRY(mmi_model_decode(s->model, i, n->net.graph, n->place.z, n->place.w[i], &decoded, e));
		n->mean[i] = mmi_model_mean(s->model, i, n->net.graph, decoded);
	}
	return compile(s, &n->net, n->mean, s->model->n_modalities, e);
}

/* U(z, W) = sum_m observed_m weight_m NLL_m(x_m | z, w_m) - log p0(z) - sum_m log p0(w_m). */
static mm_status record_u(mmi_sampler *s, mmi_posterior_net *n, mm_error *e)
{
	MMI_TRY(begin(&n->net, e));
	mmi_graph *g = n->net.graph;
	record_inputs(s->model, g, n->x);
	n->place = mmi_model_place(s->model, g);
	n->u = mmi_graph_ops.affine(g, mmi_model_log_prior_of(s->model, g, &n->place), -1, 0);
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		mm_tensor decoded;
		MMI_TRY(mmi_model_decode(s->model, i, g, n->place.z, n->place.w[i], &decoded, e));
		n->observed[i] = mmi_input(g, "observed", mmi_shape(0));
		mm_tensor nll = mmi_graph_ops.mul(g, mmi_model_nll(s->model, i, g, n->x[i], decoded), n->observed[i]);
		n->u = mmi_graph_ops.add(g, n->u, nll);
	}
	return MM_OK;
}

/* Compiles u and its gradient to the latents alone. */
static mm_status compile_latent_gradient(mmi_sampler *s, mmi_network *net, mm_tensor u, const mmi_place *place,
                                         mmi_place *grad, mm_error *e)
{
	mm_tensor wrt[MMI_MAX_MODALITIES + 1], outputs[MMI_MAX_MODALITIES + 2], *grads = outputs + 1;
	mmi_graph *g = net->graph;
	uint32_t count = append(wrt, 0, place->z);
	for (uint32_t i = 0; i < s->model->n_modalities; i++)
		count = append(wrt, count, place->w[i]);
	mmi_grad_request r = {
		.loss = u, .seed = mmi_const(g, mmi_shape(0), 1), .wrt = wrt, .n_wrt = count, .grads = grads
	};
	MMI_TRY(mmi_graph_grad(g, &r, e));
	outputs[0] = u;
	grad->z = place->z == MMI_NONE ? MMI_NONE : *grads++;
	for (uint32_t i = 0; i < s->model->n_modalities; i++)
		grad->w[i] = place->w[i] == MMI_NONE ? MMI_NONE : *grads++;
	return compile(s, net, outputs, count + 1, e);
}

static mm_status record_posterior(mmi_sampler *s, mm_error *e)
{
	mmi_posterior_net *n = &s->posterior;
	MMI_TRY(record_u(s, n, e));
	return compile_latent_gradient(s, &n->net, n->u, &n->place, &n->grad, e);
}

static mm_status record_potential(mmi_sampler *s, mm_error *e)
{
	mmi_posterior_net *n = &s->potential;
	MMI_TRY(record_u(s, n, e));
	return compile(s, &n->net, &n->u, 1, e);
}

mm_status mmi_sampler_record_prior(mmi_sampler *s, mm_error *e)
{
	mmi_prior_net *n = &s->prior;
	if (!s->model->config.latent_energy)
		return MM_OK;
	MMI_TRY(begin(&n->net, e));
	mmi_graph *g = n->net.graph;
	n->place = mmi_model_place(s->model, g);
	for (uint32_t i = 0; i < s->model->n_modalities; i++)
		n->place.w[i] = MMI_NONE;
	n->u = mmi_graph_ops.affine(g, mmi_model_log_prior_z(s->model, g, n->place.z), -1, 0);
	return compile_latent_gradient(s, &n->net, n->u, &n->place, &n->grad, e);
}

/* observed ? x : mean */
static mm_tensor completed(mmi_graph *g, mm_tensor x, mm_tensor mean, mm_tensor observed)
{
	const mm_tensor product[] = { mmi_graph_ops.axpby(g, 1, x, -1, mean), observed };
	return mmi_graph_ops.add(g, mean, mmi_op(g, MMI_OP_MUL, 2, product, NULL));
}

/* The tuple of an energy that sees what the latents decode to, where it is not observed. */
static mm_status record_tuple(mmi_sampler *s, mmi_graph *g, const mmi_place *place, const mm_tensor *x,
                              mm_tensor *observed, mm_tensor *decoded, mm_tensor *tuple, mm_error *e)
{
	for (uint32_t i = 0; i < s->model->n_modalities; i++) {
		MMI_TRY(mmi_model_decode(s->model, i, g, place->z, place->w[i], &decoded[i], e));
		observed[i] = mmi_input(g, "observed", mmi_shape(0));
		tuple[i] = completed(g, x[i], mmi_model_mean(s->model, i, g, decoded[i]), observed[i]);
	}
	return MM_OK;
}

/* As bits. */
static uint32_t terms_of(const mmi_model *m)
{
	uint32_t has = 0;
	for (int k = 0; k < MMI_TERMS; k++)
		has |= (uint32_t)mmi_model_has_term(m, (mmi_term)k) << k;
	return has;
}

/* These terms of a tuple's joint energy; all for none that the model has. */
static mm_status record_guiding(mmi_sampler *s, mmi_graph *g, const mm_tensor *tuple, uint32_t terms, mm_tensor *out,
                                mm_error *e)
{
	const uint32_t has = terms_of(s->model);
	*out = MMI_NONE;
	for (int k = 0; k < MMI_TERMS; k++) {
		mm_tensor term;
		if (!((terms & has ? terms & has : has) >> k & 1))
			continue;
		MMI_TRY(mmi_model_term(s->model, (mmi_term)k, g, tuple, &term, e));
		*out = *out == MMI_NONE ? term : mmi_graph_ops.add(g, *out, term);
	}
	return MM_OK;
}

static mm_status record_screen(mmi_sampler *s, uint32_t terms, mm_error *e)
{
	mmi_screen_net *n = &s->screen[terms];
	mm_tensor decoded[MMI_MAX_MODALITIES], tuple[MMI_MAX_MODALITIES];
	MMI_TRY(begin(&n->net, e));
	record_inputs(s->model, n->net.graph, n->x);
	n->place = mmi_model_place(s->model, n->net.graph);
	MMI_TRY(record_tuple(s, n->net.graph, &n->place, n->x, n->observed, decoded, tuple, e));
	MMI_TRY(record_guiding(s, n->net.graph, tuple, terms, &n->energy, e));
	return compile(s, &n->net, &n->energy, 1, e);
}

/* Nothing of no term that the model has. */
static mm_status record_fit(mmi_sampler *s, uint32_t terms, mm_error *e)
{
	mmi_fit_net *n = &s->fit[terms];
	if (!(terms & terms_of(s->model)))
		return MM_OK;
	MMI_TRY(begin(&n->net, e));
	record_inputs(s->model, n->net.graph, n->x);
	MMI_TRY(record_guiding(s, n->net.graph, n->x, terms, &n->energy, e));
	return compile(s, &n->net, &n->energy, 1, e);
}

/* weight E(X with g(z, W) where it is not observed) + sum_m observed_m weight_m NLL_m(x_m | z, w_m) - log p0(z) - sum_m
 * log p0(w_m) */
static mm_status record_guide(mmi_sampler *s, uint32_t terms, mm_error *e)
{
	mmi_guide_net *n = &s->guide[terms];
	mm_tensor decoded[MMI_MAX_MODALITIES], tuple[MMI_MAX_MODALITIES], energy;
	MMI_TRY(begin(&n->net, e));
	mmi_graph *g = n->net.graph;
	record_inputs(s->model, g, n->x);
	n->place = mmi_model_place(s->model, g);
	n->u = mmi_graph_ops.affine(g, mmi_model_log_prior_of(s->model, g, &n->place), -1, 0);
	MMI_TRY(record_tuple(s, g, &n->place, n->x, n->observed, decoded, tuple, e));
	for (uint32_t i = 0; i < s->model->n_modalities; i++)
		n->u = mmi_graph_ops.add(
			g, n->u, mmi_graph_ops.mul(g, mmi_model_nll(s->model, i, g, n->x[i], decoded[i]), n->observed[i]));
	MMI_TRY(record_guiding(s, g, tuple, terms, &energy, e));
	n->weight = mmi_input(g, "weight", mmi_shape(0));
	n->u = mmi_graph_ops.add(g, n->u, mmi_graph_ops.mul(g, energy, n->weight));
	return compile_latent_gradient(s, &n->net, n->u, &n->place, &n->grad, e);
}

/* An energy network's maps are large. */
static uint32_t rows_at_once(const mmi_sampler *s)
{
	const uint32_t chunk = s->config.chunk, few = s->model->device->few;
	return few && chunk % few == 0 && !s->watched ? few : chunk;
}

/* E and its gradient to every x_m, for the data chain. */
static mm_status record_revise(mmi_sampler *s, mm_error *e)
{
	mmi_revise_net *n = &s->revise;
	mm_tensor outputs[MMI_MAX_MODALITIES + 1];
	uint32_t count = s->model->n_modalities;
	MMI_TRY(begin(&n->net, e));
	mmi_graph *g = n->net.graph;
	record_inputs(s->model, g, n->x);
	MMI_TRY(mmi_model_energy(s->model, g, n->x, &n->energy, e));
	mmi_grad_request r = {
		.loss = n->energy, .seed = mmi_const(g, mmi_shape(0), 1), .wrt = n->x, .n_wrt = count, .grads = n->dx
	};
	MMI_TRY(mmi_graph_grad(g, &r, e));
	outputs[0] = n->energy;
	memcpy(outputs + 1, n->dx, count * sizeof *outputs);
	n->rows = rows_at_once(s);
	return compile_for(s, &n->net, outputs, 1 + count, n->rows, e);
}

/* The joint energy, and its terms. */
static mm_status record_energy(mmi_sampler *s, mm_error *e)
{
	mmi_energy_net *n = &s->energy;
	mm_tensor outputs[MMI_TERMS + 1];
	uint32_t count = 0;
	MMI_TRY(begin(&n->net, e));
	mmi_graph *g = n->net.graph;
	record_inputs(s->model, g, n->x);
	for (int k = 0; k < MMI_TERMS; k++) {
		n->term[k] = MMI_NONE;
		if (!mmi_model_has_term(s->model, (mmi_term)k))
			continue;
		MMI_TRY(mmi_model_term(s->model, (mmi_term)k, g, n->x, &n->term[k], e));
		n->energy = count ? mmi_graph_ops.add(g, n->energy, n->term[k]) : n->term[k];
		count = append(outputs, count, n->term[k]);
	}
	if (count > 1)
		count = append(outputs, count, n->energy);
	return compile(s, &n->net, outputs, count, e);
}

static mm_status record_embed(mmi_sampler *s, mm_error *e)
{
	mmi_embed_net *n = &s->embed;
	mm_tensor outputs[MMI_MAX_MODALITIES + 1];
	const uint32_t count = s->model->n_modalities;
	if (!s->model->match)
		return MM_OK;
	MMI_TRY(begin(&n->net, e));
	record_inputs(s->model, n->net.graph, n->x);
	for (uint32_t i = 0; i < count; i++)
		MMI_TRY(mmi_model_embed(s->model, i, n->net.graph, n->x[i], &n->unit[i], e));
	n->scale = mmi_model_match_scale(s->model, n->net.graph);
	memcpy(outputs, n->unit, count * sizeof *outputs);
	outputs[count] = n->scale;
	return compile(s, &n->net, outputs, count + 1, e);
}

mm_status mmi_sampler_prepare(mmi_sampler *s, uint32_t nets, mm_error *e)
{
	static mm_status (*const record[])(mmi_sampler *, mm_error *) = {
		record_encode, record_decode, record_posterior, record_potential, record_revise, record_energy, record_embed,
	};
	static mm_status (*const record_by[])(mmi_sampler *, uint32_t, mm_error *) = { record_guide, record_screen,
		                                                                           record_fit };
	static const uint32_t first_by[] = { MMI_NET_GUIDE(0), MMI_NET_SCREEN(0), MMI_NET_FIT(0) };
	for (size_t i = 0; i < MMI_COUNT(record); i++)
		if (nets & ~s->nets & 1u << i) {
			MMI_TRY(record[i](s, e));
			s->nets |= 1u << i;
		}
	for (uint32_t i = 0; i < MMI_COUNT(record_by) * MMI_TERM_SETS; i++) {
		const uint32_t by = i / MMI_TERM_SETS, terms = i % MMI_TERM_SETS, net = first_by[by] << terms;
		if (nets & ~s->nets & net) {
			MMI_TRY(record_by[by](s, terms, e));
			s->nets |= net;
		}
	}
	return MM_OK;
}
