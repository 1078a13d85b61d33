/* generate.c - samples from the prior, alone and revised. */
#include "mmi_build.h"

#include "mcmc/generate.h"

#include "model/rows.h"

#include <stdio.h>

static void decode_prior(mmi_sampler *s, uint32_t number, mmi_span span, mmi_latents *z, float *const *to)
{
	mmi_sampler_prior(s, span, 0, number, z);
	mmi_sampler_decode(s, z, span.rows, to);
}

static void guide(mmi_sampler *s, const mmi_chains *a, uint32_t number, mmi_span span, mmi_latents *z, float *const *to)
{
	mmi_chain_stats stats;
	mmi_guide_args args = a->guide;
	args.iteration = number;
	mmi_sampler_choose_prior(s, &args, span, z);
	mmi_sampler_guide(s, &args, span, z, NULL, &stats);
	mmi_sampler_decode(s, z, span.rows, to);
}

void mmi_generate(const mmi_model *m, mmi_sampler *s, const mmi_chains *a, uint32_t number, mmi_span span,
                  mmi_latents *z, float *const *generated, float *const *revised)
{
	mmi_chain_stats stats;
	mmi_revise_args revise = a->revise;
	const bool guided = mmi_guide_acts(&a->guide) && !revise.from_noise, elsewhere = guided || revise.from_noise;
	revise.iteration = number;
	decode_prior(s, number, span, z, generated);
	if (!revised)
		return;
	if (revise.from_noise)
		mmi_sampler_noise(s, span, number, revised);
	else if (guided)
		guide(s, a, number, span, z, revised);
	else
		mmi_rows_copy(m, span.rows, revised, generated);
	if (!revise.steps)
		return;
	/* The chain's start, which bounds its movement, takes the place of the generator's samples; they are made again,
	 * same to the bit. */
	if (elsewhere)
		mmi_rows_copy(m, span.rows, generated, revised);
	mmi_sampler_revise(s, &revise, revised, (const float *const *)generated, span, &stats);
	if (elsewhere)
		decode_prior(s, number, span, z, generated);
}

bool mmi_generate_has_parts(const mmi_chains *a)
{
	return mmi_guide_acts(&a->guide) && a->revise.steps && !a->revise.from_noise;
}

void mmi_generate_parts(const mmi_model *m, mmi_sampler *s, const mmi_chains *a, uint32_t number, mmi_span span,
                        mmi_latents *z, float *const *generated, float *const *chained, float *const *guided,
                        float *const *revised)
{
	mmi_chains data = mmi_chains_unguided(a), latents = *a;
	mmi_revise_args revise = a->revise;
	mmi_chain_stats stats;
	if (!mmi_generate_has_parts(a)) {
		mmi_generate(m, s, a, number, span, z, generated, revised);
		return;
	}
	latents.revise.steps = 0;
	revise.iteration = number;
	if (chained)
		mmi_generate(m, s, &data, number, span, z, generated, chained);
	mmi_generate(m, s, &latents, number, span, z, generated, guided);
	mmi_rows_copy(m, span.rows, revised, guided);
	mmi_sampler_revise(s, &revise, revised, (const float *const *)guided, span, &stats);
}

const char *mmi_guide_text(const mmi_guide_args *a, char text[MMI_GUIDE_TEXT])
{
	int used = a->candidates > 1 ? snprintf(text, MMI_GUIDE_TEXT, "%u candidates, ", a->candidates) : 0;
	text[used] = '\0';
	if (a->steps)
		snprintf(text + used, (size_t)(MMI_GUIDE_TEXT - used), "%u guide steps, ", a->steps);
	return text;
}

const char *mmi_generate_label(const mmi_chains *a, char text[MMI_GENERATE_TEXT])
{
	const char *guided = a->revise.from_noise        ? "noise"
	                     : a->guide.steps            ? "guided latents"
	                     : mmi_guide_acts(&a->guide) ? "chosen latents"
	                                                 : "";
	const char *chain = a->revise.rise_max > 0 ? "bounded data chain" : "data chain";
	const char *moved = a->revise.steps ? chain : *guided ? "" : "not moved";
	snprintf(text, MMI_GENERATE_TEXT, "%s%s%s", guided, *guided && *moved ? " + " : "", moved);
	return text;
}

const char *mmi_generate_text(const mmi_chains *a, char text[MMI_GENERATE_TEXT])
{
	char guide_text[MMI_GUIDE_TEXT];
	snprintf(text, MMI_GENERATE_TEXT, "%s%u data chain steps",
	         a->revise.from_noise ? "from noise, " : mmi_guide_text(&a->guide, guide_text), a->revise.steps);
	return text;
}
