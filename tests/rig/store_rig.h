/* store_rig.h - what the tests of files share: a folder of their own, whole files, a disk that is full. */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include "base/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define assert_ok(expression, e)                                                         \
	do {                                                                                 \
		if ((expression) != MM_OK)                                                       \
			fail_msg("%s: %s: %s", #expression, mmi_status_name((e).code), (e).message); \
	} while (0)
#define assert_fails(expression, expected, e, part)                 \
	do {                                                            \
		assert_int_equal(expression, expected);                     \
		assert_int_equal((e).code, expected);                       \
		if (!strstr((e).message, part))                             \
			fail_msg("message '%s' lacks '%s'", (e).message, part); \
	} while (0)

typedef struct {
	char folder[256];
} rig;

static inline int rig_setup(void **state)
{
	rig *r = calloc(1, sizeof *r);
	const char *parent = getenv("TMPDIR");

	snprintf(r->folder, sizeof r->folder, "%s/mmcore-test-XXXXXX", parent && *parent ? parent : "/tmp");
	if (!mkdtemp(r->folder)) {
		free(r);
		return -1;
	}
	*state = r;
	return 0;
}

static inline int rig_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int rig_teardown(void **state)
{
	rig *r = *state;

	int failed = nftw(r->folder, rig_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(r);
	return failed;
}

/* A path in the folder; valid for the next 15 calls. */
static inline const char *rig_path(rig *r, const char *name)
{
	static char paths[16][320];
	static size_t next;
	char *path = paths[next++ % MMI_COUNT(paths)];

	snprintf(path, sizeof paths[0], "%s/%.60s", r->folder, name);
	return path;
}

static inline void rig_write(const char *path, const void *data, size_t bytes)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, bytes, f), bytes);
	assert_int_equal(fclose(f), 0);
}

/* NUL-terminated; free it. */
static inline char *rig_read(const char *path, size_t *bytes)
{
	struct stat st;
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	char *text = calloc(1, (size_t)st.st_size + 1);
	*bytes = fread(text, 1, (size_t)st.st_size, f);
	assert_int_equal(*bytes, st.st_size);
	fclose(f);
	return text;
}

static inline void assert_file(const char *path, const char *expected)
{
	size_t bytes;
	char *text = rig_read(path, &bytes);

	assert_string_equal(text, expected);
	free(text);
}

/* A file FOLDER/BELOW with a text, and the folders on the way. */
static inline void rig_put(const char *folder, const char *below, const char *text)
{
	char path[600];
	snprintf(path, sizeof path, "%s/%s", folder, below);
	for (char *at = strchr(path + strlen(folder) + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(path, 0700);
		*at = '/';
	}
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
}

/* Entries of a folder, hidden ones included. */
static inline size_t rig_entries(const char *folder)
{
	size_t n = 0;
	DIR *d = opendir(folder);

	assert_non_null(d);
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(d);
	return n;
}

/* From here on no file of this process can grow beyond `bytes`, as on a full disk; RLIM_INFINITY ends it. */
static inline void rig_limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
