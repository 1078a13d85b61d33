/* test_mnist_pictures.c - backgrounds, PolyMNIST's folders, rendering, and real data where the machine has it. */
#include "mmi_build.h"

#include "test_mnist_bench.h"

#include <dirent.h>
#include <math.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---------------------------------------------------------------- backgrounds */

/* Opens a data set with the background and returns pixels without ink. */
static void assert_background_colour(bench *b, const char *name, uint8_t red, uint8_t green, uint8_t blue)
{
	char path[512];
	uint8_t rgb[SAMPLE];
	mm_instance *i = make(b, "m0", "background", in_folder(b, name, path), NULL, NULL);
	mm_dataset *d = open_split(b, i, MM_SPLIT_TEST);
	read_bytes(b, d, 0, rgb);
	for (int k = 0; k < 784; k++) {
		bool inverted = rgb[3 * k] == 255 - red;
		assert_int_equal(rgb[3 * k], inverted ? 255 - red : red);
		assert_int_equal(rgb[3 * k + 1], inverted ? 255 - green : green);
		assert_int_equal(rgb[3 * k + 2], inverted ? 255 - blue : blue);
	}
	b->desc->close(d);
	b->desc->destroy(i);
}

static void all_kinds_of_png_serve_as_background(void **state)
{
	bench *b = *state;
	static uint8_t rows[40 * 40 * 8];
	uint8_t palette[768] = { 0 };
	files_write_idx(b->folder, false);
	memset(rows, 77, sizeof(rows));
	files_write_png(b->folder, "grey.png", 40, 40, PNG_COLOR_TYPE_GRAY, 8, rows, 40, NULL);
	assert_background_colour(b, "grey.png", 77, 77, 77);
	palette[3 * 77] = 10, palette[3 * 77 + 1] = 20, palette[3 * 77 + 2] = 30;
	files_write_png(b->folder, "palette.png", 40, 40, PNG_COLOR_TYPE_PALETTE, 8, rows, 40, palette);
	assert_background_colour(b, "palette.png", 10, 20, 30);
	files_write_png(b->folder, "deep.png", 40, 40, PNG_COLOR_TYPE_RGB, 16, rows, 40 * 6, NULL);
	assert_background_colour(b, "deep.png", 77, 77, 77);
	for (int k = 0; k < 40 * 40; k++)
		memcpy(rows + 4 * k, "\x01\x02\x03\x00", 4);
	files_write_png(b->folder, "clear.png", 40, 40, PNG_COLOR_TYPE_RGBA, 8, rows, 40 * 4, NULL);
	assert_background_colour(b, "clear.png", 255, 255, 255);
	memset(rows, 5, sizeof(rows));
	files_write_png(b->folder, "exact.png", 28, 28, PNG_COLOR_TYPE_RGB, 8, rows, 28 * 3, NULL);
	assert_background_colour(b, "exact.png", 5, 5, 5);
}

static void assert_background_refused(bench *b, const char *name, mm_status status, const char *word)
{
	char path[512];
	assert_open_fails(b, make(b, "m0", "background", in_folder(b, name, path), NULL, NULL), MM_SPLIT_TEST, status,
	                  word);
}

static void bad_backgrounds_are_refused(void **state)
{
	bench *b = *state;
	static uint8_t data[1 << 16];
	files_write_idx(b->folder, false);
	write_map(b, "small.png", 40, 27);
	assert_background_refused(b, "small.png", MM_EFORMAT, "40 x 27 pixels; a background needs at least 28 x 28");
	assert_background_refused(b, "absent.png", MM_EIO, "absent.png");
	files_write(b->folder, "text.png", "no picture at all", 17);
	assert_background_refused(b, "text.png", MM_EFORMAT, "not a readable PNG");
	write_map(b, "cut.png", 100, 100);
	size_t size = files_read(b->folder, "cut.png", data, sizeof(data));
	files_write(b->folder, "cut.png", data, size / 2);
	assert_background_refused(b, "cut.png", MM_EFORMAT, "damaged or truncated");
	files_write_png(b->folder, "large.png", 9000, 9000, PNG_COLOR_TYPE_GRAY, 1, data, 0, NULL);
	assert_background_refused(b, "large.png", MM_EFORMAT, "at most 64 million");
}

