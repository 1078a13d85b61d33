/* files.c - files that are whole or absent. */
#include "mmi_build.h"

#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TEMPORARY_TRIES = 1000, BASE_LIMIT = 200 /* leaves room for the suffix within NAME_MAX */ };

struct mmi_atomic {
	char *target; /* symbolic links resolved */
	char *temporary;
	int fd;
	mm_error error; /* the first failure */
};

int mmi_write_all(int fd, const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes) {
		ssize_t done = write(fd, at, bytes < SSIZE_MAX ? bytes : SSIZE_MAX);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		at += done;
		bytes -= (size_t)done;
	}
	return 0;
}

/* Length of the folder part, with its slash; 0 for a name in the current folder. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash - path) + 1 : 0;
}

static mm_status out_of_memory(const char *path, mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
}

static void atomic_free(mmi_atomic *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	mmi_free(f->target);
	mmi_free(f->temporary);
	mmi_free(f);
}

/* Where the new version goes and the mode it gets: both from what is there now, if anything is. */
static mm_status resolve_target(const char *path, char **target, mode_t *mode, mm_error *e)
{
	struct stat st;

	*mode = 0;
	if (stat(path, &st)) {
		if (errno != ENOENT)
			return mmi_fail(e, MM_EIO, "cannot write %s: %s", path, strerror(errno));
		*target = mmi_strdup(path);
		return *target ? MM_OK : out_of_memory(path, e);
	}
	if (!S_ISREG(st.st_mode))
		return mmi_fail(e, MM_EIO, "cannot write %s: it exists and is not a regular file", path);
	char *resolved = realpath(path, NULL);
	if (!resolved)
		return mmi_fail(e, MM_EIO, "cannot write %s: %s", path, strerror(errno));
	*target = mmi_strdup(resolved);
	*mode = st.st_mode & 07777;
	free(resolved);
	return *target ? MM_OK : out_of_memory(path, e);
}

/* Another name each time, which nobody can take beforehand. */
static char *temporary_name(const char *path)
{
	size_t folder = folder_length(path);
	uint32_t number = 0;
	if (getentropy(&number, sizeof number))
		number = (uint32_t)clock();
	return mmi_format("%.*s.%.*s.tmp-%ld-%" PRIu32, (int)folder, path, BASE_LIMIT, path + folder, (long)getpid(),
	                  number);
}

static mm_status create_temporary(mmi_atomic *f, mm_error *e)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		mmi_free(f->temporary);
		f->temporary = temporary_name(f->target);
		if (!f->temporary)
			return out_of_memory(f->target, e);
		f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (f->fd >= 0)
			return MM_OK;
		if (errno != EEXIST)
			break;
	}
	return mmi_fail(e, MM_EIO, "cannot write %s: %s", f->target, strerror(errno));
}

mm_status mmi_atomic_open(const char *path, mmi_atomic **out, mm_error *e)
{
	mm_status status;
	mode_t mode;
	mmi_atomic *f = mmi_alloc(1, sizeof *f);

	if (!f)
		return out_of_memory(path, e);
	f->fd = -1;
	f->error.struct_size = sizeof f->error;
	MMI_TRY_GOTO(resolve_target(path, &f->target, &mode, e), fail);
	MMI_TRY_GOTO(create_temporary(f, e), fail);
	if (mode)
		(void)fchmod(f->fd, mode); /* the mode is a courtesy, not all file systems have one */
	*out = f;
	return MM_OK;
fail:
	atomic_free(f);
	return status;
}

/* Records the first failure and hands it to the caller. */
static mm_status atomic_fail(mmi_atomic *f, int error, mm_error *e)
{
	if (!f->error.code)
		mmi_fail(&f->error, MM_EIO, "cannot write %s: %s; nothing was changed", f->target, strerror(error));
	return mmi_fail(e, f->error.code, "%s", f->error.message);
}

mm_status mmi_atomic_write(mmi_atomic *f, const void *data, size_t bytes, mm_error *e)
{
	if (f->error.code || mmi_write_all(f->fd, data, bytes))
		return atomic_fail(f, errno, e);
	return MM_OK;
}

