/* pairs_folders.c - MMVAE's form of CUB: a folder for each split with one for each class in it, and for each split one
 * file of captions, ten a picture, in the order of the pictures' paths. */
#include "mmi_build.h"

#include "pairs_read.h"

#include <string.h>
#include <strings.h>

enum { CAPTIONS_A_PICTURE = 10 };

static const char *const split_folder[] = { [MM_SPLIT_TRAIN] = "train", [MM_SPLIT_TEST] = "test" };
static const char *const split_captions[] = {
	[MM_SPLIT_TRAIN] = "text_trainvalclasses.txt", [MM_SPLIT_TEST] = "text_testclasses.txt"
};

static bool is_class(const char *folder, const char *name)
{
	char path[4096];
	size_t a = strlen(folder), b = strlen(name);
	if (a + b + 2 > sizeof(path))
		return false;
	memcpy(path, folder, a);
	path[a] = '/';
	memcpy(path + a + 1, name, b + 1);
	return com_is_folder(path);
}

static bool is_picture(const char *folder, const char *name)
{
	static const char *const suffixes[] = { ".jpg", ".jpeg", ".png" };
	const char *dot = strrchr(name, '.');
	(void)folder;
	for (size_t i = 0; dot && i < MMA_COUNT(suffixes); i++)
		if (!strcasecmp(dot, suffixes[i]))
			return true;
	return false;
}

/* The class folders of both splits, each name once, sorted: a class's label is its place. */
typedef struct classes {
	const char **name[2];
	uint32_t n[2];
	com_arena strings;
} classes;

static void clear(const mma_host *h, classes *c)
{
	mma_free(h, c->name[0]);
	mma_free(h, c->name[1]);
	com_arena_clear(h, &c->strings);
}

static mm_status list_classes(const mma_host *h, const pairs_source *s, classes *c, mm_error *e)
{
	for (int split = 0; split < 2; split++) {
		char *path = pairs_path(h, s->root, split_folder[split]);
		if (!path)
			return mma_no_memory(e, "a path");
		mm_status status =
			com_is_folder(path) ? pairs_list(h, &c->strings, path, is_class, &c->name[split], &c->n[split], e) : MM_OK;
		mma_free(h, path);
		MMA_TRY(status);
	}
	return MM_OK;
}

/* Merges the two sorted lists up to `name` (NULL: to the end) and returns how many different names come before it. */
static uint32_t place(const classes *c, const char *name)
{
	uint32_t at[2] = { 0, 0 }, n = 0;
	while (at[0] < c->n[0] || at[1] < c->n[1]) {
		int order = at[0] == c->n[0] ? 1 : at[1] == c->n[1] ? -1 : strcmp(c->name[0][at[0]], c->name[1][at[1]]);
		const char *next = order <= 0 ? c->name[0][at[0]] : c->name[1][at[1]];
		if (name && strcmp(next, name) >= 0)
			break;
		at[0] += order <= 0;
		at[1] += order >= 0;
		n++;
	}
	return n;
}

/* ---------------------------------------------------------------- pictures */

static mm_status add_picture(pairs_reader *r, const char *class, const char *picture, uint32_t label,
                             com_text *captions, mm_error *e)
{
	char *line, *file = com_format(r->host, "%s/%s/%s", split_folder[r->split], class, picture);
	size_t length;
	const size_t folder = strlen(split_folder[r->split]) + 1;
	mm_status status = !file ? mma_no_memory(e, "a path")
	                         : pairs_add_item(r,
	                                          &(pairs_found){
												  .name = file + folder,
												  .file = file,
												  .label = (int32_t)label,
											  },
	                                          e);
	for (int k = 0; status == MM_OK && captions && k < CAPTIONS_A_PICTURE; k++) {
		if (!com_text_line(captions, &line, &length))
			status = mma_fail(e, MM_EFORMAT,
			                  "%s: ends after %u lines, within the captions of %s; expected are %d for each picture",
			                  captions->path, (unsigned)captions->number, file, CAPTIONS_A_PICTURE);
		else
			status = pairs_add_caption(r, line, length,
			                           &(pairs_place){ .path = captions->path, .line = captions->number }, e);
	}
	mma_free(r->host, file);
	return status;
}

static mm_status add_class(pairs_reader *r, const classes *c, const char *class, com_text *captions, mm_error *e)
{
	com_arena strings = { NULL, 0, 0 };
	const char **picture = NULL;
	uint32_t n = 0, label = place(c, class);
	char *path = com_format(r->host, "%s/%s/%s", r->source->root, split_folder[r->split], class);
	mm_status status =
		path ? pairs_list(r->host, &strings, path, is_picture, &picture, &n, e) : mma_no_memory(e, "a path");
	for (uint32_t i = 0; status == MM_OK && i < n; i++)
		status = add_picture(r, class, picture[i], label, captions, e);
	mma_free(r->host, path);
	mma_free(r->host, picture);
	com_arena_clear(r->host, &strings);
	return status;
}

/* What is left after the last picture's captions may only be empty lines. */
static mm_status check_end(const pairs_reader *r, com_text *captions, mm_error *e)
{
	char *line;
	size_t length;
	while (com_text_line(captions, &line, &length))
		if (length)
			return mma_fail(e, MM_EFORMAT,
			                "%s:%u: one line too many; expected are %d for each of the %u pictures in %s/%s",
			                captions->path, (unsigned)captions->number, CAPTIONS_A_PICTURE, (unsigned)r->out->n_items,
			                r->source->root, split_folder[r->split]);
	return MM_OK;
}

static mm_status add_classes(pairs_reader *r, const classes *c, com_text *captions, mm_error *e)
{
	for (uint32_t i = 0; i < c->n[r->split]; i++)
		MMA_TRY(add_class(r, c, c->name[r->split][i], captions, e));
	return captions ? check_end(r, captions, e) : MM_OK;
}

static mm_status read_classes(pairs_reader *r, const classes *c, mm_error *e)
{
	com_text captions;
	char *path = pairs_path(r->host, r->source->root, split_captions[r->split]);
	if (!path)
		return mma_no_memory(e, "a path");
	mm_status status;
	if (!com_is_file(path)) {
		status = pairs_note_absent(r, path, e);
		if (status == MM_OK)
			status = add_classes(r, c, NULL, e);
	} else {
		status = com_text_open(r->host, path, PAIRS_FILE_MAX, &captions, e);
		if (status == MM_OK) {
			status = add_classes(r, c, &captions, e);
			com_text_close(r->host, &captions);
		}
	}
	mma_free(r->host, path);
	return status;
}

static mm_status read(pairs_reader *r, mm_error *e)
{
	classes c = { .n = { 0, 0 } };
	mm_status status = list_classes(r->host, r->source, &c, e);
	if (status == MM_OK)
		status = read_classes(r, &c, e);
	clear(r->host, &c);
	return status;
}

static mm_status count_classes(const mma_host *h, const pairs_source *s, uint32_t *out, mm_error *e)
{
	classes c = { .n = { 0, 0 } };
	mm_status status = list_classes(h, s, &c, e);
	if (status == MM_OK)
		*out = place(&c, NULL);
	clear(h, &c);
	return status;
}

static mm_status present(const mma_host *h, const pairs_source *s, bool *out, mm_error *e)
{
	(void)e;
	*out = pairs_has_folder(h, s, "train") && pairs_has_folder(h, s, "test") &&
	       pairs_has_file(h, s, split_captions[MM_SPLIT_TRAIN]);
	return MM_OK;
}

const pairs_layout pairs_folders = { "folders", "train/, test/ and text_trainvalclasses.txt", present, count_classes,
	                                 read };
