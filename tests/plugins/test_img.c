/* test_img.c - picture files, squares made of them, the bounded cache, the plugin's settings and its networks. */
#include "mmi_build.h"

#include "../rig/media_rig.h"

#include "cache.h"
#include "decode.h"
#include "model/model.h"
#include "orient.h"
#include "picture.h"
#include "resize.h"
#include "../rig/device_rig.h"

#include <math.h>
#include <png.h>
#include <zlib.h>

/* ---------------------------------------------------------------- files */

static mm_status decode(media_host *m, rig *r, const char *name, img_pixels *out, mm_error *e)
{
	char path[400];
	snprintf(path, sizeof path, "%s/%s", r->folder, name);
	return img_decode(&m->com, path, 16, out, e);
}

/* A gradient in a format of libpng's simplified interface. */
static void write_format(rig *r, const char *name, png_uint_32 format)
{
	png_image image = { .version = PNG_IMAGE_VERSION,
		                .width = 20,
		                .height = 10,
		                .format = format & ~(png_uint_32)PNG_FORMAT_FLAG_COLORMAP };
	uint16_t wide[20 * 10 * 4];
	uint8_t narrow[20 * 10 * 4];
	char path[400];
	const unsigned channels = PNG_IMAGE_SAMPLE_CHANNELS(image.format);
	for (unsigned i = 0; i < 20 * 10 * channels; i++) {
		narrow[i] = (uint8_t)(channels % 2 == 0 && i % channels == channels - 1 ? 255 : 200);
		wide[i] = (uint16_t)(narrow[i] * 257);
	}
	media_text(r, name, "");
	snprintf(path, sizeof path, "%s/%s", r->folder, name);
	const void *pixels = format & PNG_FORMAT_FLAG_LINEAR ? (const void *)wide : narrow;
	assert_true(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

static void every_kind_of_png_becomes_rgb(void **state)
{
	static const png_uint_32 formats[] = { PNG_FORMAT_GRAY, PNG_FORMAT_GA,       PNG_FORMAT_RGB,
		                                   PNG_FORMAT_RGBA, PNG_FORMAT_LINEAR_Y, PNG_FORMAT_LINEAR_RGB_ALPHA };
	media_host m;
	media_host_open(&m);
	for (size_t i = 0; i < MMI_COUNT(formats); i++) {
		mm_error e = MM_ERROR_INIT;
		img_pixels p;
		write_format(*state, "p.png", formats[i]);
		assert_ok(decode(&m, *state, "p.png", &p, &e), e);
		assert_int_equal(p.width, 20);
		assert_int_equal(p.height, 10);
		/* 16-bit files written as linear light are taken as they stand: sRGB of 200 / 255, or 200 itself */
		for (int k = 0; k < 20 * 10 * 3; k++)
			assert_true(abs(p.rgb[k] - p.rgb[0]) <= 1 && p.rgb[k] >= 199);
		mma_free(&m.com, p.rgb);
	}
	media_host_close(&m);
}

static void transparent_parts_are_white(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	img_pixels p;
	char path[400];
	png_image image = { .version = PNG_IMAGE_VERSION, .width = 1, .height = 1, .format = PNG_FORMAT_RGBA };
	media_host_open(&m);
	media_text(*state, "t.png", "");
	snprintf(path, sizeof path, "%s/t.png", ((rig *)*state)->folder);
	assert_true(png_image_write_to_file(&image, path, 0, (const uint8_t[]){ 10, 20, 30, 0 }, 0, NULL));
	assert_ok(decode(&m, *state, "t.png", &p, &e), e);
	assert_true(p.rgb[0] == 255 && p.rgb[1] == 255 && p.rgb[2] == 255);
	mma_free(&m.com, p.rgb);
	media_host_close(&m);
}

static void jpeg_is_read_and_scaled_down_while_decoding(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	img_pixels p;
	if (!media_jpeg(*state, "a.jpg", 300, 200, 0, 0)) {
		media_host_open(&m);
		media_write(*state, "a.jpg", "\xff\xd8\xff\xe0", 4);
		assert_fails(decode(&m, *state, "a.jpg", &p, &e), MM_EUNSUPPORTED, e, "built without libjpeg");
		media_host_close(&m);
		return;
	}
	media_jpeg(*state, "b.png", 300, 200, 2, 1); /* progressive, and with a suffix that lies */
	media_host_open(&m);
	assert_ok(decode(&m, *state, "a.jpg", &p, &e), e); /* wanted 16: 1/4 leaves 75 x 50, 1/8 would leave 25 */
	assert_int_equal(p.width, 75);
	assert_int_equal(p.height, 50);
	const uint8_t *centre = p.rgb + (25 * 75 + 37) * 3;
	assert_true(centre[0] > 190 && centre[1] < 60 && centre[2] < 60);
	mma_free(&m.com, p.rgb);
	assert_ok(decode(&m, *state, "b.png", &p, &e), e);
	mma_free(&m.com, p.rgb);
	media_host_close(&m);
}

/* ---------------------------------------------------------------- pictures stored lying on their side */

/* EXIF with two entries, the second one the orientation: bytes written. */
static size_t make_exif(uint8_t out[64], bool big, int orientation)
{
	static const uint8_t little[] = { 'I', 'I', '*', 0,    8, 0, 0, 0, 2, 0, 0x0F, 1, 2, 0, 1, 0, 0, 0, 'x',
		                              0,   0,   0,   0x12, 1, 3, 0, 1, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t large[] = { 'M', 'M', 0, '*', 0,    0, 0, 8, 0, 2, 1, 0x0F, 0, 2, 0, 0, 0, 1, 'x',
		                             0,   0,   0, 1,   0x12, 0, 3, 0, 0, 0, 1, 0,    0, 0, 0, 0, 0, 0, 0 };
	memcpy(out, big ? large : little, sizeof little);
	out[30 + big] = (uint8_t)orientation;
	return sizeof little;
}

/* The file FROM as TO, with more bytes after the first `at`. */
static void insert(rig *r, const char *from, const char *to, size_t at, const uint8_t *bytes, size_t n)
{
	static uint8_t whole[1 << 16];
	char path[400];
	snprintf(path, sizeof path, "%s/%s", r->folder, from);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t size = fread(whole, 1, sizeof whole - n, file);
	fclose(file);
	assert_true(size > at && size < sizeof whole - n);
	memmove(whole + at + n, whole + at, size - at);
	memcpy(whole + at, bytes, n);
	media_write(r, to, whole, size + n);
}

/* Behind IHDR; nobody compares the checksum of a chunk that libpng does not know or of which it may ask nothing. */
static void add_exif_to_png(rig *r, const char *from, const char *to, int orientation)
{
	uint8_t chunk[96] = { 0 };
	size_t n = make_exif(chunk + 8, orientation % 2, orientation);
	chunk[3] = (uint8_t)n;
	memcpy(chunk + 4, "eXIf", 4);
	const uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), chunk + 4, (uInt)n + 4);
	png_save_uint_32(chunk + 8 + n, crc);
	insert(r, from, to, 33, chunk, n + 12);
}

static void add_exif_to_jpeg(rig *r, const char *from, const char *to, int orientation)
{
	uint8_t segment[96] = { 0xFF, 0xE1 };
	size_t n = make_exif(segment + 10, orientation % 2, orientation);
	segment[3] = (uint8_t)(n + 8);
	memcpy(segment + 4, "Exif\0", 6);
	insert(r, from, to, 2, segment, n + 10);
}

/* Where a picture's pixel (x, y) stands in a file of that orientation, after the standard's words for row 0 and column
 * 0. */
static void stored_place(int orientation, int width, int height, int x, int y, int *u, int *v)
{
	const int right = width - 1 - x, below = height - 1 - y;
	*u = (const int[]){ 0, x, right, right, x, y, y, below, below }[orientation];
	*v = (const int[]){ 0, y, y, below, below, x, right, right, x }[orientation];
}

static void pictures_are_turned_as_viewers_show_them(void **state)
{
	enum { WIDTH = 5, HEIGHT = 3 };
	const img_fit fit = { .size = 32 };
	media_host m;
	uint8_t upright[WIDTH * HEIGHT * 3], stored[sizeof upright];
	uint8_t expected[32 * 32 * 3], found[sizeof expected];
	media_host_open(&m);
	for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
		upright[i] = (uint8_t)(i * 5);
	for (int orientation = 1; orientation <= 8; orientation++) {
		mm_error e = MM_ERROR_INIT;
		img_pixels p;
		const int width = orientation > 4 ? HEIGHT : WIDTH, height = orientation > 4 ? WIDTH : HEIGHT;
		for (int y = 0; y < HEIGHT; y++)
			for (int x = 0; x < WIDTH; x++) {
				int u, v;
				stored_place(orientation, WIDTH, HEIGHT, x, y, &u, &v);
				memcpy(stored + 3 * (v * width + u), upright + 3 * (y * WIDTH + x), 3);
			}
		media_text(*state, "stored.png", "");
		assert_ok(com_write_png(&m.com, rig_path(*state, "stored.png"), (uint32_t)width, (uint32_t)height, stored, &e),
		          e);
		add_exif_to_png(*state, "stored.png", "turned.png", orientation);
		assert_ok(decode(&m, *state, "turned.png", &p, &e), e);
		assert_int_equal(p.orientation, orientation);
		assert_memory_equal(p.rgb, stored, sizeof stored);
		assert_ok(img_turn(&m.com, &p, &e), e);
		assert_true(p.width == WIDTH && p.height == HEIGHT);
		assert_memory_equal(p.rgb, upright, sizeof upright);
		assert_ok(img_resize(&m.com, &p, &fit, expected, &e), e);
		mma_free(&m.com, p.rgb);
		assert_ok(img_square(&m.com, rig_path(*state, "turned.png"), &fit, found, &e), e);
		assert_memory_equal(found, expected, sizeof expected);
	}
	media_host_close(&m);
}

static void jpeg_says_how_the_camera_was_held(void **state)
{
	media_host m;
	if (!media_jpeg(*state, "a.jpg", 30, 20, 0, 0))
		skip();
	media_host_open(&m);
	for (int orientation = 0; orientation < 10; orientation++) {
		mm_error e = MM_ERROR_INIT;
		img_pixels p;
		add_exif_to_jpeg(*state, "a.jpg", "b.jpg", orientation);
		assert_ok(decode(&m, *state, "b.jpg", &p, &e), e);
		assert_int_equal(p.orientation, orientation >= 1 && orientation <= 8 ? orientation : 1);
		mma_free(&m.com, p.rgb);
	}
	media_host_close(&m);
}

static void exif_may_hold_anything(void **state)
{
	uint8_t exif[64];
	(void)state;
	for (int big = 0; big < 2; big++) {
		const size_t n = make_exif(exif, big, 6);
		assert_int_equal(img_exif_orientation(exif, n), 6);
		for (size_t k = 0; k < n; k++) {
			uint8_t *exact = malloc(k + 1); /* so that a sanitizer sees what is read behind the end */
			assert_non_null(exact);
			memcpy(exact, exif, k);
			const int found = img_exif_orientation(exact, k);
			assert_true(found == 1 || (found == 6 && k >= 34));
			free(exact);
		}
		for (size_t k = 0; k < n; k++)
			for (int value = 0; value < 256; value += 51) {
				const uint8_t keep = exif[k];
				exif[k] = (uint8_t)value;
				const int found = img_exif_orientation(exif, n);
				assert_true(found >= 1 && found <= 8);
				exif[k] = keep;
			}
	}
}

/* In training and in use; orientation = ignore takes the rows as they are. */
static void turned_pictures_are_samples_like_upright_ones(void **state)
{
	static float upright[32 * 32 * 3], turned[32 * 32 * 3], given[32 * 32 * 3];
	static const char *const keys[] = { "size = 32", "size = 32\norientation = ignore" };
	media_text(*state, "d/images.txt", "1 a/x.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n");
	media_png(*state, "d/images/a/x.png", 90, 60, 3, 0);
	for (int ignored = 0; ignored < 2; ignored++) {
		mm_error e = MM_ERROR_INIT;
		media_setup s;
		mm_dataset *d;
		media_png(*state, "plain.png", 90, 60, 3, 0);
		add_exif_to_png(*state, "plain.png", "d/images/a/x.png", 6);
		assert_ok(media_setup_open(*state, "img", "d", keys[ignored], &s, &e), e);
		assert_ok(mmi_modality_open(s.m, MM_SPLIT_TRAIN, &d, &e), e);
		assert_ok(s.m->desc->read(d, 0, turned, &e), e);
		s.m->desc->close(d);
		assert_ok(mmi_modality_read_given(s.m, rig_path(*state, "plain.png"), upright, &e), e);
		assert_ok(mmi_modality_read_given(s.m, rig_path(*state, "d/images/a/x.png"), given, &e), e);
		assert_memory_equal(given, turned, sizeof given);
		bool equal = true;
		for (int y = 0; y < 32; y++)
			for (int x = 0; x < 32; x++)
				equal = equal && !memcmp(turned + 3 * (y * 32 + x),
				                         upright + 3 * (ignored ? y * 32 + x : (31 - x) * 32 + y), 3 * sizeof(float));
		assert_true(equal);
		media_setup_close(&s);
	}
}

/* Each takes the time of all pixels. */
static void scans_times_pixels_have_a_bound(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	img_pixels p;
	if (!media_scans(*state, "bomb.jpg", 4096, 64)) {
		print_message("built without libjpeg\n");
		skip();
	}
	media_scans(*state, "small.jpg", 64, 64);
	media_host_open(&m);
	assert_fails(decode(&m, *state, "bomb.jpg", &p, &e), MM_EFORMAT, e, "more than 64 scans of 4096 x 4096 pixels");
	assert_ok(decode(&m, *state, "small.jpg", &p, &e), e);
	mma_free(&m.com, p.rgb);
	media_host_close(&m);
}

static void what_is_no_picture_is_named(void **state)
{
	static const uint8_t huge[] = { 0x89, 'P',  'N', 'G', '\r', '\n', 0x1A, '\n', 0, 0, 0, 13, 'I',  'H',  'D',  'R', 0,
		                            0,    0xFF, 0,   0,   0,    0xFF, 0,    8,    2, 0, 0, 0,  0x5F, 0x3B, 0x0D, 0xE5 };
	media_host m;
	mm_error e = MM_ERROR_INIT;
	img_pixels p;
	media_host_open(&m);
	assert_fails(decode(&m, *state, "gone.png", &p, &e), MM_EIO, e, "gone.png");
	media_text(*state, "empty.png", "");
	assert_fails(decode(&m, *state, "empty.png", &p, &e), MM_EFORMAT, e, "empty.png: an empty file");
	media_text(*state, "text.png", "no picture");
	assert_fails(decode(&m, *state, "text.png", &p, &e), MM_EFORMAT, e, "begins like neither PNG nor JPEG");
	media_write(*state, "huge.png", huge, sizeof huge);
	assert_int_equal(decode(&m, *state, "huge.png", &p, &e), MM_EFORMAT);
	assert_non_null(strstr(e.message, "huge.png"));
	media_text(*state, "folder.png/x", "");
	assert_int_not_equal(decode(&m, *state, "folder.png", &p, &e), MM_OK);
	media_host_close(&m);
}

static void pictures_of_other_kinds_are_named(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *text;
	} cases[] = {
		{ "GIF89a\x01\0\x01", 9, "a GIF picture; PNG and JPEG are read: convert it" },
		{ "RIFF\x24\0\0\0WEBPVP8 ", 16, "a WebP picture" },
		{ "RIFF\x24\0\0\0WAVEfmt ", 16, "begins like neither" },
		{ "BM\x36\0\0\0", 6, "a BMP picture" },
		{ "II*\0\x08\0\0\0", 8, "a TIFF picture" },
		{ "MM\0*\0\0\0\x08", 8, "a TIFF picture" },
		{ "\0\0\0\030ftypheic\0\0", 14, "a HEIF picture" },
		{ "\0\0\0\030ftypavif\0\0", 14, "an AVIF picture" },
		{ "\0\0\0\030ftypmp42\0\0", 14, "a video" },
		{ "<svg xmlns", 10, "an SVG drawing" },
		{ "<?xml version", 13, "an SVG drawing or other XML" },
		{ "%PDF-1.4", 8, "a PDF document" },
		{ "<!DOCTYPE html>", 15, "an HTML page" },
		{ "version https://git-lfs.github.com/spec/v1", 42, "git lfs pull" },
		{ "PK\x03\x04\x14", 5, "a ZIP archive" },
		{ "GI", 2, "begins like neither" },
	};
	media_host m;
	media_host_open(&m);
	for (size_t i = 0; i < MMI_COUNT(cases); i++) {
		mm_error e = MM_ERROR_INIT;
		img_pixels p;
		media_write(*state, "x.png", cases[i].bytes, cases[i].n);
		assert_fails(decode(&m, *state, "x.png", &p, &e), MM_EFORMAT, e, cases[i].text);
	}
	media_host_close(&m);
}

