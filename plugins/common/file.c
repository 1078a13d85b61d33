/* file.c - whole text files line by line, and files written whole or not at all. */
#include "mmi_build.h"

#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool com_is_folder(const char *path)
{
	struct stat info;
	return !stat(path, &info) && S_ISDIR(info.st_mode);
}

bool com_is_file(const char *path)
{
	struct stat info;
	return !stat(path, &info) && S_ISREG(info.st_mode);
}

mm_status com_text_begin(const char *path, const char *bytes, size_t size, size_t *skip, mm_error *e)
{
	static const char mark[] = "\xEF\xBB\xBF", little[] = "\xFF\xFE", big[] = "\xFE\xFF";
	*skip = size >= 3 && !memcmp(bytes, mark, 3) ? 3 : 0;
	bool wide = size >= 2 && (!memcmp(bytes, little, 2) || !memcmp(bytes, big, 2));
	if (size >= 4 && !wide) /* without a mark, every other byte of Western letters is 0 */
		wide = (!bytes[0] && !bytes[2] && bytes[1] && bytes[3]) || (bytes[0] && bytes[2] && !bytes[1] && !bytes[3]);
	return wide ? mma_fail(e, MM_EFORMAT, "%s: text in UTF-16 or UTF-32, as some editors save it; save it as UTF-8",
	                       path)
	            : MM_OK;
}

static mm_status read_all(const mma_host *h, FILE *file, const char *path, size_t limit, com_text *out, mm_error *e)
{
	struct stat info;
	if (fstat(fileno(file), &info))
		return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return mma_fail(e, MM_EFORMAT, "%s: not a regular file", path);
	if ((uintmax_t)info.st_size > limit)
		return mma_fail(e, MM_EFORMAT, "%s: %lld bytes, at most %zu are read", path, (long long)info.st_size, limit);
	char *bytes = mma_new(h, (size_t)info.st_size + 1, 1);
	if (!bytes)
		return mma_no_memory(e, path);
	size_t size = fread(bytes, 1, (size_t)info.st_size, file);
	if (ferror(file)) {
		mma_free(h, bytes);
		return mma_fail(e, MM_EIO, "%s: cannot be read: %s", path, strerror(errno));
	}
	bytes[size] = 0;
	*out = (com_text){ .bytes = bytes, .size = size, .path = path };
	mm_status status = com_text_begin(path, bytes, size, &out->at, e);
	if (status != MM_OK)
		com_text_close(h, out);
	return status;
}

mm_status com_text_open(const mma_host *h, const char *path, size_t limit, com_text *out, mm_error *e)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
	mm_status status = read_all(h, file, path, limit, out, e);
	fclose(file);
	return status;
}

void com_text_close(const mma_host *h, com_text *t)
{
	mma_free(h, t->bytes);
	t->bytes = NULL;
}

bool com_text_line(com_text *t, char **line, size_t *length)
{
	if (t->at >= t->size)
		return false;
	char *start = t->bytes + t->at, *end = memchr(start, '\n', t->size - t->at);
	size_t n = end ? (size_t)(end - start) : t->size - t->at;
	t->at += n + (end != NULL);
	t->number++;
	if (n && start[n - 1] == '\r')
		n--;
	*line = start;
	*length = n;
	return true;
}

/* ---------------------------------------------------------------- files written whole or not at all */

enum { NAME_TRIES = 100, NAME_LIMIT = 200 /* leaves room for the suffix */ };

/* A file that is being made beside its place: in a folder that stays open, so that nobody puts another in its place
 * meanwhile. */
typedef struct draft {
	const char *path, *name; /* where it goes, and that without its folder */
	int folder, fd;
	char temporary[NAME_LIMIT + 64];
} draft;

static mm_status open_folder(const mma_host *h, draft *d, mm_error *e)
{
	char *folder =
		com_format(h, "%.*s", d->name == d->path ? 1 : (int)(d->name - d->path), d->name == d->path ? "." : d->path);
	if (!folder)
		return mma_no_memory(e, "a path");
	d->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mma_free(h, folder);
	return d->folder >= 0 ? MM_OK : mma_fail(e, MM_EIO, "%s: cannot be created: %s", d->path, strerror(errno));
}

/* Never a file that is there already, nor what a link points to. */
static mm_status create_draft(draft *d, mm_error *e)
{
	for (int i = 0; i < NAME_TRIES; i++) {
		uint32_t number = 0;
		if (getentropy(&number, sizeof(number)))
			number = (uint32_t)clock();
		snprintf(d->temporary, sizeof(d->temporary), ".%.*s.tmp-%ld-%lu", NAME_LIMIT, d->name, (long)getpid(),
		         (unsigned long)number);
		d->fd = openat(d->folder, d->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (d->fd >= 0)
			return MM_OK;
		if (errno != EEXIST)
			break;
	}
	return mma_fail(e, MM_EIO, "%s: cannot be created: %s", d->path, strerror(errno));
}

/* A full disk shows here, or when the file is closed. */
static mm_status fill_draft(draft *d, const char *bytes, size_t size, mm_error *e)
{
	int reason = 0;
	while (size && !reason) {
		ssize_t done = write(d->fd, bytes, size);
		if (done < 0 && errno != EINTR)
			reason = errno;
		bytes += done > 0 ? done : 0;
		size -= done > 0 ? (size_t)done : 0;
	}
	if (close(d->fd) && !reason)
		reason = errno;
	return reason ? mma_fail(e, MM_EIO, "%s: cannot be written: %s", d->path, strerror(reason)) : MM_OK;
}

static mm_status write_draft(draft *d, const void *bytes, size_t size, mm_error *e)
{
	MMA_TRY(create_draft(d, e));
	mm_status status = fill_draft(d, bytes, size, e);
	if (status == MM_OK && renameat(d->folder, d->temporary, d->folder, d->name))
		status = mma_fail(e, MM_EIO, "%s: cannot be put in place: %s", d->path, strerror(errno));
	if (status != MM_OK)
		unlinkat(d->folder, d->temporary, 0);
	return status;
}

mm_status com_write_file(const mma_host *h, const char *path, const void *bytes, size_t size, mm_error *e)
{
	const char *slash = strrchr(path, '/');
	draft d = { .path = path, .name = slash ? slash + 1 : path };
	MMA_TRY(open_folder(h, &d, e));
	mm_status status = write_draft(&d, bytes, size, e);
	close(d.folder);
	return status;
}
