/* run_prior.c - the prior that is fitted when a run has ended, for its last sheet. */
#include "mmi_build.h"

#include "train/run_state.h"

/* Of a checkpoint of this iteration: an earlier, better one has a prior of its own. */
static mm_status read_fitted(mmi_run *r, const mmi_checkpoint *ck, mm_error *e)
{
	int64_t iteration = -1;
	MMI_TRY(mmi_checkpoint_counter(ck, "state.iteration", &iteration, e));
	if (iteration != r->learner->state.iteration || !mmi_fitted_there(ck))
		return MM_OK;
	return mmi_fitted_read(ck, r->model, &r->fitted, e);
}

static mm_status find_fitted(mmi_run *r, mm_error *e)
{
	mmi_checkpoint *ck;
	char *path;
	MMI_TRY(mmi_checkpoint_of_run(mmi_runfolder_path(r->folder), &path, e));
	mm_status status = mmi_checkpoint_open(path, &ck, e);
	mmi_free(path);
	MMI_TRY(status);
	status = read_fitted(r, ck, e);
	mmi_checkpoint_close(ck);
	return status;
}

void mmi_run_fit_prior(mmi_run *r)
{
	const mmi_recipe *sample = &r->settings->sample;
	mm_error e = MM_ERROR_INIT;
	if (r->prior_tried || !r->writes || !sample->components || !r->hooks->fit_prior)
		return;
	r->prior_tried = true;
	r->hooks->fit_prior(r->hooks->ctx, mmi_runfolder_path(r->folder), sample->components);
	if (sample->prior != MMI_SAMPLES_OF_MODEL)
		mmi_run_tolerate(r, MMI_RUN_SHEETS, find_fitted(r, &e), &e);
}
