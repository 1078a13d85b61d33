/* objective.h - ELBOs over the same networks: warm-ups of the cooperative learner, and baselines to compare it with.
 *
 *   - mmvae: mixture of experts, one draw from each (Shi et al. 2019, with the ELBO rather than the looser bound)
 *   - mvae: product of experts and the prior; the terms of all modalities and of each one alone (Wu and Goodman 2018)
 *   - mopoe: mixture of the products over all subsets, one subset drawn per sample (Sutter et al. 2021)
 *   - mmvae+: mmvae with private latents; others are decoded with draws from an auxiliary prior (Palumbo et al. 2023)
 *   - mvtcae: product of experts; the product teaches the single ones (Hwang et al. 2021)
 *   - helvae: the Hellinger pool of the experts, one draw (Vo and Valera)
 *   - mmjsd: experts and prior are drawn to their geometric mean; a draw of one expert (Sutter et al. 2020)
 *   - mwbvae: mixture of the Wasserstein barycentres over all subsets, one subset drawn per sample
 *   - codevae: the consensus of dependent experts, over all subsets with learned weights (Mancisidor et al.)
 *   - cmvae: mmvae+ with a learned mixture as prior (Palumbo et al. 2024)
 *   - mvebm: mmvae or mmvae+ with a latent energy-based prior (after Pang et al. 2020)
 *
 * One file each. Sums over elements, means over samples; beta weighs every divergence. */
#ifndef MMI_OBJECTIVE_H
#define MMI_OBJECTIVE_H

#include "learn/losses.h"

/* What a recorder gets. */
typedef struct mmi_elbo_io {
	const mmi_model *model;
	mmi_loss *loss; /* x and standard draws as inputs, masks */
	const mmi_expert *experts;
	const mmi_mixture *mixture; /* weights of the observed experts; NULL: all are observed */
	float beta;
	const mmi_expert *held; /* the experts as constants, which densities see where draws are doubly reparametrised;
	                           NULL: they see the experts */
} mmi_elbo_io;

/* Of a mixture with a draw from each expert: what the draw of expert i contributes. */
typedef mm_status mmi_elbo_expert(const mmi_elbo_io *io, uint32_t i, mm_tensor *out, mm_error *e);

/* Flags drawn per sample: none are read; a non-empty subset of what is observed, each as likely; one of it. */
typedef enum { MMI_SUBSET_NONE, MMI_SUBSET_ANY, MMI_SUBSET_ONE } mmi_subset;

typedef struct mmi_objective {
	const char *name;
	mmi_fusion fusion;   /* how several experts become one q(z | X_O) at use */
	bool normal_only;    /* a product of Laplace experts is no Laplace */
	bool private_only;   /* needs private_dim > 0 */
	bool shared_only;    /* knows no private latents */
	bool baseline_only;  /* as a warm-up it would leave the chains what they do not know */
	bool subset_weights; /* learns a weight of each subset */
	bool clusters;       /* learns a mixture as prior of z */
	bool latent_energy;  /* learns an energy of latents as that */
	mmi_subset subset;   /* what loss->subset is to be */
	uint32_t (*draws)(const mmi_model *m);
	/* Negative ELBO, a number per sample. */
	mm_status (*record)(const mmi_elbo_io *io, mm_tensor *out, mm_error *e);
	/* What it is the mean of over the experts, so that several draws of each can be weighted (terms/importance.h);
	 * NULL: it is none. */
	mmi_elbo_expert *expert;
} mmi_objective;

extern const mmi_objective mmi_objective_mmvae, mmi_objective_mvae, mmi_objective_mopoe, mmi_objective_mmvae_plus,
	mmi_objective_mvtcae, mmi_objective_helvae, mmi_objective_mmjsd, mmi_objective_mwbvae, mmi_objective_codevae,
	mmi_objective_cmvae, mmi_objective_mvebm;
/* All of them, ends with NULL; and their names in that order, ends with NULL. */
extern const mmi_objective *const mmi_objectives[];
extern const char *const mmi_objective_names[];

/* x^exponent of what is above 0. */
mm_tensor mmi_elbo_power(mmi_graph *g, mm_tensor x, float exponent);
/* loc + scale * eps */
mm_tensor mmi_elbo_draw(mmi_graph *g, mm_tensor loc, mm_tensor scale, mm_tensor eps);
/* The product of normal experts, each precision times weight[i] (weight NULL: 1), with the standard prior as a further
 * one if asked for. */
mmi_expert mmi_elbo_product(mmi_graph *g, const mmi_expert *experts, const mm_tensor *weight, uint32_t n, bool prior);
/* KL(N(loc, scale) || N(0, 1)), a number per sample. */
mm_tensor mmi_elbo_divergence(mmi_graph *g, mm_tensor loc, mm_tensor scale);
/* KL(q || p) of two normals, a number per sample. */
mm_tensor mmi_elbo_divergence_from(mmi_graph *g, const mmi_expert *q, const mmi_expert *p);
/* Everything observed decoded from one draw of q, of the model's family: sum_m weight_m NLL_m + beta KL(q || p0). */
mm_status mmi_elbo_one_draw(const mmi_elbo_io *io, const mmi_expert *q, mm_tensor *out, mm_error *e);
/* loc + scale * eps of expert i, of z or of its w. Doubly reparametrised, the gradient is times that of W, the weight
 * of the draw. */
mm_tensor mmi_elbo_draw_z(const mmi_elbo_io *io, uint32_t i, mm_tensor eps);
mm_tensor mmi_elbo_draw_w(const mmi_elbo_io *io, uint32_t i, mm_tensor eps);
/* A mixture with a draw from each expert: the mean over those observed. */
uint32_t mmi_elbo_draw_each(const mmi_model *m); /* the number of modalities */
mm_status mmi_elbo_stratified(const mmi_elbo_io *io, mmi_elbo_expert *record_expert, mm_tensor *out, mm_error *e);
/* Recorders of mmvae and mmvae+, for those that differ in the prior alone. */
mm_status mmi_elbo_mmvae(const mmi_elbo_io *io, mm_tensor *out, mm_error *e);
mm_status mmi_elbo_mmvae_plus(const mmi_elbo_io *io, mm_tensor *out, mm_error *e);
mmi_elbo_expert mmi_elbo_mmvae_plus_expert;

#endif