/* Cut at many places and with bytes changed: a picture or an error, never a crash, and never a block left. */
static void damaged_files_are_errors_or_pictures(void **state)
{
	static const char *const names[] = { "a.png", "a.jpg", "b.jpg" };
	media_host m;
	media_host_open(&m);
	media_png(*state, "a.png", 50, 40, 1, 0);
	bool jpeg = media_jpeg(*state, "a.jpg", 50, 40, 1, 0) && media_jpeg(*state, "b.jpg", 50, 40, 3, 1);
	for (size_t f = 0; f < (jpeg ? 3 : 1); f++) {
		size_t size;
		char path[400];
		snprintf(path, sizeof path, "%s/%s", ((rig *)*state)->folder, names[f]);
		char *bytes = rig_read(path, &size);
		uint32_t random = 12345;
		int cut_refused = 0;
		for (int k = 0; k < 200; k++) {
			mm_error e = MM_ERROR_INIT;
			img_pixels p;
			char *copy = malloc(size);
			memcpy(copy, bytes, size);
			random = random * 1664525 + 1013904223;
			size_t length = k < 50 ? size * (size_t)k / 50 : size;
			if (k >= 50)
				copy[random % size] = (char)(random >> 24);
			media_write(*state, "x", copy, length);
			free(copy);
			mm_status status = decode(&m, *state, "x", &p, &e);
			cut_refused += k < 50 && status != MM_OK;
			if (status == MM_OK)
				mma_free(&m.com, p.rgb);
			else
				assert_non_null(strstr(e.message, "/x: "));
		}
		assert_true(cut_refused >= 46); /* a PNG without its last, empty chunk is whole */
		free(bytes);
	}
	media_host_close(&m);
}

