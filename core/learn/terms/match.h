/* match.h - E_match learns: in every iteration, warm-up included, for it needs no chains. */
#ifndef MMI_LEARN_MATCH_H
#define MMI_LEARN_MATCH_H

#include "learn/reduce.h"
#include "learn/terms/ranking.h"

typedef struct mmi_match {
	mmi_ranking ranking;
	mmi_room all;         /* for the vectors of all ranks */
	mmi_device_rows unit; /* [rows here][MMI_MATCH_DIM] */
	mmi_floats scale;     /* [rows here]: log(1 / tau), the same in each */
	mmi_device_rows here; /* the ranking's gradients from the first row here on */
} mmi_match;

mm_status mmi_match_create(const mmi_model *m, const mmi_reduce *r, mmi_match *out, mm_error *e);
void mmi_match_clear(const mmi_model *m, mmi_match *k);

#endif
