/* fuzz_files.c - people's own data as files of one name below a folder. The first byte: how it is read; then what names
 * say, patterns of the test split, groups of it; then the names of up to eight files. */
#include "mmi_build.h"

#include "fuzz_entries.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 8, NAME_BYTES = 40, PATH_BYTES = 160 };

static struct {
	char path[MOST][PATH_BYTES];
	size_t n, root; /* bytes of the folder's path */
} made;

/* The folders of a path, from the first below the root on; nothing if a file has the name of one. */
static void make_one(char *path)
{
	for (char *slash = strchr(path + made.root + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0700);
		*slash = '/';
	}
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, "a red cat\n", 10) == 10)
		made.n++;
	close(fd);
}

static void make(const char *root, const uint8_t *at, const uint8_t *end)
{
	const uint8_t *part;
	made.root = strlen(root);
	made.n = 0;
	mkdir(root, 0700);
	for (int k = 0; at < end && k < MOST; k++) {
		const size_t length = fuzz_part(&at, end, &part);
		char *name = fuzz_text(part, length < NAME_BYTES ? length : NAME_BYTES);
		snprintf(made.path[made.n], PATH_BYTES, "%s/%s", root, name);
		if (pairs_safe_path(name) && !strstr(name, "//"))
			make_one(made.path[made.n]);
		free(name);
	}
}

static void remove_made(void)
{
	for (size_t i = 0; i < made.n; i++) {
		char *path = made.path[i], *slash;
		unlink(path);
		while ((slash = strrchr(path, '/')) > path + made.root) {
			*slash = 0;
			rmdir(path);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *at = data + 1, *end = data + n;
	char root[128], *text[3];
	if (!n)
		return 0;
	fuzz_host();
	fuzz_texts(&at, end, text, 3);
	snprintf(root, sizeof root, "%s/files", fuzz_folder());
	make(root, at, end);
	const pairs_source s = { .instance = "img",
		                     .root = root,
		                     .kind = data[0] % 3,
		                     .layout = data[0] / 36 % 2 ? PAIRS_AUTO : PAIRS_FILES,
		                     .captions = data[0] / 3 % 3,
		                     .column = "",
		                     .names = pairs_template_valid(text[0]) ? text[0] : "",
		                     .test_names = text[1],
		                     .test_groups = text[2],
		                     .test_share = data[0] / 9 % 2 ? 0.3 : 0,
		                     .folder_classes = data[0] / 18 % 2 };
	fuzz_open_entries(&s, true);
	remove_made();
	for (int i = 0; i < 3; i++)
		free(text[i]);
	return 0;
}
