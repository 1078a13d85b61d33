/* ablate_ranks.c - an ablation whose runs several ranks have trained. */
#include "mmi_build.h"

#include "ablate/ablate_job.h"

static mm_status take(mmi_ablation *a, size_t i, uint8_t state, mm_error *e)
{
	mmi_ablation_run *run = &a->runs[i];
	if (mmi_ablation_mine(a, i))
		return MM_OK;
	if (state > MMI_RUN_FAILED)
		return mmi_fail(e, MM_EFORMAT, "the rank that trained %s tells state %u of it, which there is not",
		                a->points.item[i].name, state);
	run->state = (mmi_run_state)state;
	if (state != MMI_RUN_FINISHED)
		return MM_OK;
	run->state = MMI_RUN_HALF; /* unless its figures are seen here */
	return mmi_ablation_read(a, i, e);
}

mm_status mmi_ablation_gather(mmi_ablation *a, const mmi_comm *comm, mm_error *e)
{
	const size_t n = a->points.n;
	uint8_t *all = mmi_alloc(comm->size * n, sizeof *all), *own = all + comm->rank * n;
	mm_status status = all ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the states of %zu runs", n);
	status = mmi_comm_agree(comm, status, e);
	for (size_t i = 0; status == MM_OK && i < n; i++)
		own[i] = (uint8_t)a->runs[i].state;
	if (status == MM_OK) {
		comm->ops->gather(comm, own, n, all);
		status = comm->ops->status(comm, e);
	}
	for (size_t i = 0; status == MM_OK && i < n; i++)
		status = take(a, i, all[i % comm->size * n + i], e);
	mmi_free(all);
	return status;
}
