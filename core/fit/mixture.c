/* mixture.c - expectation-maximisation. Blocks of rows are shared out where rows are weighed, components where they are
 * summed up, each over all rows in their order: so nothing depends on the threads. */
#include "mmi_build.h"

#include "fit/mixture.h"

#include "engine/vec.h"
#include "eval/linalg.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 256, ROUNDS = 10 };

static const double floor_of_variance = 1e-6, log_2_pi = 1.8378770664093453;

typedef struct em {
	const float *x;
	size_t n, dim, size; /* size: numbers of a scale */
	uint32_t k;
	bool full, hard;                          /* hard: rows belong to the nearest mean */
	double *weight, *mean, *scale, *log_norm; /* [k], [k][dim], [k][size] standard deviations or lower triangles, [k] */
	double *share;                            /* [n][k] */
	double *row;                              /* [n]: log-likelihood */
	double *apart;                            /* [threads][dim] */
	mm_status *broken;                        /* [k] of a component whose covariance has no root */
	mmi_pool *pool;
} em;

/* ------------------------------------------------------------ life */

static void clear(em *m)
{
	void *all[] = { m->weight, m->mean, m->scale, m->log_norm, m->share, m->row, m->apart, m->broken };
	for (size_t i = 0; i < MMI_COUNT(all); i++)
		mmi_free(all[i]);
}

static mm_status create(em *m, mm_error *e)
{
	m->size = m->dim * (m->full ? m->dim : 1);
	m->weight = mmi_alloc(m->k, sizeof *m->weight);
	m->mean = mmi_alloc(m->k * m->dim, sizeof *m->mean);
	m->scale = mmi_alloc(m->k * m->size, sizeof *m->scale);
	m->log_norm = mmi_alloc(m->k, sizeof *m->log_norm);
	m->share = mmi_alloc(m->n * m->k, sizeof *m->share);
	m->row = mmi_alloc(m->n, sizeof *m->row);
	m->apart = mmi_alloc(m->dim * mmi_pool_threads(m->pool), sizeof *m->apart);
	m->broken = mmi_alloc(m->k, sizeof *m->broken);
	if (m->weight && m->mean && m->scale && m->log_norm && m->share && m->row && m->apart && m->broken)
		return MM_OK;
	return mmi_fail(e, MM_ENOMEM, "out of memory for a mixture of %u components of %zu rows", m->k, m->n);
}

/* ------------------------------------------------------------ what rows belong to */

static double distance2(const em *m, size_t row, uint32_t c)
{
	const float *x = m->x + row * m->dim;
	const double *mean = m->mean + c * m->dim;
	double sum = 0;
	for (size_t d = 0; d < m->dim; d++)
		sum += ((double)x[d] - mean[d]) * ((double)x[d] - mean[d]);
	return sum;
}

/* Squared length of L^-1 (x - mean), into `apart` from the front. */
static double mahalanobis2(const em *m, size_t row, uint32_t c, double *apart)
{
	const float *x = m->x + row * m->dim;
	const double *mean = m->mean + c * m->dim, *scale = m->scale + c * m->size;
	double sum = 0;
	for (size_t d = 0; d < m->dim; d++) {
		double left = (double)x[d] - mean[d];
		for (size_t i = 0; m->full && i < d; i++)
			left -= scale[d * m->dim + i] * apart[i];
		apart[d] = left / scale[m->full ? d * m->dim + d : d];
		sum += apart[d] * apart[d];
	}
	return sum;
}

static void nearest(const em *m, size_t row, double *share)
{
	uint32_t best = 0;
	double least = INFINITY;
	for (uint32_t c = 0; c < m->k; c++) {
		const double d2 = distance2(m, row, c);
		share[c] = 0;
		if (d2 < least) {
			least = d2;
			best = c;
		}
	}
	share[best] = 1;
}

static void posterior(const em *m, size_t row, double *share, double *apart)
{
	double largest = -INFINITY, total = 0;
	for (uint32_t c = 0; c < m->k; c++) {
		share[c] = m->weight[c] > 0 ? m->log_norm[c] - 0.5 * mahalanobis2(m, row, c, apart) : -INFINITY;
		largest = fmax(largest, share[c]);
	}
	for (uint32_t c = 0; c < m->k; c++)
		total += share[c] = exp(share[c] - largest);
	for (uint32_t c = 0; c < m->k; c++)
		share[c] /= total;
	m->row[row] = largest + log(total);
}

