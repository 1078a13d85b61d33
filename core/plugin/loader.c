/* loader.c - the registry of plugins: from a name to a started plugin. */
#include "mmi_build.h"

#include "plugin/call.h"
#include "plugin/contract.h"
#include "plugin/loader.h"
#include "plugin/search.h"

#include <stdio.h>
#include <string.h>

struct mmi_registry {
	uint64_t seed;
	mmi_log log;
	mmi_search *search;
	mmi_host_hooks hooks;
	mmi_plugin **plugins;
	size_t n;
};

const char *mmi_plugin_state_name(mmi_plugin_state state)
{
	static const char *const names[] = {
		[MMI_PLUGIN_REFUSED] = "refused",
		[MMI_PLUGIN_DUPLICATE] = "duplicate",
		[MMI_PLUGIN_CHECKED] = "ok",
		[MMI_PLUGIN_STARTED] = "started",
	};
	return names[state];
}

static mm_status no_memory(mm_error *e)
{
	return mmi_fail(e, MM_ENOMEM, "out of memory for the plugins' records");
}

/* ---------------------------------------------------------------- registry */

mm_status mmi_registry_create(uint64_t seed, const mmi_log *log, const char *extra, mmi_registry **out, mm_error *e)
{
	mmi_registry *r = mmi_alloc(1, sizeof *r);
	if (!r)
		return no_memory(e);
	r->seed = seed;
	if (log)
		r->log = *log;
	mm_status status = mmi_search_create(extra, &r->log, &r->search, e);
	if (status != MM_OK) {
		mmi_registry_destroy(r);
		return status;
	}
	*out = r;
	return MM_OK;
}

void mmi_registry_hook(mmi_registry *r, const mmi_host_hooks *hooks)
{
	r->hooks = *hooks;
}

static void destroy_plugin(mmi_plugin *p)
{
	if (p->state == MMI_PLUGIN_STARTED && MM_HAS(&p->entry, unload)) {
		mmi_call call;
		mmi_call_begin(&call, NULL, p, "unload");
		p->entry.unload(p->self);
		mmi_call_leave(&call);
	}
	mmi_host_destroy(p->host);
	mmi_free(p->modalities);
	mmi_free(p->real);
	mmi_free(p->path);
	mmi_free(p);
}

void mmi_registry_destroy(mmi_registry *r)
{
	if (!r)
		return;
	for (size_t i = r->n; i-- > 0;)
		destroy_plugin(r->plugins[i]);
	mmi_free(r->plugins);
	mmi_search_destroy(r->search);
	mmi_free(r);
}

size_t mmi_registry_count(const mmi_registry *r)
{
	return r->n;
}

const mmi_plugin *mmi_registry_plugin(const mmi_registry *r, size_t i)
{
	return r->plugins[i];
}

size_t mmi_registry_folders(const mmi_registry *r)
{
	return mmi_search_count(r->search);
}

const char *mmi_registry_folder(const mmi_registry *r, size_t i)
{
	return mmi_search_folder(r->search, i);
}

/* Adds an empty record, refused until proved fit. Takes real, also on failure (may be NULL: not located). */
static mm_status add_record(mmi_registry *r, const char *path, char *real, mmi_file_id file, mmi_plugin **out,
                            mm_error *e)
{
	mmi_plugin *p = mmi_alloc(1, sizeof *p);
	char *copy = mmi_strdup(path);
	mmi_plugin **grown = mmi_grow(r->plugins, r->n, r->n + 1, sizeof *grown);

	if (grown)
		r->plugins = grown;
	if (!p || !copy || !grown) {
		mmi_free(p);
		mmi_free(copy);
		mmi_free(real);
		return no_memory(e);
	}
	*p = (mmi_plugin){ .path = copy, .real = real, .file = file, .why = MM_ERROR_INIT, .log = &r->log };
	r->plugins[r->n++] = p;
	*out = p;
	return MM_OK;
}

static const mmi_plugin *find_path(const mmi_registry *r, const char *path)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->plugins[i]->path, path))
			return r->plugins[i];
	return NULL;
}

