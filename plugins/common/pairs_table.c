/* pairs_table.c - the layout list: a table, CSV or JSON lines, with a column a modality. */
#include "mmi_build.h"

#include "entries.h"
#include "rows.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What columns mean; the first three are kinds of files. */
enum { ROLE_TEXT = PAIRS_TEXT, ROLE_FILE = PAIRS_KINDS, ROLE_KEY, ROLE_LABEL, ROLE_SPLIT, ROLE_GROUP, N_ROLES };

static const struct role_name {
	const char *name;
	int role;
} role_names[] = {
	{ "picture", PAIRS_PICTURE }, { "image", PAIRS_PICTURE }, { "img", PAIRS_PICTURE }, { "photo", PAIRS_PICTURE },
	{ "sound", PAIRS_SOUND },     { "audio", PAIRS_SOUND },   { "wav", PAIRS_SOUND },   { "caption", ROLE_TEXT },
	{ "text", ROLE_TEXT },        { "txt", ROLE_TEXT },       { "file", ROLE_FILE },    { "file_name", ROLE_FILE },
	{ "filename", ROLE_FILE },    { "path", ROLE_FILE },      { "key", ROLE_KEY },      { "id", ROLE_KEY },
	{ "label", ROLE_LABEL },      { "class", ROLE_LABEL },    { "split", ROLE_SPLIT },  { "group", ROLE_GROUP },
	{ "speaker", ROLE_GROUP },
};

/* A column asked for by name is that of the plugin's kind, and then no other is. */
static int role_of(const pairs_source *s, const char *name)
{
	if (*s->column && !strcasecmp(name, s->column))
		return s->kind;
	for (size_t i = 0; i < MMA_COUNT(role_names); i++)
		if (!strcasecmp(name, role_names[i].name))
			return *s->column && role_names[i].role == s->kind ? N_ROLES : role_names[i].role;
	return N_ROLES;
}

/* ---------------------------------------------------------------- where the table is */

static bool ends_in(const char *name, const char *ending)
{
	const size_t n = strlen(name), m = strlen(ending);
	return n > m && !strcasecmp(name + n - m, ending);
}

static bool is_table(const char *folder, const char *name)
{
	(void)folder;
	return ends_in(name, ".csv") || ends_in(name, ".tsv") || ends_in(name, ".jsonl");
}

/* The tables in root, sorted. */
static mm_status list_tables(const mma_host *h, const pairs_source *s, com_arena *strings, const char ***out,
                             uint32_t *n, mm_error *e)
{
	return pairs_list(h, strings, s->root, is_table, out, n, e);
}

/* The table's path, in host memory. */
static mm_status find_table(const mma_host *h, const pairs_source *s, char **out, mm_error *e)
{
	com_arena strings = { NULL, 0, 0 };
	const char **name = NULL;
	uint32_t n = 0;
	mm_status status = s->list ? MM_OK : list_tables(h, s, &strings, &name, &n, e);
	if (status == MM_OK && !s->list && !n)
		status = mma_fail(e, MM_EIO, "%s: no table (.csv, .tsv, .jsonl) in it; set list in [%s]", s->root, s->instance);
	if (status == MM_OK && n > 1)
		status = mma_fail(e, MM_ECONFIG, "%s holds %s and %u more tables; set list in [%s] to one of them", s->root,
		                  name[0], (unsigned)n - 1, s->instance);
	if (status == MM_OK) {
		*out = s->list ? com_format(h, "%s", s->list) : pairs_path(h, s->root, name[0]);
		status = *out ? MM_OK : mma_no_memory(e, "a path");
	}
	mma_free(h, name);
	com_arena_clear(h, &strings);
	return status;
}

/* ---------------------------------------------------------------- a row */

static mm_status wrong(const pairs_entries *a, uint32_t line, const char *what, const char *found, mm_error *e)
{
	return mma_fail(e, MM_EFORMAT, "%s:%u: found \"%.100s\", expected %s", a->table, (unsigned)line, found, what);
}

static mm_status keep(pairs_entries *a, const char *text, const char **out, mm_error *e)
{
	*out = com_keep(a->host, &a->strings, text, strlen(text));
	return *out ? MM_OK : mma_no_memory(e, "a table");
}

static mm_status put_file(pairs_entries *a, pairs_entry *entry, int role, const char *value, mm_error *e)
{
	const int kind = role == ROLE_FILE ? pairs_kind(value) : role;
	if (!pairs_safe_path(value))
		return wrong(a, entry->line, "a relative path below the data folder, without ..", value, e);
	if (kind != PAIRS_PICTURE && kind != PAIRS_SOUND)
		return wrong(a, entry->line, "a file that ends like a picture (.png, .jpg) or a sound (.wav, .flac, ...)",
		             value, e);
	return keep(a, value, &entry->file[kind], e);
}

