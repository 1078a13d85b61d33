/* choose.c - where guided chains start: one of several draws of the latents, by the energy of what they decode to. */
#include "mmi_build.h"

#include "mcmc/sampler_nets.h"

static void propose(mmi_sampler *s, const mmi_guide_args *a, const mmi_proposal *from, uint32_t candidate,
                    mmi_span span, const mmi_device_latents *z)
{
	if (!from->start) {
		mmi_run_prior(s, span, candidate, a->iteration, z);
		return;
	}
	mmi_start_args start = *from->start;
	start.chain += candidate;
	mmi_run_start(s, &start, from->parts, from->experts, span, z);
}

static void pick(const mmi_sampler *s, mmi_floats to, mmi_floats from, uint32_t rows, int32_t dim)
{
	const mmi_device *d = s->model->device;
	const mmi_pick a = { .out = to, .from = from, .where = s->taken, .rows = rows, .count = (size_t)dim };
	if (to.at)
		d->rows->pick(d, &a);
}

static void keep_better(mmi_sampler *s, const mmi_guide_args *a, uint32_t candidate, mmi_span span,
                        const mmi_device_latents *z)
{
	const mmi_device *d = s->model->device;
	const mmi_choice choice = { .energy = s->screened,
		                        .score = s->score,
		                        .taken = s->taken,
		                        .rows = span.rows,
		                        .first = span.first,
		                        .candidate = candidate,
		                        .iteration = a->iteration,
		                        .key = s->key.candidate,
		                        .weight = a->weight };
	d->rows->choose(d, &choice);
	if (!candidate)
		return; /* it is there already */
	pick(s, z->z, s->candidate.z, span.rows, mmi_model_z_dim(s->model));
	for (uint32_t m = 0; m < s->model->n_modalities; m++)
		pick(s, z->w[m], s->candidate.w[m], span.rows, mmi_model_w_dim(s->model));
}

void mmi_run_choose(mmi_sampler *s, const mmi_guide_args *a, const mmi_parts *p, const mmi_device_rows *x,
                    const mmi_proposal *from, mmi_span span, const mmi_device_latents *z)
{
	propose(s, a, from, 0, span, z);
	if (a->candidates < 2 || (from->start && !(from->start->temperature > 0)))
		return;
	for (uint32_t k = 0; k < a->candidates; k++) {
		if (k)
			propose(s, a, from, k, span, &s->candidate);
		mmi_run_screen(s, a->terms, p, x, span.rows, k ? &s->candidate : z, s->screened);
		keep_better(s, a, k, span, z);
	}
}
