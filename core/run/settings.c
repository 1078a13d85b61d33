/* settings.c - the settings of a run and of its data, and the reading of all. */
#include "mmi_build.h"

#include "run/settings.h"
#include "comm/launch.h"
#include "config/value.h"
#include "engine/pool.h"
#include "engine/processors.h"
#include "model/settings.h"

#include <string.h>

static const char *const devices[] = { "cpu", "cuda", "auto", NULL };
static const char *const precisions[] = { "tf32", "float32", "bfloat16", NULL };
static const char *const clocks[] = { "wall", "cpu", NULL };
static const char *const rules[] = { "none", "nll", NULL };
static const char *const incomplete[] = { "drop", "keep", NULL };

static const mmi_key run_keys[] = {
	MMI_NUMBER_ROW("run", "seed", mmi_settings, seed, 1, 0, INT64_MAX, "Seed of all random numbers."),
	MMI_COUNT_ROW(
		"run", "threads", mmi_settings, threads, 0, 0, 1024,
		"Worker threads of each rank; 0: all processors that the process may use, control groups included, or its "
		"part of them where ranks share a host. Results do not depend on it."),
	MMI_COUNT_ROW(
		"run", "chunk", mmi_settings, chunk, 16, 1, 1024,
		"Samples a worker takes through its chains, at most; with kernels of our own four of them at a time through "
		"the data chain."),
	MMI_COUNT_ROW(
		"run", "device_chunk", mmi_settings, device_chunk, 0, 0, MMI_LIMIT,
		"The same of a GPU, whose memory bounds it; chunk is the processor's. 0: a batch, or where ranks share it, the "
		"part of one of them. Another number of samples sums in another order."),
	MMI_CHOICE_ROW("run", "device", mmi_settings, device_number, devices, 0,
	               "The device that computes: cpu; cuda, an NVIDIA GPU, which has never been tried on a card "
	               "(docs/CUDA.md); auto, so far the same as cpu."),
	MMI_CHOICE_ROW(
		"run", "precision", mmi_settings, precision, precisions, 0,
		"Operands of matrix products and convolutions. tf32: on a GPU's tensor cores, which read 10 bits of a "
		"mantissa; on the CPU the same as float32. float32. bfloat16: 7 bits of a mantissa; on the CPU by oneDNN "
		"where the processor has AMX and that module is installed, else by the processor's AVX512-BF16, about "
		"one and a half times as fast as float32, else emulated, slower than float32 (docs/BENCHMARKS.md). "
		"Maps inside programs are stored so, too. Sums, and everything else, are in float32 or double."),
	MMI_TEXT_ROW("run", "plugin_path", mmi_settings, plugin_path, NULL,
	             "Folders, separated by colons, that are searched for plugins first."),
	MMI_REAL_ROW("run", "rank_timeout", mmi_settings, rank_timeout, 600, 0, MMI_LIMIT,
	             "Seconds for which a rank that another started by mpirun waits for may not answer: then the run ends. "
	             "More than "
	             "a sheet, a checkpoint and a validation take, which the others wait for. 0: for ever."),
	MMI_REAL_ROW("run", "minutes", mmi_settings, minutes, 0, 0, MMI_LIMIT,
	             "Training time in minutes; with it iterations does not end the run, rates follow the time that has "
	             "passed, and the warm-up is the share warmup / iterations of it. 0: none. iterations on the command "
	             "line takes precedence over minutes of the file."),
	MMI_SECOND_ROW("run", "clock", mmi_settings, cpu_clock, clocks, 0,
	               "What minutes and the metrics' seconds are of: wall, or cpu for processor time (of all threads, "
	               "divided by their number), which is fair where other work shares the machine."),
	MMI_COUNT_ROW("run", "log_interval", mmi_settings, log_interval, 20, 1, MMI_LIMIT,
	              "Iterations between rows of metrics."),
	MMI_COUNT_ROW("run", "checkpoint_interval", mmi_settings, checkpoint_interval, 500, 1, MMI_LIMIT,
	              "Iterations between checkpoints."),
	MMI_COUNT_ROW("run", "checkpoint_keep", mmi_settings, checkpoint_keep, 3, 1, MMI_LIMIT,
	              "How many of the newest are kept."),
	MMI_SECOND_ROW(
		"run", "select", mmi_settings, select_nll, rules, 0,
		"Which checkpoint is the best one, and kept whatever came later. nll: the one with the least mean "
		"negative log-likelihood of a modality given another, over 256 validation tuples at most, drawn at "
		"random, and all pairs of modalities, with the same draws each time; it needs holdout in [data]. It "
		"is measured with every checkpoint that is due, and a column nll_validation of the metrics. The warm-"
		"up of a cooperative run is not selected from."),
	MMI_COUNT_ROW("run", "grid_interval", mmi_settings, grid_interval, 500, 1, MMI_LIMIT,
	              "Iterations between sample sheets."),
	MMI_COUNT_ROW("run", "grid_columns", mmi_settings, grid_columns, 12, 1, 1024,
	              "Samples on a sheet; its data are drawn at random from the test split, or from the training data "
	              "where there is none."),
	MMI_SWITCH_ROW("run", "tensorboard", mmi_settings, tensorboard, false,
	               "Also writes what metrics.csv has, and the sheets, as files of events for TensorBoard, in "
	               "RUN/tensorboard."),
};
static const mmi_key_table run_table = { "[run]: the program", run_keys, MMI_COUNT(run_keys) };

