/* run_events.c - with [run] tensorboard: rows of metrics and sheets as events, in RUN/tensorboard. */
#include "mmi_build.h"

#include "store/files.h"
#include "train/run_state.h"

#include <time.h>

#define SHEET_LIMIT (1u << 30) /* bytes */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static mm_status open_file(mmi_run *r, mm_error *e)
{
	if (r->events)
		return MM_OK;
	char *folder = mmi_format("%s/tensorboard", mmi_runfolder_path(r->folder));
	if (!folder)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a folder of events");
	mm_status status = mmi_events_open(folder, now(), r->events_from, &r->events, e);
	mmi_free(folder);
	if (status == MM_OK)
		mmi_logf(r->hooks->log, MM_LOG_INFO, "events for TensorBoard: %s", mmi_events_path(r->events));
	return status;
}

/* A file that something could not be written to may end in half a record, behind which nobody reads. */
static void settle(mmi_run *r, mm_status status, const mm_error *e)
{
	if (status == MM_OK) {
		r->events_from = (uint64_t)r->learner->state.iteration + 1;
	} else {
		mmi_events_close(r->events);
		r->events = NULL;
	}
	mmi_run_tolerate(r, MMI_RUN_EVENTS, status, e);
}

void mmi_run_begin_events(mmi_run *r)
{
	const uint64_t done = (uint64_t)r->learner->state.iteration;
	mm_error e = MM_ERROR_INIT;
	if (!r->settings->tensorboard || !r->writes)
		return;
	r->events_from = done ? done + 1 : 0;
	mm_status status = r->events ? mmi_events_restart(r->events, now(), done + 1, &e) : open_file(r, &e);
	settle(r, status, &e);
}

void mmi_run_tell_scalars(mmi_run *r, const mmi_scalar *s, size_t n)
{
	mm_error e = MM_ERROR_INIT;
	if (!r->settings->tensorboard)
		return;
	mm_status status = open_file(r, &e);
	if (status == MM_OK)
		status = mmi_events_scalars(r->events, now(), (uint64_t)r->learner->state.iteration, s, n, &e);
	settle(r, status, &e);
}

static mm_status tell_sheet(mmi_run *r, const char *path, mm_error *e)
{
	char *png;
	size_t bytes;
	MMI_TRY(open_file(r, e));
	MMI_TRY(mmi_read_file(path, SHEET_LIMIT, &png, &bytes, e));
	mm_status status =
		mmi_events_picture(r->events, now(), (uint64_t)r->learner->state.iteration, "samples", png, bytes, e);
	mmi_free(png);
	return status;
}

void mmi_run_tell_sheet(mmi_run *r, const char *path)
{
	mm_error e = MM_ERROR_INIT;
	if (r->settings->tensorboard)
		settle(r, tell_sheet(r, path, &e), &e);
}
