/* evaluate.c - opens what an evaluation needs and runs its parts. */
#include "mmi_build.h"

#include "eval/eval_work.h"
#include "mcmc/generate.h"
#include "model/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const mmi_eval_variants[MMI_VARIANTS] = { "generator", "data chain", "guided", "revised" };

static const struct figure {
	const char *name;
	uint32_t needs;
	mm_status (*run)(mmi_eval_work *w, mm_error *e);
	uint64_t (*blocks)(const mmi_eval_work *w);
} figures[] = {
#define FIGURE(name, needs, part) { name, needs, mmi_eval_##part, mmi_eval_##part##_blocks },
	MMI_EVAL_TABLE(FIGURE)
#undef FIGURE
};

/* ------------------------------------------------------------ which figures */

static bool named_before(size_t f)
{
	for (size_t i = 0; i < f; i++)
		if (!strcmp(figures[i].name, figures[f].name))
			return true;
	return false;
}

const char *mmi_eval_names(char text[MMI_EVAL_NAMES])
{
	size_t used = 0;
	for (size_t i = 0; i < MMI_COUNT(figures) && used < MMI_EVAL_NAMES; i++)
		if (!named_before(i))
			used += (size_t)snprintf(text + used, MMI_EVAL_NAMES - used, "%s%s", i ? "," : "", figures[i].name);
	return text;
}

/* Steps through "a,b": the length of the name at *at, and *at behind it; 0: no more. */
static size_t next_name(const char **at, const char **name)
{
	size_t length = strcspn(*at, ",");
	*name = *at;
	*at += length + ((*at)[length] == ',');
	return length;
}

static bool among(const char *names, const char *figure)
{
	const char *name;
	for (size_t length; *names;)
		if ((length = next_name(&names, &name)) == strlen(figure) && !strncmp(name, figure, length))
			return true;
	return false;
}

mm_status mmi_eval_check_names(const char *names, mm_error *e)
{
	char all[MMI_EVAL_NAMES], one[MMI_EVAL_NAMES];
	const char *name;
	mmi_eval_names(all);
	while (*names) {
		const size_t length = next_name(&names, &name);
		snprintf(one, sizeof one, "%.*s", (int)length, name);
		if (!among(all, one))
			return mmi_fail(e, MM_ECONFIG, "unknown figures \"%s\"; there are %s", one, all);
	}
	return MM_OK;
}

bool mmi_eval_wants(const mmi_eval_request *r, const char *figure)
{
	return (!r->only || among(r->only, figure)) && !(r->without && among(r->without, figure));
}

bool mmi_eval_aligns(const mmi_eval_work *w)
{
	return mmi_eval_wants(w->r, "alignment") && w->judge && w->judge->matcher;
}

/* Whether any figure that is wanted has one of these needs. */
static bool any_needs(const mmi_eval_request *r, uint32_t needs)
{
	for (size_t i = 0; i < MMI_COUNT(figures); i++)
		if (mmi_eval_wants(r, figures[i].name) && figures[i].needs & needs)
			return true;
	return false;
}

static bool all_need(const mmi_eval_request *r, uint32_t needs)
{
	for (size_t i = 0; i < MMI_COUNT(figures); i++)
		if (mmi_eval_wants(r, figures[i].name) && !(figures[i].needs & needs))
			return false;
	return true;
}

/* ------------------------------------------------------------ shared by the parts */

uint64_t mmi_eval_blocks(const mmi_eval_work *w, uint32_t rows)
{
	return ((uint64_t)rows + w->block - 1) / w->block;
}

uint32_t mmi_eval_rows(const mmi_eval_work *w, uint32_t first, uint32_t count)
{
	return count - first < w->block ? count - first : w->block;
}

