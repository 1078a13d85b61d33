/* test_grid.c - PNG files and labelled grids. */
#include "mmi_build.h"

#include "draw/picture.h"
#include "draw/text.h"

#include "../rig/store_rig.h"

#include <png.h>

typedef struct {
	uint8_t *rgb;
	uint32_t width, height;
} picture;

/* Through libpng's own reader. */
static picture read_png(const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	picture p;

	assert_true(png_image_begin_read_from_file(&image, path));
	assert_int_equal(image.format & (PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_COLORMAP | PNG_FORMAT_FLAG_LINEAR), 0);
	image.format = PNG_FORMAT_RGB;
	p.rgb = malloc(PNG_IMAGE_SIZE(image));
	p.width = image.width;
	p.height = image.height;
	assert_true(png_image_finish_read(&image, NULL, p.rgb, 0, NULL));
	return p;
}

static picture draw(const mmi_grid *g)
{
	mm_error e = MM_ERROR_INIT;
	picture p;

	assert_ok(mmi_grid_draw(g, &p.rgb, &p.width, &p.height, &e), e);
	return p;
}

static const uint8_t *pixel(const picture *p, int64_t x, int64_t y)
{
	return p->rgb + 3 * (y * p->width + x);
}

static bool is_colour(const picture *p, int64_t x, int64_t y, uint8_t r, uint8_t g, uint8_t b)
{
	const uint8_t *c = pixel(p, x, y);
	return c[0] == r && c[1] == g && c[2] == b;
}

typedef struct {
	int64_t left, top, right, bottom; /* inclusive; right < left: none */
	int64_t count;
} extent;

static extent find_colour(const picture *p, uint8_t r, uint8_t g, uint8_t b)
{
	extent f = { p->width, p->height, -1, -1, 0 };

	for (int64_t y = 0; y < p->height; y++)
		for (int64_t x = 0; x < p->width; x++) {
			if (!is_colour(p, x, y, r, g, b))
				continue;
			f.left = x < f.left ? x : f.left;
			f.right = x > f.right ? x : f.right;
			f.top = y < f.top ? y : f.top;
			f.bottom = y;
			f.count++;
		}
	return f;
}

static void fill(uint8_t *rgb, size_t pixels, uint8_t r, uint8_t g, uint8_t b)
{
	for (size_t i = 0; i < pixels; i++) {
		rgb[3 * i] = r;
		rgb[3 * i + 1] = g;
		rgb[3 * i + 2] = b;
	}
}

/* ---------------------------------------------------------------- PNG */

static void a_png_holds_the_pixels_given(void **state)
{
	mm_error e = MM_ERROR_INIT;
	uint8_t rgb[5 * 40]; /* 11 pixels a row and some bytes between the rows */
	const char *path = rig_path(*state, "a.png");

	for (size_t i = 0; i < sizeof rgb; i++)
		rgb[i] = (uint8_t)(i * 7);
	assert_ok(mmi_png_write(path, rgb, 11, 5, 40, &e), e);
	picture p = read_png(path);
	assert_int_equal(p.width, 11);
	assert_int_equal(p.height, 5);
	for (size_t y = 0; y < 5; y++)
		assert_memory_equal(p.rgb + y * 33, rgb + y * 40, 33);
	free(p.rgb);
}

static void a_full_disk_leaves_no_png(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	uint8_t rgb[64 * 64 * 3];
	uint32_t noise = 1;

	for (size_t i = 0; i < sizeof rgb; i++)
		rgb[i] = (uint8_t)((noise = noise * 1664525u + 1013904223u) >> 24);
	rig_limit_files(5000);
	mm_status status = mmi_png_write(rig_path(r, "a.png"), rgb, 64, 64, 192, &e);
	rig_limit_files(RLIM_INFINITY);
	assert_int_equal(status, MM_EIO);
	assert_non_null(strstr(e.message, "a.png: File too large"));
	assert_int_equal(rig_entries(r->folder), 0);
}

static void what_libpng_refuses_is_reported(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	uint8_t rgb[3] = { 0 };

	assert_fails(mmi_png_write(rig_path(r, "a.png"), rgb, 0, 1, 3, &e), MM_EINTERNAL, e, "a.png: libpng: ");
	assert_int_equal(rig_entries(r->folder), 0);
}

/* ---------------------------------------------------------------- grids */

static mmi_grid *grid_of(size_t rows, size_t columns)
{
	mm_error e = MM_ERROR_INIT;
	mmi_grid *g;

	assert_ok(mmi_grid_create(rows, columns, &g, &e), e);
	return g;
}

static void set_plain(mmi_grid *g, size_t row, size_t column, uint32_t size, uint8_t r, uint8_t gr, uint8_t b)
{
	mm_error e = MM_ERROR_INIT;
	uint8_t *rgb = malloc(3 * (size_t)size * size);

	fill(rgb, (size_t)size * size, r, gr, b);
	assert_ok(mmi_grid_set(g, row, column, rgb, size, size, 3 * (size_t)size, &e), e);
	free(rgb);
}