static mm_status put(pairs_entries *a, pairs_entry *entry, int role, const char *value, mm_error *e)
{
	if (role == ROLE_KEY) {
		entry->key_length = strlen(value);
		return keep(a, value, &entry->key, e);
	}
	if (role == ROLE_LABEL)
		return keep(a, value, &entry->class, e);
	if (role == ROLE_GROUP)
		return keep(a, value, &entry->group, e);
	if (role == ROLE_TEXT)
		return keep(a, value, &entry->caption, e);
	if (role != ROLE_SPLIT)
		return put_file(a, entry, role, value, e);
	entry->split = pairs_split_named(value, strlen(value));
	return entry->split == PAIRS_UNSAID ? wrong(a, entry->line, "train, test or validation", value, e) : MM_OK;
}

/* Values by role, NULL or empty: none. Rows without a key are counted. */
static mm_status add_row(pairs_entries *a, uint32_t line, uint32_t number, const char *const value[N_ROLES],
                         mm_error *e)
{
	char counted[16];
	pairs_entry *entry = pairs_entry_add(a);
	if (!entry)
		return mma_no_memory(e, "a table");
	entry->line = line;
	snprintf(counted, sizeof(counted), "%u", (unsigned)number);
	for (int role = 0; role < N_ROLES; role++) {
		const char *given = value[role] ? value[role] : "";
		if (!*given && role == ROLE_KEY)
			given = counted;
		if (*given)
			MMA_TRY(put(a, entry, role, given, e));
	}
	return MM_OK;
}

static mm_status no_column(const pairs_entries *a, const char *first, mm_error *e)
{
	static const char *const wanted[PAIRS_KINDS] = { "picture, image, img, photo or file", "sound, audio, wav or file",
		                                             "caption, text or txt" };
	const pairs_source *s = a->source;
	if (*s->column)
		return mma_fail(e, MM_EFORMAT, "%s: no column %s; its first is %.60s", a->table, s->column, first);
	return mma_fail(e, MM_EFORMAT, "%s: no column %s; its first is %.60s: set column in [%s]", a->table,
	                wanted[s->kind], first, s->instance);
}

static bool serves(const bool has[N_ROLES], int kind)
{
	return has[kind] || (kind != PAIRS_TEXT && has[ROLE_FILE]);
}

/* ---------------------------------------------------------------- CSV */

typedef struct header {
	int *role; /* [n] */
	size_t n;
	bool has[N_ROLES];
} header;

static mm_status read_header(const pairs_entries *a, const com_rows *rows, header *out, mm_error *e)
{
	out->n = rows->n;
	out->role = mma_new(a->host, rows->n, sizeof(*out->role));
	if (!out->role)
		return mma_no_memory(e, "a table");
	for (size_t i = 0; i < rows->n; i++) {
		const int role = role_of(a->source, rows->cell[i]);
		if (role < N_ROLES && out->has[role])
			return mma_fail(
				e, MM_EFORMAT,
				"%s: the column %.60s means what another one does already; rename it, or set column in [%s]", a->table,
				rows->cell[i], a->source->instance);
		out->role[i] = role;
		if (role < N_ROLES)
			out->has[role] = true;
	}
	return serves(out->has, a->source->kind) ? MM_OK : no_column(a, rows->cell[0], e);
}

static mm_status take_csv_row(pairs_entries *a, const com_rows *rows, const header *names, uint32_t number, mm_error *e)
{
	const char *value[N_ROLES] = { NULL };
	if (rows->n != names->n)
		return mma_fail(e, MM_EFORMAT,
		                "%s:%u: %zu cells, the first line has %zu; cells with commas in them need quotes", a->table,
		                (unsigned)rows->line, rows->n, names->n);
	for (size_t i = 0; i < rows->n; i++)
		if (names->role[i] < N_ROLES)
			value[names->role[i]] = rows->cell[i];
	return add_row(a, rows->line, number, value, e);
}

static mm_status take_csv(pairs_entries *a, com_rows *rows, header *names, mm_error *e)
{
	bool found = false;
	MMA_TRY(com_rows_next(rows, &found, e));
	if (!found)
		return mma_fail(e, MM_EFORMAT, "%s: empty, expected a line of names of columns", a->table);
	MMA_TRY(read_header(a, rows, names, e));
	for (uint32_t number = 1;; number++) {
		MMA_TRY(com_rows_next(rows, &found, e));
		if (!found)
			return MM_OK;
		MMA_TRY(take_csv_row(a, rows, names, number, e));
	}
}