mm_status mmi_eval_read(mmi_eval_work *w, mmi_tuples *tuples, uint32_t first, uint32_t rows, mm_error *e)
{
	for (uint32_t r = 0; r < w->block; r++) {
		float *at[MMI_MAX_MODALITIES];
		for (uint32_t m = 0; m < w->n; m++) {
			size_t count = (size_t)w->model->modalities[m].count;
			at[m] = w->data[m] + r * count;
			if (r >= rows)
				memcpy(at[m], w->data[m] + (rows - 1) * count, count * sizeof(float));
		}
		if (r >= rows)
			continue;
		MMI_TRY(mmi_tuples_read(tuples, first + r, at, e));
		w->label[r] = mmi_tuples_label(tuples, first + r);
	}
	return MM_OK;
}

mm_status mmi_eval_tick(mmi_eval_work *w, const char *what, mm_error *e)
{
	const mmi_eval_request *r = w->r;
	w->done++;
	if (w->total < w->done)
		w->total = w->done;
	if (r->step)
		r->step(r->ctx, w->done, w->total, what);
	if (r->stop && r->stop(r->ctx))
		return mmi_fail(e, MM_ECANCELLED, "interrupted; no figures were written");
	return MM_OK;
}

mm_status mmi_eval_add_row(mmi_eval_work *w, const char *name, const char *of, const bool has[MMI_VARIANTS],
                           const double value[MMI_VARIANTS], mm_error *e)
{
	for (int v = 0; v < MMI_VARIANTS; v++)
		if (has[v])
			MMI_TRY(mmi_report_add(w->out, name, of, mmi_eval_variants[v], value[v], e));
	return MM_OK;
}

void mmi_eval_count_moved(mmi_eval_work *w)
{
	w->moved += w->block;
	w->back += mmi_sampler_stayed(w->sampler);
}

mm_status mmi_eval_add_taken_back(mmi_eval_work *w, const char *of, const mmi_chains *chains, mm_error *e)
{
	if (!(chains->revise.rise_max > 0) || !w->moved)
		return MM_OK;
	return mmi_report_add(w->out, "taken back by the bound", of, "share", (double)w->back / (double)w->moved, e);
}

void mmi_eval_judge(mmi_eval_work *w, uint32_t m, float *x, uint32_t rows, float *features)
{
	mmi_judge_as_saved(&w->model->modalities[m], x, rows);
	if (w->class_of[m])
		mmi_judge_run(w->judge, m, x, rows, w->class_of[m], features);
}

/* ------------------------------------------------------------ opening */

/* RUN/judge.safetensors for RUN/checkpoints/NAME, else beside the checkpoint. */
static char *beside(const char *checkpoint)
{
	static const char folder[] = "checkpoints/";
	const char *slash = strrchr(checkpoint, '/');
	size_t length = slash ? (size_t)(slash + 1 - checkpoint) : 0, last = sizeof folder - 1;
	if (length >= last && !strncmp(checkpoint + length - last, folder, last) &&
	    (length == last || checkpoint[length - last - 1] == '/'))
		length -= last;
	return length || slash ? mmi_format("%.*sjudge.safetensors", (int)length, checkpoint)
	                       : mmi_strdup("judge.safetensors");
}

/* Validation tuples are held out of training by seed and number; a judge made with others has learned from some of
 * them. */
static mm_status say_what_it_saw(mmi_eval_work *w, mm_error *e)
{
	const mmi_settings *s = &w->saved.setup.settings;
	const mmi_judge *j = w->judge;
	if (w->r->part != MMI_PART_VALIDATION || (j->split_known && j->seed == s->seed && j->holdout == s->holdout))
		return MM_OK;
	return mmi_report_fact(w->out, "judge has seen", e,
	                       "some or all of these tuples: it was not made with this seed and holdout, so its accuracy "
	                       "and recall on them, and the alignment of data, are of its own training data");
}

static mm_status load_judge(mmi_eval_work *w, const char *path, mm_error *e)
{
	char text[1024];
	MMI_TRY(mmi_judge_open(path, w->model->device, w->model->modalities, w->n, w->saved.setup.pool, &w->judge, e));
	MMI_TRY(mmi_report_fact(w->out, "judge", e, "%s", path));
	MMI_TRY(say_what_it_saw(w, e));
	if (w->judge->present)
		MMI_TRY(mmi_report_fact(w->out, "judge accuracy", e, "%s", mmi_judge_text(w->judge, text, sizeof text)));
	if (!w->judge->matcher)
		return MM_OK;
	return mmi_report_fact(w->out, "judge recall", e, "%s", mmi_matcher_text(w->judge->matcher, text, sizeof text));
}

