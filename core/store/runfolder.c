/* runfolder.c - making, locking and naming a run's folder. */
#include "mmi_build.h"

#include "store/runfolder.h"

#include "store/checkpoint.h"
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INI_LIMIT = 1 << 24 };

struct mmi_runfolder {
	char *path, *ini, *metrics, *checkpoints, *best, *grids, *lock;
	int lock_fd;
};

void mmi_runfolder_close(mmi_runfolder *f)
{
	if (!f)
		return;
	if (f->lock_fd >= 0)
		close(f->lock_fd); /* gives the lock back */
	mmi_free(f->path);
	mmi_free(f->ini);
	mmi_free(f->metrics);
	mmi_free(f->checkpoints);
	mmi_free(f->best);
	mmi_free(f->grids);
	mmi_free(f->lock);
	mmi_free(f);
}

static mm_status name_parts(mmi_runfolder *f, const char *path, mm_error *e)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	f->path = mmi_format("%.*s", (int)length, path);
	f->ini = mmi_format("%.*s/run.ini", (int)length, path);
	f->metrics = mmi_format("%.*s/metrics.csv", (int)length, path);
	f->checkpoints = mmi_format("%.*s/checkpoints", (int)length, path);
	f->best = mmi_format("%.*s/" MMI_CHECKPOINT_BEST, (int)length, path);
	f->grids = mmi_format("%.*s/grids", (int)length, path);
	f->lock = mmi_format("%.*s/.lock", (int)length, path);
	if (!f->path || !f->ini || !f->metrics || !f->checkpoints || !f->best || !f->grids || !f->lock)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	return MM_OK;
}

/* What an earlier run left here, or NULL: an empty folder is no run, nor is one that failed before its settings were
 * written. */
static const char *trace_of_run(const mmi_runfolder *f)
{
	uint64_t *iterations = NULL;
	size_t n = 0;

	if (!access(f->ini, F_OK))
		return f->ini;
	if (!access(f->metrics, F_OK))
		return f->metrics;
	if (access(f->checkpoints, F_OK))
		return NULL;
	if (mmi_checkpoint_list(f->checkpoints, &iterations, &n, NULL) != MM_OK)
		return f->checkpoints; /* not a folder, or not ours to read */
	mmi_free(iterations);
	return n ? f->checkpoints : NULL;
}

static mm_status check_state(const mmi_runfolder *f, bool resume, mm_error *e)
{
	const char *trace = trace_of_run(f);

	if (resume && !trace)
		return mmi_fail(e, MM_ECONFIG, "nothing to resume: %s holds no run (no run.ini, metrics.csv or checkpoints)",
		                f->path);
	if (!resume && trace)
		return mmi_fail(e, MM_ECONFIG, "%s already holds a run (%s exists): choose another folder, or resume it",
		                f->path, trace);
	return MM_OK;
}

/* Who holds the lock, as it says itself. */
static mm_status locked_by_other(const mmi_runfolder *f, mm_error *e)
{
	char text[32] = "";
	ssize_t got = pread(f->lock_fd, text, sizeof text - 1, 0);

	text[got > 0 ? got : 0] = 0;
	long pid = strtol(text, NULL, 10);
	if (pid > 0)
		return mmi_fail(e, MM_ECONFIG, "%s is in use: process %ld trains into it", f->path, pid);
	return mmi_fail(e, MM_ECONFIG, "%s is in use: another process trains into it", f->path);
}

/* The lock is written to, so it must be a file of this folder alone: what stands there may be another's link to a file
 * of ours. */
