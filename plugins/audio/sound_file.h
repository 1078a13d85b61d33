/* sound_file.h - sound files in and out: mono, at the rate that is wanted. Whatever a file holds is a sound or an error
 * that names it, says what was found, and what to do. */
#ifndef AUDIO_SOUND_FILE_H
#define AUDIO_SOUND_FILE_H

#include "common.h"

enum { AUDIO_MOST_CHANNELS = 16, AUDIO_LOWEST_RATE = 1000, AUDIO_HIGHEST_RATE = 384000 };

typedef struct audio_want {
	int32_t rate;       /* samples a second */
	double max_seconds; /* longer ones are refused */
} audio_want;

/* All formats of libsndfile: the mean of the channels, resampled, with a peak of 1. Refused: what cannot be read, is
 * cut short, holds no samples or some that are no numbers, is longer than wanted, or silent. *out is released by the
 * caller and has *n floats, at least 1. */
mm_status audio_read_sound(const mma_host *h, const char *path, const audio_want *want, float **out, size_t *n,
                           mm_error *e);
/* A new WAV file, 16 bits, mono, complete or absent; what is over full scale is clipped. */
mm_status audio_write_wav(const mma_host *h, const char *path, int32_t rate, const float *x, size_t n, mm_error *e);

/* whole_file.c: an error when the file ends before what its header promises; libsndfile reads such a file as if it were
 * whole. fd is at the start, and left anywhere. */
mm_status audio_check_whole(int fd, uint64_t size, const char *path, mm_error *e);

#endif
