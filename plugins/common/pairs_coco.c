/* pairs_coco.c - MSCOCO: captions_train2017.json with the pictures in train2017, captions_val2017.json with those in val2017
 * (any year). */
#include "mmi_build.h"

#include "pairs_read.h"

#include <cjson/cJSON.h>
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

/* The folder of the annotations: root/annotations or root. */
static char *annotations(const com_host *h, const pairs_source *s)
{
	return pairs_has_folder(h, s, "annotations") ? pairs_path(h, s->root, "annotations") : com_format(h, "%s", s->root);
}

/* The split's one file, in the arena; *out is NULL when there is none. */
static mm_status find_json(const com_host *h, const pairs_source *s, int32_t split, com_arena *a, const char **name, mm_error *e)
{
	const char **found = NULL;
	uint32_t n = 0;
	char *folder = annotations(h, s);
	if (!folder)
		return com_no_memory(e, "a path");
	mm_status status = pairs_list(h, a, folder, split == MM_SPLIT_TRAIN ? is_train : is_val, &found, &n, e);
	*name = status == MM_OK && n ? found[0] : NULL;
	if (status == MM_OK && n > 1)
		status = com_fail(e, MM_EFORMAT, "%s holds both %s and %s; keep one year", folder, found[0], found[1]);
	com_release(h, found);
	com_release(h, folder);
	return status;
}

/* ---------------------------------------------------------------- what the file says */

typedef struct image {
	double id;
	const char *file;
	uint32_t order;          /* in the file */
} image;

typedef struct note {
	double image, id;
	const char *text;
} note;

typedef struct document {
	const char *path, *folder; /* of the file, of its pictures below root */
	image *image;
	note *note;
	size_t n_images, n_notes;
} document;

static int by_image_id(const void *a, const void *b)
{
	const image *s = a, *t = b;
	if (s->id != t->id)
		return s->id < t->id ? -1 : 1;
	return (s->order > t->order) - (s->order < t->order);
}

static int by_image(const void *a, const void *b)
{
	const note *s = a, *t = b;
	if (s->image != t->image)
		return s->image < t->image ? -1 : 1;
	return (s->id > t->id) - (s->id < t->id);
}

static mm_status get_array(const document *d, const cJSON *root, const char *key, const cJSON **out, size_t *n, mm_error *e)
{
	*out = cJSON_GetObjectItemCaseSensitive(root, key);
	if (!cJSON_IsArray(*out))
		return com_fail(e, MM_EFORMAT, "%s: no array \"%s\"; expected the captions of MSCOCO", d->path, key);
	*n = (size_t)cJSON_GetArraySize(*out);
	return MM_OK;
}

static mm_status read_images(const com_host *h, document *d, const cJSON *root, mm_error *e)
{
	const cJSON *array, *item;
	size_t n;
	COM_TRY(get_array(d, root, "images", &array, &n, e));
	d->image = com_alloc(h, n + 1, sizeof(*d->image));
	if (!d->image)
		return com_no_memory(e, "a list of pictures");
	cJSON_ArrayForEach(item, array) {
		const cJSON *id = cJSON_GetObjectItemCaseSensitive(item, "id"), *file = cJSON_GetObjectItemCaseSensitive(item, "file_name");
		if (!cJSON_IsNumber(id) || !cJSON_IsString(file) || !pairs_safe_path(file->valuestring))
			return com_fail(e, MM_EFORMAT, "%s: images[%zu] lacks a number \"id\" or a relative path \"file_name\"", d->path, d->n_images);
		d->image[d->n_images] = (image){ id->valuedouble, file->valuestring, (uint32_t)d->n_images };
		d->n_images++;
	}
	qsort(d->image, d->n_images, sizeof(*d->image), by_image_id);
	return MM_OK;
}