static mm_status read_csv(pairs_entries *a, mm_error *e)
{
	com_rows rows;
	header names = { NULL, 0, { false } };
	MMA_TRY(com_rows_open(a->host, a->table, PAIRS_FILE_MAX, &rows, e));
	mm_status status = take_csv(a, &rows, &names, e);
	mma_free(a->host, names.role);
	com_rows_close(&rows);
	return status;
}

/* ---------------------------------------------------------------- JSON lines */

enum { NUMBER_BYTES = 32 };

/* A text or a number as text; NULL: neither. */
static const char *as_text(const cJSON *item, char number[NUMBER_BYTES])
{
	if (cJSON_IsString(item))
		return item->valuestring;
	if (!cJSON_IsNumber(item))
		return NULL;
	snprintf(number, NUMBER_BYTES, "%.15g", item->valuedouble);
	return number;
}

/* An object: a row, and one more for each further caption of an array of them. */
static mm_status take_object(pairs_entries *a, uint32_t line, uint32_t number, const cJSON *object, bool has[N_ROLES],
                             mm_error *e)
{
	const char *value[N_ROLES] = { NULL };
	char numbers[N_ROLES][NUMBER_BYTES];
	const cJSON *item, *captions = NULL;
	cJSON_ArrayForEach(item, object)
	{
		const int role = role_of(a->source, item->string);
		if (role == N_ROLES)
			continue;
		has[role] = true;
		captions = role == ROLE_TEXT && cJSON_IsArray(item) ? item->child : captions;
		value[role] = as_text(role == ROLE_TEXT && captions ? captions : item, numbers[role]);
	}
	MMA_TRY(add_row(a, line, number, value, e));
	for (int role = 0; role < N_ROLES; role++)
		value[role] = role == ROLE_KEY ? value[role] : NULL;
	for (item = captions ? captions->next : NULL; item; item = item->next) {
		value[ROLE_TEXT] = as_text(item, numbers[ROLE_TEXT]);
		MMA_TRY(add_row(a, line, number, value, e));
	}
	return MM_OK;
}

static mm_status take_line(pairs_entries *a, const com_text *t, const char *line, size_t length, uint32_t number,
                           bool has[N_ROLES], mm_error *e)
{
	cJSON *object = cJSON_ParseWithLength(line, length);
	mm_status status = cJSON_IsObject(object)
	                       ? take_object(a, t->number, number, object, has, e)
	                       : mma_fail(e, MM_EFORMAT, "%s:%u: no JSON object, expected one in each line", a->table,
	                                  (unsigned)t->number);
	cJSON_Delete(object);
	return status;
}

static mm_status read_json_lines(pairs_entries *a, mm_error *e)
{
	com_text text;
	char *line;
	size_t length;
	uint32_t number = 1;
	bool has[N_ROLES] = { false };
	MMA_TRY(com_text_open(a->host, a->table, PAIRS_FILE_MAX, &text, e));
	mm_status status = MM_OK;
	while (status == MM_OK && com_text_line(&text, &line, &length))
		if (length)
			status = take_line(a, &text, line, length, number++, has, e);
	com_text_close(a->host, &text);
	MMA_TRY(status);
	return !a->n || serves(has, a->source->kind) ? MM_OK : no_column(a, "another", e);
}

/* ---------------------------------------------------------------- the layout */

static mm_status collect(pairs_entries *a, mm_error *e)
{
	char *path = NULL;
	MMA_TRY(find_table(a->host, a->source, &path, e));
	mm_status status = keep(a, path, &a->table, e);
	mma_free(a->host, path);
	MMA_TRY(status);
	MMA_TRY(ends_in(a->table, ".jsonl") || ends_in(a->table, ".json") ? read_json_lines(a, e) : read_csv(a, e));
	snprintf(a->keys, sizeof(a->keys), "a row each, those of one key together");
	return a->n ? MM_OK : mma_fail(e, MM_EFORMAT, "%s: no rows", a->table);
}

static mm_status present(const mma_host *h, const pairs_source *s, bool *out, mm_error *e)
{
	com_arena strings = { NULL, 0, 0 };
	const char **name = NULL;
	uint32_t n = 0;
	mm_status status = s->list ? MM_OK : list_tables(h, s, &strings, &name, &n, e);
	*out = s->list || (status == MM_OK && n > 0);
	mma_free(h, name);
	com_arena_clear(h, &strings);
	return status == MM_ENOMEM ? status : MM_OK;
}

static mm_status read(pairs_reader *r, mm_error *e)
{
	return pairs_entries_read(r, collect, e);
}

static mm_status classes(const mma_host *h, const pairs_source *s, uint32_t *out, mm_error *e)
{
	return pairs_entries_classes(h, s, collect, out, e);
}

const pairs_layout pairs_table = { "list", "a table (.csv, .tsv, .jsonl)", present, classes, read };
