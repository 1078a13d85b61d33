/* pca.c - principal components by the smaller Gram matrix. */
#include "mmi_build.h"

#include "eval/pca.h"
#include "eval/linalg.h"

#include <math.h>

static void centre(mmi_pca *p, const float *x, uint32_t n, double *centred)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < p->d; j++)
			p->mean[j] += (double)x[(size_t)i * p->d + j] / n;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < p->d; j++) {
			double v = (double)x[(size_t)i * p->d + j] - p->mean[j];
			centred[(size_t)i * p->d + j] = v;
			p->total += v * v / (n - 1.0);
		}
}

static void transpose(const double *x, uint32_t rows, uint32_t columns, double *out)
{
	for (uint32_t i = 0; i < rows; i++)
		for (uint32_t j = 0; j < columns; j++)
			out[(size_t)j * rows + i] = x[(size_t)i * columns + j];
}

/* Scales column c of the axes to length 1 and fixes its sign; a direction without variance stays zero. */
static void normalise(mmi_pca *p, uint32_t c)
{
	double square = 0, largest = 0;
	for (uint32_t j = 0; j < p->d; j++) {
		double v = p->axes[(size_t)j * p->k + c];
		square += v * v;
		largest = fabs(v) > fabs(largest) ? v : largest;
	}
	double scale = square > 0 ? (largest < 0 ? -1 : 1) / sqrt(square) : 0;
	for (uint32_t j = 0; j < p->d; j++)
		p->axes[(size_t)j * p->k + c] *= scale;
}

/* Columns of the axes: the eigenvectors themselves (of x^T x), or x^T times those of x x^T. */
static void set_axes(mmi_pca *p, const double *centred, uint32_t n, const double *vectors, bool wide)
{
	for (uint32_t c = 0; c < p->k; c++)
		for (uint32_t j = 0; j < p->d && !wide; j++)
			p->axes[(size_t)j * p->k + c] = vectors[(size_t)c * p->d + j];
	for (uint32_t i = 0; i < n && wide; i++)
		for (uint32_t j = 0; j < p->d; j++)
			for (uint32_t c = 0; c < p->k; c++)
				p->axes[(size_t)j * p->k + c] += centred[(size_t)i * p->d + j] * vectors[(size_t)c * n + i];
	for (uint32_t c = 0; c < p->k; c++)
		normalise(p, c);
}

static mm_status fit(mmi_pca *p, const float *x, uint32_t n, mm_error *e)
{
	bool wide = n < p->d;
	uint32_t size = wide ? n : p->d;
	double *centred = mmi_alloc((size_t)n * p->d, sizeof(double)), *turned = NULL;
	double *gram = mmi_alloc((size_t)size * size, sizeof(double)),
		   *vectors = mmi_alloc((size_t)p->k * size, sizeof(double));
	bool ok = centred && gram && vectors && (wide || (turned = mmi_alloc((size_t)n * p->d, sizeof(double))));
	mm_status status =
		ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the principal components of %u samples", n);
	if (status == MM_OK) {
		centre(p, x, n, centred);
		if (!wide)
			transpose(centred, n, p->d, turned);
		status = mmi_linalg_gram(wide ? centred : turned, size, wide ? p->d : n, gram, e);
	}
	if (status == MM_OK)
		status = mmi_linalg_top(gram, size, p->k, p->variance, vectors, e);
	if (status == MM_OK)
		set_axes(p, centred, n, vectors, wide);
	for (uint32_t c = 0; c < p->k; c++)
		p->variance[c] = fmax(p->variance[c], 0) / (n - 1.0);
	mmi_free(centred);
	mmi_free(turned);
	mmi_free(gram);
	mmi_free(vectors);
	return status;
}

mm_status mmi_pca_fit(const float *x, uint32_t n, uint32_t d, uint32_t k, mmi_pca *out, mm_error *e)
{
	mmi_pca p = { .d = d, .k = k };
	if (n < 2)
		return mmi_fail(e, MM_EARG, "principal components of %u samples; expected at least 2", n);
	p.k = p.k < n - 1 ? p.k : n - 1;
	p.k = p.k < d ? p.k : d;
	p.mean = mmi_alloc(d, sizeof *p.mean);
	p.axes = mmi_alloc((size_t)d * p.k, sizeof *p.axes);
	p.variance = mmi_alloc(p.k, sizeof *p.variance);
	mm_status status = p.mean && p.axes && p.variance
	                       ? fit(&p, x, n, e)
	                       : mmi_fail(e, MM_ENOMEM, "out of memory for %u principal components", p.k);
	if (status == MM_OK)
		*out = p;
	else
		mmi_pca_clear(&p);
	return status;
}

void mmi_pca_clear(mmi_pca *p)
{
	mmi_free(p->mean);
	mmi_free(p->axes);
	mmi_free(p->variance);
	*p = (mmi_pca){ 0 };
}

void mmi_pca_project(const mmi_pca *p, const float *x, size_t rows, float *out)
{
	enum { STEP = 64 };
	for (size_t r = 0; r < rows; r++)
		for (uint32_t c0 = 0; c0 < p->k; c0 += STEP) {
			double sum[STEP] = { 0 };
			uint32_t n = p->k - c0 < STEP ? p->k - c0 : STEP;
			for (uint32_t j = 0; j < p->d; j++) {
				double v = (double)x[r * p->d + j] - p->mean[j];
				const double *axis = p->axes + (size_t)j * p->k + c0;
				for (uint32_t c = 0; c < n; c++)
					sum[c] += v * axis[c];
			}
			for (uint32_t c = 0; c < n; c++)
				out[r * p->k + c0 + c] = (float)sum[c];
		}
}
