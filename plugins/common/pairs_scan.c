/* pairs_scan.c - the layout pairs: all files of known endings below a folder, and what brings them together. */
#include "mmi_build.h"

#include "entries.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEEPEST = 16 /* folders below root */, MOST_FILES = 1 << 24 };

int pairs_kind(const char *name)
{
	static const struct {
		const char *ending;
		int kind;
	} endings[] = {
		{ ".png", PAIRS_PICTURE },  { ".jpg", PAIRS_PICTURE }, { ".jpeg", PAIRS_PICTURE }, { ".txt", PAIRS_TEXT },
		{ ".caption", PAIRS_TEXT }, { ".wav", PAIRS_SOUND },   { ".flac", PAIRS_SOUND },   { ".ogg", PAIRS_SOUND },
		{ ".oga", PAIRS_SOUND },    { ".opus", PAIRS_SOUND },  { ".aif", PAIRS_SOUND },    { ".aiff", PAIRS_SOUND },
		{ ".aifc", PAIRS_SOUND },   { ".au", PAIRS_SOUND },    { ".caf", PAIRS_SOUND },    { ".w64", PAIRS_SOUND },
		{ ".mp3", PAIRS_SOUND },
	};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && dot > name && i < MMA_COUNT(endings); i++)
		if (!strcasecmp(dot, endings[i].ending))
			return endings[i].kind;
	return PAIRS_KINDS;
}

/* ---------------------------------------------------------------- the tree */

/* A folder that is being read, and those around it: links may lead back to one. */
typedef struct level {
	const struct level *above;
	const char *path; /* below root; "": root */
	dev_t device;
	ino_t inode;
	int depth;
} level;

typedef struct walk {
	const mma_host *host;
	const char *root;
	mm_status (*take)(void *ctx, const char *path, mm_error *e); /* a file of a known kind, its path below root */
	void *ctx;
	bool all; /* files of all kinds */
} walk;

static bool is_around(const level *l, const struct stat *info)
{
	for (; l; l = l->above)
		if (l->device == info->st_dev && l->inode == info->st_ino)
			return true;
	return false;
}

static bool any(const char *path, const char *name)
{
	(void)path, (void)name;
	return true;
}

static mm_status walk_folder(const walk *w, const level *l, mm_error *e);

static mm_status walk_entry(const walk *w, const level *l, const char *path, mm_error *e)
{
	struct stat info;
	char *full = pairs_path(w->host, w->root, path);
	if (!full)
		return mma_no_memory(e, "a path");
	const bool there = !stat(full, &info);
	mma_free(w->host, full);
	if (!there || (S_ISDIR(info.st_mode) && (l->depth == DEEPEST || is_around(l, &info))))
		return MM_OK;
	if (S_ISREG(info.st_mode))
		return w->all || pairs_kind(path) < PAIRS_KINDS ? w->take(w->ctx, path, e) : MM_OK;
	const level below = { l, path, info.st_dev, info.st_ino, l->depth + 1 };
	return S_ISDIR(info.st_mode) ? walk_folder(w, &below, e) : MM_OK;
}

/* In the order of names. */
static mm_status walk_folder(const walk *w, const level *l, mm_error *e)
{
	com_arena strings = { NULL, 0, 0 };
	const char **name = NULL;
	uint32_t n = 0;
	char *folder = *l->path ? pairs_path(w->host, w->root, l->path) : com_format(w->host, "%s", w->root);
	mm_status status = folder ? pairs_list(w->host, &strings, folder, any, &name, &n, e) : mma_no_memory(e, "a path");
	for (uint32_t i = 0; status == MM_OK && i < n; i++) {
		char *path = *l->path ? pairs_path(w->host, l->path, name[i]) : com_format(w->host, "%s", name[i]);
		status = path ? walk_entry(w, l, path, e) : mma_no_memory(e, "a path");
		mma_free(w->host, path);
	}
	mma_free(w->host, folder);
	mma_free(w->host, name);
	com_arena_clear(w->host, &strings);
	return status;
}

