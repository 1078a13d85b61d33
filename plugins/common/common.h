/* common.h - what the plugins share beyond <mmcore/author.h>: formatted and kept strings, files.
 *
 * Compiled into each plugin; nothing here is exported. */
#ifndef COMMON_H
#define COMMON_H

#include <mmcore/author.h>
#include <stdbool.h>

/* Of a failed call of the system: MM_ENOMEM where memory or descriptors ran out, which says nothing about a file; all
 * else is MM_EIO. */
mm_status com_errno_status(int error);
/* A formatted string in host memory, or NULL. */
char *com_format(const mma_host *h, const char *format, ...) MMA_PRINTF(2, 3);

/* ---------------------------------------------------------------- strings kept together */

/* Many small strings in few blocks, released all at once. Zero is an empty one. */
typedef struct com_arena {
	struct com_block *block;
	size_t used, size;
} com_arena;

/* A NUL-terminated copy, or NULL when out of memory. */
char *com_keep(const mma_host *h, com_arena *a, const char *text, size_t length);
void com_arena_clear(const mma_host *h, com_arena *a);

/* ---------------------------------------------------------------- files */

/* A whole text file and a place in it. */
typedef struct com_text {
	char *bytes; /* NUL behind the end */
	size_t size, at;
	const char *path; /* the caller's */
	uint32_t number;  /* of the line given last, from 1 */
} com_text;

/* How a text file begins: *skip is 3 behind a byte order mark of UTF-8, else 0; UTF-16 and UTF-32 are refused by name.
 */
mm_status com_text_begin(const char *path, const char *bytes, size_t size, size_t *skip, mm_error *e);
/* A byte order mark is skipped. Refused above `limit` bytes. The path must outlive the text. */
mm_status com_text_open(const mma_host *h, const char *path, size_t limit, com_text *out, mm_error *e);
void com_text_close(const mma_host *h, com_text *t);
/* The next line without its end (LF or CR LF); false at the end of the file. It may hold any byte, NUL included. */
bool com_text_line(com_text *t, char **line, size_t *length);

bool com_is_folder(const char *path);
bool com_is_file(const char *path);

/* A new file with these bytes, complete or absent: written beside its place and renamed. */
mm_status com_write_file(const mma_host *h, const char *path, const void *bytes, size_t size, mm_error *e);

#endif
