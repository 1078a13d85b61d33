/* host_linalg.c - linear algebra for plugins: the truncated singular value decomposition of a sparse matrix.
 *
 * Randomised subspace iteration (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1) with a fixed random start: a
 * few passes over the entries, no dense copy, no library whose version would change bits. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "engine/vec.h"
#include "plugin/host.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OVERSAMPLING = 16, PASSES = 10, SWEEPS = 60 };

/* Columns are vectors: basis k of a side of n is data[i * k + j], so that products run over contiguous memory. */
typedef struct work {
	const mm_sparse *a;
	uint32_t rank, k;     /* wanted, and iterated on */
	double *left;         /* [rows][k] */
	double *right;        /* [columns][k] */
	double *small, *turn; /* [k][k] */
} work;

/* ---------------------------------------------------------------- checks */

static mm_status check_matrix(const mm_sparse *a, uint32_t rank, mm_error *e)
{
	if (!a || a->struct_size < MM_SIZE_THROUGH(mm_sparse, value) || !a->begin || !a->column || !a->value)
		return mmi_fail(e, MM_EARG, MM_HOST_LINALG ": no matrix");
	uint32_t side = a->rows < a->columns ? a->rows : a->columns;
	if (rank < 1 || rank > side)
		return mmi_fail(e, MM_EARG, MM_HOST_LINALG ": rank %u of a %u x %u matrix; expected 1 to %u", rank, a->rows,
		                a->columns, side);
	if (a->begin[0])
		return mmi_fail(e, MM_EARG, MM_HOST_LINALG ": the first row begins at entry %llu; expected 0",
		                (unsigned long long)a->begin[0]);
	for (uint32_t i = 0; i < a->rows; i++)
		if (a->begin[i + 1] < a->begin[i])
			return mmi_fail(e, MM_EARG, MM_HOST_LINALG ": row %u ends before it begins", i);
	for (uint64_t k = 0; k < a->begin[a->rows]; k++)
		if (a->column[k] >= a->columns || !isfinite(a->value[k]))
			return mmi_fail(e, MM_EARG,
			                MM_HOST_LINALG
			                ": entry %llu has column %u and value %g; expected a column below %u and a finite "
			                "value",
			                (unsigned long long)k, a->column[k], (double)a->value[k], a->columns);
	return MM_OK;
}

/* ---------------------------------------------------------------- products and orthogonal bases */

static void add_scaled(double *y, double s, const double *x, uint32_t n)
{
	for (uint32_t j = 0; j < n; j++)
		y[j] += s * x[j];
}

/* left = a right */
static void multiply(const work *w)
{
	const mm_sparse *a = w->a;
	for (uint32_t i = 0; i < a->rows; i++) {
		double *row = w->left + (size_t)i * w->k;
		memset(row, 0, w->k * sizeof *row);
		for (uint64_t t = a->begin[i]; t < a->begin[i + 1]; t++)
			add_scaled(row, (double)a->value[t], w->right + (size_t)a->column[t] * w->k, w->k);
	}
}

/* right = a' left */
static void multiply_transposed(const work *w)
{
	const mm_sparse *a = w->a;
	memset(w->right, 0, (size_t)a->columns * w->k * sizeof *w->right);
	for (uint32_t i = 0; i < a->rows; i++)
		for (uint64_t t = a->begin[i]; t < a->begin[i + 1]; t++)
			add_scaled(w->right + (size_t)a->column[t] * w->k, (double)a->value[t], w->left + (size_t)i * w->k, w->k);
}

/* g = x' x, the upper half. */
static void gram(const double *x, uint32_t n, uint32_t k, double *g)
{
	memset(g, 0, (size_t)k * k * sizeof *g);
	for (size_t i = 0; i < n; i++)
		for (uint32_t p = 0; p < k; p++)
			add_scaled(g + (size_t)p * k + p, x[i * k + p], x + i * k + p, k - p);
}

/* g = r' r with r upper triangular, in place. A column that depends on earlier ones gets a diagonal of 0. */
static void cholesky(double *g, uint32_t k)
{
	for (size_t p = 0; p < k; p++) {
		double *row = g + p * k, before = row[p];
		for (size_t q = 0; q < p; q++)
			add_scaled(row + p, -g[q * k + p], g + q * k + p, k - (uint32_t)p);
		bool depends = !(row[p] > 1e-12 * before && row[p] > DBL_MIN);
		double scale = depends ? 0 : 1 / sqrt(row[p]);
		for (size_t j = p; j < k; j++)
			row[j] *= scale;
	}
}

