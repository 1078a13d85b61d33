/* pairs_cub.c - the layout of CUB_200_2011: lists of numbered pictures, a folder of captions beside the pictures. */
#include "mmi_build.h"

#include "pairs_read.h"
#include "utf8.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_IMAGES, LIST_SPLIT, LIST_LABELS, LIST_CLASSES, N_LISTS };
static const char *const list_name[N_LISTS] = { "images.txt", "train_test_split.txt", "image_class_labels.txt",
	                                            "classes.txt" };

/* One picture of the lists. */
typedef struct row {
	uint32_t id;
	int32_t label;    /* -1: none */
	int32_t split;    /* MM_SPLIT_..., -1: not said */
	const char *file; /* CLASS/NAME.png */
} row;

typedef struct lists {
	const mma_host *host;
	const char *root;
	row *row;
	size_t n, capacity;
	uint32_t n_classes;
	com_arena strings;
} lists;

/* ---------------------------------------------------------------- numbered lines */

typedef mm_status (*take_line)(lists *l, const com_text *t, uint32_t id, const char *rest, mm_error *e);

static mm_status malformed(const com_text *t, const char *expected, const char *found, mm_error *e)
{
	char visible[64];
	utf8_visible(found, visible, sizeof(visible));
	return mma_fail(e, MM_EFORMAT, "%s:%u: found \"%s\", expected %s", t->path, (unsigned)t->number, visible, expected);
}

/* A whole decimal number from `least` to INT32_MAX at the start of text; *end behind it. */
static bool number(const char *text, uint32_t least, uint32_t *out, const char **end)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value = digits && digits < 11 ? strtoul(text, NULL, 10) : ULONG_MAX;
	*end = text + digits;
	*out = (uint32_t)value;
	return value >= least && value <= INT32_MAX;
}

static mm_status each_line(lists *l, com_text *t, take_line take, mm_error *e)
{
	char *line;
	size_t length;
	while (com_text_line(t, &line, &length)) {
		const char *rest;
		uint32_t id;
		line[length] = 0; /* the line's end, or the NUL behind the file */
		if (strlen(line) != length)
			return malformed(t, "text without NUL bytes", line, e);
		if (!line[strspn(line, " \t")])
			continue;
		if (!number(line, 1, &id, &rest) || *rest != ' ' || !rest[1])
			return malformed(t, "a number from 1, a blank and a value", line, e);
		MMA_TRY(take(l, t, id, rest + 1, e));
	}
	return MM_OK;
}

/* Reads a list if it is there; a missing one that is needed is an error. */
static mm_status read_list(lists *l, int which, bool needed, take_line take, mm_error *e)
{
	com_text text;
	char *path = pairs_path(l->host, l->root, list_name[which]);
	if (!path)
		return mma_no_memory(e, "a path");
	mm_status status = MM_OK;
	if (needed || com_is_file(path)) {
		status = com_text_open(l->host, path, PAIRS_FILE_MAX, &text, e);
		if (status == MM_OK) {
			status = each_line(l, &text, take, e);
			com_text_close(l->host, &text);
		}
	}
	mma_free(l->host, path);
	return status;
}

/* ---------------------------------------------------------------- the four lists */

static mm_status take_image(lists *l, const com_text *t, uint32_t id, const char *rest, mm_error *e)
{
	if (!pairs_safe_path(rest))
		return malformed(t, "a relative path below images", rest, e);
	if (l->n && id <= l->row[l->n - 1].id)
		return malformed(t, "a larger number than in the line before", rest, e);
	row *grown = mma_grow(l->host, l->row, l->n, &l->capacity, sizeof(*grown));
	if (!grown)
		return mma_no_memory(e, "a list of pictures");
	l->row = grown;
	char *file = com_keep(l->host, &l->strings, rest, strlen(rest));
	if (!file)
		return mma_no_memory(e, "a list of pictures");
	l->row[l->n++] = (row){ id, -1, -1, file };
	return MM_OK;
}

