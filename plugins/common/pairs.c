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
/* As settings have them. */
const char *const pairs_layout_names[] = { "auto", "cub", "folders", "coco", "pairs", "list", NULL };
static const char *const kind_names[PAIRS_KINDS] = { "picture", "sound", "caption" };

/* ---------------------------------------------------------------- the layout */

static mm_status check_root(const pairs_source *s, mm_error *e)
{
	if (!s->root)
		return mma_fail(e, MM_ECONFIG, "no data folder; set root in [%s] or in [data] to a folder of %ss", s->instance,
		                kind_names[s->kind]);
	return com_is_folder(s->root)
	           ? MM_OK
	           : mma_fail(e, MM_EIO, "%s: no such folder; set root in [%s] or in [data]", s->root, s->instance);
}

static bool is_published(const pairs_layout *l)
{
	return l != &pairs_table && l != &pairs_files;
}

static const pairs_layout *named(int layout)
{
	for (size_t i = 0; i < MMA_COUNT(layouts); i++)
		if (!strcmp(layouts[i]->name, pairs_layout_names[layout]))
			return layouts[i];
	return NULL;
}

static mm_status choose_layout(const mma_host *h, const pairs_source *s, const pairs_layout **out, mm_error *e)
{
	MMA_TRY(check_root(s, e));
	*out = s->layout == PAIRS_AUTO ? NULL : named(s->layout);
	for (size_t i = 0; !*out && i < MMA_COUNT(layouts); i++) {
		bool there = false;
		if (s->kind != PAIRS_SOUND || !is_published(layouts[i]))
			MMA_TRY(layouts[i]->present(h, s, &there, e));
		if (there)
			*out = layouts[i];
	}
	if (*out)
		return MM_OK;
	if (s->kind == PAIRS_SOUND)
		return mma_fail(e, MM_EIO,
		                "%s: no known layout: neither %s (list) nor sounds (pairs); set root in [%s] or in [data]",
		                s->root, pairs_table.signs, s->instance);
	char other[200];
	if (pairs_other_picture(h, s, other, sizeof(other)))
		return mma_fail(
			e, MM_EIO,
			"%s: its pictures are of another kind (%s first); PNG and JPEG are read: convert them, or set root in "
			"[%s] or in [data]",
			s->root, other, s->instance);
	return mma_fail(
		e, MM_EIO,
		"%s: no known layout: neither %s (cub) nor %s (folders) nor %s (coco) nor %s (list) nor %ss (pairs); "
		"set root in [%s] or in [data]",
		s->root, pairs_cub.signs, pairs_folders.signs, pairs_coco.signs, pairs_table.signs, kind_names[s->kind],
		s->instance);
}

mm_status pairs_classes(const mma_host *h, const pairs_source *s, uint32_t *out, mm_error *e)
{
	const pairs_layout *layout;
	MMA_TRY(choose_layout(h, s, &layout, e));
	return layout->classes(h, s, out, e);
}

/* ---------------------------------------------------------------- what the readers call */

char *pairs_path(const mma_host *h, const char *folder, const char *name)
{
	return com_format(h, "%s/%s", folder, name);
}

static bool has(const mma_host *h, const pairs_source *s, const char *name, bool (*is)(const char *path))
{
	char path[PATH_MAX]; /* no memory is asked for: what is there must not depend on it */
	(void)h;
	const int n = snprintf(path, sizeof(path), "%s/%s", s->root, name);
	return n > 0 && (size_t)n < sizeof(path) && is(path);
}

bool pairs_has_file(const mma_host *h, const pairs_source *s, const char *name)
{
	return has(h, s, name, com_is_file);
}

bool pairs_has_folder(const mma_host *h, const pairs_source *s, const char *name)
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
	pairs_item *grown =
		p->n_items == UINT32_MAX ? NULL : mma_grow(r->host, p->item, p->n_items, &r->item_capacity, sizeof(*grown));
	if (!grown)
		return mma_no_memory(e, "a list of files");
	p->item = grown;
	pairs_item *at = &p->item[p->n_items];
	at->name = com_keep(r->host, &p->strings, found->name, found->length ? found->length : pairs_stem(found->name));
	at->file = found->file ? com_keep(r->host, &p->strings, found->file, strlen(found->file)) : NULL;
	if (!at->name || (found->file && !at->file))
		return mma_no_memory(e, "a list of files");
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
	const char **grown = p->n_captions == UINT32_MAX
	                         ? NULL
	                         : mma_grow(r->host, p->caption, p->n_captions, &r->caption_capacity, sizeof(*grown));
	if (!grown)
		return mma_no_memory(e, "captions");
	p->caption = grown;
	p->caption[p->n_captions] = com_keep(r->host, &p->strings, buffer, n);
	if (!p->caption[p->n_captions])
		return mma_no_memory(e, "captions");
	p->n_captions++;
	p->item[p->n_items - 1].n_captions++;
	return MM_OK;
}

