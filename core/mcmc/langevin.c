/* langevin.c - the Langevin chain. */
#include "mmi_build.h"

#include "mcmc/langevin.h"

#include <math.h>

static bool is_held(const mmi_chain_rows *rows, uint32_t state, uint32_t r)
{
	return rows->held[state] && rows->held[state][r];
}

/* Gradients of what may move, at the start, in units, weighted as the update weighs them; drifts do not say, they are 0 while s is
 * measured. */
static double start_grad2(const mmi_chain *c, const mmi_program *program, const mmi_chain_rows *rows)
{
	const mmi_vec *vec = mmi_program_device(program)->vec;
	double sum = 0;
	for (uint32_t i = 0; i < c->n_states; i++) {
		const double weight = (double)c->weight[i] / (double)c->unit[i];
		const float *grad = mmi_program_data(program, c->grad[i]).at;
		const size_t count = (size_t)c->count[i];
		if (!rows->held[i])
			sum += weight * weight * vec->sum_squares(grad, count * rows->n);
		for (uint32_t r = 0; rows->held[i] && r < rows->n; r++)
			if (!rows->held[i][r])
				sum += weight * weight * vec->sum_squares(grad + r * count, count);
	}
	return sum;
}

static void move(const mmi_chain *c, const mmi_program *program, const mmi_chain_rows *rows, uint32_t step, mmi_chain_stats *stats)
{
	const mmi_vec *vec = mmi_program_device(program)->vec;
	for (uint32_t i = 0; i < c->n_states; i++) {
		const float *grad = mmi_program_data(program, c->grad[i]).at;
		double sums[2] = { 0, 0 }, unit2 = (double)c->unit[i] * (double)c->unit[i];
		for (uint32_t r = 0; r < rows->n; r++) {
			if (is_held(rows, i, r))
				continue;
			mmi_rng rng = { .key = c->key[i], .sample = rows->first + r, .step = step, .iteration = c->iteration };
			vec->langevin(rows->state[i] + r * c->count[i], grad + r * c->count[i], (size_t)c->count[i], &c->update[i], rng, sums);
		}
		stats->drift2 += sums[0] / unit2;
		stats->noise2 += sums[1] / unit2;
	}
}

/* The projection is max(x - t, 0) with t such that it sums to 1; t is found by dropping values below it until none is. */
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
				mmi_simplex_project(rows->state[i] + r * c->count[i] + k, c->simplex[i]);
}

/* Squared distance of one sample from its start, in units. */
static double distance2(const mmi_vec *vec, const mmi_chain *c, const mmi_chain_rows *rows, uint32_t r)
{
	double sum = 0;
	for (uint32_t i = 0; i < c->n_states; i++)
		sum += vec->sum_squared_difference(rows->state[i] + r * c->count[i], rows->start[i] + r * c->count[i],
		                                             (size_t)c->count[i]) / ((double)c->unit[i] * (double)c->unit[i]);
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
			float *x = rows->state[i] + r * c->count[i];
			const float *x0 = rows->start[i] + r * c->count[i];
			for (int64_t k = 0; k < c->count[i]; k++)
				x[k] = x0[k] + shrink * (x[k] - x0[k]);
		}
	}
}

void mmi_chain_run(const mmi_chain *c, mmi_program *program, const mmi_chain_rows *rows, mmi_chain_stats *stats,
                   mmi_chain_watch *watch, void *ctx)
{
	const mmi_vec *vec = mmi_program_device(program)->vec;
	for (uint32_t i = 0; i < c->n_states; i++)
		mmi_program_bind(program, c->state[i], mmi_floats_direct(rows->state[i]));
	for (uint32_t step = 0; step < c->steps; step++) {
		mmi_program_run(program);
		if (step == 0) {
			stats->energy += vec->sum(mmi_program_data(program, c->energy).at, rows->n);
			stats->grad2 += start_grad2(c, program, rows);
		}
		if (watch)
			watch(ctx, step, program);
		move(c, program, rows, step, stats);
		project(c, rows);
		if (c->move_max > 0 && rows->start[0])
			bound(vec, c, rows);
	}
	if (watch) {
		mmi_program_run(program);
		watch(ctx, c->steps, program);
	}
	for (uint32_t r = 0; r < rows->n; r++) {
		stats->elements += (double)moving_count(c, rows, r);
		stats->move2 += rows->start[0] ? distance2(vec, c, rows, r) : 0;
	}
}

void mmi_chain_stats_add(mmi_chain_stats *sum, const mmi_chain_stats *part)
{
	sum->energy += part->energy;
	sum->grad2 += part->grad2;
	sum->drift2 += part->drift2;
	sum->noise2 += part->noise2;
	sum->move2 += part->move2;
	sum->elements += part->elements;
}
