/* test_txt.c - captions as tokens, numbers, vectors and back; vocabulary, word vectors, state, networks. */
#include "mmi_build.h"

#include "../rig/media_rig.h"

#include "model/model.h"
#include "tokens.h"
#include "txt.h"
#include "../rig/device_rig.h"

#include <math.h>
#include <zlib.h>

/* ---------------------------------------------------------------- tokens */

static void assert_tokens(const char *text, const char *expected)
{
	char token[TOKEN_BYTES], joined[4096] = "";
	while (token_next(&text, token)) {
		if (joined[0])
			strcat(joined, "|");
		strcat(joined, token);
	}
	assert_string_equal(joined, expected);
}

static void captions_become_small_words_and_marks(void **state)
{
	(void)state;
	assert_tokens("A red bird, with WHITE wings.", "a|red|bird|,|with|white|wings|.");
	assert_tokens("the bird's yellow-bellied '90s -- don't", "the|bird's|yellow-bellied|'|90s|-|-|don't");
	assert_tokens("\xc3\x89t\xc3\xa9 \xce\xa9\xce\xbc\xce\xad\xce\xb3\xce\xb1 \xd0\x96\xd1\x83\xd0\xba",
	              "\xc3\xa9t\xc3\xa9|\xcf\x89\xce\xbc\xce\xad\xce\xb3\xce\xb1|\xd0\xb6\xd1\x83\xd0\xba");
	assert_tokens("don\xe2\x80\x99t \xe2\x80\x9cquote\xe2\x80\x9d", "don't|\xe2\x80\x9c|quote|\xe2\x80\x9d");
	assert_tokens("3.5 o'clock", "3|.|5|o'clock");
	assert_tokens(" \t\xc2\xa0\xe2\x80\x83\xef\xbb\xbf ", "");
	assert_tokens("", "");
	assert_tokens("\xf0\x9f\x98\x80 smile", "\xf0\x9f\x98\x80|smile");
}

static void words_are_cut_at_a_character(void **state)
{
	char text[200] = "", token[TOKEN_BYTES];
	const char *at = text;
	(void)state;
	for (int i = 0; i < 40; i++)
		strcat(text, "\xc3\xa9");
	strcat(text, "a b");
	assert_true(token_next(&at, token));
	assert_int_equal(strlen(token), 62); /* 31 whole characters; the small one behind them does not slip in */
	assert_true(token_next(&at, token));
	assert_string_equal(token, "b");
}

static void text_is_put_together_as_people_write_it(void **state)
{
	(void)state;
	assert_false(token_blank_between("bird", ","));
	assert_false(token_blank_between("(", "bird"));
	assert_true(token_blank_between(",", "bird"));
	assert_true(token_blank_between("a", "bird"));
}

/* ---------------------------------------------------------------- an instance of the plugin in its host */

static void settings_out_of_range_are_refused(void **state)
{
	static const char *const wrong[][2] = { { "length = 12", "a multiple of 8" },
		                                    { "dim = 3", "4 to 1002" },
		                                    { "representation = onehot\ndim = 8", "unknown key" },
		                                    { "net = gru", "one of conv, paper" },
		                                    { "captions = some", "one of each" } };
	media_cub(*state, "d");
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		mm_error e = MM_ERROR_INIT;
		media_setup b;
		assert_fails(media_setup_open(*state, "txt", "d", wrong[i][0], &b, &e), MM_ECONFIG, e, wrong[i][1]);
	}
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	assert_fails(media_setup_open(*state, "txt", "d", "min_count = 1000", &b, &e), MM_EFORMAT, e,
	             "none occurs min_count = 1000 times");
}

static void captions_that_are_not_there_are_told_with_what_is(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	media_text(*state, "d/images.txt", "1 a/x y.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n");
	media_text(*state, "d/text/a/x_y.txt", "a caption\n");
	assert_fails(media_setup_open(*state, "txt", "d", "", &b, &e), MM_EFORMAT, e,
	             "d/text/a/x y.txt was looked for first; ");
	assert_non_null(strstr(e.message, "d/text/a holds 1 entries, the first x_y.txt"));
	media_text(*state, "d/images.txt", "1 a\\x_y.png\n");
	assert_fails(media_setup_open(*state, "txt", "d", "", &b, &e), MM_EFORMAT, e,
	             "d/text holds 1 entries, the first a");
	assert_fails(media_setup_open(*state, "txt", "d", "text = nowhere/at/all", &b, &e), MM_EFORMAT, e,
	             "nowhere/at/all/a\\x_y.txt was looked for");
	media_text(
		*state, "c/captions_train1.json",
		"{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\"}],\"annotations\":[{\"image_id\":2,\"caption\":\"b\"}]}");
	assert_fails(media_setup_open(*state, "txt", "c", "", &b, &e), MM_EFORMAT, e,
	             "annotations are of image_id 2 and others, images have id 1");
}

