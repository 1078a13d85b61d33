/* test_entries.c - people's own data: files of one name, and tables; what is found out, and what can be wrong. */
#include "mmi_build.h"

#include "../rig/media_rig.h"
#include "entries.h"
#include "rows.h"

static pairs_source source(rig *r, int kind, int layout)
{
	return (pairs_source){ .instance = "x",
		                   .root = rig_path(r, "d"),
		                   .kind = kind,
		                   .layout = layout,
		                   .column = "",
		                   .names = "",
		                   .test_names = "",
		                   .test_groups = "" };
}

static pairs *open_split(media_host *m, const pairs_source *s, int32_t split)
{
	mm_error e = MM_ERROR_INIT;
	pairs *p = NULL;
	assert_ok(pairs_open(&m->com, s, split, &p, &e), e);
	return p;
}

static void assert_refused(media_host *m, const pairs_source *s, mm_status status, const char *part)
{
	mm_error e = MM_ERROR_INIT;
	pairs *p = NULL;
	assert_fails(pairs_open(&m->com, s, MM_SPLIT_TRAIN, &p, &e), status, e, part);
	assert_null(p);
}

static const pairs_item *find(const pairs *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_items; i++)
		if (!strcmp(p->item[i].name, name))
			return &p->item[i];
	return NULL;
}

static uint32_t classes_of(media_host *m, const pairs_source *s)
{
	mm_error e = MM_ERROR_INIT;
	uint32_t n = 77;
	assert_ok(pairs_classes(&m->com, s, &n, &e), e);
	return n;
}

/* Whether both splits together hold an item of that name for which the plugin's kind has that file. */
static bool holds(media_host *m, const pairs_source *s, const char *name, const char *file)
{
	bool found = false;
	for (int32_t split = 0; split < 2; split++) {
		pairs *p = open_split(m, s, split);
		const pairs_item *item = find(p, name);
		found |= item && (file ? item->file && !strcmp(item->file, file) : !item->file);
		pairs_close(p);
	}
	return found;
}

/* ---------------------------------------------------------------- files of one name */

/* Where files stand, and what their keys are then. */
static const struct arrangement {
	const char *files[6];
	const char *key, *picture, *sound;
} arrangements[] = {
	{ { "cat1.png", "cat1.wav", "cat2.png", "cat2.wav" }, "cat1", "cat1.png", "cat1.wav" },
	{ { "a/1.png", "a/1.wav", "b/1.png", "b/1.wav" }, "b/1", "b/1.png", "b/1.wav" },
	{ { "images/a/1.png", "sounds/a/1.wav", "images/b/1.png", "sounds/b/1.wav" },
	  "a/1",
	  "images/a/1.png",
	  "sounds/a/1.wav" },
	{ { "train/img/1.png", "train/snd/1.wav", "test/img/1.png", "test/snd/1.wav" },
	  "train/1",
	  "train/img/1.png",
	  "train/snd/1.wav" },
	{ { "2021/may/x1.png", "voices/x1.wav", "2022/x2.png", "voices/all/x2.wav" },
	  "x2",
	  "2022/x2.png",
	  "voices/all/x2.wav" },
	{ { "v1.2.png", "v1.2.flac", "v1.3.jpeg", "v1.3.OGG" }, "v1.3", "v1.3.jpeg", "v1.3.OGG" },
};

static void files_of_one_name_belong_together_wherever_they_are(void **state)
{
	media_host m;
	media_host_open(&m);
	for (size_t i = 0; i < MMI_COUNT(arrangements); i++) {
		const struct arrangement *a = &arrangements[i];
		char name[80], root[16];
		snprintf(root, sizeof root, "d%zu", i);
		for (size_t k = 0; k < 6 && a->files[k]; k++) {
			snprintf(name, sizeof name, "%s/%s", root, a->files[k]);
			media_text(*state, name, "");
		}
		pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_AUTO);
		s.root = rig_path(*state, root);
		if (!holds(&m, &s, a->key, a->picture))
			fail_msg("%s: no %s with %s", root, a->key, a->picture);
		s.kind = PAIRS_SOUND;
		if (!holds(&m, &s, a->key, a->sound))
			fail_msg("%s: no %s with %s", root, a->key, a->sound);
	}
	assert_int_equal(m.warnings, 0);
	media_host_close(&m);
}

