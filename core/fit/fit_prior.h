/* fit_prior.h - a prior for a trained model: what its encoders say of the training data, as a mixture, put into its
 * checkpoint. Samples are drawn from it where [sample] prior is fitted or auto. */
#ifndef MMI_FIT_PRIOR_H
#define MMI_FIT_PRIOR_H

#include "fit/aggregate.h"
#include "fit/mixture.h"

typedef struct mmi_fit_request {
	uint32_t components;
	bool full;      /* covariances */
	bool prune;     /* the clusters that the model learned, without those that the data do not want, instead */
	uint32_t count; /* tuples of the training split, drawn at random; all where there are fewer */
} mmi_fit_request;

/* Of one latent. */
typedef struct mmi_fit_report {
	const char *of; /* "z", or the modality whose w it is */
	uint32_t asked, found;
	mmi_mixture_outcome outcome; /* of a fit */
	double standard; /* mean log density of the same draws by the standard normal, beside outcome.log_likelihood */
} mmi_fit_report;

/* Fits z and every w, each on its own: normal mixtures also to a model whose own prior is Laplace, since the aggregate
 * posterior is of no family. The model's tuples are the training split as training saw it, incomplete ones included
 * where it kept them. reports [1 + modalities]; *n of them are filled. */
mm_status mmi_fit_prior(const mmi_saved *s, mmi_tuples *tuples, uint32_t block, const mmi_fit_request *r,
                        const mmi_fit_hooks *hooks, mmi_fitted *out, mmi_fit_report *reports, uint32_t *n, mm_error *e);

#endif