static void words_are_numbered_by_how_often_they_come(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	media_text(*state, "d/images.txt", "1 a/x.png\n2 a/y.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n2 0\n");
	media_text(*state, "d/text/a/x.txt", "b b b a a c\nd a b\n");
	media_text(*state, "d/text/a/y.txt", "test words c c c\n");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1\nlength = 8", &b, &e), e);
	static const char *const expected[] = { "<pad>", "<end>", "<unk>", "b", "a", "c", "d" };
	assert_int_equal(b.i->vocabulary.n, MMI_COUNT(expected));
	for (uint32_t w = 0; w < MMI_COUNT(expected); w++) {
		assert_string_equal(b.i->vocabulary.word[w], expected[w]);
		if (w >= TXT_FIRST_WORD)
			assert_int_equal(txt_vocabulary_find(&b.i->vocabulary, expected[w]), w);
	}
	uint32_t ids[8];
	txt_encode(b.i, "A zebra, d", ids);
	const uint32_t wanted[8] = { 4, TXT_UNKNOWN, TXT_UNKNOWN, 6, TXT_END, TXT_PAD, TXT_PAD, TXT_PAD };
	assert_memory_equal(ids, wanted, sizeof ids);
	txt_encode(b.i, "a a a a a a a a a a a", ids);
	assert_int_equal(ids[6], 4);
	assert_int_equal(ids[7], TXT_END);
	media_setup_close(&b);
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1\nlength = 8\npunctuation = no", &b, &e), e);
	txt_encode(b.i, "A, zebra: d!", ids);
	assert_true(ids[0] == 4 && ids[1] == TXT_UNKNOWN && ids[2] == 6 && ids[3] == TXT_END);
	media_setup_close(&b);
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1\nmax_words = 2", &b, &e), e);
	assert_int_equal(b.i->vocabulary.n, TXT_FIRST_WORD + 2);
	media_setup_close(&b);
}

/* Every caption of both splits: numbers -> sample -> numbers gives the same, and text that is read again as the same
 * numbers. */
static uint64_t round_trip(media_setup *b, int32_t split)
{
	mm_error e = MM_ERROR_INIT;
	mm_dataset *d;
	const size_t n = (size_t)b->m->count, length = (size_t)b->i->length;
	float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
	uint32_t *ids = malloc(length * sizeof *ids), *again = malloc(length * sizeof *again);
	double squares = 0;
	assert_ok(mmi_modality_open(b->m, split, &d, &e), e);
	uint64_t count = b->m->desc->count(d);
	for (uint64_t k = 0; k < count; k++) {
		assert_ok(b->m->desc->read(d, k, x, &e), e);
		txt_nearest(b->i, x, ids);
		txt_expand(b->i, ids, y);
		assert_memory_equal(x, y, n * sizeof *x);
		bool known = true;
		for (size_t t = 0; t < length; t++)
			known = known && ids[t] != TXT_UNKNOWN;
		char *text = txt_decode(b->i, ids);
		assert_non_null(text);
		txt_encode(b->i, text, again);
		if (known)
			assert_memory_equal(ids, again, length * sizeof *ids);
		mma_free(b->i->host, text);
		for (size_t i = 0; i < n; i++)
			squares += (double)x[i] * (double)x[i];
	}
	if (b->i->representation == TXT_EMBEDDING)
		assert_true(fabs(squares / (double)(n * count) - 1) < 1e-3);
	b->m->desc->close(d);
	free(x);
	free(y);
	free(ids);
	free(again);
	return count;
}

static void made_up_captions_survive_the_round_trip(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1", &b, &e), e);
	assert_int_equal(b.m->info.support, MM_SUPPORT_REAL);
	assert_int_equal(round_trip(&b, MM_SPLIT_TRAIN), 64);
	assert_int_equal(round_trip(&b, MM_SPLIT_TEST), 16);
	media_setup_close(&b);
	assert_ok(media_setup_open(*state, "txt", "d", "representation = onehot\nmin_count = 1", &b, &e), e);
	assert_int_equal(b.m->info.support, MM_SUPPORT_SIMPLEX);
	assert_int_equal(b.m->info.likelihood, MM_LIKELIHOOD_CATEGORICAL);
	round_trip(&b, MM_SPLIT_TRAIN);
	media_setup_close(&b);
}

