/* bench.c - runs the wanted pieces of work one after the other and gathers their figures. */
#include "mmi_build.h"

#include "bench/bench.h"

#include "backend/cpu/device.h"
#include "backend/cpu/isa.h"
#include "engine/processors.h"
#include "run/setup.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[MMI_BENCH_COUNT] = {
	[MMI_BENCH_PEAK] = "peak",   [MMI_BENCH_POSTERIOR] = "posterior", [MMI_BENCH_ENERGY] = "energy",
	[MMI_BENCH_NOISE] = "noise", [MMI_BENCH_KERNELS] = "kernels",     [MMI_BENCH_ITERATION] = "iteration",
	[MMI_BENCH_SCALE] = "scale",
};

const char *mmi_bench_name(mmi_bench_kind kind)
{
	return names[kind];
}

mmi_bench_kind mmi_bench_find(const char *name)
{
	int kind = 0;
	while (kind < MMI_BENCH_COUNT && strcmp(names[kind], name))
		kind++;
	return (mmi_bench_kind)kind;
}

const mmi_bench_figure *mmi_bench_figure_of(const mmi_bench_report *r, const char *name)
{
	for (uint32_t i = 0; i < r->n_figures; i++)
		if (!strcmp(r->figure[i].name, name))
			return &r->figure[i];
	return NULL;
}

/* "model name : AMD EPYC" of /proc/cpuinfo. */
static void read_processor(char *out, size_t size)
{
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "r");
	snprintf(out, size, "unknown processor");
	while (f && fgets(line, sizeof line, f)) {
		const char *colon = strncmp(line, "model name", 10) ? NULL : strchr(line, ':');
		if (!colon)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " "));
		break;
	}
	if (f)
		fclose(f);
}

static double load_average(void)
{
	double load = 0;
	return getloadavg(&load, 1) == 1 ? load : 0;
}

typedef mm_status mmi_bench_measure(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e);

static mm_status measure(const mmi_bench_request *r, mmi_bench_report *out, mm_error *e)
{
	static mmi_bench_measure *const works[MMI_BENCH_COUNT] = {
		[MMI_BENCH_POSTERIOR] = mmi_bench_posterior,
		[MMI_BENCH_ENERGY] = mmi_bench_energy,
		[MMI_BENCH_NOISE] = mmi_bench_noise,
	};
	if (r->wanted[MMI_BENCH_PEAK] || r->wanted[MMI_BENCH_POSTERIOR] || r->wanted[MMI_BENCH_ENERGY]) {
		MMI_TRY(mmi_bench_peak(r, &out->figure[0], &out->figure[1], e));
		out->n_figures = 2;
	}
	for (int kind = 0; kind < MMI_BENCH_COUNT; kind++)
		if (r->wanted[kind] && works[kind]) {
			MMI_TRY(works[kind](r, &out->figure[out->n_figures], e));
			out->n_figures++;
		}
	if (r->wanted[MMI_BENCH_KERNELS])
		MMI_TRY(mmi_bench_kernels(r, &out->kernel, &out->n_kernels, e));
	return r->wanted[MMI_BENCH_SCALE] ? mmi_bench_scale(r, &out->point, &out->n_points, e) : MM_OK;
}

mm_status mmi_bench_run(const mmi_bench_request *r, mmi_bench_report *out, mm_error *e)
{
	const mmi_device device = r->bf16 ? mmi_cpu_device_bf16() : mmi_cpu_device();
	mmi_bench_request resolved = *r;
	resolved.device = &device;
	if (r->bf16 && mmi_isa_wants_onednn(e) != MM_OK)
		mmi_logf(r->setup.log, MM_LOG_WARNING, "--precision bfloat16: %s; products by %s", e->message, device.text);
	*out = (mmi_bench_report){ .processors = mmi_processors(), .load = { load_average() } };
	read_processor(out->processor, sizeof out->processor);
	snprintf(out->isa, sizeof out->isa, "%s", device.text);
	if (!resolved.threads)
		resolved.threads = out->processors;
	/* First of all: whatever is wrong with settings and data shows at once. */
	mm_status status =
		r->wanted[MMI_BENCH_ITERATION] ? mmi_bench_iteration(r, &out->figure[MMI_BENCH_FIGURES - 1], e) : MM_OK;
	if (status == MM_OK)
		status = measure(&resolved, out, e);
	if (status == MM_OK && r->wanted[MMI_BENCH_ITERATION])
		out->figure[out->n_figures++] = out->figure[MMI_BENCH_FIGURES - 1];
	out->load[1] = load_average();
	if (status != MM_OK)
		mmi_bench_clear(out);
	return status;
}

void mmi_bench_clear(mmi_bench_report *r)
{
	mmi_free(r->kernel);
	mmi_free(r->point);
	r->kernel = NULL;
	r->point = NULL;
	r->n_kernels = r->n_points = 0;
}
