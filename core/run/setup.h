/* setup.h - from settings and plugin names to modalities and a thread pool: what every command starts with. */
#ifndef MMI_SETUP_H
#define MMI_SETUP_H

#include "data/tuples.h"
#include "engine/comm.h"
#include "engine/device.h"
#include "engine/pool.h"
#include "run/settings.h"
#include "plugin/loader.h"
#include "plugin/modality.h"
#include "store/checkpoint.h"

typedef struct mmi_setup {
	mmi_config *config;
	mmi_settings settings;
	mmi_registry *registry;
	mmi_modality modalities[MMI_MAX_MODALITIES];
	size_t n_modalities;
	mmi_pool *pool;
	mmi_device
		device;    /* [run] device; a setup that has been opened stays where it is while something was made for it */
	mmi_comm comm; /* who computes the run together: one rank alone, until mmi_setup_share */
	const mmi_checkpoint
		*states;    /* while it is being made: where modalities find what their plugins had learned, or NULL */
	bool untrusted; /* while it is being made: the settings are a checkpoint's */
} mmi_setup;

typedef struct mmi_setup_request {
	const char *ini;            /* a file */
	const char *const *plugins; /* "[NAME=]FILE", as on the command line */
	size_t n_plugins;
	const char *const *sets; /* "section.key=value" */
	size_t n_sets;
	const mmi_log *log;
} mmi_setup_request;

/* Modalities come in the INI's order of sections that have a key `plugin` or are named by `plugins`, then what else
 * `plugins` names, which the log is told of. Every key of the INI must have been asked for. */
mm_status mmi_setup_open(const mmi_setup_request *r, mmi_setup *out, mm_error *e);
/* The same to go on with the run in a folder: what plugins learned from their data comes from its newest checkpoint, so
 * that data that has changed meanwhile cannot change what the networks mean. A folder without one is as good as none.
 */
mm_status mmi_setup_resume(const mmi_setup_request *r, const char *folder, mmi_setup *out, mm_error *e);
/* The same from what a checkpoint remembers; `sets` and `plugins` may change it. Plugins are looked for by the file
 * names in it; which files are run, only `sets`, `plugins`, the search path and, where given, `ini` decide. Refused
 * when a modality is served by another plugin than the checkpoint's, or by a version of another first number. */
mm_status mmi_setup_reopen(const mmi_checkpoint *ck, const mmi_setup_request *r, mmi_setup *out, mm_error *e);
/* The complete tuples of a part, for evaluation: none of VALIDATION or TEST was trained on. The setup must outlive
 * them. */
mm_status mmi_setup_tuples(const mmi_setup *s, mmi_part part, const mmi_log *log, mmi_tuples **out, mm_error *e);
/* Whether a part could not be opened because its data are not there, or are none; not for want of memory or by a
 * plugin's bug. */
bool mmi_part_absent(mm_status status);
/* Puts the ranks that compute a run together into a setup; all of them call it. The setup has a copy, or a comm of its
 * device's over one (mmi_device_ops: join), which the log is told of. */
mm_status mmi_setup_share(mmi_setup *s, const mmi_comm *comm, const mmi_log *log, mm_error *e);
void mmi_setup_close(mmi_setup *s);

/* The host as a device, whatever settings say. */
mmi_device mmi_setup_host(void);
/* What computes where the settings name no other device, as checkpoints have it ("mmcore 0.1.0, gcc 12.2.0,
 * cpu/avx512"); mmi_free, NULL when out of memory. */
char *mmi_setup_build_text(void);
/* An error unless the plugins' states are those of the file, as they are after mmi_setup_resume and mmi_setup_reopen;
 * where the file has none, nothing is asked. `so` ends the message: what it means, or what to do. */
mm_status mmi_check_states(const mmi_modality *modalities, size_t n, const mmi_checkpoint *ck, const char *so,
                           mm_error *e);
/* "img=org.mmcore.img/picture,...": who serves the modalities, as checkpoints remember it; mmi_free, NULL when out of
 * memory. */
char *mmi_setup_plugins(const mmi_setup *s);
/* "img=0.1.0,...": the versions of their plugins, in the same way. */
char *mmi_setup_versions(const mmi_setup *s);

#endif
