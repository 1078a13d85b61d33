/* pairs.c - data whose parts belong together: choice of the layout, clean captions, samples and their keys. */
#include "mmi_build.h"

#include "entries.h"
#include "utf8.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pairs_layout *const layouts[] = {
	&pairs_cub, &pairs_folders, &pairs_coco, &pairs_table, &pairs_files, /* in the order in which they are tried */
};
static const char *const kind_names[PAIRS_KINDS] = { "picture", "sound", "caption" };

/* ---------------------------------------------------------------- settings */

/* The names of layouts, as settings have them; sounds are in none of the published ones. */
static const char *const all_layouts[] = { "auto", "cub", "folders", "coco", "pairs", "list", NULL };
static const char *const sound_layouts[] = { "auto", "pairs", "list", NULL };

static mm_status read_layout(const com_host *h, mm_config *c, pairs_source *s, mm_error *e)
{
	if (s->kind != PAIRS_SOUND)
		return h->config->get_choice(c, "layout", all_layouts, PAIRS_AUTO, &s->layout, e);
	COM_TRY(h->config->get_choice(c, "layout", sound_layouts, PAIRS_AUTO, &s->layout, e));
	s->layout = s->layout == PAIRS_AUTO ? PAIRS_AUTO : s->layout + PAIRS_FILES - 1;
	return MM_OK;
}

static bool may_be(const pairs_source *s, int layout)
{
	return s->layout == layout || s->layout == PAIRS_AUTO;
}

/* Keys of the layouts without a publisher, asked for only where they may mean something. */
static mm_status read_own_settings(const com_host *h, mm_config *c, pairs_source *s, mm_error *e)
{
	static const char *const classes[] = { "none", "folder", NULL };
	if (may_be(s, PAIRS_LIST)) {
		COM_TRY(h->config->get_path(c, "list", NULL, &s->list, e));
		COM_TRY(h->config->get_string(c, "column", "", &s->column, e));
	}
	if (!may_be(s, PAIRS_LIST) && !may_be(s, PAIRS_FILES))
		return MM_OK;
	COM_TRY(h->config->get_string(c, "names", "", &s->names, e));
	if (*s->names && !pairs_template_valid(s->names))
		return h->config->refuse(
			c, "names", "fields {label}, {group} and {}, with text between them, such as {label}_{group}_{}", e);
	COM_TRY(h->config->get_choice(c, "classes", classes, 0, &s->folder_classes, e));
	COM_TRY(h->config->get_string(c, "test_names", "", &s->test_names, e));
	COM_TRY(h->config->get_string(c, "test_groups", "", &s->test_groups, e));
	return h->config->get_float(c, "test_share", 0, 0, 0.9, &s->test_share, e);
}

mm_status pairs_settings(const com_host *h, mm_config *c, int kind, pairs_source *out, mm_error *e)
{
	static const char *const caption_names[] = { "each", "first", "join", NULL };
	pairs_source s = { .instance = h->config->instance_name(c),
		               .root = h->config->data_root(c),
		               .kind = kind,
		               .column = "",
		               .names = "",
		               .test_names = "",
		               .test_groups = "" };
	COM_TRY(read_layout(h, c, &s, e));
	COM_TRY(h->config->get_choice(c, "captions", caption_names, PAIRS_EACH, &s.captions, e));
	if (kind != PAIRS_SOUND)
		COM_TRY(h->config->get_path(c, "text", NULL, &s.text, e));
	COM_TRY(read_own_settings(h, c, &s, e));
	*out = s;
	return MM_OK;
}

/* ---------------------------------------------------------------- the layout */

static mm_status check_root(const pairs_source *s, mm_error *e)
{
	if (!s->root)
		return com_fail(e, MM_ECONFIG, "no data folder; set root in [%s] or in [data] to a folder of %ss", s->instance,
		                kind_names[s->kind]);
	return com_is_folder(s->root)
	           ? MM_OK
	           : com_fail(e, MM_EIO, "%s: no such folder; set root in [%s] or in [data]", s->root, s->instance);
}

