/* settings.c - the settings of the learner: their rows, and what the rows cannot say about each other. */
#include "mmi_build.h"

#include "learn/settings.h"
#include "config/value.h"
#include "learn/objectives/objective.h"
#include "model/settings.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ rows */

static const char *const experts[] = { "one", "all", NULL };
static const char *const reductions[] = { "sum", "mean", NULL };
static const char *const targets[] = { "mixture", "each", "both", NULL };
static const char *const private_chains[] = { "joint", "own", NULL };
static const char *const gradients[] = { "bound", "dreg", NULL };
static const char *const inferences[] = { "joint", "independent", NULL };
static const char *const fusions[] = {
	"objective", "mixture", "product", "hellinger", "barycentre", "consensus", NULL
};
static const char *const starts[] = { "generator", "noise", "buffer", NULL };
static const char *const missing[] = { "skip", "impute", NULL };
static const char *const schedules[] = { "constant", "linear", "cosine", NULL };

static const mmi_key course_keys[] = {
	MMI_OTHER_ROW(
		"learner", "objective", "cooperative",
		"Cooperative: three models and two chains. mmvae, mvae, mopoe, mmvae+, mvtcae, helvae, mmjsd, mwbvae, "
		"codevae, cmvae, mvebm: that objective alone, as a baseline on the same networks."),
	MMI_NUMBER_ROW("learner", "iterations", mmi_settings, iterations, 6000, 0, UINT32_MAX,
	               "How many in all, warm-up included."),
	MMI_NUMBER_ROW("learner", "warmup", mmi_settings, warmup, 0, 0, INT64_MAX,
	               "Iterations of the ELBO before the chains start."),
	MMI_OTHER_ROW(
		"learner", "warmup_objective", "mmvae",
		"The ELBO of the warm-up: mmvae, mopoe (an iteration of it costs half), mvtcae (as cheap, and views "
		"keep the variety that the others do not share), helvae, mmjsd or mwbvae (as cheap), or mmvae+, which "
		"is the default with private latents."),
	MMI_COUNT_ROW("learner", "elbo_updates", mmi_settings, elbo_updates, 0, 0, MMI_LIMIT,
	              "Updates by that ELBO in each iteration with chains, before the others, on the same batch."),
	MMI_REAL_ROW("learner", "beta", mmi_settings, beta, 1, 0, MMI_LIMIT, "Weight of the ELBO's divergence."),
	MMI_COUNT_ROW("learner", "draws", mmi_settings, draws, 1, 1, 1024,
	              "Draws of each expert in the ELBO of mmvae, mmvae+ or cmvae, as a baseline or as a warm-up, weighted "
	              "by importance: "
	              "the bound of IWAE as MMVAE has it, mean over the experts outside of the logarithm. beta is inside "
	              "of the weights, "
	              "so that with another one than 1 it is no bound. Each draw decodes all modalities twice, forward for "
	              "the weights and "
	              "once more to learn; memory grows by the draws alone, some numbers of each latent."),
	MMI_SECOND_ROW("learner", "gradient", mmi_settings, dreg, gradients, 0,
	               "Of those draws, to the encoders. Bound: that of the bound. Dreg: doubly reparametrised (Tucker et "
	               "al. 2019), with "
	               "less noise; but z comes from one expert and the density in the weights is the mixture's, so that "
	               "with more than "
	               "one draw it is biased. Runs published under that name have another gradient: those of MMVAE+ that "
	               "of the bound."),
	MMI_REAL_ROW("learner", "contrast_factor", mmi_settings, contrast_factor, 0, 0, MMI_LIMIT,
	             "Weight of a contrastive loss between the experts: those of one tuple shall point the same way in "
	             "the shared latent, those of different tuples of a batch elsewhere. It finds what modalities have in "
	             "common much sooner than an ELBO does; in warm-up, baselines and iterations with chains alike."),
	MMI_REAL_ROW("learner", "contrast_temperature", mmi_settings, contrast_temperature, 0.1, 1e-3, MMI_LIMIT,
	             "Temperature of that loss: its cosines are divided by it."),
	MMI_NUMBER_ROW("learner", "contrast_start", mmi_settings, contrast_start, 0, 0, INT64_MAX,
	               "Iterations before that loss starts; with a time budget, as warmup, that share of iterations."),
	MMI_COUNT_ROW("learner", "batch", mmi_settings, batch, 64, 1, 65536, "Samples in an iteration."),
	MMI_SECOND_ROW("learner", "inference", mmi_settings, separate_inference, inferences, 0,
	               "Independent: the chain that starts from expert m sees modality m alone and teaches expert m alone "
	               "(an ablation; needs experts = all)."),
	MMI_SECOND_ROW("learner", "experts", mmi_settings, experts_all, experts, 0,
	               "Posterior chains start from one expert drawn per sample, or from all of them."),
	MMI_SECOND_ROW("learner", "expert_reduce", mmi_settings, expert_reduce_mean, reductions, 0,
	               "Sum: the true posterior; mean: the gradient divided by the number of chains, as in the paper's "
	               "listing, in training and at use."),
	MMI_CHOICE_ROW("learner", "inference_target", mmi_settings, inference_target, targets, MMI_TARGET_MIXTURE,
	               "What q(z) learns: mixture (log-mean-exp over the experts), each (every expert on its own), both "
	               "(their average)."),
	MMI_CHOICE_ROW(
		"learner", "fusion", mmi_settings, wanted_fusion, fusions, MMI_FUSION_OF_OBJECTIVE,
		"What a translation from several modalities starts from: one of their experts, drawn (mixture), their "
		"product, their Hellinger pool, their Wasserstein barycentre, the consensus of experts whose errors have "
		"the given correlation, or what the objective of the warm-up or the baseline learned with, which after mvae "
		"is the only one: its experts mean something only when multiplied with the prior."),
	MMI_SECOND_ROW("learner", "private_chain", mmi_settings, private_own, private_chains, 0,
	               "Which w move with z: those of all observed modalities, or only the own one of the expert that "
	               "started."),
	MMI_COUNT_ROW("learner", "z_steps", mmi_settings, z_steps, 10, 0, MMI_LIMIT, "Steps of the posterior chain."),
	MMI_REAL_ROW("learner", "z_step", mmi_settings, z_step, 0.1, 0, MMI_LIMIT,
	             "Its step s; the drift is s^2/2 times the gradient."),
	MMI_REAL_ROW("learner", "z_noise", mmi_settings, z_noise, 0.1, 0, MMI_LIMIT, "Its noise n."),
	MMI_COUNT_ROW("learner", "x_steps", mmi_settings, x_steps, 10, 0, MMI_LIMIT, "Steps of the data chain."),
	MMI_OTHER_ROW(
		"learner", "x_step", "auto(0.02)",
		"Its step s, or auto(d): s is measured over the first 50 iterations with chains so that the first "
		"drift has rms d of the modality's range, and then kept, but for iterations whose chains, started at the "
		"generator, climb: each shortens it by a tenth, and others let it grow again by a hundredth."),
	MMI_REAL_ROW("learner", "x_noise", mmi_settings, x_noise, 0.002, 0, MMI_LIMIT, "Its noise n."),
	MMI_REAL_ROW("learner", "x_move_max", mmi_settings, x_move_max, 0, 0, MMI_LIMIT,
	             "Bound on the rms movement of a sample along the chain, of the range; 0: none."),
	MMI_SWITCH_ROW("learner", "clamp", mmi_settings, clamp, true,
	               "Keeps bounded modalities inside their range after each step."),
	MMI_CHOICE_ROW(
		"learner", "x_start", mmi_settings, x_start, starts, MMI_START_GENERATOR,
		"Where data chains start: at the generator's samples, at noise, or in a buffer of persistent chains. "
		"Samples of the trained model start at noise likewise; its translations always start at the generator, and so "
		"do samples after training with a buffer. With noise the terms of the losses that pair revised tuples with "
		"latents are left out."),
	MMI_COUNT_ROW("learner", "x_buffer", mmi_settings, x_buffer, 1024, 1, 1 << 20, "Tuples in that buffer."),
	MMI_REAL_ROW("learner", "x_refresh", mmi_settings, x_refresh, 0.05, 0, 1,
	             "Share of its chains that start anew at the generator's samples."),
	MMI_REAL_ROW(
		"learner", "translation_share", mmi_settings, translation_share, 0, 0, 1,
		"Share of the data chains of training that start as translations: one modality, drawn for each tuple, "
		"is taken from the data and held, the others are decoded from its expert's latent. The energy then learns what "
		"is wrong with translations too, not only with samples from the prior."),
	MMI_SECOND_ROW(
		"learner", "missing_energy", mmi_settings, impute, missing, 1,
		"Incomplete tuples in the energy's data term: completed by decoding and an energy chain (impute), or "
		"left out (skip)."),
	MMI_SWITCH_ROW("learner", "refresh_negatives", mmi_settings, refresh_negatives, false,
	               "Draws the revised tuples again from the updated generator before the energy's update."),
	MMI_REAL_ROW("learner", "s_factor", mmi_settings, s_factor, 1, 0, MMI_LIMIT,
	             "Weight of the generator's term that reproduces revised tuples."),
	MMI_REAL_ROW("learner", "i_factor", mmi_settings, i_factor, 1, 0, MMI_LIMIT,
	             "Weight of the inference model's term that finds their latents."),
	MMI_COUNT_ROW("learner", "generator_updates", mmi_settings, generator_updates, 1, 0, MMI_LIMIT,
	              "Updates an iteration."),
	MMI_COUNT_ROW("learner", "inference_updates", mmi_settings, inference_updates, 1, 0, MMI_LIMIT,
	              "Updates an iteration."),
	MMI_COUNT_ROW("learner", "energy_updates", mmi_settings, energy_updates, 1, 0, 64,
	              "Updates an iteration. Each after the first has negatives of its own: the data chain goes on."),
	MMI_REAL_ROW("learner", "lr_generator", mmi_settings, generator.rate, 1e-3, 0, 10, "Adam's learning rate."),
	MMI_REAL_ROW("learner", "lr_inference", mmi_settings, inference.rate, 1e-3, 0, 10, "Adam's learning rate."),
	MMI_REAL_ROW("learner", "lr_energy", mmi_settings, energy.rate, 4e-4, 0, 10,
	             "Adam's learning rate. Its schedule begins and ends with the chains."),
	MMI_REAL_ROW("learner", "lr_match", mmi_settings, match.rate, 1e-3, 0, 10,
	             "Adam's learning rate for E_match ([energy] match)."),
	MMI_COUNT_ROW(
		"learner", "match_interval", mmi_settings, match_interval, 4, 1, MMI_LIMIT,
		"E_match learns in every so many-th iteration of a warm-up, where an update of it costs nearly as much as "
		"the ELBO's, and in each with chains, where it costs next to nothing."),
	MMI_REAL_ROW("learner", "weight_decay_generator", mmi_settings, generator.weight_decay, 0, 0, MMI_LIMIT,
	             "Added to the gradient, as L2."),
	MMI_REAL_ROW("learner", "weight_decay_inference", mmi_settings, inference.weight_decay, 0, 0, MMI_LIMIT,
	             "The same."),
	MMI_REAL_ROW("learner", "weight_decay_energy", mmi_settings, energy.weight_decay, 0, 0, MMI_LIMIT, "The same."),
	MMI_REAL_ROW("learner", "beta1", mmi_settings, generator.beta1, 0.9, 0, 0.999999, "Of Adam."),
	MMI_REAL_ROW("learner", "beta2", mmi_settings, generator.beta2, 0.999, 0, 0.9999999, "Of Adam."),
	MMI_REAL_ROW("learner", "adam_eps", mmi_settings, generator.eps, 1e-8, 1e-30, 1, "Of Adam."),
	MMI_SWITCH_ROW(
		"learner", "amsgrad", mmi_settings, generator.amsgrad, false,
		"Adam's steps divide by the largest second moment so far (AMSGrad), as published MMVAE+ and CMVAE runs do."),
	MMI_REAL_ROW("learner", "clip_norm", mmi_settings, generator.clip, 0, 0, MMI_LIMIT,
	             "Largest norm of a model's gradient; 0: no limit."),
	MMI_REAL_ROW(
		"learner", "generator_ema", mmi_settings, ema, 0, 0, 0.999999,
		"Decay of a moving average of the generator's parameters, which is then used at evaluation, at use and "
		"for the sheets of a run; 0: none."),
	MMI_OTHER_ROW("learner", "schedule", "constant",
	              "Schedule of all learning rates over the iterations: constant, linear(f) or cosine(f), f the factor "
	              "at the end."),
	MMI_REAL_ROW(
		"learner", "gap_limit", mmi_settings, gap_limit, 1000, 1, MMI_LIMIT,
		"An energy loss above so many times its running median stops the step and restores the last snapshot."),
	MMI_COUNT_ROW("learner", "snapshot_interval", mmi_settings, snapshot_interval, 100, 1, MMI_LIMIT,
	              "Iterations between snapshots in memory; checkpoints between them hold the last one too."),
	MMI_COUNT_ROW("learner", "max_rollbacks", mmi_settings, max_rollbacks, 10, 0, MMI_LIMIT,
	              "How often a snapshot may be restored before the run gives up."),
};
const mmi_key_table mmi_learner_keys = { "[learner]: the learner", course_keys, MMI_COUNT(course_keys) };

