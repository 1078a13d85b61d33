/* util.c - formatted and kept strings in host memory. */
#include "mmi_build.h"

#include "common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

mm_status com_errno_status(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE ? MM_ENOMEM : MM_EIO;
}

char *com_format(const mma_host *h, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, format, ap);
	char *text = length < 0 ? NULL : mma_new(h, (size_t)length + 1, 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(ap);
	return text;
}

/* ---------------------------------------------------------------- strings kept together */

enum { ARENA_BLOCK = 1 << 16 };

struct com_block {
	struct com_block *next;
	char bytes[];
};

char *com_keep(const mma_host *h, com_arena *a, const char *text, size_t length)
{
	if (length >= SIZE_MAX / 2)
		return NULL;
	if (a->size - a->used < length + 1) {
		size_t size = length + 1 > ARENA_BLOCK ? length + 1 : ARENA_BLOCK;
		struct com_block *block = mma_new(h, sizeof(*block) + size, 1);
		if (!block)
			return NULL;
		block->next = a->block;
		*a = (com_arena){ block, 0, size };
	}
	char *at = a->block->bytes + a->used;
	memcpy(at, text, length);
	at[length] = 0;
	a->used += length + 1;
	return at;
}

void com_arena_clear(const mma_host *h, com_arena *a)
{
	while (a->block) {
		struct com_block *next = a->block->next;
		mma_free(h, a->block);
		a->block = next;
	}
	*a = (com_arena){ NULL, 0, 0 };
}
