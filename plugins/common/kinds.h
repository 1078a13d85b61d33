/* kinds.h - what a file is, by its first bytes, for messages about files that are not read. */
#ifndef COMMON_KINDS_H
#define COMMON_KINDS_H

#include <stddef.h>
#include <stdint.h>

enum { COM_KIND_BYTES = 32 /* that are looked at */ };

/* "a WebP picture", "a ZIP archive"; NULL: not known. n: bytes there are. */
const char *com_kind(const uint8_t *start, size_t n);

#endif
