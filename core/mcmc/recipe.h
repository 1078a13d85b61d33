/* recipe.h - how samples and translations are drawn from a trained model: the sections [sample] and [translate].
 *
 *   sample     z ~ p0; the best of several draws; a latent chain down the joint energy; decoded; the data chain
 *   translate  z ~ q(z | x given); the best of several draws; the posterior chain; the latent chain; decoded; the data
 * chain
 *
 * No matter of training: the same rows are read wherever something is drawn. */
#ifndef MMI_RECIPE_H
#define MMI_RECIPE_H

#include "config/table.h"
#include "mcmc/sampler.h"

/* Which terms of the joint energy choose among draws and guide latents. */
typedef enum { MMI_GUIDE_JOINT, MMI_GUIDE_MATCH, MMI_GUIDE_AGREEMENT, MMI_GUIDE_BOTH } mmi_guide_kind;

/* What samples of a trained model are drawn from. */
typedef enum { MMI_SAMPLES_OF_MODEL, MMI_SAMPLES_OF_FITTED, MMI_SAMPLES_OF_EITHER } mmi_sample_prior;

typedef struct mmi_recipe {
	double temperature;    /* of the experts' draws that translations start from */
	uint32_t candidates;   /* draws of which one is chosen by its joint energy; 1: no choice */
	uint32_t latent_steps; /* of the chain that moves latents down the joint energy; 0: none */
	double latent_step, latent_noise, weight;
	mmi_guide_kind guide;
	int64_t posterior_steps; /* of the posterior chain of translations; negative: as in training */
	int64_t data_steps;      /* of the data chain; negative: as in training */
	double rise_max;         /* bound of the data chain by the guide's terms without texture, in nats; 0: none */
	mmi_sample_prior prior;  /* of samples */
	uint32_t components;     /* of the mixture that is fitted when a run ends; 0: none is */
	bool no_energy;          /* nothing of the energy: no data chain that could start at noise either */
} mmi_recipe;

extern const mmi_key_table mmi_sample_keys, mmi_translate_keys; /* each into an mmi_recipe */
/* Refuses a guide that the model has not; section: "sample" or "translate". */
mm_status mmi_recipe_check(const mmi_config *c, const char *section, const mmi_recipe *r, const mmi_model_config *m,
                           mm_error *e);

/* Another number of steps or draws than a recipe has; negative: the recipe's. */
typedef struct mmi_recipe_change {
	int64_t posterior_steps, candidates, latent_steps, data_steps;
} mmi_recipe_change;
#define MMI_RECIPE_AS_IT_IS \
	{                       \
		-1, -1, -1, -1      \
	}
mmi_recipe mmi_recipe_changed(const mmi_recipe *r, const mmi_recipe_change *change);
/* The terms that a recipe goes by, as bits 1 << mmi_term; 0: all that there are. */
uint32_t mmi_recipe_terms(const mmi_recipe *r);
/* Those that bound its data chain. */
uint32_t mmi_recipe_rise_terms(const mmi_recipe *r);
/* Without an energy model: no choice, no latent chain, no data chain. */
mmi_recipe mmi_recipe_without_energy(const mmi_recipe *r);

/* A recipe as the sampler takes it: with the steps and noise that the chains were trained with. */
typedef struct mmi_chains {
	double temperature;
	mmi_posterior_args posterior;
	mmi_guide_args guide;   /* the choice and the latent chain */
	mmi_revise_args revise; /* the data chain */
} mmi_chains;
mmi_chains mmi_recipe_chains(const mmi_recipe *r, const mmi_posterior_args *posterior, const mmi_revise_args *revise);
/* The data chain alone: no choice, no latent chain, no bound. */
mmi_chains mmi_chains_unguided(const mmi_chains *c);
/* The networks that their steps and choices run, as bits (mmi_sampler_net). */
uint32_t mmi_chains_nets(const mmi_chains *c);
/* Those of a recipe's choices and latent chain. */
uint32_t mmi_recipe_nets(const mmi_recipe *r);

#endif