static mm_status walk_root(const walk *w, mm_error *e)
{
	struct stat info;
	if (stat(w->root, &info))
		return mma_fail(e, MM_EIO, "%s: no such folder", w->root);
	return walk_folder(w, &(level){ NULL, "", info.st_dev, info.st_ino, 0 }, e);
}

/* ---------------------------------------------------------------- keys */

/* The part of a path that is left without one of its folders. */
static size_t without_folder(const char *path, size_t begin, size_t length, char *out)
{
	const char *slash = memchr(path + begin, '/', length - begin);
	const size_t gone = slash ? (size_t)(slash - path) + 1 - begin : 0;
	memcpy(out, path, begin);
	memcpy(out + begin, path + begin + gone, length - begin - gone);
	return length - gone;
}

static size_t first_folder(const char *path, size_t length)
{
	const char *slash = memchr(path, '/', length);
	return slash ? (size_t)(slash - path) + 1 : 0;
}

static size_t whole_path(const char *path, size_t length, char *out)
{
	memcpy(out, path, length);
	return length;
}

static size_t but_first(const char *path, size_t length, char *out)
{
	return without_folder(path, 0, length, out);
}

static size_t but_second(const char *path, size_t length, char *out)
{
	return without_folder(path, first_folder(path, length), length, out);
}

static size_t name_alone(const char *path, size_t length, char *out)
{
	size_t begin = length;
	while (begin && path[begin - 1] != '/')
		begin--;
	memcpy(out, path + begin, length - begin);
	return length - begin;
}

/* What keys may be, the plainest first: of two that bring as much together the first is taken. */
static const struct key_form {
	size_t (*of)(const char *path, size_t length, char *out); /* out: room for the whole path; its bytes */
	const char *says;
} key_forms[] = {
	{ whole_path, "keys are paths" },
	{ but_first, "keys are paths without their first folder" },
	{ but_second, "keys are paths without their second folder" },
	{ name_alone, "keys are names of files" },
};

typedef struct keyed {
	const char *key;
	size_t length;
	int kind;
	const char *file;
} keyed;