static const mmi_key loss_keys[] = {
	MMI_REAL_ROW("energy", "energy_l2", mmi_settings, energy_l2, 0, 0, MMI_LIMIT,
	             "Penalty on squared energies, for modalities without bounds."),
	MMI_REAL_ROW("energy", "swap_factor", mmi_settings, swap_factor, 0, 0, MMI_LIMIT,
	             "Weight of tuples of the data with one modality swapped, as further negatives beside the revised "
	             "ones. The energy model ranks them alone, without the experts' agreement."),
	MMI_REAL_ROW("energy", "swap_margin", mmi_settings, swap_margin, 2, 0, MMI_LIMIT,
	             "By how many standard deviations of the data's energies they should lie above the data; those that do "
	             "count no more."),
};
const mmi_key_table mmi_energy_loss_keys = { "[energy]: the energy model", loss_keys, MMI_COUNT(loss_keys) };

/* ------------------------------------------------------------ what one row cannot read */

/* objective: cooperative, or an ELBO as a baseline. warmup_objective: the ELBO of the warm-up. */
static mm_status read_objective(mmi_config *c, mmi_settings *s, mm_error *e)
{
	const char *names[32] = { "cooperative" };
	int objective, warm;
	for (int i = 0; mmi_objective_names[i]; i++)
		names[i + 1] = mmi_objective_names[i];
	MMI_TRY(mmi_config_choice(c, "learner", "objective", names, 0, &objective, e));
	s->cooperative = objective == 0;
	/* mmvae is the first, mmvae+ the same with private latents. */
	MMI_TRY(mmi_config_choice(c, "learner", "warmup_objective", mmi_objective_names, s->model.private_dim ? 3 : 0,
	                          &warm, e));
	s->elbo = mmi_objectives[s->cooperative ? warm : objective - 1];
	if (!s->cooperative)
		s->warmup = s->iterations;
	s->model.subset_weights = !s->cooperative && s->elbo->subset_weights;
	if (s->cooperative || !s->elbo->clusters)
		s->model.clusters = 0;
	s->model.latent_energy = !s->cooperative && s->elbo->latent_energy;
	if (s->model.latent_energy)
		s->model.spectral_norm = false; /* what bounds an energy of data bounds how much a prior can tell */
	s->model.fusion = s->cooperative ? MMI_FUSION_MIXTURE : s->elbo->fusion;
	return MM_OK;
}

