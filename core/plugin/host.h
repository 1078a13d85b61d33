/* host.h - the host as one plugin sees it: the base table, settings, randomness, networks, linear algebra,
 * text in pictures. */
#ifndef MMI_HOST_H
#define MMI_HOST_H

#include "config/config.h"
#include <mmcore/plugin.h>

/* Between a plugin and its host, to put plugins to the test. Each may be NULL; any thread. */
typedef struct mmi_host_hooks {
	void *ctx;
	bool (*refuse)(void *ctx, size_t bytes); /* this block is not to be had */
	/* What get_extension answers in the place of `table`, which is NULL where the host knows no such service. */
	const void *(*service)(void *ctx, const char *id, const void *table);
	void (*end)(void *ctx, size_t blocks); /* after unload: blocks that were never released */
} mmi_host_hooks;

/* One per plugin and registry. */
mm_status mmi_host_create(uint64_t seed, const mmi_log *log, mm_host **out, mm_error *e);
void mmi_host_destroy(mm_host *host);
void mmi_host_hook(mm_host *host, const mmi_host_hooks *hooks);
/* The plugin's id: goes before its lines in the log and into the names of its random streams. */
void mmi_host_name(mm_host *host, const char *id);
const mm_host_api *mmi_host_api(const mm_host *host);
/* Blocks the plugin got from alloc and has not released. */
size_t mmi_host_blocks(const mm_host *host);

/* The settings handed to one instance. Questions are answered until `close`; strings live until `destroy`. */
mm_status mmi_plugin_config_create(mmi_config *settings, const char *section, mm_config **out, mm_error *e);
void mmi_plugin_config_close(mm_config *c);
void mmi_plugin_config_destroy(mm_config *c);
/* True if the last question failed: its message already names file, section and key. */
bool mmi_plugin_config_failed(const mm_config *c);

extern const mm_host_config mmi_host_config_table;
extern const mm_host_random mmi_host_random_table;
extern const mm_host_linalg mmi_host_linalg_table;
extern const mm_host_text mmi_host_text_table;

#endif
