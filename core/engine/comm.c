/* comm.c - one rank alone, and what is made of an implementation's calls. */
#include "mmi_build.h"

#include "engine/comm.h"

#include <stdio.h>
#include <string.h>

static void gather(const mmi_comm *c, const void *part, size_t bytes, void *all)
{
	(void)c;
	if (bytes && all != part)
		memcpy(all, part, bytes);
}

static void broadcast(const mmi_comm *c, void *x, size_t bytes, uint32_t from)
{
	(void)c, (void)x, (void)bytes, (void)from;
}

static mm_status status(const mmi_comm *c, mm_error *e)
{
	(void)c, (void)e;
	return MM_OK;
}

static void stop(const mmi_comm *c, const char *why)
{
	(void)c, (void)why;
}

static uint64_t sent(const mmi_comm *c)
{
	(void)c;
	return 0;
}

static void close_alone(mmi_comm *c)
{
	(void)c;
}

mmi_comm mmi_comm_alone(void)
{
	static const mmi_comm_ops ops = { .name = "one rank",
		                              .gather = gather,
		                              .broadcast = broadcast,
		                              .status = status,
		                              .stop = stop,
		                              .sent = sent,
		                              .close = close_alone };
	return (mmi_comm){ .ops = &ops, .rank = 0, .size = 1 };
}

void mmi_comm_sum_doubles(const mmi_comm *c, double *x, size_t n)
{
	double all[MMI_MAX_RANKS * MMI_COMM_SUMS] = { 0 };
	c->ops->gather(c, x, n * sizeof *x, all);
	for (size_t i = 0; i < n; i++) {
		x[i] = 0;
		for (uint32_t r = 0; r < c->size; r++)
			x[i] += all[r * n + i];
	}
}

mm_status mmi_comm_agree(const mmi_comm *c, mm_status status, mm_error *e)
{
	char words[MM_ERROR_TEXT] = "";
	int32_t here = status, all[MMI_MAX_RANKS] = { 0 };
	uint32_t first = 0;
	if (c->size == 1)
		return status;
	c->ops->gather(c, &here, sizeof here, all);
	while (first < c->size && all[first] == MM_OK)
		first++;
	MMI_TRY(c->ops->status(c, e));
	if (first == c->size)
		return MM_OK;
	if (e && first == c->rank)
		snprintf(words, sizeof words, "%s", e->message);
	c->ops->broadcast(c, words, sizeof words, first);
	MMI_TRY(c->ops->status(c, e));
	words[sizeof words - 1] = 0;
	if (!words[0])
		snprintf(words, sizeof words, "it failed and gave no reason");
	const mm_status what = all[first] > MM_OK && all[first] <= MM_EINTERNAL ? (mm_status)all[first] : MM_EFORMAT;
	return first ? mmi_fail(e, what, "rank %u: %s", first, words) : mmi_fail(e, what, "%s", words);
}