/* x_step is a number, or auto(d). */
static mm_status read_x_step(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char expected[] =
		"a step size above 0, or auto(d) with a drift d between 0 and 1 of the modality's range";
	static const char *const names[] = { "auto", NULL };
	const char *text;
	int which;
	bool has_value;
	MMI_TRY(mmi_config_string(c, "learner", "x_step", "auto(0.02)", &text, e));
	if (strncmp(text, "auto", 4)) {
		bool good = mmi_value_float(text, &s->x_step) && s->x_step > 0 && s->x_step <= MMI_LIMIT;
		return good ? MM_OK : mmi_config_refuse(c, "learner", "x_step", expected, e);
	}
	MMI_TRY(mmi_config_call(c, "learner", "x_step", names, "auto(0.02)", &which, &has_value, &s->x_drift, e));
	if (!has_value || !(s->x_drift > 0) || s->x_drift > 1)
		return mmi_config_refuse(c, "learner", "x_step", expected, e);
	return MM_OK;
}

static mm_status read_schedule(mmi_config *c, mmi_settings *s, mm_error *e)
{
	int which;
	bool has_value;
	MMI_TRY(mmi_config_call(c, "learner", "schedule", schedules, "constant", &which, &has_value, &s->schedule_end, e));
	s->schedule = (mmi_schedule)which;
	if (!has_value)
		s->schedule_end = which == MMI_SCHEDULE_CONSTANT ? 1 : 0;
	if (s->schedule_end < 0 || s->schedule_end > 1)
		return mmi_config_refuse(c, "learner", "schedule", "constant, linear(f) or cosine(f) with f between 0 and 1",
		                         e);
	return MM_OK;
}