static bool is_published(const pairs_layout *l)
{
	return l != &pairs_table && l != &pairs_files;
}

static const pairs_layout *named(int layout)
{
	for (size_t i = 0; i < COM_COUNT(layouts); i++)
		if (!strcmp(layouts[i]->name, all_layouts[layout]))
			return layouts[i];
	return NULL;
}

static mm_status choose_layout(const com_host *h, const pairs_source *s, const pairs_layout **out, mm_error *e)
{
	COM_TRY(check_root(s, e));
	*out = s->layout == PAIRS_AUTO ? NULL : named(s->layout);
	for (size_t i = 0; !*out && i < COM_COUNT(layouts); i++) {
		bool there = false;
		if (s->kind != PAIRS_SOUND || !is_published(layouts[i]))
			COM_TRY(layouts[i]->present(h, s, &there, e));
		if (there)
			*out = layouts[i];
	}
	if (*out)
		return MM_OK;
	if (s->kind == PAIRS_SOUND)
		return com_fail(e, MM_EIO,
		                "%s: no known layout: neither %s (list) nor sounds (pairs); set root in [%s] or in [data]",
		                s->root, pairs_table.signs, s->instance);
	char other[200];
	if (pairs_other_picture(h, s, other, sizeof(other)))
		return com_fail(
			e, MM_EIO,
			"%s: its pictures are of another kind (%s first); PNG and JPEG are read: convert them, or set root in "
			"[%s] or in [data]",
			s->root, other, s->instance);
	return com_fail(
		e, MM_EIO,
		"%s: no known layout: neither %s (cub) nor %s (folders) nor %s (coco) nor %s (list) nor %ss (pairs); "
		"set root in [%s] or in [data]",
		s->root, pairs_cub.signs, pairs_folders.signs, pairs_coco.signs, pairs_table.signs, kind_names[s->kind],
		s->instance);
}

mm_status pairs_classes(const com_host *h, const pairs_source *s, uint32_t *out, mm_error *e)
{
	const pairs_layout *layout;
	COM_TRY(choose_layout(h, s, &layout, e));
	return layout->classes(h, s, out, e);
}

/* ---------------------------------------------------------------- what the readers call */

char *pairs_path(const com_host *h, const char *folder, const char *name)
{
	return com_format(h, "%s/%s", folder, name);
}

static bool has(const com_host *h, const pairs_source *s, const char *name, bool (*is)(const char *path))
{
	char path[PATH_MAX]; /* no memory is asked for: what is there must not depend on it */
	(void)h;
	const int n = snprintf(path, sizeof(path), "%s/%s", s->root, name);
	return n > 0 && (size_t)n < sizeof(path) && is(path);
}

bool pairs_has_file(const com_host *h, const pairs_source *s, const char *name)
{
	return has(h, s, name, com_is_file);
}

bool pairs_has_folder(const com_host *h, const pairs_source *s, const char *name)
{
	return has(h, s, name, com_is_folder);
}

size_t pairs_stem(const char *name)
{
	const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name, *dot = strrchr(last, '.');
	return dot && dot > last ? (size_t)(dot - name) : strlen(name);
}

bool pairs_safe_path(const char *path)
{
	if (!*path || *path == '/')
		return false;
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/'))
			return false;
	}
	return true;
}

uint64_t pairs_hash(const char *name)
{
	uint64_t value = 0xcbf29ce484222325u;
	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * 0x100000001b3u;
	return value;
}

