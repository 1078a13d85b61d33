/* test_mnist.c - the mnist plugin under an emulated host: entry, settings, IDX files and views. */
#include "mmi_build.h"

#include "test_mnist_bench.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* The digit on a picture made with write_map's background: ink where blue is 55. */
static void ink_of(const uint8_t rgb[SAMPLE], uint8_t ink[784])
{
	for (int k = 0; k < 784; k++) {
		assert_true(rgb[3 * k + 2] == 200 || rgb[3 * k + 2] == 55);
		ink[k] = rgb[3 * k + 2] == 55;
	}
}

/* Which of the made digits this is: searched among all of a split. */
static int identify(int split, const uint8_t ink[784])
{
	for (uint32_t k = 0; k < files_count(split); k++) {
		uint32_t at = 0;
		while (at < 784 && ink[at] == (files_pixel(split, k, at) > 128))
			at++;
		if (at == 784)
			return (int)k;
	}
	return -1;
}

/* ---------------------------------------------------------------- entry */

static void entry_is_well_formed(void **state)
{
	const mm_plugin_entry *p = mm_plugin_query_1();
	(void)state;
	assert_ptr_equal(p, mm_plugin_query_1());
	assert_int_equal(p->magic, MM_PLUGIN_MAGIC);
	assert_int_equal(p->abi_tag, MM_ABI_TAG);
	assert_int_equal(p->n_modalities, 1);
	assert_string_equal(p->modalities[0]->id, "styled-digit");
	assert_string_equal(p->modalities[0]->default_name, "digit");
	assert_string_equal(p->modalities[0]->render_suffix, ".png");
	assert_null(p->modalities[0]->get_extension("mm.modality.picture/1x"));
	assert_non_null(p->modalities[0]->get_extension(MM_MODALITY_PICTURE));
}

static void load_names_the_service_that_is_missing(void **state)
{
	static const char *const ids[] = { MM_HOST_CONFIG, MM_HOST_RANDOM, MM_HOST_GRAPH };
	(void)state;
	for (int k = 0; k < 3; k++) {
		bench b = { .e = MM_ERROR_INIT };
		host_init(&b.host, 1);
		b.host.lacks = ids[k];
		assert_fails(&b, mm_plugin_query_1()->load(&b.host.api, &b.self, &b.e), MM_EUNSUPPORTED, ids[k]);
		assert_null(b.self);
		assert_int_equal(atomic_load(&b.host.blocks), 0);
	}
}

static void describes_a_colour_picture(void **state)
{
	bench *b = *state;
	mm_modality_info info = { .struct_size = MM_SIZE_THROUGH(mm_modality_info, n_classes) };
	mm_instance *i = plain(b, "m0");
	assert_ok(b, b->desc->describe(i, &info, &b->e));
	assert_int_equal(info.shape.rank, 3);
	assert_int_equal(info.shape.dim[0] * info.shape.dim[1] * info.shape.dim[2], SAMPLE);
	assert_int_equal(info.support, MM_SUPPORT_BOX);
	assert_true(info.lo == -1.0f && info.hi == 1.0f && info.likelihood_scale == 0.7f && info.likelihood_weight == 1.0f);
	assert_int_equal(info.likelihood, MM_LIKELIHOOD_GAUSSIAN);
	assert_int_equal(info.n_classes, 10);
	b->desc->destroy(i);
}

static void bad_settings_are_refused(void **state)
{
	static const setting bad[] = { { "net", "vgg" },           { "source", "csv" },       { "view", "-1" },
		                           { "width", "0" },           { "limit", "x" },          { "output", "relu" },
		                           { "energy_channels", "0" }, { "energy_bias", "maybe" } };
	bench *b = *state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		mm_config c = { "m0", b->folder, { bad[k], { NULL, NULL } } };
		mm_instance *i = NULL;
		assert_fails(b, b->desc->create(b->self, &c, &i, &b->e), MM_ECONFIG, bad[k].key);
		assert_null(i);
	}
}

/* ---------------------------------------------------------------- IDX */