/* x <- x r^-1; columns with a diagonal of 0 become 0. */
static void solve(double *x, uint32_t n, uint32_t k, const double *r)
{
	for (size_t i = 0; i < n; i++) {
		double *row = x + i * k;
		for (uint32_t p = 0; p < k; p++) {
			double diagonal = r[(size_t)p * k + p];
			row[p] = diagonal > 0 ? row[p] / diagonal : 0;
			add_scaled(row + p + 1, -row[p], r + (size_t)p * k + p + 1, k - p - 1);
		}
	}
}

/* Orthonormal columns by Cholesky's factor of the Gram matrix, twice for the digits the first pass loses. Columns that
 * depend on earlier ones become 0. */
static void orthonormalise(const work *w, double *x, uint32_t n)
{
	for (int twice = 0; twice < 2; twice++) {
		gram(x, n, w->k, w->small);
		cholesky(w->small, w->k);
		solve(x, n, w->k, w->small);
	}
}

/* Uniform numbers in -1..1: a function of their place alone. */
static void random_start(const work *w)
{
	const uint64_t key = mmi_rng_key(0, MMI_STREAM_LINALG);
	const size_t n = (size_t)w->a->columns * w->k;
	uint32_t words[4] = { 0 };
	for (size_t at = 0; at < n; at++) {
		const uint32_t counter[4] = { (uint32_t)(at / 4), (uint32_t)(at >> 34), 0, 0 };
		if (at % 4 == 0)
			mmi_philox(key, counter, words);
		w->right[at] = (double)words[at % 4] / 2147483648.0 - 1;
	}
}

/* ---------------------------------------------------------------- the small eigenproblem */

/* One Jacobi rotation: makes s[p][q] zero in the symmetric s and turns the columns of v along. */
static void rotate(double *s, double *v, uint32_t k, uint32_t p, uint32_t q)
{
	double off = s[(size_t)p * k + q];
	if (off == 0)
		return;
	double theta = (s[(size_t)q * k + q] - s[(size_t)p * k + p]) / (2 * off);
	double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), sn = t * c;
	for (size_t i = 0; i < k; i++) {
		double a = s[i * k + p], b = s[i * k + q];
		s[i * k + p] = c * a - sn * b;
		s[i * k + q] = sn * a + c * b;
	}
	for (size_t i = 0; i < k; i++) {
		double a = s[p * k + i], b = s[q * k + i], x = v[i * k + p], y = v[i * k + q];
		s[p * k + i] = c * a - sn * b;
		s[q * k + i] = sn * a + c * b;
		v[i * k + p] = c * x - sn * y;
		v[i * k + q] = sn * x + c * y;
	}
}

static double off_diagonal(const double *s, uint32_t k)
{
	double sum = 0;
	for (size_t i = 0; i < k; i++)
		for (size_t j = 0; j < i; j++)
			sum += s[i * k + j] * s[i * k + j];
	return sqrt(sum);
}

/* s becomes diagonal: the eigenvalues; the columns of v the eigenvectors. */
static void jacobi(double *s, double *v, uint32_t k)
{
	double trace = 0;
	memset(v, 0, (size_t)k * k * sizeof *v);
	for (size_t i = 0; i < k; i++) {
		v[i * k + i] = 1;
		trace += fabs(s[i * k + i]);
	}
	for (int sweep = 0; sweep < SWEEPS && off_diagonal(s, k) > 1e-15 * trace; sweep++)
		for (uint32_t p = 0; p + 1 < k; p++)
			for (uint32_t q = p + 1; q < k; q++)
				rotate(s, v, k, p, q);
}

/* Which eigenvalue is the j-th largest. */
static void sort_down(const double *s, uint32_t k, uint32_t *order)
{
	for (uint32_t j = 0; j < k; j++) {
		uint32_t at = j;
		for (; at > 0 && s[(size_t)order[at - 1] * k + order[at - 1]] < s[(size_t)j * k + j]; at--)
			order[at] = order[at - 1];
		order[at] = j;
	}
}

/* ---------------------------------------------------------------- the decomposition */

