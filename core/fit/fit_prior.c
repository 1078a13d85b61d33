/* fit_prior.c - latents of the training data, and what is fitted to each of them. */
#include "mmi_build.h"

#include "fit/fit_prior.h"

#include "engine/streams.h"
#include "engine/vec.h"
#include "fit/prune.h"

#include <math.h>
#include <stdio.h>

typedef struct job {
	const mmi_saved *saved;
	const mmi_fit_request *request;
	mmi_aggregate draws;
	mmi_fitted *out;
	mmi_fit_report *reports;
	uint32_t n;
} job;

/* ------------------------------------------------------------ mixtures */

static double standard_density(const float *x, size_t n, size_t dim)
{
	const double log_sqrt_2pi = 0.91893853320467274;
	double sum = 0;
	for (size_t i = 0; i < n * dim; i++)
		sum -= 0.5 * (double)x[i] * (double)x[i] + log_sqrt_2pi;
	return sum / (double)n;
}

static mm_status fit_part(job *j, const char *of, const float *x, uint32_t rows, int32_t dim, mmi_fitted_part *out,
                          mm_error *e)
{
	char stream[64];
	const mmi_settings *s = &j->saved->setup.settings;
	mmi_fit_report *report = &j->reports[j->n++];
	snprintf(stream, sizeof stream, MMI_STREAM_FIT, of);
	const mmi_mixture_request mixture = { .components = j->request->components,
		                                  .full = j->request->full,
		                                  .iterations = 200,
		                                  .tolerance = 1e-4,
		                                  .key = mmi_rng_key(s->seed, stream) };
	*report =
		(mmi_fit_report){ .of = of, .asked = mixture.components, .standard = standard_density(x, rows, (size_t)dim) };
	mm_status status = mmi_mixture_fit(x, rows, (size_t)dim, &mixture, j->saved->setup.pool, out, &report->outcome, e);
	if (status != MM_OK)
		mmi_fail_prefix(e, "the prior of %s", of);
	report->found = out->n;
	return status;
}

static mm_status fit_all(job *j, mm_error *e)
{
	const mmi_model *m = j->saved->model;
	const mmi_aggregate *a = &j->draws;
	j->out->family = MMI_PRIOR_NORMAL;
	if (a->z)
		MMI_TRY(fit_part(j, "z", a->z, a->tuples, mmi_model_z_dim(m), &j->out->z, e));
	for (uint32_t i = 0; i < m->n_modalities; i++)
		if (a->w[i])
			MMI_TRY(fit_part(j, m->modalities[i].name, a->w[i], a->w_rows[i], mmi_model_w_dim(m), &j->out->w[i], e));
	return MM_OK;
}

/* ------------------------------------------------------------ the model's own clusters */

typedef struct clusters { /* on the host */
	uint32_t n;
	size_t dim;
	float *logits, *means;
	double *weight;
} clusters;

static void clear_clusters(clusters *c)
{
	mmi_free(c->logits);
	mmi_free(c->means);
	mmi_free(c->weight);
}

static mm_status fetch_clusters(const mmi_model *m, clusters *c, mm_error *e)
{
	const mmi_clusters own = mmi_model_clusters(m);
	double largest = -INFINITY, total = 0;
	*c = (clusters){ .n = own.n, .dim = own.dim };
	c->logits = mmi_alloc(own.n, sizeof *c->logits);
	c->means = mmi_alloc(own.n * own.dim, sizeof *c->means);
	c->weight = mmi_alloc(own.n, sizeof *c->weight);
	if (!c->logits || !c->means || !c->weight)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u clusters", own.n);
	m->device->ops->download(m->device, c->logits, own.log_weight.at, own.n * sizeof *c->logits);
	m->device->ops->download(m->device, c->means, own.loc.at, own.n * own.dim * sizeof *c->means);
	MMI_TRY(m->device->ops->wait(m->device, e));
	for (uint32_t i = 0; i < own.n; i++)
		largest = fmax(largest, (double)c->logits[i]);
	for (uint32_t i = 0; i < own.n; i++)
		total += c->weight[i] = exp((double)c->logits[i] - largest);
	for (uint32_t i = 0; i < own.n; i++)
		c->weight[i] /= total;
	return MM_OK;
}

