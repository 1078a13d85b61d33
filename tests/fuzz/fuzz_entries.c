/* fuzz_entries.c - people's own data as a table, CSV or JSON lines. The first byte: which of it, and how it is split;
 * then the column, what names say, patterns of the test split, groups of it; then the table. */
#include "mmi_build.h"

#include "fuzz_entries.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[2] = { "csv/list.csv", "lines/list.jsonl" };
	const uint8_t *at = data + 1, *end = data + n;
	char root[128], list[160], *text[4];
	if (!n)
		return 0;
	const int how = data[0] / 2;
	fuzz_host();
	fuzz_texts(&at, end, text, 4);
	fuzz_put(names[data[0] % 2], at, (size_t)(end - at));
	snprintf(root, sizeof root, "%s/%s", fuzz_folder(), data[0] % 2 ? "lines" : "csv");
	snprintf(list, sizeof list, "%s/%s", fuzz_folder(), names[data[0] % 2]);
	const pairs_source s = { .instance = "img",
		                     .root = root,
		                     .kind = how % 3,
		                     .layout = PAIRS_LIST,
		                     .captions = how / 3 % 3,
		                     .list = how / 36 % 2 ? NULL : list,
		                     .column = text[0],
		                     .names = pairs_template_valid(text[1]) ? text[1] : "",
		                     .test_names = text[2],
		                     .test_groups = text[3],
		                     .test_share = how / 9 % 2 ? 0.3 : 0,
		                     .folder_classes = how / 18 % 2 };
	fuzz_open_entries(&s, fuzz_rarely(data, n, 8));
	for (int i = 0; i < 4; i++)
		free(text[i]);
	return 0;
}
