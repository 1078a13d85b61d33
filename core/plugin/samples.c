/* samples.c - a modality's data, pictures and files through its plugin, with checked results. */
#include "mmi_build.h"

#include "plugin/call.h"
#include "plugin/contract.h"
#include "plugin/loader.h"
#include "plugin/modality.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void begin(mmi_call *call, const mmi_modality *m, const char *callback)
{
	mmi_call_begin(call, m->name, m->plugin, callback);
}

static void begin_sample(mmi_call *call, const mmi_modality *m, const char *callback)
{
	mmi_call_begin_sample(call, m->name, m->plugin, callback);
}

/* ---------------------------------------------------------------- data */

mm_status mmi_modality_open(const mmi_modality *m, int32_t split, mm_dataset **out, mm_error *e)
{
	mmi_call call;
	mm_dataset *data = NULL;

	begin(&call, m, split == MM_SPLIT_TEST ? "open (test data)" : "open (training data)");
	MMI_TRY(mmi_call_end(&call, m->desc->open(m->instance, split, &data, &call.error), e));
	MMI_TRY(mmi_contract_made(m, "open", data, "data set", e));
	*out = data;
	return MM_OK;
}

void mmi_modality_close(const mmi_modality *m, mm_dataset *d)
{
	mmi_call call;

	if (!d)
		return;
	begin(&call, m, "close");
	m->desc->close(d);
	mmi_call_leave(&call);
}

uint64_t mmi_modality_count(const mmi_modality *m, const mm_dataset *d)
{
	mmi_call call;

	begin_sample(&call, m, "count");
	uint64_t n = m->desc->count(d);
	mmi_call_leave(&call);
	return n;
}

/* The plugin is offered more than a key may take, so that one it had to cut is found out. */
mm_status mmi_modality_key(const mmi_modality *m, const mm_dataset *d, uint64_t index, char *key, mm_error *e)
{
	mmi_call call;
	char room[MMI_KEY_GUARDED];

	mmi_contract_poison(room, sizeof room);
	begin_sample(&call, m, "key");
	mm_status status = mmi_call_end(&call, m->desc->key(d, index, room, MMI_KEY_ROOM, &call.error), e);
	if (status == MM_OK)
		status = mmi_contract_key(m, index, room, e);
	if (status == MM_OK)
		memcpy(key, room, strlen(room) + 1);
	return status;
}

mm_status mmi_modality_label(const mmi_modality *m, const mm_dataset *d, uint64_t index, const char *key,
                             int32_t *label, mm_error *e)
{
	mmi_call call;

	*label = -1;
	if (!m->info.n_classes)
		return MM_OK;
	begin_sample(&call, m, "label");
	*label = m->desc->label(d, index);
	mmi_call_leave(&call);
	return mmi_contract_label(m, key, *label, e);
}

uint64_t mmi_modality_group(const mmi_modality *m, const mm_dataset *d, uint64_t index)
{
	mmi_call call;

	begin_sample(&call, m, "group");
	const uint64_t group = m->group->group(d, index);
	mmi_call_leave(&call);
	return group;
}

mm_status mmi_modality_read(const mmi_modality *m, mm_dataset *d, uint64_t index, const char *key, float *x,
                            mm_error *e)
{
	mmi_call call;
	char name[32 + MMI_KEY_BYTES];

	mmi_contract_poison(x, (size_t)m->count * sizeof *x);
	begin_sample(&call, m, "read");
	mm_status status = m->desc->read(d, index, x, &call.error);
	if (status == MM_OK) {
		mmi_call_leave(&call);
		return mmi_contract_values(m, "read", key, x, e);
	}
	snprintf(name, sizeof name, "read of sample '%s'", key);
	call.callback = name;
	return mmi_call_end(&call, status, e);
}

mm_status mmi_modality_vary(const mmi_modality *m, uint64_t draw, const char *key, float *x, mm_error *e)
{
	mmi_call call;

	begin_sample(&call, m, "vary");
	m->variation->vary(m->instance, draw, x);
	mmi_call_leave(&call);
	return mmi_contract_values(m, "vary", key, x, e);
}

void mmi_modality_round(const mmi_modality *m, float *x)
{
	mmi_call call;

	begin_sample(&call, m, "round");
	m->saved->round(m->instance, x);
	mmi_call_leave(&call);
}

/* ---------------------------------------------------------------- files and pictures */

mm_status mmi_modality_render(const mmi_modality *m, const float *x, const char *path, mm_error *e)
{
	mmi_call call;

	begin(&call, m, "render");
	MMI_TRY(mmi_call_end(&call, m->desc->render(m->instance, x, path, &call.error), e));
	return mmi_contract_made(m, "render", access(path, F_OK) ? NULL : path, "file", e);
}

