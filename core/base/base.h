/* base.h - what every folder of the core uses: error values, the allocator, logging. No global mutable state. */
#ifndef MMI_BASE_H
#define MMI_BASE_H

#include <mmcore/host.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MMI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define MMI_PRINTF(f, a)
#endif

#define MMI_COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Behind a noun that n counts, in messages. */
#define MMI_S(n) ((n) < 1 || (n) > 1 ? "s" : "")

/* Fills e (may be NULL) and returns code. */
mm_status mmi_fail(mm_error *e, mm_status code, const char *format, ...) MMI_PRINTF(3, 4);
/* Puts "prefix: " before the message already in e. Returns e's code. */
mm_status mmi_fail_prefix(mm_error *e, const char *format, ...) MMI_PRINTF(2, 3);
const char *mmi_status_name(mm_status code);

/* Propagates a failure to the caller: for functions without anything to clean up. */
#define MMI_TRY(expression)                       \
	do {                                          \
		mm_status mmi_try_status_ = (expression); \
		if (mmi_try_status_ != MM_OK)             \
			return mmi_try_status_;               \
	} while (0)
/* The same for functions with one clean-up label; needs a local `mm_status status`. */
#define MMI_TRY_GOTO(expression, label) \
	do {                                \
		status = (expression);          \
		if (status != MM_OK)            \
			goto label;                 \
	} while (0)

/* Zero-filled, 64-byte aligned; NULL when out of memory or when n * size overflows. Free with mmi_free. */
void *mmi_alloc(size_t n, size_t size);
/* Grows an mmi_alloc block from old_n to new_n elements, the new ones zero; NULL (old block intact) on failure. */
void *mmi_grow(void *block, size_t old_n, size_t new_n, size_t size);
void mmi_free(void *block);
char *mmi_strdup(const char *s);                            /* free with mmi_free */
char *mmi_format(const char *format, ...) MMI_PRINTF(1, 2); /* free with mmi_free; NULL when out of memory */
char *mmi_vformat(const char *format, va_list ap);
/* Makes text that others wrote fit to print, in place: control characters become '?', line breaks and
 * tabs blanks. Returns text. */
char *mmi_clean(char *text);
/* What others wrote, for a message: what nobody could see there (control characters, blanks of no width, byte order
 * marks, broken UTF-8) as \xNN, cut with "..." where it is longer than out. Returns out. */
const char *mmi_show(const char *text, size_t length, char *out, size_t size);
/* How a text file that a user wrote begins: bytes to pass over, 3 for UTF-8's byte order mark, else 0. UTF-16 is
 * refused by name. */
mm_status mmi_text_begin(const char *path, const char *text, size_t bytes, size_t *skip, mm_error *e);
/* Of a failed call of the system: MM_ENOMEM where memory or descriptors ran out, which says nothing about a file; all
 * else is MM_EIO. */
mm_status mmi_errno_status(int error);

struct mmi_call;
/* Where lines of text go; owned by the program, passed down. */
typedef struct mmi_log {
	void (*line)(void *ctx, int level, const char *text); /* MM_LOG_... */
	void *ctx;
	/* A thread begins or ends a call into a plugin (plugin/call.h); may be NULL. Any thread. */
	void (*call)(void *ctx, const struct mmi_call *call, bool inside);
	bool guest; /* the process is not ours: its locale and current folder are not put back after a call, since another
	             * thread may have changed them meanwhile */
} mmi_log;
void mmi_logf(const mmi_log *log, int level, const char *format, ...) MMI_PRINTF(3, 4); /* log may be NULL */

#endif
