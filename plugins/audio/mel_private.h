/* mel_private.h - what the ways to the spectrogram and back share. */
#ifndef AUDIO_MEL_PRIVATE_H
#define AUDIO_MEL_PRIVATE_H

#include "mel.h"

#include <kiss_fftr.h>

/* A triangle: weights of the bins from `first` on, which sum to 1. */
typedef struct audio_band {
	int32_t first, count;
	float *weight; /* [count], in audio_mel.weights */
} audio_band;

struct audio_mel {
	const mma_host *host;
	audio_mel_settings s;
	int32_t fft, bins;
	float *window;     /* [window] */
	audio_band *band;  /* [bands], the lowest first */
	float *weights;    /* of all bands */
	float *buffer;     /* [fft] */
	float *power;      /* [bins] */
	kiss_fft_cpx *bin; /* [bins] */
	kiss_fftr_cfg forward, inverse;
};

/* The spectrum of frame t of n samples, into m->bin. */
void audio_mel_analyse(audio_mel *m, const float *x, size_t n, int32_t t);
/* The sample that the window of frame t begins with. */
int64_t audio_mel_begin(const audio_mel *m, int32_t t);
/* Power of a bin that a sine of full scale lies in. */
double audio_mel_full_scale(const audio_mel *m);

#endif
