/* utf8.h - reading UTF-8 that may be anything but. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD UINT32_MAX

/* The code point at text[0..length-1], length > 0, and its bytes in *used; UTF8_BAD and 1 byte where there is none
 * (overlong, surrogate, cut off, above U+10FFFF). */
uint32_t utf8_next(const char *text, size_t length, size_t *used);
/* Writes a code point (at most U+10FFFF); returns its bytes, 1 to 4. */
size_t utf8_put(uint32_t c, char out[4]);
/* A copy for messages, cut to fit: bytes that nobody sees - control characters, marks of no width, what is no UTF-8 -
 * as \xNN. */
void utf8_visible(const char *text, char *out, size_t size);

#endif
