/* mmcore/status.h - errors are values: a status code plus a text in a buffer the caller supplies.
 *
 * Compiles alone as C11, C17 and C++17. Part of plugin ABI 1 (docs/ABI.md). */
#ifndef MMCORE_STATUS_H
#define MMCORE_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Status codes. New codes are appended; a positive code the host does not know counts as MM_EINTERNAL. */
typedef int32_t mm_status;
enum {
	MM_OK = 0,
	MM_ENOMEM = 1,       /* out of memory */
	MM_EARG = 2,         /* an argument the function's contract forbids */
	MM_EABI = 3,         /* plugin and host do not fit */
	MM_EUNSUPPORTED = 4, /* valid, but not available here */
	MM_ESHAPE = 5,       /* tensor shapes do not fit */
	MM_EIO = 6,          /* the operating system refused: missing file, full disk */
	MM_EFORMAT = 7,      /* file contents are not what they should be */
	MM_ECONFIG = 8,      /* a setting is unknown, of the wrong type or out of range */
	MM_ESTATE = 9,       /* called in the wrong order */
	MM_ENUMERIC = 10,    /* a value that is not finite, or an exploding loss */
	MM_ECANCELLED = 11,  /* the user interrupted */
	MM_EINTERNAL = 12    /* a bug on the side that reports it */
};

#define MM_ERROR_TEXT 504

/* Lives on the caller's stack. On MM_OK its contents are untouched. */
typedef struct mm_error {
	uint32_t struct_size;        /* sizeof(mm_error), set by the caller */
	mm_status code;              /* the same value the function returned */
	char message[MM_ERROR_TEXT]; /* UTF-8, NUL-terminated: what was found, what was expected, what to do */
} mm_error;

#define MM_ERROR_INIT                  \
	{                                  \
		(uint32_t)sizeof(mm_error), 0, \
		{                              \
			0                          \
		}                              \
	}

#ifdef __cplusplus
}
#endif
#endif