static void say_what_is_missing(mmi_eval_work *w)
{
	for (uint32_t m = 0; m < w->n; m++)
		w->judged += w->model->modalities[m].classifier != NULL;
	if (!w->judged)
		mmi_judge_lacks(w->model->modalities, w->n, w->no_judge, sizeof w->no_judge);
	snprintf(w->no_matcher, sizeof w->no_matcher,
	         w->n > 1 ? "the judge has no matcher; make one with mmcore judge --matcher yes"
	                  : "there is one modality only");
}

/* Without a judge there is what needs none; where nothing does, that is an error. */
static mm_status lack_judge(mmi_eval_work *w, const char *path, mm_error *e)
{
	static const char cure[] = "make one with mmcore judge, or name another with --judge";
	if (w->judged && all_need(w->r, MMI_NEEDS_JUDGE))
		return mmi_fail(e, MM_ECONFIG, "no judge at %s; %s", path, cure);
	if (w->judged)
		snprintf(w->no_judge, sizeof w->no_judge, "there is no judge at %.100s; make one with mmcore judge", path);
	snprintf(w->no_matcher, sizeof w->no_matcher, "there is no judge at %.100s; make one with mmcore judge", path);
	if (w->judged)
		mmi_logf(w->r->setup.log, MM_LOG_WARNING, "no judge at %s, so figures that need one are left out; %s", path,
		         cure);
	return MM_OK;
}

/* Without a classifier nothing but a matcher asks for a judge, so that none need be there. */
static mm_status open_judge(mmi_eval_work *w, mm_error *e)
{
	say_what_is_missing(w);
	if (!any_needs(w->r, MMI_NEEDS_JUDGE | MMI_USES_JUDGE) || (!w->judged && w->n < 2))
		return MM_OK;
	char *path = w->r->judge ? mmi_strdup(w->r->judge) : beside(w->checkpoint);
	bool absent = path && !w->r->judge && access(path, F_OK);
	mm_status status = path ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	if (status == MM_OK)
		status = absent ? lack_judge(w, path, e) : load_judge(w, path, e);
	mmi_free(path);
	return status;
}

static mm_status allocate(mmi_eval_work *w, mm_error *e)
{
	size_t rows = w->block, features = MMI_COMPONENT_COUNT;
	bool ok = true;
	for (uint32_t m = 0; m < w->n; m++) {
		ok = ok && (w->observed[m] = mmi_alloc(rows, sizeof(float))) && (w->held[m] = mmi_alloc(rows, 1));
		if (w->judge && w->judge->member[m].present) {
			ok = ok && (w->class_of[m] = mmi_alloc(rows, sizeof(int32_t)));
			features = w->judge->member[m].n_features > features ? w->judge->member[m].n_features : features;
		}
		if (w->judge && w->judge->matcher)
			ok = ok && (w->embedding[m] = mmi_alloc(rows * MMI_MATCHER_DIM, sizeof(float)));
	}
	w->label = mmi_alloc(rows, sizeof *w->label);
	w->counted = mmi_alloc(rows, 1);
	w->features = mmi_alloc(rows * features, sizeof *w->features);
	if (!ok || !w->label || !w->counted || !w->features)
		return mmi_fail(e, MM_ENOMEM, "out of memory for an evaluation in blocks of %u rows", w->block);
	MMI_TRY(mmi_rows_create(w->model, rows, w->data, e));
	for (int b = 0; b < MMI_EVAL_BUFFERS; b++)
		MMI_TRY(mmi_rows_create(w->model, rows, w->x[b], e));
	MMI_TRY(mmi_latents_create(w->model, rows, &w->z, e));
	return mmi_translator_create(w->model, w->sampler, w->block, &w->translator, e);
}

