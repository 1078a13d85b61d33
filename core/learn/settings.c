/* settings.c - the INI's sections about the run, as typed settings. */
#include "mmi_build.h"

#include "learn/settings.h"
#include "config/value.h"
#include "learn/objectives/objective.h"
#include "engine/pool.h"

#include <math.h>
#include <string.h>

#define LIMIT 1e9 /* upper bound of counts and factors: beyond it something was mistyped */

static mm_status get_u32(mmi_config *c, const char *section, const char *key, uint32_t fallback, uint32_t min, uint32_t *out, mm_error *e)
{
	int64_t value;
	MMI_TRY(mmi_config_int(c, section, key, fallback, min, (int64_t)LIMIT, &value, e));
	*out = (uint32_t)value;
	return MM_OK;
}

static mm_status get_u64(mmi_config *c, const char *section, const char *key, uint64_t fallback, uint64_t *out, mm_error *e)
{
	int64_t value;
	MMI_TRY(mmi_config_int(c, section, key, (int64_t)fallback, 0, INT64_MAX, &value, e));
	*out = (uint64_t)value;
	return MM_OK;
}

static mm_status get_factor(mmi_config *c, const char *section, const char *key, double fallback, double *out, mm_error *e)
{
	return mmi_config_float(c, section, key, fallback, 0, LIMIT, out, e);
}

static mm_status get_choice(mmi_config *c, const char *section, const char *key, const char *const *names, int fallback, int *out, mm_error *e)
{
	return mmi_config_choice(c, section, key, names, fallback, out, e);
}

static mm_status read_run(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char *const devices[] = { "cpu", NULL };
	static const char *const clocks[] = { "wall", "cpu", NULL };
	static const char *const rules[] = { "none", "nll", NULL };
	int device, kind, rule;
	MMI_TRY(get_u64(c, "run", "seed", 1, &s->seed, e));
	MMI_TRY(get_u32(c, "run", "threads", 0, 0, &s->threads, e));
	MMI_TRY(get_u32(c, "run", "chunk", 16, 1, &s->chunk, e));
	MMI_TRY(get_choice(c, "run", "device", devices, 0, &device, e));
	MMI_TRY(mmi_config_string(c, "run", "plugin_path", NULL, &s->plugin_path, e));
	MMI_TRY(get_factor(c, "run", "minutes", 0, &s->minutes, e));
	MMI_TRY(get_choice(c, "run", "clock", clocks, 0, &kind, e));
	MMI_TRY(get_choice(c, "run", "select", rules, 0, &rule, e));
	s->device = devices[device];
	s->cpu_clock = kind == 1;
	s->select_nll = rule == 1;
	if (s->threads == 0)
		s->threads = mmi_pool_processors();
	if (s->threads > 1024)
		return mmi_config_refuse(c, "run", "threads", "at most 1024", e);
	return MM_OK;
}

static mm_status read_output(mmi_config *c, mmi_settings *s, mm_error *e)
{
	MMI_TRY(get_u32(c, "run", "log_interval", 20, 1, &s->log_interval, e));
	MMI_TRY(get_u32(c, "run", "checkpoint_interval", 500, 1, &s->checkpoint_interval, e));
	MMI_TRY(get_u32(c, "run", "checkpoint_keep", 3, 1, &s->checkpoint_keep, e));
	MMI_TRY(get_u32(c, "run", "grid_interval", 500, 1, &s->grid_interval, e));
	MMI_TRY(get_u32(c, "run", "grid_columns", 12, 1, &s->grid_columns, e));
	return MM_OK;
}

static mm_status read_data(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char *const choices[] = { "drop", "keep", NULL };
	int incomplete;
	MMI_TRY(get_u32(c, "data", "holdout", 0, 0, &s->holdout, e));
	MMI_TRY(mmi_config_float(c, "data", "hide", 0, 0, 0.999, &s->hide, e));
	MMI_TRY(get_choice(c, "data", "incomplete", choices, 0, &incomplete, e));
	s->keep_incomplete = incomplete == 1;
	if (s->select_nll && !s->holdout)
		return mmi_config_refuse(c, "run", "select", "none with [data] holdout = 0: there are no validation tuples to select by", e);
	return MM_OK;
}

