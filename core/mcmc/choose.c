/* choose.c - where guided chains start: one of several draws of the latents, by the energy of what they decode to. */
#include "mmi_build.h"

#include "mcmc/sampler_nets.h"

#include <math.h>

/* How draws are made: from experts, or, where start is NULL, from the prior. */
typedef struct proposal {
	const mmi_start_args *start;
	const mmi_experts *experts;
} proposal;

static void propose(mmi_sampler *s, const mmi_guide_args *a, const proposal *p, uint32_t candidate, uint32_t rows, mmi_latents *z)
{
	if (!p->start) {
		mmi_sampler_prior(s, rows, candidate, a->iteration, z);
		return;
	}
	mmi_start_args start = *p->start;
	start.chain += candidate;
	mmi_sampler_start(s, &start, p->experts, rows, z);
}

/* The largest of log-weights plus standard Gumbel noise is one of them, with probability proportional to the weight. */
static double gumbel(const mmi_sampler *s, uint32_t row, uint32_t candidate, uint32_t iteration)
{
	uint32_t words[4];
	mmi_philox(s->key.candidate, (const uint32_t[4]){ candidate, row, 0, iteration }, words);
	return -log(-log(((double)words[0] + 0.5) / 4294967296.0));
}

static void keep_better(mmi_sampler *s, const mmi_guide_args *a, uint32_t candidate, uint32_t rows, mmi_latents *z)
{
	for (uint32_t r = 0; r < rows; r++) {
		double energy = (double)s->screened[r];
		double score = isfinite(energy) ? gumbel(s, r, candidate, a->iteration) - a->weight * energy : -INFINITY;
		if (candidate && !(score > s->score[r]))
			continue;
		s->score[r] = score;
		if (!candidate)
			continue; /* it is there already */
		mmi_latents to = mmi_latents_at(z, s->model, r), from = mmi_latents_at(&s->candidate, s->model, r);
		mmi_latents_copy(&to, &from, s->model, 1);
	}
}

static void choose(mmi_sampler *s, const mmi_guide_args *a, const proposal *p, uint32_t rows, mmi_latents *z)
{
	propose(s, a, p, 0, rows, z);
	if (a->candidates < 2 || (p->start && !(p->start->temperature > 0)))
		return;
	for (uint32_t k = 0; k < a->candidates; k++) {
		if (k)
			propose(s, a, p, k, rows, &s->candidate);
		mmi_sampler_screen(s, a, rows, k ? &s->candidate : z, s->screened);
		keep_better(s, a, k, rows, z);
	}
}

void mmi_sampler_choose_prior(mmi_sampler *s, const mmi_guide_args *a, uint32_t rows, mmi_latents *z)
{
	const mmi_guide_args alone = { .candidates = a->candidates, .iteration = a->iteration, .weight = a->weight };
	const proposal p = { .start = NULL };
	choose(s, &alone, &p, rows, z);
}

void mmi_sampler_choose_start(mmi_sampler *s, const mmi_guide_args *a, const mmi_start_args *start, const mmi_experts *experts,
                              uint32_t rows, mmi_latents *z)
{
	const proposal p = { start, experts };
	choose(s, a, &p, rows, z);
}
