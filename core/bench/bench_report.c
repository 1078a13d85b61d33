/* bench_report.c - figures as a table for people and as JSON for programs. */
#include "mmi_build.h"

#include "bench/bench.h"

#include <cjson/cJSON.h>
#include <string.h>

/* ------------------------------------------------------------ text */

/* Best operations a second of all threads, or 0. */
static double peak_rate(const mmi_bench_report *r)
{
	const mmi_bench_figure *peak = mmi_bench_figure_of(r, "peak");
	return peak ? peak->flops / peak->best : 0;
}

static bool is_peak(const mmi_bench_figure *f)
{
	return !strncmp(f->name, "peak", 4);
}

static void print_rate(const mmi_bench_figure *f, double peak, FILE *out)
{
	if (f->flops > 0)
		fprintf(out, "  %6.1f GFLOP/s", f->flops / f->median * 1e-9);
	if (f->flops > 0 && peak > 0 && !is_peak(f))
		fprintf(out, " = %3.0f %% of peak", 100 * f->flops / f->median / peak);
	if (f->elements > 0)
		fprintf(out, "  %.3f ns an element", f->median / f->elements * 1e9);
	if (f->peak > 0 && !(f->elements > 0))
		fprintf(out, "  %.0f MB resident", f->peak * 1e-6);
}

static void print_figure(const mmi_bench_figure *f, double peak, FILE *out)
{
	fprintf(out, "%-15s %7u %11.3f %11.3f %11.3f", f->name, f->threads, 1e3 * f->median, 1e3 * f->best, 1e3 * f->cpu);
	print_rate(f, peak, out);
	fputc('\n', out);
	for (uint32_t i = 0; i < f->n_stages; i++)
		fprintf(out, "  %-21s %11.3f  %5.1f %%\n", f->stage[i].name, 1e3 * f->stage[i].seconds,
		        100 * f->stage[i].seconds / f->median);
}

static double work_seconds(const mmi_bench_report *r, const char *work)
{
	double sum = 0;
	for (size_t i = 0; i < r->n_kernels; i++)
		if (!strcmp(r->kernel[i].work, work))
			sum += r->kernel[i].seconds;
	return sum;
}

static void print_kernel(const mmi_bench_kernel *k, double total, FILE *out)
{
	fprintf(out, "%9.3f %6.1f %8.1f  %-20s %-22s %s%s%s\n", 1e3 * k->seconds, 100 * k->seconds / total,
	        k->call.flops / k->seconds * 1e-9, k->call.op, k->call.kernel, k->call.shapes, k->call.act ? " +act" : "",
	        k->call.mask ? " +mask" : "");
}

static void print_kernels(const mmi_bench_report *r, FILE *out)
{
	const char *work = NULL;
	for (size_t i = 0; i < r->n_kernels; i++) {
		const mmi_bench_kernel *k = &r->kernel[i];
		const double total = work_seconds(r, k->work);
		if (!work || strcmp(work, k->work)) {
			work = k->work;
			fprintf(out, "\n%s: %.3f ms for %u samples on one thread\n", work, 1e3 * total, k->samples);
			fprintf(out, "%9s %6s %8s  %-20s %-22s %s\n", "ms", "%", "GFLOP/s", "operation", "kernel",
			        "shapes of one sample");
		}
		print_kernel(k, total, out);
	}
}

/* Time an operation, of the axis' first point: 1 is linear growth, less is better. Threads: of one thread's time. */
static double cost_of(const mmi_bench_point *p, const mmi_bench_point *first)
{
	return p->seconds / p->flops / (first->seconds / first->flops);
}

static void print_points(const mmi_bench_report *r, FILE *out)
{
	const mmi_bench_point *first = r->point;
	if (r->n_points)
		fprintf(out, "\n%-10s %-13s %6s %8s %11s %8s %11s %8s\n", "", "", "", "threads", "median ms", "GFLOP/s",
		        "time a FLOP", "MB");
	for (const mmi_bench_point *p = r->point; p < r->point + r->n_points; p++) {
		if (strcmp(p->axis, first->axis) || strcmp(p->work, first->work))
			first = p;
		fprintf(out, "%-10s %-13s %6u %8u %11.3f %8.1f %11.2f %8.0f\n", p->work, p->axis, p->value, p->threads,
		        1e3 * p->seconds, p->flops / p->seconds * 1e-9, cost_of(p, first), p->resident * 1e-6);
	}
}

