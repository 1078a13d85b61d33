/* contract_entry.c - a plugin's static data: magic, sizes, versions, strings, callbacks. */
#include "mmi_build.h"

#include "config/ini.h"
#include "plugin/contract.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ENTRY_SIZE_MAX 4096 /* larger sizes are garbage, not growth */
#define MODALITIES_MAX 64
#define ID_MAX 63
#define TEXT_MAX 255
#define NAME_MAX_LENGTH 31 /* mmi_modality.name */

#define REBUILD "rebuild the plugin with the headers of this mmcore"

/* ---------------------------------------------------------------- strings */

static bool printable(const char *text, size_t max)
{
	size_t length = text ? strnlen(text, max + 1) : 0;

	if (length == 0 || length > max)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 127)
			return false;
	return true;
}

bool mmi_contract_id(const char *id)
{
	size_t length = id ? strnlen(id, ID_MAX + 1) : 0;

	if (length == 0 || length > ID_MAX || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.-") != length)
		return false;
	return isalnum((unsigned char)id[0]) && isalnum((unsigned char)id[length - 1]);
}

/* A string of a plugin for a message: short, printable, never NULL. */
static const char *shown(const char *text, char out[80])
{
	if (!text)
		return "NULL";
	snprintf(out, 80, "\"%.70s\"", text);
	return mmi_clean(out);
}

static mm_status check_id(const char *what, const char *id, mm_error *e)
{
	char text[80];
	if (mmi_contract_id(id))
		return MM_OK;
	return mmi_fail(e, MM_EABI,
	                "%s is %s, needed are 1 to 63 characters of a-z, 0-9, '.' and '-', a letter or digit at "
	                "both ends",
	                what, shown(id, text));
}

static mm_status check_text(const char *what, const char *text, mm_error *e)
{
	char part[80];
	if (printable(text, TEXT_MAX))
		return MM_OK;
	return mmi_fail(e, MM_EABI, "%s is %s, needed are 1 to 255 printable characters", what, shown(text, part));
}

/* ---------------------------------------------------------------- the entry */

static mm_status check_size(const char *type, uint32_t found, uint32_t needed, const char *last, mm_error *e)
{
	if (found >= needed && found <= ENTRY_SIZE_MAX)
		return MM_OK;
	return mmi_fail(e, MM_EABI, "struct_size of %s is %u, needed are %u to %u bytes; set it to MM_SIZE_THROUGH(%s, %s)",
	                type, found, needed, ENTRY_SIZE_MAX, type, last);
}

static mm_status check_tag(uint32_t tag, mm_error *e)
{
	if (tag == MM_ABI_TAG)
		return MM_OK;
	return mmi_fail(e, MM_EABI,
	                "the ABI tag is 0x%08X (pointers of %u bytes, rank up to %u, reals of %u bytes, fork %u), "
	                "needed is 0x%08X (%u, %u, %u, %u); " REBUILD,
	                tag, tag & 255, tag >> 8 & 255, tag >> 16 & 255, tag >> 24, MM_ABI_TAG, MM_ABI_TAG & 255,
	                MM_ABI_TAG >> 8 & 255, MM_ABI_TAG >> 16 & 255, MM_ABI_TAG >> 24);
}

static mm_status check_versions(const mm_plugin_entry *x, mm_error *e)
{
	if (x->abi_major != MM_ABI_MAJOR)
		return mmi_fail(e, MM_EABI, "the plugin is built for plugin ABI %u, this mmcore has ABI %u; " REBUILD,
		                x->abi_major, MM_ABI_MAJOR);
	if (x->abi_minor_required > x->abi_minor_built)
		return mmi_fail(e, MM_EABI,
		                "the plugin requires ABI %u.%u but is built with the headers of %u.%u; correct "
		                "abi_minor_required",
		                x->abi_major, x->abi_minor_required, x->abi_major, x->abi_minor_built);
	if (x->abi_minor_required > MM_ABI_MINOR)
		return mmi_fail(e, MM_EABI,
		                "the plugin requires plugin ABI %u.%u, this mmcore has %u.%u; install a newer mmcore or "
		                "an older plugin",
		                x->abi_major, x->abi_minor_required, MM_ABI_MAJOR, MM_ABI_MINOR);
	return MM_OK;
}

/* Magic, size and versions come first: nothing behind them means anything before they fit. */
static mm_status check_header(const mm_plugin_entry *raw, mm_error *e)
{
	if (raw->magic != MM_PLUGIN_MAGIC)
		return mmi_fail(e, MM_EABI,
		                "the entry's magic number is 0x%08X, needed is 0x%08X (MM_PLUGIN_MAGIC): no plugin of "
		                "mmcore, or built for another byte order",
		                raw->magic, MM_PLUGIN_MAGIC);
	MMI_TRY(check_size("mm_plugin_entry", raw->struct_size, MM_SIZE_THROUGH(mm_plugin_entry, load), "unload", e));
	MMI_TRY(check_versions(raw, e));
	return check_tag(raw->abi_tag, e);
}

static mm_status check_fields(const mm_plugin_entry *x, mm_error *e)
{
	MMI_TRY(check_id("the plugin's id", x->id, e));
	MMI_TRY(check_text("the plugin's name", x->name, e));
	MMI_TRY(check_text("the plugin's vendor", x->vendor, e));
	MMI_TRY(check_text("the plugin's version", x->version, e));
	MMI_TRY(check_text("the plugin's license", x->license, e));
	if (x->flags)
		return mmi_fail(e, MM_EABI, "the entry's flags are 0x%X, this mmcore knows none; set them to 0", x->flags);
	if (!x->load)
		return mmi_fail(e, MM_EABI, "the entry's load is NULL, needed is a function");
	if (!x->modalities || x->n_modalities == 0 || x->n_modalities > MODALITIES_MAX)
		return mmi_fail(e, MM_EABI, "the plugin lists %u modalities%s, needed are 1 to %d", x->n_modalities,
		                x->modalities ? "" : " at NULL", MODALITIES_MAX);
	return MM_OK;
}

/* ---------------------------------------------------------------- modalities */

#define CALLBACK(member)                            \
	{                                               \
#member, offsetof(mm_modality_desc, member) \
	}
static const struct {
	const char *name;
	size_t offset;
} callbacks[] = {
	CALLBACK(create),         CALLBACK(destroy), CALLBACK(describe), CALLBACK(build_encoder), CALLBACK(build_decoder),
	CALLBACK(build_features), CALLBACK(open),    CALLBACK(close),    CALLBACK(count),         CALLBACK(key),
	CALLBACK(label),          CALLBACK(read),    CALLBACK(render),
};

static mm_status check_callbacks(const mm_modality_desc *d, mm_error *e)
{
	for (size_t i = 0; i < MMI_COUNT(callbacks); i++) {
		void (*function)(void);
		memcpy(&function, (const char *)d + callbacks[i].offset, sizeof function);
		if (!function)
			return mmi_fail(e, MM_EABI, "modality \"%s\": %s is NULL, needed is a function", d->id, callbacks[i].name);
	}
	return MM_OK;
}

static mm_status check_desc(const mm_modality_desc *d, mm_error *e)
{
	char text[80];
	size_t name_length = d->default_name ? strnlen(d->default_name, NAME_MAX_LENGTH + 1) : 0;

	MMI_TRY(check_id("the modality's id", d->id, e));
	MMI_TRY(check_text("the modality's summary", d->summary, e));
	if (name_length > NAME_MAX_LENGTH || !mmi_ini_name_ok(d->default_name, name_length))
		return mmi_fail(e, MM_EABI,
		                "modality \"%s\": default_name is %s, needed are 1 to 31 letters, digits, '_' or '-'", d->id,
		                shown(d->default_name, text));
	if (!printable(d->render_suffix, 15) || d->render_suffix[0] != '.' || strchr(d->render_suffix, '/'))
		return mmi_fail(e, MM_EABI, "modality \"%s\": render_suffix is %s, needed is one such as \".png\"", d->id,
		                shown(d->render_suffix, text));
	if (d->flags)
		return mmi_fail(e, MM_EABI, "modality \"%s\": flags are 0x%X, this mmcore knows none; set them to 0", d->id,
		                d->flags);
	return check_callbacks(d, e);
}

static mm_status copy_desc(const mm_modality_desc *raw, mm_modality_desc *out, uint32_t index, mm_error *e)
{
	if (!raw)
		return mmi_fail(e, MM_EABI, "modality %u of the plugin is NULL", index);
	MMI_TRY(check_size("mm_modality_desc", raw->struct_size, MM_SIZE_THROUGH(mm_modality_desc, render), "get_extension",
	                   e));
	memcpy(out, raw, raw->struct_size < sizeof *out ? raw->struct_size : sizeof *out);
	return check_desc(out, e);
}

static mm_status copy_modalities(const mm_plugin_entry *entry, mm_modality_desc *out, mm_error *e)
{
	for (uint32_t i = 0; i < entry->n_modalities; i++) {
		MMI_TRY(copy_desc(entry->modalities[i], &out[i], i, e));
		for (uint32_t j = 0; j < i; j++)
			if (!strcmp(out[i].id, out[j].id))
				return mmi_fail(e, MM_EABI,
				                "two modalities of the plugin have the id \"%s\", needed are different ones",
				                out[i].id);
	}
	return MM_OK;
}

mm_status mmi_contract_entry(const mm_plugin_entry *raw, mm_plugin_entry *entry, mm_modality_desc **descs, mm_error *e)
{
	mm_plugin_entry copy = { 0 };

	if (!raw)
		return mmi_fail(e, MM_EABI,
		                MM_PLUGIN_QUERY_SYMBOL " returned NULL, needed is the address of a mm_plugin_entry");
	MMI_TRY(check_header(raw, e));
	memcpy(&copy, raw, raw->struct_size < sizeof copy ? raw->struct_size : sizeof copy);
	MMI_TRY(check_fields(&copy, e));
	mm_modality_desc *list = mmi_alloc(copy.n_modalities, sizeof *list);
	if (!list)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u modalities", copy.n_modalities);
	mm_status status = copy_modalities(&copy, list, e);
	if (status != MM_OK) {
		mmi_free(list);
		return status;
	}
	*entry = copy;
	*descs = list;
	return MM_OK;
}