static void report_faults(const pairs_reader *r)
{
	if (r->cut)
		mma_log(r->host, MM_LOG_WARNING, "[%s] %llu captions have more than %u bytes and are cut (first: %s)",
		        r->source->instance, (unsigned long long)r->cut, PAIRS_CAPTION_MAX, r->first_cut);
	if (r->repaired)
		mma_log(r->host, MM_LOG_WARNING,
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
		return mma_fail(e, MM_EUNSUPPORTED, "%zu pairs, at most %u are supported", n, UINT32_MAX);
	ordered *order = mma_new(p->host, n ? n : 1, sizeof(*order));
	p->sample = mma_new(p->host, n ? n : 1, sizeof(*p->sample));
	if (!order || !p->sample) {
		mma_free(p->host, order);
		return mma_no_memory(e, "a list of pairs");
	}
	for (uint32_t i = 0; i < p->n_items; i++)
		for (uint32_t k = 0; k < samples_of(p, i); k++)
			order[at++] = (ordered){ mix(p->item[i].name), { i, k } };
	qsort(order, n, sizeof(*order), compare);
	for (size_t i = 0; i < n; i++)
		p->sample[i] = order[i].sample;
	p->n_samples = (uint32_t)n;
	mma_free(p->host, order);
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
	return mma_fail(e, MM_EARG, "sample %llu of a data set of %u", (unsigned long long)index, p->n_samples);
}

mm_status pairs_key(const pairs *p, uint64_t index, char *out, size_t size, mm_error *e)
{
	char number[16] = "";
	MMA_TRY(pairs_check(p, index, e));
	const char *name = p->item[p->sample[index].item].name;
	if (p->numbered)
		snprintf(number, sizeof(number), "#%u", (unsigned)p->sample[index].k);
	if (strlen(name) + strlen(number) >= size)
		return mma_fail(e, MM_EARG, "the key %.100s... needs %zu bytes, the buffer has %zu; shorten the file's name",
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
		instead ? mma_fail(e, MM_EFORMAT, "none of %u listed %ss is there: %s", (unsigned)listed, what, instead)
				: mma_no_memory(e, "a message");
	mma_free(p->host, path);
	mma_free(p->host, instead);
	return status;
}

static mm_status none_is_listed(const pairs *p, const pairs_source *s, const char *what, mm_error *e)
{
	char other[200];
	if (pairs_other_picture(p->host, s, other, sizeof(other)))
		return mma_fail(e, MM_EFORMAT,
		                "%s: none of %u entries has a PNG or JPEG picture; %s is of a kind that is not read", s->root,
		                (unsigned)p->n_items, other);
	return mma_fail(e, MM_EFORMAT, "%s: none of %u entries has a %s", s->root, (unsigned)p->n_items, what);
}

mm_status pairs_present(const pairs *p, const pairs_source *s, const char *what, bool *ok, mm_error *e)
{
	uint32_t listed = 0, missing = 0, first = 0;
	for (uint32_t k = 0; k < p->n_items; k++) {
		char *path = p->item[k].file ? pairs_file(p, s, k) : NULL;
		if (p->item[k].file && !path)
			return mma_no_memory(e, "a path");
		ok[k] = path && com_is_file(path);
		mma_free(p->host, path);
		listed += p->item[k].file != NULL;
		if (p->item[k].file && !ok[k] && !missing++)
			first = k;
	}
	if (!listed)
		return none_is_listed(p, s, what, e);
	if (missing == listed)
		return none_is_there(p, s, what, first, listed, e);
	if (missing)
		mma_log(p->host, MM_LOG_WARNING, "[%s] %u of %u %ss are listed but not there (first: %s); they are left out",
		        s->instance, (unsigned)missing, (unsigned)listed, what, p->item[first].file);
	return MM_OK;
}

/* ---------------------------------------------------------------- life */

static mm_status read_split(pairs_reader *r, mm_error *e)
{
	const pairs_layout *layout;
	MMA_TRY(choose_layout(r->host, r->source, &layout, e));
	MMA_TRY(layout->read(r, e));
	report_faults(r);
	if (!r->out->n_items)
		return mma_fail(e, MM_EFORMAT, "%s: no %s in the %s split", r->source->root, kind_names[r->source->kind],
		                r->split == MM_SPLIT_TRAIN ? "training" : "test");
	return make_samples(r->out, e);
}

mm_status pairs_open(const mma_host *h, const pairs_source *s, int32_t split, pairs **out, mm_error *e)
{
	if (split != MM_SPLIT_TRAIN && split != MM_SPLIT_TEST)
		return mma_fail(e, MM_EUNSUPPORTED, "split %d is unknown; there are 0 (train) and 1 (test)", (int)split);
	pairs *p = mma_new(h, 1, sizeof(*p));
	if (!p)
		return mma_no_memory(e, "a data set");
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
	const mma_host *h = p->host;
	mma_free(h, p->item);
	mma_free(h, p->caption);
	mma_free(h, p->sample);
	com_arena_clear(h, &p->strings);
	mma_free(h, p);
}