static void reads_plain_and_gzip_alike(void **state)
{
	bench *b = *state;
	char plain_folder[300], gzip_folder[300];
	uint8_t x[SAMPLE], y[SAMPLE];
	files_make_subfolder(b->folder, "plain");
	files_make_subfolder(b->folder, "gzip");
	snprintf(plain_folder, sizeof(plain_folder), "%s/plain", b->folder);
	snprintf(gzip_folder, sizeof(gzip_folder), "%s/gzip", b->folder);
	files_write_idx(plain_folder, false);
	files_write_idx(gzip_folder, true);
	for (int split = 0; split < 2; split++) {
		mm_config c1 = { "m1", plain_folder, { { NULL, NULL } } }, c2 = { "m1", gzip_folder, { { NULL, NULL } } };
		mm_instance *i1, *i2;
		assert_ok(b, b->desc->create(b->self, &c1, &i1, &b->e));
		assert_ok(b, b->desc->create(b->self, &c2, &i2, &b->e));
		mm_dataset *d1 = open_split(b, i1, split), *d2 = open_split(b, i2, split);
		assert_int_equal(b->desc->count(d1), files_count(split));
		assert_int_equal(b->desc->count(d2), files_count(split));
		for (uint32_t k = 0; k < files_count(split); k++) {
			read_bytes(b, d1, k, x);
			read_bytes(b, d2, k, y);
			assert_memory_equal(x, y, SAMPLE);
		}
		b->desc->close(d1);
		b->desc->close(d2);
		b->desc->destroy(i1);
		b->desc->destroy(i2);
	}
}

/* As unpackers and torchvision leave the files. */
static void idx_files_are_found_under_their_other_names(void **state)
{
	static const struct {
		const char *images, *labels;
	} names[] = {
		{ "train-images.idx3-ubyte", "train-labels.idx1-ubyte" },
		{ "train-images.idx3-ubyte.gz", "train-labels-idx1-ubyte" },
		{ "MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte.gz" },
		{ "raw/train-images.idx3-ubyte", "raw/train-labels.idx1-ubyte" },
	};
	static uint8_t images[1 << 17], labels[1 << 10];
	bench *b = *state;
	const size_t n_images = files_idx_images(MM_SPLIT_TRAIN, images),
				 n_labels = files_idx_labels(MM_SPLIT_TRAIN, labels);
	files_make_subfolder(b->folder, "MNIST");
	files_make_subfolder(b->folder, "MNIST/raw");
	files_make_subfolder(b->folder, "raw");
	files_make_subfolder(b->folder, "train-images-idx3-ubyte"); /* a folder for each archive, as Kaggle's has */
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		mm_config c = { "m0", b->folder, { { NULL, NULL } } };
		mm_instance *i;
		char path[512];
		(strstr(names[k].images, ".gz") ? files_write_gzip : files_write)(b->folder, names[k].images, images, n_images);
		(strstr(names[k].labels, ".gz") ? files_write_gzip : files_write)(b->folder, names[k].labels, labels, n_labels);
		assert_ok(b, b->desc->create(b->self, &c, &i, &b->e));
		mm_dataset *d = open_split(b, i, MM_SPLIT_TRAIN);
		assert_int_equal(b->desc->count(d), FILES_TRAIN);
		b->desc->close(d);
		b->desc->destroy(i);
		unlink(in_folder(b, names[k].images, path));
		unlink(in_folder(b, names[k].labels, path));
	}
}