static void set_variants(const mmi_chains *c, bool has[MMI_VARIANTS])
{
	const bool guided = mmi_guide_acts(&c->guide) && !c->revise.from_noise, data = c->revise.steps > 0;
	has[MMI_GENERATOR] = true;
	has[MMI_DATA_CHAIN] = has[MMI_GUIDED] = guided && data;
	has[MMI_REVISED] = guided || data || c->revise.from_noise;
}

/* What "revised" is of samples and of translations, "guided latents + data chain". */
static mm_status add_revised_fact(mmi_eval_work *w, mm_error *e)
{
	char samples[MMI_GENERATE_TEXT], translations[MMI_GENERATE_TEXT];
	mmi_generate_label(&w->sample, samples);
	mmi_generate_label(&w->translate, translations);
	if (!w->sampled[MMI_REVISED] && !w->translated[MMI_REVISED])
		return MM_OK;
	return mmi_report_fact(w->out, "revised", e, "samples: %s; translations: %s", samples, translations);
}

static mm_status set_chains(mmi_eval_work *w, mm_error *e)
{
	const mmi_settings *set = &w->saved.setup.settings;
	w->sample = mmi_saved_chains(&w->saved, &set->sample, &w->r->steps);
	w->translate = mmi_saved_chains(&w->saved, &set->translate, &w->r->steps);
	set_variants(&w->sample, w->sampled);
	w->translate.revise.from_noise = false; /* a translation starts at the generator */
	set_variants(&w->translate, w->translated);
	mmi_sampler_reseed(w->sampler, w->r->seed);
	return mmi_sampler_prepare(w->sampler, MMI_NET_MODEL | mmi_chains_nets(&w->sample) | mmi_chains_nets(&w->translate),
	                           e);
}

/* One number, or two where translations have another; nothing where neither has more than none. */
static mm_status add_chain_fact(mmi_eval_work *w, const char *name, uint32_t samples, uint32_t translations,
                                int64_t none, mm_error *e)
{
	if (samples != translations)
		return mmi_report_fact(w->out, name, e, "%u, translations %u", samples, translations);
	return samples > none ? mmi_report_fact(w->out, name, e, "%u", samples) : MM_OK;
}

static mm_status add_facts(mmi_eval_work *w, mm_error *e)
{
	MMI_TRY(mmi_report_fact(w->out, "checkpoint", e, "%s", w->checkpoint));
	MMI_TRY(mmi_report_fact(w->out, "iteration", e, "%lld", (long long)w->saved.iteration));
	MMI_TRY(mmi_report_fact(w->out, "split", e, "%s", mmi_part_name(w->r->part)));
	MMI_TRY(mmi_report_fact(w->out, "samples", e, "%u", w->count));
	MMI_TRY(mmi_report_fact(w->out, "tuples", e, "%u", w->n_tuples));
	MMI_TRY(mmi_report_fact(w->out, "seed", e, "%llu", (unsigned long long)w->r->seed));
	MMI_TRY(mmi_report_fact(w->out, "threads", e, "%u", mmi_pool_threads(w->saved.setup.pool)));
	MMI_TRY(mmi_report_fact(w->out, "z steps", e, "%u", w->translate.posterior.steps));
	MMI_TRY(add_chain_fact(w, "x steps", w->sample.revise.steps, w->translate.revise.steps, -1, e));
	if (w->saved.has_fitted)
		MMI_TRY(mmi_report_fact(w->out, "prior of samples", e, "fitted, %u components", w->saved.fitted.z.n));
	if (w->translate.temperature < 1 || w->translate.temperature > 1)
		MMI_TRY(mmi_report_fact(w->out, "translations", e, "drawn at temperature %g", w->translate.temperature));
	MMI_TRY(add_chain_fact(w, "candidates", w->sample.guide.candidates, w->translate.guide.candidates, 1, e));
	MMI_TRY(add_chain_fact(w, "guide steps", w->sample.guide.steps, w->translate.guide.steps, 0, e));
	MMI_TRY(add_revised_fact(w, e));
	return w->saved.has_energy ? MM_OK
	                           : mmi_report_fact(w->out, "energy", e, "not trained, so there are no revised samples");
}

