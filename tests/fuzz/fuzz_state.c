/* fuzz_state.c - what the plugin txt keeps in checkpoints, then words and files that a user names. The first byte: how
 * the modality is set; two: how long the state is; the state; a caption. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "txt/txt.h"

#include <stdlib.h>
#include <string.h>

static void use_caption(mm_instance *i, const uint8_t *text, size_t n, float *x)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	char *words = fuzz_text(text, n);
	uint32_t ids[8];
	fuzz_ok(txt_file.read_text(i, words, x, &e), &e);
	free(words);
	if (!fuzz_ok(txt_file.read_file(i, fuzz_file(0, text, n), x, &f), &f))
		return;
	txt_nearest(i, x, ids);
	mma_free(i->host, txt_decode(i, ids));
	txt_round(i, x);
	txt_vary(i, 3, x);
}

static void save_again(mm_instance *i, const uint8_t *state, size_t n)
{
	mm_error e = MM_ERROR_INIT;
	void *bytes;
	size_t size;
	fuzz_must(txt_state.save(i, &bytes, &size, &e), &e);
	if (size != n || memcmp(bytes, state, n))
		fuzz_fail("the state is not saved as it was loaded");
	mma_free(i->host, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static txt_plugin plugin;
	if (n < 4)
		return 0;
	plugin.host = *fuzz_host();
	mm_instance i = { .plugin = &plugin,
		              .host = &plugin.host,
		              .source = { .instance = "txt", .captions = data[0] >> 1 & 1 ? PAIRS_JOIN : PAIRS_EACH },
		              .representation = data[0] & 1,
		              .length = 8,
		              .punctuation = 1,
		              .drop = 0.5 };
	mm_error e = MM_ERROR_INIT;
	size_t length = (size_t)data[1] << 8 | data[2];
	const uint8_t *state = data + 3;
	length = length < n - 3 ? length : n - 3;
	const size_t before = fuzz_blocks();
	if (fuzz_ok(txt_state.load(&i, state, length, &e), &e)) {
		float *x = calloc((size_t)i.length * (size_t)txt_features(&i), sizeof *x);
		use_caption(&i, state + length, n - 3 - length, x);
		save_again(&i, state, length);
		free(x);
	}
	txt_vocabulary_clear(&i.vocabulary);
	mma_free(i.host, i.vector);
	fuzz_same_blocks(before);
	return 0;
}
