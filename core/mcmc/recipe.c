/* recipe.c - recipes for samples and translations: their rows, and what the sampler is handed. */
#include "mmi_build.h"

#include "mcmc/recipe.h"

static const char *const guides[] = { "joint", "match", "agreement", "both", NULL };

/* Rows that both sections have. */
#define LATENT_ROWS(section)                                                                                         \
	MMI_COUNT_ROW(section, "latent_steps", mmi_recipe, latent_steps, 0, 0, MMI_LIMIT,                                \
	              "Steps of a chain that then moves latents down the joint energy of the tuple that they complete, " \
	              "before they are decoded "                                                                         \
	              "(latent-space Langevin)."),                                                                       \
		MMI_REAL_ROW(section, "latent_step", mmi_recipe, latent_step, 0.1, 0, MMI_LIMIT, "Its step s."),             \
		MMI_REAL_ROW(section, "latent_noise", mmi_recipe, latent_noise, 0.1, 0, MMI_LIMIT, "Its noise n."),          \
		MMI_REAL_ROW(section, "weight", mmi_recipe, weight, 10, 0, MMI_LIMIT,                                        \
	                 "Weight of the energy in the choice and in that chain, against prior and likelihoods."),        \
		MMI_CHOICE_ROW(section, "guide", mmi_recipe, guide, guides, MMI_GUIDE_JOINT,                                 \
	                   "Which energy that is: all of the joint energy, the energy model's match, the agreement "     \
	                   "of the experts, or both of these without the energy of texture."),                           \
		MMI_SIGNED_ROW(section, "data_steps", mmi_recipe, data_steps, -1, -1, MMI_LIMIT,                             \
	                   "Steps of the data chain; -1: as many as x_steps in [learner]."),                             \
		MMI_REAL_ROW(section, "rise_max", mmi_recipe, rise_max, 0, 0, MMI_LIMIT,                                     \
	                 "Most that match and agreement, those of them that the guide goes by, may rise in a tuple "     \
	                 "while the data chain moves it, in nats: a tuple in which they rise more is left as it was "    \
	                 "before that chain. 0: no bound.")

static const char *const sample_priors[] = { "model", "fitted", "auto", NULL };

static const mmi_key sample_keys[] = {
	MMI_CHOICE_ROW(
		"sample", "prior", mmi_recipe, prior, sample_priors, MMI_SAMPLES_OF_EITHER,
		"What samples of a trained model are drawn from: the model's own prior, or one that was fitted after training "
		"and put into the checkpoint; auto: that one where there is one. A latent chain goes on down the model's own; "
		"sheets of a run in training, but for the last, are drawn from that one, too."),
	MMI_COUNT_ROW(
		"sample", "components", mmi_recipe, components, 0, 0, 4096,
		"Normal distributions in the mixture that is fitted to what the encoders say of the training data when "
		"a run has ended, and put into the checkpoint that stands for the run, as mmcore fit-prior does; 0: "
		"none is fitted."),
	MMI_COUNT_ROW(
		"sample", "candidates", mmi_recipe, candidates, 1, 1, 4096,
		"Draws of the latents from the prior, of which a sample starts from one: with probability proportional to "
		"exp(-weight E), E the joint energy of the tuple that a draw completes (sampling importance resampling). With "
		"a weight of 10 "
		"and more it is nearly always the draw of the lowest energy. Each costs one evaluation of the models and no "
		"gradient."),
	LATENT_ROWS("sample"),
};
const mmi_key_table mmi_sample_keys = { "[sample]: how samples are drawn", sample_keys, MMI_COUNT(sample_keys) };

static const mmi_key translate_keys[] = {
	MMI_REAL_ROW(
		"translate", "temperature", mmi_recipe, temperature, 1, 0, MMI_LIMIT,
		"Factor of the standard deviations of the experts' draws that translations start from, as in Kingma and "
		"Dhariwal (2018): "
		"below 1 they are more likely and less varied, 0 is the experts' means. Chains in training draw at 1."),
	MMI_COUNT_ROW("translate", "candidates", mmi_recipe, candidates, 1, 1, 4096,
	              "Draws of the latents from an expert of what is given, of which a translation starts from one, "
	              "chosen as in [sample]; what is "
	              "given takes part in the energy. An encoder's draws are close already, so that a choice among them "
	              "is often enough."),
	MMI_SIGNED_ROW(
		"translate", "posterior_steps", mmi_recipe, posterior_steps, -1, -1, MMI_LIMIT,
		"Steps of the posterior chain on what is given; -1: as many as z_steps in [learner], and none for a baseline."),
	LATENT_ROWS("translate"),
};
const mmi_key_table mmi_translate_keys = { "[translate]: how translations are drawn", translate_keys,
	                                       MMI_COUNT(translate_keys) };

