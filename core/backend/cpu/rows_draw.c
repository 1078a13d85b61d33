/* rows_draw.c - draws on the host, where rows of latents start, and choices among them. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"

#include <math.h>

void mmi_host_draw(const mmi_device *d, const mmi_draw *a)
{
	void (*const kinds[])(float *, size_t, mmi_rng) = { d->vec->normal, d->vec->laplace, d->vec->uniform };
	const bool scaled = a->kind == MMI_DRAW_UNIFORM;
	for (uint32_t r = 0; r < a->rows; r++) {
		float *row = a->out.at + r * a->count;
		mmi_rng rng = a->rng;
		rng.sample += r;
		kinds[a->kind](row, a->count, rng);
		for (size_t k = 0; scaled && k < a->count; k++)
			row[k] = a->lo + (a->hi - a->lo) * row[k];
	}
}

/* out = loc + temperature * scale * out. */
static void place(float *out, const float *loc, const float *scale, size_t dim, double temperature)
{
	for (size_t k = 0; k < dim; k++)
		out[k] = loc[k] + (float)temperature * scale[k] * out[k];
}

static bool observed(const mmi_placing *a, uint32_t m, uint32_t row)
{
	return !a->observed[m].at || a->observed[m].at[row] > 0;
}

static void place_experts(const mmi_placing *a)
{
	for (uint32_t r = 0; r < a->rows; r++) {
		const size_t at = r * a->dim;
		const uint32_t m = a->expert.at[r];
		place(a->out.at + at, a->loc[m].at + at, a->scale[m].at + at, a->dim, a->temperature);
	}
}

static void place_own(const mmi_placing *a)
{
	const uint32_t m = a->own;
	for (uint32_t r = 0; r < a->rows; r++) {
		const size_t at = r * a->dim;
		if (observed(a, m, r) && (!a->single || a->expert.at[r] == m))
			place(a->out.at + at, a->loc[m].at + at, a->scale[m].at + at, a->dim, a->temperature);
		else
			for (size_t k = 0; !(a->temperature > 0) && k < a->dim; k++)
				a->out.at[at + k] = 0;
	}
}

/* The product at element k of all: N(loc, scale). */
static void product(const mmi_placing *a, uint32_t row, size_t k, float *loc, float *scale)
{
	double precision = a->prior ? 1 : 0, pulled = 0;
	for (uint32_t m = 0; m < a->n; m++) {
		if (!observed(a, m, row) || (a->single && m != a->expert.at[row]))
			continue;
		double own = 1 / ((double)a->scale[m].at[k] * (double)a->scale[m].at[k]);
		precision += own;
		pulled += own * (double)a->loc[m].at[k];
	}
	*loc = (float)(pulled / precision);
	*scale = (float)(1 / sqrt(precision));
}

static void place_products(const mmi_placing *a)
{
	float loc, scale;
	for (size_t k = 0; k < a->rows * a->dim; k++) {
		product(a, (uint32_t)(k / a->dim), k, &loc, &scale);
		place(a->out.at + k, &loc, &scale, 1, a->temperature);
	}
}

/* ------------------------------------------------------------ other fusions: of a row's observed experts */

enum { MOST = MMI_MAX_STATES };

typedef struct experts { /* of one row */
	uint32_t n;
	const float *loc[MOST], *scale[MOST]; /* [dim] */
	double overlap[MOST][MOST];           /* of a Hellinger pool, k < i: 2 S_ik */
} experts;

static void gather(const mmi_placing *a, uint32_t row, experts *x)
{
	x->n = 0;
	for (uint32_t m = 0; m < a->n; m++)
		if (observed(a, m, row)) {
			x->loc[x->n] = a->loc[m].at + row * a->dim;
			x->scale[x->n++] = a->scale[m].at + row * a->dim;
		}
}

static void barycentre(const mmi_placing *a, const experts *x, size_t d, double *loc, double *scale)
{
	(void)a;
	*loc = *scale = 0;
	for (uint32_t i = 0; i < x->n; i++) {
		*loc += (double)x->loc[i][d] / x->n;
		*scale += (double)x->scale[i][d] / x->n;
	}
}

static void consensus(const mmi_placing *a, const experts *x, size_t d, double *loc, double *scale)
{
	const double rho = a->correlation, c = rho / (1 + (x->n - 1) * rho);
	double p1 = 0, p2 = 0, pulled1 = 0, pulled2 = 0;
	for (uint32_t i = 0; i < x->n; i++) {
		const double p = 1 / (double)x->scale[i][d], pull = p * (double)x->loc[i][d];
		p1 += p;
		p2 += p * p;
		pulled1 += pull;
		pulled2 += p * pull;
	}
	const double precision = (p2 - c * p1 * p1) / (1 - rho);
	*loc = (pulled2 - c * p1 * pulled1) / (1 - rho) / precision;
	*scale = 1 / sqrt(precision);
}

/* 2 S of two experts: a number for all dimensions. */
static double overlap_of(const experts *x, uint32_t i, uint32_t k, size_t dim)
{
	double log_s = 0;
	for (size_t d = 0; d < dim; d++) {
		const double a = (double)x->scale[i][d], b = (double)x->scale[k][d], total = a * a + b * b;
		const double apart = (double)x->loc[i][d] - (double)x->loc[k][d];
		log_s += 0.5 * log(2 * a * b / total) - apart * apart / (4 * total);
	}
	return 2 * exp(log_s);
}

