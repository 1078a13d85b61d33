/* pairs.c - X revised and the z' that it was made from, as further data of generator and inference. Without them where
 * the data chain did not start at the generator's samples: nothing made that X from this z'. */
#include "mmi_build.h"

#include "learn/terms/terms.h"

static bool has_pairs(const mmi_learner *l, double factor)
{
	return factor > 0 && l->settings->x_start != MMI_START_NOISE;
}

void mmi_term_pairs(mmi_learner *l, mmi_loss *loss, double factor, mmi_terms *t)
{
	const uint32_t b = l->span.rows;
	if (has_pairs(l, factor))
		t->at[t->n++] = (mmi_segment){ .loss = loss,
			                           .x = &l->revised,
			                           .z = { l->z_prior },
			                           .mask = &l->masks.generated,
			                           .rows = b,
			                           .x_rows = b,
			                           .seed = (float)(factor / l->span.of) };
}

double mmi_pairs_loss(const mmi_learner *l, const double *sums, uint32_t rows, double factor)
{
	return sums[0] / rows + (has_pairs(l, factor) ? factor * sums[2] / l->span.of : 0);
}