static row *find(const lists *l, uint32_t id)
{
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (l->row[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->n && l->row[low].id == id ? &l->row[low] : NULL;
}

/* The picture of a line, and the number behind it. */
static mm_status numbered(const lists *l, const com_text *t, uint32_t id, const char *rest, uint32_t least,
                          uint32_t *value, row **out, mm_error *e)
{
	const char *end;
	*out = find(l, id);
	if (!*out)
		return mma_fail(e, MM_EFORMAT, "%s:%u: picture %u is not in images.txt", t->path, (unsigned)t->number,
		                (unsigned)id);
	if (!number(rest, least, value, &end) || *end)
		return malformed(t, least ? "a class number from 1" : "0 (test) or 1 (train)", rest, e);
	return MM_OK;
}

static mm_status take_split(lists *l, const com_text *t, uint32_t id, const char *rest, mm_error *e)
{
	uint32_t train;
	row *r;
	MMA_TRY(numbered(l, t, id, rest, 0, &train, &r, e));
	if (train > 1)
		return malformed(t, "0 (test) or 1 (train)", rest, e);
	r->split = train ? MM_SPLIT_TRAIN : MM_SPLIT_TEST;
	return MM_OK;
}

static mm_status take_label(lists *l, const com_text *t, uint32_t id, const char *rest, mm_error *e)
{
	uint32_t class;
	row *r;
	MMA_TRY(numbered(l, t, id, rest, 1, &class, &r, e));
	if (class > l->n_classes)
		return mma_fail(e, MM_EFORMAT, "%s:%u: class %u, but classes.txt has 1 to %u", t->path, (unsigned)t->number,
		                (unsigned)class, (unsigned)l->n_classes);
	r->label = (int32_t) class - 1;
	return MM_OK;
}

static mm_status take_class(lists *l, const com_text *t, uint32_t id, const char *rest, mm_error *e)
{
	(void)rest;
	if (id > 1000000)
		return mma_fail(e, MM_EFORMAT, "%s:%u: class %u; at most 1000000 are supported", t->path, (unsigned)t->number,
		                (unsigned)id);
	if (id > l->n_classes)
		l->n_classes = id;
	return MM_OK;
}

/* ---------------------------------------------------------------- captions */

static char *caption_folder(const mma_host *h, const pairs_source *s)
{
	if (s->text)
		return com_format(h, "%s", s->text);
	return pairs_path(h, s->root, pairs_has_folder(h, s, "text_c10") ? "text_c10" : "text");
}

static mm_status add_captions(pairs_reader *r, const char *path, mm_error *e)
{
	com_text text;
	char *line;
	size_t length;
	MMA_TRY(com_text_open(r->host, path, PAIRS_FILE_MAX, &text, e));
	mm_status status = MM_OK;
	while (status == MM_OK && com_text_line(&text, &line, &length))
		status = pairs_add_caption(r, line, length, &(pairs_place){ .path = path, .line = text.number }, e);
	com_text_close(r->host, &text);
	return status;
}

/* The picture and the captions in its file, if it has one. */
static mm_status add_row(pairs_reader *r, const row *picture, const char *captions, mm_error *e)
{
	char *file = pairs_path(r->host, "images", picture->file);
	char *text = com_format(r->host, "%s/%.*s.txt", captions, (int)pairs_stem(picture->file), picture->file);
	mm_status status =
		file && text
			? pairs_add_item(r, &(pairs_found){ .name = picture->file, .file = file, .label = picture->label }, e)
			: mma_no_memory(e, "a path");
	if (status == MM_OK)
		status = com_is_file(text) ? add_captions(r, text, e) : pairs_note_absent(r, text, e);
	mma_free(r->host, file);
	mma_free(r->host, text);
	return status;
}

static mm_status add_rows(pairs_reader *r, const lists *l, mm_error *e)
{
	mm_status status = MM_OK;
	char *captions = caption_folder(r->host, r->source);
	if (!captions)
		return mma_no_memory(e, "a path");
	for (size_t i = 0; status == MM_OK && i < l->n; i++) {
		if (l->row[i].split < 0)
			status = mma_fail(e, MM_EFORMAT, "%s/train_test_split.txt: no line for picture %u (%s)", l->root,
			                  (unsigned)l->row[i].id, l->row[i].file);
		else if (l->row[i].split == r->split)
			status = add_row(r, &l->row[i], captions, e);
	}
	mma_free(r->host, captions);
	return status;
}

/* ---------------------------------------------------------------- the layout */

static void clear(lists *l)
{
	mma_free(l->host, l->row);
	com_arena_clear(l->host, &l->strings);
}

static mm_status read_lists(lists *l, mm_error *e)
{
	MMA_TRY(read_list(l, LIST_CLASSES, false, take_class, e));
	MMA_TRY(read_list(l, LIST_IMAGES, true, take_image, e));
	MMA_TRY(read_list(l, LIST_SPLIT, true, take_split, e));
	return l->n_classes ? read_list(l, LIST_LABELS, true, take_label, e) : MM_OK;
}

static mm_status read(pairs_reader *r, mm_error *e)
{
	lists l = { .host = r->host, .root = r->source->root };
	mm_status status = read_lists(&l, e);
	if (status == MM_OK)
		status = add_rows(r, &l, e);
	clear(&l);
	return status;
}

static mm_status classes(const mma_host *h, const pairs_source *s, uint32_t *out, mm_error *e)
{
	lists l = { .host = h, .root = s->root };
	mm_status status = read_list(&l, LIST_CLASSES, false, take_class, e);
	clear(&l);
	if (status == MM_OK)
		*out = l.n_classes;
	return status;
}

static mm_status present(const mma_host *h, const pairs_source *s, bool *out, mm_error *e)
{
	(void)e;
	*out = pairs_has_file(h, s, "images.txt");
	return MM_OK;
}

const pairs_layout pairs_cub = { "cub", "images.txt", present, classes, read };