/* ---------------------------------------------------------------- squares */

static img_pixels make_pixels(media_host *m, uint32_t width, uint32_t height)
{
	mm_error e = MM_ERROR_INIT;
	img_pixels p;
	assert_ok(img_make_room(&m->com, "x", width, height, &p, &e), e);
	return p;
}

static void flat_pictures_stay_flat_at_any_size(void **state)
{
	static const uint32_t sizes[][2] = { { 1, 1 }, { 3, 200 }, { 31, 33 }, { 64, 64 }, { 500, 375 }, { 7, 5 } };
	media_host m;
	(void)state;
	media_host_open(&m);
	for (size_t i = 0; i < MMI_COUNT(sizes); i++)
		for (int k = 0; k < 4; k++) {
			mm_error e = MM_ERROR_INIT;
			uint8_t out[32 * 32 * 3];
			const img_fit fit = { .size = 32, .lanczos = k & 1, .crop = k >> 1 };
			img_pixels p = make_pixels(&m, sizes[i][0], sizes[i][1]);
			memset(p.rgb, 77, (size_t)p.width * p.height * 3);
			assert_ok(img_resize(&m.com, &p, &fit, out, &e), e);
			for (size_t x = 0; x < sizeof out; x++)
				assert_int_equal(out[x], 77);
			mma_free(&m.com, p.rgb);
		}
	media_host_close(&m);
}

