/* html.c - HTML text and data URLs. */
#include "mmi_build.h"

#include "report/html.h"

static const char *entity(char c)
{
	static const struct {
		char c;
		const char *text;
	} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };
	for (size_t i = 0; i < MMI_COUNT(entities); i++)
		if (entities[i].c == c)
			return entities[i].text;
	return NULL;
}

void mmi_html_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		const char *other = entity(*text);
		if (other)
			fputs(other, out);
		else
			fputc((unsigned char)*text < ' ' && *text != '\n' && *text != '\t' ? '?' : *text, out);
	}
}

void mmi_html_base64(FILE *out, const uint8_t *data, size_t bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < bytes; i += 3) {
		const size_t n = bytes - i < 3 ? bytes - i : 3;
		const uint32_t block =
			(uint32_t)data[i] << 16 | (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) | (n > 2 ? (uint32_t)data[i + 2] : 0);
		fputc(digits[block >> 18], out);
		fputc(digits[block >> 12 & 63], out);
		fputc(n > 1 ? digits[block >> 6 & 63] : '=', out);
		fputc(n > 2 ? digits[block & 63] : '=', out);
	}
}