/* The three models share all but rate and weight decay. */
static void share_adam(mmi_settings *s)
{
	mmi_adam_config *const others[] = { &s->inference, &s->energy, &s->match };
	for (size_t i = 0; i < MMI_COUNT(others); i++) {
		mmi_adam_config own = *others[i];
		*others[i] = s->generator;
		others[i]->rate = own.rate;
		others[i]->weight_decay = own.weight_decay;
	}
}

/* ------------------------------------------------------------ checks */

/* What the objective asks of the latents. */
static mm_status check_objective(mmi_config *c, const mmi_settings *s, const char *key, mm_error *e)
{
	const mmi_objective *o = s->elbo;
	if (o->baseline_only && s->cooperative)
		return mmi_config_refuse(
			c, "learner", key,
			"mmvae, mopoe or others (this one is a baseline only: it learns what chains do not know)", e);
	if (o->normal_only && s->model.prior != MMI_PRIOR_NORMAL)
		return mmi_config_refuse(
			c, "learner", key,
			"with prior = laplace: mmvae, mmvae+, cmvae, mvebm or mwbvae (a product of Laplace experts is no Laplace)",
			e);
	if (o->private_only && !s->model.private_dim)
		return mmi_config_refuse(c, "learner", key,
		                         "with private_dim = 0: mmvae, mopoe or others (mmvae+ and cmvae need private latents)",
		                         e);
	if (o->shared_only && s->model.private_dim)
		return mmi_config_refuse(
			c, "learner", key, "with private_dim above 0: mmvae+, cmvae or mvebm (the others know no private latents)",
			e);
	if (s->draws > 1 && !o->expert)
		return mmi_config_refuse(c, "learner", "draws",
		                         "1, or mmvae, mmvae+ or cmvae as the objective (others are no mean over experts)", e);
	if (s->dreg && !o->expert)
		return mmi_config_refuse(c, "learner", "gradient",
		                         "bound, or mmvae, mmvae+ or cmvae as the objective (others have no weights of draws)",
		                         e);
	if (s->model.independent)
		return mmi_config_refuse(
			c, "learner", key,
			"with generators = independent: objective = cooperative and warmup = 0 (an ELBO needs a shared latent)", e);
	return MM_OK;
}

