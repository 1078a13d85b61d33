/* fuzz_vectors.c - word vectors in the text form of word2vec, fastText and GloVe. The first byte says how many numbers
 * a vector is expected to have. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "txt/embedding.h"

static const txt_vocabulary *vocabulary(void)
{
	static const char *const words[] = { "a", "b", "cat", "dog", "\xc3\xa4h", "," };
	static txt_vocabulary v;
	mm_error e = MM_ERROR_INIT;
	if (v.n)
		return &v;
	fuzz_must(txt_vocabulary_open(&v, fuzz_host(), TXT_FIRST_WORD + MMI_COUNT(words), &e), &e);
	for (size_t i = 0; i < MMI_COUNT(words); i++)
		fuzz_must(txt_vocabulary_add(&v, words[i], &e), &e);
	return &v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const txt_vocabulary *v = vocabulary();
	mm_error e = MM_ERROR_INIT;
	float *x;
	if (!n)
		return 0;
	int32_t dim = data[0] & 1 ? data[0] >> 1 : 0;
	const size_t before = fuzz_blocks();
	if (fuzz_ok(txt_vectors_read(fuzz_host(), v, fuzz_file(0, data + 1, n - 1), "txt", &dim, &x, &e), &e)) {
		for (int64_t k = 0; k < (int64_t)v->n * dim; k++)
			if (!(x[k] > -1e30f && x[k] < 1e30f))
				fuzz_fail("a vector has %g", (double)x[k]);
		mma_free(fuzz_host(), x);
	}
	fuzz_same_blocks(before);
	return 0;
}