static int compare_keys(const keyed *a, const keyed *b)
{
	const size_t n = a->length < b->length ? a->length : b->length;
	const int order = memcmp(a->key, b->key, n);
	return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int compare(const void *a, const void *b)
{
	const keyed *s = a, *t = b;
	const int order = compare_keys(s, t);
	return order ? order : (s->kind > t->kind) - (s->kind < t->kind);
}

static const char *file_of(const pairs_entry *entry, int *kind)
{
	for (*kind = 0; !entry->file[*kind]; ++*kind)
		;
	return entry->file[*kind];
}

/* How many files have a partner of another kind; SIZE_MAX: one key has two of a kind, *twin and the one before it. */
static size_t partners(const keyed *list, size_t n, const keyed **twin)
{
	size_t count = 0;
	for (size_t i = 1; i < n; i++) {
		if (compare_keys(&list[i - 1], &list[i]))
			continue;
		*twin = &list[i];
		if (list[i - 1].kind == list[i].kind)
			return SIZE_MAX;
		count++;
	}
	return count;
}

/* Keys by one form, sorted. The strings are the arena's. */
static mm_status key_by(const pairs_entries *a, size_t form, com_arena *strings, keyed *list, mm_error *e)
{
	char key[PATH_MAX];
	for (size_t i = 0; i < a->n; i++) {
		int kind;
		const char *file = file_of(&a->entry[i], &kind);
		const size_t stem = pairs_stem(file);
		if (stem >= sizeof(key))
			return mma_fail(e, MM_EFORMAT, "%.200s...: the path is too long", file);
		const size_t length = key_forms[form].of(file, stem, key);
		list[i] = (keyed){ com_keep(a->host, strings, key, length), length, kind, file };
		if (!list[i].key)
			return mma_no_memory(e, "keys");
	}
	qsort(list, a->n, sizeof(*list), compare);
	return MM_OK;
}

static mm_status two_of_a_kind(const keyed *twin, mm_error *e)
{
	return mma_fail(e, MM_EFORMAT, "%s and %s are of one kind and have the same name; rename one of them",
	                twin[-1].file, twin->file);
}

/* The form that brings most together. */
static mm_status choose_form(const pairs_entries *a, keyed *list, size_t *out, mm_error *e)
{
	size_t best = 0;
	for (size_t f = 0; f < MMA_COUNT(key_forms); f++) {
		com_arena strings = { NULL, 0, 0 };
		const keyed *twin = NULL;
		mm_status status = key_by(a, f, &strings, list, e);
		const size_t count = status == MM_OK ? partners(list, a->n, &twin) : 0;
		if (status == MM_OK && count == SIZE_MAX && !f)
			status = two_of_a_kind(twin, e);
		if (count != SIZE_MAX && (count > best || !f)) {
			best = count;
			*out = f;
		}
		com_arena_clear(a->host, &strings);
		MMA_TRY(status);
	}
	return MM_OK;
}

static mm_status give_keys(pairs_entries *a, mm_error *e)
{
	size_t form = 0;
	char key[PATH_MAX];
	keyed *list = mma_new(a->host, a->n, sizeof(*list));
	mm_status status = list ? choose_form(a, list, &form, e) : mma_no_memory(e, "keys");
	mma_free(a->host, list);
	MMA_TRY(status);
	memcpy(a->keys, key_forms[form].says, strlen(key_forms[form].says) + 1);
	for (size_t i = 0; i < a->n; i++) {
		pairs_entry *entry = &a->entry[i];
		int kind;
		const char *file = file_of(entry, &kind);
		entry->key_length = key_forms[form].of(file, pairs_stem(file), key);
		entry->key = com_keep(a->host, &a->strings, key, entry->key_length);
		if (!entry->key)
			return mma_no_memory(e, "keys");
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- what folders say */

/* The n-th folder of a path, from 0. */
static bool folder_at(const char *path, int n, const char **out, size_t *length)
{
	for (; n >= 0; n--) {
		const char *slash = strchr(path, '/');
		if (!slash)
			return false;
		*out = path;
		*length = (size_t)(slash - path);
		path = slash + 1;
	}
	return true;
}

/* What the n-th folder of an entry's file says. */
static int32_t split_at(const pairs_entry *entry, int depth)
{
	const char *name;
	size_t length;
	int kind;
	return folder_at(file_of(entry, &kind), depth, &name, &length) ? pairs_split_named(name, length) : PAIRS_UNSAID;
}

static bool are_splits(const pairs_entries *a, int depth)
{
	bool seen[3] = { false, false, false };
	for (size_t i = 0; i < a->n; i++) {
		const int32_t split = split_at(&a->entry[i], depth);
		if (split != PAIRS_UNSAID)
			seen[split] = true;
	}
	return seen[MM_SPLIT_TRAIN] && (seen[MM_SPLIT_TEST] || seen[PAIRS_VALIDATION]);
}

/* Folders train and test, on the first or the second level. */
static void split_by_folders(pairs_entries *a)
{
	for (int depth = 0; depth < 2; depth++) {
		if (!are_splits(a, depth))
			continue;
		for (size_t i = 0; i < a->n; i++)
			a->entry[i].split = split_at(&a->entry[i], depth);
		return;
	}
}

/* The folder that a file stands in is its class. */
static mm_status class_by_folder(pairs_entries *a, pairs_entry *entry, mm_error *e)
{
	int kind;
	const char *file = file_of(entry, &kind), *slash = strrchr(file, '/'), *begin = slash;
	if (!slash)
		return mma_fail(e, MM_EFORMAT,
		                "%s: the file is in no folder; with classes = folder each is in that of its class", file);
	while (begin > file && begin[-1] != '/')
		begin--;
	entry->class = com_keep(a->host, &a->strings, begin, (size_t)(slash - begin));
	return entry->class ? MM_OK : mma_no_memory(e, "classes");
}

/* Folders of captions name no class where pictures or sounds are in folders of their own. */
static mm_status classes_by_folders(pairs_entries *a, mm_error *e)
{
	bool all_text = true;
	int kind;
	for (size_t i = 0; i < a->n; i++) {
		file_of(&a->entry[i], &kind);
		all_text &= kind == PAIRS_TEXT;
	}
	for (size_t i = 0; i < a->n; i++) {
		file_of(&a->entry[i], &kind);
		if (kind != PAIRS_TEXT || all_text)
			MMA_TRY(class_by_folder(a, &a->entry[i], e));
	}
	return MM_OK;
}

/* ---------------------------------------------------------------- the layout */

static mm_status take_file(void *ctx, const char *path, mm_error *e)
{
	pairs_entries *a = ctx;
	if (a->n == MOST_FILES)
		return mma_fail(e, MM_EUNSUPPORTED, "%s: more than %d files; set root in [%s] to the folder of the data",
		                a->source->root, MOST_FILES, a->source->instance);
	pairs_entry *entry = pairs_entry_add(a);
	char *file = entry ? com_keep(a->host, &a->strings, path, strlen(path)) : NULL;
	if (!file)
		return mma_no_memory(e, "a list of files");
	entry->file[pairs_kind(path)] = file;
	return MM_OK;
}

static mm_status collect(pairs_entries *a, mm_error *e)
{
	const walk w = { a->host, a->source->root, take_file, a, false };
	MMA_TRY(walk_root(&w, e));
	if (!a->n)
		return mma_fail(e, MM_EIO,
		                "%s: no pictures (.png, .jpg), sounds (.wav, .flac, .ogg, ...) or captions (.txt) in it",
		                a->source->root);
	MMA_TRY(give_keys(a, e));
	split_by_folders(a);
	return a->source->folder_classes ? classes_by_folders(a, e) : MM_OK;
}

typedef struct looked {
	int kind;
	bool found;
} looked;

/* Fails as soon as there is one, which ends the walk. */
static mm_status look(void *ctx, const char *path, mm_error *e)
{
	looked *l = ctx;
	(void)e;
	l->found = pairs_kind(path) == l->kind;
	return l->found ? MM_ESTATE : MM_OK;
}

static mm_status present(const mma_host *h, const pairs_source *s, bool *out, mm_error *e)
{
	looked l = { s->kind, false };
	const walk w = { h, s->root, look, &l, false };
	mm_status status = walk_root(&w, e);
	*out = l.found;
	return status == MM_ENOMEM ? status : MM_OK;
}

typedef struct other_picture {
	char *path;
	size_t size;
} other_picture;

static mm_status look_for_other(void *ctx, const char *path, mm_error *e)
{
	static const char *const endings[] = { ".gif",  ".webp", ".bmp", ".tif", ".tiff", ".heic",
		                                   ".heif", ".avif", ".jxl", ".jp2", ".svg",  ".ppm" };
	const other_picture *o = ctx;
	const char *dot = strrchr(path, '.');
	(void)e;
	for (size_t i = 0; dot && i < MMA_COUNT(endings); i++)
		if (!strcasecmp(dot, endings[i])) {
			snprintf(o->path, o->size, "%s", path);
			return MM_ESTATE;
		}
	return MM_OK;
}

bool pairs_other_picture(const mma_host *h, const pairs_source *s, char *path, size_t size)
{
	other_picture o = { path, size };
	const walk w = { h, s->root, look_for_other, &o, true };
	*path = 0;
	if (s->kind == PAIRS_PICTURE)
		(void)walk_root(&w, NULL);
	return *path;
}

static mm_status read(pairs_reader *r, mm_error *e)
{
	return pairs_entries_read(r, collect, e);
}

static mm_status classes(const mma_host *h, const pairs_source *s, uint32_t *out, mm_error *e)
{
	return pairs_entries_classes(h, s, collect, out, e);
}

const pairs_layout pairs_files = { "pairs", "files of one name", present, classes, read };
