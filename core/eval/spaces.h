/* spaces.h - the feature spaces that Frechet distances are taken in, and Gaussian fits of samples in all of them: the
 * classifier's features, the matcher's embeddings, and principal components of raw values, so that no judge decides
 * alone. */
#ifndef MMI_SPACES_H
#define MMI_SPACES_H

#include "eval/frechet.h"
#include "eval/pca.h"
#include "model/model.h"

enum { MMI_CLASSIFIER, MMI_MATCHER, MMI_COMPONENTS, MMI_SPACES };
#define MMI_COMPONENT_COUNT 64u

struct mmi_eval_work;

/* Of the evaluated tuples. */
typedef struct mmi_spaces {
	bool open;
	mmi_pca components[MMI_MAX_MODALITIES];
	mmi_gauss data[MMI_MAX_MODALITIES][MMI_SPACES]; /* d is 0 where there is no such space */
	float *projected[MMI_MAX_MODALITIES];           /* [block][MMI_COMPONENT_COUNT] */
} mmi_spaces;

/* Fits the data, once, into w->spaces. NULL, or why there are no distances: too few samples, or no LAPACK. */
const char *mmi_spaces_lack(const struct mmi_eval_work *w, char text[200]);
mm_status mmi_spaces_open(struct mmi_eval_work *w, mm_error *e);
void mmi_spaces_close(mmi_spaces *s);

/* Fits of one modality's samples. */
typedef struct mmi_sample_fits {
	mmi_gauss at[MMI_SPACES];
} mmi_sample_fits;
mm_status mmi_sample_fits_create(const mmi_spaces *s, uint32_t m, mmi_sample_fits *out, mm_error *e);
void mmi_sample_fits_clear(mmi_sample_fits *f);
/* Rows of modality m as saved, their classifier features in w->features and embeddings in w->embedding. Tasks of
 * several modalities may run at once. */
void mmi_sample_fits_add_judged(struct mmi_eval_work *w, mmi_sample_fits *f, uint32_t m, uint32_t rows);
void mmi_sample_fits_add_components(struct mmi_eval_work *w, mmi_sample_fits *f, uint32_t m, const float *x,
                                    uint32_t rows);
/* "m0 hidden128", "m0 pca64" */
void mmi_space_text(const struct mmi_eval_work *w, uint32_t m, int space, char *text, size_t size);

#endif