static void weigh_block(void *ctx, uint32_t block, uint32_t worker)
{
	const em *m = ctx;
	for (size_t row = (size_t)block * BLOCK; row < m->n && row < ((size_t)block + 1) * BLOCK; row++) {
		double *share = m->share + row * m->k;
		if (m->hard)
			nearest(m, row, share);
		else
			posterior(m, row, share, m->apart + worker * m->dim);
	}
}

static void weigh(em *m)
{
	mmi_pool_run(m->pool, (uint32_t)((m->n + BLOCK - 1) / BLOCK), weigh_block, m);
}

static double mean_log_likelihood(const em *m)
{
	double sum = 0;
	for (size_t i = 0; i < m->n; i++)
		sum += m->row[i];
	return sum / (double)m->n;
}

/* ------------------------------------------------------------ what belongs to a component */

static double mass_of(const em *m, uint32_t c)
{
	double mass = 0;
	for (size_t i = 0; i < m->n; i++)
		mass += m->share[i * m->k + c];
	return mass;
}

static void average(const em *m, uint32_t c, double mass)
{
	double *mean = m->mean + c * m->dim;
	memset(mean, 0, m->dim * sizeof *mean);
	for (size_t i = 0; i < m->n; i++)
		for (size_t d = 0; d < m->dim; d++)
			mean[d] += m->share[i * m->k + c] * (double)m->x[i * m->dim + d];
	for (size_t d = 0; d < m->dim; d++)
		mean[d] /= mass;
}

static void add_spread(const em *m, uint32_t c, size_t row, double *scale)
{
	const double share = m->share[row * m->k + c], *mean = m->mean + c * m->dim;
	const float *x = m->x + row * m->dim;
	for (size_t d = 0; d < m->dim && share > 0; d++) {
		const double apart = share * ((double)x[d] - mean[d]);
		if (!m->full)
			scale[d] += apart * ((double)x[d] - mean[d]);
		for (size_t i = 0; m->full && i <= d; i++)
			scale[d * m->dim + i] += apart * ((double)x[i] - mean[i]);
	}
}

/* The covariance's root, and the logarithm of what is not an exponential in the density. */
static mm_status root(const em *m, uint32_t c, double *scale)
{
	mm_error ignored = MM_ERROR_INIT;
	double log_det = 0;
	for (size_t d = 0; d < m->dim; d++)
		scale[m->full ? d * m->dim + d : d] += floor_of_variance;
	if (m->full && mmi_linalg_cholesky(scale, (uint32_t)m->dim, &ignored) != MM_OK)
		return ignored.code;
	for (size_t d = 0; d < m->dim; d++) {
		double *at = &scale[m->full ? d * m->dim + d : d];
		*at = m->full ? *at : sqrt(*at);
		log_det += log(*at);
	}
	m->log_norm[c] = log(m->weight[c]) - log_det - 0.5 * (double)m->dim * log_2_pi;
	return MM_OK;
}

/* Components without rows stay where they are and weigh nothing. */
static void sum_up(void *ctx, uint32_t c, uint32_t worker)
{
	const em *m = ctx;
	const double mass = mass_of(m, c);
	double *scale = m->scale + c * m->size;
	(void)worker;
	m->weight[c] = mass < 1e-3 ? 0 : mass / (double)m->n;
	if (!(m->weight[c] > 0))
		return;
	average(m, c, mass);
	if (m->hard)
		return;
	memset(scale, 0, m->size * sizeof *scale);
	for (size_t i = 0; i < m->n; i++)
		add_spread(m, c, i, scale);
	for (size_t i = 0; i < m->size; i++)
		scale[i] /= mass;
	m->broken[c] = root(m, c, scale);
}

static mm_status sum_all(em *m, mm_error *e)
{
	mmi_pool_run(m->pool, m->k, sum_up, m);
	for (uint32_t c = 0; c < m->k; c++)
		if (m->broken[c] != MM_OK)
			return mmi_fail(e, m->broken[c],
			                "the covariance of component %u of %u, over %zu numbers, has no root: take fewer "
			                "components, more tuples or diagonal covariances",
			                c + 1, m->k, m->dim);
	return MM_OK;
}