static void area_takes_the_mean_of_what_a_pixel_covers(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	uint8_t out[32 * 32 * 3];
	(void)state;
	media_host_open(&m);
	img_pixels p = make_pixels(&m, 96, 64);
	for (uint32_t y = 0; y < 64; y++)
		for (uint32_t x = 0; x < 96; x++)
			for (uint32_t c = 0; c < 3; c++)
				p.rgb[(y * 96 + x) * 3 + c] = (uint8_t)((x * 2 + y) % 256);
	assert_ok(img_resize(&m.com, &p, &(img_fit){ .size = 32 }, out, &e), e);
	for (uint32_t y = 0; y < 32; y++)
		for (uint32_t x = 0; x < 32; x++)
			assert_true(fabs(out[(y * 32 + x) * 3] - ((3.0 * x + 1) * 2 + 2.0 * y + 0.5)) <= 0.51);
	/* The central square begins 16 pixels further right. */
	assert_ok(img_resize(&m.com, &p, &(img_fit){ .size = 32, .crop = 1 }, out, &e), e);
	for (uint32_t y = 0; y < 32; y++)
		for (uint32_t x = 0; x < 32; x++)
			assert_true(fabs(out[(y * 32 + x) * 3] - ((16 + 2.0 * x + 0.5) * 2 + 2.0 * y + 0.5)) <= 0.51);
	mma_free(&m.com, p.rgb);
	media_host_close(&m);
}