static mmi_plugin *find_file(const mmi_registry *r, mmi_file_id file)
{
	for (size_t i = 0; i < r->n; i++) {
		const mmi_plugin *p = r->plugins[i];
		if (p->real && p->file.device == file.device && p->file.inode == file.inode)
			return r->plugins[i];
	}
	return NULL;
}

/* ---------------------------------------------------------------- checking one file */

static mm_status check_duplicate(const mmi_registry *r, const mmi_plugin *p, const mm_plugin_entry *entry, mm_error *e)
{
	for (size_t i = 0; i < r->n; i++) {
		const mmi_plugin *known = r->plugins[i];
		if (known != p && known->state >= MMI_PLUGIN_CHECKED && !strcmp(known->entry.id, entry->id))
			return mmi_fail(e, MM_EABI,
			                "the plugin's id \"%s\" is taken by %s (version %s), which was found first; remove "
			                "one of the two, or name the wanted file by its path",
			                entry->id, known->path, known->entry.version);
	}
	return MM_OK;
}

static mm_status query_entry(mmi_plugin *p, const mm_plugin_entry **raw, mm_error *e)
{
	mm_plugin_query query;
	mmi_call call;

	MMI_TRY(mmi_object_safe(p->path, p->real, e));
	mmi_call_begin(&call, NULL, p, "loading");
	mm_status status = mmi_object_open(p->real, &query, e);
	if (status == MM_OK)
		*raw = query();
	mmi_call_leave(&call);
	return status;
}

static mm_status examine(const mmi_registry *r, mmi_plugin *p, mm_error *e)
{
	const mm_plugin_entry *raw;

	MMI_TRY(query_entry(p, &raw, e));
	MMI_TRY(mmi_contract_entry(raw, &p->entry, &p->modalities, e));
	mm_status status = check_duplicate(r, p, &p->entry, e);
	p->state = status == MM_OK ? MMI_PLUGIN_CHECKED : MMI_PLUGIN_DUPLICATE;
	return status;
}

static void refuse(mmi_plugin *p, const mm_error *reason)
{
	p->why = *reason;
	mmi_fail_prefix(&p->why, "plugin %s", p->path);
	if (p->state != MMI_PLUGIN_DUPLICATE)
		p->state = MMI_PLUGIN_REFUSED;
}

/* The record of the file at path: the one that exists, or a new one, checked. Fails only if there is no such file. */
static mm_status admit(mmi_registry *r, const char *path, mmi_plugin **out, mm_error *e)
{
	char *real;
	mmi_file_id file;
	mm_error reason = MM_ERROR_INIT;

	mm_status status = mmi_object_locate(path, &real, &file, &reason);
	if (status != MM_OK)
		return mmi_fail(e, status, "plugin %s: %s", path, reason.message);
	*out = find_file(r, file);
	if (*out) {
		mmi_free(real);
		return MM_OK;
	}
	MMI_TRY(add_record(r, path, real, file, out, e));
	if (examine(r, *out, &reason) != MM_OK)
		refuse(*out, &reason);
	return MM_OK;
}

/* ---------------------------------------------------------------- starting */

static mm_status call_load(mmi_plugin *p, mm_error *e)
{
	mmi_call call;

	mmi_host_name(p->host, p->entry.id);
	mmi_call_begin(&call, NULL, p, "load");
	mm_status status = p->entry.load(mmi_host_api(p->host), &p->self, &call.error);
	mmi_call_leave(&call);
	status = mmi_contract_status(status, &call.error, e);
	if (status != MM_OK)
		mmi_fail_prefix(e, "load of %s", p->entry.id);
	return status;
}

static void start(mmi_registry *r, mmi_plugin *p)
{
	mm_error reason = MM_ERROR_INIT;

	mm_status status = p->host ? MM_OK : mmi_host_create(r->seed, &r->log, &p->host, &reason);
	if (status == MM_OK)
		mmi_host_hook(p->host, &r->hooks);
	if (status == MM_OK)
		status = call_load(p, &reason);
	if (status != MM_OK) {
		refuse(p, &reason);
		return;
	}
	p->state = MMI_PLUGIN_STARTED;
	mmi_logf(&r->log, MM_LOG_DEBUG, "plugin %s %s from %s", p->entry.id, p->entry.version, p->path);
}

