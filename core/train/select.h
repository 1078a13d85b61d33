/* select.h - a figure that tells how good a model in training is, from tuples it is not trained on and without a judge.
 */
#ifndef MMI_SELECT_H
#define MMI_SELECT_H

#include "data/tuples.h"
#include "learn/learner.h"

#define MMI_SELECT_TUPLES 256u /* read at most */

typedef struct mmi_select mmi_select;

/* Reads tuples of a split, those of a permutation where there are more than it takes; the learner must outlive it. The
 * tuples are not needed any more. */
mm_status mmi_select_create(mmi_learner *l, mmi_tuples *tuples, mmi_select **out, mm_error *e);
void mmi_select_destroy(mmi_select *s);
/* How well any modality is told from any other: the mean of weight_t NLL_t(x_t | z, w_t), z ~ q(z | x_s), w_t ~ p0,
 * over all tuples and all pairs of modalities s, t it has, s not t (with one modality: of itself). The draws are the
 * same at every call. With a moving average of the generator, of that. A function of the parameters alone; leaves the
 * learner as it was. */
double mmi_select_nll(mmi_select *s);

#endif
