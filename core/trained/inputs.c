/* inputs.c - tuples that a user names. */
#include "mmi_build.h"

#include "trained/inputs.h"

#include "config/value.h"
#include "data/tuples.h"
#include "model/rows.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for what was given");
}

/* ---------------------------------------------------------------- names and numbers */

static mm_status find_modality(const mmi_model *model, const char *name, size_t length, const char *option,
                               uint32_t *out, mm_error *e)
{
	char known[256] = "";
	for (uint32_t m = 0; m < model->n_modalities; m++) {
		const char *candidate = model->modalities[m].name;
		size_t used = strlen(known);
		if (strlen(candidate) == length && !strncmp(candidate, name, length)) {
			*out = m;
			return MM_OK;
		}
		snprintf(known + used, sizeof known - used, "%s%s", m ? ", " : "", candidate);
	}
	return mmi_fail(e, MM_ECONFIG, "%s: unknown modality '%.*s'; the model has %s", option,
	                (int)(length < 40 ? length : 40), name, known);
}

mm_status mmi_name_parse(const mmi_model *model, const char *text, const char *option, int32_t *m, mm_error *e)
{
	uint32_t found;
	MMI_TRY(find_modality(model, text, strlen(text), option, &found, e));
	*m = (int32_t)found;
	return MM_OK;
}

mm_status mmi_names_parse(const mmi_model *model, const char *text, const char *option, bool *flags, mm_error *e)
{
	for (const char *at = text;; at++) {
		size_t length = strcspn(at, ",");
		uint32_t m;
		MMI_TRY(find_modality(model, at, length, option, &m, e));
		if (flags[m])
			return mmi_fail(e, MM_ECONFIG, "%s: %s is named twice", option, model->modalities[m].name);
		flags[m] = true;
		at += length;
		if (!*at)
			return MM_OK;
	}
}

mm_status mmi_numbers_parse(const char *text, const char *option, uint32_t **out, uint32_t *n, mm_error *e)
{
	uint32_t *list = NULL, count = 0;
	for (const char *at = text;; at++) {
		char number[16];
		int64_t value;
		size_t length = strcspn(at, ",");
		snprintf(number, sizeof number, "%.*s", (int)(length < 15 ? length : 15), at);
		uint32_t *grown = mmi_grow(list, count, count + 1, sizeof *grown);
		if (!grown || length > 10 || !mmi_value_int(number, &value) || value < 0 || value > UINT32_MAX) {
			mmi_free(grown ? grown : list);
			return grown ? mmi_fail(e, MM_ECONFIG, "%s: '%s' is no tuple's number; expected numbers from 0, e.g. 0,3,7",
			                        option, number)
			             : no_memory(e);
		}
		list = grown;
		list[count++] = (uint32_t)value;
		at += length;
		if (!*at)
			break;
	}
	*out = list;
	*n = count;
	return MM_OK;
}

mm_status mmi_numbers_first(uint32_t n, uint32_t **out, mm_error *e)
{
	uint32_t *list = mmi_alloc(n, sizeof *list);
	if (!list)
		return no_memory(e);
	for (uint32_t i = 0; i < n; i++)
		list[i] = i;
	*out = list;
	return MM_OK;
}

/* ---------------------------------------------------------------- tuples */

/* Room for n tuples; x only where `known`. */
static mm_status allocate(const mmi_model *model, uint32_t n, const bool *known, mmi_inputs *in, mm_error *e)
{
	in->n = n;
	in->name = mmi_alloc(n, sizeof *in->name);
	in->label = mmi_alloc(n, sizeof *in->label);
	bool ok = in->name && in->label;
	for (uint32_t m = 0; m < model->n_modalities; m++)
		ok = (!known[m] || (in->x[m] = mmi_alloc(n * (size_t)model->modalities[m].count, sizeof(float)))) && ok;
	for (uint32_t i = 0; ok && i < n; i++)
		in->label[i] = -1;
	return ok ? MM_OK : no_memory(e);
}