/* Mean colour of a drawn style, and its mean contrast to its own inverse: |2 v - 255| of the channels. */
static void measure_style(bench *b, int style, double colour[3], double *contrast)
{
	char name[16];
	uint8_t rgb[SAMPLE];
	double sum = 0.0;
	snprintf(name, sizeof(name), "m%d", style);
	mm_instance *i = plain(b, name);
	mm_dataset *d = open_split(b, i, MM_SPLIT_TEST);
	colour[0] = colour[1] = colour[2] = 0.0;
	for (uint64_t k = 0; k < 20; k++) {
		read_bytes(b, d, k, rgb);
		for (int at = 0; at < 784; at++) {
			const uint8_t *v = rgb + 3 * at;
			for (int c = 0; c < 3; c++) {
				colour[c] += v[c] / (20.0 * 784.0);
				sum += fabs(2.0 * v[c] - 255.0);
			}
		}
	}
	*contrast = sum / (20.0 * SAMPLE);
	b->desc->close(d);
	b->desc->destroy(i);
}

static void drawn_styles_are_legible_and_differ(void **state)
{
	static uint8_t blank[16 + 784 * FILES_TEST];
	bench *b = *state;
	double colour[24][3], contrast;
	files_write_idx(b->folder, false);
	memset(blank + files_idx_images(1, blank) - 784 * FILES_TEST, 0, 784 * FILES_TEST); /* no ink: background only */
	files_write(b->folder, "t10k-images-idx3-ubyte", blank, sizeof(blank));
	for (int s = 0; s < 24; s++) {
		measure_style(b, s, colour[s], &contrast);
		if (contrast < 120.0) /* of 255 */
			fail_msg("style %d has a contrast of %.0f only", s, contrast);
		for (int t = s < 12 ? 0 : s - 12; t < (s < 12 ? s : s - 11);
		     t++) { /* later ones: the same pattern recoloured */
			double far = 0.0;
			for (int c = 0; c < 3; c++)
				far += fabs(colour[s][c] - colour[t][c]);
			if (far < 12.0)
				fail_msg("styles %d and %d look alike", s, t);
		}
	}
}

/* ---------------------------------------------------------------- PolyMNIST's folders */

/* The colour of picture i.digit of a view: no two alike. */
static void fill(uint8_t rgb[SAMPLE], int view, int i, int digit)
{
	for (int k = 0; k < 784; k++) {
		rgb[3 * k] = (uint8_t)(view * 100 + k % 28);
		rgb[3 * k + 1] = (uint8_t)(i * 20 + k / 28);
		rgb[3 * k + 2] = (uint8_t)(digit * 25);
	}
}

static void write_picture(bench *b, const char *base, int view, int i, int digit)
{
	char name[128];
	uint8_t rgb[SAMPLE];
	fill(rgb, view, i, digit);
	snprintf(name, sizeof(name), "%s/m%d/%d.%d.png", base, view, i, digit);
	files_write_png(b->folder, name, 28, 28, PNG_COLOR_TYPE_RGB, 8, rgb, 28 * 3, NULL);
}

/* Two views of 12 tuples; view 1 is written backwards, so that the order in the folders differs. */
static void write_views(bench *b, const char *base)
{
	char name[128];
	for (int view = 0; view < 2; view++) {
		snprintf(name, sizeof(name), "%s/m%d", base, view);
		files_make_subfolder(b->folder, name);
		for (int k = 0; k < 12; k++) {
			int at = view ? 11 - k : k;
			write_picture(b, base, view, at / 4 * 5, at % 4);
		}
	}
}

static void assert_views(bench *b, mm_instance *i, mm_instance *j)
{
	mm_dataset *d = open_split(b, i, MM_SPLIT_TRAIN), *f = open_split(b, j, MM_SPLIT_TRAIN);
	assert_int_equal(b->desc->count(d), 12);
	assert_int_equal(b->desc->count(f), 12);
	for (int k = 0; k < 12; k++) {
		char key[2][32], expected[32];
		uint8_t got[SAMPLE], want[SAMPLE];
		int number = k / 4 * 5, digit = k % 4; /* classes alternate */
		snprintf(expected, sizeof(expected), "%d.%d", number, digit);
		assert_ok(b, b->desc->key(d, (uint64_t)k, key[0], 32, &b->e));
		assert_ok(b, b->desc->key(f, (uint64_t)k, key[1], 32, &b->e));
		assert_string_equal(key[0], expected);
		assert_string_equal(key[1], expected);
		assert_int_equal(b->desc->label(d, (uint64_t)k), digit);
		read_bytes(b, f, (uint64_t)k, got);
		fill(want, 1, number, digit);
		assert_memory_equal(got, want, SAMPLE);
	}
	b->desc->close(d);
	b->desc->close(f);
	b->desc->destroy(i);
	b->desc->destroy(j);
}

