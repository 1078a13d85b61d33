/* fuzz_list.c - tuples that a user names: lists of them (score --list), and words of the command line in parts. The
 * first byte says which. */
#include "mmi_build.h"

#include "fuzz_toys.h"
#include "model/rows.h"
#include "trained/scores.h"

#include <stdio.h>
#include <stdlib.h>

enum { FLOATS = 8, MOST_WORDS = 8 };

static void list(const char *path)
{
	static float x[2][FLOATS];
	float *const at[MMI_MAX_MODALITIES] = { x[0], x[1] };
	mm_error e = MM_ERROR_INIT;
	mmi_scores_list l;
	if (!fuzz_ok(mmi_scores_list_open(fuzz_toy_model(), path, &l, &e), &e))
		return;
	for (uint32_t i = 0; i + 1 < l.csv.rows && i < 50; i++) {
		mm_error f = MM_ERROR_INIT;
		fuzz_ok(mmi_scores_read_list(&l, i, at, &f), &f);
	}
	mmi_scores_list_close(&l);
}

static void words(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *part;
	char *word[MOST_WORDS];
	size_t n = 0;
	mm_error e = MM_ERROR_INIT;
	mmi_inputs in;
	while (at < end && n < MOST_WORDS) {
		const size_t length = fuzz_part(&at, end, &part);
		word[n++] = fuzz_text(part, length);
	}
	for (size_t i = 0; i < n; i++) {
		mm_error f = MM_ERROR_INIT, g = MM_ERROR_INIT;
		bool flags[MMI_MAX_MODALITIES] = { false };
		int32_t m;
		fuzz_ok(mmi_name_parse(fuzz_toy_model(), word[i], "--draw", &m, &f), &f);
		fuzz_ok(mmi_names_parse(fuzz_toy_model(), word[i], "--want", flags, &g), &g);
	}
	if (fuzz_ok(mmi_inputs_named(fuzz_toy_model(), (const char *const *)word, n, "--given", &in, &e), &e)) {
		mm_error f = MM_ERROR_INIT;
		fuzz_ok(mmi_scores_check(fuzz_toy_model(), &in, &f), &f);
		mmi_inputs_clear(&in);
	}
	while (n)
		free(word[--n]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fuzz_toy_model();
	fuzz_put("a.txt", "1 0 1 0 1 0 1 0\n", 16);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char path[128];
	if (!n)
		return 0;
	snprintf(path, sizeof path, "%s/list.csv", fuzz_folder());
	if (data[0] & 1) {
		words(data + 1, data + n);
		return 0;
	}
	fuzz_put("list.csv", data + 1, n - 1);
	list(path);
	return 0;
}
