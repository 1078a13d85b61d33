/* base.c - error values, text, logging. */
#include "mmi_build.h"

#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[] = {
	[MM_OK] = "ok",
	[MM_ENOMEM] = "out of memory",
	[MM_EARG] = "bad argument",
	[MM_EABI] = "ABI mismatch",
	[MM_EUNSUPPORTED] = "not supported",
	[MM_ESHAPE] = "shape mismatch",
	[MM_EIO] = "input/output error",
	[MM_EFORMAT] = "malformed data",
	[MM_ECONFIG] = "bad setting",
	[MM_ESTATE] = "wrong order of calls",
	[MM_ENUMERIC] = "numeric failure",
	[MM_ECANCELLED] = "cancelled",
	[MM_EINTERNAL] = "internal error",
};

const char *mmi_status_name(mm_status code)
{
	if (code < 0 || (size_t)code >= MMI_COUNT(status_names))
		code = MM_EINTERNAL;
	return status_names[code];
}

mm_status mmi_fail(mm_error *e, mm_status code, const char *format, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, format);
		e->code = code;
		vsnprintf(e->message, sizeof e->message, format, ap);
		va_end(ap);
	}
	return code;
}

mm_status mmi_fail_prefix(mm_error *e, const char *format, ...)
{
	char text[MM_ERROR_TEXT];
	va_list ap;

	if (!e)
		return MM_EINTERNAL;
	va_start(ap, format);
	int used = vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (used < 0 || (size_t)used >= sizeof text - 2)
		return e->code;
	/* A message too long for what is left is cut at its end: the beginning says what went wrong. */
	size_t left = sizeof text - 3 - (size_t)used, length = strnlen(e->message, sizeof e->message);
	memcpy(text + used, ": ", 2);
	memcpy(text + used + 2, e->message, length < left ? length : left);
	text[(size_t)used + 2 + (length < left ? length : left)] = 0;
	memcpy(e->message, text, sizeof text);
	return e->code;
}

char *mmi_strdup(const char *s)
{
	size_t bytes = strlen(s) + 1;
	char *copy = mmi_alloc(bytes, 1);
	if (copy)
		memcpy(copy, s, bytes);
	return copy;
}

char *mmi_vformat(const char *format, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, format, ap);
	char *text = length < 0 ? NULL : mmi_alloc((size_t)length + 1, 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

char *mmi_format(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *text = mmi_vformat(format, ap);
	va_end(ap);
	return text;
}

/* C1 is 0xC2 0x80 to 0xC2 0x9F in UTF-8; terminals obey it too. */
static bool is_control(const unsigned char *p)
{
	return *p < ' ' || *p == 127 || (p[0] == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0);
}

char *mmi_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (is_control(p)) {
			if (*p == 0xC2)
				p[1] = '?';
			*p = *p == '\n' || *p == '\t' || *p == '\r' ? ' ' : '?';
		}
	return text;
}

/* Bytes of the UTF-8 character at p; 0: none, or one that cannot be seen: U+0080 to U+00A0, U+00AD, U+200B to U+200F,
 * U+2028 to U+202F, U+2060 to U+206F, U+FEFF. */
static size_t visible(const unsigned char *p, size_t left)
{
	size_t n = *p < 0x80                 ? 1
	           : *p >= 0xC2 && *p < 0xE0 ? 2
	           : *p >= 0xE0 && *p < 0xF0 ? 3
	           : *p >= 0xF0 && *p < 0xF5 ? 4
	                                     : 0;
	if (!n || n > left)
		return 0;
	uint32_t code = n == 1 ? *p : *p & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3F);
	}
	bool hidden = code < ' ' || (code >= 127 && code <= 0xA0) || code == 0xAD || (code >= 0x200B && code <= 0x200F) ||
	              (code >= 0x2028 && code <= 0x202F) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
	return hidden ? 0 : n;
}

const char *mmi_show(const char *text, size_t length, char *out, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < length;) {
		size_t n = visible((const unsigned char *)text + i, length - i), room = n ? n : 4;
		if (used + room + 4 > size) {
			snprintf(out + used, size - used, "...");
			return out;
		}
		if (n)
			memcpy(out + used, text + i, n);
		else
			snprintf(out + used, 5, "\\x%02X", (unsigned char)text[i]);
		used += room;
		i += n ? n : 1;
	}
	out[used] = 0;
	return out;
}

/* Latin text in UTF-16: one byte of each two is 0. */
static bool looks_like_utf16(const char *text, size_t bytes)
{
	size_t even = 0, odd = 0, n = bytes < 64 ? bytes & ~(size_t)1 : 64;
	for (size_t i = 0; i < n; i += 2) {
		even += !text[i];
		odd += !text[i + 1];
	}
	return n && (even == 0) != (odd == 0) && 4 * (even + odd) >= n;
}

mm_status mmi_text_begin(const char *path, const char *text, size_t bytes, size_t *skip, mm_error *e)
{
	const bool marked = bytes >= 2 && (!memcmp(text, "\xFF\xFE", 2) || !memcmp(text, "\xFE\xFF", 2));
	*skip = bytes >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0;
	if (marked || looks_like_utf16(text, bytes))
		return mmi_fail(e, MM_EFORMAT, "%s: the text is UTF-16, expected UTF-8; save it as UTF-8", path);
	return MM_OK;
}

mm_status mmi_errno_status(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE ? MM_ENOMEM : MM_EIO;
}

void mmi_logf(const mmi_log *log, int level, const char *format, ...)
{
	if (!log || !log->line)
		return;
	char text[1024];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	log->line(log->ctx, level, text);
}
