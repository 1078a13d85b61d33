/* cmd_bench.c - mmcore bench: the speed of what training spends its time on. */
#include "mmi_build.h"

#include "cli/run_options.h"
#include "bench/bench.h"
#include "store/files.h"

#include <string.h>

/* All that needs no data, unless work is named. */
static bool choose(const mmi_cli *cli, const mmi_usage *usage, const mmi_strings *names, mmi_bench_request *r,
                   int *code)
{
	for (int kind = 0; kind < MMI_BENCH_COUNT && names->n == 0; kind++)
		r->wanted[kind] = kind != MMI_BENCH_ITERATION && kind != MMI_BENCH_SCALE;
	for (size_t i = 0; i < names->n; i++) {
		mmi_bench_kind kind = mmi_bench_find(names->item[i]);
		if (kind == MMI_BENCH_COUNT) {
			*code = mmi_options_refuse(
				cli, usage, "unknown work '%s'; there are peak, posterior, energy, noise, kernels, iteration and scale",
				names->item[i]);
			return false;
		}
		r->wanted[kind] = true;
	}
	if (r->wanted[MMI_BENCH_ITERATION] && !r->setup.ini) {
		*code = mmi_options_refuse(cli, usage, "iteration needs --ini");
		return false;
	}
	return true;
}

static bool is_precision(const mmi_cli *cli, const mmi_usage *usage, const char *name, int *code)
{
	if (!strcmp(name, "float32") || !strcmp(name, "bfloat16"))
		return true;
	*code = mmi_options_refuse(cli, usage, "unknown precision '%s'; there are float32 and bfloat16", name);
	return false;
}

/* "-": standard output, where people's table is not printed then. */
static bool is_output(const char *path)
{
	return path && !strcmp(path, "-");
}

static mm_status write_json(const mmi_cli *cli, const mmi_bench_report *report, const char *path, mm_error *e)
{
	char *text;
	MMI_TRY(mmi_bench_json(report, &text, e));
	mm_status status = MM_OK;
	if (is_output(path))
		fprintf(cli->console->out, "%s\n", text);
	else
		status = mmi_write_file_atomic(path, text, strlen(text), e);
	mmi_free(text);
	return status;
}

static int run(const mmi_cli *cli, const mmi_bench_request *request, const char *json)
{
	mm_error e = MM_ERROR_INIT;
	mmi_bench_report report;
	if (mmi_bench_run(request, &report, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e); /* nothing has been written */
	if (!is_output(json))
		mmi_bench_print(&report, cli->console->out);
	mm_status status = json ? write_json(cli, &report, json, &e) : MM_OK;
	mmi_bench_clear(&report);
	return status == MM_OK ? MMI_EXIT_OK : mmi_cli_fail(cli, &e);
}

int mmi_cmd_bench(const mmi_cli *cli, int argc, char **argv)
{
	const char *ini = NULL, *json = NULL, *precision = "float32";
	int64_t threads = 0, repeat = 7, chunk = 16;
	mmi_strings names = { 0 }, plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_INT("threads", "N", &threads, 1, 1024, "worker threads (default: all processors)"),
		MMI_OPTION_INT("repeat", "N", &repeat, 1, 10000, "timed repetitions of each piece of work (default: 7)"),
		MMI_OPTION_INT("chunk", "N", &chunk, 1, 64,
		               "samples a worker takes (default: 16), of the data chain four at a time"),
		MMI_OPTION_STRING("precision", "NAME", &precision, "float32 (default) or bfloat16; an iteration has its INI's"),
		MMI_OPTION_STRING("ini", "FILE", &ini, "for iteration: the settings of a training run"),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_STRING("json", "FILE", &json, "write the figures there as well; -: print them instead, as JSON"),
		MMI_OPTION_END
	};
	const mmi_usage usage = {
		"bench", "[WORK...] [options]",
		"Measures the speed of: peak (multiply-adds in registers), posterior and energy "
		"(one Langevin step of z and of x), noise (the Langevin update), kernels (each call of those two steps), "
		"iteration (one training iteration of --ini, with its data), scale (how time and memory of the two steps grow "
		"with "
		"batch, modalities, steps, picture size and threads). Without WORK: all but iteration and scale.",
		options
	};
	int code;

	if (mmi_options_parse(cli, &usage, argc, argv, &names, &code)) {
		mmi_bench_request request = { .threads = (uint32_t)threads,
			                          .repeat = (uint32_t)repeat,
			                          .chunk = (uint32_t)chunk,
			                          .bf16 = !strcmp(precision, "bfloat16"),
			                          .setup = { ini, plugins.item, plugins.n, sets.item, sets.n, &cli->log } };
		if (is_precision(cli, &usage, precision, &code) && choose(cli, &usage, &names, &request, &code))
			code = run(cli, &request, json);
	}
	mmi_strings_clear(&names);
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
