/* cmd_judge.c - mmcore judge: trains what evaluation judges samples with. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "judge/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct mmi_judge_view {
	const mmi_cli *cli;
	mmi_progress progress;
	bool started;
} mmi_judge_view;

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

static void step(void *ctx, uint64_t done, uint64_t total, const char *what, double loss)
{
	mmi_judge_view *v = ctx;
	if (v->started && done == 1)
		mmi_progress_finish(&v->progress); /* of the classifiers: now the matcher is trained */
	if (!v->started || done == 1)
		mmi_progress_start(&v->progress, v->cli, "batch", done, total);
	v->started = true;
	mmi_progress_update(&v->progress, done, "%s %.3f", what, loss);
}

/* judge.safetensors beside the INI: for a run's own run.ini that is the run's folder. */
static char *default_file(const char *ini)
{
	const char *slash = strrchr(ini, '/');
	return mmi_format("%.*sjudge.safetensors", slash ? (int)(slash + 1 - ini) : 0, ini);
}

static void print_recall(FILE *out, const char *what, const double *at, const mmi_recall *r)
{
	fprintf(out, "%s", what);
	for (int k = 0; k < MMI_RECALLS; k++)
		fprintf(out, "%s@%u %.4f", k ? ", " : " ", mmi_recall_at[k], at[k]);
	if (at == r->at)
		fprintf(out, " of %u queries, %u candidates", r->queries, r->candidates);
}

static void print_matcher(const mmi_matcher *m, FILE *out)
{
	for (uint32_t a = 0; a < m->n; a++)
		for (uint32_t b = 0; b < m->n; b++)
			if (a != b) {
				fprintf(out, "%s -> %s ", m->tower[a].modality->name, m->tower[b].modality->name);
				print_recall(out, "recall", m->recall[a][b].at, &m->recall[a][b]);
				print_recall(out, "; chance", m->recall[a][b].chance, &m->recall[a][b]);
				fputc('\n', out);
			}
}

static void print(const mmi_cli *cli, const mmi_judge *j, const char *path)
{
	FILE *out = cli->console->out;
	for (uint32_t i = 0; i < j->n; i++) {
		const mmi_judge_member *m = &j->member[i];
		if (m->present)
			fprintf(out, "%-10s accuracy %.4f on %lld test samples, features %s\n", m->modality->name, m->accuracy,
			        (long long)m->tested, m->modality->classifier->features_name);
		else
			fprintf(out, "%-10s %s\n", m->modality->name, mmi_judge_lack(m->modality));
	}
	if (j->matcher)
		print_matcher(j->matcher, out);
	fprintf(out, "judge      %s\n", path);
}

/* ---------------------------------------------------------------- for programs */

static void add_classifier(mmi_answer *a, cJSON *to, const mmi_judge_member *m)
{
	mmi_answer_text(a, to, "modality", m->modality->name);
	mmi_answer_number(a, to, "accuracy", m->present ? m->accuracy : (double)NAN);
	mmi_answer_number(a, to, "tested", m->present ? (double)m->tested : 0);
	mmi_answer_text(a, to, "features", m->present ? m->modality->classifier->features_name : NULL);
	mmi_answer_text(a, to, "lack", m->present ? NULL : mmi_judge_lack(m->modality));
}

static void add_recall(mmi_answer *a, cJSON *to, const char *source, const char *target, const mmi_recall *r)
{
	mmi_answer_text(a, to, "from", source);
	mmi_answer_text(a, to, "to", target);
	mmi_answer_number(a, to, "queries", r->queries);
	mmi_answer_number(a, to, "candidates", r->candidates);
	cJSON *list = mmi_answer_array(a, to, "recall");
	for (int k = 0; k < MMI_RECALLS; k++) {
		cJSON *one = mmi_answer_object(a, list, NULL);
		mmi_answer_number(a, one, "at", mmi_recall_at[k]);
		mmi_answer_number(a, one, "share", r->at[k]);
		mmi_answer_number(a, one, "chance", r->chance[k]);
	}
}

static int answer(const mmi_cli *cli, const mmi_judge *j, const char *path)
{
	mmi_answer a = mmi_answer_begin();
	const mmi_matcher *m = j->matcher;
	mmi_answer_text(&a, a.root, "judge", path);
	cJSON *classifiers = mmi_answer_array(&a, a.root, "classifiers"), *pairs = mmi_answer_array(&a, a.root, "matcher");
	for (uint32_t i = 0; i < j->n; i++)
		add_classifier(&a, mmi_answer_object(&a, classifiers, NULL), &j->member[i]);
	for (uint32_t s = 0; m && s < m->n; s++)
		for (uint32_t t = 0; t < m->n; t++)
			if (s != t)
				add_recall(&a, mmi_answer_object(&a, pairs, NULL), m->tower[s].modality->name,
				           m->tower[t].modality->name, &m->recall[s][t]);
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}

