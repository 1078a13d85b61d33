/* pairs_read.h - between pairs.c and the readers of the layouts. */
#ifndef COMMON_PAIRS_READ_H
#define COMMON_PAIRS_READ_H

#include "pairs.h"

/* A split being read. */
typedef struct pairs_reader {
	const mma_host *host;
	const pairs_source *source;
	int32_t split;
	pairs *out;
	size_t item_capacity, caption_capacity;
	uint64_t cut, repaired;                   /* captions */
	char first_cut[256], first_repaired[256]; /* where */
} pairs_reader;

/* Where a caption stands: a line of a file, or a record of it. */
typedef struct pairs_place {
	const char *path;
	uint32_t line; /* from 1; 0: the record */
	const char *record;
} pairs_place;

/* One layout: how to recognise it, count its classes, read a split. */
typedef struct pairs_layout {
	const char *name, *signs; /* for messages: the files it is known by */
	/* Whether root has it. An error when that cannot be known, for want of memory: then none is there by mistake. */
	mm_status (*present)(const mma_host *h, const pairs_source *s, bool *out, mm_error *e);
	mm_status (*classes)(const mma_host *h, const pairs_source *s, uint32_t *out, mm_error *e);
	mm_status (*read)(pairs_reader *r, mm_error *e);
} pairs_layout;

extern const pairs_layout pairs_cub, pairs_folders, pairs_coco, pairs_files, pairs_table;

#define PAIRS_FILE_MAX ((size_t)256 << 20) /* bytes of a list or of a file of captions */

/* An item as a reader finds it: its strings are copied. */
typedef struct pairs_found {
	const char *name; /* `length` bytes of it; 0: up to the suffix of its last part */
	size_t length;
	const char *file;  /* of the plugin's kind, or NULL */
	int32_t label;     /* -1: none */
	const char *group; /* or NULL: the item stands alone */
} pairs_found;

/* Adds an item of the split. */
mm_status pairs_add_item(pairs_reader *r, const pairs_found *found, mm_error *e);
/* Adds a caption to the item added last, cleaned; one that is blank is left out. The place is for the log. */
mm_status pairs_add_caption(pairs_reader *r, const char *text, size_t length, const pairs_place *at, mm_error *e);
/* Notes where captions were looked for and are not, the first time; what is there instead is told with it. */
mm_status pairs_note_absent(pairs_reader *r, const char *path, mm_error *e);
/* Of pictures: the first file below root that is one, but of a kind that is not read; false: there is none. */
bool pairs_other_picture(const mma_host *h, const pairs_source *s, char *path, size_t size);
/* A path below a folder in host memory; NULL when out of memory. */
char *pairs_path(const mma_host *h, const char *folder, const char *name);
/* Whether ROOT/name is a file or folder. */
bool pairs_has_file(const mma_host *h, const pairs_source *s, const char *name);
bool pairs_has_folder(const mma_host *h, const pairs_source *s, const char *name);
/* FNV-1a: the same on every machine. */
uint64_t pairs_hash(const char *name);
/* Bytes of a name without the suffix of its last part. */
size_t pairs_stem(const char *name);
/* A relative path that stays below its folder. */
bool pairs_safe_path(const char *path);
/* The names in a folder that `wanted` takes, sorted by bytes. The names belong to the arena, the list is com_released.
 */
mm_status pairs_list(const mma_host *h, com_arena *a, const char *folder,
                     bool (*wanted)(const char *path, const char *name), const char ***names, uint32_t *n, mm_error *e);

#endif
