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
#include <zlib.h>

enum { MOST_FILES = 16 };

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

/* Its blocks stay: to free and fill them anew would take more time than most readers do. */
static void fill(int fd, const void *bytes, size_t n)
{
	if (lseek(fd, 0, SEEK_SET) || mmi_write_all(fd, bytes, n) || ftruncate(fd, (off_t)n)) {
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

static int open_to_fill(const char *name)
{
	char path[320];
	snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
	make_way(path);
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		perror(path);
		exit(2);
	}
	return fd;
}

void fuzz_put(const char *name, const void *bytes, size_t n)
{
	static struct {
		char name[64];
		int fd;
	} kept[MOST_FILES];
	int i = 0;
	while (kept[i].name[0] && strcmp(kept[i].name, name))
		i++;
	if (i + 1 == MOST_FILES) {
		fprintf(stderr, "more than %d files of a harness\n", MOST_FILES - 1);
		exit(2);
	}
	if (!kept[i].name[0]) {
		kept[i].fd = open_to_fill(name);
		snprintf(kept[i].name, sizeof kept[i].name, "%s", name);
	}
	fill(kept[i].fd, bytes, n);
}

/* ---------------------------------------------------------------- inputs */

bool fuzz_rarely(const uint8_t *data, size_t n, unsigned of)
{
#ifdef MMCORE_LIBFUZZER
	return crc32_z(0, data, n) % of == 0;
#else
	(void)data, (void)n, (void)of;
	return true;
#endif
}

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
