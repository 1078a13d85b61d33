/* fuzz.c - what the harnesses share. */
#include "mmi_build.h"

#include "fuzz.h"
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void fuzz_fail(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	fprintf(stderr, "finding: ");
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

bool fuzz_ok(mm_status status, const mm_error *e)
{
	if (status == MM_OK)
		return true;
	if (!e->message[0])
		fuzz_fail("status %d without a message", (int)status);
	if (e->code != status)
		fuzz_fail("status %d, but the error has %d: %s", (int)status, (int)e->code, e->message);
	if (status == MM_ENOMEM || status == MM_EINTERNAL)
		fuzz_fail("%s: %s", mmi_status_name(status), e->message);
	return false;
}

void fuzz_must(mm_status status, const mm_error *e)
{
	if (status == MM_OK)
		return;
	fprintf(stderr, "the harness cannot begin: %s\n", e->message);
	exit(2);
}

/* ---------------------------------------------------------------- files */

static void fill(int fd, const void *bytes, size_t n)
{
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) || mmi_write_all(fd, bytes, n)) {
		perror("the harness's own file");
		exit(2);
	}
}

const char *fuzz_file(int slot, const void *bytes, size_t n)
{
	static int fd[4];
	static char path[4][32];
	if (!fd[slot]) {
		fd[slot] = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(path[slot], sizeof path[slot], "/proc/self/fd/%d", fd[slot]);
	}
	fill(fd[slot], bytes, n);
	return path[slot];
}

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void)
{
	if (folder[0])
		return folder;
	snprintf(folder, sizeof folder, "%s/mmcore-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder)) {
		perror(folder);
		exit(2);
	}
	atexit(remove_folder);
	return folder;
}

static void make_way(char *path)
{
	mm_error e = MM_ERROR_INIT;
	char *slash = strrchr(path, '/');
	*slash = 0;
	fuzz_must(mmi_make_folders(path, &e), &e);
	*slash = '/';
}

void fuzz_put(const char *name, const void *bytes, size_t n)
{
	char path[320];
	snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
	if (!bytes) {
		unlink(path);
		return;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ENOENT) {
		make_way(path);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	}
	if (fd < 0) {
		perror(path);
		exit(2);
	}
	fill(fd, bytes, n);
	close(fd);
}

/* ---------------------------------------------------------------- inputs */

size_t fuzz_part(const uint8_t **at, const uint8_t *end, const uint8_t **part)
{
	const uint8_t *stop = *at < end ? memchr(*at, 0x1E, (size_t)(end - *at)) : NULL;
	*part = *at;
	const size_t n = (size_t)((stop ? stop : end) - *at);
	*at = stop ? stop + 1 : end;
	return n;
}

char *fuzz_text(const uint8_t *at, size_t n)
{
	char *text = malloc(n + 1);
	if (!text)
		exit(2);
	if (n)
		memcpy(text, at, n);
	text[n] = 0;
	return text;
}
