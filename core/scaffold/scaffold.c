/* scaffold.c - a new plugin from the template. */
#include "mmi_build.h"

#include "scaffold/scaffold.h"
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK "@NAME@"
#define LARGEST ((size_t)1 << 20) /* of a file of the template */
#define NAME_MAX_LENGTH 31

const char *mmi_scaffold_template(void)
{
	const char *other = getenv("MMCORE_TEMPLATE");
	return other && *other ? other : MMCORE_TEMPLATEDIR;
}

static mm_status check_name(const char *name, mm_error *e)
{
	const size_t n = strlen(name);
	if (n >= 1 && n <= NAME_MAX_LENGTH && name[0] >= 'a' && name[0] <= 'z' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n)
		return MM_OK;
	return mmi_fail(e, MM_ECONFIG,
	                "the name \"%.80s\" will not do; needed are a letter and up to %d of a-z, 0-9 and '_'", name,
	                NAME_MAX_LENGTH - 1);
}

static mm_status check_folder(const char *path, mm_error *e)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	mm_status status = MM_OK;
	if (!d && errno == ENOENT)
		return MM_OK;
	if (!d)
		return mmi_fail(e, MM_ECONFIG, "%.300s: %s", path, strerror(errno));
	while (status == MM_OK && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			status =
				mmi_fail(e, MM_ECONFIG, "%.300s holds '%.80s' already; needed is a folder that is empty or not there",
			             path, entry->d_name);
	closedir(d);
	return status;
}

/* The text with every mark replaced; mmi_free. */
static char *filled(const char *text, const char *name)
{
	size_t marks = 0;
	for (const char *p = text; (p = strstr(p, MARK)); p += sizeof MARK - 1)
		marks++;
	char *out = mmi_alloc(strlen(text) + marks * strlen(name) + 1, 1), *to = out;
	for (const char *p = text, *next; out; p = next + sizeof MARK - 1) {
		next = strstr(p, MARK);
		const size_t n = next ? (size_t)(next - p) : strlen(p);
		memcpy(to, p, n);
		to += n;
		if (!next)
			break;
		memcpy(to, name, strlen(name));
		to += strlen(name);
	}
	return out;
}

/* A hidden file is kept under a name without its dot; NAME in a name is the plugin's. */
static char *target_of(const mmi_scaffold *s, const char *file)
{
	if (!strcmp(file, "gitignore"))
		return mmi_format("%s/.gitignore", s->to);
	if (!strncmp(file, "NAME.", 5))
		return mmi_format("%s/%s.%s", s->to, s->name, file + 5);
	return mmi_format("%s/%s", s->to, file);
}

static mm_status write_new(const char *path, const char *text, mm_error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return mmi_fail(e, MM_EIO, "%.300s cannot be written: %s", path, strerror(errno));
	const int failed = mmi_write_all(fd, text, strlen(text)), reason = errno;
	if (close(fd) || failed)
		return mmi_fail(e, MM_EIO, "%.300s cannot be written: %s", path, strerror(failed ? reason : errno));
	return MM_OK;
}

static mm_status write_one(const mmi_scaffold *s, const char *file, mm_error *e)
{
	char *from = mmi_format("%s/%s", s->from, file), *to = target_of(s, file), *text = NULL, *made = NULL;
	size_t bytes;
	mm_status status = from && to ? mmi_read_file(from, LARGEST, &text, &bytes, e) : MM_ENOMEM;
	if (status == MM_OK)
		made = filled(text, s->name);
	if (!from || !to || (text && !made))
		status = mmi_fail(e, MM_ENOMEM, "out of memory");
	if (status == MM_OK)
		status = write_new(to, made, e);
	mmi_free(from);
	mmi_free(to);
	mmi_free(text);
	mmi_free(made);
	return status;
}

mm_status mmi_scaffold_write(const mmi_scaffold *s, mm_error *e)
{
	const struct dirent *entry;
	MMI_TRY(check_name(s->name, e));
	MMI_TRY(check_folder(s->to, e));
	DIR *d = opendir(s->from);
	if (!d)
		return mmi_fail(e, MM_EIO,
		                "the template %.300s: %s; mmcore is not installed, or the environment's "
		                "MMCORE_TEMPLATE names another folder",
		                s->from, strerror(errno));
	mm_status status = mmi_make_folders(s->to, e);
	while (status == MM_OK && (errno = 0, entry = readdir(d)))
		if (entry->d_name[0] != '.')
			status = write_one(s, entry->d_name, e);
	if (status == MM_OK && errno)
		status = mmi_fail(e, MM_EIO, "the template %.300s: %s", s->from, strerror(errno));
	closedir(d);
	return status;
}
