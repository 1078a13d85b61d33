/* fuzz_captions.c - captions in the three published layouts. The first byte: the layout, how captions are joined; then
 * the files of the layout, in parts. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "common/pairs.h"
#include "txt/tokens.h"

#include <stdio.h>
#include <string.h>

enum { LAYOUTS = 3 };
static const char *const roots[LAYOUTS] = { "cub", "folders", "coco" };
static const char *const files[LAYOUTS][6] = {
	{ "cub/images.txt", "cub/train_test_split.txt", "cub/image_class_labels.txt", "cub/classes.txt",
	  "cub/text/a/b.txt" },
	{ "folders/text_trainvalclasses.txt" },
	{ "coco/captions_train2017.json" },
};

static void make_folders(void)
{
	static bool made;
	if (made)
		return;
	made = true;
	fuzz_put("folders/train/c/x.jpg", "x", 1);
	fuzz_put("folders/train/c/y.png", "x", 1);
}

static void tokens_of(const char *text, bool marks)
{
	char token[TOKEN_BYTES];
	while (token_next_of(&text, marks, token))
		if (!*token || strlen(token) >= TOKEN_BYTES)
			fuzz_fail("a token of %zu bytes", strlen(token));
}

static void read_all(const pairs *p)
{
	static char text[1 << 16];
	char key[256];
	for (uint32_t k = 0; k < p->n_samples && k < 200; k++) {
		mm_error e = MM_ERROR_INIT;
		const char *file = p->item[p->sample[k].item].file;
		fuzz_ok(pairs_key(p, k, key, sizeof key, &e), &e);
		if (file && (strstr(file, "/../") || !strncmp(file, "../", 3)))
			fuzz_fail("a file outside of the data: %s", file);
		pairs_caption(p, &p->sample[k], text, 300);
		pairs_caption(p, &p->sample[k], text, sizeof text);
		tokens_of(text, k & 1);
		pairs_label(p, k);
		pairs_group(p, k);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *at = data + 1, *end = data + n, *part;
	char root[128];
	uint32_t classes;
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	pairs *p;
	if (!n)
		return 0;
	const int layout = data[0] % LAYOUTS;
	fuzz_host();
	make_folders();
	for (size_t i = 0; files[layout][i]; i++) {
		const size_t length = files[layout][1] ? fuzz_part(&at, end, &part) : (size_t)(end - at);
		fuzz_put(files[layout][i], files[layout][1] ? part : at, length);
	}
	snprintf(root, sizeof root, "%s/%s", fuzz_folder(), roots[layout]);
	const pairs_source s = {
		.instance = "txt", .root = root, .kind = PAIRS_TEXT, .layout = PAIRS_CUB + layout, .captions = data[0] / 3 % 3
	};
	const size_t before = fuzz_blocks();
	if (fuzz_rarely(data, n, 8))
		fuzz_ok(pairs_classes(fuzz_host(), &s, &classes, &e), &e);
	if (fuzz_ok(pairs_open(fuzz_host(), &s, MM_SPLIT_TRAIN, &p, &f), &f)) {
		read_all(p);
		pairs_close(p);
	}
	fuzz_same_blocks(before);
	return 0;
}
