/* settings.h - what the INI's sections [run], [data], [learner], [energy], [sample] and [translate] say, typed. */
#ifndef MMI_LEARN_SETTINGS_H
#define MMI_LEARN_SETTINGS_H

#include "config/table.h"
#include "engine/optimiser.h"
#include "mcmc/recipe.h"
#include "mcmc/sampler.h"
#include "model/model.h"

#define MMI_STEP_MAX 1e12 /* of a data chain: beyond what settings and calibration give */

typedef enum { MMI_SCHEDULE_CONSTANT, MMI_SCHEDULE_LINEAR, MMI_SCHEDULE_COSINE } mmi_schedule;

typedef enum { MMI_START_GENERATOR, MMI_START_NOISE, MMI_START_BUFFER } mmi_x_start;

typedef enum {
	MMI_FUSION_OF_OBJECTIVE,
	MMI_FUSION_WANT_MIXTURE,
	MMI_FUSION_WANT_PRODUCT,
	MMI_FUSION_WANT_HELLINGER,
	MMI_FUSION_WANT_BARYCENTRE,
	MMI_FUSION_WANT_CONSENSUS
} mmi_wanted_fusion;

/* Of operands of products. */
enum { MMI_PRECISION_TF32, MMI_PRECISION_FLOAT32, MMI_PRECISION_BFLOAT16 };

typedef struct mmi_settings {
	/* [run] */
	uint64_t seed;
	const char *device;      /* its name, "cpu" */
	uint32_t threads;        /* resolved: at least 1 */
	uint32_t chunk;          /* samples a worker takes through a chain at once, at most */
	uint32_t device_chunk;   /* the same of a GPU; 0: a batch, or a rank's part of it */
	const char *plugin_path; /* or NULL */
	int device_number;       /* in the list of devices */
	int precision;           /* MMI_PRECISION_...; on the host TF32 is float32 */
	double rank_timeout;     /* seconds for which another rank may not answer; 0: for ever */
	double minutes;          /* of training; 0: no time budget, `iterations` ends the run */
	bool select_nll;         /* the best checkpoint by the validation tuples' likelihood is kept */
	bool cpu_clock;          /* minutes and seconds of processor time a thread, not of the clock on the wall */
	/* [data] */
	const char *root;     /* or NULL */
	uint32_t holdout;     /* tuples kept out of training for validation */
	double hide;          /* share of the training data's modalities that are hidden, at random */
	bool keep_incomplete; /* tuples that lack modalities are trained on */
	/* [learner] */
	uint64_t iterations;              /* with a time budget only what warmup is a share of */
	const struct mmi_objective *elbo; /* what warm-up and baselines minimise */
	mmi_wanted_fusion wanted_fusion;
	mmi_fusion fusion; /* of several given modalities, at use: what that says, or the objective */
	bool cooperative;  /* false: a baseline, the ELBO all the way */
	uint64_t warmup;   /* iterations of the ELBO before the chains start; all of them for a baseline */
	uint32_t batch;
	bool experts_all;            /* all: a chain from every expert; one: from one drawn per sample */
	bool expert_reduce_mean;     /* the paper's listing: each chain's gradient divided by their number */
	double beta;                 /* weight of the ELBO's divergence */
	uint32_t draws;              /* of each expert in an ELBO, weighted by importance; 1: one, as it is */
	bool dreg;                   /* whose gradient to the encoders is doubly reparametrised */
	double contrast_factor;      /* weight of the contrastive loss between experts; 0: none */
	uint64_t contrast_start;     /* iterations before it starts, counted as warmup is */
	double contrast_temperature; /* of its similarities */
	mmi_inference_target inference_target;
	bool private_own;         /* own: an expert's chain moves its own w only; joint: that of every observed modality */
	bool separate_inference;  /* ablation: the chain from expert m sees x_m alone and teaches expert m alone */
	mmi_x_start x_start;      /* where the data chain begins */
	uint32_t x_buffer;        /* tuples of persistent chains */
	double x_refresh;         /* share of them that begin anew at the generator */
	double translation_share; /* of the data chains in training start as translations from one modality of the data,
	                             which is held */
	bool impute;              /* incomplete tuples enter the energy's data term completed; otherwise not at all */
	double ema;               /* decay of the generator's moving average; 0: none */
	uint32_t x_steps, z_steps;
	double x_step, x_noise; /* s, n; x_step is 0 while it is measured */
	double x_drift;         /* wanted rms drift of the first step, 0: x_step is given */
	double x_move_max;
	bool clamp;
	double z_step, z_noise;
	double s_factor, i_factor;
	double energy_l2;
	double swap_factor; /* weight of tuples with one modality swapped, as further negatives */
	double swap_margin; /* by which they should lie above the data, in standard deviations of E(data) */
	bool refresh_negatives;
	uint32_t match_interval; /* iterations of a warm-up between updates of E_match */
	uint32_t generator_updates, inference_updates, energy_updates;
	uint32_t elbo_updates; /* of generator and inference by the ELBO, beside the chains */
	mmi_adam_config generator, inference, energy, match;
	mmi_schedule schedule;
	double schedule_end; /* factor of the rates at the last iteration */
	/* guards */
	double gap_limit; /* times the running median of |energy loss| */
	uint32_t snapshot_interval, max_rollbacks;
	/* how samples and translations are drawn */
	mmi_recipe sample, translate;
	/* output */
	uint32_t log_interval, checkpoint_interval, checkpoint_keep, grid_interval, grid_columns;
	bool tensorboard;
	mmi_model_config model;
} mmi_settings;

extern const mmi_key_table mmi_learner_keys, mmi_energy_loss_keys; /* into an mmi_settings */

/* Reads and checks the keys of [learner] and [energy]; those of [run] and [data] must be there already. */
mm_status mmi_learner_settings_read(mmi_config *c, mmi_settings *s, mm_error *e);
/* The posterior chain of training over n modalities: with experts = all and expert_reduce = mean a chain takes its
 * share of the gradient. */
mmi_posterior_args mmi_settings_posterior(const mmi_settings *s, uint32_t n);
/* The data chain with the s that was measured, with another number of steps if steps >= 0. */
mmi_revise_args mmi_settings_revise(const mmi_settings *s, double x_step, int64_t steps);
/* The data chain's step size s: the number that is set, or what training measured where it is auto. */
double mmi_settings_x_step(const mmi_settings *s, double measured);
/* A recipe with the chains as training has them over n modalities, and the s that was measured. */
mmi_chains mmi_settings_chains(const mmi_settings *s, uint32_t n, const mmi_recipe *r, double x_step);
/* Factor of the learning rates at an iteration. */
double mmi_settings_schedule(const mmi_settings *s, uint64_t iteration);
/* The same where the share `done` (0..1) of a run is over. */
double mmi_settings_schedule_at(const mmi_settings *s, double done);

#endif
