/* run_files.c - reading a run's folder. */
#include "mmi_build.h"

#include "report/run_files.h"
#include "config/value.h"
#include "store/checkpoint.h"
#include "store/csv.h"
#include "store/files.h"
#include "store/runfolder.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INI_LIMIT (1u << 20) /* bytes */
#define MAX_PICTURES 4096
#define MAX_EVALUATIONS 64

/* A page can be made without a part of it that cannot be read; but for want of memory nothing is left out. */
static mm_status do_without(mm_status status, const mm_error *why, const mmi_log *log, mm_error *e)
{
	if (status == MM_ENOMEM)
		return mmi_fail(e, status, "%s", why->message);
	mmi_logf(log, MM_LOG_WARNING, "%s; the page does without", why->message);
	return MM_OK;
}

/* ------------------------------------------------------------ settings and metrics */

static mm_status read_settings(mmi_run_files *r, mm_error *e)
{
	size_t bytes;
	char *path = mmi_format("%s/run.ini", r->path);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	mm_status status = mmi_read_file(path, INI_LIMIT, &r->text, &bytes, e);
	if (status == MM_EIO)
		status = mmi_fail(e, MM_ECONFIG, "%s is no run: it has no run.ini that can be read", r->path);
	if (status == MM_OK)
		status = mmi_config_load_text(path, r->text, &r->settings, e);
	mmi_free(path);
	return status;
}

static double number(const char *text)
{
	double value;
	return mmi_value_float(text, &value) ? value : NAN;
}

static mm_status fill_metrics(mmi_run_files *r, const mmi_csv *csv, mm_error *e)
{
	const size_t rows = csv->rows ? csv->rows - 1 : 0;
	size_t bytes = 1, used = 0;
	for (size_t c = 0; c < csv->columns; c++)
		bytes += strlen(mmi_csv_cell(csv, 0, c)) + 1;
	r->metric = mmi_alloc(csv->columns + 1, sizeof *r->metric);
	r->names = mmi_alloc(bytes, 1);
	if (!r->metric || !r->names)
		return mmi_fail(e, MM_ENOMEM, "out of memory for metrics");
	r->n_rows = rows;
	for (size_t c = 0; c < csv->columns; c++, r->n_metrics++) {
		mmi_metric *m = &r->metric[c];
		m->name = strcpy(r->names + used, mmi_csv_cell(csv, 0, c));
		used += strlen(m->name) + 1;
		m->value = mmi_alloc(rows + 1, sizeof *m->value);
		if (!m->value)
			return mmi_fail(e, MM_ENOMEM, "out of memory for metrics");
		for (size_t i = 0; i < rows; i++)
			m->value[i] = number(mmi_csv_cell(csv, i + 1, c));
	}
	return MM_OK;
}

static mm_status read_metrics(mmi_run_files *r, mm_error *e)
{
	mmi_csv csv;
	char *path = mmi_format("%s/metrics.csv", r->path);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	mm_status status = mmi_csv_read(path, &csv, e);
	mmi_free(path);
	MMI_TRY(status);
	status = fill_metrics(r, &csv, e);
	mmi_csv_clear(&csv);
	return status;
}

const mmi_metric *mmi_run_metric(const mmi_run_files *r, const char *name)
{
	for (size_t i = 0; i < r->n_metrics; i++)
		if (!strcmp(r->metric[i].name, name))
			return &r->metric[i];
	return NULL;
}

/* ------------------------------------------------------------ the newest checkpoint */

static mm_status keep(const mmi_checkpoint *ck, const char *key, char **out, mm_error *e)
{
	const char *text = mmi_checkpoint_meta(ck, key);
	*out = mmi_strdup(text ? text : "");
	return *out ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for what a checkpoint says");
}

static size_t size_of(const char *path)
{
	struct stat s;
	return stat(path, &s) == 0 && s.st_size > 0 ? (size_t)s.st_size : 0;
}

static mm_status keep_all(mmi_run_files *r, const mmi_checkpoint *ck, mm_error *e)
{
	r->checkpoint = mmi_strdup(mmi_checkpoint_path(ck));
	if (!r->checkpoint)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	r->checkpoint_bytes = size_of(r->checkpoint);
	MMI_TRY(keep(ck, "version", &r->version, e));
	MMI_TRY(keep(ck, "build", &r->build, e));
	MMI_TRY(keep(ck, "plugins", &r->plugins, e));
	return keep(ck, "modalities", &r->modalities, e);
}

/* Its header is enough: the numbers in it are not looked at. */
static mm_status read_checkpoint(mmi_run_files *r, const mmi_log *log, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	char *path;
	mm_status status = mmi_checkpoint_of_run(r->path, &path, &why);
	if (status == MM_ENOMEM)
		return do_without(status, &why, log, e);
	if (status != MM_OK)
		return MM_OK; /* a run that has not written one yet */
	status = mmi_checkpoint_open(path, &ck, &why);
	mmi_free(path);
	if (status != MM_OK)
		return do_without(status, &why, log, e);
	status = keep_all(r, ck, e);
	mmi_checkpoint_close(ck);
	return status;
}

/* ------------------------------------------------------------ pictures and evaluations */

static bool ends_with(const char *name, const char *end)
{
	const size_t n = strlen(name), m = strlen(end);
	return n >= m && !strcmp(name + n - m, end);
}

