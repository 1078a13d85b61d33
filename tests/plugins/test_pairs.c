/* test_pairs.c - pictures with captions in the three layouts, and what can be wrong with them. */
#include "mmi_build.h"

#include "../rig/media_rig.h"
#include "pairs.h"
#include "plugin/host.h"

static pairs_source source(rig *r, int captions)
{
	return (pairs_source){ .instance = "img", .root = rig_path(r, "d"), .captions = captions };
}

static pairs *open_pairs(media_host *m, const pairs_source *s, int32_t split)
{
	mm_error e = MM_ERROR_INIT;
	pairs *p = NULL;
	assert_ok(pairs_open(&m->com, s, split, &p, &e), e);
	return p;
}

static void key_of(const pairs *p, uint64_t i, char key[256])
{
	mm_error e = MM_ERROR_INIT;
	assert_ok(pairs_key(p, i, key, 256, &e), e);
}

static void cub_gives_a_sample_for_each_caption(void **state)
{
	media_host m;
	media_host_open(&m);
	media_cub(*state, "d");
	pairs_source s = source(*state, PAIRS_EACH);
	pairs *train = open_pairs(&m, &s, MM_SPLIT_TRAIN), *test = open_pairs(&m, &s, MM_SPLIT_TEST);
	assert_int_equal(train->n_items, MEDIA_CLASSES * (MEDIA_PER_CLASS - MEDIA_TEST_PER_CLASS));
	assert_int_equal(train->n_samples, 2 * train->n_items);
	assert_int_equal(test->n_samples, 2 * MEDIA_CLASSES * MEDIA_TEST_PER_CLASS);
	int seen[MEDIA_CLASSES] = { 0 };
	for (uint32_t i = 0; i < test->n_samples; i++) {
		char key[256], text[256], expected[256];
		const pairs_sample *sample = &test->sample[i];
		key_of(test, i, key);
		snprintf(expected, sizeof expected, "%s#%u", test->item[sample->item].name, sample->k);
		assert_string_equal(key, expected);
		assert_int_equal(sample->k, i / test->n_items); /* first captions first */
		pairs_caption(test, sample, text, sizeof text);
		assert_int_equal(strncmp(text, sample->k ? "the " : "A ", 2), 0);
		seen[pairs_label(test, i)]++;
	}
	for (int c = 0; c < MEDIA_CLASSES; c++)
		assert_int_equal(seen[c], 2 * MEDIA_TEST_PER_CLASS);
	assert_int_equal(m.warnings, 0);
	pairs_close(train);
	pairs_close(test);
	media_host_close(&m);
}

static void first_and_join_give_a_sample_for_each_picture(void **state)
{
	media_host m;
	char key[256], text[256];
	media_host_open(&m);
	media_cub(*state, "d");
	pairs_source s = source(*state, PAIRS_FIRST);
	pairs *p = open_pairs(&m, &s, MM_SPLIT_TEST);
	assert_int_equal(p->n_samples, p->n_items);
	key_of(p, 0, key);
	assert_null(strchr(key, '#'));
	pairs_close(p);
	s.captions = PAIRS_JOIN;
	p = open_pairs(&m, &s, MM_SPLIT_TEST);
	pairs_caption(p, &p->sample[0], text, sizeof text);
	assert_non_null(strstr(text, "., the "));
	pairs_caption(p, &p->sample[0], text, 8); /* cut to fit */
	assert_int_equal(strlen(text), 7);
	pairs_close(p);
	media_host_close(&m);
}

/* One caption per picture in text_c10, pictures without one still have a sample, and the folder can be elsewhere. */
static void caption_folders_are_found(void **state)
{
	media_host m;
	char key[256];
	media_host_open(&m);
	media_text(*state, "d/images.txt", "3 a/x.png\n7 a/y.png\n");
	media_text(*state, "d/train_test_split.txt", "3 1\n7 1\n");
	media_text(*state, "d/text_c10/a/x.txt", "only\r\n\r\n   \n");
	media_text(*state, "d/text/a/x.txt", "one\ntwo\nthree\n");
	pairs_source s = source(*state, PAIRS_EACH);
	pairs *p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->n_captions, 1);
	assert_string_equal(p->caption[0], "only");
	assert_int_equal(p->n_samples, 2);
	assert_int_equal(pairs_label(p, 0), -1);
	pairs_close(p);
	s.text = rig_path(*state, "d/text");
	p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->n_captions, 3);
	assert_int_equal(p->n_samples, 4);
	pairs_close(p);
	s.text = rig_path(*state, "nowhere");
	p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->n_samples, 2);
	key_of(p, 0, key); /* no captions at all: plain keys */
	assert_null(strchr(key, '#'));
	pairs_close(p);
	media_host_close(&m);
}