/* ---------------------------------------------------------------- the command */

static int run(const mmi_cli *cli, const mmi_setup_request *request, const mmi_judge_training *how, const char *path,
               bool json)
{
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_judge *judge = NULL;
	mmi_judge_view view = { .cli = cli };
	const mmi_judge_hooks hooks = { &view, stop, step, &cli->log };

	if (mmi_setup_open(request, &setup, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	mmi_interrupt_install();
	mm_status status = mmi_judge_train(&setup, how, &hooks, &judge, &e);
	if (view.started)
		mmi_progress_finish(&view.progress);
	if (status == MM_OK)
		status = mmi_judge_save(judge, &setup, path, &e);
	int code = MMI_EXIT_OK;
	if (status == MM_OK && json)
		code = answer(cli, judge, path);
	else if (status == MM_OK)
		print(cli, judge, path);
	mmi_judge_destroy(judge);
	mmi_setup_close(&setup);
	if (status == MM_OK)
		return code;
	return view.started ? mmi_cli_fail(cli, &e) : mmi_cli_refuse(cli, &e);
}

static bool find_wish(const char *name, mmi_matcher_wish *out)
{
	static const char *const names[] = {
		[MMI_MATCHER_AUTO] = "auto", [MMI_MATCHER_YES] = "yes", [MMI_MATCHER_NO] = "no"
	};
	for (size_t i = 0; i < MMI_COUNT(names); i++)
		if (!strcmp(name, names[i])) {
			*out = (mmi_matcher_wish)i;
			return true;
		}
	return false;
}

int mmi_cmd_judge(const mmi_cli *cli, int argc, char **argv)
{
	const char *ini = NULL, *out = NULL, *matcher = "auto";
	int64_t epochs = mmi_judge_default.epochs, batch = mmi_judge_default.batch;
	mmi_judge_training how = mmi_judge_default;
	bool json = false;
	mmi_strings plugins = { 0 }, sets = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_STRING("ini", "FILE", &ini, "the settings, as for train; also a run's own run.ini"),
		MMI_OPTION_PLUGINS(&plugins),
		MMI_OPTION_SETS(&sets),
		MMI_OPTION_STRING("out", "FILE", &out, "where the judge goes (default: judge.safetensors beside the INI)"),
		MMI_OPTION_INT("epochs", "N", &epochs, 0, 10000,
		               "passes over the training split (default 0: as many as it takes)"),
		MMI_OPTION_INT("batch", "N", &batch, 1, 1 << 20, "samples a batch (default 128); all where there are fewer"),
		MMI_OPTION_FLOAT("rate", "R", &how.rate, 1e-12, 1,
		                 "Adam's first rate; it falls to 0 along a cosine (default 0.002)"),
		MMI_OPTION_STRING("matcher", "WHEN", &matcher,
		                  "yes, no or auto: also say which samples belong together (default auto)"),
		MMI_OPTION_JSON(&json),
		MMI_OPTION_END
	};
	const mmi_usage usage = {
		"judge", "--ini FILE [options]",
		"Trains what mmcore eval judges samples with: the plugins' classifiers on "
		"the labels of the training split, and a matcher on its tuples. Prints accuracies and recalls on the test "
		"split.",
		options
	};
	int code;
	char *path = NULL;

	if (!mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		goto done;
	how.epochs = (uint32_t)epochs;
	how.batch = (uint32_t)batch;
	if (!find_wish(matcher, &how.wish)) {
		code = mmi_options_refuse(cli, &usage, "--matcher is '%s'; expected auto, yes or no", matcher);
		goto done;
	}
	if (!ini) {
		code = mmi_options_refuse(cli, &usage, "--ini is missing");
		goto done;
	}
	path = out ? mmi_strdup(out) : default_file(ini);
	mmi_setup_request request = { ini, plugins.item, plugins.n, sets.item, sets.n, &cli->log };
	code = path ? run(cli, &request, &how, path, json) : mmi_cli_no_memory(cli, "the name of the judge's file");
done:
	mmi_free(path);
	mmi_strings_clear(&plugins);
	mmi_strings_clear(&sets);
	return code;
}