mm_status pairs_add_item(pairs_reader *r, const pairs_found *found, mm_error *e)
{
	pairs *p = r->out;
	void *array = p->item;
	if (p->n_items == UINT32_MAX || !com_reserve(r->host, &array, p->n_items, &r->item_capacity, sizeof(*p->item)))
		return com_no_memory(e, "a list of files");
	p->item = array;
	pairs_item *at = &p->item[p->n_items];
	at->name = com_keep(r->host, &p->strings, found->name, found->length ? found->length : pairs_stem(found->name));
	at->file = found->file ? com_keep(r->host, &p->strings, found->file, strlen(found->file)) : NULL;
	if (!at->name || (found->file && !at->file))
		return com_no_memory(e, "a list of files");
	at->label = found->label;
	at->group = pairs_hash(found->group ? found->group : at->name);
	at->caption = p->n_captions;
	at->n_captions = 0;
	p->n_items++;
	return MM_OK;
}

/* Blanks for what is no text, at most PAIRS_CAPTION_MAX bytes, no blanks at the ends. Returns the length. */
static size_t clean(const char *text, size_t length, char *out, bool *cut, bool *repaired)
{
	size_t n = 0, used;
	*cut = *repaired = false;
	for (size_t i = 0; i < length; i += used) {
		uint32_t c = utf8_next(text + i, length - i, &used);
		bool white = c >= '\t' && c <= '\r', good = c != UTF8_BAD && c >= ' ' && !(c >= 0x7F && c < 0xA0);
		if (n + used > PAIRS_CAPTION_MAX) {
			*cut = true;
			break;
		}
		if (!good && !white)
			*repaired = true;
		if (good)
			memcpy(out + n, text + i, used);
		else
			out[n] = ' ';
		n += good ? used : 1;
	}
	while (n && out[n - 1] == ' ')
		n--;
	size_t blanks = 0;
	while (blanks < n && out[blanks] == ' ')
		blanks++;
	memmove(out, out + blanks, n - blanks);
	return n - blanks;
}

static void count_fault(bool fault, uint64_t *count, char first[256], const pairs_place *at)
{
	if (!fault || (*count)++)
		return;
	if (at->line)
		snprintf(first, 256, "%s:%u", at->path, (unsigned)at->line);
	else
		snprintf(first, 256, "%s, id %s", at->path, at->record);
}

mm_status pairs_add_caption(pairs_reader *r, const char *text, size_t length, const pairs_place *at, mm_error *e)
{
	pairs *p = r->out;
	char buffer[PAIRS_CAPTION_MAX];
	bool cut, repaired;
	size_t n = clean(text, length, buffer, &cut, &repaired);
	count_fault(cut, &r->cut, r->first_cut, at);
	count_fault(repaired, &r->repaired, r->first_repaired, at);
	if (!n)
		return MM_OK;
	void *array = p->caption;
	if (p->n_captions == UINT32_MAX ||
	    !com_reserve(r->host, &array, p->n_captions, &r->caption_capacity, sizeof(*p->caption)))
		return com_no_memory(e, "captions");
	p->caption = array;
	p->caption[p->n_captions] = com_keep(r->host, &p->strings, buffer, n);
	if (!p->caption[p->n_captions])
		return com_no_memory(e, "captions");
	p->n_captions++;
	p->item[p->n_items - 1].n_captions++;
	return MM_OK;
}

static void report_faults(const pairs_reader *r)
{
	if (r->cut)
		com_log(r->host, MM_LOG_WARNING, "[%s] %llu captions have more than %u bytes and are cut (first: %s)",
		        r->source->instance, (unsigned long long)r->cut, PAIRS_CAPTION_MAX, r->first_cut);
	if (r->repaired)
		com_log(r->host, MM_LOG_WARNING,
		        "[%s] %llu captions hold control characters or bytes that are no UTF-8, which are read as "
		        "blanks (first: %s)",
		        r->source->instance, (unsigned long long)r->repaired, r->first_repaired);
}

/* ---------------------------------------------------------------- samples */

typedef struct ordered {
	uint64_t mix;
	pairs_sample sample;
} ordered;

/* An order that has nothing to do with classes, so that the first samples, which sheets show, are of many. */
static uint64_t mix(const char *name)
{
	const uint64_t value = pairs_hash(name);
	return value ^ value >> 29;
}

