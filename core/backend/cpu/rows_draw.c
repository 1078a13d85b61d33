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

void mmi_host_place(const mmi_device *d, const mmi_placing *a)
{
	static void (*const kinds[])(const mmi_placing *) = { place_experts, place_products, place_own };
	(void)d;
	kinds[a->kind](a);
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
