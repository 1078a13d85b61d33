/* pca.h - principal components of raw samples: a feature space that no classifier's taste decides. */
#ifndef MMI_PCA_H
#define MMI_PCA_H

#include "base/base.h"

typedef struct mmi_pca {
	uint32_t d, k;    /* of a sample; components */
	double *mean;     /* [d] */
	double *axes;     /* [d][k]: column c is component c, of length 1 */
	double *variance; /* [k], descending, of the samples it was fitted to (dividing by n - 1) */
	double total;     /* variance of the samples in all directions */
} mmi_pca;

/* Up to k components of x [n][d]; fewer when n - 1 or d is smaller. Exact: eigenvectors of the smaller of the two Gram
 * matrices. A component's sign is such that its largest entry is positive. MM_EUNSUPPORTED without LAPACK. */
mm_status mmi_pca_fit(const float *x, uint32_t n, uint32_t d, uint32_t k, mmi_pca *out, mm_error *e);
void mmi_pca_clear(mmi_pca *p);
/* out [rows][k] = (x - mean) axes. */
void mmi_pca_project(const mmi_pca *p, const float *x, size_t rows, float *out);

#endif