static int compare(const void *a, const void *b)
{
	const ordered *s = a, *t = b;
	if (s->sample.k != t->sample.k)
		return s->sample.k < t->sample.k ? -1 : 1;
	if (s->mix != t->mix)
		return s->mix < t->mix ? -1 : 1;
	return (s->sample.item > t->sample.item) - (s->sample.item < t->sample.item);
}

static uint32_t samples_of(const pairs *p, uint32_t item)
{
	uint32_t n = p->item[item].n_captions;
	return p->numbered && n > 1 ? n : 1;
}

static mm_status make_samples(pairs *p, mm_error *e)
{
	size_t n = 0, at = 0;
	p->numbered = p->captions == PAIRS_EACH && p->n_captions > 0;
	for (uint32_t i = 0; i < p->n_items; i++)
		n += samples_of(p, i);
	if (n > UINT32_MAX)
		return com_fail(e, MM_EUNSUPPORTED, "%zu pairs, at most %u are supported", n, UINT32_MAX);
	ordered *order = com_alloc(p->host, n ? n : 1, sizeof(*order));
	p->sample = com_alloc(p->host, n ? n : 1, sizeof(*p->sample));
	if (!order || !p->sample) {
		com_release(p->host, order);
		return com_no_memory(e, "a list of pairs");
	}
	for (uint32_t i = 0; i < p->n_items; i++)
		for (uint32_t k = 0; k < samples_of(p, i); k++)
			order[at++] = (ordered){ mix(p->item[i].name), { i, k } };
	qsort(order, n, sizeof(*order), compare);
	for (size_t i = 0; i < n; i++)
		p->sample[i] = order[i].sample;
	p->n_samples = (uint32_t)n;
	com_release(p->host, order);
	return MM_OK;
}

void pairs_filter(pairs *p, bool (*keep)(const pairs *p, const pairs_sample *s, void *ctx), void *ctx)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < p->n_samples; i++)
		if (keep(p, &p->sample[i], ctx))
			p->sample[n++] = p->sample[i];
	p->n_samples = n;
}

void pairs_caption(const pairs *p, const pairs_sample *s, char *text, size_t size)
{
	const pairs_item *item = &p->item[s->item];
	uint32_t first = p->captions == PAIRS_EACH ? s->k : 0,
			 last = p->captions == PAIRS_JOIN ? item->n_captions : first + 1;
	size_t used = 0;
	text[0] = 0;
	for (uint32_t k = first; k < last && k < item->n_captions && used < size - 1; k++) {
		int n = snprintf(text + used, size - used, "%s%s", k > first ? ", " : "", p->caption[item->caption + k]);
		used = n < 0 || (size_t)n >= size - used ? size - 1 : used + (size_t)n;
	}
}

mm_status pairs_check(const pairs *p, uint64_t index, mm_error *e)
{
	if (index < p->n_samples)
		return MM_OK;
	return com_fail(e, MM_EARG, "sample %llu of a data set of %u", (unsigned long long)index, p->n_samples);
}

mm_status pairs_key(const pairs *p, uint64_t index, char *out, size_t size, mm_error *e)
{
	char number[16] = "";
	COM_TRY(pairs_check(p, index, e));
	const char *name = p->item[p->sample[index].item].name;
	if (p->numbered)
		snprintf(number, sizeof(number), "#%u", (unsigned)p->sample[index].k);
	if (strlen(name) + strlen(number) >= size)
		return com_fail(e, MM_EARG, "the key %.100s... needs %zu bytes, the buffer has %zu; shorten the file's name",
		                name, strlen(name) + strlen(number) + 1, size);
	snprintf(out, size, "%s%s", name, number);
	return MM_OK;
}

int32_t pairs_label(const pairs *p, uint64_t index)
{
	return index < p->n_samples ? p->item[p->sample[index].item].label : -1;
}

uint64_t pairs_group(const pairs *p, uint64_t index)
{
	return index < p->n_samples ? p->item[p->sample[index].item].group : 0;
}