void mmi_bench_print(const mmi_bench_report *r, FILE *out)
{
	fprintf(out, "%s, %u processors, %s kernels; load %.2f before, %.2f after\n", r->processor, r->processors, r->isa,
	        r->load[0], r->load[1]);
	if (r->n_figures)
		fprintf(out, "%-15s %7s %11s %11s %11s\n", "", "threads", "median ms", "best ms", "CPU ms");
	for (uint32_t i = 0; i < r->n_figures; i++)
		print_figure(&r->figure[i], peak_rate(r), out);
	print_kernels(r, out);
	print_points(r, out);
}

/* ------------------------------------------------------------ JSON */

static void add_stages(cJSON *to, const mmi_bench_figure *f)
{
	cJSON *stages = f->n_stages ? cJSON_AddObjectToObject(to, "stages") : NULL;
	for (uint32_t i = 0; stages && i < f->n_stages; i++)
		cJSON_AddNumberToObject(stages, f->stage[i].name, f->stage[i].seconds);
}

static void add_figure(cJSON *list, const mmi_bench_figure *f)
{
	const struct {
		const char *name;
		double value;
	} numbers[] = {
		{ "threads", f->threads },
		{ "repeats", f->repeats },
		{ "median_s", f->median },
		{ "best_s", f->best },
		{ "cpu_s", f->cpu },
		{ "flops", f->flops },
		{ "elements", f->elements },
		{ "resident_bytes", f->resident },
		{ "resident_peak_bytes", f->peak },
	};
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "name", f->name);
	for (size_t i = 0; i < MMI_COUNT(numbers); i++)
		if (numbers[i].value > 0)
			cJSON_AddNumberToObject(o, numbers[i].name, numbers[i].value);
	add_stages(o, f);
	cJSON_AddItemToArray(list, o);
}

static void add_kernel(cJSON *list, const mmi_bench_kernel *k)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "work", k->work);
	cJSON_AddStringToObject(o, "operation", k->call.op);
	cJSON_AddStringToObject(o, "kernel", k->call.kernel);
	cJSON_AddStringToObject(o, "shapes", k->call.shapes);
	cJSON_AddNumberToObject(o, "samples", k->samples);
	cJSON_AddNumberToObject(o, "seconds", k->seconds);
	cJSON_AddNumberToObject(o, "flops", k->call.flops);
	cJSON_AddItemToArray(list, o);
}

static void add_point(cJSON *list, const mmi_bench_point *p)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "work", p->work);
	cJSON_AddStringToObject(o, "axis", p->axis);
	cJSON_AddNumberToObject(o, "value", p->value);
	cJSON_AddNumberToObject(o, "threads", p->threads);
	cJSON_AddNumberToObject(o, "median_s", p->seconds);
	cJSON_AddNumberToObject(o, "flops", p->flops);
	cJSON_AddNumberToObject(o, "resident_bytes", p->resident);
	cJSON_AddItemToArray(list, o);
}

mm_status mmi_bench_json(const mmi_bench_report *r, char **out, mm_error *e)
{
	cJSON *root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "processor", r->processor);
	cJSON_AddStringToObject(root, "isa", r->isa);
	cJSON_AddNumberToObject(root, "processors", r->processors);
	cJSON_AddNumberToObject(root, "load_before", r->load[0]);
	cJSON_AddNumberToObject(root, "load_after", r->load[1]);
	cJSON *figures = cJSON_AddArrayToObject(root, "figures"), *kernels = cJSON_AddArrayToObject(root, "kernels"),
		  *points = cJSON_AddArrayToObject(root, "scale");
	for (uint32_t i = 0; figures && i < r->n_figures; i++)
		add_figure(figures, &r->figure[i]);
	for (size_t i = 0; kernels && i < r->n_kernels; i++)
		add_kernel(kernels, &r->kernel[i]);
	for (size_t i = 0; points && i < r->n_points; i++)
		add_point(points, &r->point[i]);
	char *text = points ? cJSON_Print(root) : NULL;
	cJSON_Delete(root);
	*out = text ? mmi_strdup(text) : NULL;
	cJSON_free(text);
	return *out ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a report");
}
