/* scores.h - the joint energy of complete tuples, the experts' agreement included where the settings have it: the
 * lower, the better the modalities fit each other. */
#ifndef MMI_SCORES_H
#define MMI_SCORES_H

#include "data/tuples.h"
#include "store/csv.h"
#include "trained/hooks.h"
#include "trained/inputs.h"

#define MMI_SCORES_ROWS 64u /* what the saved model's sampler must allow */

/* The joint energy of n tuples; an energy that is not finite is an error. */
mm_status mmi_scores_of(const mmi_saved *s, uint32_t n, mmi_tuple_reader *read, void *ctx, const mmi_hooks *hooks,
                        float *energy, mm_error *e);

/* Three kinds of tuples, as readers. */
typedef struct mmi_scores_inputs {
	const mmi_model *model;
	const mmi_inputs *inputs;
} mmi_scores_inputs;
mmi_tuple_reader mmi_scores_read_inputs; /* ctx: mmi_scores_inputs */
mmi_tuple_reader mmi_scores_read_tuples; /* ctx: mmi_tuples, complete */

/* A CSV file with a column a modality: files, relative to the list or else to the current folder, or texts. Other
 * columns are none of its business. */
typedef struct mmi_scores_list {
	const mmi_model *model;
	const char *path;
	mmi_csv csv;
	size_t column[MMI_MAX_MODALITIES];
} mmi_scores_list;
mm_status mmi_scores_list_open(const mmi_model *model, const char *path, mmi_scores_list *out, mm_error *e);
void mmi_scores_list_close(mmi_scores_list *l);
mmi_tuple_reader mmi_scores_read_list; /* ctx: mmi_scores_list */

/* MM_ECONFIG naming what is missing, unless every modality is given. */
mm_status mmi_scores_check(const mmi_model *model, const mmi_inputs *in, mm_error *e);

#endif