static mm_status read_latent(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char *const priors[] = { "normal", "laplace", NULL };
	static const char *const heads[] = { "softplus", "log_variance", NULL };
	int prior, head;
	static const char *const sharings[] = { "shared", "independent", NULL };
	int sharing;
	uint32_t dim, private_dim;
	MMI_TRY(get_u32(c, "learner", "latent_dim", 32, 1, &dim, e));
	MMI_TRY(get_u32(c, "learner", "private_dim", 0, 0, &private_dim, e));
	MMI_TRY(get_choice(c, "learner", "generators", sharings, 0, &sharing, e));
	MMI_TRY(get_choice(c, "learner", "prior", priors, MMI_PRIOR_NORMAL, &prior, e));
	MMI_TRY(get_choice(c, "learner", "scale_head", heads, MMI_SCALE_SOFTPLUS, &head, e));
	if (dim > 65536)
		return mmi_config_refuse(c, "learner", "latent_dim", "at most 65536", e);
	if (private_dim > 65536)
		return mmi_config_refuse(c, "learner", "private_dim", "at most 65536", e);
	s->model.independent = sharing == 1;
	if (s->model.independent && private_dim)
		return mmi_config_refuse(c, "learner", "private_dim", "0 with generators = independent: all latents are private then", e);
	s->model.latent_dim = (int32_t)dim;
	s->model.private_dim = (int32_t)private_dim;
	s->model.prior = (mmi_prior)prior;
	s->model.scale_head = (mmi_scale_head)head;
	return MM_OK;
}

/* What the objective asks of the latents. */
static mm_status check_objective(mmi_config *c, const mmi_settings *s, const char *key, mm_error *e)
{
	const mmi_objective *o = s->elbo;
	if (o->normal_only && s->model.prior != MMI_PRIOR_NORMAL)
		return mmi_config_refuse(c, "learner", key, "with prior = laplace: mmvae or mmvae+ (a product of Laplace experts is no Laplace)", e);
	if (o->private_only && !s->model.private_dim)
		return mmi_config_refuse(c, "learner", key, "with private_dim = 0: mmvae, mvae, mopoe or mvtcae (mmvae+ needs private latents)", e);
	if (o->shared_only && s->model.private_dim)
		return mmi_config_refuse(c, "learner", key, "with private_dim above 0: mmvae+ (the others know no private latents)", e);
	if (s->model.independent)
		return mmi_config_refuse(c, "learner", key, "with generators = independent: objective = cooperative and warmup = 0 (an ELBO needs a shared latent)", e);
	return MM_OK;
}

/* Chains of the learner start from single experts; what a translation from several starts from is a choice. */
static mm_status read_fusion(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char *const names[] = { "objective", "mixture", "product", NULL };
	int fusion;
	MMI_TRY(get_choice(c, "learner", "fusion", names, 0, &fusion, e));
	bool normal = s->model.prior == MMI_PRIOR_NORMAL; /* where it is not, an objective that multiplies experts is refused by itself */
	s->fusion = fusion == 0 && normal ? s->elbo->fusion : fusion == 2 ? MMI_FUSION_PRODUCT : MMI_FUSION_MIXTURE;
	if (fusion && s->elbo->fusion == MMI_FUSION_PRODUCT_PRIOR)
		return mmi_config_refuse(c, "learner", "fusion", "objective after mvae (its experts mean nothing but multiplied, with the prior)", e);
	if (fusion == 2 && !normal)
		return mmi_config_refuse(c, "learner", "fusion", "mixture with prior = laplace (a product of Laplace experts is no Laplace)", e);
	return MM_OK;
}