static void all_emoji_captions_survive_the_round_trip(void **state)
{
	static const char *const keys[] = { "min_count = 2\ndim = 16",
		                                "min_count = 1\ncaptions = join\ndim = 16\nlength = 32",
		                                "representation = onehot\ncaptions = first" };
	mm_error e = MM_ERROR_INIT;
	if (!media_emoji()) {
		print_message("$MMCORE_DATA/emoji is not there\n");
		skip();
	}
	for (size_t k = 0; k < MMI_COUNT(keys); k++) {
		media_setup b;
		assert_ok(media_setup_open(*state, "txt", media_emoji(), keys[k], &b, &e), e);
		uint64_t n = round_trip(&b, MM_SPLIT_TRAIN) + round_trip(&b, MM_SPLIT_TEST);
		assert_int_equal(n, k == 0 ? 17441 : 3633);
		media_setup_close(&b);
	}
}

/* ---------------------------------------------------------------- vectors */

static double cosine(const mm_instance *i, const char *a, const char *b)
{
	const float *x = i->vector + txt_vocabulary_find(&i->vocabulary, a) * (size_t)i->dim;
	const float *y = i->vector + txt_vocabulary_find(&i->vocabulary, b) * (size_t)i->dim;
	double sum = 0;
	for (int32_t k = 0; k < i->dim; k++)
		sum += (double)x[k] * (double)y[k];
	return sum / i->dim;
}

/* Colours stand in the same places, and so do shapes. */
static void words_of_one_kind_have_vectors_close_to_each_other(void **state)
{
	static const char *const colours[] = { "red", "green", "blue" }, *const shapes[] = { "square", "disc", "cross" };
	char text[4096] = "", line[80];
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	for (int k = 0; k < 27; k++) {
		snprintf(line, sizeof line, "a %s thing that shines\nthe round %s rolls away\n", colours[k % 3], shapes[k / 9]);
		strcat(text, line);
	}
	media_text(*state, "d/images.txt", "1 a/x.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n");
	media_text(*state, "d/text/a/x.txt", text);
	assert_ok(media_setup_open(*state, "txt", "d", "dim = 8\nwindow = 2", &b, &e), e);
	assert_true(cosine(b.i, "red", "green") > 0.6);
	assert_true(cosine(b.i, "square", "disc") > 0.6);
	assert_true(cosine(b.i, "red", "square") < 0.3);
	assert_true(cosine(b.i, "red", "green") < 0.999); /* but they are not one */
	for (uint32_t w = TXT_FIRST_WORD - 1; w < b.i->vocabulary.n; w++) {
		assert_float_equal(cosine(b.i, b.i->vocabulary.word[w], b.i->vocabulary.word[w]), 1, 1e-5);
		assert_true(b.i->vector[w * 8 + 6] == 0 && b.i->vector[w * 8 + 7] == 0);
	}
	media_setup_close(&b);
}

static void a_short_value_still_points_to_its_word(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	uint32_t ids[16], found[16];
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1", &b, &e), e);
	float *x = malloc((size_t)b.m->count * sizeof *x);
	txt_encode(b.i, "a red square", ids);
	txt_expand(b.i, ids, x);
	for (int64_t k = 0; k < b.m->count; k++)
		x[k] = 0.1f * x[k] + 0.02f * (float)(k % 3 - 1);
	txt_nearest(b.i, x, found);
	assert_memory_equal(ids, found, sizeof ids);
	txt_expand(b.i, ids, x);
	float *saved = malloc((size_t)b.m->count * sizeof *saved);
	memcpy(saved, x, (size_t)b.m->count * sizeof *x);
	b.m->saved->round(b.i, x); /* what is in words already stays to the bit */
	assert_memory_equal(x, saved, (size_t)b.m->count * sizeof *x);
	for (int64_t k = 0; k < b.m->count; k++)
		x[k] = k / txt_features(b.i) > 3 ? x[k % (4 * txt_features(b.i))] : 0.7f * x[k] + 0.02f * (float)(k % 3 - 1);
	b.m->saved->round(b.i, x); /* behind the end, at the fourth place, nothing is written */
	assert_memory_equal(x, saved, (size_t)b.m->count * sizeof *x);
	free(saved);
	for (int64_t k = 0; k < b.m->count; k++)
		x[k] = NAN;
	txt_nearest(b.i, x, found); /* anything, but a token */
	assert_true(found[0] < b.i->vocabulary.n);
	b.m->saved->round(b.i, x);
	assert_true(isfinite(x[0]));
	free(x);
	media_setup_close(&b);
}