static void captions_are_lines_and_keys_are_alike(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	media_host_open(&m);
	media_text(*state, "d/train/a.txt", "one\n\ntwo\n");
	media_text(*state, "d/train/a.png", "");
	media_text(*state, "d/train/b.wav", "");
	media_text(*state, "d/train/.hidden.png", "");
	media_text(*state, "d/train/notes.doc", "");
	media_text(*state, "d/test/c.png", "");
	char keys[3][3][64] = { { { 0 } } };
	for (int kind = 0; kind < PAIRS_KINDS; kind++) {
		const pairs_source s = source(*state, kind, PAIRS_FILES);
		pairs *p = open_split(&m, &s, MM_SPLIT_TRAIN);
		assert_int_equal(p->n_samples, 3);
		for (uint64_t i = 0; i < 3; i++)
			assert_ok(pairs_key(p, i, keys[kind][i], 64, &e), e);
		assert_int_equal(find(p, "train/a")->n_captions, 2);
		pairs_close(p);
		assert_memory_equal(keys[0], keys[kind], sizeof keys[0]);
	}
	assert_string_equal(keys[0][2], "train/a#1");
	media_host_close(&m);
}

static void folders_train_and_test_are_splits(void **state)
{
	media_host m;
	media_host_open(&m);
	media_text(*state, "d/training/a/1.png", "");
	media_text(*state, "d/training/b/2.png", "");
	media_text(*state, "d/Test/a/3.png", "");
	media_text(*state, "d/val/a/4.png", "");
	pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_FILES);
	s.folder_classes = 1;
	pairs *train = open_split(&m, &s, MM_SPLIT_TRAIN), *test = open_split(&m, &s, MM_SPLIT_TEST);
	assert_int_equal(train->n_items, 3); /* validation is the host's affair, so this one is for training */
	assert_int_equal(test->n_items, 1);
	assert_int_equal(find(train, "training/b/2")->label, 1);
	assert_int_equal(classes_of(&m, &s), 2);
	pairs_close(train);
	pairs_close(test);
	media_text(*state, "d/stray.png", "");
	s.folder_classes = 0;
	assert_refused(&m, &s, MM_EFORMAT, "key stray is of no split, others are");
	media_host_close(&m);
}

static void a_share_is_for_testing_where_nothing_says_which(void **state)
{
	media_host m;
	char name[32];
	media_host_open(&m);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "d/%d.png", i);
		media_text(*state, name, "");
	}
	pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_AUTO);
	for (int round = 0; round < 2; round++) {
		pairs *train = open_split(&m, &s, MM_SPLIT_TRAIN), *test = open_split(&m, &s, MM_SPLIT_TEST);
		assert_int_equal(test->n_items, round ? 20 : 5);
		assert_int_equal(train->n_items, round ? 30 : 45);
		for (uint32_t i = 0; i < test->n_items; i++)
			assert_null(find(train, test->item[i].name));
		pairs_close(train);
		pairs_close(test);
		s.test_share = 0.4;
	}
	media_host_close(&m);
}