/* What becomes of Laplace experts. */
static bool keeps_laplace(mmi_fusion f)
{
	return f == MMI_FUSION_MIXTURE || f == MMI_FUSION_BARYCENTRE;
}

/* Chains of the learner start from single experts; what a translation from several starts from is a choice. */
static mm_status settle_fusion(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const mmi_fusion named[] = {
		[MMI_FUSION_WANT_MIXTURE] = MMI_FUSION_MIXTURE,     [MMI_FUSION_WANT_PRODUCT] = MMI_FUSION_PRODUCT,
		[MMI_FUSION_WANT_HELLINGER] = MMI_FUSION_HELLINGER, [MMI_FUSION_WANT_BARYCENTRE] = MMI_FUSION_BARYCENTRE,
		[MMI_FUSION_WANT_CONSENSUS] = MMI_FUSION_CONSENSUS,
	};
	const bool normal = s->model.prior == MMI_PRIOR_NORMAL, asked = s->wanted_fusion != MMI_FUSION_OF_OBJECTIVE;
	s->fusion = asked ? named[s->wanted_fusion] : s->elbo->fusion;
	if (!asked && !normal && !keeps_laplace(s->fusion))
		s->fusion = MMI_FUSION_MIXTURE; /* an objective that multiplies experts is refused by itself */
	if (asked && s->elbo->fusion == MMI_FUSION_PRODUCT_PRIOR)
		return mmi_config_refuse(c, "learner", "fusion",
		                         "objective after mvae (its experts mean nothing but multiplied, with the prior)", e);
	if (!normal && !keeps_laplace(s->fusion))
		return mmi_config_refuse(
			c, "learner", "fusion",
			"mixture or barycentre with prior = laplace (a product of Laplace experts is no Laplace)", e);
	if (s->cooperative && s->elbo->fusion == MMI_FUSION_PRODUCT_PRIOR)
		return mmi_config_refuse(c, "learner", "warmup_objective",
		                         "mmvae, mopoe, mvtcae or mmvae+ (chains start from single experts, "
		                         "which mean nothing without the prior after mvae)",
		                         e);
	return MM_OK;
}

static mm_status check_elbo(mmi_config *c, const mmi_settings *s, mm_error *e)
{
	if (s->warmup)
		return check_objective(c, s, s->cooperative ? "warmup_objective" : "objective", e);
	return s->elbo_updates && s->cooperative ? check_objective(c, s, "warmup_objective", e) : MM_OK;
}