/* ---------------------------------------------------------------- files */

char *pairs_file(const pairs *p, const pairs_source *s, uint32_t item)
{
	return pairs_path(p->host, s->root, p->item[item].file);
}

/* Most likely they are elsewhere. */
static mm_status none_is_there(const pairs *p, const pairs_source *s, const char *what, uint32_t first, uint32_t listed,
                               mm_error *e)
{
	char *path = pairs_file(p, s, first), *instead = path ? pairs_instead(p->host, path) : NULL;
	mm_status status =
		instead ? com_fail(e, MM_EFORMAT, "none of %u listed %ss is there: %s", (unsigned)listed, what, instead)
				: com_no_memory(e, "a message");
	com_release(p->host, path);
	com_release(p->host, instead);
	return status;
}

static mm_status none_is_listed(const pairs *p, const pairs_source *s, const char *what, mm_error *e)
{
	char other[200];
	if (pairs_other_picture(p->host, s, other, sizeof(other)))
		return com_fail(e, MM_EFORMAT,
		                "%s: none of %u entries has a PNG or JPEG picture; %s is of a kind that is not read", s->root,
		                (unsigned)p->n_items, other);
	return com_fail(e, MM_EFORMAT, "%s: none of %u entries has a %s", s->root, (unsigned)p->n_items, what);
}

mm_status pairs_present(const pairs *p, const pairs_source *s, const char *what, bool *ok, mm_error *e)
{
	uint32_t listed = 0, missing = 0, first = 0;
	for (uint32_t k = 0; k < p->n_items; k++) {
		char *path = p->item[k].file ? pairs_file(p, s, k) : NULL;
		if (p->item[k].file && !path)
			return com_no_memory(e, "a path");
		ok[k] = path && com_is_file(path);
		com_release(p->host, path);
		listed += p->item[k].file != NULL;
		if (p->item[k].file && !ok[k] && !missing++)
			first = k;
	}
	if (!listed)
		return none_is_listed(p, s, what, e);
	if (missing == listed)
		return none_is_there(p, s, what, first, listed, e);
	if (missing)
		com_log(p->host, MM_LOG_WARNING, "[%s] %u of %u %ss are listed but not there (first: %s); they are left out",
		        s->instance, (unsigned)missing, (unsigned)listed, what, p->item[first].file);
	return MM_OK;
}

/* ---------------------------------------------------------------- life */

static mm_status read_split(pairs_reader *r, mm_error *e)
{
	const pairs_layout *layout;
	COM_TRY(choose_layout(r->host, r->source, &layout, e));
	COM_TRY(layout->read(r, e));
	report_faults(r);
	if (!r->out->n_items)
		return com_fail(e, MM_EFORMAT, "%s: no %s in the %s split", r->source->root, kind_names[r->source->kind],
		                r->split == MM_SPLIT_TRAIN ? "training" : "test");
	return make_samples(r->out, e);
}

mm_status pairs_open(const com_host *h, const pairs_source *s, int32_t split, pairs **out, mm_error *e)
{
	if (split != MM_SPLIT_TRAIN && split != MM_SPLIT_TEST)
		return com_fail(e, MM_EUNSUPPORTED, "split %d is unknown; there are 0 (train) and 1 (test)", (int)split);
	pairs *p = com_alloc(h, 1, sizeof(*p));
	if (!p)
		return com_no_memory(e, "a data set");
	p->host = h;
	p->captions = s->captions;
	pairs_reader r = { .host = h, .source = s, .split = split, .out = p };
	mm_status status = read_split(&r, e);
	if (status != MM_OK) {
		pairs_close(p);
		return status;
	}
	*out = p;
	return MM_OK;
}

void pairs_close(pairs *p)
{
	if (!p)
		return;
	const com_host *h = p->host;
	com_release(h, p->item);
	com_release(h, p->caption);
	com_release(h, p->sample);
	com_arena_clear(h, &p->strings);
	com_release(h, p);
}