static void names_say_label_and_group(void **state)
{
	static const char *const speakers[] = { "theo", "jackson", "lucas" };
	media_host m;
	char name[64];
	media_host_open(&m);
	for (int digit = 0; digit < 3; digit++)
		for (int speaker = 0; speaker < 3; speaker++)
			for (int take = 0; take < 12; take++) {
				snprintf(name, sizeof name, "d/recordings/%d_%s_%d.wav", digit, speakers[speaker], take);
				media_text(*state, name, "");
			}
	media_text(*state, "d/recordings/README.wav", "");
	pairs_source s = source(*state, PAIRS_SOUND, PAIRS_AUTO);
	s.names = "{label}_{}_{}";
	s.test_names = "*_[0-4]";
	pairs *train = open_split(&m, &s, MM_SPLIT_TRAIN), *test = open_split(&m, &s, MM_SPLIT_TEST);
	assert_int_equal(train->n_items, 63);
	assert_int_equal(test->n_items, 45);
	assert_int_equal(find(train, "recordings/2_theo_11")->label, 2);
	assert_true(find(train, "recordings/2_theo_11")->group != find(train, "recordings/1_theo_11")->group);
	assert_int_equal(m.warnings, 2);
	assert_non_null(strstr(m.line, "1 of 109 files are not named {label}_{}_{} and are left out (first: README"));
	pairs_close(train);
	pairs_close(test);
	s.names = "{label}_{group}_{}";
	s.test_names = "";
	s.test_groups = "lucas, theo";
	train = open_split(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(train->n_items, 36);
	for (uint32_t i = 0; i < train->n_items; i++)
		assert_int_equal(train->item[i].group, train->item[0].group);
	pairs_close(train);
	s.test_groups = "";
	s.test_share = 0.2; /* whole groups: one of three */
	test = open_split(&m, &s, MM_SPLIT_TEST);
	assert_int_equal(test->n_items, 36);
	for (uint32_t i = 0; i < test->n_items; i++)
		assert_int_equal(test->item[i].group, test->item[0].group);
	pairs_close(test);
	media_host_close(&m);
}

static void templates_take_as_little_as_they_can(void **state)
{
	static const struct {
		const char *names, *name, *label, *group;
	} cases[] = {
		{ "{label}_{group}_{}", "7_theo_3", "7", "theo" },
		{ "{label}_{group}_{}", "7_theo_b_3", "7", "theo" },
		{ "{group}-{}", "ann-1", NULL, "ann" },
		{ "word {label} end", "word x y end", "x y", NULL },
		{ "{label}_{group}_{}", "7_theo", NULL, NULL },
		{ "{label}_{group}_{}", "_theo_3", NULL, NULL },
		{ "{label}x", "xx", "x", NULL },
		{ "{label}x", "x", NULL, NULL },
		{ "a{label}", "a", NULL, NULL },
	};
	static const char *const wrong[] = { "", "plain", "{label", "label}", "{speaker}", "{label}{group}", "{}_{" };
	(void)state;
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		pairs_said said;
		const bool expected = cases[i].label || cases[i].group;
		assert_true(pairs_template_valid(cases[i].names));
		if (pairs_template_match(cases[i].names, cases[i].name, strlen(cases[i].name), &said) != expected)
			fail_msg("%s and %s", cases[i].names, cases[i].name);
		if (cases[i].label &&
		    (said.label_length != strlen(cases[i].label) || memcmp(said.label, cases[i].label, said.label_length)))
			fail_msg("%s and %s: label %.*s", cases[i].names, cases[i].name, (int)said.label_length, said.label);
		if (cases[i].group && expected)
			assert_memory_equal(said.group, cases[i].group, said.group_length);
	}
	for (size_t i = 0; i < MMI_COUNT(wrong); i++)
		if (pairs_template_valid(wrong[i]))
			fail_msg("'%s' is taken for a template", wrong[i]);
}

static void what_is_wrong_with_files_is_told(void **state)
{
	media_host m;
	media_host_open(&m);
	media_text(*state, "d/a/x.png", "");
	pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_FILES);
	assert_refused(&m, &s, MM_EFORMAT, "all there is belongs to one item or group");
	media_text(*state, "d/a/y.png", "");
	s.names = "{label}_{}";
	assert_refused(&m, &s, MM_EFORMAT, "no name of 2 is like names = {label}_{} (the first is x.png)");
	s.names = "";
	s.folder_classes = 1;
	media_text(*state, "d/z.png", "");
	assert_refused(&m, &s, MM_EFORMAT, "z.png: the file is in no folder; with classes = folder");
	s.folder_classes = 0;
	media_text(*state, "d/z.jpg", "");
	assert_refused(&m, &s, MM_EFORMAT, "z.jpg and z.png are of one kind and have the same name");
	s.root = rig_path(*state, "nowhere");
	assert_refused(&m, &s, MM_EIO, "no such folder");
	media_text(*state, "e/readme.doc", "");
	s.root = rig_path(*state, "e");
	assert_refused(&m, &s, MM_EIO,
	               "no pictures (.png, .jpg), sounds (.wav, .flac, .ogg, ...) or captions (.txt) in it");
	s.layout = PAIRS_AUTO;
	assert_refused(&m, &s, MM_EIO, "nor a table (.csv, .tsv, .jsonl) (list) nor pictures (pairs)");
	media_host_close(&m);
}

