/* mixture.h - a mixture of normal distributions fitted to rows of numbers by expectation-maximisation (Dempster, Laird
 * and Rubin 1977). */
#ifndef MMI_FIT_MIXTURE_H
#define MMI_FIT_MIXTURE_H

#include "engine/pool.h"
#include "run/fitted.h"

typedef struct mmi_mixture_request {
	uint32_t components; /* at most as many as rows */
	bool full;           /* covariances; otherwise they are diagonal. Needs LAPACK */
	uint32_t iterations; /* at most */
	double tolerance;    /* it ends when the mean log-likelihood rises by less */
	uint64_t key;        /* of the random numbers that the start is drawn with */
} mmi_mixture_request;

typedef struct mmi_mixture_outcome {
	uint32_t iterations;
	double log_likelihood; /* mean over the rows */
} mmi_mixture_outcome;

/* x [n][dim]. Starts from k-means (k-means++, then ten rounds); 1e-6 is added to every variance; components that come
 * to stand for no row are left out of *out. The result does not depend on the threads. MM_ECONFIG: too few rows. */
mm_status mmi_mixture_fit(const float *x, size_t n, size_t dim, const mmi_mixture_request *r, mmi_pool *pool,
                          mmi_fitted_part *out, mmi_mixture_outcome *outcome, mm_error *e);

#endif
