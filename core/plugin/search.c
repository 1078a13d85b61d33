/* search.c - the folders where a plugin named without a slash is looked for. */
#include "mmi_build.h"

#include "plugin/search.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef MMCORE_PLUGINDIR
#define MMCORE_PLUGINDIR "/usr/local/lib/mmcore/modalities-1"
#endif
#define USER_FOLDER ".local/lib/mmcore/modalities-1"

struct mmi_search {
	char **folders;
	size_t n;
};

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for the plugin search path");
}

/* Takes ownership of text; NULL: it could not be made. */
static mm_status push(char ***list, size_t *n, char *text, mm_error *e)
{
	char **grown = text ? mmi_grow(*list, *n, *n + 1, sizeof *grown) : NULL;
	if (!grown) {
		mmi_free(text);
		return no_memory(e);
	}
	grown[(*n)++] = text;
	*list = grown;
	return MM_OK;
}

/* ---------------------------------------------------------------- the folders */

static bool known_folder(const mmi_search *s, const char *folder, size_t length)
{
	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->folders[i]) == length && !strncmp(s->folders[i], folder, length))
			return true;
	return false;
}

static mm_status add_folder(mmi_search *s, const char *folder, size_t length, mm_error *e)
{
	if (known_folder(s, folder, length))
		return MM_OK;
	return push(&s->folders, &s->n, mmi_format("%.*s", (int)length, folder), e);
}

static mm_status add_path(mmi_search *s, const char *path, const char *origin, const mmi_log *log, mm_error *e)
{
	while (path && *path) {
		size_t length = strcspn(path, ":");
		if (path[0] == '/')
			MMI_TRY(add_folder(s, path, length, e));
		else if (length)
			mmi_logf(log, MM_LOG_WARNING, "%s: %.*s is not an absolute path and is not searched for plugins", origin,
			         (int)length, path);
		path += length;
		path += *path == ':';
	}
	return MM_OK;
}

static mm_status fill(mmi_search *s, const char *extra, const mmi_log *log, mm_error *e)
{
	const char *home = secure_getenv("HOME");

	MMI_TRY(add_path(s, extra, "plugin_path", log, e));
	MMI_TRY(add_path(s, secure_getenv("MMCORE_PLUGIN_PATH"), "MMCORE_PLUGIN_PATH", log, e));
	if (home && home[0] == '/')
		MMI_TRY(push(&s->folders, &s->n, mmi_format("%s/%s", home, USER_FOLDER), e));
	return add_folder(s, MMCORE_PLUGINDIR, strlen(MMCORE_PLUGINDIR), e);
}

mm_status mmi_search_create(const char *extra, const mmi_log *log, mmi_search **out, mm_error *e)
{
	mmi_search *s = mmi_alloc(1, sizeof *s);
	if (!s)
		return no_memory(e);
	mm_status status = fill(s, extra, log, e);
	if (status != MM_OK) {
		mmi_search_destroy(s);
		return status;
	}
	*out = s;
	return MM_OK;
}

void mmi_search_free_list(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mmi_free(names[i]);
	mmi_free(names);
}

void mmi_search_destroy(mmi_search *s)
{
	if (!s)
		return;
	mmi_search_free_list(s->folders, s->n);
	mmi_free(s);
}

size_t mmi_search_count(const mmi_search *s)
{
	return s->n;
}

const char *mmi_search_folder(const mmi_search *s, size_t i)
{
	return s->folders[i];
}

/* ---------------------------------------------------------------- looking */

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static mm_status not_found(const mmi_search *s, const char *name, mm_error *e)
{
	char list[MM_ERROR_TEXT];
	size_t used = 0;

	list[0] = 0;
	for (size_t i = 0; i < s->n && used < sizeof list; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", s->folders[i]);
	return mmi_fail(e, MM_EIO,
	                "plugin %s was not found; give its path (with a slash; --plugin [NAME=]FILE), or set "
	                "MMCORE_PLUGIN_PATH; searched: %s",
	                name, list);
}

mm_status mmi_search_find(const mmi_search *s, const char *name, char **path, mm_error *e)
{
	static const char *const endings[] = { "", ".so" };

	if (!*name)
		return mmi_fail(e, MM_ECONFIG, "a plugin's name is empty; give a file name such as mnist.so");
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < MMI_COUNT(endings); k++) {
			char *candidate = mmi_format("%s/%s%s", s->folders[i], name, endings[k]);
			if (!candidate)
				return no_memory(e);
			if (is_file(candidate)) {
				*path = candidate;
				return MM_OK;
			}
			mmi_free(candidate);
		}
	return not_found(s, name, e);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_object_name(const char *name)
{
	size_t length = strlen(name);
	return length > 3 && name[0] != '.' && !strcmp(name + length - 3, ".so");
}

static mm_status read_names(DIR *folder, char ***names, size_t *n, mm_error *e)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(folder);
		if (!entry)
			return errno ? mmi_fail(e, MM_EIO, "the plugin folder cannot be read: %s", strerror(errno)) : MM_OK;
		if (is_object_name(entry->d_name))
			MMI_TRY(push(names, n, mmi_strdup(entry->d_name), e));
	}
}

mm_status mmi_search_list(const char *folder, char ***names, size_t *n, mm_error *e)
{
	char **list = NULL;
	size_t count = 0;
	DIR *stream = opendir(folder);

	if (!stream && errno != ENOENT && errno != ENOTDIR)
		return mmi_fail(e, mmi_errno_status(errno), "the plugin folder %s cannot be read: %s", folder, strerror(errno));
	mm_status status = stream ? read_names(stream, &list, &count, e) : MM_OK;
	if (stream)
		closedir(stream);
	if (status != MM_OK) {
		mmi_search_free_list(list, count);
		return status;
	}
	if (count)
		qsort(list, count, sizeof *list, by_name);
	*names = list;
	*n = count;
	return MM_OK;
}
