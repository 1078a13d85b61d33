/* fuzz_judge.c - files of judges, with a checksum that is right. */
#include "mmi_build.h"

#include "fuzz_toys.h"
#include "judge/judge.h"

#include <stdlib.h>
#include <string.h>

static void use(mmi_judge *j)
{
	static const float x[16] = { 0 };
	char text[300];
	int32_t class_of[2];
	float embedding[2 * MMI_MATCHER_DIM];
	mmi_judge_text(j, text, sizeof text);
	for (uint32_t m = 0; m < j->n; m++)
		if (j->member[m].present)
			mmi_judge_run(j, m, x, 2, class_of, NULL);
	if (!j->matcher)
		return;
	mmi_matcher_text(j->matcher, text, sizeof text);
	mmi_matcher_run(j->matcher, 0, x, 2, embedding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const mmi_setup *s = fuzz_toys();
	mm_error e = MM_ERROR_INIT;
	mmi_judge *j;
	uint8_t *copy = malloc(n + 1);
	if (n)
		memcpy(copy, data, n);
	fuzz_new_checksum(copy, n);
	if (fuzz_ok(mmi_judge_open(fuzz_file(0, copy, n), &s->device, s->modalities, s->n_modalities, s->pool, &j, &e),
	            &e)) {
		use(j);
		mmi_judge_destroy(j);
	}
	free(copy);
	return 0;
}
