/* entries.c - parts of people's own data brought together by key, and given to the reader of a split. */
#include "mmi_build.h"

#include "entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pairs_entry *pairs_entry_add(pairs_entries *a)
{
	pairs_entry *grown = mma_grow(a->host, a->entry, a->n, &a->capacity, sizeof(*grown));
	if (!grown)
		return NULL;
	a->entry = grown;
	a->entry[a->n] = (pairs_entry){ .split = PAIRS_UNSAID, .label = -1 };
	return &a->entry[a->n++];
}

/* ---------------------------------------------------------------- names */

/* What names are read from: that of the first file without folder and ending, else the key. */
static const char *name_of(const pairs_entry *entry, size_t *length)
{
	for (int kind = 0; kind < PAIRS_KINDS; kind++)
		if (entry->file[kind]) {
			const char *slash = strrchr(entry->file[kind], '/'), *name = slash ? slash + 1 : entry->file[kind];
			*length = pairs_stem(name);
			return name;
		}
	*length = entry->key_length;
	return entry->key;
}

static mm_status keep(pairs_entries *a, const char *text, size_t length, const char **out, mm_error *e)
{
	if (!length || *out)
		return MM_OK;
	*out = com_keep(a->host, &a->strings, text, length);
	return *out ? MM_OK : mma_no_memory(e, "names");
}

/* Entries whose names are of another form are left out and counted. */
static mm_status read_names(pairs_entries *a, mm_error *e)
{
	const char *names = a->source->names, *first = NULL;
	size_t kept = 0, n;
	for (size_t i = 0; i < a->n; i++) {
		pairs_said said;
		pairs_entry *entry = &a->entry[i];
		const char *name = name_of(entry, &n);
		if (!pairs_template_match(names, name, n, &said)) {
			first = first ? first : name;
			continue;
		}
		MMA_TRY(keep(a, said.label, said.label_length, &entry->class, e));
		MMA_TRY(keep(a, said.group, said.group_length, &entry->group, e));
		a->entry[kept++] = *entry;
	}
	if (!kept)
		return mma_fail(e, MM_EFORMAT, "%s: no name of %zu is like names = %s (the first is %.100s)", a->source->root,
		                a->n, names, first);
	if (first)
		mma_log(a->host, MM_LOG_WARNING, "[%s] %zu of %zu files are not named %s and are left out (first: %.100s)",
		        a->source->instance, a->n - kept, a->n, names, first);
	a->n = kept;
	return MM_OK;
}

/* ---------------------------------------------------------------- parts of one key */

static int first_kind(const pairs_entry *entry)
{
	int kind = 0;
	while (kind < PAIRS_KINDS && !entry->file[kind])
		kind++;
	return kind;
}