/* Words of a sample into text, words apart. */
static uint32_t words_of(const mm_instance *i, const float *x, uint32_t *ids)
{
	uint32_t n = 0;
	txt_nearest(i, x, ids);
	while (ids[n] != TXT_END)
		n++;
	for (int32_t t = (int32_t)n + 1; t < i->length; t++)
		assert_int_equal(ids[t], TXT_PAD);
	return n;
}

/* What is left is what was there, in its order; as often as asked for; never nothing; and what a caption of these words
 * reads as. */
static void words_are_left_out_in_training(void **state)
{
	static const char *const representations[] = { "embedding", "onehot" };
	enum { DRAWS = 4000, WORDS = 4 };
	mm_error e = MM_ERROR_INIT;
	media_cub(*state, "d");
	for (size_t k = 0; k < MMI_COUNT(representations); k++) {
		media_setup b;
		char keys[96];
		uint32_t all[16], ids[16], left[WORDS] = { 0 }, lengths[WORDS + 1] = { 0 };
		snprintf(keys, sizeof keys, "min_count = 1\ndrop = 0.3\nrepresentation = %s", representations[k]);
		assert_ok(media_setup_open(*state, "txt", "d", keys, &b, &e), e);
		const size_t bytes = (size_t)b.m->count * sizeof(float);
		float *x = malloc(bytes), *y = malloc(bytes), *plain = malloc(bytes);
		txt_encode(b.i, "a small red square", all);
		txt_expand(b.i, all, plain);
		for (uint64_t draw = 0; draw < DRAWS; draw++) {
			memcpy(x, plain, bytes);
			b.m->variation->vary(b.i, draw, x);
			uint32_t n = words_of(b.i, x, ids), from = 0;
			assert_true(n >= 1);
			lengths[n]++;
			for (uint32_t t = 0; t < n; t++) {
				while (from < WORDS && all[from] != ids[t])
					left[from++]++;
				assert_true(from++ < WORDS);
			}
			while (from < WORDS)
				left[from++]++;
			txt_expand(b.i, ids, y);
			assert_memory_equal(x, y, bytes);
			b.m->variation->vary(b.i, draw, memcpy(y, plain, bytes));
			assert_memory_equal(x, y, bytes);
		}
		/* Three of four left out, or all, leave one: 0.3 less the quarter of 0.3^4 that is kept. Standard error 0.0072.
		 */
		for (int t = 0; t < WORDS; t++)
			assert_true(fabs(left[t] / (double)DRAWS - (0.3 - 0.25 * 0.0081)) < 0.03);
		assert_true(fabs(lengths[WORDS] / (double)DRAWS - 0.2401) < 0.03);
		free(x);
		free(y);
		free(plain);
		media_setup_close(&b);
	}
}

static void without_drop_captions_stay_as_they_are(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	uint32_t ids[16];
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1", &b, &e), e);
	const size_t bytes = (size_t)b.m->count * sizeof(float);
	float *x = malloc(bytes), *plain = malloc(bytes);
	txt_encode(b.i, "a small red square", ids);
	txt_expand(b.i, ids, plain);
	for (uint64_t draw = 0; draw < 50; draw++) {
		memcpy(x, plain, bytes);
		b.m->variation->vary(b.i, draw, x);
		assert_memory_equal(x, plain, bytes);
	}
	free(x);
	free(plain);
	media_setup_close(&b);
}

/* One judge reads the captions of runs with any seed. */
static void vectors_do_not_depend_on_the_seed(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup a, b;
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1\n[run]\nseed = 1", &a, &e), e);
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1\n[run]\nseed = 2", &b, &e), e);
	assert_int_equal(b.setup.settings.seed, 2);
	assert_int_equal(a.m->state_bytes, b.m->state_bytes);
	assert_memory_equal(a.m->state, b.m->state, a.m->state_bytes);
	media_setup_close(&a);
	media_setup_close(&b);
}