/* ------------------------------------------------------------ the start */

static double uniform(uint64_t key, uint32_t number)
{
	uint32_t words[4];
	mmi_philox(key, (const uint32_t[4]){ 0, number, 0, 0 }, words);
	return ((double)words[0] + 0.5) / 4294967296.0;
}

static void take(em *m, uint32_t c, size_t row)
{
	for (size_t d = 0; d < m->dim; d++)
		m->mean[c * m->dim + d] = (double)m->x[row * m->dim + d];
}

/* Arthur and Vassilvitskii 2007: each next mean is a row drawn with probability proportional to its squared distance
 * from the means so far, which m->row has. */
static void seed(em *m, uint64_t key)
{
	for (uint32_t c = 0; c < m->k; c++) {
		size_t row = 0;
		double total = 0, left;
		for (size_t i = 0; i < m->n; i++)
			total += c ? m->row[i] : 1;
		left = uniform(key, c) * total;
		while (row + 1 < m->n && (left -= c ? m->row[row] : 1) > 0)
			row++;
		take(m, c, row);
		for (size_t i = 0; i < m->n; i++)
			m->row[i] = c ? fmin(m->row[i], distance2(m, i, c)) : distance2(m, i, c);
	}
}

static mm_status start(em *m, uint64_t key, mm_error *e)
{
	seed(m, key);
	m->hard = true;
	for (int round = 0; round < ROUNDS; round++) {
		weigh(m);
		MMI_TRY(sum_all(m, e));
	}
	weigh(m);
	m->hard = false;
	return sum_all(m, e);
}

/* ------------------------------------------------------------ the whole */

static mm_status climb(em *m, const mmi_mixture_request *r, mmi_mixture_outcome *outcome, mm_error *e)
{
	double before = -INFINITY;
	MMI_TRY(start(m, r->key, e));
	for (outcome->iterations = 0;; outcome->iterations++) {
		weigh(m);
		outcome->log_likelihood = mean_log_likelihood(m);
		if (!isfinite(outcome->log_likelihood))
			return mmi_fail(e, MM_ENUMERIC, "the likelihood of a mixture of %u components is not a finite number",
			                m->k);
		if (outcome->iterations >= r->iterations || outcome->log_likelihood - before < r->tolerance)
			return MM_OK;
		before = outcome->log_likelihood;
		MMI_TRY(sum_all(m, e));
	}
}

/* Those that weigh something. */
static mm_status give(const em *m, mmi_fitted_part *out, mm_error *e)
{
	uint32_t left = 0, at = 0;
	for (uint32_t c = 0; c < m->k; c++)
		left += m->weight[c] > 0;
	MMI_TRY(mmi_fitted_part_create(left, m->dim, m->full, out, e));
	for (uint32_t c = 0; c < m->k; c++) {
		if (!(m->weight[c] > 0))
			continue;
		out->log_weight[at] = (float)log(m->weight[c]);
		for (size_t d = 0; d < m->dim; d++)
			out->loc[at * m->dim + d] = (float)m->mean[c * m->dim + d];
		for (size_t i = 0; i < m->size; i++)
			out->scale[at * m->size + i] = (float)m->scale[c * m->size + i];
		at++;
	}
	return MM_OK;
}

mm_status mmi_mixture_fit(const float *x, size_t n, size_t dim, const mmi_mixture_request *r, mmi_pool *pool,
                          mmi_fitted_part *out, mmi_mixture_outcome *outcome, mm_error *e)
{
	em m = { .x = x, .n = n, .dim = dim, .k = r->components, .full = r->full, .pool = pool };
	if (n < r->components)
		return mmi_fail(e, MM_ECONFIG, "%u components for %zu tuples; expected at most a component a tuple",
		                r->components, n);
	if (r->full && !mmi_linalg_available())
		return mmi_fail(e, MM_EUNSUPPORTED,
		                "full covariances need LAPACK, without which this mmcore was built (Debian: liblapack-dev); "
		                "take diagonal ones");
	mm_status status = create(&m, e);
	if (status == MM_OK)
		status = climb(&m, r, outcome, e);
	if (status == MM_OK)
		status = give(&m, out, e);
	clear(&m);
	return status;
}