static void keys_count_within_the_class_in_file_order(void **state)
{
	bench *b = *state;
	unsigned seen[10] = { 0 };
	char key[32], expected[32];
	files_write_idx(b->folder, true);
	mm_instance *i = plain(b, "m0");
	mm_dataset *d = open_split(b, i, MM_SPLIT_TRAIN);
	for (uint32_t k = 0; k < FILES_TRAIN; k++) {
		unsigned label = files_label(0, k);
		snprintf(expected, sizeof(expected), "%u.%u", seen[label]++, label);
		assert_ok(b, b->desc->key(d, k, key, sizeof(key), &b->e));
		assert_string_equal(key, expected);
		assert_int_equal(b->desc->label(d, k), label);
	}
	assert_int_equal(b->desc->label(d, FILES_TRAIN), -1);
	assert_fails(b, b->desc->key(d, FILES_TRAIN, key, sizeof(key), &b->e), MM_EARG, "120");
	assert_fails(b, b->desc->key(d, 0, key, 3, &b->e), MM_EARG, "4 bytes");
	float x[SAMPLE];
	assert_fails(b, b->desc->read(d, FILES_TRAIN, x, &b->e), MM_EARG, "120");
	b->desc->close(d);
	b->desc->destroy(i);
}

typedef struct hostile {
	const char *what;
	bool labels; /* the labels' file is the bad one */
	int at;      /* byte to overwrite, or -1 */
	uint8_t byte;
	long cut; /* bytes taken off (or, negative, added to) the end */
	mm_status status;
	const char *word; /* in the message */
} hostile;

static const hostile hostile_cases[] = {
	{ "magic of labels", false, 3, 1, 0, MM_EFORMAT, "0x00000801" },
	{ "magic of images", true, 3, 3, 0, MM_EFORMAT, "0x00000803" },
	{ "not IDX at all", false, 0, 'P', 0, MM_EFORMAT, "expected 0x00000803" },
	{ "huge count", false, 4, 0xff, 0, MM_EFORMAT, "announces" },
	{ "large count", false, 5, 0x0f, 0, MM_EFORMAT, "cannot hold" },
	{ "large count of labels", true, 5, 0x0f, 0, MM_EFORMAT, "cannot hold" },
	{ "no items", false, 7, 0, 0, MM_EFORMAT, "announces 0" },
	{ "27 rows", false, 11, 27, 0, MM_EFORMAT, "28 x 27" },
	{ "huge columns", false, 12, 0x7f, 0, MM_EFORMAT, "expected 28 x 28" },
	{ "one image fewer", false, 7, FILES_TRAIN - 1, 784, MM_EFORMAT, "belong together" },
	{ "one label fewer", true, 7, FILES_TRAIN - 1, 1, MM_EFORMAT, "belong together" },
	{ "label 10", true, 8 + 17, 10, 0, MM_EFORMAT, "labels go up to 10, expected 0 to 9" },
	{ "truncated images", false, -1, 0, 5, MM_EFORMAT, "trunca" },
	{ "truncated labels", true, -1, 0, 1, MM_EFORMAT, "trunca" },
	{ "header alone", false, -1, 0, FILES_TRAIN * 784, MM_EFORMAT, "trunca" },
	{ "half a header", false, -1, 0, FILES_TRAIN * 784 + 8, MM_EFORMAT, "trunca" },
	{ "empty file", true, -1, 0, FILES_TRAIN + 8, MM_EFORMAT, "trunca" },
	{ "trailing data", false, -1, 0, -1, MM_EFORMAT, "follows" },
	{ "trailing labels", true, -1, 0, -3, MM_EFORMAT, "follows" },
};

static void write_hostile(bench *b, const hostile *h, bool gzip)
{
	static uint8_t data[16 + 784 * FILES_TRAIN + 8];
	char name[64];
	files_write_idx(b->folder, gzip);
	memset(data, 0, sizeof(data));
	size_t size = h->labels ? files_idx_labels(0, data) : files_idx_images(0, data);
	if (h->at >= 0)
		data[h->at] = h->byte;
	snprintf(name, sizeof(name), "train-%s-ubyte%s", h->labels ? "labels-idx1" : "images-idx3", gzip ? ".gz" : "");
	(gzip ? files_write_gzip : files_write)(b->folder, name, data, (size_t)((long)size - h->cut));
}

static void assert_train_fails(bench *b, mm_status status, const char *word)
{
	assert_open_fails(b, plain(b, "m0"), MM_SPLIT_TRAIN, status, word);
}