static void links_that_lead_back_end(void **state)
{
	media_host m;
	char from[400];
	media_host_open(&m);
	media_text(*state, "d/a/1.png", "");
	media_text(*state, "d/a/2.png", "");
	snprintf(from, sizeof from, "%s/d/a/again", ((rig *)*state)->folder);
	assert_int_equal(symlink("..", from), 0);
	const pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_FILES);
	pairs *train = open_split(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(train->n_items, 1);
	pairs_close(train);
	media_host_close(&m);
}

/* ---------------------------------------------------------------- tables */

static const char table[] = "key,image,caption,label,split,speaker,note\r\n"
							"k1,p/1.png,\"a \"\"red\"\" cat, asleep\",cat,train,ann,\r\n"
							"k1,,\"two\nlines\",,,,\r\n"
							"\r\n"
							"k2,p/2.png,a dog,dog,train,bob,x\r\n"
							"k3,p/3.png,a cow,cow,test,cid,\r\n";

static void tables_have_a_column_a_modality(void **state)
{
	media_host m;
	media_host_open(&m);
	media_text(*state, "d/data.csv", table);
	pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_AUTO);
	pairs *train = open_split(&m, &s, MM_SPLIT_TRAIN), *test = open_split(&m, &s, MM_SPLIT_TEST);
	assert_int_equal(train->n_items, 2);
	assert_int_equal(train->n_samples, 3);
	assert_string_equal(find(train, "k1")->file, "p/1.png");
	assert_string_equal(train->caption[0], "a \"red\" cat, asleep");
	assert_string_equal(train->caption[1], "two lines");
	assert_int_equal(find(train, "k2")->label, 2); /* cat, cow, dog */
	assert_int_equal(find(test, "k3")->label, 1);
	assert_true(find(train, "k1")->group != find(train, "k2")->group);
	pairs_close(train);
	pairs_close(test);
	assert_int_equal(classes_of(&m, &s), 3);
	media_host_close(&m);
}

static void json_lines_and_other_delimiters_say_the_same(void **state)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{ "a.csv", "id;file;text;class\n7;1.png;a, b;3\n8;2.wav;c;0\n" },
		{ "b.tsv", "id\tfile\ttext\tclass\n7\t1.png\ta, b\t3\n8\t2.wav\tc\t0\n" },
		{ "c.jsonl", "{\"id\": 7, \"file\": \"1.png\", \"text\": [\"a, b\"], \"class\": 3}\n\n"
		             "{\"id\": \"8\", \"file\": \"2.wav\", \"text\": \"c\", \"class\": 0, \"more\": null}\n" },
	};
	media_host m;
	media_host_open(&m);
	for (size_t i = 0; i < MMI_COUNT(files); i++) {
		char name[32];
		snprintf(name, sizeof name, "t/%s", files[i].name);
		media_text(*state, name, files[i].text);
		pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_LIST);
		media_text(*state, "d/x", "");
		s.list = rig_path(*state, name);
		assert_int_equal(classes_of(&m, &s), 4); /* numbers are labels as they are */
		assert_true(holds(&m, &s, "7", "1.png"));
		assert_true(holds(&m, &s, "8", NULL));
		s.kind = PAIRS_SOUND;
		assert_true(holds(&m, &s, "8", "2.wav"));
	}
	media_host_close(&m);
}

