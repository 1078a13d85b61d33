/* cmd_score.c - mmcore score: how well the modalities of a tuple fit each other. */
#include "mmi_build.h"

#include "cli/run_options.h"
#include "trained/scores.h"

#include <stdio.h>

typedef struct arguments {
	const char *checkpoint, *list;
	int64_t test;
	mmi_strings tuple;
} arguments;

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

static mm_status energies(const mmi_saved *s, uint32_t n, mmi_tuple_reader *read, void *ctx, float **out, mm_error *e)
{
	float *energy = mmi_alloc(n ? n : 1, sizeof *energy);
	if (!energy)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u scores", n);
	mm_status status = mmi_scores_of(s, n, read, ctx, &(mmi_hooks){ .stop = stop }, energy, e);
	if (status == MM_OK)
		*out = energy;
	else
		mmi_free(energy);
	return status;
}

/* One tuple: the number alone. */
static mm_status score_named(const mmi_cli *cli, const mmi_saved *s, const mmi_strings *words, mm_error *e)
{
	FILE *out = cli->console->out;
	mmi_inputs in;
	float *energy = NULL;
	MMI_TRY(mmi_inputs_named(s->model, words->item, words->n, "the tuple", &in, e));
	mmi_scores_inputs ctx = { s->model, &in };
	mm_status status = mmi_scores_check(s->model, &in, e);
	if (status == MM_OK)
		status = energies(s, in.n, mmi_scores_read_inputs, &ctx, &energy, e);
	if (status == MM_OK && in.n == 1)
		fprintf(out, "%.7g\n", (double)energy[0]);
	else if (status == MM_OK)
		fputs("tuple,energy\n", out);
	for (uint32_t i = 0; status == MM_OK && in.n > 1 && i < in.n; i++) {
		mmi_csv_put(out, true, in.name[i]);
		fprintf(out, ",%.7g\n", (double)energy[i]);
	}
	mmi_free(energy);
	mmi_inputs_clear(&in);
	return status;
}

/* The list's own columns, and the energy behind them. */
static mm_status score_list(const mmi_cli *cli, const mmi_saved *s, const char *path, mm_error *e)
{
	FILE *out = cli->console->out;
	mmi_scores_list list;
	float *energy = NULL;
	MMI_TRY(mmi_scores_list_open(s->model, path, &list, e));
	mm_status status = energies(s, (uint32_t)(list.csv.rows - 1), mmi_scores_read_list, &list, &energy, e);
	for (size_t row = 0; status == MM_OK && row < list.csv.rows; row++) {
		for (size_t c = 0; c < list.csv.columns; c++)
			mmi_csv_put(out, c == 0, mmi_csv_cell(&list.csv, row, c));
		if (row)
			fprintf(out, ",%.7g\n", (double)energy[row - 1]);
		else
			fputs(",energy\n", out);
	}
	mmi_free(energy);
	mmi_scores_list_close(&list);
	return status;
}

static mm_status score_test(const mmi_cli *cli, const mmi_saved *s, uint32_t wanted, mm_error *e)
{
	const mmi_settings *set = &s->setup.settings;
	FILE *out = cli->console->out;
	mmi_tuples *t;
	float *energy = NULL;
	MMI_TRY(mmi_tuples_open(s->setup.modalities, s->setup.n_modalities, MMI_PART_TEST, set->holdout, set->seed,
	                        &cli->log, &t, e));
	uint32_t n = wanted < mmi_tuples_count(t) ? wanted : mmi_tuples_count(t);
	mm_status status = energies(s, n, mmi_scores_read_tuples, t, &energy, e);
	if (status == MM_OK)
		fputs("key,label,energy\n", out);
	for (uint32_t i = 0; status == MM_OK && i < n; i++) {
		mmi_csv_put(out, true, mmi_tuples_key(t, i));
		if (mmi_tuples_label(t, i) >= 0)
			fprintf(out, ",%d,%.7g\n", mmi_tuples_label(t, i), (double)energy[i]);
		else
			fprintf(out, ",,%.7g\n", (double)energy[i]);
	}
	mmi_free(energy);
	mmi_tuples_close(t);
	return status;
}

static int run(const mmi_cli *cli, const arguments *a, const mmi_setup_request *request)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	mm_status status;
	if (mmi_saved_open(a->checkpoint, request, MMI_SCORES_ROWS, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	mmi_interrupt_install();
	if (a->list)
		status = score_list(cli, &saved, a->list, &e);
	else if (a->test)
		status = score_test(cli, &saved, (uint32_t)a->test, &e);
	else
		status = score_named(cli, &saved, &a->tuple, &e);
	mmi_saved_close(&saved);
	return status == MM_OK ? MMI_EXIT_OK : mmi_cli_refuse(cli, &e);
}

int mmi_cmd_score(const mmi_cli *cli, int argc, char **argv)
{
	arguments a = { .checkpoint = NULL };
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&a.checkpoint),
		MMI_OPTION_STRING("list", "FILE.csv", &a.list,
		                  "score a list: a column of files or texts for each modality, a tuple a line"),
		MMI_OPTION_INT("test", "N", &a.test, 1, 4e9, "score the first N tuples of the test data"),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "score", "--ckpt FILE (NAME=FILE... | --list FILE.csv | --test N) [options]",
		                      "Prints the joint energy of complete tuples: "
		                      "the lower, the better their modalities fit each other. Lists are printed as CSV.",
		                      options };
	int code;
	if (!mmi_options_parse(cli, &usage, argc, argv, &a.tuple, &code))
		goto done;
	mmi_setup_request request = { NULL, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
	if (!a.checkpoint)
		code = mmi_options_refuse(cli, &usage, "--ckpt is missing");
	else if ((a.tuple.n > 0) + (a.list != NULL) + (a.test > 0) != 1)
		code = mmi_options_refuse(cli, &usage, "give one of NAME=FILE..., --list and --test");
	else
		code = run(cli, &a, &request);
done:
	mmi_strings_clear(&a.tuple);
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
