/* frechet.h - the Frechet distance between Gaussian fits of two sets of vectors (Heusel et al. 2017), in double. */
#ifndef MMI_FRECHET_H
#define MMI_FRECHET_H

#include "base/base.h"

/* Mean and covariance of vectors that come block by block. */
typedef struct mmi_gauss {
	uint32_t d;
	uint64_t n;       /* vectors so far */
	double *origin;   /* [d]: the first vector, subtracted from all, so that sums do not cancel */
	double *sum;      /* [d] of x - origin */
	double *products; /* [d][d] of (x - origin)(x - origin)^T, upper triangle */
	double *row;      /* [d] work */
} mmi_gauss;

mm_status mmi_gauss_create(uint32_t d, mmi_gauss *out, mm_error *e);
void mmi_gauss_clear(mmi_gauss *g);
void mmi_gauss_add(mmi_gauss *g, const float *x /* [rows][d] */, size_t rows);
/* The covariance divides by n - 1, as numpy.cov; n >= 2. */
void mmi_gauss_fit(const mmi_gauss *g, double *mean /* [d] */, double *covariance /* [d][d] */);

/* |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)). The root's trace is that of the symmetric S1^(1/2) S2 S1^(1/2), so
 * singular covariances (fewer vectors than dimensions, features that never fire) are no special case. MM_EUNSUPPORTED
 * without LAPACK; MM_EARG when a set has fewer than two vectors. */
mm_status mmi_frechet(const mmi_gauss *a, const mmi_gauss *b, double *out, mm_error *e);
/* The same from means and covariances [d][d]. */
mm_status mmi_frechet_of(uint32_t d, const double *mean1, const double *cov1, const double *mean2, const double *cov2,
                         double *out, mm_error *e);

#endif