/* objective: cooperative, or an ELBO as a baseline. warmup_objective: the ELBO of the warm-up. */
static mm_status read_objective(mmi_config *c, mmi_settings *s, mm_error *e)
{
	const char *names[16] = { "cooperative" };
	int objective, warm;
	for (int i = 0; mmi_objective_names[i]; i++)
		names[i + 1] = mmi_objective_names[i];
	MMI_TRY(get_choice(c, "learner", "objective", names, 0, &objective, e));
	s->cooperative = objective == 0;
	/* mmvae is the first, mmvae+ the same with private latents. */
	MMI_TRY(get_choice(c, "learner", "warmup_objective", mmi_objective_names, s->model.private_dim ? 3 : 0, &warm, e));
	s->elbo = mmi_objectives[s->cooperative ? warm : objective - 1];
	if (!s->cooperative)
		s->warmup = s->iterations;
	s->model.fusion = s->cooperative ? MMI_FUSION_MIXTURE : s->elbo->fusion;
	MMI_TRY(read_fusion(c, s, e));
	if (s->cooperative && s->elbo->fusion == MMI_FUSION_PRODUCT_PRIOR)
		return mmi_config_refuse(c, "learner", "warmup_objective", "mmvae, mopoe, mvtcae or mmvae+ (chains start from single experts, "
		                         "which mean nothing without the prior after mvae)", e);
	return s->warmup ? check_objective(c, s, s->cooperative ? "warmup_objective" : "objective", e) : MM_OK;
}

static mm_status read_contrast(mmi_config *c, mmi_settings *s, mm_error *e)
{
	MMI_TRY(get_factor(c, "learner", "contrast_factor", 0, &s->contrast_factor, e));
	MMI_TRY(get_u64(c, "learner", "contrast_start", 0, &s->contrast_start, e));
	MMI_TRY(mmi_config_float(c, "learner", "contrast_temperature", 0.1, 1e-3, LIMIT, &s->contrast_temperature, e));
	uint32_t dim;
	MMI_TRY(get_u32(c, "learner", "contrast_dim", 0, 0, &dim, e));
	if (dim > (uint32_t)s->model.latent_dim)
		return mmi_config_refuse(c, "learner", "contrast_dim", "at most latent_dim (0: all of it)", e);
	s->model.agreement_dim = (int32_t)dim;
	if (s->contrast_factor > 0 && s->model.independent)
		return mmi_config_refuse(c, "learner", "contrast_factor", "0 with generators = independent: experts share no latent to agree on", e);
	return MM_OK;
}

static mm_status read_course(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char *const experts[] = { "one", "all", NULL };
	static const char *const reductions[] = { "sum", "mean", NULL };
	static const char *const targets[] = { "mixture", "each", "both", NULL };
	static const char *const chains[] = { "joint", "own", NULL };
	static const char *const inferences[] = { "joint", "independent", NULL };
	int which, reduce, target, own, separate;
	MMI_TRY(get_u64(c, "learner", "iterations", 6000, &s->iterations, e));
	MMI_TRY(get_u64(c, "learner", "warmup", 0, &s->warmup, e));
	MMI_TRY(get_u32(c, "learner", "batch", 64, 1, &s->batch, e));
	MMI_TRY(get_factor(c, "learner", "beta", 1, &s->beta, e));
	MMI_TRY(read_contrast(c, s, e));
	MMI_TRY(get_choice(c, "learner", "experts", experts, 0, &which, e));
	MMI_TRY(get_choice(c, "learner", "expert_reduce", reductions, 0, &reduce, e));
	MMI_TRY(get_choice(c, "learner", "inference_target", targets, MMI_TARGET_MIXTURE, &target, e));
	MMI_TRY(get_choice(c, "learner", "private_chain", chains, 0, &own, e));
	MMI_TRY(get_choice(c, "learner", "inference", inferences, 0, &separate, e));
	if (s->iterations > UINT32_MAX)
		return mmi_config_refuse(c, "learner", "iterations", "at most 4294967295", e);
	s->experts_all = which == 1;
	s->expert_reduce_mean = reduce == 1;
	s->inference_target = (mmi_inference_target)target;
	s->private_own = own == 1;
	s->separate_inference = separate == 1;
	if (s->separate_inference && !s->experts_all)
		return mmi_config_refuse(c, "learner", "inference", "joint with experts = one; independent inference needs experts = all", e);
	if (s->separate_inference && (s->hide > 0 || s->keep_incomplete))
		return mmi_config_refuse(c, "learner", "inference", "joint where modalities may be missing", e);
	return read_objective(c, s, e);
}

