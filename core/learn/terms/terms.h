/* terms.h - what the learner may add to the paper's losses, one file each: a term appended to those of an update, or an
 * update of its own. */
#ifndef MMI_LEARN_TERMS_H
#define MMI_LEARN_TERMS_H

#include "learn/update.h"

/* The contrastive loss between the experts, for an update of the inference model: `contrast_factor`, from
 * `contrast_start` on. */
void mmi_term_alignment(mmi_learner *l, const mmi_batch *batch, mmi_terms *t);
/* The same loss's gradient to the experts' locations, 0 before it starts, for an ELBO whose graph takes it; NULL if
 * there is none. */
const mmi_floats *mmi_alignment_pull(mmi_learner *l, const mmi_batch *batch);

/* `factor` times the loss of X revised given the z' it was made from, behind the term on data. */
void mmi_term_pairs(mmi_learner *l, mmi_loss *loss, double factor, mmi_terms *t);
/* Both terms as means, from their sums [2][2]: the first is over `rows` rows. */
double mmi_pairs_loss(const mmi_learner *l, const double *sums, uint32_t rows, double factor);

/* Tuples with one modality swapped as further negatives of the energy, for update `number` of an iteration:
 * `swap_factor`. The first term is that of the data; rows of it and of swapped tuples get factors. */
void mmi_term_swaps(mmi_learner *l, uint32_t number, mmi_terms *t);

/* Whether the model has E_match and it learns in this iteration: at its interval in a warm-up, always with chains. */
bool mmi_match_due(const mmi_learner *l, bool chains);
/* One update of it by the ranking loss. */
void mmi_update_match(mmi_learner *l, const mmi_batch *batch);

/* The draws of an ELBO's segment get weights of importance in the place of the experts' shares. Returns where the sum
 * of their bounds is. */
mmi_doubles mmi_weigh_draws(mmi_learner *l, mmi_segment *s);

/* Of an objective whose prior has an energy of latents; nothing happens with others: latents of the data and of the
 * prior, by the parameters as they are; one update by them. */
void mmi_latent_prior_draw(mmi_learner *l);
void mmi_update_latent_prior(mmi_learner *l);

/* One update of generator and inference by the ELBO: the whole of an iteration without chains, or `number` beside them.
 */
void mmi_update_elbo(mmi_learner *l, const mmi_batch *batch);
void mmi_update_elbo_beside(mmi_learner *l, const mmi_batch *batch, uint32_t number);

/* `impute`: incomplete tuples, completed: decoded from the revised z, then moved by the energy chain with what is there
 * held. */
void mmi_impute(mmi_learner *l, uint32_t t);
/* The energy's term on data, without its seed: complete tuples, imputed or with factors that leave out the others. */
mmi_segment mmi_complete_tuples(mmi_learner *l);
/* How many of a batch it counts. */
uint32_t mmi_complete_count(const mmi_learner *l);

#endif