static mm_status add_picture(mmi_run_files *r, const char *path, bool sheet, mm_error *e)
{
	if (r->n_pictures == MAX_PICTURES)
		return MM_OK;
	if (!r->picture && !(r->picture = mmi_alloc(MAX_PICTURES, sizeof *r->picture)))
		return mmi_fail(e, MM_ENOMEM, "out of memory for a list of pictures");
	mmi_run_picture p = { mmi_strdup(path), size_of(path), sheet };
	if (!p.path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	r->picture[r->n_pictures++] = p;
	return MM_OK;
}

static mm_status add_evaluation(mmi_run_files *r, const char *path, const mmi_log *log, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	if (r->n_evaluations == MAX_EVALUATIONS)
		return MM_OK;
	if (!r->evaluation && !(r->evaluation = mmi_alloc(MAX_EVALUATIONS, sizeof *r->evaluation)))
		return mmi_fail(e, MM_ENOMEM, "out of memory for evaluations");
	mm_status status = mmi_report_read(path, &r->evaluation[r->n_evaluations], &why);
	if (status == MM_OK)
		r->n_evaluations++;
	return status == MM_OK ? MM_OK : do_without(status, &why, log, e);
}

static mm_status visit(mmi_run_files *r, const char *folder, bool below, const mmi_log *log, mm_error *e);

static mm_status visit_file(mmi_run_files *r, const char *folder, const char *name, bool below, const mmi_log *log,
                            mm_error *e)
{
	struct stat s;
	char *path = mmi_format("%s/%s", folder, name);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	mm_status status = MM_OK;
	if (stat(path, &s))
		status = MM_OK; /* gone meanwhile */
	else if (S_ISDIR(s.st_mode) && !below && strcmp(name, "checkpoints"))
		status = visit(r, path, true, log, e);
	else if (S_ISREG(s.st_mode) && ends_with(name, ".png"))
		status = add_picture(r, path, ends_with(folder, "/grids"), e);
	else if (S_ISREG(s.st_mode) && !strcmp(name, "eval.json"))
		status = add_evaluation(r, path, log, e);
	mmi_free(path);
	return status;
}

static mm_status no_folder(const char *folder, int error, const mmi_log *log, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	return do_without(mmi_fail(&why, mmi_errno_status(error), "%s: %s", folder, strerror(error)), &why, log, e);
}

/* A folder and, unless it is one of the run's own folders, those in it. */
static mm_status visit(mmi_run_files *r, const char *folder, bool below, const mmi_log *log, mm_error *e)
{
	mm_status status = MM_OK;
	DIR *d = opendir(folder);
	if (!d)
		return no_folder(folder, errno, log, e);
	while (status == MM_OK) {
		errno = 0;
		const struct dirent *entry = readdir(d);
		if (!entry) {
			status = errno ? no_folder(folder, errno, log, e) : MM_OK;
			break;
		}
		if (entry->d_name[0] != '.')
			status = visit_file(r, folder, entry->d_name, below, log, e);
	}
	closedir(d);
	return status;
}

static int by_path(const void *a, const void *b)
{
	const mmi_run_picture *x = a, *y = b;
	return x->sheet != y->sheet ? (int)y->sheet - (int)x->sheet : strcmp(x->path, y->path);
}

/* ------------------------------------------------------------ the whole */

static mm_status name_of(mmi_run_files *r, const char *path, mm_error *e)
{
	char *real = realpath(path, NULL); /* a run is called by its folder's name, however that was written */
	if (!real)
		return mmi_fail(e, MM_ECONFIG, "%s is no run: %s", path, strerror(errno));
	r->path = mmi_strdup(real);
	free(real);
	if (!r->path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	const char *slash = strrchr(r->path, '/');
	r->name = mmi_strdup(slash && slash[1] ? slash + 1 : r->path);
	return r->name ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
}

static mm_status read_all(mmi_run_files *r, const char *path, const mmi_log *log, mm_error *e)
{
	MMI_TRY(name_of(r, path, e));
	MMI_TRY(read_settings(r, e));
	MMI_TRY(read_metrics(r, e));
	MMI_TRY(read_checkpoint(r, log, e));
	MMI_TRY(visit(r, r->path, false, log, e));
	if (r->n_pictures)
		qsort(r->picture, r->n_pictures, sizeof *r->picture, by_path);
	return MM_OK;
}

mm_status mmi_run_files_read(const char *path, const mmi_log *log, mmi_run_files *out, mm_error *e)
{
	mmi_run_files r = { 0 };
	mm_status status = read_all(&r, path, log, e);
	if (status == MM_OK)
		*out = r;
	else
		mmi_run_files_clear(&r);
	return status;
}

void mmi_run_files_clear(mmi_run_files *r)
{
	for (size_t i = 0; i < r->n_metrics; i++)
		mmi_free(r->metric[i].value);
	for (size_t i = 0; i < r->n_pictures; i++)
		mmi_free(r->picture[i].path);
	for (size_t i = 0; i < r->n_evaluations; i++)
		mmi_report_clear(&r->evaluation[i]);
	char *const texts[] = { r->path,  r->name,    r->text,       r->names,     r->version,
		                    r->build, r->plugins, r->modalities, r->checkpoint };
	for (size_t i = 0; i < MMI_COUNT(texts); i++)
		mmi_free(texts[i]);
	mmi_config_destroy(r->settings);
	mmi_free(r->metric);
	mmi_free(r->picture);
	mmi_free(r->evaluation);
	*r = (mmi_run_files){ 0 };
}