static int compare_keys(const pairs_entry *a, const pairs_entry *b)
{
	const size_t n = a->key_length < b->key_length ? a->key_length : b->key_length;
	const int order = memcmp(a->key, b->key, n);
	return order ? order : (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

static int compare(const void *a, const void *b)
{
	const pairs_entry *s = a, *t = b;
	int order = compare_keys(s, t);
	if (!order)
		order = (s->line > t->line) - (s->line < t->line);
	return order ? order : first_kind(s) - first_kind(t);
}

/* Where the entries of the same key as entry `at` end. */
static size_t end_of(const pairs_entries *a, size_t at)
{
	size_t end = at + 1;
	while (end < a->n && !compare_keys(&a->entry[at], &a->entry[end]))
		end++;
	return end;
}

static mm_status disagree(const pairs_entries *a, const pairs_entry *entry, const char *what, const char *one,
                          const char *other, mm_error *e)
{
	if (entry->line)
		return mma_fail(e, MM_EFORMAT, "%s:%u: key %.100s has the %s %.100s, and %.100s before", a->table,
		                (unsigned)entry->line, entry->key, what, other, one);
	return mma_fail(e, MM_EFORMAT, "%s: key %.100s has the %s %.100s and %.100s", a->source->root, entry->key, what,
	                one, other);
}

static mm_status share_text(const pairs_entries *a, const pairs_entry *entry, const char *what, const char *other,
                            const char **one, mm_error *e)
{
	if (!*one)
		*one = other;
	return !other || !strcmp(*one, other) ? MM_OK : disagree(a, entry, what, *one, other, e);
}

/* The first entry of a key gets what any of them says, and others may not say otherwise. */
static mm_status join(const pairs_entries *a, size_t at, size_t end, mm_error *e)
{
	static const char *const kinds[PAIRS_KINDS] = { "picture", "sound", "file of captions" };
	static const char *const splits[] = { "train", "test", "validation" };
	pairs_entry *first = &a->entry[at];
	for (size_t i = at + 1; i < end; i++) {
		const pairs_entry *entry = &a->entry[i];
		for (int kind = 0; kind < PAIRS_KINDS; kind++)
			MMA_TRY(share_text(a, entry, kinds[kind], entry->file[kind], &first->file[kind], e));
		MMA_TRY(share_text(a, entry, "label", entry->class, &first->class, e));
		MMA_TRY(share_text(a, entry, "group", entry->group, &first->group, e));
		if (first->split == PAIRS_UNSAID)
			first->split = entry->split;
		if (entry->split != PAIRS_UNSAID && entry->split != first->split)
			return disagree(a, entry, "split", splits[first->split], splits[entry->split], e);
	}
	/* Rows about one file are alike, whatever their keys. */
	for (int kind = 0; first->line && !first->group && kind < PAIRS_KINDS; kind++)
		first->group = first->file[kind];
	return MM_OK;
}

/* What entries need when all were added: sorted, parts of one kind and key at most once, labels, splits. */
static mm_status settle(pairs_entries *a, mm_error *e)
{
	if (*a->source->names)
		MMA_TRY(read_names(a, e));
	qsort(a->entry, a->n, sizeof(*a->entry), compare);
	for (size_t at = 0, end; at < a->n; at = end) {
		end = end_of(a, at);
		MMA_TRY(join(a, at, end, e));
	}
	MMA_TRY(pairs_label_classes(a, e));
	return pairs_split_entries(a, e);
}

/* ---------------------------------------------------------------- giving */

static mm_status give_caption_file(pairs_reader *r, const char *file, mm_error *e)
{
	com_text text;
	char *line, *path = pairs_path(r->host, r->source->root, file);
	size_t length;
	mm_status status = path ? com_text_open(r->host, path, PAIRS_FILE_MAX, &text, e) : mma_no_memory(e, "a path");
	if (status == MM_OK) {
		while (status == MM_OK && com_text_line(&text, &line, &length))
			status = pairs_add_caption(r, line, length, &(pairs_place){ .path = path, .line = text.number }, e);
		com_text_close(r->host, &text);
	}
	mma_free(r->host, path);
	return status;
}

static mm_status give_item(pairs_reader *r, const pairs_entries *a, size_t at, size_t end, mm_error *e)
{
	const pairs_entry *first = &a->entry[at];
	const pairs_found found = { .name = first->key,
		                        .length = first->key_length,
		                        .file = first->file[r->source->kind],
		                        .label = first->label,
		                        .group = first->group };
	MMA_TRY(pairs_add_item(r, &found, e));
	if (first->file[PAIRS_TEXT])
		MMA_TRY(give_caption_file(r, first->file[PAIRS_TEXT], e));
	for (size_t i = at; i < end; i++) {
		const pairs_entry *entry = &a->entry[i];
		const pairs_place place = { .path = a->table, .line = entry->line };
		if (entry->caption)
			MMA_TRY(pairs_add_caption(r, entry->caption, strlen(entry->caption), &place, e));
	}
	return MM_OK;
}

/* Adds those of a split to what is read. */
static mm_status give(pairs_reader *r, const pairs_entries *a, mm_error *e)
{
	for (size_t at = 0, end; at < a->n; at = end) {
		end = end_of(a, at);
		if (a->entry[at].split == r->split)
			MMA_TRY(give_item(r, a, at, end, e));
	}
	if (!r->out->n_captions && r->source->kind == PAIRS_TEXT) {
		static const char none[] = "there are no captions beside the other files";
		r->out->absent = com_keep(r->host, &r->out->strings, none, sizeof(none) - 1);
		return r->out->absent ? MM_OK : mma_no_memory(e, "captions");
	}
	return MM_OK;
}

/* One line of how the data was understood. */
static void tell(const pairs_entries *a)
{
	size_t items = 0, test = 0;
	for (size_t at = 0; at < a->n; at = end_of(a, at)) {
		items++;
		test += a->entry[at].split == MM_SPLIT_TEST;
	}
	mma_log(a->host, MM_LOG_INFO, "[%s] %s: %zu items, %zu of them for testing (%s); %s; %s", a->source->instance,
	        a->table ? a->table : a->source->root, items, test, a->split, a->keys, a->classes);
}

/* ---------------------------------------------------------------- what a layout does */

static mm_status collect_and_settle(pairs_entries *a, pairs_collect collect, mm_error *e)
{
	MMA_TRY(collect(a, e));
	return settle(a, e);
}

static void clear(pairs_entries *a)
{
	mma_free(a->host, a->entry);
	com_arena_clear(a->host, &a->strings);
}

mm_status pairs_entries_read(pairs_reader *r, pairs_collect collect, mm_error *e)
{
	pairs_entries a = { .host = r->host, .source = r->source };
	mm_status status = collect_and_settle(&a, collect, e);
	if (status == MM_OK)
		status = give(r, &a, e);
	clear(&a);
	return status;
}

mm_status pairs_entries_classes(const mma_host *h, const pairs_source *s, pairs_collect collect, uint32_t *out,
                                mm_error *e)
{
	pairs_entries a = { .host = h, .source = s };
	mm_status status = collect_and_settle(&a, collect, e);
	if (status == MM_OK) {
		tell(&a);
		*out = a.n_classes;
	}
	clear(&a);
	return status;
}