static void folders_pair_by_file_name(void **state)
{
	static const char *const inside[] = { "", "PolyMNIST", "MMNIST" };
	for (int k = 0; k < 3; k++) {
		bench *b = *state;
		char base[64];
		files_remove_folder(b->folder);
		files_make_folder(b->folder);
		if (*inside[k])
			files_make_subfolder(b->folder, inside[k]);
		snprintf(base, sizeof(base), "%s%strain", inside[k], *inside[k] ? "/" : "");
		files_make_subfolder(b->folder, base);
		write_views(b, base);
		assert_views(b, plain(b, "m0"), make(b, "m1", "source", "folder", NULL, NULL));
	}
}

static void other_files_are_ignored_with_a_warning(void **state)
{
	static const char *const other[] = { "train/m0/01.3.png",  "train/m0/1.10.png", "train/m0/1.2.jpg",
		                                 "train/m0/notes.txt", "train/m0/-1.2.png", "train/m0/1234567890.1.png",
		                                 "train/m0/.hidden",   "train/m0/.3.png" };
	bench *b = *state;
	files_make_subfolder(b->folder, "train");
	write_views(b, "train");
	for (size_t k = 0; k < sizeof(other) / sizeof(other[0]); k++)
		files_write(b->folder, other[k], "x", 1);
	assert_views(b, plain(b, "m0"), plain(b, "m1"));
	assert_int_equal(b->host.warnings, 1);
	assert_non_null(strstr(b->host.line, "6 files"));
}

static void folder_trouble_is_explained(void **state)
{
	bench *b = *state;
	assert_open_fails(b, make(b, "m0", "source", "folder", NULL, NULL), MM_SPLIT_TRAIN, MM_EIO, "no folder train");
	files_make_subfolder(b->folder, "train");
	write_views(b, "train");
	assert_open_fails(b, plain(b, "m7"), MM_SPLIT_TRAIN, MM_EIO, "set view");
	assert_open_fails(b, plain(b, "m0"), MM_SPLIT_TEST, MM_EIO, "set root");
	files_make_subfolder(b->folder, "train/m2");
	files_write(b->folder, "train/m2/notes.txt", "x", 1);
	assert_open_fails(b, plain(b, "m2"), MM_SPLIT_TRAIN, MM_EFORMAT, "among its 1 files");
	assert_open_fails(b, make(b, "m0", "source", "idx", NULL, NULL), MM_SPLIT_TRAIN, MM_EIO, "train-images-idx3-ubyte");
}

static void damaged_pictures_fail_when_read(void **state)
{
	bench *b = *state;
	static uint8_t data[8192];
	float x[SAMPLE];
	files_make_subfolder(b->folder, "train");
	write_views(b, "train");
	size_t size = files_read(b->folder, "train/m0/0.1.png", data, sizeof(data));
	files_write(b->folder, "train/m0/0.1.png", data, size - 30);
	files_write_png(b->folder, "train/m0/0.2.png", 29, 28, PNG_COLOR_TYPE_GRAY, 8, data, 0, NULL);
	files_write_png(b->folder, "train/m0/0.3.png", 28, 28, PNG_COLOR_TYPE_GRAY, 8, data, 0, NULL);
	mm_instance *i = plain(b, "m0");
	mm_dataset *d = open_split(b, i, MM_SPLIT_TRAIN);
	assert_fails(b, b->desc->read(d, 1, x, &b->e), MM_EFORMAT, "0.1.png");
	assert_fails(b, b->desc->read(d, 2, x, &b->e), MM_EFORMAT, "29 x 28 pixels, expected 28 x 28");
	assert_ok(b, b->desc->read(d, 3, x, &b->e)); /* grey is fine */
	b->desc->close(d);
	b->desc->destroy(i);
}

static void a_limit_on_folders_keeps_classes_balanced(void **state)
{
	bench *b = *state;
	int seen[4] = { 0 };
	files_make_subfolder(b->folder, "train");
	write_views(b, "train");
	mm_instance *i = make(b, "m0", "limit", "8", NULL, NULL);
	mm_dataset *d = open_split(b, i, MM_SPLIT_TRAIN);
	assert_int_equal(b->desc->count(d), 8);
	for (uint64_t k = 0; k < 8; k++)
		seen[b->desc->label(d, k)]++;
	for (int c = 0; c < 4; c++)
		assert_int_equal(seen[c], 2);
	b->desc->close(d);
	b->desc->destroy(i);
}

