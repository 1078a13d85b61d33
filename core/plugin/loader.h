/* loader.h - finds, checks and starts plugins. A registry holds one record for each file it has looked at, with its
 * state and the reason for it, so that nothing is refused silently. docs/ABI.md has the rules.
 *
 * A registry belongs to the main thread. Objects stay mapped until the process ends; destroying the registry only runs
 * the plugins' unload and frees the host tables, so do it after the last modality is gone. */
#ifndef MMI_LOADER_H
#define MMI_LOADER_H

#include "plugin/host.h"
#include "plugin/object.h"

typedef enum {
	MMI_PLUGIN_REFUSED,   /* not fit to run */
	MMI_PLUGIN_DUPLICATE, /* fit, but the same file or id is known from elsewhere */
	MMI_PLUGIN_CHECKED,   /* fit, no code but its query has run */
	MMI_PLUGIN_STARTED    /* its load has run */
} mmi_plugin_state;

typedef struct mmi_plugin {
	char *path; /* as found */
	char *real; /* without links */
	mmi_file_id file;
	mmi_plugin_state state;
	mm_error why;                 /* for REFUSED and DUPLICATE: code and reason, beginning with the path */
	mm_plugin_entry entry;        /* full-sized copies; zeros unless checked */
	mm_modality_desc *modalities; /* entry.n_modalities */
	mm_host *host;
	void *self;         /* what load returned */
	const mmi_log *log; /* the registry's */
} mmi_plugin;

typedef struct mmi_registry mmi_registry;

/* `extra` comes before the environment in the search path (search.h); may be NULL, as may log. */
mm_status mmi_registry_create(uint64_t seed, const mmi_log *log, const char *extra, mmi_registry **out, mm_error *e);
/* For the hosts of the plugins that are started from now on. */
void mmi_registry_hook(mmi_registry *r, const mmi_host_hooks *hooks);
void mmi_registry_destroy(mmi_registry *r);
/* A name with a slash is a file; one without is looked for. The plugin is started; the registry keeps it. */
mm_status mmi_registry_open(mmi_registry *r, const char *name, const mmi_plugin **out, mm_error *e);
/* Checks every *.so on the search path, starting none. Fails only when out of memory; see the records. */
mm_status mmi_registry_scan(mmi_registry *r, mm_error *e);
size_t mmi_registry_count(const mmi_registry *r);
const mmi_plugin *mmi_registry_plugin(const mmi_registry *r, size_t i);
size_t mmi_registry_folders(const mmi_registry *r);
const char *mmi_registry_folder(const mmi_registry *r, size_t i);

const char *mmi_plugin_state_name(mmi_plugin_state state);
/* The plugin's modality of that id, or its first if id is NULL. */
mm_status mmi_plugin_modality(const mmi_plugin *p, const char *id, const mm_modality_desc **out, mm_error *e);
/* The i-th setting that a modality tells of (MM_MODALITY_SETTINGS); NULL behind the last, or when it tells of none. */
const mm_setting *mmi_plugin_setting(const mmi_plugin *p, const mm_modality_desc *desc, uint32_t i);

#endif
