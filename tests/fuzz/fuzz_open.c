/* fuzz_open.c - what the harnesses of people's own data share. */
#include "mmi_build.h"

#include "fuzz_entries.h"

#include <string.h>

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

void fuzz_open_entries(const pairs_source *s, bool all)
{
	uint32_t classes;
	mm_error e = MM_ERROR_INIT;
	const size_t before = fuzz_blocks();
	if (all)
		fuzz_ok(pairs_classes(fuzz_host(), s, &classes, &e), &e);
	for (int32_t split = 0; split < (all ? 2 : 1); split++) {
		pairs *p;
		mm_error f = MM_ERROR_INIT;
		if (!fuzz_ok(pairs_open(fuzz_host(), s, split, &p, &f), &f))
			continue;
		read_all(p);
		pairs_close(p);
	}
	fuzz_same_blocks(before);
}

void fuzz_texts(const uint8_t **at, const uint8_t *end, char **text, int n)
{
	for (int i = 0; i < n; i++) {
		const uint8_t *part;
		const size_t length = fuzz_part(at, end, &part);
		text[i] = fuzz_text(part, length);
	}
}
