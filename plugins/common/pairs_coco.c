/* pairs_coco.c - MSCOCO: captions_train2017.json with the pictures in train2017, captions_val2017.json with those in
 * val2017 (any year). */
#include "mmi_build.h"

#include "pairs_read.h"
#include "utf8.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_MAX ((size_t)1 << 30)

static const char *const split_prefix[] = { [MM_SPLIT_TRAIN] = "captions_train", [MM_SPLIT_TEST] = "captions_val" };

static bool is_json(const char *name, const char *prefix)
{
	size_t length = strlen(name);
	return !strncmp(name, prefix, strlen(prefix)) && length > 5 && !strcmp(name + length - 5, ".json");
}

static bool is_train(const char *folder, const char *name)
{
	(void)folder;
	return is_json(name, split_prefix[MM_SPLIT_TRAIN]);
}

static bool is_val(const char *folder, const char *name)
{
	(void)folder;
	return is_json(name, split_prefix[MM_SPLIT_TEST]);
}

/* The split's one file in a folder below root ("": root itself): its path from root, in the arena. */
static mm_status find_in(const mma_host *h, const pairs_source *s, int32_t split, const char *below, com_arena *a,
                         const char **out, mm_error *e)
{
	const char **found = NULL;
	char *folder = com_format(h, "%s/%s", s->root, below), *name = NULL;
	uint32_t n = 0;
	mm_status status = folder ? pairs_list(h, a, folder, split == MM_SPLIT_TRAIN ? is_train : is_val, &found, &n, e)
	                          : mma_no_memory(e, "a path");
	if (status == MM_OK && n > 1)
		status = mma_fail(e, MM_EFORMAT, "%s holds both %s and %s; keep one year", folder, found[0], found[1]);
	if (status == MM_OK && n) {
		name = com_format(h, "%s%s", below, found[0]);
		*out = name ? com_keep(h, a, name, strlen(name)) : NULL;
		status = *out ? MM_OK : mma_no_memory(e, "a path");
	}
	mma_free(h, name);
	mma_free(h, found);
	mma_free(h, folder);
	return status;
}

/* In annotations or beside it; *out is NULL when there is none. */
static mm_status find_json(const mma_host *h, const pairs_source *s, int32_t split, com_arena *a, const char **out,
                           mm_error *e)
{
	*out = NULL;
	if (pairs_has_folder(h, s, "annotations"))
		MMA_TRY(find_in(h, s, split, "annotations/", a, out, e));
	return *out ? MM_OK : find_in(h, s, split, "", a, out, e);
}

/* ---------------------------------------------------------------- ids */

/* Numbers of more characters may not fit a double, which is what the parser makes of them: they are quoted before. */
enum { EXACT = 15 };

static const char number_bytes[] = "0123456789+-.eE";

/* Copies JSON, long numbers between quotes; returns the bytes. With out = NULL it only counts. */
static size_t quote_numbers(const char *from, size_t size, char *out)
{
	size_t n = 0;
	bool text = false;
	for (size_t at = 0, run; at < size; at += run) {
		const char *start = from + at;
		run = text ? 0 : strspn(start, number_bytes); /* a NUL stands behind the end */
		const bool quoted = run > EXACT;
		if (!run)
			run = text && *start == '\\' && at + 1 < size ? 2 : 1;
		text = text != (*start == '"');
		if (out) {
			memcpy(out + n + quoted, start, run);
			if (quoted)
				out[n] = out[n + 1 + run] = '"';
		}
		n += run + (quoted ? 2 : 0);
	}
	return n;
}

/* What a record is called: a number that a double holds, or else a text. Ordered by value, so that captions come in the
 * order of their numbers. */
typedef struct record_id {
	double value;     /* of a text that is a long number: near it; of any other text: 0 */
	const char *text; /* NULL: a number */
} record_id;

/* "7" is the number 7, "007" is a text. */
static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits && !text[digits] && digits <= EXACT && (text[0] != '0' || digits == 1);
}