/* The new name itself must reach the disk; file systems that cannot sync a folder say EINVAL. */
static mm_status sync_folder(const char *path, mm_error *e)
{
	size_t length = folder_length(path);
	char *folder = length ? mmi_format("%.*s", (int)length, path) : mmi_strdup(".");

	if (!folder)
		return out_of_memory(path, e);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = fd < 0 || (fsync(fd) && errno != EINVAL && errno != ENOTSUP);
	mm_status status = MM_OK;
	if (failed)
		status =
			mmi_fail(e, MM_EIO, "%s was written, but folder %s cannot be synced: %s", path, folder, strerror(errno));
	if (fd >= 0)
		close(fd);
	mmi_free(folder);
	return status;
}

static mm_status atomic_finish(mmi_atomic *f, mm_error *e)
{
	if (f->error.code || fsync(f->fd))
		return atomic_fail(f, errno, e);
	int closed = close(f->fd);
	f->fd = -1;
	if (closed || rename(f->temporary, f->target))
		return atomic_fail(f, errno, e);
	return MM_OK;
}

mm_status mmi_atomic_commit(mmi_atomic *f, mm_error *e)
{
	mm_status status = atomic_finish(f, e);
	if (status != MM_OK) {
		mmi_atomic_abort(f);
		return status;
	}
	status = sync_folder(f->target, e);
	atomic_free(f);
	return status;
}

void mmi_atomic_abort(mmi_atomic *f)
{
	if (f && f->temporary)
		unlink(f->temporary);
	atomic_free(f);
}

mm_status mmi_write_file_atomic(const char *path, const void *data, size_t bytes, mm_error *e)
{
	mmi_atomic *f;

	MMI_TRY(mmi_atomic_open(path, &f, e));
	mm_status status = mmi_atomic_write(f, data, bytes, e);
	if (status != MM_OK) {
		mmi_atomic_abort(f);
		return status;
	}
	return mmi_atomic_commit(f, e);
}

/* Reads a file of known size; a file that shrinks meanwhile ends early. */
static int read_all(int fd, char *out, size_t bytes, size_t *done)
{
	for (*done = 0; *done < bytes;) {
		ssize_t got = read(fd, out + *done, bytes - *done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		*done += (size_t)got;
	}
	return 0;
}

/* ---------------------------------------------------------------- second names */

static mm_status copy_open(int fd, const char *from, const char *to, mm_error *e)
{
	enum { BLOCK = 1 << 16 };
	char *block = mmi_alloc(BLOCK, 1);
	mmi_atomic *f = NULL;
	size_t got = 1;
	mm_status status = block ? mmi_atomic_open(to, &f, e) : out_of_memory(to, e);
	while (status == MM_OK && got) {
		status = read_all(fd, block, BLOCK, &got)
		             ? mmi_fail(e, mmi_errno_status(errno), "cannot read %s: %s", from, strerror(errno))
		             : MM_OK;
		if (status == MM_OK)
			status = mmi_atomic_write(f, block, got, e);
	}
	mmi_free(block);
	if (status == MM_OK)
		return mmi_atomic_commit(f, e);
	mmi_atomic_abort(f);
	return status;
}

static mm_status copy_file(const char *from, const char *to, mm_error *e)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mmi_fail(e, mmi_errno_status(errno), "cannot open %s: %s", from, strerror(errno));
	mm_status status = copy_open(fd, from, to, e);
	close(fd);
	return status;
}

static mm_status rename_link(const char *temporary, const char *to, mm_error *e)
{
	if (rename(temporary, to)) {
		mmi_fail(e, MM_EIO, "cannot write %s: %s", to, strerror(errno));
		unlink(temporary);
		return MM_EIO;
	}
	return sync_folder(to, e);
}

