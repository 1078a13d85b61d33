/* sound_rig.h - sound files made up for tests, by libsndfile. */
#ifndef SOUND_RIG_H
#define SOUND_RIG_H

#include "media_rig.h"

enum { SOUND_CLASSES = 3 };

/* n samples of a made-up word of a class: tones below 1.5 kHz that rise or fall, with soft ends; another for each
 * variant. free it. */
float *sound_word(int class, int variant, int rate, size_t n);
/* A file below the rig's folder of n frames with `channels` channels, each the same but for its loudness; false when
 * this libsndfile does not write the format (SF_FORMAT_...). */
bool sound_write(rig *r, const char *name, int format, int rate, int channels, const float *x, size_t n);
/* A word as a WAV file of 16 bits, 8000 samples a second, 3000 samples. */
void sound_wav(rig *r, const char *name, int class, int variant);

#endif