static void vectors_are_read_from_files_of_other_programs(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	media_cub(*state, "d");
	media_text(*state, "v.txt", "5 3\nred 3 0 0\ngreen 0 2e0 0\nunseen 1 1 1\nred 9 9 9\nsquare 0.1 0 0.1 \n");
	assert_ok(media_setup_open(*state, "txt", "d", "vectors = v.txt", &b, &e), e);
	assert_int_equal(b.i->dim, 5);
	assert_true(cosine(b.i, "red", "square") > 0.3);
	assert_true(cosine(b.i, "red", "red") > 0.999);
	assert_non_null(strstr(b.first, "words have no vector in"));
	round_trip(&b, MM_SPLIT_TEST);
	media_setup_close(&b);
	char told[2][512];
	for (int mark = 0; mark < 2; mark++) { /* what stands behind a byte order mark is a word of the vocabulary */
		media_text(*state, "v.txt", mark ? "\xEF\xBB\xBFred 3 0 0\r\ngreen 0 2 0\r\n" : "red 3 0 0\ngreen 0 2 0\n");
		assert_ok(media_setup_open(*state, "txt", "d", "vectors = v.txt", &b, &e), e);
		memcpy(told[mark], b.first, sizeof told[mark]);
		media_setup_close(&b);
	}
	assert_string_equal(told[0], told[1]);
	static const char *const wrong[][2] = {
		{ "\xFF\xFEr", "v.txt: text in UTF-16" },
		{ "red 1 2\ngreen 1\n", "v.txt:2: expected a word and 2 numbers" },
		{ "red 1 2\ngreen 1 x\n", "v.txt:2" },
		{ "red 1 2\ngreen 1 nan\n", "v.txt:2" },
		{ "red 1 2\ngreen 1 2 3\n", "v.txt:2: more than a word and 2 numbers" },
		{ "", "holds no vectors" },
		{ "red\n", "v.txt:1: a word with 0 numbers" },
		{ "RED 1 2\nGREEN 1 2\n", "none of the" },
		{ "PK\x03\x04 x", "v.txt: a ZIP archive; expected word vectors" },
		{ "\xBA\x16\x4F\x2F\x0C",
		  "a fastText model; expected word vectors as text, or in word2vec's binary form, as they are" },
	};
	for (size_t k = 0; k < MMI_COUNT(wrong); k++) {
		media_text(*state, "v.txt", wrong[k][0]);
		assert_fails(media_setup_open(*state, "txt", "d", "vectors = v.txt", &b, &e), MM_EFORMAT, e, wrong[k][1]);
	}
	media_text(*state, "v.txt", "red 1 2 3\n");
	assert_fails(media_setup_open(*state, "txt", "d", "vectors = v.txt\ndim = 32", &b, &e), MM_ECONFIG, e,
	             "so dim is 5");
}

/* word2vec's binary form; the newline behind each vector is of the original program, others leave it out. */
static size_t binary_vectors(char *out, bool newlines)
{
	static const char *const words[] = { "red", "unseen", "green" };
	const float values[3][3] = { { 3, 0, 0 }, { 1, 1, 1 }, { 0, 2, 0 } };
	size_t n = (size_t)sprintf(out, "3 3\n");
	for (int i = 0; i < 3; i++) {
		n += (size_t)sprintf(out + n, "%s ", words[i]);
		memcpy(out + n, values[i], sizeof values[i]);
		n += sizeof values[i];
		if (newlines)
			out[n++] = '\n';
	}
	return n;
}

static void gzip_write(rig *r, const char *name, const void *bytes, size_t n)
{
	media_text(r, name, "");
	gzFile f = gzopen(rig_path(r, name), "wb");
	assert_non_null(f);
	assert_int_equal(gzwrite(f, bytes, (unsigned)n), n);
	assert_int_equal(gzclose(f), Z_OK);
}

static void assert_same_vectors(rig *r, const char *name, const media_setup *text)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	char key[64];
	snprintf(key, sizeof key, "vectors = %s", name);
	assert_ok(media_setup_open(r, "txt", "d", key, &b, &e), e);
	assert_int_equal(b.i->dim, text->i->dim);
	assert_memory_equal(b.i->vector, text->i->vector, (size_t)b.i->vocabulary.n * (size_t)b.i->dim * sizeof(float));
	media_setup_close(&b);
}

static void vectors_are_read_from_binary_and_compressed_files(void **state)
{
	static const char text[] = "3 3\nred 3 0 0\nunseen 1 1 1\ngreen 0 2 0\n";
	mm_error e = MM_ERROR_INIT;
	media_setup b, t;
	char bytes[200];
	media_cub(*state, "d");
	media_text(*state, "v.txt", text);
	assert_ok(media_setup_open(*state, "txt", "d", "vectors = v.txt", &t, &e), e);
	for (int newlines = 0; newlines < 2; newlines++) {
		const size_t n = binary_vectors(bytes, newlines);
		media_write(*state, "v.bin", bytes, n);
		assert_same_vectors(*state, "v.bin", &t);
		gzip_write(*state, "v.bin.gz", bytes, n);
		assert_same_vectors(*state, "v.bin.gz", &t);
	}
	gzip_write(*state, "v.gz", text, sizeof text - 1);
	assert_same_vectors(*state, "v.gz", &t);
	media_setup_close(&t);
	const size_t n = binary_vectors(bytes, false);
	media_write(*state, "v.bin", bytes, n - 3);
	assert_fails(media_setup_open(*state, "txt", "d", "vectors = v.bin", &b, &e), MM_EFORMAT, e,
	             "ends within its word 3");
	memcpy(bytes + 4 + 4, &(float){ NAN }, sizeof(float));
	media_write(*state, "v.bin", bytes, n);
	assert_fails(media_setup_open(*state, "txt", "d", "vectors = v.bin", &b, &e), MM_EFORMAT, e, "word 1: number 1 is");
	assert_fails(media_setup_open(*state, "txt", "d", "vectors = v.bin\ndim = 9", &b, &e), MM_ECONFIG, e,
	             "so dim is 5");
}

