/* entries.h - people's own data, without a publisher's layout: what the layouts pairs and list have in common.
 *
 *   pairs  files of one name with different endings belong together: cat1.png, cat1.txt (one caption a line), cat1.wav,
 *          in any folders. What a key is follows from the files: their paths without endings, or without a folder for
 *          each kind (images/a/1.png, texts/a/1.txt: a/1), or names alone, whichever brings most parts together.
 *   list   a table, CSV (comma, semicolon or tab) or JSON lines, with a column a modality. Columns: picture, image, img
 *          or photo; sound, audio or wav; caption, text or txt (the words themselves); file, file_name or path (any of
 *          the first two, by its ending); key or id (else rows are counted); label or class; split; group or speaker.
 *
 * Splits, in this order: test_names and test_groups; test_share; the column split, or folders called train and test; a
 * tenth. What belongs to one group is on one side. */
#ifndef COMMON_ENTRIES_H
#define COMMON_ENTRIES_H

#include "pairs_read.h"

enum { PAIRS_UNSAID = -1, PAIRS_VALIDATION = 2 }; /* splits beside MM_SPLIT_... */

/* A file found, or a row: a part of an item, or several. Strings are the arena's. */
typedef struct pairs_entry {
	const char *key;
	size_t key_length;
	const char *file[PAIRS_KINDS]; /* below root; NULL: none */
	const char *caption;           /* of a row; NULL: none */
	const char *class, *group;     /* NULL: not said */
	int32_t split;                 /* MM_SPLIT_..., PAIRS_UNSAID or PAIRS_VALIDATION */
	int32_t label;                 /* -1: none */
	uint32_t line;                 /* of a table; 0: a file's */
} pairs_entry;

typedef struct pairs_entries {
	const mma_host *host;
	const pairs_source *source;
	pairs_entry *entry; /* sorted by key, those of one key as they were found */
	size_t n, capacity;
	uint32_t n_classes;
	const char *table;                     /* path of a list's table */
	char keys[80], split[80], classes[80]; /* how they were found out, for the log */
	com_arena strings;
} pairs_entries;

/* Finds all entries of both splits. */
typedef mm_status (*pairs_collect)(pairs_entries *a, mm_error *e);

/* What a layout does with entries that `collect` finds: those of a split are read, their classes are counted and how
 * the data was understood is told to the log. */
mm_status pairs_entries_read(pairs_reader *r, pairs_collect collect, mm_error *e);
mm_status pairs_entries_classes(const mma_host *h, const pairs_source *s, pairs_collect collect, uint32_t *out,
                                mm_error *e);
/* Room for one more, empty but for its numbers; NULL when out of memory. */
pairs_entry *pairs_entry_add(pairs_entries *a);

extern const char *const pairs_layout_names[]; /* by PAIRS_AUTO ...; NULL behind the last */

/* pairs_scan.c: the kind of a file by its ending, PAIRS_KINDS: of none. */
int pairs_kind(const char *name);

/* names.c: a template of fields in braces, {label}, {group} and {}, with text between them; a field takes as little as
 * it can and at least one character, the last one the rest. */
bool pairs_template_valid(const char *names);
/* What a name of `length` bytes says; false when it is of another form. A field that the template lacks has length 0.
 */
typedef struct pairs_said {
	const char *label, *group;
	size_t label_length, group_length;
} pairs_said;
bool pairs_template_match(const char *names, const char *name, size_t length, pairs_said *out);
/* Which split a word means: train, test, validation and their like; PAIRS_UNSAID: none. */
int32_t pairs_split_named(const char *word, size_t length);

/* pairs_split.c: labels from classes, and which split an entry is of. */
mm_status pairs_label_classes(pairs_entries *a, mm_error *e);
mm_status pairs_split_entries(pairs_entries *a, mm_error *e);

#endif