static void columns_can_be_asked_for_and_rows_are_counted(void **state)
{
	media_host m;
	media_host_open(&m);
	media_text(*state, "d/t.csv", "left,right,split\na.png,b.png,train\na.png,c.png,train\ne.png,f.png,test\n");
	pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_LIST);
	assert_refused(&m, &s, MM_EFORMAT,
	               "no column picture, image, img, photo or file; its first is left: set column in [x]");
	s.column = "up";
	assert_refused(&m, &s, MM_EFORMAT, "no column up; its first is left");
	s.column = "right";
	assert_true(holds(&m, &s, "2", "c.png"));
	s.column = "left";
	assert_true(holds(&m, &s, "3", "e.png"));
	pairs *train = open_split(&m, &s, MM_SPLIT_TRAIN);
	assert_int_equal(train->item[0].group, train->item[1].group); /* the same picture in two rows */
	pairs_close(train);
	media_host_close(&m);
}

static void what_is_wrong_with_a_table_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text, *part;
	} faults[] = {
		{ "", "empty, expected a line of names of columns" },
		{ "image\n", "no rows" },
		{ "image,text\na.png\n", "t.csv:2: 1 cells, the first line has 2; cells with commas in them need quotes" },
		{ "image,text\na.png,\"b\nc\n", "t.csv:2: a quote is opened and never closed" },
		{ "image\n../a.png\n", "t.csv:2: found \"../a.png\", expected a relative path below the data folder" },
		{ "image\n/etc/passwd\n", "expected a relative path below" },
		{ "file\na.doc\n", "t.csv:2: found \"a.doc\", expected a file that ends like a picture" },
		{ "image,split\na.png,maybe\n", "t.csv:2: found \"maybe\", expected train, test or validation" },
		{ "image,split\na.png,train\nb.png,\n", "key 2 is of no split" },
		{ "image,key\na.png,k\n\nb.png,k\n", "t.csv:4: key k has the picture b.png, and a.png before" },
		{ "image,key,label\na.png,k,1\na.png,k,2\n", "t.csv:3: key k has the label 2, and 1 before" },
		{ "image,key,split\na.png,k,test\na.png,k,train\n", "t.csv:3: key k has the split train, and test before" },
		{ "image,photo\na.png,b.png\n", "the column photo means what another one does already" },
	};
	media_host m;
	media_host_open(&m);
	pairs_source s = source(*state, PAIRS_PICTURE, PAIRS_LIST);
	for (size_t i = 0; i < MMI_COUNT(faults); i++) {
		media_text(*state, "d/t.csv", faults[i].text);
		assert_refused(&m, &s, MM_EFORMAT, faults[i].part);
	}
	media_write(*state, "d/t.csv", "image\na\0b.png\n", 14);
	assert_refused(&m, &s, MM_EFORMAT, "a NUL byte");
	media_text(*state, "d/t.csv", "image\na.png\nb.png\n");
	media_text(*state, "d/u.jsonl", "{}");
	assert_refused(&m, &s, MM_ECONFIG, "holds t.csv and 1 more tables; set list in [x] to one of them");
	s.list = rig_path(*state, "d/u.jsonl");
	media_text(*state, "d/u.jsonl", "{\"image\": \"a.png\"}\n[1]\n");
	assert_refused(&m, &s, MM_EFORMAT, "u.jsonl:2: no JSON object");
	media_host_close(&m);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(files_of_one_name_belong_together_wherever_they_are),
		TEST(captions_are_lines_and_keys_are_alike),
		TEST(folders_train_and_test_are_splits),
		TEST(a_share_is_for_testing_where_nothing_says_which),
		TEST(names_say_label_and_group),
		cmocka_unit_test(templates_take_as_little_as_they_can),
		TEST(what_is_wrong_with_files_is_told),
		TEST(links_that_lead_back_end),
		TEST(tables_have_a_column_a_modality),
		TEST(json_lines_and_other_delimiters_say_the_same),
		TEST(columns_can_be_asked_for_and_rows_are_counted),
		TEST(what_is_wrong_with_a_table_is_told_with_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
