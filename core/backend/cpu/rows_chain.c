/* rows_chain.c - Langevin chains on the host: each sample's states, one after the other. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"

#include <math.h>

static bool is_held(const mmi_chain_rows *rows, uint32_t state, uint32_t r)
{
	return rows->held[state].at && rows->held[state].at[r];
}

/* Gradients of what may move, at the start, in units, weighted as the update weighs them; drifts do not say, they are 0
 * while s is measured. */
static double start_grad2(const mmi_vec *vec, const mmi_chain *c, const mmi_chain_rows *rows)
{
	double sum = 0;
	for (uint32_t i = 0; i < c->n_states; i++) {
		const double weight = (double)c->weight[i] / (double)c->unit[i];
		const float *grad = rows->grad[i].at;
		const size_t count = (size_t)c->count[i];
		if (!rows->held[i].at)
			sum += weight * weight * vec->sum_squares(grad, count * rows->n);
		for (uint32_t r = 0; rows->held[i].at && r < rows->n; r++)
			if (!rows->held[i].at[r])
				sum += weight * weight * vec->sum_squares(grad + r * count, count);
	}
	return sum;
}

static void move(const mmi_vec *vec, const mmi_chain *c, const mmi_chain_rows *rows, uint32_t step)
{
	for (uint32_t i = 0; i < c->n_states; i++) {
		const float *grad = rows->grad[i].at;
		double sums[2] = { 0, 0 }, unit2 = (double)c->unit[i] * (double)c->unit[i];
		for (uint32_t r = 0; r < rows->n; r++) {
			if (is_held(rows, i, r))
				continue;
			mmi_rng rng = { .key = c->key[i], .sample = rows->first + r, .step = step, .iteration = c->iteration };
			vec->langevin(rows->state[i].at + r * c->count[i], grad + r * c->count[i], (size_t)c->count[i],
			              &c->update[i], rng, sums);
		}
		rows->sums.at->drift2 += sums[0] / unit2;
		rows->sums.at->noise2 += sums[1] / unit2;
	}
}

/* The projection is max(x - t, 0) with t such that it sums to 1; t is found by dropping values below it until none is.
 */
void mmi_simplex_project(float *x, int64_t n)
{
	double t = -INFINITY;
	for (int64_t kept = -1, before = -2; kept != before;) {
		double sum = 0;
		before = kept;
		kept = 0;
		for (int64_t i = 0; i < n; i++)
			if ((double)x[i] > t) {
				sum += (double)x[i];
				kept++;
			}
		t = (sum - 1) / (double)(kept ? kept : 1);
	}
	for (int64_t i = 0; i < n; i++)
		x[i] = (double)x[i] > t ? (float)((double)x[i] - t) : 0.0f;
}

static void project(const mmi_chain *c, const mmi_chain_rows *rows)
{
	for (uint32_t i = 0; i < c->n_states; i++)
		for (uint32_t r = 0; c->simplex[i] && r < rows->n; r++)
			for (int64_t k = 0; !is_held(rows, i, r) && k < c->count[i]; k += c->simplex[i])
				mmi_simplex_project(rows->state[i].at + r * c->count[i] + k, c->simplex[i]);
}

/* Squared distance of one sample from its start, in units. */
static double distance2(const mmi_vec *vec, const mmi_chain *c, const mmi_chain_rows *rows, uint32_t r)
{
	double sum = 0;
	for (uint32_t i = 0; i < c->n_states; i++)
		sum += vec->sum_squared_difference(rows->state[i].at + r * c->count[i], rows->start[i].at + r * c->count[i],
		                                   (size_t)c->count[i]) /
		       ((double)c->unit[i] * (double)c->unit[i]);
	return sum;
}

/* Elements of a row that may move. */
static int64_t moving_count(const mmi_chain *c, const mmi_chain_rows *rows, uint32_t r)
{
	int64_t total = 0;
	for (uint32_t i = 0; i < c->n_states; i++)
		total += is_held(rows, i, r) ? 0 : c->count[i];
	return total;
}

/* Pulls samples that went too far back to the sphere of rms radius move_max around their start. */
static void bound(const mmi_vec *vec, const mmi_chain *c, const mmi_chain_rows *rows)
{
	for (uint32_t r = 0; r < rows->n; r++) {
		double limit2 = (double)c->move_max * (double)c->move_max * (double)moving_count(c, rows, r);
		double d2 = distance2(vec, c, rows, r);
		if (!(d2 > limit2))
			continue;
		float shrink = (float)sqrt(limit2 / d2);
		for (uint32_t i = 0; i < c->n_states; i++) {
			float *x = rows->state[i].at + r * c->count[i];
			const float *x0 = rows->start[i].at + r * c->count[i];
			for (int64_t k = 0; k < c->count[i]; k++)
				x[k] = x0[k] + shrink * (x[k] - x0[k]);
		}
	}
}

void mmi_host_chain_start(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *rows)
{
	rows->sums.at->energy += d->vec->sum(rows->energy.at, rows->n);
	rows->sums.at->grad2 += start_grad2(d->vec, c, rows);
}

void mmi_host_chain_move(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *rows, uint32_t step)
{
	move(d->vec, c, rows, step);
	project(c, rows);
	if (c->move_max > 0 && rows->start[0].at)
		bound(d->vec, c, rows);
}

void mmi_host_chain_end(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *rows)
{
	for (uint32_t r = 0; r < rows->n; r++) {
		rows->sums.at->elements += (double)moving_count(c, rows, r);
		rows->sums.at->move2 += rows->start[0].at ? distance2(d->vec, c, rows, r) : 0;
	}
}
