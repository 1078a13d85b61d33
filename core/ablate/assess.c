/* assess.c - runs of an ablation, evaluated. */
#include "mmi_build.h"

#include "ablate/assess.h"

#include "eval/evaluate.h"
#include "judge/judge.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const mmi_ablation_column columns[] = {
	{ "iterations", "iterations" },
	{ "unconditional_coherence/all_modalities_agree/generator", "coherence" },
	{ "unconditional_coherence/all_modalities_agree/revised", "coh. revised" },
	{ "conditional_coherence/mean/generator", "conditional" },
	{ "conditional_coherence_z_revised/mean/revised", "cond. revised" },
	{ "Frechet_distance/mean_classifier_features/generator", "Frechet" },
	{ "Frechet_distance/mean_classifier_features/revised", "Fr. revised" },
	{ "Frechet_distance/mean_components_of_raw_values/generator", "Frechet raw" },
	{ "Frechet_distance/mean_components_of_raw_values/revised", "Fr. raw revised" },
	{ "alignment_of_samples/mean/generator", "alignment" },
	{ "alignment_of_samples/mean/revised", "al. revised" },
	{ "alignment_of_translations_z_revised/mean/revised", "al. cond. revised" },
	{ "latent_accuracy/mean/mean", "latent" },
	{ "energy_as_detector/mean/ROC_area", "energy AUC" },
};

static mmi_part part_of(const mmi_assess *a, const mmi_settings *s)
{
	if (a->has_part)
		return a->part;
	return s->holdout ? MMI_PART_VALIDATION : MMI_PART_TEST;
}

/* ------------------------------------------------------------ before training */

/* The checksum of the judge's parameters, as a number that CSV keeps exactly. */
static mm_status judge_number(const char *path, double *out, mm_error *e)
{
	mmi_checkpoint *ck;
	MMI_TRY(mmi_checkpoint_open(path, &ck, e));
	const char *crc = mmi_checkpoint_meta(ck, MMI_SAFETENSORS_CRC);
	*out = crc ? (double)strtoul(crc, NULL, 16) : 0;
	mmi_checkpoint_close(ck);
	return MM_OK;
}

static mm_status check(void *ctx, const mmi_setup *setup, mmi_figures *stamp, mm_error *e)
{
	const mmi_assess *a = ctx;
	mmi_part part = part_of(a, &setup->settings);
	mmi_judge *judge;
	mmi_tuples *tuples;
	double number;
	if (part == MMI_PART_VALIDATION && !setup->settings.holdout)
		return mmi_fail(e, MM_ECONFIG,
		                "--eval-split validation needs [data] holdout above 0: there are no validation tuples");
	MMI_TRY(mmi_setup_tuples(setup, part, NULL, &tuples,
	                         e)); /* what is to be evaluated must be there before hours are spent */
	mmi_tuples_close(tuples);
	MMI_TRY(mmi_judge_open(a->judge, &setup->device, setup->modalities, setup->n_modalities, setup->pool, &judge, e));
	mmi_judge_destroy(judge);
	MMI_TRY(judge_number(a->judge, &number, e));
	MMI_TRY(mmi_figures_add(stamp, "eval_judge", number, e));
	MMI_TRY(mmi_figures_add(stamp, "eval_count", a->count, e));
	return mmi_figures_add(stamp, "eval_on_test", part == MMI_PART_TEST, e);
}

/* ------------------------------------------------------------ after it */

/* "conditional coherence, z revised" of "mean": conditional_coherence_z_revised/mean/... */
static void name_of(const mmi_report_item *x, char *out, size_t size)
{
	const char *const part[] = { x->name, x->of, x->variant };
	size_t n = 0;
	for (size_t p = 0; p < MMI_COUNT(part); p++) {
		for (const char *c = part[p]; *c && n + 2 < size; c++) {
			bool good = isalnum((unsigned char)*c) || strchr("-_.>", *c);
			if (good || (n && out[n - 1] != '_'))
				out[n++] = good ? *c : '_';
		}
		if (p + 1 < MMI_COUNT(part) && n + 2 < size)
			out[n++] = '/';
	}
	out[n] = 0;
}

static mm_status copy(const mmi_report *f, mmi_figures *out, mm_error *e)
{
	char name[MMI_FIGURE_NAME];
	for (size_t i = 0; i < f->n; i++) {
		if (!isfinite(f->item[i].value))
			continue;
		name_of(&f->item[i], name, sizeof name);
		MMI_TRY(mmi_figures_add(out, name, f->item[i].value, e));
	}
	return MM_OK;
}

static mm_status evaluate(const mmi_assess *a, const mmi_ablation_trained *run, mmi_part part, mmi_figures *out,
                          mm_error *e)
{
	mmi_report report;
	mmi_eval_request r = { .checkpoint = run->folder,
		                   .judge = a->judge,
		                   .part = part,
		                   .count = a->count,
		                   .probe = 4000,
		                   .steps = MMI_RECIPE_AS_IT_IS,
		                   .setup = run->setup,
		                   .ctx = run->ctx,
		                   .stop = run->stop };
	r.without = "cost"; /* times say little while other runs train */
	mmi_logf(run->setup.log, MM_LOG_INFO, "evaluating %s", run->folder);
	MMI_TRY(mmi_evaluate(&r, &report, e));
	mm_status status = copy(&report, out, e);
	if (status == MM_OK)
		status = mmi_report_write(&report, run->folder, "eval", e);
	mmi_report_clear(&report);
	return status;
}

static mm_status assess(void *ctx, const mmi_ablation_trained *run, mmi_figures *out, mm_error *e)
{
	return evaluate(ctx, run, mmi_figures_get(out, "eval_on_test") > 0 ? MMI_PART_TEST : MMI_PART_VALIDATION, out, e);
}

mmi_ablation_assessor mmi_assess_runs(mmi_assess *a)
{
	return (mmi_ablation_assessor){
		.ctx = a, .check = check, .assess = assess, .columns = columns, .n_columns = MMI_COUNT(columns)
	};
}
