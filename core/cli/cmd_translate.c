/* cmd_translate.c - mmcore translate: some modalities in, the others out. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/run_options.h"
#include "trained/translations.h"

#include <math.h>
#include <stdio.h>

typedef struct arguments {
	const mmi_cli *cli;
	const char *checkpoint, *want, *expert, *test;
	int64_t test_count, count, number;
	mmi_strings given, plugins, sets;
	mmi_translations_request r;
	bool json;
	mmi_answer answer;
	cJSON *made; /* its list of what was made */
} arguments;

static bool stop(void *ctx)
{
	(void)ctx;
	return mmi_interrupted();
}

/* ---------------------------------------------------------------- what is told of what was made */

static mm_status print_text(void *ctx, const mmi_made *made, mm_error *e)
{
	const arguments *a = ctx;
	(void)e;
	mmi_console_text(a->cli->console->out, made->text);
	fputc('\n', a->cli->console->out);
	return MM_OK;
}

static mm_status add_made(void *ctx, const mmi_made *made, mm_error *e)
{
	arguments *a = ctx;
	const mmi_inputs *in = a->r.inputs;
	cJSON *one = mmi_answer_object(&a->answer, a->made, NULL);
	mmi_answer_number(&a->answer, one, "input", (double)made->input);
	mmi_answer_text(&a->answer, one, "name", in->name[made->input]);
	mmi_answer_number(&a->answer, one, "label", in->label[made->input] >= 0 ? in->label[made->input] : (double)NAN);
	mmi_answer_number(&a->answer, one, "draw", made->draw >= 0 ? (double)made->draw : (double)NAN);
	mmi_answer_text(&a->answer, one, "modality", made->modality->name);
	mmi_answer_text(&a->answer, one, "file", made->file);
	mmi_answer_text(&a->answer, one, "text", made->text);
	return a->answer.failed ? mmi_fail(e, MM_ENOMEM, "out of memory for the answer as JSON") : MM_OK;
}

static void begin_answer(arguments *a, const mmi_saved *s)
{
	a->answer = mmi_answer_begin();
	cJSON *root = a->answer.root, *given = mmi_answer_array(&a->answer, root, "given");
	for (uint32_t m = 0; m < s->model->n_modalities; m++)
		if (a->r.inputs->given[m])
			mmi_answer_text(&a->answer, given, NULL, s->model->modalities[m].name);
	mmi_answer_number(&a->answer, root, "seed", (double)s->setup.settings.seed);
	mmi_answer_number(&a->answer, root, "number", a->r.number);
	mmi_answer_text(&a->answer, root, "folder", a->r.out);
	mmi_answer_text(&a->answer, root, "sheet", a->r.grid);
	a->made = mmi_answer_array(&a->answer, root, "made");
}

/* Texts need no files: they are printed. What else is made would be lost. */
static mm_status choose_listener(arguments *a, const mmi_saved *s, mm_error *e)
{
	const char *lost = NULL;
	bool text = false;
	for (uint32_t m = 0; m < s->model->n_modalities; m++) {
		const mmi_modality *modality = &s->model->modalities[m];
		text = text || (a->r.want[m] && mmi_is_text(modality));
		lost = a->r.want[m] && !mmi_is_text(modality) ? modality->name : lost;
	}
	const bool nowhere = !a->r.out && !a->r.grid;
	if (nowhere && !text)
		return mmi_fail(e, MM_ECONFIG, "nothing to write: give --grid OUT.png, --out DIR or both");
	if (nowhere && lost)
		mmi_logf(&a->cli->log, MM_LOG_WARNING,
		         "what is made of %s is not kept: --out or --grid say where it goes, --want names what is made", lost);
	if (a->json)
		a->r.made = (mmi_made_to){ a, add_made };
	else if (!a->r.out && text)
		a->r.made = (mmi_made_to){ a, print_text };
	return MM_OK;
}

/* ---------------------------------------------------------------- the command */

static mm_status read_request(arguments *a, const mmi_saved *s, const mmi_log *log, mmi_inputs *inputs, mm_error *e)
{
	MMI_TRY(mmi_given_read(s, &a->given, a->test, a->test_count, log, inputs, e));
	a->r.inputs = inputs;
	if (a->want)
		MMI_TRY(mmi_names_parse(s->model, a->want, "--want", a->r.want, e));
	if (a->expert)
		MMI_TRY(mmi_name_parse(s->model, a->expert, "--expert", &a->r.expert, e));
	MMI_TRY(mmi_translations_check(s->model, &a->r, e));
	MMI_TRY(choose_listener(a, s, e));
	if (a->json)
		begin_answer(a, s);
	return MM_OK;
}

