/* mel.h - sound to a log-mel spectrogram and back.
 *
 * Frame t is centred on sample (t + 1/2) hop: a periodic Hann window, zeros behind it up to `fft` points. Bands are
 * triangles, linear in hertz, whose edges are equally spaced on the HTK mel scale m = 2595 log10(1 + f / 700) from 0 to
 * half the rate; each band's weights sum to 1 over the bins. Decibels are 10 log10(mean power / (window / 4)^2 +
 * 1e-12), so that a sine of full scale has 0 dB in a band as narrow as the window's main lobe; low_db..high_db become
 * -1..1 and what lies outside is clipped. The range is fixed: nothing is learned from the data, and sound comes back.
 */
#ifndef AUDIO_MEL_H
#define AUDIO_MEL_H

#include "common.h"

typedef struct audio_mel_settings {
	int32_t rate; /* samples a second */
	int32_t bands, frames;
	int32_t hop, window; /* samples */
	float low_db, high_db;
} audio_mel_settings;

/* One thread at a time: it has room for a frame. */
typedef struct audio_mel audio_mel;

/* Refused where a band would hold no bin of the transform. */
mm_status audio_mel_create(const mma_host *h, const audio_mel_settings *s, audio_mel **out, mm_error *e);
void audio_mel_destroy(audio_mel *m); /* accepts NULL */
/* Samples of sound that a spectrogram is of: frames * hop. */
size_t audio_mel_length(const audio_mel_settings *s);
/* x: n samples; what lies outside of them is silence. out: [bands][frames], the highest band first, as a picture is. */
void audio_mel_forward(audio_mel *m, const float *x, size_t n, float *out);
/* The way back: powers of the bins that give these bands, by `AUDIO_UNMEL_ROUNDS` multiplicative updates (non-negative
 * least squares; Lee and Seung 2001), then phases by Griffin and Lim (1984) from fixed ones, `rounds` times. sound:
 * audio_mel_length samples whose peak is 0.9, or silence. The same sample gives the same sound. */
mm_status audio_mel_back(audio_mel *m, const float *in, int32_t rounds, float *sound, mm_error *e);

enum { AUDIO_UNMEL_ROUNDS = 40 };

#endif
