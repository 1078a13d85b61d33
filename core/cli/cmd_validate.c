/* cmd_validate.c - mmcore validate: a plugin put to the test. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "validate/validate.h"

#include <stdio.h>
#include <string.h>

typedef struct wishes {
	mmi_validation request;
	mmi_strings sets, only;
	bool json, list;
	int64_t seed;
	const mmi_cli *cli;
} wishes;

static void print_result(void *ctx, const mmi_test *test, const mmi_test_result *r)
{
	const wishes *w = ctx;
	FILE *out = w->cli->console->out;

	fprintf(out, "%-8s %-15s", mmi_verdict_name(r->verdict), test->id);
	if (r->text[0]) {
		fputs(" ", out);
		mmi_console_text(out, r->text);
	}
	if (r->verdict == MMI_FAILED || r->verdict == MMI_CRASHED)
		fprintf(out, " (rule %d of docs/ABI.md)", test->rule);
	fputc('\n', out);
	fflush(out);
}

static void list_tests(FILE *out)
{
	for (size_t i = 0; i < mmi_n_tests; i++)
		fprintf(out, "%-15s %-9s rule %-3d %s\n", mmi_tests[i].id, mmi_tests[i].group, mmi_tests[i].rule,
		        mmi_tests[i].about);
}

static void count(const mmi_test_result *results, size_t n[MMI_N_VERDICTS])
{
	for (size_t i = 0; i < mmi_n_tests; i++)
		n[results[i].verdict] += results[i].ran;
}

static void print_summary(FILE *out, const mmi_test_result *results)
{
	size_t n[MMI_N_VERDICTS] = { 0 };
	count(results, n);
	fprintf(out, "%zu passed, %zu failed, %zu crashed, %zu warnings, %zu skipped\n", n[MMI_PASSED], n[MMI_FAILED],
	        n[MMI_CRASHED], n[MMI_WARNED], n[MMI_SKIPPED]);
}

static void add_result(mmi_answer *a, cJSON *to, const mmi_test *test, const mmi_test_result *r)
{
	mmi_answer_text(a, to, "id", test->id);
	mmi_answer_text(a, to, "group", test->group);
	mmi_answer_number(a, to, "rule", test->rule);
	mmi_answer_text(a, to, "status", mmi_verdict_name(r->verdict));
	mmi_answer_number(a, to, "seconds", r->seconds);
	mmi_answer_text(a, to, "callback", r->callback);
	mmi_answer_text(a, to, "message", r->text);
}

static int print_json(const wishes *w, const mmi_test_result *results)
{
	mmi_answer a = mmi_answer_begin();
	cJSON *list = mmi_answer_array(&a, a.root, "results");
	mmi_answer_text(&a, a.root, "plugin", w->request.file);
	mmi_answer_number(&a, a.root, "seed", (double)w->seed);
	for (size_t i = 0; i < mmi_n_tests; i++)
		if (results[i].ran)
			add_result(&a, mmi_answer_object(&a, list, NULL), &mmi_tests[i], &results[i]);
	return mmi_answer_print(w->cli, &a, MMI_EXIT_OK);
}

static int report(const wishes *w, const mmi_test_result *results)
{
	size_t n[MMI_N_VERDICTS] = { 0 };
	int code = MMI_EXIT_OK;
	if (w->json)
		code = print_json(w, results);
	else
		print_summary(w->cli->console->out, results);
	count(results, n);
	return code == MMI_EXIT_OK && n[MMI_FAILED] + n[MMI_CRASHED] ? MMI_EXIT_FAILURE : code;
}

static int validate(wishes *w)
{
	mm_error e = MM_ERROR_INIT;
	mmi_test_result *results = mmi_alloc(mmi_n_tests, sizeof *results);
	if (!results)
		return mmi_cli_no_memory(w->cli, "the results");
	mm_status status = mmi_validate(&w->request, results, &e);
	int code = status == MM_OK ? report(w, results) : mmi_cli_fail(w->cli, &e);
	mmi_free(results);
	return code;
}

static int run(wishes *w, const mmi_usage *usage, const mmi_strings *operands)
{
	if (w->list) {
		list_tests(w->cli->console->out);
		return MMI_EXIT_OK;
	}
	if (operands->n != 1)
		return mmi_options_refuse(w->cli, usage, "%zu files are given, needed is one plugin", operands->n);
	w->request.file = operands->item[0];
	w->request.sets = w->sets.item;
	w->request.n_sets = w->sets.n;
	w->request.only = w->only.item;
	w->request.n_only = w->only.n;
	w->request.seed = (uint64_t)w->seed;
	w->request.log = &w->cli->log;
	w->request.done = w->json ? NULL : print_result;
	w->request.ctx = w;
	return validate(w);
}

int mmi_cmd_validate(const mmi_cli *cli, int argc, char **argv)
{
	wishes w = { .cli = cli, .seed = 1, .request = { .limit = 10 } };
	mmi_strings operands = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_STRING("modality", "ID", &w.request.modality, "which of the plugin's modalities (its first)"),
		MMI_OPTION_STRING("data", "FOLDER", &w.request.data, "the root of its data"),
		MMI_OPTION_LIST("set", "KEY=VALUE", &w.sets, "a setting of the modality's section; may be repeated"),
		MMI_OPTION_LIST("only", "TEST", &w.only, "this test, or the tests of this group; may be repeated"),
		MMI_OPTION_INT("seed", "N", &w.seed, 0, 1e15,
		               "of the samples that are made up and of the run's random numbers (1)"),
		MMI_OPTION_FLOAT("limit", "SECONDS", &w.request.limit, 0.1, 3600, "that a test may take (10)"),
		MMI_OPTION_FLAG("json", &w.json, "print the results as JSON"),
		MMI_OPTION_FLAG("in-process", &w.request.in_process, "for debuggers: no child processes and no limits"),
		MMI_OPTION_FLAG("list", &w.list, "print the tests, their groups and rules, and stop"),
		MMI_OPTION_END
	};
	const mmi_usage usage = {
		"validate", "FILE.so [options]",
		"Puts a plugin to the test: the rules of docs/ABI.md, each test in a process of its own. Prints a line a test: "
		"passed, failed, skipped, warning or crashed, what was found, and the rule it breaks. Exit status 1 when a "
		"test "
		"failed or crashed.",
		options
	};
	int code;

	if (mmi_options_parse(cli, &usage, argc, argv, &operands, &code))
		code = run(&w, &usage, &operands);
	mmi_strings_clear(&operands);
	mmi_strings_clear(&w.sets);
	mmi_strings_clear(&w.only);
	return code;
}
