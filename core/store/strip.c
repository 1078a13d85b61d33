/* strip.c - copying the part of a checkpoint that a trained model needs. */
#include "mmi_build.h"

#include "store/strip.h"

#include <string.h>

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool averaged(const mmi_safetensors *s)
{
	for (size_t i = 0; i < mmi_safetensors_count(s); i++)
		if (starts(mmi_safetensors_at(s, i)->name, "ema."))
			return true;
	return false;
}

static bool of_training(const char *name, bool average)
{
	static const char *const prefixes[] = { "adam_m.", "adam_v.", "adam_x.", "rate_factor.", "snapshot.", "buffer." };
	for (size_t i = 0; i < MMI_COUNT(prefixes); i++)
		if (starts(name, prefixes[i]))
			return true;
	return average && starts(name, "generator.");
}

/* The tensors that stay, with their data. */
static mm_status read_tensors(const mmi_safetensors *s, mmi_tensor_item *items, size_t *n, mm_error *e)
{
	const bool average = averaged(s);
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		if (of_training(t->name, average))
			continue;
		mmi_tensor_item *item = &items[(*n)++];
		*item = (mmi_tensor_item){ .name = t->name, .dtype = t->dtype, .rank = t->rank };
		memcpy(item->dim, t->dim, sizeof item->dim);
		const size_t bytes = (size_t)(t->end - t->begin);
		item->data = mmi_alloc(bytes ? bytes : 1, 1);
		if (!item->data)
			return mmi_fail(e, MM_ENOMEM, "out of memory for tensor '%.96s'", t->name);
		MMI_TRY(mmi_safetensors_read(s, t, item->data, bytes, e));
	}
	return MM_OK;
}

/* The metadata, but for what writing adds by itself, and the word that says what was done. */
static size_t copy_meta(const mmi_safetensors *s, mmi_text_pair *meta)
{
	size_t n = 0;
	for (size_t i = 0; i < mmi_safetensors_meta_count(s); i++) {
		const mmi_text_pair pair = mmi_safetensors_meta_at(s, i);
		if (!starts(pair.key, "mmcore.") && strcmp(pair.key, MMI_STRIPPED))
			meta[n++] = pair;
	}
	meta[n++] = (mmi_text_pair){ MMI_STRIPPED, "yes" };
	return n;
}

static mm_status strip(const mmi_checkpoint *ck, const char *to, mm_error *e)
{
	const mmi_safetensors *s = mmi_checkpoint_tensors(ck);
	size_t n = 0;
	mmi_tensor_item *items = mmi_alloc(mmi_safetensors_count(s) + 1, sizeof *items);
	mmi_text_pair *meta = mmi_alloc(mmi_safetensors_meta_count(s) + 1, sizeof *meta);
	mm_status status = items && meta ? mmi_checkpoint_verify(ck, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	if (status == MM_OK)
		status = read_tensors(s, items, &n, e);
	if (status == MM_OK)
		status = mmi_checkpoint_save(to, items, n, meta, copy_meta(s, meta), e);
	for (size_t i = 0; items && i < n; i++)
		mmi_free(items[i].data);
	mmi_free(items);
	mmi_free(meta);
	return status;
}

mm_status mmi_checkpoint_strip(const char *from, const char *to, mm_error *e)
{
	mmi_checkpoint *ck;
	MMI_TRY(mmi_checkpoint_open(from, &ck, e));
	mm_status status = strip(ck, to, e);
	mmi_checkpoint_close(ck);
	return status;
}