static mm_status check_inference(mmi_config *c, const mmi_settings *s, mm_error *e)
{
	if (s->separate_inference && !s->experts_all)
		return mmi_config_refuse(c, "learner", "inference",
		                         "joint with experts = one; independent inference needs experts = all", e);
	if (s->separate_inference && (s->hide > 0 || s->keep_incomplete))
		return mmi_config_refuse(c, "learner", "inference", "joint where modalities may be missing", e);
	if (s->contrast_factor > 0 && s->model.independent)
		return mmi_config_refuse(c, "learner", "contrast_factor",
		                         "0 with generators = independent: experts share no latent to agree on", e);
	return MM_OK;
}

static mm_status check_starts(mmi_config *c, const mmi_settings *s, mm_error *e)
{
	if (s->x_start == MMI_START_BUFFER && s->x_buffer < s->batch)
		return mmi_config_refuse(c, "learner", "x_buffer", "at least one batch", e);
	if (s->translation_share > 0 && s->x_start != MMI_START_GENERATOR)
		return mmi_config_refuse(c, "learner", "translation_share",
		                         "0 with x_start = noise or buffer: a translation starts at the generator", e);
	if (s->translation_share > 0 && s->model.independent)
		return mmi_config_refuse(c, "learner", "translation_share",
		                         "0 with generators = independent: nothing is shared to translate by", e);
	return MM_OK;
}

mm_status mmi_learner_settings_read(mmi_config *c, mmi_settings *s, mm_error *e)
{
	MMI_TRY(mmi_keys_read(c, &mmi_latent_keys, &s->model, e));
	MMI_TRY(mmi_keys_read(c, &mmi_learner_keys, s, e));
	MMI_TRY(mmi_keys_read(c, &mmi_energy_keys, &s->model, e));
	MMI_TRY(mmi_keys_read(c, &mmi_energy_loss_keys, s, e));
	MMI_TRY(mmi_model_check(c, &s->model, e));
	MMI_TRY(read_objective(c, s, e));
	if (!s->cooperative) /* it belongs to the energy model, which a baseline has not */
		s->model.match = MMI_MATCH_NONE;
	MMI_TRY(read_x_step(c, s, e));
	MMI_TRY(read_schedule(c, s, e));
	share_adam(s);
	MMI_TRY(settle_fusion(c, s, e));
	MMI_TRY(check_elbo(c, s, e));
	MMI_TRY(check_inference(c, s, e));
	return check_starts(c, s, e);
}

/* ------------------------------------------------------------ what follows from them */

double mmi_settings_schedule(const mmi_settings *s, uint64_t iteration)
{
	return mmi_settings_schedule_at(s, s->iterations ? (double)iteration / (double)s->iterations : 0);
}

double mmi_settings_schedule_at(const mmi_settings *s, double done)
{
	double end = s->schedule_end;
	if (done > 1)
		done = 1;
	switch (s->schedule) {
	case MMI_SCHEDULE_LINEAR:
		return 1 + (end - 1) * done;
	case MMI_SCHEDULE_COSINE:
		return end + (1 - end) * 0.5 * (1 + cos(3.14159265358979323846 * done));
	default:
		return 1;
	}
}

mmi_posterior_args mmi_settings_posterior(const mmi_settings *s, uint32_t n)
{
	return (mmi_posterior_args){ .steps = s->cooperative ? s->z_steps : 0,
		                         .step = s->z_step,
		                         .noise = s->z_noise,
		                         .grad_scale = s->experts_all && s->expert_reduce_mean ? 1.0 / n : 1.0 };
}

double mmi_settings_x_step(const mmi_settings *s, double measured)
{
	return s->x_drift > 0 ? measured : s->x_step;
}

mmi_chains mmi_settings_chains(const mmi_settings *s, uint32_t n, const mmi_recipe *r, double x_step)
{
	const mmi_posterior_args posterior = mmi_settings_posterior(s, n);
	const mmi_revise_args revise = mmi_settings_revise(s, x_step, -1);
	mmi_chains out = mmi_recipe_chains(r, &posterior, &revise);
	if (!s->model.match && !(s->model.agreement > 0))
		out.revise.rise_max = 0; /* there is nothing that could rise */
	return out;
}

mmi_revise_args mmi_settings_revise(const mmi_settings *s, double x_step, int64_t steps)
{
	return (mmi_revise_args){ .steps = steps >= 0 ? (uint32_t)steps : s->x_steps,
		                      .step = x_step,
		                      .noise = s->x_noise,
		                      .move_max = s->x_move_max,
		                      .clamp = s->clamp,
		                      .from_noise = s->x_start == MMI_START_NOISE };
}