static bool get_id(const cJSON *record, const char *key, record_id *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, key);
	const char *text = cJSON_IsString(item) ? item->valuestring : NULL;
	if (!text && !cJSON_IsNumber(item))
		return false;
	if (!text)
		*out = (record_id){ item->valuedouble, NULL };
	else
		*out = (record_id){ text[strspn(text, number_bytes)] ? 0 : strtod(text, NULL), is_number(text) ? NULL : text };
	return true;
}

static int compare_ids(const record_id *a, const record_id *b)
{
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	if (!a->text || !b->text)
		return (a->text != NULL) - (b->text != NULL);
	return strcmp(a->text, b->text);
}

static void write_id(const record_id *id, char *out, size_t size)
{
	if (id->text)
		utf8_visible(id->text, out, size);
	else
		snprintf(out, size, "%.17g", id->value);
}

/* ---------------------------------------------------------------- what the file says */

typedef struct image {
	record_id id;
	const char *file;
	uint32_t order; /* in the file */
} image;

typedef struct note {
	record_id image, id;
	const char *text;
	uint32_t order;
} note;

typedef struct document {
	const char *path, *folder; /* of the file, of its pictures below root */
	image *image;
	note *note;
	size_t n_images, n_notes;
} document;

static int by_order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int by_image_id(const void *a, const void *b)
{
	const image *s = a, *t = b;
	int order = compare_ids(&s->id, &t->id);
	return order ? order : by_order(s->order, t->order);
}

static int by_image(const void *a, const void *b)
{
	const note *s = a, *t = b;
	int order = compare_ids(&s->image, &t->image);
	if (!order)
		order = compare_ids(&s->id, &t->id);
	return order ? order : by_order(s->order, t->order);
}

static mm_status get_array(const document *d, const cJSON *root, const char *key, const cJSON **out, size_t *n,
                           mm_error *e)
{
	*out = cJSON_GetObjectItemCaseSensitive(root, key);
	if (!cJSON_IsArray(*out))
		return mma_fail(e, MM_EFORMAT, "%s: no array \"%s\"; expected the captions of MSCOCO", d->path, key);
	*n = (size_t)cJSON_GetArraySize(*out);
	return MM_OK;
}

/* Records of a list that lack what is needed. */
typedef struct odd {
	const char *list, *lacks;
	size_t n;
	char first[80];
} odd;

static void count_odd(odd *o, const cJSON *record, size_t place)
{
	record_id id;
	if (o->n++)
		return;
	if (get_id(record, "id", &id)) {
		memcpy(o->first, "id ", 4);
		write_id(&id, o->first + 3, sizeof(o->first) - 3);
	} else {
		snprintf(o->first, sizeof(o->first), "%s[%zu]", o->list, place);
	}
}

static void report_odd(const pairs_reader *r, const document *d, const odd *o, size_t n)
{
	if (o->n)
		mma_log(r->host, MM_LOG_WARNING, "[%s] %zu of %zu %s lack %s (first: %s); they are left out: %s",
		        r->source->instance, o->n, n, o->list, o->lacks, o->first, d->path);
}

static mm_status read_images(const pairs_reader *r, document *d, const cJSON *root, mm_error *e)
{
	const cJSON *array, *item;
	size_t n, place = 0;
	odd odds = { .list = "images", .lacks = "an \"id\" or a relative path \"file_name\"" };
	MMA_TRY(get_array(d, root, "images", &array, &n, e));
	d->image = mma_new(r->host, n + 1, sizeof(*d->image));
	if (!d->image)
		return mma_no_memory(e, "a list of pictures");
	cJSON_ArrayForEach(item, array)
	{
		const cJSON *file = cJSON_GetObjectItemCaseSensitive(item, "file_name");
		image *to = &d->image[d->n_images];
		if (get_id(item, "id", &to->id) && cJSON_IsString(file) && pairs_safe_path(file->valuestring)) {
			to->file = file->valuestring;
			to->order = (uint32_t)d->n_images++;
		} else {
			count_odd(&odds, item, place);
		}
		place++;
	}
	report_odd(r, d, &odds, n);
	qsort(d->image, d->n_images, sizeof(*d->image), by_image_id);
	return MM_OK;
}

