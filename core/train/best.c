/* best.c - the best checkpoint of a run. */
#include "mmi_build.h"

#include "train/best.h"

#include "config/value.h"
#include "store/files.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

void mmi_best_clear(mmi_best *b)
{
	mmi_free(b->record);
	*b = (mmi_best){ 0 };
}

const mmi_best_record *mmi_best_last(const mmi_best *b)
{
	return b->n ? &b->record[b->n - 1] : NULL;
}

const mmi_best_record *mmi_best_at(const mmi_best *b, uint64_t iteration)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->record[i].iteration == iteration)
			return &b->record[i];
	return NULL;
}

mm_status mmi_best_add(mmi_best *b, uint64_t iteration, double value, mm_error *e)
{
	if (!isfinite(value) || (b->n && !(value < mmi_best_last(b)->value)))
		return MM_OK;
	mmi_best_record *grown = mmi_grow(b->record, b->n, b->n + 1, sizeof *grown);
	if (!grown)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the best checkpoints");
	b->record = grown;
	b->record[b->n++] = (mmi_best_record){ iteration, value };
	return MM_OK;
}

void mmi_best_back(mmi_best *b, uint64_t iteration)
{
	while (b->n && mmi_best_last(b)->iteration > iteration)
		b->n--;
}

/* ------------------------------------------------------------ on disk */

static mm_status read_value(const mmi_checkpoint *ck, uint64_t iteration, mmi_best *to, mm_error *e)
{
	const char *text = mmi_checkpoint_meta(ck, MMI_BEST_META);
	double value;
	if (!text || !mmi_value_float(text, &value))
		return MM_OK;
	MMI_TRY(mmi_checkpoint_verify(ck, e));
	return mmi_best_add(to, iteration, value, e);
}

/* Checkpoints without a value, or that cannot be read, are none; for want of memory that cannot be said. */
static mm_status read_one(const char *folder, uint64_t iteration, mmi_best *to, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	mmi_checkpoint *ck = NULL;
	char *path = mmi_checkpoint_file(folder, iteration);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a checkpoint's name");
	mm_status status = mmi_checkpoint_open(path, &ck, &own);
	if (status == MM_OK)
		status = read_value(ck, iteration, to, &own);
	mmi_checkpoint_close(ck);
	mmi_free(path);
	return status == MM_ENOMEM ? mmi_fail(e, status, "%s", own.message) : MM_OK;
}

mm_status mmi_best_read(const char *checkpoints, uint64_t iteration, mmi_best *out, mm_error *e)
{
	mmi_best found = { 0 };
	uint64_t *list;
	size_t n;
	MMI_TRY(mmi_checkpoint_list(checkpoints, &list, &n, e));
	mm_status status = MM_OK;
	for (size_t i = 0; i < n && list[i] <= iteration && status == MM_OK; i++)
		status = read_one(checkpoints, list[i], &found, e);
	mmi_free(list);
	if (status == MM_OK)
		*out = found;
	else
		mmi_best_clear(&found);
	return status;
}

/* The first record that is still needed: the best one as of the iteration that a run may go back to, and all since. */
static size_t first_needed(const mmi_best *b, uint64_t back)
{
	size_t first = 0;
	while (first + 1 < b->n && b->record[first + 1].iteration <= back)
		first++;
	return first;
}

static mm_status prune(mmi_best *b, const char *folder, size_t keep, uint64_t back, mm_error *e)
{
	size_t first = first_needed(b, back);
	uint64_t *held = mmi_alloc(b->n - first + 1, sizeof *held);
	if (!held)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the best checkpoints");
	if (first)
		memmove(b->record, b->record + first, (b->n - first) * sizeof *b->record);
	b->n -= first;
	for (size_t i = 0; i < b->n; i++)
		held[i] = b->record[i].iteration;
	mm_status status = mmi_checkpoint_prune(folder, keep, held, b->n, e);
	mmi_free(held);
	return status;
}

mm_status mmi_best_prune(mmi_best *b, const char *checkpoints, size_t keep, uint64_t back, mm_error *e)
{
	uint64_t *list;
	size_t n;
	MMI_TRY(mmi_checkpoint_list(checkpoints, &list, &n, e));
	uint64_t oldest = n ? list[n > keep ? n - keep : 0] : back;
	mmi_free(list);
	return prune(b, checkpoints, keep, oldest < back ? oldest : back, e);
}

mm_status mmi_best_link(const mmi_best *b, const mmi_runfolder *folder, mm_error *e)
{
	const char *to = mmi_runfolder_best(folder);
	if (!b->n)
		return unlink(to) && errno != ENOENT ? mmi_fail(e, MM_EIO, "cannot delete %s: %s", to, strerror(errno)) : MM_OK;
	char *from = mmi_checkpoint_file(mmi_runfolder_checkpoints(folder), mmi_best_last(b)->iteration);
	mm_status status =
		from ? mmi_link_atomic(from, to, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a checkpoint's name");
	mmi_free(from);
	return status;
}
