/* linalg.c - LAPACK and BLAS behind plain C functions. */
#include "mmi_build.h"

#include "eval/linalg.h"

#include <math.h>
#include <string.h>

#ifdef HAVE_LAPACK

/* Fortran: everything by address, matrices column by column, which for symmetric ones is the same. The lengths of the
 * character arguments are hidden ones at the end; LAPACK looks at the first letter only. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info, size_t, size_t);
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a, const int *lda,
             const double *vl, const double *vu, const int *il, const int *iu, const double *abstol, int *m, double *w,
             double *z, const int *ldz, int *isuppz, double *work, const int *lwork, int *iwork, const int *liwork,
             int *info, size_t, size_t, size_t);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t);
void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *a,
            const int *lda, const double *beta, double *c, const int *ldc, size_t, size_t);

bool mmi_linalg_available(void)
{
	return true;
}

static mm_status no_memory(uint32_t n, mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for the eigenvalues of a matrix of size %u", n);
}

static mm_status check(const char *routine, int info, uint32_t n, mm_error *e)
{
	if (info == 0)
		return MM_OK;
	return mmi_fail(e, MM_ENUMERIC,
	                "%s found no eigenvalues of a matrix of size %u (info %d); are all its entries finite?", routine, n,
	                info);
}

mm_status mmi_linalg_eigen(double *a, uint32_t n, bool vectors, double *values, mm_error *e)
{
	const char *job = vectors ? "V" : "N";
	int size = (int)n, query = -1, n_iwork, info;
	double n_work;
	dsyevd_(job, "U", &size, a, &size, values, &n_work, &query, &n_iwork, &query, &info, 1, 1);
	MMI_TRY(check("dsyevd", info, n, e));
	int length = (int)n_work;
	double *work = mmi_alloc((size_t)length, sizeof *work);
	int *iwork = mmi_alloc((size_t)n_iwork, sizeof *iwork);
	mm_status status = MM_OK;
	if (work && iwork) {
		dsyevd_(job, "U", &size, a, &size, values, work, &length, iwork, &n_iwork, &info, 1, 1);
		status = check("dsyevd", info, n, e);
	} else {
		status = no_memory(n, e);
	}
	mmi_free(work);
	mmi_free(iwork);
	return status;
}

/* LAPACK's order is ascending. */
static void reverse(double *values, double *vectors, uint32_t n, uint32_t k)
{
	for (uint32_t i = 0; i < k / 2; i++) {
		double *x = vectors + (size_t)i * n, *y = vectors + (size_t)(k - 1 - i) * n;
		double t = values[i];
		values[i] = values[k - 1 - i];
		values[k - 1 - i] = t;
		for (uint32_t j = 0; j < n; j++) {
			t = x[j];
			x[j] = y[j];
			y[j] = t;
		}
	}
}

mm_status mmi_linalg_top(double *a, uint32_t n, uint32_t k, double *values, double *vectors, mm_error *e)
{
	int size = (int)n, first = (int)(n - k + 1), last = (int)n, query = -1, found, n_iwork, info;
	double n_work, none = 0;
	double *all = mmi_alloc(n, sizeof *all); /* LAPACK wants room for every eigenvalue */
	int *support = mmi_alloc(2 * (size_t)k, sizeof *support), *iwork = NULL;
	double *work = NULL;
	mm_status status = all && support ? MM_OK : no_memory(n, e);
	if (status != MM_OK)
		goto done;
	dsyevr_("V", "I", "U", &size, a, &size, &none, &none, &first, &last, &none, &found, all, vectors, &size, support,
	        &n_work, &query, &n_iwork, &query, &info, 1, 1, 1);
	MMI_TRY_GOTO(check("dsyevr", info, n, e), done);
	int length = (int)n_work;
	work = mmi_alloc((size_t)length, sizeof *work);
	iwork = mmi_alloc((size_t)n_iwork, sizeof *iwork);
	if (!work || !iwork) {
		status = no_memory(n, e);
		goto done;
	}
	dsyevr_("V", "I", "U", &size, a, &size, &none, &none, &first, &last, &none, &found, all, vectors, &size, support,
	        work, &length, iwork, &n_iwork, &info, 1, 1, 1);
	MMI_TRY_GOTO(check("dsyevr", info, n, e), done);
	memcpy(values, all, k * sizeof *values);
	reverse(values, vectors, n, k);
done:
	mmi_free(all);
	mmi_free(support);
	mmi_free(work);
	mmi_free(iwork);
	return status;
}

mm_status mmi_linalg_gram(const double *x, uint32_t n, uint32_t d, double *out, mm_error *e)
{
	int rows = (int)n, columns = (int)d;
	double one = 1, zero = 0;
	(void)e;
	/* x row by row is its transpose column by column. */
	dsyrk_("U", "T", &rows, &columns, &one, x, &columns, &zero, out, &rows, 1, 1);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = i + 1; j < n; j++)
			out[(size_t)i * n + j] = out[(size_t)j * n + i];
	return MM_OK;
}

/* Row by row the lower triangle is Fortran's upper one. */
mm_status mmi_linalg_cholesky(double *a, uint32_t n, mm_error *e)
{
	int size = (int)n, info;
	dpotrf_("U", &size, a, &size, &info, 1);
	if (info)
		return mmi_fail(e, MM_ENUMERIC, "a matrix of size %u is not positive definite (dpotrf, info %d)", n, info);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = i + 1; k < n; k++)
			a[(size_t)i * n + k] = 0;
	return MM_OK;
}

#else

bool mmi_linalg_available(void)
{
	return false;
}

static mm_status absent(mm_error *e)
{
	return mmi_fail(e, MM_EUNSUPPORTED,
	                "this mmcore was built without LAPACK; install it (Debian: liblapack-dev) and configure again");
}

mm_status mmi_linalg_eigen(double *a, uint32_t n, bool vectors, double *values, mm_error *e)
{
	(void)a, (void)n, (void)vectors, (void)values;
	return absent(e);
}

mm_status mmi_linalg_top(double *a, uint32_t n, uint32_t k, double *values, double *vectors, mm_error *e)
{
	(void)a, (void)n, (void)k, (void)values, (void)vectors;
	return absent(e);
}

mm_status mmi_linalg_gram(const double *x, uint32_t n, uint32_t d, double *out, mm_error *e)
{
	(void)x, (void)n, (void)d, (void)out;
	return absent(e);
}

mm_status mmi_linalg_cholesky(double *a, uint32_t n, mm_error *e)
{
	(void)a, (void)n;
	return absent(e);
}

#endif
