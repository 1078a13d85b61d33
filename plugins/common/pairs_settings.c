/* pairs_settings.c - the keys that all plugins have which read pairs, and what their checkpoints keep of the data. */
#include "mmi_build.h"

#include "entries.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- tables */

/* Sounds are in none of the published layouts. */
static const char *const sound_layouts[] = { "auto", "pairs", "list", NULL };
static const char *const caption_names[] = { "each", "first", "join", NULL };
static const char *const class_names[] = { "none", "folder", NULL };

static const mma_setting layout[] = {
	MMA_CHOICE(
		"layout", pairs_source, layout, pairs_layout_names, PAIRS_AUTO,
		"What the root holds. cub: images.txt, train_test_split.txt, image_class_labels.txt, classes.txt, images, "
		"and text_c10 or text with one caption a line; folders: train/CLASS, test/CLASS, text_trainvalclasses.txt "
		"and text_testclasses.txt with ten lines a picture; coco: captions_train*.json and captions_val*.json with "
		"their folders of pictures; list: a table; pairs: files of one name (both below). auto: the first of cub, "
		"folders, coco, list and pairs that is there."),
};
static const mma_setting layout_of_sounds[] = {
	MMA_CHOICE("layout", pairs_source, layout, sound_layouts, PAIRS_AUTO,
	           "What the root holds. list: a table; pairs: files of one name. auto: list if it is there, else pairs."),
};
static const mma_setting captions[] = {
	MMA_CHOICE("captions", pairs_source, captions, caption_names, PAIRS_EACH,
	           "each: a sample for every caption of a picture; first: one for every picture, with its first caption; "
	           "join: one for every picture, with all of its captions, commas between."),
};
static const mma_setting text[] = {
	MMA_PATH("text", pairs_source, text, NULL, "Folder of the captions of layout = cub, if it is not below root."),
};
static const mma_setting table[] = {
	MMA_PATH("list", pairs_source, list, NULL, "The table of layout = list; without it the one table in root."),
	MMA_TEXT("column", pairs_source, column, "",
	         "Its column of this section, for data with two pictures a row; without it found by its name."),
};
static const mma_setting own[] = {
	MMA_TEXT(
		"names", pairs_source, names, "",
		"What the name of a file without its ending (in a table without files: the key) says, as "
		"{label}_{group}_{} for 7_jackson_32. {label} is the class, {group} what must stay on one side of every "
		"split, a speaker for instance, {} anything. Each takes as little as it can. Names of another form are left "
		"out and counted."),
	MMA_CHOICE("classes", pairs_source, folder_classes, class_names, 0,
	           "folder: the folder that a file stands in is its class."),
	MMA_TEXT("test_names", pairs_source, test_names, "",
	         "Keys of the test split, as patterns of a shell with commas between them, such as *_[0-4]."),
	MMA_TEXT("test_groups", pairs_source, test_groups, "", "Groups of the test split, with commas between them."),
	MMA_REAL(
		"test_share", pairs_source, test_share, 0, 0, 0.9,
		"That share of the items, or of whole groups, is the test split, whatever the data says; which ones depends "
		"on the names alone. 0: the column split, or folders train and test (and val) on the first or second level; "
		"where nothing says which, a tenth."),
};

#define PART(table)             \
	{                           \
		table, MMA_COUNT(table) \
	}
static const mma_part of_all[] = { PART(layout), PART(captions), PART(text), PART(table), PART(own) };
static const mma_part of_sounds[] = { PART(layout_of_sounds), PART(captions), PART(table), PART(own) };

const mm_setting *pairs_setting_at(int kind, const mma_part *parts, size_t n, uint32_t index)
{
	const mma_part *shared = kind == PAIRS_SOUND ? of_sounds : of_all;
	const size_t n_shared = kind == PAIRS_SOUND ? MMA_COUNT(of_sounds) : MMA_COUNT(of_all);
	uint32_t count = 0;
	for (size_t k = 0; k < n_shared; k++)
		count += (uint32_t)shared[k].n;
	return index < count ? mma_setting_at(shared, n_shared, index) : mma_setting_at(parts, n, index - count);
}