static const mmi_key data_keys[] = {
	MMI_PATH_ROW("data", "root", mmi_settings, root, "Folder of the data; a modality's own root takes precedence."),
	MMI_COUNT_ROW(
		"data", "holdout", mmi_settings, holdout, 0, 0, MMI_LIMIT,
		"Tuples of the training data that are set aside for validation, and with them those that a plugin does not "
		"part from them: other captions of a picture, other recordings of a speaker."),
	MMI_SECOND_ROW("data", "incomplete", mmi_settings, keep_incomplete, incomplete, 0,
	               "Keys that not every modality holds: drop them, or keep all that any holds, whatever the order of "
	               "sections, and train with what is there."),
	MMI_REAL_ROW("data", "hide", mmi_settings, hide, 0, 0, 0.999,
	             "Share of the training data's modalities that are hidden at random, for experiments."),
};
static const mmi_key_table data_table = { "[data]: the data", data_keys, MMI_COUNT(data_keys) };

const mmi_key_table *const mmi_setting_tables[] = {
	&run_table,       &data_table,           &mmi_learner_keys, &mmi_latent_keys,
	&mmi_energy_keys, &mmi_energy_loss_keys, &mmi_sample_keys,  &mmi_translate_keys,
};
const size_t mmi_n_setting_tables = MMI_COUNT(mmi_setting_tables);

/* ------------------------------------------------------------ keys that are no more */

typedef struct retired_key {
	const char *section, *key;
	const char *became;   /* for who still has it */
	const char *to[2][2]; /* section and key that have its place; NULL: none */
} retired_key;

/* Later rows go before earlier ones where a checkpoint has both. */
static const retired_key retired[] = {
	{ "learner",
	  "guide_candidates",
	  "now [sample] candidates",
	  { { "sample", "candidates" }, { "translate", "candidates" } } },
	{ "learner",
	  "guide_steps",
	  "now [sample] latent_steps",
	  { { "sample", "latent_steps" }, { "translate", "latent_steps" } } },
	{ "learner",
	  "guide_step",
	  "now latent_step in [sample] and [translate]",
	  { { "sample", "latent_step" }, { "translate", "latent_step" } } },
	{ "learner",
	  "guide_noise",
	  "now latent_noise in [sample] and [translate]",
	  { { "sample", "latent_noise" }, { "translate", "latent_noise" } } },
	{ "learner",
	  "guide_weight",
	  "now weight in [sample] and [translate]",
	  { { "sample", "weight" }, { "translate", "weight" } } },
	{ "learner", "translation_candidates", "now [translate] candidates", { { "translate", "candidates" } } },
	{ "learner", "translation_guide_steps", "now [translate] latent_steps", { { "translate", "latent_steps" } } },
	{ "learner", "translation_x_steps", "now [translate] data_steps", { { "translate", "data_steps" } } },
	{ "learner", "translation_temperature", "now [translate] temperature", { { "translate", "temperature" } } },
	{ "learner",
	  "guide_training",
	  "gone: latents are guided at use only; in training nobody measured a gain",
	  { { NULL } } },
	{ "learner",
	  "chain_interval",
	  "gone: iterations without chains between those with them were measured to help nobody "
	  "(docs/EXPERIMENTS.md, 15); elbo_updates adds updates by the ELBO",
	  { { NULL } } },
};

