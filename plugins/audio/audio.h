/* audio.h - sounds as spectrograms: what the plugin's files share. */
#ifndef AUDIO_H
#define AUDIO_H

#include "mel.h"
#include "pairs.h"
#include "sound_file.h"

enum { AUDIO_KEYS_NAME = 0, AUDIO_KEYS_CLASS = 1 };

typedef struct audio_store audio_store; /* store.h */

/* One modality. The strings belong to the host and live as long as the instance. */
struct mm_instance {
	const mma_host *host;
	pairs_source source;
	audio_mel_settings mel;
	double low_db, high_db; /* mel's */
	audio_want want;
	audio_mel *tool; /* of [main] calls; data sets have their own */
	int keys;        /* AUDIO_KEYS_... */
	int skip_bad;
	int32_t pairs[2];     /* of keys = class, by split: tuples a class; 0: one for each sound */
	int32_t jitter;       /* most frames by which a repeated sound starts later */
	double gain;          /* most decibels by which it is softer */
	double mask;          /* most of the bands and of the frames that encoders miss in training */
	uint64_t mask_stream; /* of the random numbers for it */
	int32_t width;        /* of networks */
	int32_t energy_channels, energy_stride;
	int32_t griffin_lim;   /* rounds */
	int32_t cache_mb;      /* of spectrograms of one split */
	audio_store *store[2]; /* by split; NULL: not in use */
	pairs_known known;
};

/* Values of one spectrogram. */
size_t audio_floats(const mm_instance *i);

/* instance.c */
mm_status audio_create(void *self, mm_config *config, mm_instance **out, mm_error *e);
void audio_destroy(mm_instance *i);
mm_status audio_describe(mm_instance *i, mm_modality_info *out, mm_error *e);
extern const mm_modality_state audio_state;
extern const mm_modality_settings audio_settings;

/* dataset.c */
mm_status audio_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e);
void audio_close(mm_dataset *d);
uint64_t audio_count(const mm_dataset *d);
mm_status audio_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e);
int32_t audio_label(const mm_dataset *d, uint64_t index);
mm_status audio_read(mm_dataset *d, uint64_t index, float *out, mm_error *e);
extern const mm_modality_group audio_group;

/* given.c: the spectrogram of a file: from its start, silence behind; of a longer one, the middle. */
mm_status audio_spectrogram(const mm_instance *i, audio_mel *tool, const char *path, float *out, bool *cut,
                            mm_error *e);
extern const mm_modality_file audio_file;

/* vary.c: a sound of training without some of its bands and frames; `draw` says which. */
void audio_vary(const mm_instance *i, uint64_t draw, float *x);

/* nets.c */
mm_status audio_build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e);
mm_status audio_build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e);
mm_status audio_build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e);
extern const mm_modality_classifier audio_classifier;

/* render.c */
mm_status audio_render(mm_instance *i, const float *x, const char *path, mm_error *e);
extern const mm_modality_picture audio_picture;

#endif