static void the_cache_stays_within_its_bytes_and_keeps_what_is_used(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	img_cache c;
	(void)state;
	media_host_open(&m);
	assert_ok(img_cache_open(&c, &m.com, 10, 100, 45, &e), e);
	assert_int_equal(c.n_slots, 4);
	for (uint32_t k = 0; k < 4; k++)
		memset(img_cache_put(&c, k), (int)k, 10);
	assert_non_null(img_cache_get(&c, 0));
	memset(img_cache_put(&c, 9), 9, 10); /* 0 was used since, so 1 goes */
	assert_non_null(img_cache_get(&c, 0));
	assert_null(img_cache_get(&c, 1));
	for (uint32_t k = 10; k < 90; k++)
		memset(img_cache_put(&c, k), (int)k, 10);
	int held = 0;
	for (uint32_t k = 0; k < 100; k++) {
		const uint8_t *bytes = img_cache_get(&c, k);
		held += bytes != NULL;
		for (int i = 0; bytes && i < 10; i++)
			assert_int_equal(bytes[i], k);
	}
	assert_int_equal(held, 4);
	img_cache_close(&c);
	assert_ok(img_cache_open(&c, &m.com, 10, 100, 9, &e), e);
	assert_null(img_cache_put(&c, 3));
	assert_null(img_cache_get(&c, 3));
	img_cache_close(&c);
	media_host_close(&m);
}

