/* pairs.h - pictures with captions, as three published data sets lay them out. img and txt read them through this one
 * file, so their keys agree.
 *
 *   cub      images.txt, train_test_split.txt, [image_class_labels.txt, classes.txt], images/CLASS/NAME.{png,jpg,...},
 *            text_c10/CLASS/NAME.txt or text/CLASS/NAME.txt (one caption a line)
 *   folders  train/CLASS/NAME.jpg, test/CLASS/NAME.jpg, text_trainvalclasses.txt, text_testclasses.txt: ten captions a
 *            picture, pictures in the order of their names (MMVAE)
 *   coco     [annotations/]captions_train*.json and captions_val*.json with the folders train* and val* (MSCOCO)
 *
 * A sample is one picture with one caption: key "CLASS/NAME#k" for its k-th caption. With `captions = first` or `join`,
 * and where the data has no captions at all, it is one picture and the key is "CLASS/NAME". */
#ifndef COMMON_PAIRS_H
#define COMMON_PAIRS_H

#include "common.h"

enum { PAIRS_AUTO = 0, PAIRS_CUB = 1, PAIRS_FOLDERS = 2, PAIRS_COCO = 3 };
enum { PAIRS_EACH = 0, PAIRS_FIRST = 1, PAIRS_JOIN = 2 };

/* Where the data is: settings both plugins have. Strings are the host's. */
typedef struct pairs_source {
	const char *instance; /* section, for messages */
	const char *root;     /* or NULL */
	const char *text;     /* folder of captions (cub), or NULL: below root */
	int layout, captions;
} pairs_source;

typedef struct pairs_picture {
	const char *name;             /* CLASS/NAME, the stem of the key */
	const char *file;             /* below root: images/CLASS/NAME.png */
	int32_t label;                /* -1: none */
	uint32_t caption, n_captions; /* first in pairs.caption, and how many */
} pairs_picture;

typedef struct pairs_sample {
	uint32_t picture;
	uint32_t k; /* which of its captions */
} pairs_sample;

/* One split. Read-only after opening. */
typedef struct pairs {
	const com_host *host;
	int captions;  /* PAIRS_EACH ... */
	bool numbered; /* keys end in #k */
	pairs_picture *picture;
	const char **caption; /* clean UTF-8, not empty, at most PAIRS_CAPTION_MAX bytes */
	pairs_sample *sample; /* in an order that mixes classes and has first captions first */
	uint32_t n_pictures, n_captions, n_samples;
	const char *
		absent; /* where the first picture's captions were looked for and what is there instead; NULL: they are there */
	com_arena strings;
} pairs;

#define PAIRS_CAPTION_MAX 4096u

/* Reads the keys layout, captions and text, and the root. */
mm_status pairs_settings(const com_host *h, mm_config *c, pairs_source *out, mm_error *e);
/* How many classes the data has; 0: no labels. */
mm_status pairs_classes(const com_host *h, const pairs_source *s, uint32_t *out, mm_error *e);
/* Captions are cut at PAIRS_CAPTION_MAX bytes; control characters and bytes that are no UTF-8 become blanks; both are
 * counted and told to the log. Pictures are not looked at. */
mm_status pairs_open(const com_host *h, const pairs_source *s, int32_t split, pairs **out, mm_error *e);
void pairs_close(pairs *p); /* accepts NULL */
/* The pairs without the samples for which keep is false; order stays. `what` is said in the log when some go. */
void pairs_filter(pairs *p, bool (*keep)(const pairs *p, const pairs_sample *s, void *ctx), void *ctx);
/* The sample's caption (PAIRS_JOIN: all of them, ", " between) into text, NUL-terminated, cut to fit. Empty if none. */
void pairs_caption(const pairs *p, const pairs_sample *s, char *text, size_t size);
mm_status pairs_key(const pairs *p, uint64_t index, char *out, size_t size, mm_error *e);
int32_t pairs_label(const pairs *p, uint64_t index);
/* That a path, which is not there, was looked for first, and what is there instead, in host memory; NULL when out of
 * memory. */
char *pairs_instead(const com_host *h, const char *path);
/* An error unless the index is in range. */
mm_status pairs_check(const pairs *p, uint64_t index, mm_error *e);

#endif