static mm_status read_notes(const pairs_reader *r, document *d, const cJSON *root, mm_error *e)
{
	const cJSON *array, *item;
	size_t n, place = 0;
	odd odds = { .list = "annotations", .lacks = "an \"image_id\" or a text \"caption\"" };
	MMA_TRY(get_array(d, root, "annotations", &array, &n, e));
	d->note = mma_new(r->host, n + 1, sizeof(*d->note));
	if (!d->note)
		return mma_no_memory(e, "captions");
	cJSON_ArrayForEach(item, array)
	{
		const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "caption");
		note *to = &d->note[d->n_notes];
		if (get_id(item, "image_id", &to->image) && cJSON_IsString(text)) {
			to->text = text->valuestring;
			to->order = (uint32_t)d->n_notes++;
			if (!get_id(item, "id", &to->id))
				to->id = (record_id){ (double)to->order, NULL };
		} else {
			count_odd(&odds, item, place);
		}
		place++;
	}
	report_odd(r, d, &odds, n);
	qsort(d->note, d->n_notes, sizeof(*d->note), by_image);
	return MM_OK;
}

static mm_status add_note(pairs_reader *r, const document *d, const note *n, mm_error *e)
{
	char id[64];
	write_id(&n->id, id, sizeof(id));
	return pairs_add_caption(r, n->text, strlen(n->text), &(pairs_place){ .path = d->path, .record = id }, e);
}

/* Both lists are sorted by picture. */
static mm_status add_all(pairs_reader *r, const document *d, mm_error *e)
{
	size_t k = 0;
	for (size_t i = 0; i < d->n_images; i++) {
		const image *at = &d->image[i];
		char *file = pairs_path(r->host, d->folder, at->file);
		mm_status status = file ? pairs_add_item(r, &(pairs_found){ .name = at->file, .file = file, .label = -1 }, e)
		                        : mma_no_memory(e, "a path");
		mma_free(r->host, file);
		MMA_TRY(status);
		while (k < d->n_notes && compare_ids(&d->note[k].image, &at->id) < 0)
			k++;
		for (; k < d->n_notes && !compare_ids(&d->note[k].image, &at->id); k++)
			MMA_TRY(add_note(r, d, &d->note[k], e));
	}
	return MM_OK;
}

/* No annotation belongs to a picture. */
static mm_status note_strangers(pairs_reader *r, const document *d, mm_error *e)
{
	char of[64], id[64];
	if (r->out->n_captions || !d->n_notes || !d->n_images)
		return MM_OK;
	write_id(&d->note[0].image, of, sizeof(of));
	write_id(&d->image[0].id, id, sizeof(id));
	char *text = com_format(r->host, "%s: annotations are of image_id %s and others, images have id %s and others",
	                        d->path, of, id);
	r->out->absent = text ? com_keep(r->host, &r->out->strings, text, strlen(text)) : NULL;
	mma_free(r->host, text);
	return r->out->absent ? MM_OK : mma_no_memory(e, "captions");
}

static mm_status read_document(pairs_reader *r, document *d, const cJSON *root, mm_error *e)
{
	mm_status status = read_images(r, d, root, e);
	if (status == MM_OK)
		status = read_notes(r, d, root, e);
	if (status == MM_OK)
		status = add_all(r, d, e);
	if (status == MM_OK)
		status = note_strangers(r, d, e);
	mma_free(r->host, d->image);
	mma_free(r->host, d->note);
	return status;
}

/* Each value takes some 100 bytes of memory; captions come to more than 8 bytes of the file a value, "0,0,0" does not.
 */