/* log p(z | c), of scale 1. */
static double log_density(const clusters *c, uint32_t cluster, const float *z, bool laplace)
{
	const double constant = laplace ? 0.69314718055994531 : 0.91893853320467274;
	double sum = 0;
	for (size_t d = 0; d < c->dim; d++) {
		const double apart = (double)z[d] - (double)c->means[cluster * c->dim + d];
		sum += (laplace ? fabs(apart) : 0.5 * apart * apart) + constant;
	}
	return -sum;
}

static double *joint_of(const job *j, const clusters *c)
{
	const mmi_aggregate *a = &j->draws;
	const size_t draws = (size_t)a->tuples * a->experts;
	const bool laplace = j->saved->model->config.prior == MMI_PRIOR_LAPLACE;
	double *joint = mmi_alloc(draws * c->n, sizeof *joint);
	for (size_t i = 0; joint && i < draws; i++)
		for (uint32_t k = 0; k < c->n; k++)
			joint[i * c->n + k] = log(c->weight[k]) + log_density(c, k, a->z + i * c->dim, laplace);
	return joint;
}

static mm_status keep_clusters(job *j, const clusters *c, const bool *keep, size_t kept, mm_error *e)
{
	mmi_fitted_part *to = &j->out->z;
	uint32_t at = 0;
	MMI_TRY(mmi_fitted_part_create((uint32_t)kept, c->dim, false, to, e));
	for (uint32_t k = 0; k < c->n; k++) {
		if (!keep[k])
			continue;
		to->log_weight[at] = (float)log(c->weight[k]);
		for (size_t d = 0; d < c->dim; d++) {
			to->loc[at * c->dim + d] = c->means[k * c->dim + d];
			to->scale[at * c->dim + d] = 1;
		}
		at++;
	}
	j->out->family = j->saved->model->config.prior;
	j->reports[j->n++] = (mmi_fit_report){ .of = "z", .asked = c->n, .found = at };
	return MM_OK;
}

static mm_status prune(job *j, const clusters *c, mm_error *e)
{
	const mmi_aggregate *a = &j->draws;
	double *joint = joint_of(j, c);
	bool *keep = mmi_alloc(c->n, sizeof *keep);
	size_t kept = 0;
	const mmi_prune_request request = { .log_joint = joint,
		                                .there = a->there,
		                                .tuples = a->tuples,
		                                .experts = a->experts,
		                                .clusters = c->n,
		                                .dim = c->dim,
		                                .weight = c->weight,
		                                .beta = j->saved->setup.settings.beta };
	mm_status status = joint && keep ? mmi_prune(&request, keep, &kept, e)
	                                 : mmi_fail(e, MM_ENOMEM, "out of memory for %u clusters", c->n);
	if (status == MM_OK)
		status = keep_clusters(j, c, keep, kept, e);
	mmi_free(joint);
	mmi_free(keep);
	return status;
}

static mm_status prune_all(job *j, mm_error *e)
{
	clusters c;
	mm_status status = fetch_clusters(j->saved->model, &c, e);
	if (status == MM_OK)
		status = prune(j, &c, e);
	clear_clusters(&c);
	return status;
}

/* ------------------------------------------------------------ the whole */

mm_status mmi_fit_prior(const mmi_saved *s, mmi_tuples *tuples, uint32_t block, const mmi_fit_request *r,
                        const mmi_fit_hooks *hooks, mmi_fitted *out, mmi_fit_report *reports, uint32_t *n, mm_error *e)
{
	job j = { .saved = s, .request = r, .out = out, .reports = reports };
	*out = (mmi_fitted){ .device = NULL };
	if (r->prune && !s->model->config.clusters)
		return mmi_fail(
			e, MM_ECONFIG,
			"the model's prior has no clusters that could be left out; those of [learner] objective = cmvae "
			"have");
	if (mmi_tuples_count(tuples) > r->count)
		MMI_TRY(mmi_tuples_pick(tuples, r->count, s->setup.settings.seed, e));
	MMI_TRY(mmi_aggregate_draw(s, tuples, block, r->prune, hooks, &j.draws, e));
	mm_status status = r->prune ? prune_all(&j, e) : fit_all(&j, e);
	mmi_aggregate_clear(&j.draws);
	if (status != MM_OK)
		mmi_fitted_clear(out);
	*n = j.n;
	return status;
}
