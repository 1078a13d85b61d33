/* recorder.c - a chain as it runs. */
#include "mmi_build.h"

#include "trained/recorder.h"

#include <math.h>
#include <string.h>

#define LOG_SQRT_2PI 0.91893853320467274178
#define LOG_2 0.69314718055994530942

static uint32_t frames(uint32_t steps, uint32_t stride)
{
	return steps / stride + 1 + (steps % stride != 0);
}

static mm_status no_memory(const mmi_recorder *r, mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for a trace of %u steps", r->steps);
}

mm_status mmi_recorder_create(uint32_t rows, uint32_t steps, mm_tensor energy_at, mmi_recorder *out, mm_error *e)
{
	mmi_recorder r = { .rows = rows, .steps = steps, .stride = 2, .energy_at = energy_at };
	size_t n = ((size_t)steps + 1) * rows;
	while (frames(steps, r.stride) > MMI_RECORDER_FRAMES)
		r.stride += 2;
	r.n_frames = frames(steps, r.stride);
	r.energy = mmi_alloc(n, sizeof *r.energy);
	r.move = mmi_alloc(n, sizeof *r.move);
	r.log_prior = mmi_alloc(n, sizeof *r.log_prior);
	r.at_step = mmi_alloc(rows, sizeof *r.at_step);
	if (!r.at_step || !r.energy || !r.move || !r.log_prior) {
		mmi_recorder_clear(&r);
		return no_memory(&r, e);
	}
	*out = r;
	return MM_OK;
}

mm_status mmi_recorder_add(mmi_recorder *r, const float *state, size_t count, double unit, mm_error *e)
{
	uint32_t i = r->n_states++;
	r->state[i] = state;
	r->count[i] = count;
	r->unit[i] = unit;
	r->last[i] = mmi_alloc(r->rows * count, sizeof *r->last[i]);
	r->frame[i] = mmi_alloc((size_t)r->n_frames * r->rows * count, sizeof *r->frame[i]);
	return r->last[i] && r->frame[i] ? MM_OK : no_memory(r, e);
}

void mmi_recorder_clear(mmi_recorder *r)
{
	for (uint32_t i = 0; i < r->n_states; i++) {
		mmi_free(r->last[i]);
		mmi_free(r->frame[i]);
	}
	mmi_free(r->at_step);
	mmi_free(r->energy);
	mmi_free(r->move);
	mmi_free(r->log_prior);
	*r = (mmi_recorder){ .rows = 0 };
}

/* log p0 of a row, where the states are latents. */
static double log_prior(const mmi_recorder *r, uint32_t row)
{
	double sum = 0;
	for (uint32_t i = 0; i < r->n_states; i++) {
		const float *x = r->state[i] + row * r->count[i];
		for (size_t k = 0; k < r->count[i]; k++) {
			double v = (double)x[k];
			sum -= r->laplace ? fabs(v) + LOG_2 : 0.5 * v * v + LOG_SQRT_2PI;
		}
	}
	return sum;
}

/* Distance to the step before, rms over the row's elements in units. */
static double moved(const mmi_recorder *r, const mmi_vec *vec, uint32_t row)
{
	double sum = 0, n = 0;
	for (uint32_t i = 0; i < r->n_states; i++) {
		sum +=
			vec->sum_squared_difference(r->state[i] + row * r->count[i], r->last[i] + row * r->count[i], r->count[i]) /
			(r->unit[i] * r->unit[i]);
		n += (double)r->count[i];
	}
	return sqrt(sum / (n > 0 ? n : 1));
}

static void keep_frame(const mmi_recorder *r, uint32_t step)
{
	if (step % r->stride && step != r->steps)
		return;
	uint32_t frame = (step + r->stride - 1) / r->stride;
	for (uint32_t i = 0; i < r->n_states; i++)
		memcpy(mmi_recorder_frame(r, frame, i), r->state[i], r->rows * r->count[i] * sizeof(float));
}

void mmi_recorder_watch(void *ctx, uint32_t step, const mmi_program *program)
{
	mmi_recorder *r = ctx;
	const mmi_vec *vec = mmi_program_device(program)->vec;
	mmi_program_read(program, r->energy_at, r->rows, r->at_step);
	for (uint32_t row = 0; row < r->rows; row++) {
		size_t at = (size_t)step * r->rows + row;
		r->energy[at] = (double)r->at_step[row];
		r->move[at] = step ? moved(r, vec, row) : 0;
		r->log_prior[at] = log_prior(r, row);
	}
	for (uint32_t i = 0; i < r->n_states; i++)
		memcpy(r->last[i], r->state[i], r->rows * r->count[i] * sizeof(float));
	keep_frame(r, step);
}

uint32_t mmi_recorder_step(const mmi_recorder *r, uint32_t frame)
{
	uint32_t step = frame * r->stride;
	return step < r->steps ? step : r->steps;
}

float *mmi_recorder_frame(const mmi_recorder *r, uint32_t frame, uint32_t state)
{
	return r->frame[state] + (size_t)frame * r->rows * r->count[state];
}