static void hostile_idx_files_are_refused(void **state)
{
	bench *b = *state;
	for (size_t k = 0; k < sizeof(hostile_cases) / sizeof(hostile_cases[0]); k++) {
		const hostile *h = &hostile_cases[k];
		bool gzip = k % 2;
		if (strstr(h->what, "large")) /* by size against the file: only exact for plain files */
			gzip = false;
		files_remove_folder(b->folder);
		files_make_folder(b->folder);
		write_hostile(b, h, gzip);
		assert_train_fails(b, h->status, h->word);
	}
}

static void damaged_gzip_is_refused(void **state)
{
	static uint8_t data[1 << 18];
	bench *b = *state;
	files_write_idx(b->folder, true);
	size_t size = files_read(b->folder, "train-images-idx3-ubyte.gz", data, sizeof(data));
	assert_in_range(size, 1000, sizeof(data) - 1);
	const size_t cuts[] = { size - 1, size - 8, size - 9, size / 2, 15 };
	for (size_t k = 0; k < sizeof(cuts) / sizeof(cuts[0]); k++) {
		files_write(b->folder, "train-images-idx3-ubyte.gz", data, cuts[k]);
		assert_train_fails(b, MM_EFORMAT, "train-images-idx3-ubyte.gz");
	}
	data[size - 6] ^= 1; /* the checksum */
	files_write(b->folder, "train-images-idx3-ubyte.gz", data, size);
	assert_train_fails(b, MM_EFORMAT, "train-images-idx3-ubyte.gz");
}

/* A gzip file may claim at most 1032 times its size, so a lying header costs no memory. */
static void huge_claim_in_gzip_takes_no_memory(void **state)
{
	const uint8_t header[16] = { 0, 0, 8, 3, 0, 0x0f, 0xff, 0xff, 0, 0, 0, 28, 0, 0, 0, 28 };
	bench *b = *state;
	files_write_idx(b->folder, true);
	files_write_gzip(b->folder, "train-images-idx3-ubyte.gz", header, sizeof(header));
	assert_train_fails(b, MM_EFORMAT, "cannot hold");
}

/* As EMNIST has them: letters from 1 to 26. */
static void labels_of_more_classes_need_a_word(void **state)
{
	static uint8_t data[16 + 784 * FILES_TRAIN];
	bench *b = *state;
	mm_modality_info info = { .struct_size = sizeof(info) };
	files_write_idx(b->folder, false);
	const size_t size = files_idx_labels(0, data);
	for (size_t k = 8; k < size; k++)
		data[k] = (uint8_t)(1 + k % 26);
	files_write(b->folder, "train-labels-idx1-ubyte", data, size);
	assert_train_fails(b, MM_EFORMAT, "labels go up to 26, expected 0 to 9");
	assert_train_fails(b, MM_EFORMAT, "set classes = 27 in [m0]");
	mm_instance *i = make(b, "m1", "classes", "27", NULL, NULL);
	assert_ok(b, b->desc->describe(i, &info, &b->e));
	assert_int_equal(info.n_classes, 27);
	mm_dataset *d = open_split(b, i, MM_SPLIT_TRAIN);
	uint32_t seen[27] = { 0 };
	for (uint32_t k = 0; k < files_count(0); k++) {
		char key[32], expected[32];
		uint8_t rgb[SAMPLE];
		const int32_t label = b->desc->label(d, k);
		assert_int_equal(label, data[8 + k]);
		snprintf(expected, sizeof(expected), "%u.%d", seen[label]++, label);
		assert_ok(b, b->desc->key(d, k, key, sizeof(key), &b->e));
		assert_string_equal(key, expected);
		read_bytes(b, d, k, rgb);
	}
	b->desc->close(d);
	b->desc->destroy(i);
}