static void tiles_are_enlarged_by_whole_factors(void **state)
{
	(void)state;
	static const uint8_t checks[12] = { 255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3 };
	mm_error e = MM_ERROR_INIT;
	mmi_grid *g = grid_of(1, 1);

	mmi_grid_cell(g, 11); /* 2 x 5 = 10 is the largest that fits */
	assert_ok(mmi_grid_set(g, 0, 0, checks, 2, 2, 6, &e), e);
	picture p = draw(g);
	extent red = find_colour(&p, 255, 0, 0), green = find_colour(&p, 0, 255, 0), dark = find_colour(&p, 1, 2, 3);
	assert_int_equal(red.count, 25);
	assert_int_equal(red.right - red.left, 4);
	assert_int_equal(green.left, red.right + 1);
	assert_int_equal(green.top, red.top);
	assert_int_equal(dark.left, green.left);
	assert_int_equal(dark.top, red.bottom + 1);
	free(p.rgb);
	mmi_grid_destroy(g);
}

static void cells_are_where_their_row_and_column_say(void **state)
{
	(void)state;
	mmi_grid *g = grid_of(3, 4);

	mmi_grid_cell(g, 8);
	for (uint8_t r = 0; r < 3; r++)
		for (uint8_t c = 0; c < 4; c++)
			if (r != 1 || c != 2)
				set_plain(g, r, c, 4, (uint8_t)(10 * r), (uint8_t)(10 * c), 77);
	picture p = draw(g);
	extent first = find_colour(&p, 0, 0, 77), across = find_colour(&p, 0, 30, 77), down = find_colour(&p, 20, 0, 77);
	assert_int_equal(first.count, 64);
	assert_int_equal(across.top, first.top);
	assert_int_equal(down.left, first.left);
	int64_t pitch = (across.left - first.left) / 3;
	assert_true(pitch > 8);
	assert_int_equal(down.top - first.top, 2 * pitch);
	assert_true(is_colour(&p, first.left + 2 * pitch, first.top + pitch, 255, 255, 255)); /* the cell left empty */
	free(p.rgb);
	mmi_grid_destroy(g);
}

static void tiles_of_different_sizes_share_a_row_centred(void **state)
{
	(void)state;
	mmi_grid *g = grid_of(1, 2);

	set_plain(g, 0, 0, 28, 1, 1, 1); /* 56 pixels */
	set_plain(g, 0, 1, 32, 2, 2, 2); /* 64 */
	picture p = draw(g);
	extent small = find_colour(&p, 1, 1, 1), large = find_colour(&p, 2, 2, 2);
	assert_int_equal(small.right - small.left + 1, 56);
	assert_int_equal(large.right - large.left + 1, 64);
	assert_int_equal(small.top - large.top, 4);
	assert_int_equal(large.bottom - small.bottom, 4);
	free(p.rgb);
	mmi_grid_destroy(g);
}

/* Pixels that are not white in a part of the picture. */
static int64_t inked(const picture *p, int64_t left, int64_t top, int64_t right, int64_t bottom)
{
	int64_t n = 0;

	for (int64_t y = top; y < bottom; y++)
		for (int64_t x = left; x < right; x++)
			n += !is_colour(p, x, y, 255, 255, 255);
	return n;
}

static void labels_headings_title_and_groups_have_their_places(void **state)
{
	(void)state;
	mm_error e = MM_ERROR_INIT;
	mmi_grid *g = grid_of(2, 2);

	for (size_t i = 0; i < 4; i++)
		set_plain(g, i / 2, i % 2, 16, 9, 99, (uint8_t)i);
	picture bare = draw(g);
	assert_ok(mmi_grid_row(g, 1, "m0 -> m1", &e), e);
	picture labelled = draw(g);
	extent tile = find_colour(&labelled, 9, 99, 2);
	assert_true(labelled.width > bare.width && labelled.height == bare.height);
	assert_true(inked(&labelled, 0, tile.top, tile.left, tile.bottom) > 100);
	assert_int_equal(inked(&labelled, 0, 0, tile.left, tile.top), 0);
	assert_ok(mmi_grid_title(g, "Iteration 1200", &e), e);
	assert_ok(mmi_grid_column(g, 1, "b", &e), e);
	assert_ok(mmi_grid_group(g, 1, "Samples", &e), e);
	assert_ok(mmi_grid_gap(g, 1, &e), e);
	picture full = draw(g);
	extent first = find_colour(&full, 9, 99, 0), below = find_colour(&full, 9, 99, 2),
		   right = find_colour(&full, 9, 99, 1);
	assert_true(full.height > labelled.height && full.width > labelled.width);
	assert_true(inked(&full, 0, 0, full.width, first.top) > 300);
	assert_true(inked(&full, right.left, first.top - 30, right.right, first.top) > 10); /* the heading "b" */
	assert_int_equal(inked(&full, first.left, first.top - 30, first.right, first.top), 0);
	assert_true(inked(&full, 0, first.bottom + 1, full.width, below.top) > 200); /* the rule and "Samples" */
	assert_true(right.left - first.right > 10);
	free(bare.rgb);
	free(labelled.rgb);
	free(full.rgb);
	mmi_grid_destroy(g);
}