/* ---------------------------------------------------------------- the plugin in its host */

static void settings_out_of_range_are_refused(void **state)
{
	static const char *const wrong[][2] = { { "size = 48", "32, 64, 128 or 256" },
		                                    { "broken = maybe", "one of refuse, skip" },
		                                    { "energy_stride = 3", "1, 2, 4 or 8" },
		                                    { "net = vgg", "one of conv, resnet" },
		                                    { "cache = 3", "unknown key" } };
	media_cub(*state, "d");
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		mm_error e = MM_ERROR_INIT;
		media_setup s;
		assert_fails(media_setup_open(*state, "img", "d", wrong[i][0], &s, &e), MM_ECONFIG, e, wrong[i][1]);
	}
}

static void samples_are_pictures_in_range_and_the_same_each_time(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup s;
	mm_dataset *d;
	enum { N = 32 * 32 * 3 };
	static float one[N], two[N];
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "img", "d", "size = 32\ncache_mb = 0", &s, &e), e);
	const mmi_modality *m = s.m;
	assert_int_equal(m->info.n_classes, MEDIA_CLASSES);
	assert_ok(mmi_modality_open(m, MM_SPLIT_TRAIN, &d, &e), e);
	assert_int_equal(m->desc->count(d), 2 * MEDIA_CLASSES * (MEDIA_PER_CLASS - MEDIA_TEST_PER_CLASS));
	for (uint64_t k = 0; k < m->desc->count(d); k++) {
		assert_ok(m->desc->read(d, k, one, &e), e);
		assert_ok(m->desc->read(d, k, two, &e), e);
		assert_memory_equal(one, two, sizeof one);
		int coloured = 0;
		for (int i = 0; i < N; i++) {
			assert_true(one[i] >= -1 && one[i] <= 1);
			coloured += one[i] < 0;
		}
		assert_true(coloured > 50);
	}
	m->desc->close(d);
	media_setup_close(&s);
	assert_int_equal(s.warnings, 0);
}