mm_status mmi_registry_open(mmi_registry *r, const char *name, const mmi_plugin **out, mm_error *e)
{
	mmi_plugin *p;
	char *path = NULL;

	if (strchr(name, '/')) {
		MMI_TRY(admit(r, name, &p, e));
	} else {
		MMI_TRY(mmi_search_find(r->search, name, &path, e));
		mm_status status = admit(r, path, &p, e);
		mmi_free(path);
		MMI_TRY(status);
	}
	if (p->state == MMI_PLUGIN_CHECKED)
		start(r, p);
	if (p->state != MMI_PLUGIN_STARTED)
		return mmi_fail(e, p->why.code, "%s", p->why.message);
	*out = p;
	return MM_OK;
}

/* ---------------------------------------------------------------- listing */

static mm_status scan_file(mmi_registry *r, const char *path, mm_error *e)
{
	mmi_plugin *found = NULL, *record;
	mm_error reason = MM_ERROR_INIT;

	if (find_path(r, path))
		return MM_OK;
	size_t before = r->n;
	mm_status status = admit(r, path, &found, &reason);
	if (status == MM_ENOMEM)
		return mmi_fail(e, status, "%s", reason.message);
	if (r->n != before)
		return MM_OK;
	/* Not a file, or one that is known by another path: a record for the reason alone. */
	MMI_TRY(add_record(r, path, NULL, (mmi_file_id){ 0 }, &record, e));
	record->why = reason;
	if (found) {
		record->state = MMI_PLUGIN_DUPLICATE;
		mmi_fail(&record->why, MM_EABI, "plugin %s: it is the same file as %s", path, found->path);
	}
	return MM_OK;
}

static mm_status scan_folder(mmi_registry *r, const char *folder, mm_error *e)
{
	char **names;
	size_t n;
	mm_error reason = MM_ERROR_INIT;

	mm_status status = mmi_search_list(folder, &names, &n, &reason);
	if (status != MM_OK) {
		mmi_logf(&r->log, MM_LOG_WARNING, "%s", reason.message);
		return status == MM_ENOMEM ? mmi_fail(e, status, "%s", reason.message) : MM_OK;
	}
	for (size_t i = 0; i < n && status == MM_OK; i++) {
		char *path = mmi_format("%s/%s", folder, names[i]);
		status = path ? scan_file(r, path, e) : no_memory(e);
		mmi_free(path);
	}
	mmi_search_free_list(names, n);
	return status;
}

mm_status mmi_registry_scan(mmi_registry *r, mm_error *e)
{
	for (size_t i = 0; i < mmi_search_count(r->search); i++)
		MMI_TRY(scan_folder(r, mmi_search_folder(r->search, i), e));
	return MM_OK;
}

/* ---------------------------------------------------------------- a plugin's modalities */

static mm_status no_modality(const mmi_plugin *p, const char *id, mm_error *e)
{
	char list[256];
	size_t used = 0;

	list[0] = 0;
	for (uint32_t i = 0; i < p->entry.n_modalities && used < sizeof list; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", p->modalities[i].id);
	return mmi_fail(e, MM_ECONFIG, "plugin %s (%s) has no modality \"%s\"; it has %s", p->entry.id, p->path, id, list);
}

mm_status mmi_plugin_modality(const mmi_plugin *p, const char *id, const mm_modality_desc **out, mm_error *e)
{
	for (uint32_t i = 0; i < p->entry.n_modalities; i++)
		if (!id || !strcmp(p->modalities[i].id, id)) {
			*out = &p->modalities[i];
			return MM_OK;
		}
	return no_modality(p, id, e);
}

const mm_setting *mmi_plugin_setting(const mmi_plugin *p, const mm_modality_desc *desc, uint32_t i)
{
	enum { MOST = 1000 }; /* the list of a plugin that never ends */
	mmi_call call;
	if (!MM_HAS(desc, get_extension) || i >= MOST)
		return NULL;
	mmi_call_begin(&call, NULL, p, "settings");
	const mm_modality_settings *table =
		mmi_contract_stranger(desc->get_extension) ? NULL : desc->get_extension(MM_MODALITY_SETTINGS);
	const mm_setting *s = table && MM_HAS(table, at) ? table->at(i) : NULL;
	mmi_call_leave(&call);
	return s && s->key && s->help ? s : NULL;
}
