/* file.c - whole text files line by line, and files written whole or not at all. */
#include "mmi_build.h"

#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
	return wide ? com_fail(e, MM_EFORMAT, "%s: text in UTF-16 or UTF-32, as some editors save it; save it as UTF-8", path) : MM_OK;
}

static mm_status read_all(const com_host *h, FILE *file, const char *path, size_t limit, com_text *out, mm_error *e)
{
	struct stat info;
	if (fstat(fileno(file), &info))
		return com_fail(e, MM_EIO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return com_fail(e, MM_EFORMAT, "%s: not a regular file", path);
	if ((uintmax_t)info.st_size > limit)
		return com_fail(e, MM_EFORMAT, "%s: %lld bytes, at most %zu are read", path, (long long)info.st_size, limit);
	char *bytes = com_alloc(h, (size_t)info.st_size + 1, 1);
	if (!bytes)
		return com_no_memory(e, path);
	size_t size = fread(bytes, 1, (size_t)info.st_size, file);
	if (ferror(file)) {
		com_release(h, bytes);
		return com_fail(e, MM_EIO, "%s: cannot be read: %s", path, strerror(errno));
	}
	bytes[size] = 0;
	*out = (com_text){ .bytes = bytes, .size = size, .path = path };
	mm_status status = com_text_begin(path, bytes, size, &out->at, e);
	if (status != MM_OK)
		com_text_close(h, out);
	return status;
}

mm_status com_text_open(const com_host *h, const char *path, size_t limit, com_text *out, mm_error *e)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return com_fail(e, MM_EIO, "%s: %s", path, strerror(errno));
	mm_status status = read_all(h, file, path, limit, out, e);
	fclose(file);
	return status;
}

void com_text_close(const com_host *h, com_text *t)
{
	com_release(h, t->bytes);
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

static mm_status write_temporary(const char *temporary, const char *path, const void *bytes, size_t size, mm_error *e)
{
	FILE *file = fopen(temporary, "wb");
	if (!file)
		return com_fail(e, MM_EIO, "%s: cannot be created: %s", path, strerror(errno));
	bool written = fwrite(bytes, 1, size, file) == size && !fflush(file); /* a full disk shows here or at the close */
	int reason = errno;
	if (fclose(file) && written) {
		written = false;
		reason = errno;
	}
	return written ? MM_OK : com_fail(e, MM_EIO, "%s: cannot be written: %s", path, strerror(reason));
}

mm_status com_write_file(const com_host *h, const char *path, const void *bytes, size_t size, mm_error *e)
{
	char *temporary = com_format(h, "%s.part%ld", path, (long)getpid());
	if (!temporary)
		return com_no_memory(e, "a path");
	mm_status status = write_temporary(temporary, path, bytes, size, e);
	if (status == MM_OK && rename(temporary, path))
		status = com_fail(e, MM_EIO, "%s: cannot be put in place: %s", path, strerror(errno));
	if (status != MM_OK)
		unlink(temporary);
	com_release(h, temporary);
	return status;
}