/* Mass, mean and squares around `around` of the mixture that the pool is. */
static void moments(const experts *x, size_t d, double around, double *mass, double *mean, double *squares)
{
	*mass = *mean = *squares = 0;
	for (uint32_t i = 0; i < x->n; i++)
		for (uint32_t k = 0; k <= i; k++) {
			const double vi = (double)x->scale[i][d] * (double)x->scale[i][d],
						 vk = (double)x->scale[k][d] * (double)x->scale[k][d];
			const double weight = k < i ? x->overlap[i][k] : 1;
			const double loc = ((double)x->loc[i][d] * vk + (double)x->loc[k][d] * vi) / (vi + vk);
			*mass += weight;
			*mean += weight * loc;
			*squares += weight * (2 * vi * vk / (vi + vk) + (loc - around) * (loc - around));
		}
}

static void hellinger(const mmi_placing *a, const experts *x, size_t d, double *loc, double *scale)
{
	double mass, mean, squares;
	(void)a;
	moments(x, d, 0, &mass, &mean, &squares);
	*loc = mean / mass;
	moments(x, d, *loc, &mass, &mean, &squares);
	*scale = sqrt(squares / mass);
}

static void place_fused(const mmi_placing *a,
                        void (*fuse)(const mmi_placing *a, const experts *x, size_t d, double *loc, double *scale))
{
	experts x;
	for (uint32_t r = 0; r < a->rows; r++) {
		gather(a, r, &x);
		for (uint32_t i = 0; a->kind == MMI_PLACE_HELLINGER && i < x.n; i++)
			for (uint32_t k = 0; k < i; k++)
				x.overlap[i][k] = overlap_of(&x, i, k, a->dim);
		for (size_t d = 0; d < a->dim; d++) {
			double loc, scale;
			fuse(a, &x, d, &loc, &scale);
			const float l = (float)loc, s = (float)scale;
			place(a->out.at + r * a->dim + d, &l, &s, 1, a->temperature);
		}
	}
}

static void place_hellinger(const mmi_placing *a)
{
	place_fused(a, hellinger);
}

static void place_barycentres(const mmi_placing *a)
{
	place_fused(a, barycentre);
}

static void place_consensus(const mmi_placing *a)
{
	place_fused(a, consensus);
}

void mmi_host_place(const mmi_device *d, const mmi_placing *a)
{
	static void (*const kinds[])(const mmi_placing *) = {
		[MMI_PLACE_EXPERT] = place_experts,
		[MMI_PLACE_PRODUCT] = place_products,
		[MMI_PLACE_OWN] = place_own,
		[MMI_PLACE_HELLINGER] = place_hellinger,
		[MMI_PLACE_BARYCENTRE] = place_barycentres,
		[MMI_PLACE_CONSENSUS] = place_consensus,
	};
	(void)d;
	kinds[a->kind](a);
}

/* ------------------------------------------------------------ clusters */

static double total_weight(const mmi_mix *a, double largest)
{
	double total = 0;
	for (uint32_t c = 0; c < a->n; c++)
		total += exp((double)a->log_weight.at[c] - largest);
	return total;
}

static uint32_t cluster_of(const mmi_mix *a, uint32_t row, double largest, double total)
{
	uint32_t words[4], c = 0;
	mmi_philox(a->rng.key, (const uint32_t[4]){ 0, a->rng.sample + row, a->rng.step, a->rng.iteration }, words);
	double left = ((double)words[0] + 0.5) / 4294967296.0 * total;
	while (c + 1 < a->n && (left -= exp((double)a->log_weight.at[c] - largest)) > 0)
		c++;
	return c;
}

/* From the last element on, so that those in front of it are still the draws. */
static void multiply_lower(const float *lower, float *x, size_t dim)
{
	for (size_t i = dim; i-- > 0;) {
		double sum = 0;
		for (size_t k = 0; k <= i; k++)
			sum += (double)lower[i * dim + k] * (double)x[k];
		x[i] = (float)sum;
	}
}

void mmi_host_mix(const mmi_device *d, const mmi_mix *a)
{
	double largest = -INFINITY;
	(void)d;
	for (uint32_t c = 0; c < a->n; c++)
		largest = fmax(largest, (double)a->log_weight.at[c]);
	const double total = total_weight(a, largest);
	for (uint32_t r = 0; r < a->rows; r++) {
		const size_t c = cluster_of(a, r, largest, total);
		float *x = a->out.at + r * a->dim;
		if (a->scale.at && a->full)
			multiply_lower(a->scale.at + c * a->dim * a->dim, x, a->dim);
		for (size_t k = 0; k < a->dim; k++)
			x[k] = a->loc.at[c * a->dim + k] + (a->scale.at && !a->full ? a->scale.at[c * a->dim + k] : 1) * x[k];
	}
}

/* The largest of log-weights plus standard Gumbel noise is one of them, with probability proportional to the weight. */
static double gumbel(const mmi_choice *a, uint32_t row)
{
	uint32_t words[4];
	mmi_philox(a->key, (const uint32_t[4]){ a->candidate, a->first + row, 0, a->iteration }, words);
	return -log(-log(((double)words[0] + 0.5) / 4294967296.0));
}

void mmi_host_choose(const mmi_device *d, const mmi_choice *a)
{
	(void)d;
	for (uint32_t r = 0; r < a->rows; r++) {
		double energy = (double)a->energy.at[r];
		double score = isfinite(energy) ? gumbel(a, r) - a->weight * energy : -INFINITY;
		a->taken.at[r] = !a->candidate || score > a->score.at[r];
		if (a->taken.at[r])
			a->score.at[r] = score;
	}
}
