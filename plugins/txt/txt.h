/* txt.h - captions: what the plugin's files share. */
#ifndef TXT_H
#define TXT_H

#include "embedding.h"
#include "pairs.h"
#include "vocabulary.h"

enum { TXT_EMBEDDING = 0, TXT_ONEHOT = 1 };

/* What load returns. */
typedef struct txt_plugin {
	mma_host host;
	const mm_host_linalg *linalg; /* or NULL: then vectors must come from a file */
	const mm_host_text *text;     /* or NULL: then captions cannot be drawn */
} txt_plugin;

/* One modality. The strings belong to the host and live as long as the instance. */
struct mm_instance {
	const txt_plugin *plugin;
	const mma_host *host;
	pairs_source source;
	int net; /* of txt_net_table */
	int representation;
	int punctuation; /* marks are tokens; otherwise they are left out */
	int32_t length;  /* tokens, the end included */
	int32_t dim;     /* of a token's vector; 0: as the file of vectors has it */
	int32_t min_count, max_words, window;
	int32_t width, energy_width;
	const char *vectors;  /* file, or NULL: learned */
	double drop;          /* chance of a word to be hidden from encoders in training */
	uint64_t drop_stream; /* of the random numbers for it */
	bool ready;           /* what follows is there: learned from the data or loaded */
	uint32_t n_classes;
	txt_vocabulary vocabulary;
	float *vector; /* [words][dim] of an embedding */
};

/* Floats of one token: dim, or the number of words. */
int32_t txt_features(const mm_instance *i);

/* instance.c */
mm_status txt_create(void *self, mm_config *config, mm_instance **out, mm_error *e);
void txt_destroy(mm_instance *i);
extern const mm_modality_settings txt_settings;
mm_status txt_describe(mm_instance *i, mm_modality_info *out, mm_error *e);

/* state.c */
extern const mm_modality_state txt_state;

/* code.c: captions as numbers and back. */
/* token ids, `length` of them: words, the end, padding. */
void txt_encode(const mm_instance *i, const char *caption, uint32_t *ids);
/* The sample of those ids: [length][features]. */
void txt_expand(const mm_instance *i, const uint32_t *ids, float *x);
/* One row of it: [features]. */
void txt_put_token(const mm_instance *i, uint32_t id, float *row);
/* A sample as reading its written words would give it. */
void txt_round(const mm_instance *i, float *x);
/* The nearest token at each place. */
void txt_nearest(const mm_instance *i, const float *x, uint32_t *ids);
/* The words before the first end or padding as text, in host memory; NULL when out of memory. */
char *txt_decode(const mm_instance *i, const uint32_t *ids);

/* dataset.c */
mm_status txt_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e);
void txt_close(mm_dataset *d);
uint64_t txt_count(const mm_dataset *d);
mm_status txt_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e);
int32_t txt_label(const mm_dataset *d, uint64_t index);
mm_status txt_read(mm_dataset *d, uint64_t index, float *out, mm_error *e);
extern const mm_modality_group txt_group;

/* vary.c: a caption of training without some of its words; `draw` says which. */
void txt_vary(const mm_instance *i, uint64_t draw, float *x);

/* given.c */
extern const mm_modality_file txt_file;

/* render.c */
mm_status txt_render(mm_instance *i, const float *x, const char *path, mm_error *e);
extern const mm_modality_picture txt_picture;

#endif