/* ---------------------------------------------------------------- state */

static mm_status restore(rig *r, const char *keys, const void *bytes, size_t size, mmi_modality *out, mm_error *e)
{
	static mmi_registry *registry;
	mmi_config *config;
	char text[512];
	if (!registry) /* plugins are started once a process; it stays until the end */
		MMI_TRY(mmi_registry_create(7, NULL, NULL, &registry, e));
	snprintf(text, sizeof text, "[txt]\nplugin = txt.so\nroot = /nonexistent\n%s\n", keys);
	media_text(r, "again.ini", text);
	MMI_TRY(mmi_config_load(rig_path(r, "again.ini"), &config, e));
	mm_status status = mmi_modality_restore(registry, config, "txt", NULL, NULL,
	                                        &(mmi_modality_state){ .bytes = bytes, .size = size }, out, e);
	mmi_config_destroy(config);
	return status;
}

static void a_state_makes_the_data_unnecessary(void **state)
{
	static const char *const keys[] = { "min_count = 1\ndim = 8", "representation = onehot" };
	for (size_t k = 0; k < MMI_COUNT(keys); k++) {
		mm_error e = MM_ERROR_INIT;
		media_setup b;
		mmi_modality again;
		media_cub(*state, "d");
		assert_ok(media_setup_open(*state, "txt", "d", keys[k], &b, &e), e);
		assert_ok(restore(*state, keys[k], b.m->state, b.m->state_bytes, &again, &e), e);
		assert_int_equal(again.state_bytes, b.m->state_bytes);
		assert_memory_equal(again.state, b.m->state, b.m->state_bytes);
		assert_int_equal(again.count, b.m->count);
		assert_int_equal(again.info.n_classes, MEDIA_CLASSES);
		mmi_modality_destroy(&again);
		assert_fails(restore(*state, "length = 24", b.m->state, b.m->state_bytes, &again, &e), MM_ECONFIG, e,
		             k ? "trained with representation = onehot" : "trained with length = 16, found 24");
		media_setup_close(&b);
	}
}

static void states_that_are_damaged_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	mmi_modality again;
	uint32_t random = 99;
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1\ndim = 8", &b, &e), e);
	const size_t size = b.m->state_bytes;
	uint8_t *copy = malloc(size + 1);
	memcpy(copy, b.m->state, size);
	for (size_t n = 0; n < size; n += 1 + n / 20)
		assert_int_equal(restore(*state, "dim = 8", copy, n ? n : 1, &again, &e), MM_EFORMAT);
	copy[size] = 0;
	assert_int_equal(restore(*state, "dim = 8", copy, size + 1, &again, &e), MM_EFORMAT);
	for (int k = 0; k < 300; k++) {
		memcpy(copy, b.m->state, size);
		random = random * 1664525 + 1013904223;
		copy[(random >> 8) % (k % 2 ? size : 28)] ^= (uint8_t)(1u << (random & 7));
		if (restore(*state, "dim = 8", copy, size, &again, &e) == MM_OK)
			mmi_modality_destroy(&again);
	}
	free(copy);
	media_setup_close(&b);
}

/* ---------------------------------------------------------------- networks */

/* The published numbers for 1,590 words, less the 1,984 and 2,752 parameters of the batch normalisation. */
static void paper_is_the_published_network_without_batch_normalisation(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	mmi_model *model;
	char *text = calloc(1587, 12);
	for (int w = 0, at = 0; w < 1587; w++)
		at += sprintf(text + at, "w%d ", w);
	for (char *p = text, *line = text; *p; p++) /* lines short enough not to be cut */
		if (*p == ' ' && p - line > 2000) {
			*p = '\n';
			line = p;
		}
	media_text(*state, "d/images.txt", "1 a/x.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n");
	media_text(*state, "d/text/a/x.txt", text);
	free(text);
	assert_ok(media_setup_open(*state, "txt", "d", "representation = onehot\nmin_count = 1\nlength = 32\nnet = paper",
	                           &b, &e),
	          e);
	assert_int_equal(b.i->vocabulary.n, 1590);
	assert_ok(mmi_model_create(cpu_device(), b.setup.modalities, 1, &b.setup.settings.model, &model, &e), e);
	assert_int_equal(media_parameters(model->inference), 2075040 - 1984);
	assert_int_equal(media_parameters(model->generator), 2290519 - 2752);
	mmi_model_destroy(model);
	media_setup_close(&b);
}