/* x_step is a number, or auto(d). */
static mm_status read_x_step(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char expected[] = "a step size above 0, or auto(d) with a drift d between 0 and 1 of the modality's range";
	static const char *const names[] = { "auto", NULL };
	const char *text;
	int which;
	bool has_value;
	MMI_TRY(mmi_config_string(c, "learner", "x_step", "auto(0.02)", &text, e));
	if (strncmp(text, "auto", 4)) {
		bool good = mmi_value_float(text, &s->x_step) && s->x_step > 0 && s->x_step <= LIMIT;
		return good ? MM_OK : mmi_config_refuse(c, "learner", "x_step", expected, e);
	}
	MMI_TRY(mmi_config_call(c, "learner", "x_step", names, "auto(0.02)", &which, &has_value, &s->x_drift, e));
	if (!has_value || !(s->x_drift > 0) || s->x_drift > 1)
		return mmi_config_refuse(c, "learner", "x_step", expected, e);
	return MM_OK;
}

/* A count of at least `least`, or -1 for that of samples. */
static mm_status get_or_same(mmi_config *c, const char *key, int64_t least, uint32_t samples, uint32_t *out, mm_error *e)
{
	int64_t n;
	MMI_TRY(mmi_config_int(c, "learner", key, -1, -1, (int64_t)LIMIT, &n, e));
	if (n >= 0 && n < least)
		return mmi_config_refuse(c, "learner", key, "at least 1, or -1 for as many as samples have", e);
	*out = n < 0 ? samples : (uint32_t)n;
	return MM_OK;
}

static mm_status read_guide(mmi_config *c, mmi_settings *s, mm_error *e)
{
	MMI_TRY(get_u32(c, "learner", "guide_candidates", 1, 1, &s->guide_candidates, e));
	MMI_TRY(get_u32(c, "learner", "guide_steps", 0, 0, &s->guide_steps, e));
	MMI_TRY(get_or_same(c, "translation_candidates", 1, s->guide_candidates, &s->translation_candidates, e));
	MMI_TRY(get_or_same(c, "translation_guide_steps", 0, s->guide_steps, &s->translation_guide_steps, e));
	MMI_TRY(get_factor(c, "learner", "translation_temperature", 1, &s->translation_temperature, e));
	MMI_TRY(get_factor(c, "learner", "guide_step", 0.1, &s->guide_step, e));
	MMI_TRY(get_factor(c, "learner", "guide_noise", 0.1, &s->guide_noise, e));
	MMI_TRY(mmi_config_bool(c, "learner", "guide_training", false, &s->guide_training, e));
	return get_factor(c, "learner", "guide_weight", 10, &s->guide_weight, e);
}

static mm_status read_x_start(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char *const starts[] = { "generator", "noise", "buffer", NULL };
	static const char *const missing[] = { "impute", "skip", NULL };
	int start, impute;
	MMI_TRY(get_choice(c, "learner", "x_start", starts, MMI_START_GENERATOR, &start, e));
	MMI_TRY(get_u32(c, "learner", "x_buffer", 1024, 1, &s->x_buffer, e));
	MMI_TRY(mmi_config_float(c, "learner", "x_refresh", 0.05, 0, 1, &s->x_refresh, e));
	MMI_TRY(mmi_config_float(c, "learner", "translation_share", 0, 0, 1, &s->translation_share, e));
	MMI_TRY(get_choice(c, "learner", "missing_energy", missing, 0, &impute, e));
	s->x_start = (mmi_x_start)start;
	s->impute = impute == 0;
	if (s->x_start == MMI_START_BUFFER && s->x_buffer < s->batch)
		return mmi_config_refuse(c, "learner", "x_buffer", "at least one batch", e);
	if (s->translation_share > 0 && s->x_start != MMI_START_GENERATOR)
		return mmi_config_refuse(c, "learner", "translation_share", "0 with x_start = noise or buffer: a translation starts at the generator", e);
	if (s->translation_share > 0 && s->model.independent)
		return mmi_config_refuse(c, "learner", "translation_share", "0 with generators = independent: nothing is shared to translate by", e);
	return MM_OK;
}

