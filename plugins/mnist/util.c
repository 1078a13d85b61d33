/* util.c - errors, memory and log lines through the host. */
#include "config.h"

#include "mnist.h"

#include <stdarg.h>
#include <stdio.h>

mm_status mnist_fail(mm_error *e, mm_status code, const char *format, ...)
{
	if (e) {
		va_list ap;
		e->code = code;
		va_start(ap, format);
		vsnprintf(e->message, sizeof(e->message), format, ap);
		va_end(ap);
	}
	return code;
}

mm_status mnist_no_memory(mm_error *e, const char *what)
{
	return mnist_fail(e, MM_ENOMEM, "out of memory for %s", what);
}

void *mnist_alloc(const mnist_plugin *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		return NULL;
	return p->api->alloc(p->api->host, n * size);
}

void mnist_release(const mnist_plugin *p, void *block)
{
	if (block)
		p->api->release(p->api->host, block);
}

char *mnist_format(const mnist_plugin *p, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, format, ap);
	char *text = length < 0 ? NULL : mnist_alloc(p, (size_t)length + 1, 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(ap);
	return text;
}

void mnist_log(const mnist_plugin *p, int level, const char *format, ...)
{
	char line[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	p->api->log(p->api->host, level, line);
}