static void missing_data_is_explained(void **state)
{
	bench *b = *state;
	char path[512];
	assert_train_fails(b, MM_EIO, "set root in [m0]");
	files_write_idx(b->folder, true);
	unlink(in_folder(b, "train-labels-idx1-ubyte.gz", path));
	assert_train_fails(b, MM_EIO, "train-labels-idx1-ubyte");
	files_make_subfolder(b->folder, "train-labels-idx1-ubyte");
	assert_train_fails(b, MM_EIO, "train-labels-idx1-ubyte");
	mm_config c = { "m0", NULL, { { NULL, NULL } } };
	mm_instance *i;
	mm_dataset *d = NULL;
	assert_ok(b, b->desc->create(b->self, &c, &i, &b->e));
	assert_fails(b, b->desc->open(i, MM_SPLIT_TRAIN, &d, &b->e), MM_ECONFIG, "set root");
	assert_fails(b, b->desc->open(i, 2, &d, &b->e), MM_EUNSUPPORTED, "split 2");
	b->desc->destroy(i);
}

/* ---------------------------------------------------------------- views */

static void inversion_and_crop_match_a_direct_computation(void **state)
{
	bench *b = *state;
	char path[512];
	uint8_t rgb[SAMPLE], ink[784];
	files_write_idx(b->folder, true);
	write_map(b, "map.png", 150, 90);
	for (int split = 0; split < 2; split++) {
		mm_instance *i = make(b, "m3", "background", in_folder(b, "map.png", path), NULL, NULL);
		mm_dataset *d = open_split(b, i, split);
		for (uint32_t k = 0; k < files_count(split); k++) {
			uint32_t word[4];
			host_words(&b->host, host_stream(&b->host, "mnist/crop"), (uint64_t)split << 56 | 3ull << 32 | k, 0, word);
			unsigned left = (unsigned)((uint64_t)word[0] * (150 - 28) >> 32),
					 top = (unsigned)((uint64_t)word[1] * (90 - 28) >> 32);
			read_bytes(b, d, k, rgb);
			ink_of(rgb, ink);
			int digit = identify(split, ink);
			assert_true(digit >= 0);
			assert_int_equal(files_label(split, (uint32_t)digit), files_label(split, k));
			for (unsigned at = 0; at < 784; at++) {
				unsigned x = left + at % 28, y = top + at / 28;
				bool inverted = files_pixel(split, (uint32_t)digit, at) > 128;
				assert_int_equal(rgb[3 * at], inverted ? 255 - x : x);
				assert_int_equal(rgb[3 * at + 1], inverted ? 255 - y : y);
			}
		}
		b->desc->close(d);
		b->desc->destroy(i);
	}
}

/* The digits of one view, each by its number in the file. */
static void digits_of_view(bench *b, const char *name, int split, const char *limit, int *digit)
{
	char path[512];
	uint8_t rgb[SAMPLE], ink[784];
	mm_instance *i = make(b, name, "background", in_folder(b, "map.png", path), limit ? "limit" : NULL, limit);
	mm_dataset *d = open_split(b, i, split);
	for (uint32_t k = 0; k < b->desc->count(d); k++) {
		read_bytes(b, d, k, rgb);
		ink_of(rgb, ink);
		digit[k] = identify(split, ink);
	}
	b->desc->close(d);
	b->desc->destroy(i);
}

static void each_view_pairs_all_digits_in_its_own_order(void **state)
{
	bench *b = *state;
	int view[3][FILES_TRAIN];
	int differ[3] = { 0 };
	files_write_idx(b->folder, true);
	write_map(b, "map.png", 60, 60);
	digits_of_view(b, "m0", MM_SPLIT_TRAIN, NULL, view[0]);
	digits_of_view(b, "m1", MM_SPLIT_TRAIN, NULL, view[1]);
	digits_of_view(b, "m2", MM_SPLIT_TRAIN, NULL, view[2]);
	for (int m = 0; m < 3; m++) {
		bool used[FILES_TRAIN] = { false };
		for (uint32_t k = 0; k < FILES_TRAIN; k++) {
			assert_in_range(view[m][k], 0, FILES_TRAIN - 1);
			assert_false(used[view[m][k]]);
			used[view[m][k]] = true;
			assert_int_equal(files_label(0, (uint32_t)view[m][k]), files_label(0, k));
			differ[m] += view[m][k] != view[(m + 1) % 3][k];
		}
	}
	for (int m = 0; m < 3; m++)
		assert_true(differ[m] > FILES_TRAIN / 2);
}

