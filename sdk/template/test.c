/* test.c - what the data are, tested without mmcore: `make check` runs it, then `mmcore validate`. */
#include "modality.h"

#define CHECK(x) ((x) ? 0 : (fprintf(stderr, "test.c:%d: %s\n", __LINE__, #x), 1))

int main(void)
{
	float a[SIDE * SIDE], b[SIDE * SIDE];
	int failed = 0;
	for (uint32_t k = 0; k < 2 * CLASSES; k++) {
		draw_bar(MM_SPLIT_TRAIN, k, 0.05, a);
		for (int p = 0; p < SIDE * SIDE; p++)
			failed |= CHECK(a[p] >= -1 && a[p] <= 1);
		draw_bar(MM_SPLIT_TRAIN, k, 0.05, b);
		failed |= CHECK(!memcmp(a, b, sizeof a)); /* a function of its index */
		draw_bar(MM_SPLIT_TEST, k, 0.05, b);
		failed |= CHECK(memcmp(a, b, sizeof a)); /* no test sample is trained on */
	}
	return failed;
}
