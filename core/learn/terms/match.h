/* match.h - E_match learns: in every iteration, warm-up included, for it needs no chains. */
#ifndef MMI_LEARN_MATCH_H
#define MMI_LEARN_MATCH_H

#include "learn/reduce.h"
#include "learn/terms/ranking.h"

typedef struct mmi_match {
	mmi_ranking ranking;
	mmi_room room;                   /* for the vectors of all ranks */
	float *unit[MMI_MAX_MODALITIES]; /* [rows here][MMI_MATCH_DIM] */
	float *scale;                    /* [rows here]: log(1 / tau), the same in each */
	float *here[MMI_MAX_MODALITIES]; /* where the gradients of the rows here begin: never freed */
} mmi_match;

mm_status mmi_match_create(const mmi_model *m, const mmi_reduce *r, mmi_match *out, mm_error *e);
void mmi_match_clear(mmi_match *k);

#endif
