/* grid.c - sheets of labelled tiles. */
#include "mmi_build.h"

#include "draw/picture.h"

#include "draw/text.h"

#include <string.h>

/* Pixels. */
enum {
	MARGIN = 24,
	TILE_GAP = 4,
	COLUMN_GAP = 20,
	LABEL_GAP = 16,
	GROUP_GAP = 14,
	TITLE_GAP = 18,
	HEADING_GAP = 8,
	TITLE_SCALE = 3,
	GROUP_SCALE = 2,
	LABEL_SCALE = 2,
	MAX_SIDE = 32767,
	DEFAULT_CELL = 64
};

static const uint8_t paper[3] = { 255, 255, 255 }, ink[3] = { 32, 36, 44 };
static const uint8_t grey[3] = { 96, 104, 116 }, rule[3] = { 208, 212, 220 };

typedef struct {
	uint8_t *rgb; /* enlarged; NULL: empty */
	uint32_t width, height;
} tile;

typedef struct {
	char *label;
	bool group;    /* a group starts here */
	char *heading; /* of the group; NULL: none */
} row_info;

typedef struct {
	char *heading;
	bool gap;
} column_info;

struct mmi_grid {
	size_t rows, columns;
	uint32_t cell;
	char *title;
	row_info *row;
	column_info *column;
	tile *tiles; /* [row][column] */
};

/* Where everything goes, in pixels. */
typedef struct {
	int64_t width, height;
	int64_t title_y, headings_y;
	int64_t *x, *y; /* of each column and row */
	int64_t *column_width, *row_height;
} layout;

/* ---------------------------------------------------------------- contents */

void mmi_grid_destroy(mmi_grid *g)
{
	if (!g)
		return;
	for (size_t i = 0; g->row && i < g->rows; i++) {
		mmi_free(g->row[i].label);
		mmi_free(g->row[i].heading);
	}
	for (size_t i = 0; g->column && i < g->columns; i++)
		mmi_free(g->column[i].heading);
	for (size_t i = 0; g->tiles && i < g->rows * g->columns; i++)
		mmi_free(g->tiles[i].rgb);
	mmi_free(g->title);
	mmi_free(g->row);
	mmi_free(g->column);
	mmi_free(g->tiles);
	mmi_free(g);
}

mm_status mmi_grid_create(size_t rows, size_t columns, mmi_grid **out, mm_error *e)
{
	if (!rows || !columns || rows > MAX_SIDE || columns > MAX_SIDE)
		return mmi_fail(e, MM_EARG, "a grid of %zu rows and %zu columns, expected 1 to %d of each", rows, columns,
		                MAX_SIDE);
	mmi_grid *g = mmi_alloc(1, sizeof *g);
	if (!g)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a grid");
	g->rows = rows;
	g->columns = columns;
	g->cell = DEFAULT_CELL;
	g->row = mmi_alloc(rows, sizeof *g->row);
	g->column = mmi_alloc(columns, sizeof *g->column);
	g->tiles = mmi_alloc(rows * columns, sizeof *g->tiles);
	if (!g->row || !g->column || !g->tiles) {
		mmi_grid_destroy(g);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a grid");
	}
	*out = g;
	return MM_OK;
}

void mmi_grid_cell(mmi_grid *g, uint32_t pixels)
{
	g->cell = pixels;
}

static mm_status set_text(char **at, const char *text, mm_error *e)
{
	char *copy = text && *text ? mmi_strdup(text) : NULL;

	if (text && *text && !copy)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a grid");
	mmi_free(*at);
	*at = copy;
	return MM_OK;
}

static mm_status check_place(const mmi_grid *g, size_t row, size_t column, mm_error *e)
{
	if (row < g->rows && column < g->columns)
		return MM_OK;
	return mmi_fail(e, MM_EARG, "cell (%zu, %zu) is outside the grid of %zu rows and %zu columns", row, column, g->rows,
	                g->columns);
}

mm_status mmi_grid_title(mmi_grid *g, const char *text, mm_error *e)
{
	return set_text(&g->title, text, e);
}

mm_status mmi_grid_row(mmi_grid *g, size_t row, const char *label, mm_error *e)
{
	MMI_TRY(check_place(g, row, 0, e));
	return set_text(&g->row[row].label, label, e);
}

mm_status mmi_grid_column(mmi_grid *g, size_t column, const char *heading, mm_error *e)
{
	MMI_TRY(check_place(g, 0, column, e));
	return set_text(&g->column[column].heading, heading, e);
}