static void a_grid_is_written_as_drawn(void **state)
{
	mm_error e = MM_ERROR_INIT;
	const char *path = rig_path(*state, "grid.png");
	mmi_grid *g = grid_of(2, 3);

	set_plain(g, 1, 2, 28, 200, 100, 50);
	assert_ok(mmi_grid_row(g, 0, "data", &e), e);
	assert_ok(mmi_grid_write(g, path, &e), e);
	picture drawn = draw(g), written = read_png(path);
	assert_int_equal(drawn.width, written.width);
	assert_int_equal(drawn.height, written.height);
	assert_memory_equal(drawn.rgb, written.rgb, 3 * (size_t)drawn.width * drawn.height);
	free(drawn.rgb);
	free(written.rgb);
	mmi_grid_destroy(g);
}

static void places_outside_and_monstrous_grids_are_refused(void **state)
{
	mm_error e = MM_ERROR_INIT;
	mmi_grid *g = grid_of(2, 3), *none;
	uint8_t dot[3] = { 0 };

	assert_fails(mmi_grid_set(g, 2, 0, dot, 1, 1, 3, &e), MM_EARG, e,
	             "cell (2, 0) is outside the grid of 2 rows and 3 columns");
	assert_fails(mmi_grid_set(g, 0, 3, dot, 1, 1, 3, &e), MM_EARG, e, "cell (0, 3)");
	assert_fails(mmi_grid_row(g, 2, "x", &e), MM_EARG, e, "outside");
	assert_fails(mmi_grid_set(g, 0, 0, dot, 0, 1, 3, &e), MM_EARG, e, "a tile of 0 x 1 pixels");
	assert_fails(mmi_grid_create(0, 3, &none, &e), MM_EARG, e, "0 rows");
	mmi_grid_destroy(g);
	g = grid_of(20000, 1);
	assert_fails(mmi_grid_write(g, rig_path(*state, "a.png"), &e), MM_EARG, e, "expected at most 32767 each way");
	mmi_grid_destroy(g);
}

/* ---------------------------------------------------------------- text */

static void every_letter_looks_different(void **state)
{
	(void)state;
	enum { SIZE = 24, FIRST = 33, LETTERS = 127 - FIRST };
	static uint8_t seen[LETTERS][SIZE * SIZE * 3];
	static const uint8_t black[3] = { 0, 0, 0 };

	for (int i = 0; i < LETTERS; i++) {
		const char text[2] = { (char)(FIRST + i), 0 };
		const mmi_canvas c = { seen[i], SIZE, SIZE };
		memset(seen[i], 255, sizeof seen[i]);
		mmi_text_draw(&c, 2, 2, text, 2, black);
		for (int j = 0; j < i; j++)
			assert_true(memcmp(seen[i], seen[j], sizeof seen[i]) != 0);
	}
}

static void text_is_cut_at_the_edges_and_odd_bytes_are_boxes(void **state)
{
	(void)state;
	static const uint8_t black[3] = { 0, 0, 0 };
	uint8_t rgb[20 * 10 * 3 + 3], box[12 * 12 * 3], other[12 * 12 * 3];
	const mmi_canvas c = { rgb, 20, 10 };

	fill(rgb, 20 * 10 + 1, 255, 255, 255);
	for (int64_t at = -40; at < 40; at += 7)
		mmi_text_draw(&c, at, at / 2, "W\xff\x01W", 3, black);
	assert_int_equal(rgb[20 * 10 * 3], 255);
	assert_int_equal(mmi_text_width("abc", 2), 2 * 17);
	assert_int_equal(mmi_text_width("", 2), 0);
	fill(box, 144, 255, 255, 255);
	fill(other, 144, 255, 255, 255);
	mmi_text_draw(&(mmi_canvas){ box, 12, 12 }, 1, 1, "\xe4", 1, black);
	mmi_text_draw(&(mmi_canvas){ other, 12, 12 }, 1, 1, "\n", 1, black);
	assert_memory_equal(box, other, sizeof box);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_png_holds_the_pixels_given),
		TEST(a_full_disk_leaves_no_png),
		TEST(what_libpng_refuses_is_reported),
		TEST(tiles_are_enlarged_by_whole_factors),
		TEST(cells_are_where_their_row_and_column_say),
		TEST(tiles_of_different_sizes_share_a_row_centred),
		TEST(labels_headings_title_and_groups_have_their_places),
		TEST(a_grid_is_written_as_drawn),
		TEST(places_outside_and_monstrous_grids_are_refused),
		TEST(every_letter_looks_different),
		TEST(text_is_cut_at_the_edges_and_odd_bytes_are_boxes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