/* A coin decides for each sample of the training data; among 64 both sides come up. */
static void mirrored_samples_are_the_same_each_time(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup s[2];
	mm_dataset *d[2];
	static float x[3][32 * 32 * 3];
	int turned = 0;
	media_cub(*state, "d");
	for (int i = 0; i < 2; i++) {
		assert_ok(media_setup_open(*state, "img", "d", i ? "size = 32\nmirror = yes" : "size = 32", &s[i], &e), e);
		assert_ok(mmi_modality_open(s[i].m, MM_SPLIT_TRAIN, &d[i], &e), e);
	}
	for (uint64_t k = 0; k < 64; k++) {
		for (int i = 0; i < 3; i++)
			assert_ok(s[i > 0].m->desc->read(d[i > 0], k, x[i], &e), e);
		assert_memory_equal(x[1], x[2], sizeof x[1]);
		turned += memcmp(x[0], x[1], sizeof x[0]) != 0;
		for (int p = 0; p < 32 * 32 * 3 && memcmp(x[0], x[1], sizeof x[0]); p++)
			assert_true(x[1][p] == x[0][(p / 96) * 96 + (31 - p % 96 / 3) * 3 + p % 3]);
	}
	assert_in_range(turned, 8, 56);
	for (int i = 0; i < 2; i++) {
		s[i].m->desc->close(d[i]);
		media_setup_close(&s[i]);
	}
}

static void a_picture_is_read_as_a_user_names_it(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup s;
	static float x[32 * 32 * 3];
	media_cub(*state, "d");
	media_png(*state, "mine.png", 90, 70, 2, 0);
	assert_ok(media_setup_open(*state, "img", "d", "size = 32", &s, &e), e);
	assert_ok(mmi_modality_read_given(s.m, rig_path(*state, "mine.png"), x, &e), e);
	assert_true(x[(16 * 32 + 16) * 3] < -0.5f && x[(16 * 32 + 16) * 3 + 2] > 0.5f &&
	            x[0] > 0.99f); /* a blue disc on white */
	assert_fails(mmi_modality_read_given(s.m, rig_path(*state, "d/images.txt"), x, &e), MM_EFORMAT, e,
	             "neither PNG nor JPEG");
	assert_fails(mmi_modality_read_given(s.m, "a blue disc", x, &e), MM_EIO, e, "reads nothing but files");
	media_setup_close(&s);
}

static void broken_pictures_are_refused_or_left_out(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup s;
	mm_dataset *d;
	static float x[32 * 32 * 3];
	media_cub(*state, "d");
	media_text(*state, "d/images/001.red & co/square_4.png", "not a picture");
	assert_int_equal(unlink(rig_path(*state, "d/images/001.red & co/square_7.png")), 0);
	const uint64_t all = 2 * MEDIA_CLASSES * (MEDIA_PER_CLASS - MEDIA_TEST_PER_CLASS);
	assert_ok(media_setup_open(*state, "img", "d", "size = 32", &s, &e), e);
	const mmi_modality *m = s.m;
	assert_ok(mmi_modality_open(m, MM_SPLIT_TRAIN, &d, &e), e);
	assert_int_equal(m->desc->count(d), all - 2);
	assert_non_null(
		strstr(s.first, "1 of 32 pictures are listed but not there (first: images/001.red & co/square_7.png)"));
	int failed = 0;
	for (uint64_t k = 0; k < all - 2; k++)
		if (m->desc->read(d, k, x, &e) != MM_OK) {
			failed++;
			assert_non_null(strstr(e.message, "square_4.png"));
			assert_non_null(strstr(e.message, "; [img] broken = skip leaves out what cannot be read"));
		}
	assert_int_equal(failed, 2);
	m->desc->close(d);
	media_setup_close(&s);
	assert_ok(media_setup_open(*state, "img", "d", "size = 32\nbroken = skip", &s, &e), e);
	m = s.m;
	assert_ok(mmi_modality_open(m, MM_SPLIT_TRAIN, &d, &e), e);
	assert_int_equal(m->desc->count(d), all - 4);
	assert_int_equal(s.warnings, 3);
	for (uint64_t k = 0; k < all - 4; k++)
		assert_ok(m->desc->read(d, k, x, &e), e);
	m->desc->close(d);
	media_setup_close(&s);
}