static void a_limit_keeps_the_tuples_it_keeps(void **state)
{
	bench *b = *state;
	int all[FILES_TRAIN], some[FILES_TRAIN];
	files_write_idx(b->folder, true);
	write_map(b, "map.png", 60, 60);
	digits_of_view(b, "m1", MM_SPLIT_TRAIN, NULL, all);
	memset(some, 0xff, sizeof(some));
	digits_of_view(b, "m1", MM_SPLIT_TRAIN, "40", some);
	assert_memory_equal(all, some, 40 * sizeof(some[0]));
	assert_int_equal(some[40], -1);
	digits_of_view(b, "m1", MM_SPLIT_TRAIN, "100000", some);
	assert_memory_equal(all, some, sizeof(all));
}

static void the_view_number_comes_from_the_name(void **state)
{
	bench *b = *state;
	int named[FILES_TEST], set[FILES_TEST];
	uint8_t x[SAMPLE], y[SAMPLE];
	files_write_idx(b->folder, true);
	mm_instance *i = plain(b, "view12"), *j = make(b, "left", "view", "12", NULL, NULL);
	assert_int_equal(b->host.warnings, 1);
	assert_non_null(strstr(b->host.line, "[view12] and [left] both have view = 12"));
	mm_dataset *d = open_split(b, i, MM_SPLIT_TEST), *f = open_split(b, j, MM_SPLIT_TEST);
	read_bytes(b, d, 7, x);
	read_bytes(b, f, 7, y);
	assert_memory_equal(x, y, SAMPLE);
	b->desc->close(d);
	b->desc->close(f);
	b->desc->destroy(i);
	b->desc->destroy(j);
	write_map(b, "map.png", 60, 60);
	digits_of_view(b, "digit", MM_SPLIT_TEST, NULL, named);
	digits_of_view(b, "m0", MM_SPLIT_TEST, NULL, set);
	assert_memory_equal(named, set, sizeof(set));
}

static void samples_do_not_depend_on_the_order_of_reads(void **state)
{
	bench *b = *state;
	static uint8_t forward[FILES_TEST][SAMPLE];
	uint8_t x[SAMPLE];
	files_write_idx(b->folder, true);
	mm_instance *i = plain(b, "m4"), *j = make(b, "other", "view", "4", NULL, NULL);
	mm_dataset *d = open_split(b, i, MM_SPLIT_TEST), *f = open_split(b, j, MM_SPLIT_TEST);
	for (uint32_t k = 0; k < FILES_TEST; k++)
		read_bytes(b, d, k, forward[k]);
	for (uint32_t k = FILES_TEST; k-- > 0;) {
		read_bytes(b, f, k, x);
		assert_memory_equal(x, forward[k], SAMPLE);
	}
	b->desc->close(f);
	b->desc->close(d);
	b->desc->destroy(i);
	b->desc->destroy(j);
}

static void another_seed_gives_other_pairs_and_crops(void **state)
{
	bench *b = *state;
	int digit[2][FILES_TEST];
	files_write_idx(b->folder, true);
	write_map(b, "map.png", 60, 60);
	digits_of_view(b, "m0", MM_SPLIT_TEST, NULL, digit[0]);
	b->host.seed = 43;
	digits_of_view(b, "m0", MM_SPLIT_TEST, NULL, digit[1]);
	assert_memory_not_equal(digit[0], digit[1], sizeof(digit[0]));
}