static mm_status open_lock(mmi_runfolder *f, mm_error *e)
{
	struct stat st;

	f->lock_fd = open(f->lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
	if (f->lock_fd < 0 && errno != ELOOP)
		return mmi_fail(e, MM_EIO, "cannot write into %s: %s", f->path, strerror(errno));
	if (f->lock_fd >= 0 && !fstat(f->lock_fd, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1)
		return MM_OK;
	return mmi_fail(e, MM_EIO,
	                "%s is a link or no regular file; nothing was written to it. Remove it, or choose another folder",
	                f->lock);
}

/* Nor are settings, metrics and the best checkpoint written to where a link leads that somebody has put there. */
static mm_status refuse_links(const mmi_runfolder *f, mm_error *e)
{
	const char *const own[] = { f->ini, f->metrics, f->best };
	struct stat st;

	for (size_t i = 0; i < MMI_COUNT(own); i++)
		if (!lstat(own[i], &st) && !S_ISREG(st.st_mode))
			return mmi_fail(
				e, MM_EIO,
				"%s is a link or no regular file; nothing was written to it. Remove it, or choose another folder",
				own[i]);
	return MM_OK;
}

/* flock goes with the process, however it ends. A file system without locks is used without one. */
static mm_status take_lock(mmi_runfolder *f, mm_error *e)
{
	MMI_TRY(open_lock(f, e));
	if (flock(f->lock_fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return locked_by_other(f, e);
		if (errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS)
			return mmi_fail(e, MM_EIO, "cannot lock %s: %s", f->lock, strerror(errno));
	}
	char text[32];
	int bytes = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (ftruncate(f->lock_fd, 0) || mmi_write_all(f->lock_fd, text, (size_t)bytes))
		return mmi_fail(e, MM_EIO, "cannot write %s: %s", f->lock, strerror(errno));
	return MM_OK;
}

/* The state is looked at again under the lock: two processes may have started at once. */
static mm_status open_folder(mmi_runfolder *f, const char *path, bool resume, mm_error *e)
{
	f->lock_fd = -1;
	MMI_TRY(name_parts(f, path, e));
	MMI_TRY(check_state(f, resume, e));
	MMI_TRY(mmi_make_folders(f->path, e));
	MMI_TRY(take_lock(f, e));
	MMI_TRY(refuse_links(f, e));
	MMI_TRY(check_state(f, resume, e));
	MMI_TRY(mmi_make_folders(f->checkpoints, e));
	MMI_TRY(mmi_make_folders(f->grids, e));
	mmi_temporaries_remove(f->path);
	mmi_temporaries_remove(f->checkpoints);
	mmi_temporaries_remove(f->grids);
	return MM_OK;
}

mm_status mmi_runfolder_open(const char *path, bool resume, mmi_runfolder **out, mm_error *e)
{
	mmi_runfolder *f = mmi_alloc(1, sizeof *f);

	if (!f)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	mm_status status = open_folder(f, path, resume, e);
	if (status != MM_OK) {
		mmi_runfolder_close(f);
		return status;
	}
	*out = f;
	return MM_OK;
}

char *mmi_runfolder_checkpoints_in(const char *path)
{
	return mmi_format("%s/checkpoints", path);
}

const char *mmi_runfolder_path(const mmi_runfolder *f)
{
	return f->path;
}

const char *mmi_runfolder_metrics(const mmi_runfolder *f)
{
	return f->metrics;
}

const char *mmi_runfolder_checkpoints(const mmi_runfolder *f)
{
	return f->checkpoints;
}

const char *mmi_runfolder_best(const mmi_runfolder *f)
{
	return f->best;
}

char *mmi_runfolder_grid(const mmi_runfolder *f, const char *name, uint64_t iteration)
{
	return mmi_format("%s/%s-%08" PRIu64 ".png", f->grids, name, iteration);
}

/* ---------------------------------------------------------------- settings */

/* Moves the present settings to the first free run-N.ini. link fails where a name is taken, so nothing is lost. */
static mm_status keep_old_ini(const mmi_runfolder *f, mm_error *e)
{
	int error = EEXIST;

	for (int i = 1; i < 10000 && error == EEXIST; i++) {
		char *kept = mmi_format("%s/run-%d.ini", f->path, i);
		if (!kept)
			return mmi_fail(e, MM_ENOMEM, "%s: out of memory", f->path);
		error = link(f->ini, kept) ? errno : 0;
		mmi_free(kept);
	}
	return error ? mmi_fail(e, MM_EIO, "cannot keep the earlier %s: %s", f->ini, strerror(error)) : MM_OK;
}

static mm_status keep_if_different(const mmi_runfolder *f, const char *text, mm_error *e)
{
	char *old;
	size_t bytes;

	if (access(f->ini, F_OK))
		return MM_OK;
	MMI_TRY(mmi_read_file(f->ini, INI_LIMIT, &old, &bytes, e));
	bool same = bytes == strlen(text) && !memcmp(old, text, bytes);
	mmi_free(old);
	return same ? MM_OK : keep_old_ini(f, e);
}

mm_status mmi_runfolder_write_ini(const mmi_runfolder *f, const char *text, mm_error *e)
{
	MMI_TRY(keep_if_different(f, text, e));
	return mmi_write_file_atomic(f->ini, text, strlen(text), e);
}
