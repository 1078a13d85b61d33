/* pairs_split.c - labels from classes, and which split people's own data are of. */
#include "mmi_build.h"

#include "entries.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first entry of each key has what is said of all; others are passed over. */
static bool is_first(const pairs_entries *a, size_t i)
{
	return !i || a->entry[i].key_length != a->entry[i - 1].key_length ||
	       memcmp(a->entry[i].key, a->entry[i - 1].key, a->entry[i].key_length);
}

/* ---------------------------------------------------------------- labels */

enum { LARGEST_NUMBER = 999 }; /* of classes that are numbers and labels as they are */

/* A whole number that is a label as it stands; -1: none. "7", but not "007" nor "7 cats". */
static int32_t as_label(const char *class)
{
	char again[16];
	const long value = strspn(class, "0123456789") == strlen(class) && strlen(class) < 4 ? strtol(class, NULL, 10) : -1;
	snprintf(again, sizeof(again), "%ld", value);
	return value >= 0 && value <= LARGEST_NUMBER && !strcmp(again, class) ? (int32_t)value : -1;
}

static int compare_names(const void *a, const void *b)
{
	const char *const *s = a, *const *t = b;
	return strcmp(*s, *t);
}

/* The names of all classes, each once, sorted. */
static mm_status list_classes(const pairs_entries *a, const char ***out, size_t *n, mm_error *e)
{
	size_t all = 0, kept = 0;
	const char **name = mma_new(a->host, a->n ? a->n : 1, sizeof(*name));
	if (!name)
		return mma_no_memory(e, "classes");
	for (size_t i = 0; i < a->n; i++)
		if (is_first(a, i) && a->entry[i].class)
			name[all++] = a->entry[i].class;
	qsort(name, all, sizeof(*name), compare_names);
	for (size_t i = 0; i < all; i++)
		if (!kept || strcmp(name[kept - 1], name[i]))
			name[kept++] = name[i];
	*out = name;
	*n = kept;
	return MM_OK;
}

mm_status pairs_label_classes(pairs_entries *a, mm_error *e)
{
	const char **name = NULL;
	size_t n = 0;
	int32_t most = -1;
	bool numbers = true;
	MMA_TRY(list_classes(a, &name, &n, e));
	for (size_t i = 0; i < n; i++) {
		const int32_t label = as_label(name[i]);
		numbers &= label >= 0;
		most = label > most ? label : most;
	}
	for (size_t i = 0; i < a->n; i++) {
		pairs_entry *entry = &a->entry[i];
		if (!entry->class || !is_first(a, i))
			continue;
		const char **at = bsearch(&entry->class, name, n, sizeof(*name), compare_names);
		entry->label = numbers ? as_label(entry->class) : (int32_t)(at - name);
	}
	mma_free(a->host, name);
	a->n_classes = !n ? 0 : numbers ? (uint32_t)most + 1 : (uint32_t)n;
	snprintf(a->classes, sizeof(a->classes),
	         !n        ? "no classes"
	         : numbers ? "%u classes, numbers as they are"
	                   : "%u classes, in the order of their names",
	         (unsigned)a->n_classes);
	return MM_OK;
}

/* ---------------------------------------------------------------- splits as they are said */

/* One of the words of a list with commas between them. */
static bool is_listed(const char *list, const char *word)
{
	const size_t n = strlen(word);
	for (size_t length; *list; list += length) {
		list += strspn(list, ", ");
		length = strcspn(list, ",");
		size_t used = length;
		while (used && list[used - 1] == ' ')
			used--;
		if (used == n && n && !memcmp(list, word, n))
			return true;
	}
	return false;
}

/* One of the patterns of a list fits the key. */
static bool is_matched(const pairs_entries *a, const char *list, const char *key, bool *ok)
{
	for (size_t length; *list; list += length) {
		list += strspn(list, ", ");
		length = strcspn(list, ", ");
		char *pattern = com_format(a->host, "%.*s", (int)length, list);
		*ok &= pattern != NULL;
		const bool found = pattern && length && !fnmatch(pattern, key, 0);
		mma_free(a->host, pattern);
		if (found)
			return true;
	}
	return false;
}

