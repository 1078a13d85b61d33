/* bench_scale.c - how time and memory of the two Langevin steps grow with the work. */
#include "mmi_build.h"

#include "bench/bench_model.h"
#include "bench/bench_timer.h"

#include <stddef.h>
#include <string.h>

enum { MOST_VALUES = 4 };

#define AXIS(name, member, ...)                   \
	{                                             \
		name, offsetof(mmi_bench_extent, member), \
		{                                         \
			__VA_ARGS__                           \
		}                                         \
	}
static const struct axis {
	const char *name;
	size_t member;               /* of the extent, a uint32_t */
	uint32_t value[MOST_VALUES]; /* the first is what the others are compared with; 0: no more */
} axes[] = {
	AXIS("batch", batch, 16, 32, 64, 128),  AXIS("modalities", views, 1, 2, 4, 8), AXIS("steps", steps, 1, 2, 4),
	AXIS("picture side", side, 16, 28, 56), AXIS("threads", threads, 1, 2, 4, 8),
};

static const struct {
	const char *name;
	mmi_bench_size size;
	mmi_bench_task *steps;
} works[] = {
	{ "posterior", MMI_BENCH_DECODERS, mmi_bench_posterior_steps },
	{ "energy", MMI_BENCH_TRUNK, mmi_bench_energy_steps },
};

/* Two views, so that eight are still few, and all else as posterior and energy have it, but for one axis. */
static mmi_bench_extent extent_at(const mmi_bench_request *r, const struct axis *a, uint32_t value)
{
	mmi_bench_extent x = mmi_bench_usual(r->threads);
	x.views = 2;
	memcpy((char *)&x + a->member, &value, sizeof value);
	return x;
}

static mm_status measure(const mmi_bench_request *r, size_t work, const struct axis *a, uint32_t value,
                         mmi_bench_point *out, mm_error *e)
{
	const mmi_bench_extent extent = extent_at(r, a, value);
	mmi_bench_figure figure;
	mmi_bench_model m;
	mmi_bench_reset_peak();
	mm_status status = mmi_bench_model_create(r, works[work].size, &extent, &m, e);
	if (status == MM_OK)
		status = mmi_bench_time(works[work].name, r->repeat, works[work].steps, &m, &figure, e);
	if (status == MM_OK)
		*out = (mmi_bench_point){ .work = works[work].name,
			                      .axis = a->name,
			                      .value = value,
			                      .threads = extent.threads,
			                      .seconds = figure.median,
			                      .flops = mmi_bench_model_flops(&m, works[work].size),
			                      .resident = figure.resident };
	mmi_bench_model_clear(&m);
	return status;
}

/* Threads beyond those that there are, or that were asked for, would only wait for each other. */
static bool measured(const mmi_bench_request *r, const struct axis *a, size_t i)
{
	const bool threads = a->member == offsetof(mmi_bench_extent, threads);
	return i < MOST_VALUES && a->value[i] && !(threads && a->value[i] > r->threads);
}

mm_status mmi_bench_scale(const mmi_bench_request *r, mmi_bench_point **out, size_t *n, mm_error *e)
{
	mm_status status = MM_OK;
	*n = 0;
	*out = mmi_alloc(MMI_COUNT(works) * MMI_COUNT(axes) * MOST_VALUES, sizeof **out);
	if (!*out)
		return mmi_fail(e, MM_ENOMEM, "out of memory for figures");
	for (size_t work = 0; work < MMI_COUNT(works); work++)
		for (size_t a = 0; a < MMI_COUNT(axes); a++)
			for (size_t i = 0; measured(r, &axes[a], i) && status == MM_OK; i++) {
				status = measure(r, work, &axes[a], axes[a].value[i], *out + *n, e);
				*n += status == MM_OK;
			}
	return status;
}
