/* utf8.c - reading UTF-8 that may be anything but. */
#include "mmi_build.h"

#include "utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

uint32_t utf8_next(const char *text, size_t length, size_t *used)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t first = (unsigned char)text[0], c;
	size_t n = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;

	*used = 1;
	if (n < 2 || n > length)
		return n == 1 ? first : UTF8_BAD;
	c = first & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		uint32_t next = (unsigned char)text[i];
		if (next >> 6 != 2)
			return UTF8_BAD;
		c = c << 6 | (next & 0x3F);
	}
	if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return UTF8_BAD;
	*used = n;
	return c;
}

size_t utf8_put(uint32_t c, char out[4])
{
	static const unsigned char lead[5] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)(lead[n] | c);
	return n;
}

static bool is_visible(uint32_t c)
{
	static const uint32_t hidden[][2] = { { 0, 0x1F },        { 0x7F, 0xA0 },     { 0xAD, 0xAD },
		                                  { 0x200B, 0x200F }, { 0x2028, 0x202E }, { 0x2060, 0x2064 },
		                                  { 0x2066, 0x206F }, { 0xFEFF, 0xFEFF }, { UTF8_BAD, UTF8_BAD } };
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i][0] && c <= hidden[i][1])
			return false;
	return true;
}

void utf8_visible(const char *text, char *out, size_t size)
{
	size_t n = 0, used;
	for (size_t left = strlen(text); left; text += used, left -= used) {
		bool visible = is_visible(utf8_next(text, left, &used));
		if (n + (visible ? used : 4 * used) >= size)
			break;
		for (size_t k = 0; k < used; k++)
			n += (size_t)snprintf(out + n, size - n, visible ? "%c" : "\\x%02x", (unsigned char)text[k]);
	}
	out[n] = 0;
}