typedef struct fault {
	const char *file, *text, *message;
} fault;

static void faults_of_lists_name_file_and_line(void **state)
{
	static const fault faults[] = {
		{ "images.txt", "1 a/x.png\nzwei a/y.png\n", "images.txt:2: found \"zwei a/y.png\", expected a number" },
		{ "images.txt", "1 a/x.png\n1 a/y.png\n", "images.txt:2: found" },
		{ "images.txt", "1 ../../etc/passwd\n", "expected a relative path" },
		{ "images.txt", "1 /etc/passwd\n", "expected a relative path" },
		{ "images.txt", "1\n", "images.txt:1" },
		{ "images.txt", "", "picture 1 is not in images.txt" },
		{ "train_test_split.txt", "1 0\n2 0\n", "no picture in the training split" },
		{ "train_test_split.txt", "1 2\n", "train_test_split.txt:1: found \"2\", expected 0 (test) or 1 (train)" },
		{ "train_test_split.txt", "9 1\n", "picture 9 is not in images.txt" },
		{ "train_test_split.txt", "1 1\n", "no line for picture 2" },
		{ "image_class_labels.txt", "1 3\n2 1\n", "class 3, but classes.txt has 1 to 2" },
		{ "image_class_labels.txt", "1 0\n", "expected a class number from 1" },
		{ "classes.txt", "99999999999 a\n", "classes.txt:1" },
	};
	media_host m;
	media_host_open(&m);
	for (size_t i = 0; i < MMI_COUNT(faults); i++) {
		mm_error e = MM_ERROR_INIT;
		pairs *p = NULL;
		char name[64];
		media_text(*state, "d/images.txt", "1 a/x.png\n2 a/y.png\n");
		media_text(*state, "d/train_test_split.txt", "1 1\n2 0\n");
		media_text(*state, "d/image_class_labels.txt", "1 1\n2 2\n");
		media_text(*state, "d/classes.txt", "1 a\n2 b\n");
		snprintf(name, sizeof name, "d/%s", faults[i].file);
		media_text(*state, name, faults[i].text);
		pairs_source s = source(*state, PAIRS_EACH);
		assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_EFORMAT, e, faults[i].message);
		assert_null(p);
	}
	media_host_close(&m);
}

static void a_folder_of_no_layout_is_refused(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	pairs *p = NULL;
	media_host_open(&m);
	pairs_source s = source(*state, PAIRS_EACH);
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_EIO, e,
	             "no such folder; set root in [img] or in [data]");
	media_text(*state, "d/readme", "nothing here");
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_EIO, e, "no known layout");
	media_text(*state, "d/deep/x.webp", "a picture of a kind that is not read");
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_EIO, e,
	             "its pictures are of another kind (deep/x.webp first); PNG and JPEG are read");
	assert_fails(pairs_open(&m.com, &s, 5, &p, &e), MM_EUNSUPPORTED, e, "split 5");
	s.root = NULL;
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_ECONFIG, e, "set root in [img]");
	media_host_close(&m);
}

/* ---------------------------------------------------------------- MMVAE's folders */

static void make_folders(rig *r, int lines)
{
	char text[4096] = "", line[64];
	media_text(r, "d/train/002.b/y.jpg", "");
	media_text(r, "d/train/002.b/notes.txt", "");
	media_text(r, "d/train/001.a/x2.JPG", "");
	media_text(r, "d/train/001.a/x1.jpg", "");
	media_text(r, "d/test/003.c/z.png", "");
	for (int i = 0; i < lines; i++) {
		snprintf(line, sizeof line, "caption %d\n", i);
		strcat(text, line);
	}
	media_text(r, "d/text_trainvalclasses.txt", text);
	media_text(r, "d/text_testclasses.txt", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n\n");
}

static void folders_take_ten_captions_in_the_order_of_names(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	uint32_t classes;
	media_host_open(&m);
	make_folders(*state, 30);
	pairs_source s = source(*state, PAIRS_EACH);
	pairs *p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->n_items, 3);
	assert_int_equal(p->n_samples, 30);
	assert_string_equal(p->item[0].name, "001.a/x1");
	assert_string_equal(p->item[0].file, "train/001.a/x1.jpg");
	assert_string_equal(p->item[2].name, "002.b/y");
	assert_string_equal(p->caption[p->item[2].caption + 9], "caption 29");
	assert_int_equal(p->item[2].label, 1);
	pairs_close(p);
	p = open_pairs(&m, &s, MM_SPLIT_TEST);
	assert_int_equal(p->item[0].label, 2);
	pairs_close(p);
	assert_ok(pairs_classes(&m.com, &s, &classes, &e), e);
	assert_int_equal(classes, 3);
	make_folders(*state, 29);
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_EFORMAT, e,
	             "ends after 29 lines, within the captions of train/002.b/y.jpg");
	make_folders(*state, 31);
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_EFORMAT, e,
	             "text_trainvalclasses.txt:31: one line too many");
	media_host_close(&m);
}

