/* linalg.h - the few dense operations of evaluation that LAPACK does, in double. Matrices are square, row by row;
 * symmetric ones are given whole. Without LAPACK (configure) they fail with MM_EUNSUPPORTED and say so. */
#ifndef MMI_LINALG_H
#define MMI_LINALG_H

#include "base/base.h"

/* False: this build has no LAPACK. */
bool mmi_linalg_available(void);
/* Eigenvalues of the symmetric a [n][n], ascending; a becomes the eigenvectors, one a row, when vectors is set, and is
 * destroyed otherwise. (LAPACK dsyevd) */
mm_status mmi_linalg_eigen(double *a, uint32_t n, bool vectors, double *values, mm_error *e);
/* The k largest eigenvalues, descending, and their eigenvectors, one a row of vectors [k][n]; a is destroyed. (dsyevr)
 */
mm_status mmi_linalg_top(double *a, uint32_t n, uint32_t k, double *values, double *vectors, mm_error *e);
/* out [n][n] = x x^T for x [n][d]. (BLAS dsyrk) */
mm_status mmi_linalg_gram(const double *x, uint32_t n, uint32_t d, double *out, mm_error *e);
/* The lower triangle of the positive definite a [n][n] becomes L, a = L L^T, the upper one 0. MM_ENUMERIC: it is not.
 * (dpotrf) */
mm_status mmi_linalg_cholesky(double *a, uint32_t n, mm_error *e);

#endif
