/* fuzz_entries.c - people's own data: files of one name, and tables (CSV, JSON lines). The first byte: which of it, and
 * how it is split; then the column, what names say, patterns of the test split; then the table, or names of files. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "common/entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AS_CSV, AS_LINES, AS_FILES, WAYS };

static void read_all(const pairs *p)
{
	char key[256], text[512];
	for (uint32_t k = 0; k < p->n_samples && k < 200; k++) {
		mm_error e = MM_ERROR_INIT;
		const char *file = p->item[p->sample[k].item].file;
		fuzz_ok(pairs_key(p, k, key, sizeof key, &e), &e);
		if (file && (*file == '/' || strstr(file, "/../") || !strncmp(file, "../", 3)))
			fuzz_fail("a file outside of the data: %s", file);
		pairs_caption(p, &p->sample[k], text, sizeof text);
		pairs_label(p, k);
		pairs_group(p, k);
	}
}

/* Up to eight files by the names in the parts, below a folder that is made anew. */
static void make_files(const uint8_t *at, const uint8_t *end, char made[8][64], size_t *n)
{
	const uint8_t *part;
	for (*n = 0; at < end && *n < 8;) {
		size_t length = fuzz_part(&at, end, &part);
		char *name = fuzz_text(part, length < 40 ? length : 40);
		snprintf(made[*n], 64, "files/%s", name);
		const bool good = pairs_safe_path(name) && pairs_kind(name) < PAIRS_KINDS && !strstr(name, "//");
		free(name);
		if (good)
			fuzz_put(made[(*n)++], "a red cat\n", 10);
	}
}

static void open_both(const pairs_source *s)
{
	uint32_t classes;
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	pairs *p;
	const size_t before = fuzz_blocks();
	fuzz_ok(pairs_classes(fuzz_host(), s, &classes, &e), &e);
	for (int32_t split = 0; split < 2; split++)
		if (fuzz_ok(pairs_open(fuzz_host(), s, split, &p, &f), &f)) {
			read_all(p);
			pairs_close(p);
		} else {
			f = (mm_error)MM_ERROR_INIT;
		}
	fuzz_same_blocks(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[WAYS] = { "list/list.csv", "list/list.jsonl", NULL };
	const uint8_t *at = data + 1, *end = data + n, *part;
	char root[128], list[160], made[8][64], *text[4];
	size_t n_made = 0;
	if (!n)
		return 0;
	const int way = data[0] % WAYS, how = data[0] / WAYS;
	fuzz_host();
	for (int i = 0; i < 4; i++) {
		const size_t length = fuzz_part(&at, end, &part);
		text[i] = fuzz_text(part, length);
	}
	if (way == AS_FILES)
		make_files(at, end, made, &n_made);
	else
		fuzz_put(names[way], at, (size_t)(end - at));
	snprintf(root, sizeof root, "%s/%s", fuzz_folder(), way == AS_FILES ? "files" : "list");
	snprintf(list, sizeof list, "%s/%s", fuzz_folder(), way == AS_FILES ? "" : names[way]);
	const pairs_source s = { .instance = "img",
		                     .root = root,
		                     .kind = how % 3,
		                     .layout = way == AS_FILES ? PAIRS_FILES : PAIRS_LIST,
		                     .captions = how / 3 % 3,
		                     .list = way == AS_FILES ? NULL : list,
		                     .column = text[0],
		                     .names = pairs_template_valid(text[1]) ? text[1] : "",
		                     .test_names = text[2],
		                     .test_groups = text[3],
		                     .test_share = how / 9 % 2 ? 0.3 : 0,
		                     .folder_classes = how / 18 % 2 };
	open_both(&s);
	for (size_t i = 0; i < n_made; i++)
		fuzz_put(made[i], NULL, 0);
	for (int i = 0; i < 4; i++)
		free(text[i]);
	return 0;
}