/* ---------------------------------------------------------------- MSCOCO */

static void coco_joins_captions_by_picture(void **state)
{
	static const char train[] =
		"{\"images\":[{\"id\":9,\"file_name\":\"b.jpg\"},{\"id\":4,\"file_name\":\"a.jpg\"}],\"annotations\":["
		"{\"image_id\":9,\"id\":3,\"caption\":\"third\"},{\"image_id\":4,\"id\":2,\"caption\":\"x\"},"
		"{\"image_id\":9,\"id\":1,\"caption\":\"first\\n\"},{\"image_id\":77,\"id\":5,\"caption\":\"nobody's\"}]}";
	media_host m;
	mm_error e = MM_ERROR_INIT;
	char text[64];
	media_host_open(&m);
	media_text(*state, "d/annotations/captions_train2017.json", train);
	pairs_source s = source(*state, PAIRS_EACH);
	pairs *p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->n_samples, 3);
	assert_string_equal(p->item[1].name, "b");
	assert_string_equal(p->item[1].file, "train2017/b.jpg");
	pairs_caption(p, &(pairs_sample){ 1, 0 }, text, sizeof text);
	assert_string_equal(text, "first");
	assert_int_equal(pairs_label(p, 0), -1);
	pairs_close(p);
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TEST, &p, &e), MM_EIO, e, "captions_val");
	media_text(*state, "d/annotations/captions_val2017.json", "{\"images\":[{\"id\":1}]}");
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TEST, &p, &e), MM_EFORMAT, e, "no array \"annotations\"");
	media_text(*state, "d/annotations/captions_val2017.json", "{\"images\":[");
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TEST, &p, &e), MM_EFORMAT, e, "not JSON");
	const size_t many = (size_t)1 << 20; /* of values: 40 times as much memory */
	char *zeros = malloc(2 * many + 1);
	assert_non_null(zeros);
	for (size_t i = 0; i < many; i++)
		memcpy(zeros + 2 * i, "0,", 2);
	zeros[0] = '[';
	media_write(*state, "d/annotations/captions_val2017.json", zeros, 2 * many);
	free(zeros);
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TEST, &p, &e), MM_EFORMAT, e,
	             "values in 2097152 bytes, expected 524288 at most");
	media_text(*state, "d/annotations/captions_val2014.json", "{}");
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TEST, &p, &e), MM_EFORMAT, e, "keep one year");
	media_host_close(&m);
}

/* Pictures a, b, c, d with these ids and captions "a", "b", "c", "d" for these, in another order: each gets its own. */
static void assert_ids_join(media_host *m, rig *r, const char *const of_image[4], const char *const of_note[4])
{
	char json[2048];
	size_t n = (size_t)snprintf(json, sizeof json, "{\"images\":[");
	for (int i = 0; i < 4; i++)
		n += (size_t)snprintf(json + n, sizeof json - n, "%s{\"id\": %s ,\"file_name\":\"%c.jpg\"}", i ? "," : "",
		                      of_image[i], 'a' + i);
	n += (size_t)snprintf(json + n, sizeof json - n, "],\"annotations\":[");
	for (int i = 3; i >= 0; i--)
		n += (size_t)snprintf(json + n, sizeof json - n, "%s{\"image_id\":%s,\"id\":%d,\"caption\":\"%c\"}",
		                      i < 3 ? "," : "", of_note[i], i, 'a' + i);
	snprintf(json + n, sizeof json - n, "]}");
	media_text(r, "d/captions_train2017.json", json);
	pairs_source s = source(r, PAIRS_EACH);
	pairs *p = open_pairs(m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->n_items, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(p->item[i].n_captions, 1);
		assert_string_equal(p->caption[p->item[i].caption], p->item[i].name);
	}
	pairs_close(p);
}