static mm_status refuse_retired(const mmi_config *c, mm_error *e)
{
	for (size_t i = 0; i < MMI_COUNT(retired); i++)
		if (mmi_config_has(c, retired[i].section, retired[i].key))
			return mmi_config_retired(c, retired[i].section, retired[i].key, retired[i].became, e);
	return MM_OK;
}

mm_status mmi_settings_migrate(mmi_config *c, mm_error *e)
{
	for (size_t i = 0; i < MMI_COUNT(retired); i++) {
		const char *value = mmi_config_take(c, retired[i].section, retired[i].key);
		bool as_before = !value || !strcmp(value, "-1"); /* "as many as samples": what the row before has set */
		for (size_t t = 0; !as_before && t < 2 && retired[i].to[t][0]; t++)
			MMI_TRY(mmi_config_put(c, retired[i].to[t][0], retired[i].to[t][1], value, e));
	}
	return MM_OK;
}

/* ------------------------------------------------------------ all of them */

/* A number of iterations on the command line ends the run, whatever time budget the file has; beside a time budget on
 * the command line it contradicts. */
static mm_status choose_end(mmi_config *c, mm_error *e)
{
	const char *value;
	double minutes;
	if (!mmi_config_has_option(c, "learner", "iterations") || !mmi_config_has(c, "run", "minutes"))
		return MM_OK;
	if (!mmi_config_has_option(c, "run", "minutes"))
		return mmi_config_put(c, "run", "minutes", "0", e);
	value = mmi_config_given(c, "run", "minutes");
	if (!mmi_value_float(value, &minutes) || !(minutes > 0))
		return MM_OK;
	return mmi_config_refuse(c, "learner", "iterations",
	                         "no time budget (run.minutes, --minutes) beside it on the command line: one of them ends "
	                         "the run. What warm-up is a share of is set in the file",
	                         e);
}

/* A GPU's work is no processor time. */
static mm_status refuse_clock(mmi_config *c, const mmi_settings *s, mm_error *e)
{
	return s->cpu_clock && !strcmp(s->device, "cuda")
	           ? mmi_config_refuse(c, "run", "clock",
	                               "wall with [run] device = cuda: a GPU's work is no processor time", e)
	           : MM_OK;
}

mm_status mmi_settings_read(mmi_config *c, mmi_settings *out, mm_error *e)
{
	mmi_settings s = { 0 };
	MMI_TRY(refuse_retired(c, e));
	MMI_TRY(choose_end(c, e));
	MMI_TRY(mmi_keys_read(c, &run_table, &s, e));
	MMI_TRY(mmi_keys_read(c, &data_table, &s, e));
	if (s.select_nll && !s.holdout)
		return mmi_config_refuse(c, "run", "select",
		                         "none with [data] holdout = 0: there are no validation tuples to select by", e);
	s.device = devices[s.device_number];
	MMI_TRY(refuse_clock(c, &s, e));
	if (s.threads == 0)
		s.threads = mmi_processors_part(mmi_launch_read().here);
	MMI_TRY(mmi_learner_settings_read(c, &s, e));
	MMI_TRY(mmi_keys_read(c, &mmi_sample_keys, &s.sample, e));
	MMI_TRY(mmi_keys_read(c, &mmi_translate_keys, &s.translate, e));
	if (s.cooperative) {
		MMI_TRY(mmi_recipe_check(c, "sample", &s.sample, &s.model, e));
		MMI_TRY(mmi_recipe_check(c, "translate", &s.translate, &s.model, e));
	}
	s.model.seed = s.seed;
	*out = s;
	return MM_OK;
}