/* A subspace that holds nearly all of the leading right singular vectors: `right` becomes orthonormal. */
static void find_subspace(const work *w)
{
	random_start(w);
	orthonormalise(w, w->right, w->a->columns);
	for (int pass = 0; pass < PASSES; pass++) {
		multiply(w);
		orthonormalise(w, w->left, w->a->rows);
		multiply_transposed(w);
		orthonormalise(w, w->right, w->a->columns);
	}
	multiply(w);
}

/* column j of out = scale * (x times column `from` of turn) */
static void turned_column(const work *w, const double *x, uint32_t n, uint32_t from, double scale, float *out,
                          uint32_t j)
{
	for (size_t i = 0; i < n; i++) {
		double sum = 0;
		for (uint32_t t = 0; t < w->k; t++)
			sum += x[i * w->k + t] * w->turn[(size_t)t * w->k + from];
		out[i * w->rank + j] = (float)(sum * scale);
	}
}

/* The sign that makes the largest entry of a left vector positive; of several as large but for rounding, the first. */
static double sign_of(const work *w, uint32_t from)
{
	double largest = 0;
	for (size_t i = 0; i < w->a->rows; i++) {
		double sum = 0;
		for (uint32_t t = 0; t < w->k; t++)
			sum += w->left[i * w->k + t] * w->turn[(size_t)t * w->k + from];
		if (fabs(sum) > 1.001 * fabs(largest))
			largest = sum;
	}
	return largest < 0 ? -1 : 1;
}

/* left = a right, so left' left = right' a' a right, whose eigenvalues are the squared singular values. */
static void decompose(const work *w, uint32_t *order, float *left, float *singular, float *right)
{
	gram(w->left, w->a->rows, w->k, w->small);
	for (size_t i = 0; i < w->k; i++)
		for (size_t j = 0; j < i; j++)
			w->small[i * w->k + j] = w->small[j * w->k + i];
	jacobi(w->small, w->turn, w->k);
	sort_down(w->small, w->k, order);
	double first = w->small[(size_t)order[0] * w->k + order[0]];
	for (uint32_t j = 0; j < w->rank; j++) {
		uint32_t from = order[j];
		double value = w->small[(size_t)from * w->k + from];
		bool present = value > 1e-20 * first && value > 0;
		double sigma = present ? sqrt(value) : 0, sign = sign_of(w, from);
		singular[j] = (float)sigma;
		if (left)
			turned_column(w, w->left, w->a->rows, from, present ? sign / sigma : 0, left, j);
		if (right)
			turned_column(w, w->right, w->a->columns, from, present ? sign : 0, right, j);
	}
}

static mm_status truncated_svd(mm_host *host, const mm_sparse *a, uint32_t rank, float *left, float *singular,
                               float *right, mm_error *e)
{
	(void)host;
	if (!singular)
		return mmi_fail(e, MM_EARG, MM_HOST_LINALG ": no place for the singular values");
	MMI_TRY(check_matrix(a, rank, e));
	uint32_t side = a->rows < a->columns ? a->rows : a->columns,
			 k = rank < side - (side < OVERSAMPLING ? side : OVERSAMPLING) ? rank + OVERSAMPLING : side;
	work w = { .a = a, .rank = rank, .k = k };
	w.left = mmi_alloc((size_t)a->rows * k, sizeof *w.left);
	w.right = mmi_alloc((size_t)a->columns * k, sizeof *w.right);
	w.small = mmi_alloc((size_t)k * k, sizeof *w.small);
	w.turn = mmi_alloc((size_t)k * k, sizeof *w.turn);
	uint32_t *order = mmi_alloc(k, sizeof *order);
	mm_status status = w.left && w.right && w.small && w.turn && order
	                       ? MM_OK
	                       : mmi_fail(e, MM_ENOMEM, "out of memory for %u singular vectors of a %u x %u matrix", rank,
	                                  a->rows, a->columns);
	if (status == MM_OK) {
		find_subspace(&w);
		decompose(&w, order, left, singular, right);
	}
	mmi_free(w.left);
	mmi_free(w.right);
	mmi_free(w.small);
	mmi_free(w.turn);
	mmi_free(order);
	return status;
}

const mm_host_linalg mmi_host_linalg_table = {
	.struct_size = MM_SIZE_THROUGH(mm_host_linalg, truncated_svd),
	.truncated_svd = truncated_svd,
};