static mm_status read_notes(const com_host *h, document *d, const cJSON *root, mm_error *e)
{
	const cJSON *array, *item;
	size_t n;
	COM_TRY(get_array(d, root, "annotations", &array, &n, e));
	d->note = com_alloc(h, n + 1, sizeof(*d->note));
	if (!d->note)
		return com_no_memory(e, "captions");
	cJSON_ArrayForEach(item, array) {
		const cJSON *of = cJSON_GetObjectItemCaseSensitive(item, "image_id"), *id = cJSON_GetObjectItemCaseSensitive(item, "id");
		const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "caption");
		if (!cJSON_IsNumber(of) || !cJSON_IsString(text))
			return com_fail(e, MM_EFORMAT, "%s: annotations[%zu] lacks a number \"image_id\" or a string \"caption\"", d->path, d->n_notes);
		d->note[d->n_notes] = (note){ of->valuedouble, cJSON_IsNumber(id) ? id->valuedouble : (double)d->n_notes, text->valuestring };
		d->n_notes++;
	}
	qsort(d->note, d->n_notes, sizeof(*d->note), by_image);
	return MM_OK;
}

/* Both lists are sorted by picture. */
static mm_status add_all(pairs_reader *r, const document *d, mm_error *e)
{
	size_t k = 0;
	for (size_t i = 0; i < d->n_images; i++) {
		char *file = pairs_path(r->host, d->folder, d->image[i].file);
		mm_status status = file ? pairs_add_picture(r, d->image[i].file, file, -1, e) : com_no_memory(e, "a path");
		com_release(r->host, file);
		COM_TRY(status);
		while (k < d->n_notes && d->note[k].image < d->image[i].id)
			k++;
		for (; k < d->n_notes && d->note[k].image == d->image[i].id; k++)
			COM_TRY(pairs_add_caption(r, d->note[k].text, strlen(d->note[k].text), d->path, 0, e));
	}
	return MM_OK;
}

static mm_status read_document(pairs_reader *r, document *d, const cJSON *root, mm_error *e)
{
	mm_status status = read_images(r->host, d, root, e);
	if (status == MM_OK)
		status = read_notes(r->host, d, root, e);
	if (status == MM_OK)
		status = add_all(r, d, e);
	com_release(r->host, d->image);
	com_release(r->host, d->note);
	return status;
}

static mm_status parse(pairs_reader *r, document *d, mm_error *e)
{
	com_text text;
	const char *end = NULL;
	COM_TRY(com_text_open(r->host, d->path, JSON_MAX, &text, e));
	cJSON *root = cJSON_ParseWithLengthOpts(text.bytes, text.size, &end, 0);
	mm_status status = root ? MM_OK : com_fail(e, MM_EFORMAT, "%s: not JSON, wrong at byte %zu", d->path, end ? (size_t)(end - text.bytes) : 0);
	com_text_close(r->host, &text);
	if (status == MM_OK)
		status = read_document(r, d, root, e);
	cJSON_Delete(root);
	return status;
}

/* captions_train2017.json: the pictures are in train2017. */
static mm_status read_json(pairs_reader *r, const char *name, mm_error *e)
{
	const com_host *h = r->host;
	const char *year = name + strlen("captions_");
	char *folder = annotations(h, r->source);
	char *path = folder ? pairs_path(h, folder, name) : NULL;
	char *pictures = com_format(h, "%.*s", (int)(strlen(year) - strlen(".json")), year);
	document d = { .path = path, .folder = pictures };
	mm_status status = path && pictures ? parse(r, &d, e) : com_no_memory(e, "a path");
	com_release(h, folder);
	com_release(h, path);
	com_release(h, pictures);
	return status;
}

static mm_status read(pairs_reader *r, mm_error *e)
{
	com_arena strings = { NULL, 0, 0 };
	const char *name;
	mm_status status = find_json(r->host, r->source, r->split, &strings, &name, e);
	if (status == MM_OK && !name)
		status = com_fail(e, MM_EIO, "%s: no %s*.json here or in annotations", r->source->root, split_prefix[r->split]);
	if (status == MM_OK)
		status = read_json(r, name, e);
	com_arena_clear(r->host, &strings);
	return status;
}

static mm_status classes(const com_host *h, const pairs_source *s, uint32_t *out, mm_error *e)
{
	(void)h, (void)s, (void)e;
	*out = 0;
	return MM_OK;
}

static bool present(const com_host *h, const pairs_source *s)
{
	com_arena strings = { NULL, 0, 0 };
	const char *name = NULL;
	mm_status status = find_json(h, s, MM_SPLIT_TRAIN, &strings, &name, NULL);
	bool found = name || status == MM_EFORMAT; /* two of them are told when they are read */
	com_arena_clear(h, &strings);
	return found;
}

const pairs_layout pairs_coco = { "coco", "captions_train*.json", present, classes, read };
