/* elbo.c - generator and inference learn by an ELBO on the same networks: the warm-up gives the chains a start worth
 * revising, a baseline goes on with it, and updates may be made beside the chains. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "learn/guard.h"
#include "learn/terms/terms.h"

static void tell_elbo(const mmi_learner *l, const double *sums, mmi_measures *m)
{
	m->elbo = sums[0] / l->span.of;
}

/* That of weighted draws is their bound. */
static void check_elbo(mmi_learner *l, const mmi_terms *t, mmi_doubles sums, mmi_doubles norms, uint32_t n, int first)
{
	(void)t;
	mmi_guard_elbo(l, l->importance.draws ? l->importance.told : sums, norms, n, first);
}

/* Standard draws, `first` the number of the first: draw k of a sample is in row k B + its own. */
static void draw(mmi_learner *l, uint32_t first, mmi_segment *s)
{
	for (uint32_t i = 0; i < l->n_eps; i++) {
		for (uint32_t k = 0; k < l->draws; k++) {
			const mmi_device_latents at = mmi_device_latents_at(l->model, &l->eps[i], (size_t)k * l->span.rows);
			mmi_run_standard(l->sampler, l->span, first + k * l->n_eps + i, (uint32_t)l->state.iteration, &at);
		}
		s->z[i] = l->eps[i];
	}
}

static void update(mmi_learner *l, const mmi_batch *batch, uint32_t first)
{
	uint32_t b = l->span.rows;
	mmi_terms terms = { .n = 1 };
	terms.at[0] = (mmi_segment){ .loss = &l->elbo,
		                         .x = &l->x,
		                         .seen = &l->seen,
		                         .pull = mmi_alignment_pull(l, batch),
		                         .mask = &l->masks.data,
		                         .rows = l->draws * b,
		                         .x_rows = b,
		                         .seed = 1.0f / (float)l->span.of };
	draw(l, first, &terms.at[0]);
	if (l->importance.draws)
		mmi_readings_tell(&l->readings, mmi_weigh_draws(l, &terms.at[0]), tell_elbo);
	mmi_model_update(l, &terms, check_elbo, l->importance.draws ? NULL : tell_elbo);
}

void mmi_update_elbo(mmi_learner *l, const mmi_batch *batch)
{
	mmi_masks_fill(l->model, &l->masks, l->sampler, &l->reduce, batch->observed, (uint32_t)l->state.iteration);
	mmi_latent_prior_draw(l);
	update(l, batch, 0);
	mmi_update_latent_prior(l);
}

void mmi_update_elbo_beside(mmi_learner *l, const mmi_batch *batch, uint32_t number)
{
	update(l, batch, MMI_DRAWS_ELBO + number * l->n_eps * l->draws);
}