static void coco_ids_are_compared_exactly(void **state)
{
	static const char *const ids[][4] = {
		{ "9007199254740992", "9007199254740993", "9007199254740994", "18446744073709551617" },
		{ "-9007199254740993", "-9007199254740992", "7", "12.5" },
		{ "\"007\"", "\"7\"", "\"img-\\\"7\"", "\"img-1234567890123456789\"" },
		{ "\"\"", "\"NaN\"", "\"inf\"", "\"0\"" },
	};
	static const char *const numbers[4] = { "9007199254740993", "7", "8", "\"9\"" };
	static const char *const texts[4] = { "\"9007199254740993\"", "7.0", "\"8\"", "9" };
	media_host m;
	media_host_open(&m);
	for (size_t i = 0; i < MMI_COUNT(ids); i++)
		assert_ids_join(&m, *state, ids[i], ids[i]);
	assert_ids_join(&m, *state, numbers, texts);
	assert_int_equal(m.warnings, 0);
	media_host_close(&m);
}

static void odd_coco_records_are_left_out_and_named(void **state)
{
	static const char json[] =
		"{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\",\"width\":\"wide\"},{\"id\":\"x\\u001b\",\"file_name\":null},"
		"{\"file_name\":\"c.jpg\"},{\"id\":4,\"file_name\":\"../d.jpg\"}],\"annotations\":["
		"{\"image_id\":1,\"id\":null,\"caption\":\"\\n good\\r\\n\\t\\f\"},{\"image_id\":1,\"id\":12,\"caption\":null},"
		"{\"caption\":\"nobody's\"},7]}";
	media_host m;
	media_host_open(&m);
	media_text(*state, "d/annotations/readme.txt", "the JSON lies beside this folder");
	media_text(*state, "d/captions_train2014.json", json);
	pairs_source s = source(*state, PAIRS_EACH);
	pairs *p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->n_samples, 1);
	assert_string_equal(p->caption[0], "good");
	assert_string_equal(p->item[0].file, "train2014/a.jpg");
	assert_int_equal(m.warnings, 2);
	assert_non_null(strstr(m.line, "3 of 4 annotations lack an \"image_id\" or a text \"caption\" (first: id 12)"));
	pairs_close(p);
	media_text(*state, "d/captions_train2014.json",
	           "{\"images\":[{\"id\":\"x\\u001b\",\"file_name\":null},{\"id\":1,\"file_name\":\"a.jpg\"}],"
	           "\"annotations\":[{\"image_id\":1,\"id\":31,\"caption\":\"bad \\u0001\"}]}");
	p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(m.warnings, 4);
	assert_non_null(strstr(m.line, "captions_train2014.json, id 31)"));
	pairs_close(p);
	media_host_close(&m);
}

/* ---------------------------------------------------------------- files from other systems */

static void files_from_windows_are_read(void **state)
{
	media_host m;
	media_host_open(&m);
	media_text(*state, "d/images.txt",
	           "\xEF\xBB\xBF"
	           "1 a/x.png\r\n2 a/y.png\r\n");
	media_text(*state, "d/train_test_split.txt",
	           "\xEF\xBB\xBF"
	           "1 1\r\n2 0\r\n");
	media_text(*state, "d/image_class_labels.txt",
	           "\xEF\xBB\xBF"
	           "1 1\r\n2 2\r\n");
	media_text(*state, "d/classes.txt",
	           "\xEF\xBB\xBF"
	           "1 a\r\n2 b\r\n");
	media_text(*state, "d/text/a/x.txt", "\xEF\xBB\xBFone\r\ntwo\r\n");
	pairs_source s = source(*state, PAIRS_EACH);
	pairs *p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->n_samples, 2);
	assert_string_equal(p->caption[0], "one");
	assert_string_equal(p->caption[1], "two");
	assert_int_equal(m.warnings, 0);
	pairs_close(p);
	media_host_close(&m);
}

static void utf_16_is_told_by_name(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} wide[] = { { "\xFF\xFE"
		           "a\0",
		           4 },
		         { "\xFE\xFF\0a", 4 },
		         { "a\0b\0", 4 },
		         { "\0a\0b", 4 } };
	static const char *const files[] = { "d/text/a/x.txt", "d/images.txt" };
	media_host m;
	mm_error e = MM_ERROR_INIT;
	pairs *p = NULL;
	media_host_open(&m);
	media_text(*state, "d/images.txt", "1 a/x.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n");
	pairs_source s = source(*state, PAIRS_EACH);
	for (size_t f = 0; f < MMI_COUNT(files); f++)
		for (size_t i = 0; i < MMI_COUNT(wide); i++) {
			media_write(*state, files[f], wide[i].bytes, wide[i].n);
			assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_EFORMAT, e, "UTF-16");
			assert_non_null(strstr(e.message, strrchr(files[f], '/')));
		}
	media_host_close(&m);
}