mm_status mmi_grid_group(mmi_grid *g, size_t row, const char *heading, mm_error *e)
{
	MMI_TRY(check_place(g, row, 0, e));
	g->row[row].group = true;
	return set_text(&g->row[row].heading, heading, e);
}

mm_status mmi_grid_gap(mmi_grid *g, size_t column, mm_error *e)
{
	MMI_TRY(check_place(g, 0, column, e));
	g->column[column].gap = true;
	return MM_OK;
}

static void enlarge(const uint8_t *rgb, size_t stride, uint32_t factor, const tile *to)
{
	for (uint32_t y = 0; y < to->height; y++)
		for (uint32_t x = 0; x < to->width; x++)
			memcpy(to->rgb + 3 * ((size_t)y * to->width + x), rgb + y / factor * stride + 3 * (size_t)(x / factor), 3);
}

mm_status mmi_grid_set(mmi_grid *g, size_t row, size_t column, const uint8_t *rgb, uint32_t width, uint32_t height,
                       size_t stride, mm_error *e)
{
	uint32_t longer = width > height ? width : height;

	MMI_TRY(check_place(g, row, column, e));
	if (!width || !height || longer > MAX_SIDE)
		return mmi_fail(e, MM_EARG, "a tile of %u x %u pixels, expected 1 to %d", width, height, MAX_SIDE);
	uint32_t factor = longer < g->cell ? g->cell / longer : 1;
	tile enlarged = { .width = width * factor, .height = height * factor };
	enlarged.rgb = mmi_alloc((size_t)enlarged.width * enlarged.height, 3);
	if (!enlarged.rgb)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a tile of %u x %u pixels", enlarged.width, enlarged.height);
	enlarge(rgb, stride, factor, &enlarged);
	tile *place = &g->tiles[row * g->columns + column];
	mmi_free(place->rgb);
	*place = enlarged;
	return MM_OK;
}

/* ---------------------------------------------------------------- layout */

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t text_height(uint32_t scale)
{
	return (int64_t)MMI_TEXT_HEIGHT * scale;
}

static void measure_tiles(const mmi_grid *g, layout *l)
{
	for (size_t c = 0; c < g->columns; c++)
		l->column_width[c] = g->column[c].heading ? mmi_text_width(g->column[c].heading, LABEL_SCALE) : 0;
	for (size_t r = 0; r < g->rows; r++)
		l->row_height[r] = g->row[r].label ? text_height(LABEL_SCALE) : 0;
	for (size_t r = 0; r < g->rows; r++)
		for (size_t c = 0; c < g->columns; c++) {
			const tile *t = &g->tiles[r * g->columns + c];
			l->column_width[c] = larger(l->column_width[c], t->width);
			l->row_height[r] = larger(l->row_height[r], t->height);
		}
}

/* A heading must fit over its group; the sheet is widened when it does not. */
static int64_t widest_line(const mmi_grid *g)
{
	int64_t width = g->title ? mmi_text_width(g->title, TITLE_SCALE) : 0;

	for (size_t r = 0; r < g->rows; r++)
		if (g->row[r].heading)
			width = larger(width, mmi_text_width(g->row[r].heading, GROUP_SCALE));
	return width;
}

static void place_columns(const mmi_grid *g, layout *l)
{
	int64_t labels = 0;

	for (size_t r = 0; r < g->rows; r++)
		if (g->row[r].label)
			labels = larger(labels, mmi_text_width(g->row[r].label, LABEL_SCALE) + LABEL_GAP);
	int64_t x = MARGIN + labels;
	for (size_t c = 0; c < g->columns; c++) {
		if (c)
			x += g->column[c].gap ? COLUMN_GAP : TILE_GAP;
		l->x[c] = x;
		x += l->column_width[c];
	}
	l->width = larger(x, MARGIN + widest_line(g)) + MARGIN;
}

static void place_rows(const mmi_grid *g, layout *l)
{
	bool headings = false;
	int64_t y = MARGIN;

	for (size_t c = 0; c < g->columns; c++)
		headings |= g->column[c].heading != NULL;
	l->title_y = y;
	y += g->title ? text_height(TITLE_SCALE) + TITLE_GAP : 0;
	l->headings_y = y;
	y += headings ? text_height(LABEL_SCALE) + HEADING_GAP : 0;
	for (size_t r = 0; r < g->rows; r++) {
		y += r ? TILE_GAP : 0;
		if (g->row[r].group)
			y += (r ? GROUP_GAP : 0) + 1 + GROUP_GAP + (g->row[r].heading ? text_height(GROUP_SCALE) + HEADING_GAP : 0);
		l->y[r] = y;
		y += l->row_height[r];
	}
	l->height = y + MARGIN;
}