static mm_status read_chains(mmi_config *c, mmi_settings *s, mm_error *e)
{
	MMI_TRY(read_x_step(c, s, e));
	MMI_TRY(get_u32(c, "learner", "x_steps", 10, 0, &s->x_steps, e));
	MMI_TRY(get_or_same(c, "translation_x_steps", 0, s->x_steps, &s->translation_x_steps, e));
	MMI_TRY(get_factor(c, "learner", "x_noise", 0.002, &s->x_noise, e));
	MMI_TRY(get_factor(c, "learner", "x_move_max", 0, &s->x_move_max, e));
	MMI_TRY(mmi_config_bool(c, "learner", "clamp", true, &s->clamp, e));
	MMI_TRY(get_u32(c, "learner", "z_steps", 10, 0, &s->z_steps, e));
	MMI_TRY(get_factor(c, "learner", "z_step", 0.1, &s->z_step, e));
	MMI_TRY(get_factor(c, "learner", "z_noise", 0.1, &s->z_noise, e));
	MMI_TRY(read_x_start(c, s, e));
	MMI_TRY(read_guide(c, s, e));
	MMI_TRY(mmi_config_bool(c, "learner", "refresh_negatives", false, &s->refresh_negatives, e));
	MMI_TRY(get_factor(c, "learner", "s_factor", 1, &s->s_factor, e));
	return get_factor(c, "learner", "i_factor", 1, &s->i_factor, e);
}

static mm_status read_adam(mmi_config *c, mmi_settings *s, mm_error *e)
{
	double beta1, beta2, eps, clip;
	struct {
		const char *rate, *decay;
		double fallback;
		mmi_adam_config *to;
	} models[] = {
		{ "lr_generator", "weight_decay_generator", 1e-3, &s->generator },
		{ "lr_inference", "weight_decay_inference", 1e-3, &s->inference },
		{ "lr_energy", "weight_decay_energy", 4e-4, &s->energy },
	};
	MMI_TRY(mmi_config_float(c, "learner", "beta1", 0.9, 0, 0.999999, &beta1, e));
	MMI_TRY(mmi_config_float(c, "learner", "beta2", 0.999, 0, 0.9999999, &beta2, e));
	MMI_TRY(mmi_config_float(c, "learner", "adam_eps", 1e-8, 1e-30, 1, &eps, e));
	MMI_TRY(get_factor(c, "learner", "clip_norm", 0, &clip, e));
	MMI_TRY(mmi_config_float(c, "learner", "generator_ema", 0, 0, 0.999999, &s->ema, e));
	for (size_t i = 0; i < MMI_COUNT(models); i++) {
		mmi_adam_config *a = models[i].to;
		*a = (mmi_adam_config){ .beta1 = beta1, .beta2 = beta2, .eps = eps, .clip = clip };
		MMI_TRY(mmi_config_float(c, "learner", models[i].rate, models[i].fallback, 0, 10, &a->rate, e));
		MMI_TRY(get_factor(c, "learner", models[i].decay, 0, &a->weight_decay, e));
	}
	return MM_OK;
}

static mm_status read_updates(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char *const schedules[] = { "constant", "linear", "cosine", NULL };
	int which;
	bool has_value;
	MMI_TRY(get_u32(c, "learner", "generator_updates", 1, 0, &s->generator_updates, e));
	MMI_TRY(get_u32(c, "learner", "inference_updates", 1, 0, &s->inference_updates, e));
	MMI_TRY(get_u32(c, "learner", "energy_updates", 1, 0, &s->energy_updates, e));
	MMI_TRY(get_u32(c, "learner", "elbo_updates", 0, 0, &s->elbo_updates, e));
	MMI_TRY(get_u32(c, "learner", "chain_interval", 1, 1, &s->chain_interval, e));
	if ((s->elbo_updates || s->chain_interval > 1) && s->cooperative && !s->warmup)
		MMI_TRY(check_objective(c, s, "warmup_objective", e));
	MMI_TRY(mmi_config_call(c, "learner", "schedule", schedules, "constant", &which, &has_value, &s->schedule_end, e));
	s->schedule = (mmi_schedule)which;
	if (!has_value)
		s->schedule_end = which == MMI_SCHEDULE_CONSTANT ? 1 : 0;
	if (s->schedule_end < 0 || s->schedule_end > 1)
		return mmi_config_refuse(c, "learner", "schedule", "constant, linear(f) or cosine(f) with f between 0 and 1", e);
	MMI_TRY(mmi_config_float(c, "learner", "gap_limit", 1000, 1, LIMIT, &s->gap_limit, e));
	MMI_TRY(get_u32(c, "learner", "snapshot_interval", 100, 1, &s->snapshot_interval, e));
	return get_u32(c, "learner", "max_rollbacks", 10, 0, &s->max_rollbacks, e);
}

