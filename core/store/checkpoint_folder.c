/* checkpoint_folder.c - the checkpoints of a folder: list, prune, find the newest that loads. */
#include "mmi_build.h"

#include "store/checkpoint.h"

#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "checkpoint-"
#define SUFFIX ".safetensors"
enum { MIN_DIGITS = 8, MAX_DIGITS = 19 };

char *mmi_checkpoint_file(const char *folder, uint64_t iteration)
{
	return mmi_format("%s/" PREFIX "%0*" PRIu64 SUFFIX, folder, MIN_DIGITS, iteration);
}

/* Only names that mmi_checkpoint_file gives, so that nothing else is ever deleted. */
static bool parse_name(const char *name, uint64_t *iteration)
{
	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return false;
	const char *digits = name + strlen(PREFIX);
	size_t n = strspn(digits, "0123456789");
	if (n < MIN_DIGITS || n > MAX_DIGITS || (n > MIN_DIGITS && digits[0] == '0') || strcmp(digits + n, SUFFIX))
		return false;
	*iteration = strtoull(digits, NULL, 10);
	return true;
}

static int compare_iterations(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static mm_status unreadable(const char *folder, mm_error *e)
{
	return mmi_fail(e, mmi_errno_status(errno), "cannot read folder %s: %s", folder, strerror(errno));
}

static mm_status collect(DIR *d, const char *folder, uint64_t **list, size_t *n, mm_error *e)
{
	size_t capacity = 0;
	uint64_t iteration;

	errno = 0;
	for (struct dirent *entry = readdir(d); entry; errno = 0, entry = readdir(d)) {
		if (!parse_name(entry->d_name, &iteration))
			continue;
		if (*n == capacity) {
			uint64_t *grown = mmi_grow(*list, capacity, 2 * capacity + 16, sizeof *grown);
			if (!grown)
				return mmi_fail(e, MM_ENOMEM, "%s: out of memory", folder);
			*list = grown;
			capacity = 2 * capacity + 16;
		}
		(*list)[(*n)++] = iteration;
	}
	return errno ? unreadable(folder, e) : MM_OK; /* a list cut short would hide the newest */
}

mm_status mmi_checkpoint_list(const char *folder, uint64_t **iterations, size_t *n, mm_error *e)
{
	uint64_t *list = NULL;
	size_t count = 0;
	DIR *d = opendir(folder);

	if (!d && errno != ENOENT)
		return unreadable(folder, e);
	mm_status status = d ? collect(d, folder, &list, &count, e) : MM_OK;
	if (d)
		closedir(d);
	if (status != MM_OK) {
		mmi_free(list);
		return status;
	}
	if (count)
		qsort(list, count, sizeof *list, compare_iterations);
	*iterations = list;
	*n = count;
	return MM_OK;
}

static mm_status delete_one(const char *folder, uint64_t iteration, mm_error *e)
{
	char *path = mmi_checkpoint_file(folder, iteration);

	if (!path)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", folder);
	mm_status status = MM_OK;
	if (unlink(path) && errno != ENOENT)
		status = mmi_fail(e, MM_EIO, "cannot delete %s: %s", path, strerror(errno));
	mmi_free(path);
	return status;
}

static bool is_held(uint64_t iteration, const uint64_t *held, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (held[i] == iteration)
			return true;
	return false;
}

mm_status mmi_checkpoint_prune(const char *folder, size_t keep, const uint64_t *held, size_t n_held, mm_error *e)
{
	uint64_t *list;
	size_t n;

	MMI_TRY(mmi_checkpoint_list(folder, &list, &n, e));
	mm_status status = MM_OK;
	for (size_t i = 0; i + (keep ? keep : 1) < n && status == MM_OK; i++)
		if (!is_held(list[i], held, n_held))
			status = delete_one(folder, list[i], e);
	mmi_free(list);
	mmi_temporaries_remove(folder);
	return status;
}

mm_status mmi_checkpoint_drop_after(const char *folder, uint64_t iteration, mm_error *e)
{
	uint64_t *list;
	size_t n;

	MMI_TRY(mmi_checkpoint_list(folder, &list, &n, e));
	mm_status status = MM_OK;
	for (size_t i = n; i-- > 0 && list[i] > iteration && status == MM_OK;)
		status = delete_one(folder, list[i], e);
	mmi_free(list);
	return status;
}

static mm_status open_sound(const char *folder, uint64_t iteration, mmi_checkpoint **out, mm_error *e)
{
	mmi_checkpoint *ck = NULL;
	char *path = mmi_checkpoint_file(folder, iteration);

	if (!path)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", folder);
	mm_status status = mmi_checkpoint_open(path, &ck, e);
	mmi_free(path);
	if (status == MM_OK)
		status = mmi_checkpoint_verify(ck, e);
	if (status != MM_OK) {
		mmi_checkpoint_close(ck);
		return status;
	}
	*out = ck;
	return MM_OK;
}

static mm_status newest_sound(const char *folder, const uint64_t *list, size_t n, const mmi_log *log,
                              mmi_checkpoint **out, mm_error *e)
{
	mm_error local = MM_ERROR_INIT;

	for (size_t i = n; i-- > 0;) {
		mm_status status = open_sound(folder, list[i], out, &local);
		if (status == MM_OK)
			return MM_OK;
		if (status == MM_ENOMEM)
			return mmi_fail(e, status, "%s", local.message);
		mmi_logf(log, MM_LOG_WARNING, "%s; %s", local.message,
		         i ? "going back to the checkpoint before it" : "no other is left");
	}
	return mmi_fail(e, MM_EFORMAT, "none of the %zu checkpoints in %s can be read; the oldest: %s", n, folder,
	                local.message);
}

mm_status mmi_checkpoint_latest(const char *folder, const mmi_log *log, mmi_checkpoint **out, mm_error *e)
{
	uint64_t *list;
	size_t n;

	MMI_TRY(mmi_checkpoint_list(folder, &list, &n, e));
	mm_status status = MM_OK;
	if (n)
		status = newest_sound(folder, list, n, log, out, e);
	else
		*out = NULL;
	mmi_free(list);
	return status;
}

/* ---------------------------------------------------------------- of a run */

static mm_status newest_of_run(const char *run, char **out, mm_error *e)
{
	uint64_t *list = NULL;
	size_t n = 0;
	char *folder = mmi_format("%s/checkpoints", run);

	mm_status status =
		folder ? mmi_checkpoint_list(folder, &list, &n, e) : mmi_fail(e, MM_ENOMEM, "%s: out of memory", run);
	if (status == MM_OK && !n)
		status = mmi_fail(e, MM_ECONFIG,
		                  "%s holds no checkpoint: neither " MMI_CHECKPOINT_BEST " nor any in checkpoints/", run);
	else if (status == MM_OK && !(*out = mmi_checkpoint_file(folder, list[n - 1])))
		status = mmi_fail(e, MM_ENOMEM, "%s: out of memory", run);
	mmi_free(list);
	mmi_free(folder);
	return status;
}

mm_status mmi_checkpoint_of_run(const char *run, char **out, mm_error *e)
{
	char *best = mmi_format("%s/" MMI_CHECKPOINT_BEST, run);

	if (!best)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", run);
	if (!access(best, F_OK)) {
		*out = best;
		return MM_OK;
	}
	mmi_free(best);
	return newest_of_run(run, out, e);
}

mm_status mmi_checkpoint_resolve(const char *path, char **out, mm_error *e)
{
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return mmi_checkpoint_of_run(path, out, e);
	*out = mmi_strdup(path);
	return *out ? MM_OK : mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
}
