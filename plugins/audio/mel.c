/* mel.c - sound to a log-mel spectrogram. */
#include "mmi_build.h"

#include "mel_private.h"

#include <math.h>
#include <string.h>

enum { SHORTEST_FFT = 512 /* so that no band is empty at 64 bands */ };

static const double PI = 3.14159265358979323846;

/* ---------------------------------------------------------------- bands */

static double mel_of(double hertz)
{
	return 2595 * log10(1 + hertz / 700);
}

static double hertz_of(double mel)
{
	return 700 * (pow(10, mel / 2595) - 1);
}

/* Height of the triangle left, middle, right at f; 0 outside. */
static double triangle(double left, double middle, double right, double f)
{
	const double up = (f - left) / (middle - left), down = (right - f) / (right - middle);
	return fmax(0, fmin(up, down));
}

/* The weights of one band behind those of the others; returns how many. */
static int32_t fill_band(audio_mel *m, int32_t b, float *weight)
{
	const double step = mel_of(m->s.rate / 2.0) / (m->s.bands + 1), width = (double)m->s.rate / m->fft;
	const double left = hertz_of(b * step), middle = hertz_of((b + 1) * step), right = hertz_of((b + 2) * step);
	audio_band *band = &m->band[b];
	double sum = 0;
	*band = (audio_band){ .weight = weight };
	for (int32_t k = 0; k < m->bins; k++) {
		const double w = triangle(left, middle, right, k * width);
		if (w <= 0)
			continue;
		if (!band->count)
			band->first = k;
		weight[band->count++] = (float)w;
		sum += w;
	}
	for (int32_t k = 0; k < band->count; k++)
		weight[k] = (float)(weight[k] / sum);
	return band->count;
}

/* A bin lies in two triangles at most. */
static mm_status fill_bands(audio_mel *m, mm_error *e)
{
	float *at = m->weights;
	for (int32_t b = 0; b < m->s.bands; b++) {
		const int32_t n = fill_band(m, b, at);
		if (!n)
			return mma_fail(
				e, MM_ECONFIG,
				"mel band %d of %d lies between two bins of a transform of %d points; set fewer bands or a larger "
				"window",
				(int)b, (int)m->s.bands, (int)m->fft);
		at += n;
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- life */

static bool allocate(audio_mel *m)
{
	const mma_host *h = m->host;
	m->window = mma_new(h, (size_t)m->s.window, sizeof(*m->window));
	m->band = mma_new(h, (size_t)m->s.bands, sizeof(*m->band));
	m->weights = mma_new(h, 2 * (size_t)m->bins, sizeof(*m->weights));
	m->buffer = mma_new(h, (size_t)m->fft, sizeof(*m->buffer));
	m->power = mma_new(h, (size_t)m->bins, sizeof(*m->power));
	m->bin = mma_new(h, (size_t)m->bins, sizeof(*m->bin));
	m->forward = kiss_fftr_alloc(m->fft, 0, NULL, NULL);
	m->inverse = kiss_fftr_alloc(m->fft, 1, NULL, NULL);
	return m->window && m->band && m->weights && m->buffer && m->power && m->bin && m->forward && m->inverse;
}

mm_status audio_mel_create(const mma_host *h, const audio_mel_settings *s, audio_mel **out, mm_error *e)
{
	audio_mel *m = mma_new(h, 1, sizeof(*m));
	if (!m)
		return mma_no_memory(e, "a spectrogram");
	m->host = h;
	m->s = *s;
	for (m->fft = SHORTEST_FFT; m->fft < s->window; m->fft *= 2)
		;
	m->bins = m->fft / 2 + 1;
	mm_status status = allocate(m) ? fill_bands(m, e) : mma_no_memory(e, "a spectrogram");
	if (status != MM_OK) {
		audio_mel_destroy(m);
		return status;
	}
	for (int32_t k = 0; k < s->window; k++)
		m->window[k] = (float)(0.5 - 0.5 * cos(2 * PI * k / s->window));
	*out = m;
	return MM_OK;
}

void audio_mel_destroy(audio_mel *m)
{
	if (!m)
		return;
	const mma_host *h = m->host;
	kiss_fftr_free(m->forward);
	kiss_fftr_free(m->inverse);
	mma_free(h, m->bin);
	mma_free(h, m->power);
	mma_free(h, m->buffer);
	mma_free(h, m->weights);
	mma_free(h, m->band);
	mma_free(h, m->window);
	mma_free(h, m);
}

size_t audio_mel_length(const audio_mel_settings *s)
{
	return (size_t)s->frames * (size_t)s->hop;
}

/* ---------------------------------------------------------------- the spectrogram */

double audio_mel_full_scale(const audio_mel *m)
{
	return (double)m->s.window * m->s.window / 16;
}

int64_t audio_mel_begin(const audio_mel *m, int32_t t)
{
	return (int64_t)t * m->s.hop + m->s.hop / 2 - m->s.window / 2;
}

void audio_mel_analyse(audio_mel *m, const float *x, size_t n, int32_t t)
{
	const int64_t begin = audio_mel_begin(m, t);
	memset(m->buffer, 0, (size_t)m->fft * sizeof(*m->buffer));
	for (int32_t k = 0; k < m->s.window; k++) {
		const int64_t at = begin + k;
		m->buffer[k] = at >= 0 && (uint64_t)at < n ? x[at] * m->window[k] : 0;
	}
	kiss_fftr(m->forward, m->buffer, m->bin);
}

static float scaled(const audio_mel *m, double power)
{
	const double db = 10 * log10(power / audio_mel_full_scale(m) + 1e-12);
	return (float)fmax(-1, fmin(1, 2 * (db - m->s.low_db) / (m->s.high_db - m->s.low_db) - 1));
}

void audio_mel_forward(audio_mel *m, const float *x, size_t n, float *out)
{
	const size_t bands = (size_t)m->s.bands, frames = (size_t)m->s.frames;
	for (size_t t = 0; t < frames; t++) {
		audio_mel_analyse(m, x, n, (int32_t)t);
		for (int32_t k = 0; k < m->bins; k++)
			m->power[k] = m->bin[k].r * m->bin[k].r + m->bin[k].i * m->bin[k].i;
		for (size_t b = 0; b < bands; b++) {
			const audio_band *band = &m->band[b];
			double sum = 0;
			for (int32_t k = 0; k < band->count; k++)
				sum += (double)band->weight[k] * (double)m->power[band->first + k];
			out[(bands - 1 - b) * frames + t] = scaled(m, sum);
		}
	}
}
