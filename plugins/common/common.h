/* common.h - what the plugins share: their life, errors, memory, log lines and services through the host, files.
 *
 * Compiled into each plugin; nothing here is exported. */
#ifndef COMMON_H
#define COMMON_H

#include <mmcore/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define COM_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define COM_PRINTF(f, a)
#endif

#define COM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Propagates a failure to the caller: for functions without anything to clean up. */
#define COM_TRY(expression)                       \
	do {                                          \
		mm_status com_try_status_ = (expression); \
		if (com_try_status_ != MM_OK)             \
			return com_try_status_;               \
	} while (0)

/* The host's tables that every plugin here needs. A plugin's state begins with them. */
typedef struct com_host {
	const mm_host_api *api;
	const mm_host_config *config;
	const mm_host_random *random;
	const mm_host_graph *graph;
} com_host;

/* Fills the tables; fails when the host lacks one or has an older one. */
mm_status com_services(const mm_host_api *api, com_host *out, mm_error *e);
/* What `load` returns: `size` bytes of host memory, zero behind the com_host they begin with, whose tables are filled.
 */
mm_status com_load(const mm_host_api *api, size_t size, void **self, mm_error *e);
/* Releases it: `unload`, for a plugin whose state holds nothing of its own. */
void com_unload(void *self);
/* The entry of a plugin called `title`, a literal; `list` is an array of its modalities. */
#define COM_ENTRY(title, list, load_function, unload_function)                                                        \
	{                                                                                                                 \
		.magic = MM_PLUGIN_MAGIC, .struct_size = MM_SIZE_THROUGH(mm_plugin_entry, unload), .abi_major = MM_ABI_MAJOR, \
		.abi_minor_built = MM_ABI_MINOR, .abi_minor_required = 0, .abi_tag = MM_ABI_TAG,                              \
		.n_modalities = COM_COUNT(list), .id = "org.mmcore." title, .name = title, .vendor = "mmcore",                \
		.version = PACKAGE_VERSION, .license = "MIT", .modalities = list, .load = load_function,                      \
		.unload = unload_function,                                                                                    \
	}
/* A service that may be absent: NULL when the host lacks it or its table ends before `size`. */
const void *com_optional_service(const com_host *h, const char *id, uint32_t size);

/* Fills e (may be NULL) and returns code. */
mm_status com_fail(mm_error *e, mm_status code, const char *format, ...) COM_PRINTF(3, 4);
mm_status com_no_memory(mm_error *e, const char *what);
/* Of a failed call of the system: MM_ENOMEM where memory or descriptors ran out, which says nothing about a file; all
 * else is MM_EIO. */
mm_status com_errno_status(int error);
/* Host memory, zero-filled; NULL when there is none or n * size overflows. Freed with com_release. */
void *com_alloc(const com_host *h, size_t n, size_t size);
void com_release(const com_host *h, void *block); /* accepts NULL */
/* Doubles an array when it is full: room for at least n + 1 elements. False, the array intact, when out of memory. */
bool com_reserve(const com_host *h, void **array, size_t n, size_t *capacity, size_t size);
/* A formatted string in host memory, or NULL. */
char *com_format(const com_host *h, const char *format, ...) COM_PRINTF(2, 3);
/* One line to the host's log. */
void com_log(const com_host *h, int level, const char *format, ...) COM_PRINTF(3, 4);
/* A setting that fits 32 bits. */
mm_status com_get_int32(const com_host *h, mm_config *c, const char *key, int64_t fallback, int64_t min, int64_t max,
                        int32_t *out, mm_error *e);

/* ---------------------------------------------------------------- strings kept together */

/* Many small strings in few blocks, released all at once. Zero is an empty one. */
typedef struct com_arena {
	struct com_block *block;
	size_t used, size;
} com_arena;

/* A NUL-terminated copy, or NULL when out of memory. */
char *com_keep(const com_host *h, com_arena *a, const char *text, size_t length);
void com_arena_clear(const com_host *h, com_arena *a);

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
mm_status com_text_open(const com_host *h, const char *path, size_t limit, com_text *out, mm_error *e);
void com_text_close(const com_host *h, com_text *t);
/* The next line without its end (LF or CR LF); false at the end of the file. It may hold any byte, NUL included. */
bool com_text_line(com_text *t, char **line, size_t *length);

bool com_is_folder(const char *path);
bool com_is_file(const char *path);

/* A new file with these bytes, complete or absent: written beside its place and renamed. */
mm_status com_write_file(const com_host *h, const char *path, const void *bytes, size_t size, mm_error *e);

#endif