void mmi_inputs_clear(mmi_inputs *in)
{
	mmi_rows_clear(in->x);
	for (uint32_t i = 0; in->name && i < in->n; i++)
		mmi_free(in->name[i]);
	mmi_free(in->name);
	mmi_free(in->label);
	*in = (mmi_inputs){ 0 };
}

static mm_status finish(mmi_inputs *in, mm_status status, mmi_inputs *out)
{
	if (status == MM_OK)
		*out = *in;
	else
		mmi_inputs_clear(in);
	return status;
}

/* ---------------------------------------------------------------- files and words */

typedef struct list {
	char **word;
	uint32_t n;
} list;

static mm_status add_word(list *l, const char *from, size_t length, mm_error *e)
{
	char **grown = mmi_grow(l->word, l->n, l->n + 1, sizeof *grown);
	if (!grown)
		return no_memory(e);
	l->word = grown;
	l->word[l->n] = mmi_format("%.*s", (int)length, from);
	return l->word[l->n++] ? MM_OK : no_memory(e);
}

static bool is_file(const char *text, size_t length)
{
	char path[4096];
	struct stat st;
	if (length && text[0] == '@') {
		text++;
		length--;
	}
	if (length >= sizeof path)
		return false;
	memcpy(path, text, length);
	path[length] = 0;
	return !stat(path, &st);
}

/* A comma may be in a file's name, or in a sentence. */
static bool is_list(const mmi_modality *m, const char *value)
{
	size_t first = strcspn(value, ",");
	if (!value[first] || mmi_given_quoted(value) || is_file(value, strlen(value)))
		return false;
	return value[0] == '@' || is_file(value, first) || !m->file || !m->file->read_text;
}

static mm_status add_value(const mmi_modality *m, list *l, const char *value, const char *option, mm_error *e)
{
	bool split = is_list(m, value);
	for (const char *at = value;; at++) {
		size_t length = split ? strcspn(at, ",") : strlen(at);
		if (!length)
			return mmi_fail(e, MM_ECONFIG, "%s %s=%.80s: empty, expected a file%s", option, m->name, value,
			                m->file && m->file->read_text ? " or a text" : "");
		MMI_TRY(add_word(l, at, length, e));
		at += length;
		if (!*at)
			return MM_OK;
	}
}

static mm_status collect(const mmi_model *model, const char *const *words, size_t n, const char *option, list *lists,
                         mm_error *e)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t m;
		const char *equals = strchr(words[i], '=');
		if (!equals)
			return mmi_fail(e, MM_ECONFIG, "%s %.80s: expected NAME=FILE", option, words[i]);
		MMI_TRY(find_modality(model, words[i], (size_t)(equals - words[i]), option, &m, e));
		MMI_TRY(add_value(&model->modalities[m], &lists[m], equals + 1, option, e));
	}
	return MM_OK;
}

static mm_status common_length(const mmi_model *model, const list *lists, const char *option, uint32_t *n, mm_error *e)
{
	uint32_t longest = 0;
	for (uint32_t m = 1; m < model->n_modalities; m++)
		longest = lists[m].n > lists[longest].n ? m : longest;
	*n = lists[longest].n;
	for (uint32_t m = 0; m < model->n_modalities; m++)
		if (lists[m].n > 1 && lists[m].n != *n)
			return mmi_fail(e, MM_ECONFIG,
			                "%s: %s has %u samples and %s %u; expected lists of one length, or of length 1", option,
			                model->modalities[longest].name, *n, model->modalities[m].name, lists[m].n);
	return *n ? MM_OK : mmi_fail(e, MM_ECONFIG, "%s is missing", option);
}

static mm_status read_lists(const mmi_model *model, const list *lists, mmi_inputs *in, mm_error *e)
{
	for (uint32_t m = 0; m < model->n_modalities; m++) {
		size_t count = (size_t)model->modalities[m].count;
		in->given[m] = lists[m].n > 0;
		for (uint32_t i = 0; i < lists[m].n; i++)
			MMI_TRY(mmi_modality_read_given(&model->modalities[m], lists[m].word[i], in->x[m] + i * count, e));
		for (uint32_t i = lists[m].n; lists[m].n && i < in->n; i++)
			memcpy(in->x[m] + i * count, in->x[m], count * sizeof(float));
	}
	return MM_OK;
}