static void instances_share_the_digits(void **state)
{
	bench *b = *state;
	files_write_idx(b->folder, true);
	mm_instance *i = plain(b, "m0"), *j = plain(b, "m1");
	long before = atomic_load(&b->host.bytes);
	mm_dataset *d = open_split(b, i, MM_SPLIT_TRAIN);
	long first = atomic_load(&b->host.bytes) - before;
	mm_dataset *f = open_split(b, j, MM_SPLIT_TRAIN);
	long second = atomic_load(&b->host.bytes) - before - first;
	assert_true(first - second >= FILES_TRAIN * 112); /* the masks exist once */
	b->desc->close(d);
	uint8_t x[SAMPLE];
	read_bytes(b, f, 3, x); /* still there for the other */
	b->desc->close(f);
	assert_int_equal(atomic_load(&b->host.bytes), before);
	b->desc->destroy(i);
	b->desc->destroy(j);
	b->desc->destroy(NULL);
	b->desc->close(NULL);
}

static void running_out_of_memory_is_survived(void **state)
{
	bench *b = *state;
	files_write_idx(b->folder, true);
	mm_instance *i = plain(b, "m0");
	long blocks = atomic_load(&b->host.blocks);
	mm_status status = MM_ENOMEM;
	mm_dataset *d = NULL;
	int failures = 0;
	for (long n = 0; status != MM_OK; n++) {
		atomic_store(&b->host.fail_after, n);
		status = b->desc->open(i, MM_SPLIT_TRAIN, &d, &b->e);
		if (status == MM_OK)
			break;
		assert_int_equal(status, MM_ENOMEM);
		assert_null(d);
		assert_int_equal(atomic_load(&b->host.blocks), blocks);
		assert_in_range(++failures, 1, 100);
	}
	atomic_store(&b->host.fail_after, -1);
	assert_true(failures > 8);
	b->desc->close(d);
	b->desc->destroy(i);
}

typedef struct worker {
	bench *b;
	mm_instance *i;
	int bad;
} worker;

static void *open_read_close(void *argument)
{
	worker *w = argument;
	const mm_modality_desc *desc = w->b->desc;
	float x[SAMPLE];
	for (int round = 0; round < 20; round++) {
		mm_dataset *d = NULL;
		w->bad += desc->open(w->i, round % 2, &d, NULL) != MM_OK;
		for (uint64_t k = 0; d && k < desc->count(d); k++)
			w->bad += desc->read(d, k, x, NULL) != MM_OK;
		desc->close(d);
	}
	return NULL;
}

static void instances_work_on_different_threads(void **state)
{
	bench *b = *state;
	pthread_t thread[3];
	worker w[3];
	files_write_idx(b->folder, true);
	for (int k = 0; k < 3; k++) {
		w[k] = (worker){ b, plain(b, k == 0 ? "m0" : k == 1 ? "m1" : "m2"), 0 };
		assert_int_equal(pthread_create(&thread[k], NULL, open_read_close, &w[k]), 0);
	}
	for (int k = 0; k < 3; k++) {
		pthread_join(thread[k], NULL);
		assert_int_equal(w[k].bad, 0);
		b->desc->destroy(w[k].i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_test(entry_is_well_formed),
		one_test(load_names_the_service_that_is_missing),
		one_test(describes_a_colour_picture),
		one_test(bad_settings_are_refused),
		one_test(reads_plain_and_gzip_alike),
		one_test(idx_files_are_found_under_their_other_names),
		one_test(keys_count_within_the_class_in_file_order),
		one_test(hostile_idx_files_are_refused),
		one_test(damaged_gzip_is_refused),
		one_test(huge_claim_in_gzip_takes_no_memory),
		one_test(labels_of_more_classes_need_a_word),
		one_test(missing_data_is_explained),
		one_test(inversion_and_crop_match_a_direct_computation),
		one_test(each_view_pairs_all_digits_in_its_own_order),
		one_test(a_limit_keeps_the_tuples_it_keeps),
		one_test(the_view_number_comes_from_the_name),
		one_test(samples_do_not_depend_on_the_order_of_reads),
		one_test(another_seed_gives_other_pairs_and_crops),
		one_test(instances_share_the_digits),
		one_test(running_out_of_memory_is_survived),
		one_test(instances_work_on_different_threads),
	};
	return cmocka_run_group_tests_name("mnist", tests, NULL, NULL);
}
