/* griffin_lim.c - a log-mel spectrogram back to sound: powers of the bins, then phases that agree with each other. */
#include "mmi_build.h"

#include "mel_private.h"

#include <math.h>
#include <string.h>

static const float TAU = 6.28318531f;

/* What the way back needs beside the tool's own room. */
typedef struct back {
	audio_mel *m;
	size_t n;            /* samples */
	double *band;        /* [bands]: powers that are wanted */
	double *up, *down;   /* [bins] */
	float *amplitude;    /* [frames][bins] */
	kiss_fft_cpx *frame; /* [frames][bins] */
	float *weight;       /* [n]: sum of the squared windows */
} back;

static size_t places(const back *b)
{
	return (size_t)b->m->s.frames * (size_t)b->m->bins;
}

static mm_status open_back(audio_mel *m, back *b, mm_error *e)
{
	const mma_host *h = m->host;
	*b = (back){ .m = m, .n = audio_mel_length(&m->s) };
	b->band = mma_new(h, (size_t)m->s.bands, sizeof(*b->band));
	b->up = mma_new(h, (size_t)m->bins, sizeof(*b->up));
	b->down = mma_new(h, (size_t)m->bins, sizeof(*b->down));
	b->amplitude = mma_new(h, places(b), sizeof(*b->amplitude));
	b->frame = mma_new(h, places(b), sizeof(*b->frame));
	b->weight = mma_new(h, b->n, sizeof(*b->weight));
	return b->band && b->up && b->down && b->amplitude && b->frame && b->weight ? MM_OK : mma_no_memory(e, "sound");
}

static void close_back(back *b)
{
	const mma_host *h = b->m->host;
	mma_free(h, b->band);
	mma_free(h, b->up);
	mma_free(h, b->down);
	mma_free(h, b->amplitude);
	mma_free(h, b->frame);
	mma_free(h, b->weight);
}

/* ---------------------------------------------------------------- powers of the bins */

/* The power that a value of the spectrogram stands for; none at the floor, where silence is. */
static double power_of(const audio_mel *m, float value)
{
	const float x = value > 1 ? 1 : value;
	const double db = ((double)x + 1) / 2 * (m->s.high_db - m->s.low_db) + m->s.low_db;
	return x > -1 ? audio_mel_full_scale(m) * pow(10, db / 10) : 0;
}

/* One multiplicative update: every bin times what its bands ask for over what they get. */
static void update_bins(back *b, float *power)
{
	const audio_mel *m = b->m;
	for (int32_t k = 0; k < m->bins; k++)
		b->up[k] = b->down[k] = 0;
	for (int32_t i = 0; i < m->s.bands; i++) {
		const audio_band *band = &m->band[i];
		double sum = 0;
		for (int32_t k = 0; k < band->count; k++)
			sum += (double)band->weight[k] * (double)power[band->first + k];
		for (int32_t k = 0; k < band->count; k++) {
			b->up[band->first + k] += (double)band->weight[k] * b->band[i];
			b->down[band->first + k] += (double)band->weight[k] * sum;
		}
	}
	for (int32_t k = 0; k < m->bins; k++)
		power[k] = b->down[k] > 1e-12 ? (float)((double)power[k] * b->up[k] / b->down[k]) : 0;
}

static void find_amplitudes(back *b, const float *in)
{
	const audio_mel *m = b->m;
	const size_t bands = (size_t)m->s.bands, frames = (size_t)m->s.frames, bins = (size_t)m->bins;
	for (size_t t = 0; t < frames; t++) {
		float *power = b->amplitude + t * bins;
		for (size_t i = 0; i < bands; i++)
			b->band[i] = power_of(m, in[(bands - 1 - i) * frames + t]);
		for (size_t k = 0; k < bins; k++)
			power[k] = 1;
		for (int round = 0; round < AUDIO_UNMEL_ROUNDS; round++)
			update_bins(b, power);
		for (size_t k = 0; k < bins; k++)
			power[k] = sqrtf(power[k]);
	}
}

/* ---------------------------------------------------------------- phases */

/* Phases of a linear congruential generator (Numerical Recipes), not of the run's seed: one sample, one sound. */
static void start_phases(back *b)
{
	uint32_t state = 1;
	for (size_t k = 0; k < places(b); k++) {
		state = state * 1664525u + 1013904223u;
		const float phase = (float)(state >> 8) * (TAU / 16777216.0f);
		b->frame[k] = (kiss_fft_cpx){ b->amplitude[k] * cosf(phase), b->amplitude[k] * sinf(phase) };
	}
}

/* The sound whose spectrum is nearest to the frames: overlap-add with the same window over the sum of its squares. */
static void synthesise(back *b, float *sound)
{
	audio_mel *m = b->m;
	memset(sound, 0, b->n * sizeof(*sound));
	memset(b->weight, 0, b->n * sizeof(*b->weight));
	for (int32_t t = 0; t < m->s.frames; t++) {
		const int64_t begin = audio_mel_begin(m, t);
		kiss_fftri(m->inverse, b->frame + (size_t)t * (size_t)m->bins, m->buffer);
		for (int32_t k = 0; k < m->s.window; k++) {
			const int64_t at = begin + k;
			if (at < 0 || (uint64_t)at >= b->n)
				continue;
			sound[at] += m->buffer[k] / (float)m->fft * m->window[k];
			b->weight[at] += m->window[k] * m->window[k];
		}
	}
	for (size_t k = 0; k < b->n; k++)
		sound[k] /= b->weight[k] > 1e-3f ? b->weight[k] : 1e-3f;
}

/* The phases that the sound has, with the amplitudes that are wanted. */
static void take_phases(back *b, const float *sound)
{
	audio_mel *m = b->m;
	for (int32_t t = 0; t < m->s.frames; t++) {
		kiss_fft_cpx *frame = b->frame + (size_t)t * (size_t)m->bins;
		const float *wanted = b->amplitude + (size_t)t * (size_t)m->bins;
		audio_mel_analyse(m, sound, b->n, t);
		for (int32_t k = 0; k < m->bins; k++) {
			const kiss_fft_cpx c = m->bin[k];
			const float size = sqrtf(c.r * c.r + c.i * c.i), factor = size > 1e-9f ? wanted[k] / size : 0;
			frame[k] = (kiss_fft_cpx){ c.r * factor, c.i * factor };
		}
	}
}

static void scale_peak(float *sound, size_t n)
{
	float peak = 0;
	for (size_t k = 0; k < n; k++)
		peak = fmaxf(peak, fabsf(sound[k]));
	for (size_t k = 0; k < n && peak > 1e-6f; k++)
		sound[k] *= 0.9f / peak;
}

mm_status audio_mel_back(audio_mel *m, const float *in, int32_t rounds, float *sound, mm_error *e)
{
	back b;
	mm_status status = open_back(m, &b, e);
	if (status == MM_OK) {
		find_amplitudes(&b, in);
		start_phases(&b);
		synthesise(&b, sound);
		for (int32_t round = 0; round < rounds; round++) {
			take_phases(&b, sound);
			synthesise(&b, sound);
		}
		scale_peak(sound, b.n);
	}
	close_back(&b);
	return status;
}