static void pictures_that_are_all_elsewhere_are_told_with_what_is_there(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup s;
	mm_dataset *d;
	media_text(*state, "d/images.txt", "1 a\\x.png\n2 a\\y.png\n");
	media_text(*state, "d/train_test_split.txt", "1 1\n2 1\n");
	media_text(*state, "d/images/a/x.png", "");
	assert_ok(media_setup_open(*state, "img", "d", "size = 32", &s, &e), e);
	assert_fails(mmi_modality_open(s.m, MM_SPLIT_TRAIN, &d, &e), MM_EFORMAT, e, "none of 2 listed pictures is there: ");
	assert_non_null(strstr(e.message, "d/images/a\\x.png was looked for first; "));
	assert_non_null(strstr(e.message, "d/images holds 1 entries, the first a"));
	media_setup_close(&s);
}

/* The published networks have these numbers of parameters. */
static void resnet_is_the_published_one(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup s;
	mmi_model *model;
	media_cub(*state, "d");
	assert_ok(media_setup_open(*state, "img", "d", "size = 64\nnet = resnet", &s, &e), e);
	assert_ok(mmi_model_create(cpu_device(), s.setup.modalities, 1, &s.setup.settings.model, &model, &e), e);
	assert_int_equal(media_parameters(model->inference), 4341824);
	assert_int_equal(media_parameters(model->generator), 4276931);
	mmi_model_destroy(model);
	media_setup_close(&s);
}

static void networks_fit_every_size(void **state)
{
	static const int sizes[] = { 32, 64, 128, 256 };
	media_cub(*state, "d");
	for (size_t i = 0; i < MMI_COUNT(sizes) * 2; i++) {
		mm_error e = MM_ERROR_INIT;
		media_setup s;
		mmi_model *model;
		char keys[80];
		snprintf(keys, sizeof keys, "size = %d\nnet = %s\nwidth = 4", sizes[i / 2], i % 2 ? "resnet" : "conv");
		assert_ok(media_setup_open(*state, "img", "d", keys, &s, &e), e);
		assert_ok(mmi_model_create(cpu_device(), s.setup.modalities, 1, &s.setup.settings.model, &model, &e), e);
		mmi_model_destroy(model);
		media_setup_close(&s);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_kind_of_png_becomes_rgb),
		TEST(transparent_parts_are_white),
		TEST(jpeg_is_read_and_scaled_down_while_decoding),
		TEST(pictures_are_turned_as_viewers_show_them),
		TEST(jpeg_says_how_the_camera_was_held),
		TEST(exif_may_hold_anything),
		TEST(turned_pictures_are_samples_like_upright_ones),
		TEST(scans_times_pixels_have_a_bound),
		TEST(what_is_no_picture_is_named),
		TEST(pictures_of_other_kinds_are_named),
		TEST(damaged_files_are_errors_or_pictures),
		TEST(flat_pictures_stay_flat_at_any_size),
		TEST(area_takes_the_mean_of_what_a_pixel_covers),
		TEST(the_cache_stays_within_its_bytes_and_keeps_what_is_used),
		TEST(settings_out_of_range_are_refused),
		TEST(samples_are_pictures_in_range_and_the_same_each_time),
		TEST(mirrored_samples_are_the_same_each_time),
		TEST(a_picture_is_read_as_a_user_names_it),
		TEST(broken_pictures_are_refused_or_left_out),
		TEST(pictures_that_are_all_elsewhere_are_told_with_what_is_there),
		TEST(resnet_is_the_published_one),
		TEST(networks_fit_every_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
