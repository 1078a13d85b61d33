/* comm.c - one rank alone, and what is made of an implementation's calls. */
#include "mmi_build.h"

#include "engine/comm.h"

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

static void stop(const mmi_comm *c)
{
	(void)c;
}

mmi_comm mmi_comm_alone(void)
{
	static const mmi_comm_ops ops = {
		.name = "one rank", .gather = gather, .broadcast = broadcast, .status = status, .stop = stop
	};
	return (mmi_comm){ .ops = &ops, .rank = 0, .size = 1 };
}

void mmi_comm_sum_doubles(const mmi_comm *c, double *x, size_t n)
{
	double all[MMI_MAX_RANKS * MMI_COMM_SUMS];
	c->ops->gather(c, x, n * sizeof *x, all);
	for (size_t i = 0; i < n; i++) {
		x[i] = 0;
		for (uint32_t r = 0; r < c->size; r++)
			x[i] += all[r * n + i];
	}
}
