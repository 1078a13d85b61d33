/* base.c - error values, the allocator, logging. */
#include "mmi_build.h"

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
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

void *mmi_alloc(size_t n, size_t size)
{
	if (size && n > (SIZE_MAX - 64) / size)
		return NULL;
	size_t bytes = (n * size + 63) / 64 * 64;
	void *block = aligned_alloc(64, bytes ? bytes : 64);
	if (block)
		memset(block, 0, bytes ? bytes : 64);
	return block;
}

void *mmi_grow(void *block, size_t old_n, size_t new_n, size_t size)
{
	void *grown = mmi_alloc(new_n, size);
	if (!grown)
		return NULL;
	if (block)
		memcpy(grown, block, (old_n < new_n ? old_n : new_n) * size);
	mmi_free(block);
	return grown;
}

void mmi_free(void *block)
{
	free(block);
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