mmi_recipe mmi_recipe_changed(const mmi_recipe *r, const mmi_recipe_change *change)
{
	mmi_recipe out = *r;
	if (change->posterior_steps >= 0)
		out.posterior_steps = change->posterior_steps;
	if (change->candidates >= 0)
		out.candidates = (uint32_t)change->candidates;
	if (change->latent_steps >= 0)
		out.latent_steps = (uint32_t)change->latent_steps;
	if (change->data_steps >= 0)
		out.data_steps = change->data_steps;
	return out;
}

uint32_t mmi_recipe_terms(const mmi_recipe *r)
{
	static const uint32_t terms[] = { [MMI_GUIDE_JOINT] = 0,
		                              [MMI_GUIDE_MATCH] = 1u << MMI_TERM_MATCH,
		                              [MMI_GUIDE_AGREEMENT] = 1u << MMI_TERM_AGREEMENT,
		                              [MMI_GUIDE_BOTH] = 1u << MMI_TERM_MATCH | 1u << MMI_TERM_AGREEMENT };
	return terms[r->guide];
}

/* Texture falls along the data chain, whatever becomes of the rest. */
uint32_t mmi_recipe_rise_terms(const mmi_recipe *r)
{
	const uint32_t fit = 1u << MMI_TERM_MATCH | 1u << MMI_TERM_AGREEMENT, terms = mmi_recipe_terms(r);
	return terms ? terms & fit : fit;
}

mm_status mmi_recipe_check(const mmi_config *c, const char *section, const mmi_recipe *r, const mmi_model_config *m,
                           mm_error *e)
{
	const uint32_t terms = mmi_recipe_terms(r);
	if (!r->latent_steps && r->candidates < 2 && !(r->rise_max > 0))
		return MM_OK; /* nothing goes by it */
	if (terms >> MMI_TERM_MATCH & 1 && !m->match)
		return mmi_config_refuse(c, section, "guide",
		                         "joint or agreement with [energy] match = none: there is no match to go by", e);
	if (terms >> MMI_TERM_AGREEMENT & 1 && !(m->agreement > 0))
		return mmi_config_refuse(c, section, "guide",
		                         "joint or match with [energy] agreement = 0: there is no agreement to go by", e);
	return MM_OK;
}

mmi_recipe mmi_recipe_without_energy(const mmi_recipe *r)
{
	mmi_recipe out = *r;
	out.candidates = 1;
	out.latent_steps = 0;
	out.data_steps = 0;
	out.rise_max = 0;
	out.no_energy = true;
	return out;
}

mmi_chains mmi_recipe_chains(const mmi_recipe *r, const mmi_posterior_args *posterior, const mmi_revise_args *revise)
{
	mmi_chains c = { .temperature = r->temperature, .posterior = *posterior, .revise = *revise };
	c.guide = (mmi_guide_args){ .candidates = r->candidates,
		                        .steps = r->latent_steps,
		                        .step = r->latent_step,
		                        .noise = r->latent_noise,
		                        .weight = r->weight,
		                        .terms = mmi_recipe_terms(r) };
	if (r->posterior_steps >= 0)
		c.posterior.steps = (uint32_t)r->posterior_steps;
	if (r->data_steps >= 0)
		c.revise.steps = (uint32_t)r->data_steps;
	c.revise.from_noise = c.revise.from_noise && !r->no_energy;
	c.revise.rise_max = c.revise.from_noise ? 0 : r->rise_max; /* noise is nothing to go back to */
	c.revise.rise_terms = mmi_recipe_rise_terms(r);
	return c;
}

mmi_chains mmi_chains_unguided(const mmi_chains *c)
{
	mmi_chains out = *c;
	out.guide = (mmi_guide_args){ .candidates = 1 };
	out.revise.rise_max = 0;
	return out;
}

uint32_t mmi_recipe_nets(const mmi_recipe *r)
{
	const mmi_chains c = mmi_recipe_chains(r, &(mmi_posterior_args){ 0 }, &(mmi_revise_args){ 0 });
	return mmi_chains_nets(&c);
}

uint32_t mmi_chains_nets(const mmi_chains *c)
{
	return (c->posterior.steps ? MMI_NET_POSTERIOR : 0u) |
	       (c->guide.candidates > 1 ? MMI_NET_SCREEN(c->guide.terms) : 0u) |
	       (c->guide.steps ? MMI_NET_GUIDE(c->guide.terms) : 0u) | (c->revise.steps ? MMI_NET_REVISE : 0u) |
	       (c->revise.rise_max > 0 ? MMI_NET_FIT(c->revise.rise_terms) : 0u);
}
