/* pairs.h - data whose parts belong together: pictures, captions and sounds, as published data sets lay them out or as
 * people have them. img, txt and audio read them through this one file, so their keys agree.
 *
 *   cub      images.txt, train_test_split.txt, [image_class_labels.txt, classes.txt], images/CLASS/NAME.{png,jpg,...},
 *            text_c10/CLASS/NAME.txt or text/CLASS/NAME.txt (one caption a line)
 *   folders  train/CLASS/NAME.jpg, test/CLASS/NAME.jpg, text_trainvalclasses.txt, text_testclasses.txt: ten captions a
 *            picture, pictures in the order of their names (MMVAE)
 *   coco     [annotations/]captions_train*.json and captions_val*.json with the folders train* and val* (MSCOCO)
 *   pairs    files of one name with different endings, NAME.png, NAME.txt, NAME.wav, in any folders (entries.h)
 *   list     a table (CSV or JSON lines) with a column for each modality (entries.h)
 *
 * An item is what belongs to one key. A sample is an item with one of its captions: key "CLASS/NAME#k" for its k-th
 * caption. With `captions = first` or `join`, and where the data has no captions at all, it is one item and the key is
 * "CLASS/NAME". */
#ifndef COMMON_PAIRS_H
#define COMMON_PAIRS_H

#include "common.h"

enum { PAIRS_PICTURE = 0, PAIRS_SOUND = 1, PAIRS_TEXT = 2, PAIRS_KINDS = 3 }; /* of files */
enum { PAIRS_AUTO = 0, PAIRS_CUB = 1, PAIRS_FOLDERS = 2, PAIRS_COCO = 3, PAIRS_FILES = 4, PAIRS_LIST = 5 };
enum { PAIRS_EACH = 0, PAIRS_FIRST = 1, PAIRS_JOIN = 2 };

/* Where the data is: settings all plugins have that read it. Strings are the host's. */
typedef struct pairs_source {
	const char *instance; /* section, for messages */
	const char *root;     /* or NULL */
	const char *text;     /* folder of captions (cub), or NULL: below root */
	int kind;             /* PAIRS_PICTURE ...: the files that the plugin reads */
	int layout, captions;
	/* Of pairs and list: */
	const char *list;        /* the table, or NULL: the one below root */
	const char *column;      /* the table's column of this modality; "": found by its name */
	const char *names;       /* what a file's name says, "{label}_{group}_{}"; "": nothing */
	const char *test_names;  /* patterns of keys of the test split; "": none */
	const char *test_groups; /* groups of the test split; "": none */
	double test_share;       /* of the test split; 0: as the data says, else a tenth */
	int folder_classes;      /* a file's folder is its class */
} pairs_source;

typedef struct pairs_item {
	const char *name;             /* CLASS/NAME, the stem of the key */
	const char *file;             /* of the plugin's kind, below root: images/CLASS/NAME.png; NULL: there is none */
	int32_t label;                /* -1: none */
	uint64_t group;               /* items of one group are alike: pairs_group */
	uint32_t caption, n_captions; /* first in pairs.caption, and how many */
} pairs_item;

typedef struct pairs_sample {
	uint32_t item;
	uint32_t k; /* which of its captions */
} pairs_sample;

/* One split. Read-only after opening. */
typedef struct pairs {
	const mma_host *host;
	int captions;  /* PAIRS_EACH ... */
	bool numbered; /* keys end in #k */
	pairs_item *item;
	const char **caption; /* clean UTF-8, not empty, at most PAIRS_CAPTION_MAX bytes */
	pairs_sample *sample; /* in an order that mixes classes and has first captions first */
	uint32_t n_items, n_captions, n_samples;
	const char *
		absent; /* where the first picture's captions were looked for and what is there instead; NULL: they are there */
	com_arena strings;
} pairs;

#define PAIRS_CAPTION_MAX 4096u

/* Reads the root and the keys of a plugin for files of that kind: layout, captions, and those of the layouts. */
mm_status pairs_settings(const mma_host *h, mm_config *c, int kind, pairs_source *out, mm_error *e);
/* Setting `index` of such a plugin, NULL behind the last: the keys that pairs_settings asks for, then its own. */
const mm_setting *pairs_setting_at(int kind, const mma_part *parts, size_t n, uint32_t index);
/* Refuses a value that is no power of two. */
mm_status pairs_check_power(const mma_host *h, mm_config *c, const char *key, int32_t value, const char *expected,
                            mm_error *e);

/* How many classes there are, by the data or by a checkpoint, whose state is one line: "PLUGIN 1 classes N". */
typedef struct pairs_known {
	bool set;
	uint32_t classes;
} pairs_known;
mm_status pairs_know(const mma_host *h, const pairs_source *s, pairs_known *k, mm_error *e);
mm_status pairs_save(const mma_host *h, const char *plugin, const pairs_known *k, void **bytes, size_t *size,
                     mm_error *e);
mm_status pairs_load(const char *plugin, const void *bytes, size_t size, pairs_known *k, mm_error *e);

/* How many classes the data has; 0: no labels. */
mm_status pairs_classes(const mma_host *h, const pairs_source *s, uint32_t *out, mm_error *e);
/* Captions are cut at PAIRS_CAPTION_MAX bytes; control characters and bytes that are no UTF-8 become blanks; both are
 * counted and told to the log. Pictures and sounds are not looked at. */
mm_status pairs_open(const mma_host *h, const pairs_source *s, int32_t split, pairs **out, mm_error *e);
void pairs_close(pairs *p); /* accepts NULL */
/* The pairs without the samples for which keep is false; order stays. `what` is said in the log when some go. */
void pairs_filter(pairs *p, bool (*keep)(const pairs *p, const pairs_sample *s, void *ctx), void *ctx);
/* The sample's caption (PAIRS_JOIN: all of them, ", " between) into text, NUL-terminated, cut to fit. Empty if none. */
void pairs_caption(const pairs *p, const pairs_sample *s, char *text, size_t size);
mm_status pairs_key(const pairs *p, uint64_t index, char *out, size_t size, mm_error *e);
int32_t pairs_label(const pairs *p, uint64_t index);
/* A number that samples share which must stay on one side of a holdout: those of one item, and those whose items the
 * data puts into one group (a speaker). The same in every plugin. */
uint64_t pairs_group(const pairs *p, uint64_t index);
/* The file of an item that has one, in host memory; NULL when out of memory. */
char *pairs_file(const pairs *p, const pairs_source *s, uint32_t item);
/* Which items have a file that is there ([n_items] of ok): those listed but not there are told to the log, as `what`;
 * it is an error when none is. */
mm_status pairs_present(const pairs *p, const pairs_source *s, const char *what, bool *ok, mm_error *e);
/* That a path, which is not there, was looked for first, and what is there instead, in host memory; NULL when out of
 * memory. */
char *pairs_instead(const mma_host *h, const char *path);
/* An error unless the index is in range. */
mm_status pairs_check(const pairs *p, uint64_t index, mm_error *e);

#endif
