/* settings.c - the settings that shape the three models. */
#include "mmi_build.h"

#include "model/settings.h"

#define MOST_LATENTS 65536

static const char *const sharings[] = { "shared", "independent", NULL };
static const char *const priors[] = { "normal", "laplace", NULL };
static const char *const scale_heads[] = { "softplus", "log_variance", "softmax", NULL };

static const mmi_key latent_keys[] = {
	MMI_COUNT_ROW("learner", "latent_dim", mmi_model_config, latent_dim, 32, 1, MOST_LATENTS,
	              "Numbers in the shared latent z."),
	MMI_COUNT_ROW("learner", "private_dim", mmi_model_config, private_dim, 0, 0, MOST_LATENTS,
	              "Numbers in each modality's private latent w; 0: none."),
	MMI_SECOND_ROW("learner", "generators", mmi_model_config, independent, sharings, 0,
	               "Independent: every modality has a latent of its own and nothing is shared (an ablation)."),
	MMI_CHOICE_ROW("learner", "prior", mmi_model_config, prior, priors, MMI_PRIOR_NORMAL,
	               "Family of the prior and of the experts: normal or laplace."),
	MMI_CHOICE_ROW(
		"learner", "scale_head", mmi_model_config, scale_head, scale_heads, MMI_SCALE_SOFTPLUS,
		"An expert's scale: softplus(raw) + 1e-6; log_variance; or softmax, D softmax(raw) of its D numbers, "
		"so that scales average 1, as published Laplace runs of MMVAE, MMVAE+ and CMVAE have it."),
	MMI_REAL_ROW("learner", "correlation", mmi_model_config, correlation, 0.4, 0, 0.999,
	             "Correlation of the experts' errors after codevae and with fusion = consensus; 0: their product."),
	MMI_COUNT_ROW("learner", "clusters", mmi_model_config, clusters, 40, 2, 4096,
	              "Clusters of the prior that cmvae learns."),
	MMI_COUNT_ROW(
		"learner", "prior_steps", mmi_model_config, prior_steps, 60, 0, MMI_LIMIT,
		"Steps of the chain that draws z from the prior that mvebm learns, from a standard draw on: in training and "
		"wherever "
		"samples are made. Such short chains are what it learns with, so that more of them draw from something else."),
	MMI_REAL_ROW("learner", "prior_step", mmi_model_config, prior_step, 0.4, 0, MMI_LIMIT,
	             "Its step s; the drift is s^2/2 times the gradient, the noise s."),
	MMI_COUNT_ROW("learner", "contrast_dim", mmi_model_config, agreement_dim, 0, 0, MOST_LATENTS,
	              "How many of the leading latents it compares, and the joint energy's agreement with it; 0: all. The "
	              "others are free for what modalities do not share."),
};
const mmi_key_table mmi_latent_keys = { "[learner]: the learner", latent_keys, MMI_COUNT(latent_keys) };

static const char *const pools[] = { "sum", "mean", NULL };
static const char *const heads[] = { "mlp", "linear", NULL };
static const char *const matches[] = { "none", "towers", NULL };
static const char *const trunks[] = { "joint", "separate", NULL };

static const mmi_key energy_keys[] = {
	MMI_COUNT_ROW("energy", "nef", mmi_model_config, nef, 32, 1, 8192, "Channels of the trunk and of the fused head."),
	MMI_COUNT_ROW("energy", "blocks", mmi_model_config, blocks, 4, 1, 64,
	              "Residual blocks; the first two halve the map."),
	MMI_CHOICE_ROW("energy", "pool", mmi_model_config, pool, pools, MMI_POOL_SUM,
	               "Pooling over the positions of the last map: sum or mean."),
	MMI_CHOICE_ROW("energy", "head", mmi_model_config, head, heads, MMI_HEAD_MLP,
	               "Mlp: modalities can disagree; linear: the energy is a sum over vectors and trunks."),
	MMI_SECOND_ROW("energy", "trunk", mmi_model_config, separate_trunks, trunks, 0,
	               "Joint: maps of one size share a trunk; separate: every map has its own, and modalities meet in the "
	               "head."),
	MMI_COUNT_ROW("energy", "shortcut_kernel", mmi_model_config, shortcut_kernel, 3, 1, 3,
	              "Size of the shortcuts' kernels: 3 or 1."),
	MMI_SWITCH_ROW(
		"energy", "trunk_bias", mmi_model_config, trunk_bias, false,
		"Biases in the trunk's convolutions: as the paper's Table 6 is printed, which the code that it descends "
		"from has without."),
	MMI_SWITCH_ROW("energy", "spectral_norm", mmi_model_config, spectral_norm, true,
	               "Spectral normalisation of every layer; none with mvebm, whose energy is of latents."),
	MMI_CHOICE_ROW(
		"energy", "match", mmi_model_config, match, matches, MMI_MATCH_NONE,
		"Towers: the energy model has a second term, E_match, which judges whether the modalities of a tuple "
		"belong together. A tower for each turns features of it into a direction, and E_match is minus the sum "
		"over pairs of their cosines, divided by a temperature that is learned; each tuple's parts are ranked "
		"against those of all others of a batch, from the first iteration on. Scores, candidates and latent "
		"chains use it."),
	MMI_REAL_ROW("energy", "agreement", mmi_model_config, agreement, 0, 0, MMI_LIMIT,
	             "Weight of a further term of the joint energy, which scores tuples and guides latents: minus the mean "
	             "cosine of the experts' locations, so that tuples whose parts belong together have less energy. 1 "
	             "/ contrast_temperature makes it the logit that contrast_factor trained."),
};
const mmi_key_table mmi_energy_keys = { "[energy]: the energy model", energy_keys, MMI_COUNT(energy_keys) };

mm_status mmi_model_check(const mmi_config *c, const mmi_model_config *m, mm_error *e)
{
	if (m->independent && m->private_dim)
		return mmi_config_refuse(c, "learner", "private_dim",
		                         "0 with generators = independent: all latents are private then", e);
	if (m->agreement_dim > m->latent_dim)
		return mmi_config_refuse(c, "learner", "contrast_dim", "at most latent_dim (0: all of it)", e);
	if (m->agreement > 0 && m->independent)
		return mmi_config_refuse(c, "energy", "agreement",
		                         "0 with generators = independent: experts share no latent to agree on", e);
	if (m->shortcut_kernel == 2)
		return mmi_config_refuse(c, "energy", "shortcut_kernel", "3 or 1", e);
	return MM_OK;
}