static void invisible_characters_are_printed(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	pairs *p = NULL;
	media_host_open(&m);
	media_text(*state, "d/images.txt",
	           "1 a/x.png\n\xEF\xBB\xBF"
	           "2\xC2\xA0"
	           "a/\xC3\xA9.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n");
	pairs_source s = source(*state, PAIRS_EACH);
	assert_fails(pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e), MM_EFORMAT, e,
	             "images.txt:2: found \"\\xef\\xbb\\xbf2\\xc2\\xa0"
	             "a/\xC3\xA9.png\", expected a number");
	media_host_close(&m);
}

/* ---------------------------------------------------------------- hostile captions */

static void hostile_captions_are_cut_or_repaired_and_told(void **state)
{
	static const char bad[] = "good\nbad \xff\xc0\x80 utf\nnul \0 byte\n\xed\xa0\x80\n";
	media_host m;
	char *line = malloc(1 << 20);
	assert_non_null(line);
	memset(line, 'x', 1 << 20);
	media_host_open(&m);
	media_text(*state, "d/images.txt", "1 a/x.png\n2 a/long.png\n3 a/empty.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n2 1\n3 1\n");
	media_write(*state, "d/text/a/x.txt", bad, sizeof bad - 1);
	media_write(*state, "d/text/a/long.txt", line, 1 << 20);
	media_text(*state, "d/text/a/empty.txt", "");
	pairs_source s = source(*state, PAIRS_EACH);
	pairs *p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(p->item[0].n_captions, 3); /* of the last line nothing is left */
	assert_string_equal(p->caption[1], "bad     utf");
	assert_string_equal(p->caption[2], "nul   byte");
	assert_int_equal(strlen(p->caption[3]), PAIRS_CAPTION_MAX);
	assert_int_equal(p->item[2].n_captions, 0);
	assert_int_equal(m.warnings, 2);
	assert_non_null(strstr(m.line, "3 captions hold control characters"));
	assert_non_null(strstr(m.line, "x.txt:2"));
	pairs_close(p);
	free(line);
	media_host_close(&m);
}

static bool refuse_one(void *ctx, size_t bytes)
{
	long *left = ctx;
	(void)bytes;
	return (*left)-- == 0;
}

/* Whichever block is not to be had, the data are those that are there, or it is told. */
static void want_of_memory_never_leads_to_other_data(void **state)
{
	media_host m;
	long left = -1;
	media_host_open(&m);
	media_cub(*state, "d");
	pairs_source s = source(*state, PAIRS_EACH);
	pairs *p = open_pairs(&m, &s, MM_SPLIT_TRAIN);
	const uint32_t samples = p->n_samples;
	pairs_close(p);
	mmi_host_hook(m.host, &(mmi_host_hooks){ .ctx = &left, .refuse = refuse_one });
	bool refused = true;
	for (long n = 0; refused; n++) {
		mm_error e = MM_ERROR_INIT;
		left = n;
		const mm_status status = pairs_open(&m.com, &s, MM_SPLIT_TRAIN, &p, &e);
		refused = left < 0;
		if (status != MM_OK) {
			assert_int_equal(status, MM_ENOMEM);
			continue;
		}
		assert_int_equal(p->n_samples, samples);
		pairs_close(p);
	}
	mmi_host_hook(m.host, &(mmi_host_hooks){ .ctx = NULL });
	media_host_close(&m);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(cub_gives_a_sample_for_each_caption),
		TEST(first_and_join_give_a_sample_for_each_picture),
		TEST(caption_folders_are_found),
		TEST(faults_of_lists_name_file_and_line),
		TEST(a_folder_of_no_layout_is_refused),
		TEST(folders_take_ten_captions_in_the_order_of_names),
		TEST(coco_joins_captions_by_picture),
		TEST(coco_ids_are_compared_exactly),
		TEST(odd_coco_records_are_left_out_and_named),
		TEST(files_from_windows_are_read),
		TEST(utf_16_is_told_by_name),
		TEST(invisible_characters_are_printed),
		TEST(hostile_captions_are_cut_or_repaired_and_told),
		TEST(want_of_memory_never_leads_to_other_data),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
