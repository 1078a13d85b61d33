/* pairs.c - pictures with captions: choice of the layout, clean captions, samples and their keys. */
#include "mmi_build.h"

#include "pairs_read.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pairs_layout *const layouts[] = { &pairs_cub, &pairs_folders, &pairs_coco }; /* PAIRS_CUB - 1 ... */

mm_status pairs_settings(const com_host *h, mm_config *c, pairs_source *out, mm_error *e)
{
	static const char *const layout_names[] = { "auto", "cub", "folders", "coco", NULL };
	static const char *const caption_names[] = { "each", "first", "join", NULL };
	pairs_source s = { .instance = h->config->instance_name(c), .root = h->config->data_root(c) };
	COM_TRY(h->config->get_choice(c, "layout", layout_names, PAIRS_AUTO, &s.layout, e));
	COM_TRY(h->config->get_choice(c, "captions", caption_names, PAIRS_EACH, &s.captions, e));
	COM_TRY(h->config->get_path(c, "text", NULL, &s.text, e));
	*out = s;
	return MM_OK;
}

static mm_status choose_layout(const com_host *h, const pairs_source *s, const pairs_layout **out, mm_error *e)
{
	if (!s->root)
		return com_fail(e, MM_ECONFIG,
		                "no data folder; set root in [%s] or in [data] to a folder of pictures with captions",
		                s->instance);
	if (!com_is_folder(s->root))
		return com_fail(e, MM_EIO, "%s: no such folder; set root in [%s] or in [data]", s->root, s->instance);
	if (s->layout != PAIRS_AUTO) {
		*out = layouts[s->layout - 1];
		return MM_OK;
	}
	for (size_t i = 0; i < COM_COUNT(layouts); i++)
		if (layouts[i]->present(h, s)) {
			*out = layouts[i];
			return MM_OK;
		}
	return com_fail(
		e, MM_EIO,
		"%s: no known layout: neither %s (cub) nor %s (folders) nor %s (coco); set root in [%s] or in [data]", s->root,
		pairs_cub.signs, pairs_folders.signs, pairs_coco.signs, s->instance);
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
	char *path = pairs_path(h, s->root, name);
	bool found = path && is(path);
	com_release(h, path);
	return found;
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

mm_status pairs_add_picture(pairs_reader *r, const char *name, const char *file, int32_t label, mm_error *e)
{
	pairs *p = r->out;
	void *array = p->picture;
	if (p->n_pictures == UINT32_MAX ||
	    !com_reserve(r->host, &array, p->n_pictures, &r->picture_capacity, sizeof(*p->picture)))
		return com_no_memory(e, "a list of pictures");
	p->picture = array;
	pairs_picture *at = &p->picture[p->n_pictures];
	at->name = com_keep(r->host, &p->strings, name, pairs_stem(name));
	at->file = com_keep(r->host, &p->strings, file, strlen(file));
	if (!at->name || !at->file)
		return com_no_memory(e, "a list of pictures");
	at->label = label;
	at->caption = p->n_captions;
	at->n_captions = 0;
	p->n_pictures++;
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
	p->picture[p->n_pictures - 1].n_captions++;
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

/* FNV-1a: an order that has nothing to do with classes, so that the first samples, which sheets show, are of many. */
static uint64_t mix(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

static int compare(const void *a, const void *b)
{
	const ordered *s = a, *t = b;
	if (s->sample.k != t->sample.k)
		return s->sample.k < t->sample.k ? -1 : 1;
	if (s->mix != t->mix)
		return s->mix < t->mix ? -1 : 1;
	return (s->sample.picture > t->sample.picture) - (s->sample.picture < t->sample.picture);
}

static uint32_t samples_of(const pairs *p, uint32_t picture)
{
	uint32_t n = p->picture[picture].n_captions;
	return p->numbered && n > 1 ? n : 1;
}

static mm_status make_samples(pairs *p, mm_error *e)
{
	size_t n = 0, at = 0;
	p->numbered = p->captions == PAIRS_EACH && p->n_captions > 0;
	for (uint32_t i = 0; i < p->n_pictures; i++)
		n += samples_of(p, i);
	if (n > UINT32_MAX)
		return com_fail(e, MM_EUNSUPPORTED, "%zu pairs, at most %u are supported", n, UINT32_MAX);
	ordered *order = com_alloc(p->host, n ? n : 1, sizeof(*order));
	p->sample = com_alloc(p->host, n ? n : 1, sizeof(*p->sample));
	if (!order || !p->sample) {
		com_release(p->host, order);
		return com_no_memory(e, "a list of pairs");
	}
	for (uint32_t i = 0; i < p->n_pictures; i++)
		for (uint32_t k = 0; k < samples_of(p, i); k++)
			order[at++] = (ordered){ mix(p->picture[i].name), { i, k } };
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
	const pairs_picture *picture = &p->picture[s->picture];
	uint32_t first = p->captions == PAIRS_EACH ? s->k : 0,
			 last = p->captions == PAIRS_JOIN ? picture->n_captions : first + 1;
	size_t used = 0;
	text[0] = 0;
	for (uint32_t k = first; k < last && k < picture->n_captions && used < size - 1; k++) {
		int n = snprintf(text + used, size - used, "%s%s", k > first ? ", " : "", p->caption[picture->caption + k]);
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
	const char *name = p->picture[p->sample[index].picture].name;
	if (p->numbered)
		snprintf(number, sizeof(number), "#%u", (unsigned)p->sample[index].k);
	if (strlen(name) + strlen(number) >= size)
		return com_fail(e, MM_EARG, "the key %.100s... needs %zu bytes, the buffer has %zu; shorten the picture's name",
		                name, strlen(name) + strlen(number) + 1, size);
	snprintf(out, size, "%s%s", name, number);
	return MM_OK;
}

int32_t pairs_label(const pairs *p, uint64_t index)
{
	return index < p->n_samples ? p->picture[p->sample[index].picture].label : -1;
}

/* ---------------------------------------------------------------- life */

static mm_status read_split(pairs_reader *r, mm_error *e)
{
	const pairs_layout *layout;
	COM_TRY(choose_layout(r->host, r->source, &layout, e));
	COM_TRY(layout->read(r, e));
	report_faults(r);
	if (!r->out->n_pictures)
		return com_fail(e, MM_EFORMAT, "%s: no picture in the %s split", r->source->root,
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
	com_release(h, p->picture);
	com_release(h, p->caption);
	com_release(h, p->sample);
	com_arena_clear(h, &p->strings);
	com_release(h, p);
}
