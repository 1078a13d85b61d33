/* utf8.c - reading UTF-8 that may be anything but. */
#include "mmi_build.h"

#include "utf8.h"

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