static mm_status open_tuples(mmi_eval_work *w, mm_error *e)
{
	const mmi_eval_request *r = w->r;
	mm_error why = MM_ERROR_INIT;
	mm_status status = mmi_setup_tuples(&w->saved.setup, r->part, r->setup.log, &w->tuples, &why);
	if (status != MM_OK && (r->part != MMI_PART_TEST || !mmi_part_absent(status)))
		return mmi_fail(e, status, "%s", why.message);
	if (status != MM_OK)
		return mmi_fail(
			e, MM_ECONFIG,
			"%s; an evaluation needs tuples that were not trained on: give the data a test split, or train with "
			"[data] holdout and evaluate with --split validation",
			why.message);
	return mmi_tuples_pick(w->tuples, r->count, r->seed, e);
}

static mm_status open_work(mmi_eval_work *w, mm_error *e)
{
	const mmi_eval_request *r = w->r;
	MMI_TRY(mmi_checkpoint_resolve(r->checkpoint, &w->checkpoint, e));
	MMI_TRY(mmi_saved_open(w->checkpoint, &r->setup, MMI_EVAL_BLOCK, &w->saved, e));
	w->model = w->saved.model;
	w->sampler = w->saved.sampler;
	w->n = w->model->n_modalities;
	w->block = mmi_whole_chunks(MMI_EVAL_BLOCK, mmi_sampler_chunk(w->sampler));
	MMI_TRY(open_tuples(w, e));
	w->count = r->count;
	w->n_tuples = mmi_tuples_count(w->tuples);
	if (r->n_other && mmi_eval_wants(r, "energy"))
		MMI_TRY(mmi_eval_open_other(w, e));
	MMI_TRY(set_chains(w, e));
	MMI_TRY(add_facts(w, e));
	MMI_TRY(open_judge(w, e));
	return allocate(w, e);
}

static void close_work(mmi_eval_work *w)
{
	mmi_rows_clear(w->data);
	mmi_spaces_close(&w->spaces);
	for (int b = 0; b < MMI_EVAL_BUFFERS; b++)
		mmi_rows_clear(w->x[b]);
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++) {
		mmi_free(w->observed[m]);
		mmi_free(w->held[m]);
		mmi_free(w->class_of[m]);
		mmi_free(w->embedding[m]);
	}
	mmi_embedded_clear(&w->real);
	mmi_free(w->checkpoint);
	mmi_free(w->label);
	mmi_free(w->counted);
	mmi_free(w->features);
	mmi_latents_clear(&w->z);
	mmi_translator_destroy(w->translator);
	mmi_judge_destroy(w->judge);
	mmi_tuples_close(w->tuples);
	mmi_tuples_close(w->other_tuples);
	mmi_setup_close(&w->other);
	if (w->saved.model)
		mmi_saved_close(&w->saved);
}

/* ------------------------------------------------------------ the judge on these data */

/* A judge made for other data (another background, another root) reads these worse than its own: such figures would say
 * nothing. Chance alone explains four standard errors; the rest is for another split. */
static mm_status compare_judge(const mmi_eval_work *w, uint32_t m, uint64_t right, uint64_t labelled, mm_error *e)
{
	const mmi_judge_member *j = &w->judge->member[m];
	double here = (double)right / (double)labelled, p = j->accuracy;
	if (here >= p - 0.03 - 4 * sqrt(p * (1 - p) / (double)labelled))
		return MM_OK;
	return mmi_fail(
		e, MM_ESHAPE,
		"the judge reads [%s] of these data with accuracy %.3f, but had %.3f on its own: it was made for other "
		"data; make one with these settings (mmcore judge)",
		j->modality->name, here, p);
}

