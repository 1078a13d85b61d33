/* util.c - a plugin's life, errors, memory, log lines and services through the host. */
#include "mmi_build.h"

#include "common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

mm_status com_fail(mm_error *e, mm_status code, const char *format, ...)
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

mm_status com_errno_status(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE ? MM_ENOMEM : MM_EIO;
}

mm_status com_no_memory(mm_error *e, const char *what)
{
	return com_fail(e, MM_ENOMEM, "out of memory for %s", what);
}

/* ---------------------------------------------------------------- services */

/* A table that reaches at least to `size` bytes, the end of the last member used. */
static mm_status service(const mm_host_api *api, const char *id, uint32_t size, const void **out, mm_error *e)
{
	const void *table = api->get_extension(api->host, id);
	if (!table)
		return com_fail(e, MM_EUNSUPPORTED, "this host lacks the service %s; a newer mmcore has it", id);
	uint32_t found = *(const uint32_t *)table; /* every table starts with struct_size */
	if (found < size)
		return com_fail(e, MM_EABI, "the host's table %s has %u bytes, %u are needed; a newer mmcore has them", id,
		                (unsigned)found, (unsigned)size);
	*out = table;
	return MM_OK;
}

mm_status com_services(const mm_host_api *api, com_host *out, mm_error *e)
{
	const void *config, *random, *graph;
	COM_TRY(service(api, MM_HOST_CONFIG, MM_SIZE_THROUGH(mm_host_config, refuse), &config, e));
	COM_TRY(service(api, MM_HOST_RANDOM, MM_SIZE_THROUGH(mm_host_random, permutation), &random, e));
	COM_TRY(service(api, MM_HOST_GRAPH, MM_SIZE_THROUGH(mm_host_graph, fail), &graph, e));
	*out = (com_host){ .api = api, .config = config, .random = random, .graph = graph };
	return MM_OK;
}

mm_status com_load(const mm_host_api *api, size_t size, void **self, mm_error *e)
{
	com_host found;
	COM_TRY(com_services(api, &found, e));
	com_host *h = com_alloc(&found, 1, size);
	if (!h)
		return com_no_memory(e, "the plugin's state");
	*h = found;
	*self = h;
	return MM_OK;
}

void com_unload(void *self)
{
	if (!self)
		return;
	const com_host h = *(const com_host *)self;
	com_release(&h, self);
}

const void *com_optional_service(const com_host *h, const char *id, uint32_t size)
{
	const void *table;
	return service(h->api, id, size, &table, NULL) == MM_OK ? table : NULL;
}

mm_status com_get_int32(const com_host *h, mm_config *c, const char *key, int64_t fallback, int64_t min, int64_t max,
                        int32_t *out, mm_error *e)
{
	int64_t value;
	COM_TRY(h->config->get_int(c, key, fallback, min, max, &value, e));
	*out = (int32_t)value;
	return MM_OK;
}

/* ---------------------------------------------------------------- memory and log */

void *com_alloc(const com_host *h, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		return NULL;
	return h->api->alloc(h->api->host, n * size);
}

void com_release(const com_host *h, void *block)
{
	if (block)
		h->api->release(h->api->host, block);
}

bool com_reserve(const com_host *h, void **array, size_t n, size_t *capacity, size_t size)
{
	if (n < *capacity)
		return true;
	size_t larger = *capacity ? 2 * *capacity : 64;
	void *grown = com_alloc(h, larger, size);
	if (!grown)
		return false;
	if (n)
		memcpy(grown, *array, n * size);
	com_release(h, *array);
	*array = grown;
	*capacity = larger;
	return true;
}

char *com_format(const com_host *h, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, format, ap);
	char *text = length < 0 ? NULL : com_alloc(h, (size_t)length + 1, 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(ap);
	return text;
}

void com_log(const com_host *h, int level, const char *format, ...)
{
	char line[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	h->api->log(h->api->host, level, line);
}

/* ---------------------------------------------------------------- strings kept together */

enum { ARENA_BLOCK = 1 << 16 };

struct com_block {
	struct com_block *next;
	char bytes[];
};

char *com_keep(const com_host *h, com_arena *a, const char *text, size_t length)
{
	if (length >= SIZE_MAX / 2)
		return NULL;
	if (a->size - a->used < length + 1) {
		size_t size = length + 1 > ARENA_BLOCK ? length + 1 : ARENA_BLOCK;
		struct com_block *block = com_alloc(h, sizeof(*block) + size, 1);
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

void com_arena_clear(const com_host *h, com_arena *a)
{
	while (a->block) {
		struct com_block *next = a->block->next;
		com_release(h, a->block);
		a->block = next;
	}
	*a = (com_arena){ NULL, 0, 0 };
}