static mm_status split_as_told(pairs_entries *a, mm_error *e)
{
	const pairs_source *s = a->source;
	bool ok = true;
	for (size_t i = 0; i < a->n; i++) {
		pairs_entry *entry = &a->entry[i];
		const bool test =
			(entry->group && is_listed(s->test_groups, entry->group)) || is_matched(a, s->test_names, entry->key, &ok);
		entry->split = test ? MM_SPLIT_TEST : MM_SPLIT_TRAIN;
	}
	snprintf(a->split, sizeof(a->split), "%s", *s->test_groups ? "test_groups" : "test_names");
	return ok ? MM_OK : mma_no_memory(e, "patterns");
}

/* What the data calls validation is for testing where nothing else is, and for training otherwise: mmcore holds its own
 * validation out. */
static void split_as_data_says(pairs_entries *a, bool has_test)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->entry[i].split == PAIRS_VALIDATION)
			a->entry[i].split = has_test ? MM_SPLIT_TRAIN : MM_SPLIT_TEST;
	snprintf(a->split, sizeof(a->split), "%s", a->table ? "the column split" : "folders train and test");
}

static mm_status check_all_said(const pairs_entries *a, mm_error *e)
{
	for (size_t i = 0; i < a->n; i++)
		if (is_first(a, i) && a->entry[i].split == PAIRS_UNSAID)
			return mma_fail(
				e, MM_EFORMAT,
				"%s: key %.100s is of no split, others are; put it into one, or set test_share or test_names in "
				"[%s]",
				a->table ? a->table : a->source->root, a->entry[i].key, a->source->instance);
	return MM_OK;
}

/* ---------------------------------------------------------------- a share */

/* What stays together: a group, or an item. */
typedef struct together {
	uint64_t hash;
	const char *name;
	size_t entry; /* the first of an item */
} together;

/* Names that differ at their ends only are far apart in order. */
static uint64_t scattered(const char *name)
{
	const uint64_t value = pairs_hash(name);
	return (value ^ value >> 33) * 0xff51afd7ed558ccdu;
}

static int compare_together(const void *a, const void *b)
{
	const together *s = a, *t = b;
	const int order = (s->hash > t->hash) - (s->hash < t->hash);
	return order ? order : strcmp(s->name, t->name);
}

/* The first groups in an order that has nothing to do with their names, until there are enough; one is left. */
static void take_share(pairs_entries *a, const together *list, size_t n, double share)
{
	const size_t enough = (size_t)fmax(1, nearbyint(share * (double)n));
	bool more = true;
	for (size_t i = 0; i < n; i++) {
		const bool new_group = i && strcmp(list[i].name, list[i - 1].name);
		if (new_group && (i >= enough || !strcmp(list[i].name, list[n - 1].name)))
			more = false;
		a->entry[list[i].entry].split = more ? MM_SPLIT_TEST : MM_SPLIT_TRAIN;
	}
}

static mm_status split_by_share(pairs_entries *a, double share, mm_error *e)
{
	size_t n = 0;
	together *list = mma_new(a->host, a->n ? a->n : 1, sizeof(*list));
	if (!list)
		return mma_no_memory(e, "splits");
	for (size_t i = 0; i < a->n; i++)
		if (is_first(a, i)) {
			const char *name = a->entry[i].group ? a->entry[i].group : a->entry[i].key;
			list[n++] = (together){ .hash = scattered(name), .name = name, .entry = i };
		}
	qsort(list, n, sizeof(*list), compare_together);
	const bool one = n && !strcmp(list[0].name, list[n - 1].name);
	if (!one)
		take_share(a, list, n, share);
	mma_free(a->host, list);
	if (one)
		return mma_fail(e, MM_EFORMAT,
		                "%s: all there is belongs to one item or group, expected at least two: one for testing",
		                a->table ? a->table : a->source->root);
	snprintf(a->split, sizeof(a->split), "%s",
	         a->source->test_share > 0 ? "test_share" : "a tenth, as nothing says which");
	return MM_OK;
}

mm_status pairs_split_entries(pairs_entries *a, mm_error *e)
{
	const pairs_source *s = a->source;
	bool said = false, test = false;
	for (size_t i = 0; i < a->n; i++) {
		said |= a->entry[i].split != PAIRS_UNSAID;
		test |= a->entry[i].split == MM_SPLIT_TEST;
	}
	if (*s->test_names || *s->test_groups)
		return split_as_told(a, e);
	if (!said || s->test_share > 0)
		return split_by_share(a, s->test_share > 0 ? s->test_share : 0.1, e);
	MMA_TRY(check_all_said(a, e));
	split_as_data_says(a, test);
	return MM_OK;
}
