/* match.h - E_match learns: in every iteration, warm-up included, for it needs no chains. */
#ifndef MMI_LEARN_MATCH_H
#define MMI_LEARN_MATCH_H

#include "learn/terms/ranking.h"
#include "mcmc/sampler.h"

typedef struct mmi_match {
	mmi_ranking ranking;
	float *unit[MMI_MAX_MODALITIES]; /* [batch][MMI_MATCH_DIM] */
	float *scale;                    /* [batch]: log(1 / tau), the same in each */
} mmi_match;

mm_status mmi_match_create(const mmi_model *m, uint32_t batch, mmi_match *out, mm_error *e);
void mmi_match_clear(mmi_match *k);

#endif