static void networks_fit_every_length_with_and_without_private_latents(void **state)
{
	static const char *const keys[] = { "length = 8", "length = 24\nnet = paper",
		                                "length = 64\nrepresentation = onehot",
		                                "length = 32\nnet = paper\nrepresentation = onehot" };
	media_cub(*state, "d");
	for (size_t k = 0; k < 2 * MMI_COUNT(keys); k++) {
		mm_error e = MM_ERROR_INIT;
		media_setup b;
		mmi_model *model;
		assert_ok(media_setup_open(*state, "txt", "d", keys[k / 2], &b, &e), e);
		mmi_model_config config = b.setup.settings.model;
		config.private_dim = k % 2 ? 5 : 0;
		assert_ok(mmi_model_create(cpu_device(), b.setup.modalities, 1, &config, &model, &e), e);
		mmi_model_destroy(model);
		media_setup_close(&b);
	}
}

/* ---------------------------------------------------------------- text in and out */

static void captions_are_read_as_a_user_names_them(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	uint32_t expected[16], found[16];
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1", &b, &e), e);
	float *x = malloc((size_t)b.m->count * sizeof *x);
	txt_encode(b.i, "a red square", expected);
	assert_ok(mmi_modality_read_given(b.m, "A RED square", x, &e), e);
	txt_nearest(b.i, x, found);
	assert_memory_equal(expected, found, sizeof found);
	assert_int_equal(b.warnings, 0);
	assert_ok(mmi_modality_read_given(b.m, "a purple square", x, &e), e);
	assert_non_null(strstr(b.first, "\"purple\" is not in the vocabulary"));
	assert_fails(mmi_modality_read_given(b.m, "zyx \xff wvu", x, &e), MM_EFORMAT, e, "none of the words of");
	media_text(*state, "one.txt", "\n  a red square \r\n\n");
	assert_ok(mmi_modality_read_given(b.m, rig_path(*state, "one.txt"), x, &e), e);
	txt_nearest(b.i, x, found);
	assert_memory_equal(expected, found, sizeof found);
	media_write(*state, "two.txt", "a red\0 square\nthe disc\n", 23);
	assert_fails(mmi_modality_read_given(b.m, rig_path(*state, "two.txt"), x, &e), MM_EFORMAT, e,
	             "two.txt:2: a second caption");
	media_text(*state, "none.txt", " \n");
	assert_fails(mmi_modality_read_given(b.m, rig_path(*state, "none.txt"), x, &e), MM_EFORMAT, e, "holds no caption");
	media_setup_close(&b);
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1\ncaptions = join", &b, &e), e);
	assert_ok(mmi_modality_read_given(b.m, rig_path(*state, "two.txt"), x, &e), e);
	txt_encode(b.i, "a red square, the disc", expected);
	txt_nearest(b.i, x, found);
	assert_memory_equal(expected, found, sizeof found);
	free(x);
	media_setup_close(&b);
}