static mm_status name_tuples(const mmi_model *model, const list *lists, mmi_inputs *in, mm_error *e)
{
	for (uint32_t i = 0; i < in->n; i++) {
		char *name = mmi_strdup("");
		for (uint32_t m = 0; name && m < model->n_modalities; m++) {
			if (!lists[m].n)
				continue;
			char *longer = mmi_format("%s%s%s=%s", name, *name ? " " : "", model->modalities[m].name,
			                          lists[m].word[lists[m].n > 1 ? i : 0]);
			mmi_free(name);
			name = longer;
		}
		if (!name)
			return no_memory(e);
		in->name[i] = name;
	}
	return MM_OK;
}

mm_status mmi_inputs_named(const mmi_model *model, const char *const *words, size_t n, const char *option,
                           mmi_inputs *out, mm_error *e)
{
	mmi_inputs in = { 0 };
	list lists[MMI_MAX_MODALITIES] = { { NULL, 0 } };
	bool known[MMI_MAX_MODALITIES] = { false };
	uint32_t count = 0;
	mm_status status = collect(model, words, n, option, lists, e);
	if (status == MM_OK)
		status = common_length(model, lists, option, &count, e);
	for (uint32_t m = 0; m < model->n_modalities; m++)
		known[m] = lists[m].n > 0;
	if (status == MM_OK)
		status = allocate(model, count, known, &in, e);
	if (status == MM_OK)
		status = read_lists(model, lists, &in, e);
	if (status == MM_OK)
		status = name_tuples(model, lists, &in, e);
	for (uint32_t m = 0; m < model->n_modalities; m++) {
		for (uint32_t i = 0; i < lists[m].n; i++)
			mmi_free(lists[m].word[i]);
		mmi_free(lists[m].word);
	}
	return finish(&in, status, out);
}

/* ---------------------------------------------------------------- test data */

static mm_status read_tuples(const mmi_model *model, mmi_tuples *tuples, const uint32_t *index, mmi_inputs *in,
                             mm_error *e)
{
	for (uint32_t i = 0; i < in->n; i++) {
		float *at[MMI_MAX_MODALITIES];
		if (index[i] >= mmi_tuples_count(tuples))
			return mmi_fail(e, MM_ECONFIG, "there is no test tuple %u; their numbers are 0 to %u", index[i],
			                mmi_tuples_count(tuples) - 1);
		mmi_rows_at(model, in->x, i, at);
		MMI_TRY(mmi_tuples_read(tuples, index[i], at, e));
		in->label[i] = mmi_tuples_label(tuples, index[i]);
		in->name[i] = mmi_strdup(mmi_tuples_key(tuples, index[i]));
		if (!in->name[i])
			return no_memory(e);
	}
	return MM_OK;
}

mm_status mmi_inputs_test(const mmi_saved *s, const uint32_t *index, uint32_t n, const bool *given, const mmi_log *log,
                          mmi_inputs *out, mm_error *e)
{
	const mmi_settings *set = &s->setup.settings;
	mmi_inputs in = { 0 };
	bool known[MMI_MAX_MODALITIES];
	mmi_tuples *tuples;
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++)
		known[m] = true;
	MMI_TRY(mmi_tuples_open(s->setup.modalities, s->setup.n_modalities, MMI_PART_TEST, set->holdout, set->seed, log,
	                        &tuples, e));
	mm_status status = allocate(s->model, n, known, &in, e);
	if (status == MM_OK)
		status = read_tuples(s->model, tuples, index, &in, e);
	memcpy(in.given, given, s->model->n_modalities * sizeof *given);
	in.test = true;
	mmi_tuples_close(tuples);
	return finish(&in, status, out);
}