static void idx_files_win_over_folders(void **state)
{
	bench *b = *state;
	files_write_idx(b->folder, true);
	files_make_subfolder(b->folder, "train");
	write_views(b, "train");
	mm_instance *i = plain(b, "m0"), *j = make(b, "m1", "source", "folder", NULL, NULL);
	mm_dataset *d = open_split(b, i, MM_SPLIT_TRAIN), *f = open_split(b, j, MM_SPLIT_TRAIN);
	assert_int_equal(b->desc->count(d), FILES_TRAIN);
	assert_int_equal(b->desc->count(f), 12);
	b->desc->close(d);
	b->desc->close(f);
	b->desc->destroy(i);
	b->desc->destroy(j);
}

/* ---------------------------------------------------------------- pictures */

/* A plain reader, so that the plugin's own is not its judge. */
static void read_png(const char *path, uint8_t rgb[SAMPLE])
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	assert_true(png_image_begin_read_from_file(&image, path));
	assert_int_equal(image.width, 28);
	assert_int_equal(image.height, 28);
	image.format = PNG_FORMAT_RGB;
	assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
}

static void rendering_and_reading_back_gives_the_same_bytes(void **state)
{
	bench *b = *state;
	float x[SAMPLE];
	uint8_t rgb[SAMPLE];
	char path[512];
	mm_instance *i = plain(b, "m0");
	for (int k = 0; k < SAMPLE; k++)
		x[k] = (float)(k % 256) / 127.5f - 1.0f;
	for (int again = 0; again < 2; again++) { /* the second replaces the first */
		assert_ok(b, b->desc->render(i, x, in_folder(b, "x.png", path), &b->e));
		read_png(path, rgb);
		for (int k = 0; k < SAMPLE; k++)
			assert_int_equal(rgb[k], k % 256);
	}
	b->desc->destroy(i);
}