static mm_status read_energy(mmi_config *c, mmi_settings *s, mm_error *e)
{
	static const char *const pools[] = { "sum", "mean", NULL };
	static const char *const heads[] = { "mlp", "linear", NULL };
	static const char *const shortcuts[] = { "3", "1", NULL };
	static const char *const trunks[] = { "joint", "separate", NULL };
	int pool, head, shortcut, trunk;
	uint32_t nef, blocks;
	MMI_TRY(get_u32(c, "energy", "nef", 32, 1, &nef, e));
	MMI_TRY(get_u32(c, "energy", "blocks", 4, 1, &blocks, e));
	MMI_TRY(get_choice(c, "energy", "pool", pools, MMI_POOL_SUM, &pool, e));
	MMI_TRY(get_choice(c, "energy", "head", heads, MMI_HEAD_MLP, &head, e));
	MMI_TRY(get_choice(c, "energy", "trunk", trunks, 0, &trunk, e));
	MMI_TRY(get_choice(c, "energy", "shortcut_kernel", shortcuts, 0, &shortcut, e));
	MMI_TRY(mmi_config_bool(c, "energy", "spectral_norm", true, &s->model.spectral_norm, e));
	MMI_TRY(get_factor(c, "energy", "agreement", 0, &s->model.agreement, e));
	MMI_TRY(get_factor(c, "energy", "energy_l2", 0, &s->energy_l2, e));
	MMI_TRY(get_factor(c, "energy", "swap_factor", 0, &s->swap_factor, e));
	MMI_TRY(get_factor(c, "energy", "swap_margin", 2, &s->swap_margin, e));
	if (s->model.agreement > 0 && s->model.independent)
		return mmi_config_refuse(c, "energy", "agreement", "0 with generators = independent: experts share no latent to agree on", e);
	if (nef > 8192 || blocks > 64)
		return mmi_config_refuse(c, "energy", nef > 8192 ? "nef" : "blocks", "at most 8192 channels and 64 blocks", e);
	s->model.nef = (int32_t)nef;
	s->model.blocks = (int32_t)blocks;
	s->model.pool = (mmi_pool_kind)pool;
	s->model.head = (mmi_head_kind)head;
	s->model.separate_trunks = trunk == 1;
	s->model.shortcut_kernel = shortcut == 0 ? 3 : 1;
	return MM_OK;
}

mm_status mmi_settings_read(mmi_config *c, mmi_settings *out, mm_error *e)
{
	mmi_settings s = { 0 };
	MMI_TRY(read_run(c, &s, e));
	MMI_TRY(read_output(c, &s, e));
	MMI_TRY(read_data(c, &s, e));
	MMI_TRY(read_latent(c, &s, e));
	MMI_TRY(read_course(c, &s, e));
	MMI_TRY(read_chains(c, &s, e));
	MMI_TRY(read_adam(c, &s, e));
	MMI_TRY(read_updates(c, &s, e));
	MMI_TRY(read_energy(c, &s, e));
	s.model.seed = s.seed;
	*out = s;
	return MM_OK;
}

mmi_guide_args mmi_settings_guide(const mmi_settings *s, bool translation, int64_t candidates, int64_t steps)
{
	const uint32_t own[2] = { translation ? s->translation_candidates : s->guide_candidates,
	                          translation ? s->translation_guide_steps : s->guide_steps };
	return (mmi_guide_args){ .candidates = candidates >= 0 ? (uint32_t)candidates : own[0],
	                         .steps = steps >= 0 ? (uint32_t)steps : own[1], .step = s->guide_step, .noise = s->guide_noise,
	                         .weight = s->guide_weight };
}

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

mmi_revise_args mmi_settings_revise(const mmi_settings *s, bool translation, double x_step, int64_t steps)
{
	const uint32_t own = translation ? s->translation_x_steps : s->x_steps;
	return (mmi_revise_args){ .steps = steps >= 0 ? (uint32_t)steps : own, .step = x_step, .noise = s->x_noise,
	                          .move_max = s->x_move_max, .clamp = s->clamp };
}