/* ---------------------------------------------------------------- reading them */

static bool may_be(const pairs_source *s, int which)
{
	return s->layout == which || s->layout == PAIRS_AUTO;
}

/* Keys of the layouts without a publisher, asked for only where they may mean something. */
static mm_status read_own(const mma_host *h, mm_config *c, pairs_source *s, mm_error *e)
{
	if (may_be(s, PAIRS_LIST))
		MMA_TRY(mma_settings(h, c, table, MMA_COUNT(table), s, e));
	if (!may_be(s, PAIRS_LIST) && !may_be(s, PAIRS_FILES))
		return MM_OK;
	MMA_TRY(mma_settings(h, c, own, MMA_COUNT(own), s, e));
	return !*s->names || pairs_template_valid(s->names)
	           ? MM_OK
	           : h->config->refuse(c, "names",
	                               "fields {label}, {group} and {}, with text between them, such as {label}_{group}_{}",
	                               e);
}

mm_status pairs_settings(const mma_host *h, mm_config *c, int kind, pairs_source *out, mm_error *e)
{
	pairs_source s = { .instance = h->config->instance_name(c),
		               .root = h->config->data_root(c),
		               .kind = kind,
		               .column = "",
		               .names = "",
		               .test_names = "",
		               .test_groups = "" };
	MMA_TRY(mma_settings(h, c, kind == PAIRS_SOUND ? layout_of_sounds : layout, 1, &s, e));
	if (kind == PAIRS_SOUND && s.layout != PAIRS_AUTO)
		s.layout += PAIRS_FILES - 1;
	MMA_TRY(mma_settings(h, c, captions, MMA_COUNT(captions), &s, e));
	if (kind != PAIRS_SOUND)
		MMA_TRY(mma_settings(h, c, text, MMA_COUNT(text), &s, e));
	MMA_TRY(read_own(h, c, &s, e));
	*out = s;
	return MM_OK;
}

mm_status pairs_check_power(const mma_host *h, mm_config *c, const char *key, int32_t value, const char *expected,
                            mm_error *e)
{
	return value & (value - 1) ? h->config->refuse(c, key, expected, e) : MM_OK;
}

/* ---------------------------------------------------------------- what a checkpoint keeps: one line of text */

#define STATE "%s 1 classes %u\n"

mm_status pairs_know(const mma_host *h, const pairs_source *s, pairs_known *k, mm_error *e)
{
	if (!k->set)
		MMA_TRY(pairs_classes(h, s, &k->classes, e));
	k->set = true;
	return MM_OK;
}

mm_status pairs_save(const mma_host *h, const char *plugin, const pairs_known *k, void **bytes, size_t *size,
                     mm_error *e)
{
	char *text_of = com_format(h, STATE, plugin, (unsigned)k->classes);
	if (!text_of)
		return mma_no_memory(e, "a state");
	*bytes = text_of;
	*size = strlen(text_of);
	return MM_OK;
}

mm_status pairs_load(const char *plugin, const void *bytes, size_t size, pairs_known *k, mm_error *e)
{
	char given[64] = "", again[64];
	unsigned classes = 0;
	if (size && size < sizeof(given))
		memcpy(given, bytes, size);
	const char *number = strrchr(given, ' ');
	const bool read = number && sscanf(number, " %u", &classes) == 1;
	snprintf(again, sizeof(again), STATE, plugin, classes);
	if (!read || strcmp(given, again))
		return mma_fail(e, MM_EFORMAT, "%zu bytes are no state of this plugin; expected \"%s 1 classes N\"", size,
		                plugin);
	*k = (pairs_known){ true, classes };
	return MM_OK;
}
