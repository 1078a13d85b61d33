/* run_files.h - what a run's folder holds for people to look at: settings, metrics, pictures, evaluations. */
#ifndef MMI_RUN_FILES_H
#define MMI_RUN_FILES_H

#include "config/config.h"
#include "eval/report.h"

typedef struct mmi_metric {
	const char *name;
	double *value; /* rows; NaN where the row has none */
} mmi_metric;

typedef struct mmi_run_picture {
	char *path;   /* of a PNG */
	size_t bytes; /* of the file */
	bool sheet;   /* of grids/: samples while the run went on */
} mmi_run_picture;

typedef struct mmi_run_files {
	char *path, *name;    /* the folder, and what the page calls it */
	mmi_config *settings; /* run.ini */
	char *text;           /* run.ini as it stands */
	size_t n_metrics, n_rows;
	mmi_metric *metric;       /* metric[0] is the iteration */
	char *names;              /* what metric[].name points into */
	mmi_run_picture *picture; /* by path; sheets first, in the order of iterations */
	size_t n_pictures;
	mmi_report *evaluation; /* eval.json in the folder or in a folder of it */
	size_t n_evaluations;
	char *version, *build, *plugins, *modalities, *checkpoint; /* of the newest checkpoint; NULL: there is none */
	size_t checkpoint_bytes;
} mmi_run_files;

/* MM_ECONFIG where the folder is none of a run (run.ini and metrics.csv). What else is there and cannot be read is a
 * warning in the log and left out. */
mm_status mmi_run_files_read(const char *path, const mmi_log *log, mmi_run_files *out, mm_error *e);
void mmi_run_files_clear(mmi_run_files *r);
/* NULL: it has none of that name. */
const mmi_metric *mmi_run_metric(const mmi_run_files *r, const char *name);

#endif