/* Of 200 captions, 197 have 4 words, two 9 and one 30: length 8 cuts three, 16 holds 99 %. */
static void captions_that_are_cut_are_counted(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	mm_dataset *d;
	char *text = calloc(200, 64), *test = calloc(1, 64);
	assert_true(text && test);
	for (int k = 0; k < 200; k++)
		for (int w = k == 7 ? 30 : k == 3 || k == 90 ? 9 : 4; w--;)
			strcat(text, w ? "a " : "b\n");
	strcat(test, "a b c d\n");
	media_text(*state, "d/images.txt", "1 a/x.png\n2 a/y.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n2 0\n");
	media_text(*state, "d/text/a/x.txt", text);
	media_text(*state, "d/text/a/y.txt", test);
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1\nlength = 8", &b, &e), e);
	b.warnings = 0;
	assert_ok(mmi_modality_open(b.m, MM_SPLIT_TRAIN, &d, &e), e);
	b.m->desc->close(d);
	assert_int_equal(b.warnings, 1);
	assert_non_null(strstr(
		b.first, "3 of 200 training captions have more than 7 words and are cut by length = 8; the longest has 30, "
				 "length = 16 holds 99 %"));
	assert_ok(mmi_modality_open(b.m, MM_SPLIT_TEST, &d, &e), e);
	b.m->desc->close(d);
	assert_int_equal(b.warnings, 1);
	assert_non_null(strstr(b.last, "1 test captions, 50.0 % of their words are unknown"));
	float *x = malloc((size_t)b.m->count * sizeof *x);
	b.warnings = 0;
	assert_ok(mmi_modality_read_given(b.m, "a b a b a b a", x, &e), e);
	assert_int_equal(b.warnings, 0);
	assert_ok(mmi_modality_read_given(b.m, "a b a b a b a b", x, &e), e);
	assert_non_null(strstr(b.first, "has 8 words, of which the first 7 are read"));
	b.warnings = 0;
	assert_ok(mmi_modality_read_given(b.m, "a zebra a zebu", x, &e), e);
	assert_non_null(strstr(
		b.first, "\"zebra\" is not in the vocabulary of 2 words and counts as unknown (2 of 4 words are: 50 %)"));
	media_setup_close(&b);
	free(x);
	free(text);
	free(test);
}

static void samples_are_written_and_drawn_as_text(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	uint32_t ids[16], width, height;
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1", &b, &e), e);
	float *x = malloc((size_t)b.m->count * sizeof *x);
	txt_encode(b.i, "A red square, number 3.", ids);
	txt_expand(b.i, ids, x);
	assert_ok(mmi_modality_render(b.m, x, rig_path(*state, "out.txt"), &e), e);
	assert_file(rig_path(*state, "out.txt"), "a red square, number 3.\n");
	assert_ok(mmi_modality_picture_size(b.m, &width, &height, &e), e);
	uint8_t *rgb = calloc((size_t)width * height, 3);
	assert_ok(mmi_modality_draw(b.m, x, rgb, 3 * (size_t)width, &e), e);
	size_t dark = 0, white = 0;
	for (size_t k = 0; k < (size_t)width * height * 3; k++) {
		dark += rgb[k] < 128;
		white += rgb[k] == 255;
	}
	assert_true(dark > 300 && white > (size_t)width * height * 2);
	free(rgb);
	free(x);
	media_setup_close(&b);
}

/* A name that can be guessed may be a link that somebody has put there. */
static void no_link_in_the_folder_is_written_through(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup b;
	char name[64];
	media_cub(*state, "d");
	media_text(*state, "out/mine", "precious");
	assert_ok(media_setup_open(*state, "txt", "d", "min_count = 1", &b, &e), e);
	float *x = calloc((size_t)b.m->count, sizeof *x);
	snprintf(name, sizeof name, "out/s.txt.part%ld", (long)getpid());
	assert_int_equal(symlink("mine", rig_path(*state, name)), 0);
	assert_int_equal(symlink("mine", rig_path(*state, "out/s.txt")), 0);
	assert_ok(mmi_modality_render(b.m, x, rig_path(*state, "out/s.txt"), &e), e);
	assert_file(rig_path(*state, "out/mine"), "precious");
	assert_int_equal(rig_entries(rig_path(*state, "out")), 3); /* the sample in the link's place, and no temporary */
	free(x);
	media_setup_close(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captions_become_small_words_and_marks),
		cmocka_unit_test(words_are_cut_at_a_character),
		cmocka_unit_test(text_is_put_together_as_people_write_it),
		TEST(settings_out_of_range_are_refused),
		TEST(captions_that_are_not_there_are_told_with_what_is),
		TEST(words_are_numbered_by_how_often_they_come),
		TEST(made_up_captions_survive_the_round_trip),
		TEST(all_emoji_captions_survive_the_round_trip),
		TEST(words_are_left_out_in_training),
		TEST(without_drop_captions_stay_as_they_are),
		TEST(words_of_one_kind_have_vectors_close_to_each_other),
		TEST(a_short_value_still_points_to_its_word),
		TEST(vectors_do_not_depend_on_the_seed),
		TEST(vectors_are_read_from_files_of_other_programs),
		TEST(vectors_are_read_from_binary_and_compressed_files),
		TEST(a_state_makes_the_data_unnecessary),
		TEST(states_that_are_damaged_are_refused),
		TEST(paper_is_the_published_network_without_batch_normalisation),
		TEST(networks_fit_every_length_with_and_without_private_latents),
		TEST(captions_are_read_as_a_user_names_them),
		TEST(captions_that_are_cut_are_counted),
		TEST(samples_are_written_and_drawn_as_text),
		TEST(no_link_in_the_folder_is_written_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
