/* cmd_score.c - mmcore score: how well the modalities of a tuple fit each other. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "trained/scores.h"

#include <math.h>
#include <stdio.h>

typedef struct arguments {
	const char *checkpoint, *list;
	int64_t test;
	mmi_strings tuple;
	bool json;
	mmi_answer answer;
	cJSON *scores; /* its list of them */
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

static void add_score(arguments *a, const char *key, const char *text, int32_t label, float energy)
{
	cJSON *one = mmi_answer_object(&a->answer, a->scores, NULL);
	mmi_answer_text(&a->answer, one, key, text);
	mmi_answer_number(&a->answer, one, "label", label >= 0 ? label : (double)NAN);
	mmi_answer_float(&a->answer, one, "energy", energy);
}

/* ---------------------------------------------------------------- tuples that are named */

/* One tuple: the number alone. */
static void print_named(FILE *out, const mmi_inputs *in, const float *energy)
{
	if (in->n == 1)
		fprintf(out, "%.7g\n", (double)energy[0]);
	else
		fputs("tuple,energy\n", out);
	for (uint32_t i = 0; in->n > 1 && i < in->n; i++) {
		mmi_csv_put(out, true, in->name[i]);
		fprintf(out, ",%.7g\n", (double)energy[i]);
	}
}

static mm_status score_named(const mmi_cli *cli, const mmi_saved *s, arguments *a, mm_error *e)
{
	const mmi_strings *words = &a->tuple;
	mmi_inputs in;
	float *energy = NULL;
	MMI_TRY(mmi_inputs_named(s->model, words->item, words->n, "the tuple", &in, e));
	mmi_scores_inputs ctx = { s->model, &in };
	mm_status status = mmi_scores_check(s->model, &in, e);
	if (status == MM_OK)
		status = energies(s, in.n, mmi_scores_read_inputs, &ctx, &energy, e);
	for (uint32_t i = 0; status == MM_OK && a->json && i < in.n; i++)
		add_score(a, "tuple", in.name[i], -1, energy[i]);
	if (status == MM_OK && !a->json)
		print_named(cli->console->out, &in, energy);
	mmi_free(energy);
	mmi_inputs_clear(&in);
	return status;
}

/* ---------------------------------------------------------------- a list */

/* Its own columns, and the energy behind them. */
static void print_list(FILE *out, const mmi_csv *csv, const float *energy)
{
	for (size_t row = 0; row < csv->rows; row++) {
		for (size_t c = 0; c < csv->columns; c++)
			mmi_csv_put(out, c == 0, mmi_csv_cell(csv, row, c));
		if (row)
			fprintf(out, ",%.7g\n", (double)energy[row - 1]);
		else
			fputs(",energy\n", out);
	}
}

static void add_list(arguments *a, const mmi_csv *csv, const float *energy)
{
	for (size_t row = 1; row < csv->rows; row++) {
		cJSON *one = mmi_answer_object(&a->answer, a->scores, NULL),
			  *columns = mmi_answer_object(&a->answer, one, "columns");
		for (size_t c = 0; c < csv->columns; c++)
			mmi_answer_text(&a->answer, columns, mmi_csv_cell(csv, 0, c), mmi_csv_cell(csv, row, c));
		mmi_answer_float(&a->answer, one, "energy", energy[row - 1]);
	}
}

static mm_status score_list(const mmi_cli *cli, const mmi_saved *s, arguments *a, mm_error *e)
{
	const char *path = a->list;
	mmi_scores_list list;
	float *energy = NULL;
	MMI_TRY(mmi_scores_list_open(s->model, path, &list, e));
	mm_status status = energies(s, (uint32_t)(list.csv.rows - 1), mmi_scores_read_list, &list, &energy, e);
	if (status == MM_OK && a->json)
		add_list(a, &list.csv, energy);
	else if (status == MM_OK)
		print_list(cli->console->out, &list.csv, energy);
	mmi_free(energy);
	mmi_scores_list_close(&list);
	return status;
}

/* ---------------------------------------------------------------- test data */

static void print_test(FILE *out, const mmi_tuples *t, uint32_t n, const float *energy)
{
	fputs("key,label,energy\n", out);
	for (uint32_t i = 0; i < n; i++) {
		mmi_csv_put(out, true, mmi_tuples_key(t, i));
		if (mmi_tuples_label(t, i) >= 0)
			fprintf(out, ",%d,%.7g\n", mmi_tuples_label(t, i), (double)energy[i]);
		else
			fprintf(out, ",,%.7g\n", (double)energy[i]);
	}
}

static mm_status score_test(const mmi_cli *cli, const mmi_saved *s, arguments *a, mm_error *e)
{
	const mmi_settings *set = &s->setup.settings;
	const uint32_t wanted = (uint32_t)a->test;
	mmi_tuples *t;
	float *energy = NULL;
	MMI_TRY(mmi_tuples_open(s->setup.modalities, s->setup.n_modalities, MMI_PART_TEST, set->holdout, set->seed,
	                        &cli->log, &t, e));
	uint32_t n = wanted < mmi_tuples_count(t) ? wanted : mmi_tuples_count(t);
	mm_status status = energies(s, n, mmi_scores_read_tuples, t, &energy, e);
	for (uint32_t i = 0; status == MM_OK && a->json && i < n; i++)
		add_score(a, "key", mmi_tuples_key(t, i), mmi_tuples_label(t, i), energy[i]);
	if (status == MM_OK && !a->json)
		print_test(cli->console->out, t, n, energy);
	mmi_free(energy);
	mmi_tuples_close(t);
	return status;
}

/* ---------------------------------------------------------------- the command */

static int run(const mmi_cli *cli, arguments *a, const mmi_setup_request *request)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	mm_status status;
	if (mmi_saved_open(a->checkpoint, request, MMI_SCORES_ROWS, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	if (a->json) {
		a->answer = mmi_answer_begin();
		a->scores = mmi_answer_array(&a->answer, a->answer.root, "scores");
	}
	mmi_interrupt_install();
	if (a->list)
		status = score_list(cli, &saved, a, &e);
	else if (a->test)
		status = score_test(cli, &saved, a, &e);
	else
		status = score_named(cli, &saved, a, &e);
	mmi_saved_close(&saved);
	if (status == MM_OK && a->json)
		return mmi_answer_print(cli, &a->answer, MMI_EXIT_OK);
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
		MMI_OPTION_JSON(&a.json),
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
	mmi_answer_drop(&a.answer);
	mmi_strings_clear(&a.tuple);
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