static int report(arguments *a)
{
	FILE *out = a->cli->console->out;
	if (a->json)
		return mmi_answer_print(a->cli, &a->answer, MMI_EXIT_OK);
	if (a->r.grid)
		fprintf(out, "sheet      %s\n", a->r.grid);
	if (a->r.out)
		fprintf(out, "files      %s/manifest.csv\n", a->r.out);
	return MMI_EXIT_OK;
}

static int run(const mmi_cli *cli, arguments *a, const mmi_setup_request *request)
{
	mm_error e = MM_ERROR_INIT;
	mmi_saved saved;
	mmi_inputs inputs = { 0 };
	if (mmi_saved_open(a->checkpoint, request, MMI_TRANSLATIONS_ROWS, &saved, &e) != MM_OK)
		return mmi_cli_refuse(cli, &e);
	mm_status status = read_request(a, &saved, &cli->log, &inputs, &e);
	bool accepted = status == MM_OK;
	mmi_interrupt_install();
	if (accepted)
		status = mmi_translations_make(&saved, &a->r, &e);
	mmi_inputs_clear(&inputs);
	mmi_saved_close(&saved);
	if (status != MM_OK)
		return accepted && e.code != MM_EUNSUPPORTED ? mmi_cli_fail(cli, &e) : mmi_cli_refuse(cli, &e);
	return report(a);
}

static int run_given(const mmi_cli *cli, const mmi_usage *usage, arguments *a)
{
	const mmi_setup_request request = { NULL, a->plugins.item, a->plugins.n, a->sets.item, a->sets.n, &cli->log };
	const char *complaint = mmi_output_complaint(a->r.grid, a->r.npy, a->r.out);
	a->r.count = (uint32_t)a->count;
	a->r.number = (uint32_t)a->number;
	if (!a->checkpoint)
		return mmi_options_refuse(cli, usage, "--ckpt is missing");
	if (!a->given.n)
		return mmi_options_refuse(cli, usage, "--given is missing: nothing to translate from");
	if (complaint)
		return mmi_options_refuse(cli, usage, "%s", complaint);
	return run(cli, a, &request);
}

int mmi_cmd_translate(const mmi_cli *cli, int argc, char **argv)
{
	arguments a = { .cli = cli,
		            .count = 1,
		            .r = { .expert = -1, .steps = MMI_RECIPE_AS_IT_IS, .hooks = { .stop = stop } } };
	const mmi_option options[] = {
		MMI_OPTION_CHECKPOINT(&a.checkpoint),
		MMI_OPTION_GIVEN(&a.given),
		MMI_OPTION_STRING("want", "NAME[,NAME]", &a.want, "modalities to be made (default: all that are not given)"),
		MMI_OPTION_TEST(&a.test),
		MMI_OPTION_TEST_COUNT(&a.test_count),
		MMI_OPTION_INT("count", "N", &a.count, 1, 1e6, "draws of each input (default 1)"),
		MMI_OPTION_FLAG("mean", &a.r.mean, "start from the mean of q(z | x) instead of a draw"),
		MMI_OPTION_STRING("expert", "NAME", &a.expert,
		                  "the given modality whose q(z | x) starts (default: as [learner] fusion says)"),
		MMI_OPTION_Z_STEPS(&a.r.steps.posterior_steps),
		MMI_OPTION_CANDIDATES(&a.r.steps.candidates),
		MMI_OPTION_GUIDE_STEPS(&a.r.steps.latent_steps),
		MMI_OPTION_X_STEPS(&a.r.steps.data_steps),
		MMI_OPTION_INT("number", "N", &a.number, 0, 65535, "which draws: another number, other draws (default 0)"),
		MMI_OPTION_STRING("grid", "OUT.png", &a.r.grid, "a sheet of inputs and outputs"),
		MMI_OPTION_STRING("out", "DIR", &a.r.out, "one file per input, draw and modality, and manifest.csv"),
		MMI_OPTION_NPY(&a.r.npy),
		MMI_OPTION_JSON(&a.json),
		MMI_OPTION_PLUGINS(&a.plugins),
		MMI_OPTION_SETS(&a.sets),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "translate",
		                      "--ckpt FILE --given NAME=FILE[,FILE] [--grid OUT.png] [--out DIR] [options]",
		                      "Makes the modalities that "
		                      "are not given: infers the latent from those that are, revises it with their "
		                      "likelihoods, decodes the others, and "
		                      "lets the energy model move them while the given ones stay. "
		                      "Texts are printed, a line each, where there is no --out.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		code = run_given(cli, &usage, &a);
	mmi_answer_drop(&a.answer);
	mmi_strings_clear(&a.given);
	mmi_strings_clear(&a.plugins);
	mmi_strings_clear(&a.sets);
	return code;
}