/* ---------------------------------------------------------------- drawing */

static void draw_row_texts(const mmi_grid *g, const layout *l, size_t r, const mmi_canvas *c)
{
	const row_info *row = &g->row[r];

	if (row->label) {
		int64_t x = l->x[0] - LABEL_GAP - mmi_text_width(row->label, LABEL_SCALE);
		int64_t y = l->y[r] + (l->row_height[r] - MMI_TEXT_ASCENT * LABEL_SCALE) / 2;
		mmi_text_draw(c, x, y, row->label, LABEL_SCALE, ink);
	}
	if (row->group) {
		int64_t y = l->y[r] - (row->heading ? text_height(GROUP_SCALE) + HEADING_GAP : 0);
		mmi_canvas_fill(c, MARGIN, y - GROUP_GAP - 1, l->width - 2 * MARGIN, 1, rule);
		if (row->heading)
			mmi_text_draw(c, MARGIN, y, row->heading, GROUP_SCALE, grey);
	}
}

static void draw_texts(const mmi_grid *g, const layout *l, const mmi_canvas *c)
{
	if (g->title)
		mmi_text_draw(c, MARGIN, l->title_y, g->title, TITLE_SCALE, ink);
	for (size_t i = 0; i < g->columns; i++)
		if (g->column[i].heading) {
			int64_t slack = l->column_width[i] - mmi_text_width(g->column[i].heading, LABEL_SCALE);
			mmi_text_draw(c, l->x[i] + slack / 2, l->headings_y, g->column[i].heading, LABEL_SCALE, grey);
		}
	for (size_t r = 0; r < g->rows; r++)
		draw_row_texts(g, l, r, c);
}

static void draw_tile(const tile *t, int64_t x, int64_t y, const mmi_canvas *c)
{
	for (int64_t row = 0; row < t->height; row++)
		memcpy(c->rgb + 3 * ((y + row) * c->width + x), t->rgb + 3 * row * t->width, 3 * (size_t)t->width);
}

static void draw_tiles(const mmi_grid *g, const layout *l, const mmi_canvas *canvas)
{
	for (size_t r = 0; r < g->rows; r++)
		for (size_t c = 0; c < g->columns; c++) {
			const tile *t = &g->tiles[r * g->columns + c];
			if (t->rgb)
				draw_tile(t, l->x[c] + (l->column_width[c] - t->width) / 2,
				          l->y[r] + (l->row_height[r] - t->height) / 2, canvas);
		}
}

static mm_status draw(const mmi_grid *g, layout *l, mmi_canvas *c, mm_error *e)
{
	measure_tiles(g, l);
	place_columns(g, l);
	place_rows(g, l);
	if (l->width > MAX_SIDE || l->height > MAX_SIDE)
		return mmi_fail(e, MM_EARG, "a grid of %lld x %lld pixels, expected at most %d each way", (long long)l->width,
		                (long long)l->height, MAX_SIDE);
	*c = (mmi_canvas){ .width = (uint32_t)l->width, .height = (uint32_t)l->height };
	c->rgb = mmi_alloc((size_t)(l->width * l->height), 3);
	if (!c->rgb)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a grid of %u x %u pixels", c->width, c->height);
	mmi_canvas_fill(c, 0, 0, l->width, l->height, paper);
	draw_tiles(g, l, c);
	draw_texts(g, l, c);
	return MM_OK;
}

mm_status mmi_grid_draw(const mmi_grid *g, uint8_t **rgb, uint32_t *width, uint32_t *height, mm_error *e)
{
	mmi_canvas c = { 0 };
	int64_t *places = mmi_alloc(2 * (g->rows + g->columns), sizeof *places);

	if (!places)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a grid");
	layout l = { .x = places,
		         .column_width = places + g->columns,
		         .y = places + 2 * g->columns,
		         .row_height = places + 2 * g->columns + g->rows };
	mm_status status = draw(g, &l, &c, e);
	mmi_free(places);
	if (status != MM_OK)
		return status;
	*rgb = c.rgb;
	*width = c.width;
	*height = c.height;
	return MM_OK;
}

mm_status mmi_grid_write(const mmi_grid *g, const char *path, mm_error *e)
{
	uint8_t *rgb;
	uint32_t width, height;

	MMI_TRY(mmi_grid_draw(g, &rgb, &width, &height, e));
	mm_status status = mmi_png_write(path, rgb, width, height, 3 * (size_t)width, e);
	mmi_free(rgb);
	return status;
}