static mm_status check_judge(mmi_eval_work *w, mm_error *e)
{
	uint64_t right[MMI_MAX_MODALITIES] = { 0 }, labelled = 0;
	for (uint32_t first = 0; first < w->n_tuples; first += w->block) {
		uint32_t rows = mmi_eval_rows(w, first, w->n_tuples);
		MMI_TRY(mmi_eval_read(w, w->tuples, first, rows, e));
		for (uint32_t m = 0; m < w->n; m++) {
			if (!w->class_of[m])
				continue;
			mmi_eval_judge(w, m, w->data[m], rows, NULL);
			for (uint32_t r = 0; r < rows; r++)
				right[m] += w->label[r] >= 0 && w->class_of[m][r] == w->label[r];
		}
		for (uint32_t r = 0; r < rows; r++)
			labelled += w->label[r] >= 0;
		MMI_TRY(mmi_eval_tick(w, "judging the data", e));
	}
	for (uint32_t m = 0; m < w->n && labelled; m++)
		if (w->class_of[m]) {
			MMI_TRY(compare_judge(w, m, right[m], labelled, e));
			const char *of = w->model->modalities[m].name;
			MMI_TRY(mmi_report_add(w->out, "judge's accuracy", of, "when trained", w->judge->member[m].accuracy, e));
			MMI_TRY(
				mmi_report_add(w->out, "judge's accuracy", of, "these tuples", (double)right[m] / (double)labelled, e));
		}
	return MM_OK;
}

/* ------------------------------------------------------------ all figures */

/* Whether the figure's part is to be run, which was not for an earlier one. */
static bool is_due(const mmi_eval_work *w, size_t f)
{
	for (size_t i = 0; i < f; i++)
		if (figures[i].run == figures[f].run && mmi_eval_wants(w->r, figures[i].name))
			return false;
	return mmi_eval_wants(w->r, figures[f].name);
}

/* Of a part: whether there is what any of its wanted figures needs. */
static bool can_be(const mmi_eval_work *w, size_t f)
{
	const uint32_t lacking = (w->judge ? 0 : MMI_NEEDS_JUDGE) | (w->saved.has_energy ? 0 : MMI_NEEDS_ENERGY);
	for (size_t i = f; i < MMI_COUNT(figures); i++)
		if (figures[i].run == figures[f].run && mmi_eval_wants(w->r, figures[i].name) && !(figures[i].needs & lacking))
			return true;
	return false;
}

static uint64_t blocks_of(const mmi_eval_work *w)
{
	const uint64_t tuples = mmi_eval_blocks(w, w->n_tuples); /* the judge's members are first tried on them */
	uint64_t sum = (w->judge && w->judge->present ? tuples : 0) + (w->judge && w->judge->matcher ? tuples : 0);
	for (size_t f = 0; f < MMI_COUNT(figures); f++)
		sum += is_due(w, f) && can_be(w, f) ? figures[f].blocks(w) : 0;
	return sum;
}

static mm_status run(mmi_eval_work *w, mm_error *e)
{
	w->total = blocks_of(w);
	if (w->judge && w->judge->present)
		MMI_TRY(check_judge(w, e));
	if (w->judge && w->judge->matcher)
		MMI_TRY(mmi_eval_check_matcher(w, e));
	for (size_t f = 0; f < MMI_COUNT(figures); f++)
		if (is_due(w, f))
			MMI_TRY(figures[f].run(w, e));
	return MM_OK;
}

mm_status mmi_evaluate(const mmi_eval_request *r, mmi_report *out, mm_error *e)
{
	mmi_report made = { 0 };
	mmi_eval_work *w = mmi_alloc(1, sizeof *w); /* the saved model must not move */
	if (!w)
		return mmi_fail(e, MM_ENOMEM, "out of memory for an evaluation");
	w->r = r;
	w->out = &made;
	mm_status status = open_work(w, e);
	if (status == MM_OK)
		status = run(w, e);
	close_work(w);
	mmi_free(w);
	if (status == MM_OK)
		*out = made;
	else
		mmi_report_clear(&made);
	return status;
}