mm_status mmi_link_atomic(const char *from, const char *to, mm_error *e)
{
	struct stat a, b;
	int error = EEXIST;
	mm_status status = MM_OK;

	if (!stat(from, &a) && !stat(to, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return MM_OK; /* rename would leave both names */
	for (int i = 0; i < TEMPORARY_TRIES && error == EEXIST; i++) {
		char *temporary = temporary_name(to);
		if (!temporary)
			return out_of_memory(to, e);
		error = link(from, temporary) ? errno : 0;
		if (!error)
			status = rename_link(temporary, to, e);
		mmi_free(temporary);
	}
	if (error == ENOENT || error == EEXIST || error == ENOSPC || error == EACCES)
		return mmi_fail(e, MM_EIO, "cannot write %s as another name of %s: %s", to, from, strerror(error));
	return error ? copy_file(from, to, e) : status;
}

/* ---------------------------------------------------------------- left behind */

static bool is_temporary(const char *name)
{
	const char *mark = strstr(name, ".tmp-");
	if (name[0] != '.' || !mark || mark == name)
		return false;
	const char *digits = mark + strlen(".tmp-");
	size_t pid = strspn(digits, "0123456789");
	const char *tail = digits + pid;
	return pid && *tail == '-' && tail[1] && !tail[1 + strspn(tail + 1, "0123456789")];
}

size_t mmi_temporaries_remove(const char *folder)
{
	size_t removed = 0;
	DIR *d = opendir(folder);

	if (!d)
		return 0;
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
		if (is_temporary(entry->d_name) && !unlinkat(dirfd(d), entry->d_name, 0))
			removed++;
	closedir(d);
	return removed;
}

static mm_status read_open_file(int fd, const char *path, size_t limit, char **text, size_t *bytes, mm_error *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return mmi_fail(e, mmi_errno_status(errno), "cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return mmi_fail(e, MM_EIO, "cannot read %s: not a regular file", path);
	if ((uint64_t)st.st_size > limit)
		return mmi_fail(e, MM_EFORMAT, "%s: %lld bytes, expected at most %zu", path, (long long)st.st_size, limit);
	char *block = mmi_alloc((size_t)st.st_size + 1, 1);
	if (!block)
		return out_of_memory(path, e);
	if (read_all(fd, block, (size_t)st.st_size, bytes)) {
		mmi_free(block);
		return mmi_fail(e, mmi_errno_status(errno), "cannot read %s: %s", path, strerror(errno));
	}
	*text = block;
	return MM_OK;
}

mm_status mmi_read_file(const char *path, size_t limit, char **text, size_t *bytes, mm_error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mmi_fail(e, mmi_errno_status(errno), "cannot open %s: %s", path, strerror(errno));
	mm_status status = read_open_file(fd, path, limit, text, bytes, e);
	close(fd);
	return status;
}

static mm_status make_folder(const char *path, mm_error *e)
{
	struct stat st;

	if (!mkdir(path, 0777))
		return MM_OK;
	int error = errno;
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return MM_OK;
	return mmi_fail(e, MM_EIO, "cannot make folder %s: %s", path,
	                error == EEXIST ? "a file of that name is in the way" : strerror(error));
}

mm_status mmi_make_folders(const char *path, mm_error *e)
{
	char *part = mmi_strdup(path);
	mm_status status = MM_OK;

	if (!part)
		return out_of_memory(path, e);
	for (char *slash = strchr(part + (*part == '/'), '/'); slash && status == MM_OK; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		status = make_folder(part, e);
		*slash = '/';
	}
	if (status == MM_OK)
		status = make_folder(path, e);
	mmi_free(part);
	return status;
}

mm_status mmi_make_temporary(const char *name, char **out, mm_error *e)
{
	const char *set = getenv("TMPDIR"), *tmp = set && set[0] == '/' ? set : "/tmp";
	char *path = mmi_format("%s/%s-XXXXXX", tmp, name);

	if (!path)
		return out_of_memory(name, e);
	if (!mkdtemp(path)) {
		mmi_free(path);
		return mmi_fail(e, MM_EIO, "cannot make a temporary folder in %s: %s; TMPDIR can name another place", tmp,
		                strerror(errno));
	}
	*out = path;
	return MM_OK;
}