static int count_files(const char *folder)
{
	int n = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	for (const struct dirent *entry; (entry = readdir(d));)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static void a_failed_render_leaves_nothing(void **state)
{
	bench *b = *state;
	float x[SAMPLE] = { 0.0f };
	char path[512];
	struct rlimit old, tight;
	mm_instance *i = plain(b, "m0");
	assert_fails(b, b->desc->render(i, x, in_folder(b, "no/such/x.png", path), &b->e), MM_EIO, "no/such/x.png");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = 40; /* as a full disk: the write fails after some bytes */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	mm_status status = b->desc->render(i, x, in_folder(b, "x.png", path), &b->e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_fails(b, status, MM_EIO, "cannot be written");
	assert_int_equal(count_files(b->folder), 0);
	b->desc->destroy(i);
}

static void drawing_clamps_and_keeps_to_its_rows(void **state)
{
	bench *b = *state;
	const mm_modality_picture *p = b->desc->get_extension(MM_MODALITY_PICTURE);
	const float values[] = { -1.0f, 1.0f, 0.0f, -7.0f, 7.0f, NAN, INFINITY, -INFINITY };
	const uint8_t bytes[] = { 0, 255, 128, 0, 255, 0, 255, 0 };
	uint8_t rgb[28 * 100];
	float x[SAMPLE];
	uint32_t width, height;
	mm_instance *i = plain(b, "m0");
	assert_ok(b, p->size(i, &width, &height, &b->e));
	assert_int_equal(width, 28);
	assert_int_equal(height, 28);
	for (int k = 0; k < SAMPLE; k++)
		x[k] = values[k % 8];
	memset(rgb, 99, sizeof(rgb));
	assert_ok(b, p->draw(i, x, rgb, 100, &b->e));
	for (int y = 0; y < 28; y++)
		for (int k = 0; k < 100; k++)
			assert_int_equal(rgb[100 * y + k], k < 84 ? bytes[(84 * y + k) % 8] : 99);
	b->desc->destroy(i);
}

/* ---------------------------------------------------------------- files that users name */

static void assert_file_gives(bench *b, mm_instance *i, const char *name, uint8_t red, uint8_t green, uint8_t blue)
{
	const mm_modality_file *f = b->desc->get_extension(MM_MODALITY_FILE);
	const uint8_t expected[3] = { red, green, blue };
	char path[512];
	float x[SAMPLE];
	assert_ok(b, f->read_file(i, in_folder(b, name, path), x, &b->e));
	for (int k = 0; k < SAMPLE; k++)
		assert_true(x[k] == (float)expected[k % 3] / 127.5f - 1.0f);
}

static void pictures_of_all_kinds_are_samples(void **state)
{
	bench *b = *state;
	static uint8_t rows[28 * 28 * 8];
	uint8_t palette[768] = { 0 };
	mm_instance *i = plain(b, "m0");
	memset(rows, 77, sizeof(rows));
	files_write_png(b->folder, "grey.png", 28, 28, PNG_COLOR_TYPE_GRAY, 8, rows, 28, NULL);
	assert_file_gives(b, i, "grey.png", 77, 77, 77);
	palette[3 * 77] = 10, palette[3 * 77 + 1] = 20, palette[3 * 77 + 2] = 30;
	files_write_png(b->folder, "palette.png", 28, 28, PNG_COLOR_TYPE_PALETTE, 8, rows, 28, palette);
	assert_file_gives(b, i, "palette.png", 10, 20, 30);
	files_write_png(b->folder, "deep.png", 28, 28, PNG_COLOR_TYPE_RGB, 16, rows, 28 * 6, NULL);
	assert_file_gives(b, i, "deep.png", 77, 77, 77);
	for (int k = 0; k < 28 * 28; k++)
		memcpy(rows + 4 * k, "\x01\x02\x03\x00", 4);
	files_write_png(b->folder, "clear.png", 28, 28, PNG_COLOR_TYPE_RGBA, 8, rows, 28 * 4, NULL);
	assert_file_gives(b, i, "clear.png", 255, 255, 255);
	b->desc->destroy(i);
}

static void a_rendered_sample_reads_back(void **state)
{
	bench *b = *state;
	const mm_modality_file *f = b->desc->get_extension(MM_MODALITY_FILE);
	float x[SAMPLE], back[SAMPLE];
	char path[512];
	mm_instance *i = plain(b, "m0");
	for (int k = 0; k < SAMPLE; k++)
		x[k] = (float)(k % 256) / 127.5f - 1.0f;
	assert_ok(b, b->desc->render(i, x, in_folder(b, "x.png", path), &b->e));
	assert_ok(b, f->read_file(i, path, back, &b->e));
	assert_memory_equal(x, back, sizeof(x));
	assert_null(f->read_text);
	b->desc->destroy(i);
}

static void assert_file_refused(bench *b, mm_instance *i, const char *name, mm_status status, const char *word)
{
	const mm_modality_file *f = b->desc->get_extension(MM_MODALITY_FILE);
	float x[SAMPLE];
	char path[512];
	for (int k = 0; k < SAMPLE; k++)
		x[k] = 7.0f;
	assert_fails(b, f->read_file(i, in_folder(b, name, path), x, &b->e), status, word);
	for (int k = 0; k < SAMPLE; k++)
		assert_true(x[k] == 7.0f);
}

static void hostile_files_are_refused(void **state)
{
	bench *b = *state;
	static uint8_t data[1 << 16], rows[30 * 30 * 3];
	mm_instance *i = plain(b, "m0");
	assert_file_refused(b, i, "absent.png", MM_EIO, "absent.png");
	files_write(b->folder, "empty.png", "", 0);
	assert_file_refused(b, i, "empty.png", MM_EFORMAT, "not a readable PNG");
	files_write(b->folder, "text.png", "no picture at all", 17);
	assert_file_refused(b, i, "text.png", MM_EFORMAT, "not a readable PNG");
	files_write_png(b->folder, "wide.png", 29, 28, PNG_COLOR_TYPE_RGB, 8, rows, 29 * 3, NULL);
	assert_file_refused(b, i, "wide.png", MM_EFORMAT, "29 x 28 pixels, expected 28 x 28");
	files_write_png(b->folder, "huge.png", 30000, 30000, PNG_COLOR_TYPE_GRAY, 1, data, 0, NULL);
	assert_file_refused(b, i, "huge.png", MM_EFORMAT, "30000 x 30000 pixels, expected 28 x 28");
	for (size_t k = 0; k < sizeof(rows); k++)
		rows[k] = (uint8_t)(k * 2654435761u >> 24);
	files_write_png(b->folder, "good.png", 28, 28, PNG_COLOR_TYPE_RGB, 8, rows, 28 * 3, NULL);
	size_t size = files_read(b->folder, "good.png", data, sizeof(data));
	for (size_t cut = 1; cut < 12; cut++) {
		files_write(b->folder, "cut.png", data, size * cut / 12);
		assert_file_refused(b, i, "cut.png", MM_EFORMAT, "cut.png");
	}
	data[20] ^= 1; /* in the header: its checksum no longer fits */
	files_write(b->folder, "header.png", data, size);
	assert_file_refused(b, i, "header.png", MM_EFORMAT, "header.png");
	data[20] ^= 1;
	data[size / 2] ^= 0x10;
	files_write(b->folder, "body.png", data, size);
	assert_file_refused(b, i, "body.png", MM_EFORMAT, "body.png");
	b->desc->destroy(i);
}

/* ---------------------------------------------------------------- real data */

static void assert_real(bench *b, const char *root, const char *background)
{
	static const uint64_t expected[] = { 60000, 10000 };
	for (int split = 0; split < 2; split++) {
		mm_config c1 = { "m0", root, { { background ? "background" : NULL, background }, { NULL, NULL } } };
		mm_config c2 = { "m1", root, { { NULL, NULL } } };
		mm_instance *i, *j;
		uint8_t x[SAMPLE], y[SAMPLE];
		assert_ok(b, b->desc->create(b->self, &c1, &i, &b->e));
		assert_ok(b, b->desc->create(b->self, &c2, &j, &b->e));
		mm_dataset *d = open_split(b, i, split), *f = open_split(b, j, split);
		assert_int_equal(b->desc->count(d), expected[split]);
		assert_int_equal(b->desc->count(f), expected[split]);
		for (uint64_t k = 0; k < expected[split]; k += 97) {
			char s[32], t[32];
			assert_ok(b, b->desc->key(d, k, s, sizeof(s), &b->e));
			assert_ok(b, b->desc->key(f, k, t, sizeof(t), &b->e));
			assert_string_equal(s, t);
			assert_int_equal(b->desc->label(d, k), b->desc->label(f, k));
			read_bytes(b, d, k, x);
			read_bytes(b, f, k, y);
			assert_memory_not_equal(x, y, SAMPLE);
		}
		assert_true(atomic_load(&b->host.bytes) < 16000000); /* both views together */
		b->desc->close(d);
		b->desc->close(f);
		b->desc->destroy(i);
		b->desc->destroy(j);
	}
}

static void reads_real_mnist(void **state)
{
	const char *data = getenv("MMCORE_DATA");
	char root[512], background[512];
	if (!data || !*data) {
		print_message("skipped: MMCORE_DATA is not set (a folder with mnist/ and backgrounds/)\n");
		skip();
	}
	snprintf(root, sizeof(root), "%s/mnist", data);
	snprintf(background, sizeof(background), "%s/backgrounds/0_astronaut.png", data);
	assert_real(*state, root, background);
}

static void reads_real_fashion_mnist(void **state)
{
	static const char root[] = "/usr/share/datasets/fashion-mnist"; /* Debian's dataset-fashion-mnist */
	if (access(root, R_OK)) {
		print_message("skipped: %s is not there (Debian package dataset-fashion-mnist)\n", root);
		skip();
	}
	assert_real(*state, root, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_test(all_kinds_of_png_serve_as_background),
		one_test(bad_backgrounds_are_refused),
		one_test(drawn_styles_are_legible_and_differ),
		one_test(folders_pair_by_file_name),
		one_test(other_files_are_ignored_with_a_warning),
		one_test(folder_trouble_is_explained),
		one_test(damaged_pictures_fail_when_read),
		one_test(a_limit_on_folders_keeps_classes_balanced),
		one_test(idx_files_win_over_folders),
		one_test(rendering_and_reading_back_gives_the_same_bytes),
		one_test(a_failed_render_leaves_nothing),
		one_test(drawing_clamps_and_keeps_to_its_rows),
		one_test(pictures_of_all_kinds_are_samples),
		one_test(a_rendered_sample_reads_back),
		one_test(hostile_files_are_refused),
		one_test(reads_real_mnist),
		one_test(reads_real_fashion_mnist),
	};
	return cmocka_run_group_tests_name("mnist pictures", tests, NULL, NULL);
}
