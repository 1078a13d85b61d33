/* pairs_list.c - the sorted names in a folder, and what is there where a file is not. */
#include "mmi_build.h"

#include "pairs_read.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct listing {
	const mma_host *host;
	com_arena *strings;
	const char **name;
	size_t n, capacity;
} listing;

static mm_status append(listing *l, const char *name, mm_error *e)
{
	const char **grown = l->n >= UINT32_MAX ? NULL : mma_grow(l->host, l->name, l->n, &l->capacity, sizeof(*grown));
	if (!grown)
		return mma_no_memory(e, "a list of files");
	l->name = grown;
	l->name[l->n] = com_keep(l->host, l->strings, name, strlen(name));
	if (!l->name[l->n])
		return mma_no_memory(e, "a list of files");
	l->n++;
	return MM_OK;
}

static mm_status entries(listing *l, DIR *folder, const char *path, bool (*wanted)(const char *path, const char *name),
                         mm_error *e)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(folder);
		if (!entry)
			return errno ? mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno)) : MM_OK;
		if (entry->d_name[0] != '.' && wanted(path, entry->d_name))
			MMA_TRY(append(l, entry->d_name, e));
	}
}

static int compare(const void *a, const void *b)
{
	const char *const *s = a, *const *t = b;
	return strcmp(*s, *t);
}

mm_status pairs_list(const mma_host *h, com_arena *a, const char *path,
                     bool (*wanted)(const char *path, const char *name), const char ***names, uint32_t *n, mm_error *e)
{
	listing l = { .host = h, .strings = a };
	DIR *folder = opendir(path);
	if (!folder)
		return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
	mm_status status = entries(&l, folder, path, wanted, e);
	closedir(folder);
	if (status != MM_OK) {
		mma_free(h, l.name);
		return status;
	}
	if (l.n)
		qsort(l.name, l.n, sizeof(*l.name), compare);
	*names = l.name;
	*n = (uint32_t)l.n;
	return MM_OK;
}

/* ---------------------------------------------------------------- what is there instead */

static bool any(const char *path, const char *name)
{
	(void)path, (void)name;
	return true;
}

/* Cuts a path down to the nearest folder that exists; it may become empty. */
static void nearest_folder(char *path)
{
	char *slash;
	do {
		slash = strrchr(path, '/');
		*(slash ? slash : path) = 0;
	} while (*path && !com_is_folder(path));
}

char *pairs_instead(const mma_host *h, const char *path)
{
	com_arena strings = { NULL, 0, 0 };
	const char **name = NULL;
	uint32_t n = 0;
	char *text = NULL, *folder = com_format(h, "%s", path);
	if (!folder)
		return NULL;
	nearest_folder(folder);
	const char *where = *folder ? folder : *path == '/' ? "/" : ".";
	if (pairs_list(h, &strings, where, any, &name, &n, NULL) != MM_OK)
		text = com_format(h, "%s was looked for first; %s cannot be listed", path, where);
	else if (n)
		text = com_format(h, "%s was looked for first; %s holds %u entries, the first %s", path, where, (unsigned)n,
		                  name[0]);
	else
		text = com_format(h, "%s was looked for first; %s is empty", path, where);
	mma_free(h, folder);
	mma_free(h, name);
	com_arena_clear(h, &strings);
	return text;
}

mm_status pairs_note_absent(pairs_reader *r, const char *path, mm_error *e)
{
	if (r->out->absent)
		return MM_OK;
	char *text = pairs_instead(r->host, path);
	r->out->absent = text ? com_keep(r->host, &r->out->strings, text, strlen(text)) : NULL;
	mma_free(r->host, text);
	return r->out->absent ? MM_OK : mma_no_memory(e, "a path");
}