static mm_status check_values(const char *bytes, size_t size, const char *path, mm_error *e)
{
	enum { VALUE_BYTES = 8, FREE_VALUES = 1 << 18 };
	size_t n = 0, most = FREE_VALUES + size / VALUE_BYTES;
	bool quoted = false;
	for (size_t i = 0; i < size; i++) {
		if (quoted && bytes[i] == '\\')
			i++;
		else if (bytes[i] == '"')
			quoted = !quoted;
		else if (!quoted)
			n += bytes[i] == ',' || bytes[i] == '[' || bytes[i] == '{';
	}
	return n <= most ? MM_OK
	                 : mma_fail(e, MM_EFORMAT,
	                            "%s: %zu values in %zu bytes, expected %zu at most; these are no captions of MSCOCO",
	                            path, n, size, most);
}

/* JSON text of `size` bytes, a NUL behind it. */
static mm_status parse_text(const mma_host *h, const document *d, const char *bytes, size_t size, cJSON **out,
                            mm_error *e)
{
	const char *end = NULL;
	MMA_TRY(check_values(bytes, size, d->path, e));
	size_t n = quote_numbers(bytes, size, NULL);
	char *quoted = mma_new(h, n + 1, 1);
	if (!quoted)
		return mma_no_memory(e, d->path);
	quote_numbers(bytes, size, quoted);
	*out = cJSON_ParseWithLengthOpts(quoted, n, &end, 0);
	mm_status status =
		*out ? MM_OK
			 : mma_fail(e, MM_EFORMAT, "%s: not JSON, wrong near byte %zu", d->path, end ? (size_t)(end - quoted) : 0);
	mma_free(h, quoted);
	return status;
}

static mm_status parse(pairs_reader *r, document *d, mm_error *e)
{
	com_text text;
	cJSON *root = NULL;
	MMA_TRY(com_text_open(r->host, d->path, JSON_MAX, &text, e));
	mm_status status = parse_text(r->host, d, text.bytes + text.at, text.size - text.at, &root, e);
	com_text_close(r->host, &text);
	if (status == MM_OK)
		status = read_document(r, d, root, e);
	cJSON_Delete(root);
	return status;
}

/* [annotations/]captions_train2017.json: the pictures are in train2017. */
static mm_status read_json(pairs_reader *r, const char *name, mm_error *e)
{
	const mma_host *h = r->host;
	const char *slash = strrchr(name, '/'), *year = (slash ? slash + 1 : name) + strlen("captions_");
	char *path = pairs_path(h, r->source->root, name);
	char *pictures = com_format(h, "%.*s", (int)(strlen(year) - strlen(".json")), year);
	document d = { .path = path, .folder = pictures };
	mm_status status = path && pictures ? parse(r, &d, e) : mma_no_memory(e, "a path");
	mma_free(h, path);
	mma_free(h, pictures);
	return status;
}

static mm_status read(pairs_reader *r, mm_error *e)
{
	com_arena strings = { NULL, 0, 0 };
	const char *name;
	mm_status status = find_json(r->host, r->source, r->split, &strings, &name, e);
	if (status == MM_OK && !name)
		status = mma_fail(e, MM_EIO, "%s: no %s*.json here or in annotations", r->source->root, split_prefix[r->split]);
	if (status == MM_OK)
		status = read_json(r, name, e);
	com_arena_clear(r->host, &strings);
	return status;
}

static mm_status classes(const mma_host *h, const pairs_source *s, uint32_t *out, mm_error *e)
{
	(void)h, (void)s, (void)e;
	*out = 0;
	return MM_OK;
}

static mm_status present(const mma_host *h, const pairs_source *s, bool *out, mm_error *e)
{
	com_arena strings = { NULL, 0, 0 };
	const char *name = NULL;
	mm_status status = find_json(h, s, MM_SPLIT_TRAIN, &strings, &name, e);
	*out = name || status == MM_EFORMAT; /* two of them are told when they are read */
	com_arena_clear(h, &strings);
	return status == MM_ENOMEM ? status : MM_OK;
}

const pairs_layout pairs_coco = { "coco", "captions_train*.json", present, classes, read };
