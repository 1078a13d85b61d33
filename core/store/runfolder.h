/* runfolder.h - the folder of one training run: resolved settings, metrics, checkpoints, sample grids; one process at a
 * time. */
#ifndef MMI_RUNFOLDER_H
#define MMI_RUNFOLDER_H

#include "base/base.h"

typedef struct mmi_runfolder mmi_runfolder;

/* New run: makes the folder with its parents, refuses one that holds a run. Resume: refuses one that does not.
 * Either way the folder is locked for this process; a second one is told so. Nothing is written when refused. */
mm_status mmi_runfolder_open(const char *path, bool resume, mmi_runfolder **out, mm_error *e);
void mmi_runfolder_close(mmi_runfolder *f); /* unlocks */

/* PATH/checkpoints of a folder that is not open; mmi_free, NULL when out of memory. */
char *mmi_runfolder_checkpoints_in(const char *path);
const char *mmi_runfolder_path(const mmi_runfolder *f);
const char *mmi_runfolder_metrics(const mmi_runfolder *f);     /* RUN/metrics.csv */
const char *mmi_runfolder_checkpoints(const mmi_runfolder *f); /* RUN/checkpoints */
const char *mmi_runfolder_best(const mmi_runfolder *f);        /* RUN/best.safetensors */
/* RUN/grids/NAME-00001200.png; mmi_free, NULL when out of memory. */
char *mmi_runfolder_grid(const mmi_runfolder *f, const char *name, uint64_t iteration);
/* Writes the resolved settings to RUN/run.ini. On resume the earlier version is kept as run-N.ini when it differs. */
mm_status mmi_runfolder_write_ini(const mmi_runfolder *f, const char *text, mm_error *e);

#endif