static mm_status need_picture(const mmi_modality *m, mm_error *e)
{
	if (m->picture)
		return MM_OK;
	return mmi_fail(e, MM_EUNSUPPORTED, "[%s] plugin %s cannot draw its samples (no %s)", m->name, m->plugin->entry.id,
	                MM_MODALITY_PICTURE);
}

mm_status mmi_modality_picture_size(const mmi_modality *m, uint32_t *width, uint32_t *height, mm_error *e)
{
	mmi_call call;
	uint32_t w = 0, h = 0;

	MMI_TRY(need_picture(m, e));
	begin(&call, m, "picture size");
	MMI_TRY(mmi_call_end(&call, m->picture->size(m->instance, &w, &h, &call.error), e));
	MMI_TRY(mmi_contract_picture(m, w, h, e));
	*width = w;
	*height = h;
	return MM_OK;
}

mm_status mmi_modality_draw(const mmi_modality *m, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	mmi_call call;

	MMI_TRY(need_picture(m, e));
	begin(&call, m, "draw");
	return mmi_call_end(&call, m->picture->draw(m->instance, x, rgb, stride, &call.error), e);
}

/* Words rarely hold a slash or end in a suffix, ".txt"; what does and is no file was mistyped. */
static bool looks_like_file(const char *given)
{
	const char *dot = strrchr(given, '.');
	size_t suffix = dot ? strlen(dot + 1) : 0;
	if (strpbrk(given, "/\\"))
		return true;
	if (!dot || dot == given || dot[-1] == ' ' || suffix > 5 || strspn(dot + 1, "0123456789") == suffix)
		return false;
	for (size_t i = 1; i <= suffix; i++)
		if (!isalnum((unsigned char)dot[i]))
			return false;
	return true;
}

static mm_status need_file(const mmi_modality *m, mm_error *e)
{
	if (m->file)
		return MM_OK;
	return mmi_fail(e, MM_EUNSUPPORTED,
	                "[%s] plugin %s cannot read samples that are named (no %s); use tuples of the test data", m->name,
	                m->plugin->entry.id, MM_MODALITY_FILE);
}

mm_status mmi_modality_read_as(const mmi_modality *m, mmi_given_kind what, const char *given, float *out, mm_error *e)
{
	mmi_call call;
	const bool file = what == MMI_GIVEN_FILE;
	const char *callback = file ? "read_file" : "read_text";
	MMI_TRY(need_file(m, e));
	if (!file && !m->file->read_text)
		return mmi_fail(e, MM_EUNSUPPORTED, "[%s] plugin %s reads nothing but files", m->name, m->plugin->entry.id);
	mmi_contract_poison(out, (size_t)m->count * sizeof *out);
	begin(&call, m, callback);
	mm_status status = (file ? m->file->read_file : m->file->read_text)(m->instance, given, out, &call.error);
	MMI_TRY(mmi_call_end(&call, status, e));
	return mmi_contract_values(m, callback, NULL, out, e);
}

static mm_status read_quoted(const mmi_modality *m, const char *given, float *out, mm_error *e)
{
	char *words = mmi_format("%.*s", (int)strlen(given) - 2, given + 1);
	mm_status status =
		words ? mmi_modality_read_as(m, MMI_GIVEN_WORDS, words, out, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_free(words);
	return status;
}

mm_status mmi_modality_read_given(const mmi_modality *m, const char *given, float *out, mm_error *e)
{
	struct stat st;
	MMI_TRY(need_file(m, e));
	const char *path = given + (given[0] == '@');
	if (m->file->read_text && mmi_given_quoted(given))
		return read_quoted(m, given, out, e);
	bool exists = !stat(path, &st);
	if (!exists && !m->file->read_text)
		return mmi_fail(e, MM_EIO, "[%s] there is no file '%s', and plugin %s reads nothing but files", m->name, path,
		                m->plugin->entry.id);
	if (!exists && path != given)
		return mmi_fail(e, MM_EIO, "[%s] there is no file '%s'", m->name, path);
	if (!exists && looks_like_file(given))
		return mmi_fail(
			e, MM_EIO,
			"[%s] there is no file '%s'; words that look like a file's name go between double quotes, which the shell "
			"leaves alone between single ones: '%s=\"...\"'",
			m->name, given, m->name);
	if (exists && S_ISDIR(st.st_mode))
		return mmi_fail(e, MM_EIO, "[%s] '%s' is a folder, expected a file", m->name, path);
	return mmi_modality_read_as(m, exists ? MMI_GIVEN_FILE : MMI_GIVEN_WORDS, path, out, e);
}

bool mmi_given_quoted(const char *given)
{
	size_t length = strlen(given);
	return length > 1 && given[0] == '"' && given[length - 1] == '"';
}
