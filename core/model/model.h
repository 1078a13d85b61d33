/* model.h - the three models over one set of modalities, and how each of their networks is recorded into a graph.
 *
 *   energy     E(X)            feature extractors from plugins, residual trunks and a fused head from the core;
 *                              beside it, where settings have it, E_match(X), with towers of its own
 *   generator  p(x_m | z)      decoder branches from plugins
 *   inference  q(z | x_m)      encoders from plugins; q(z | X) is their mixture
 *
 * With private latents (private_dim > 0) a decoder reads w_m as well and an encoder tells q(w_m | x_m): what only
 * modality m knows. Losses are numbers per sample; the learner weighs and reduces them. */
#ifndef MMI_MODEL_H
#define MMI_MODEL_H

#include "engine/graph.h"
#include "engine/params.h"
#include "plugin/modality.h"

#define MMI_MAX_MODALITIES 16

typedef enum { MMI_PRIOR_NORMAL, MMI_PRIOR_LAPLACE } mmi_prior;
typedef enum { MMI_SCALE_SOFTPLUS, MMI_SCALE_LOG_VARIANCE, MMI_SCALE_SOFTMAX } mmi_scale_head;
typedef enum { MMI_POOL_SUM, MMI_POOL_MEAN } mmi_pool_kind;
typedef enum { MMI_HEAD_MLP, MMI_HEAD_LINEAR } mmi_head_kind;
typedef enum { MMI_MATCH_NONE, MMI_MATCH_TOWERS } mmi_match_kind;
typedef enum { MMI_TARGET_MIXTURE, MMI_TARGET_EACH, MMI_TARGET_BOTH } mmi_inference_target;

/* How the experts of several observed modalities become one q(z | X_O): a mixture, of which one is drawn; their
 * product; the product with the prior as a further expert; their Hellinger pool; their Wasserstein barycentre; the
 * consensus of dependent ones. All but mixture and barycentre need the normal family. */
typedef enum {
	MMI_FUSION_MIXTURE,
	MMI_FUSION_PRODUCT,
	MMI_FUSION_PRODUCT_PRIOR,
	MMI_FUSION_HELLINGER,
	MMI_FUSION_BARYCENTRE,
	MMI_FUSION_CONSENSUS
} mmi_fusion;

typedef struct mmi_model_config {
	int32_t latent_dim;
	int32_t private_dim; /* of each w_m; 0: none */
	bool independent;    /* an ablation: nothing is shared, modality m has a latent of its own, kept as w_m */
	mmi_fusion fusion;
	double correlation;        /* of the experts' errors, in their consensus: 0 to less than 1 */
	bool subset_weights;       /* a learned weight of each subset of modalities (codevae) */
	uint32_t clusters;         /* p0(z) is a learned mixture of so many (cmvae); 0: it is not */
	bool latent_energy;        /* p0(z) is proportional to exp(f(z)) times the standard one, f learned (mvebm) */
	uint32_t prior_steps;      /* of the chain that draws from it */
	double prior_step;         /* s of that chain: drift s^2/2, noise s */
	mmi_prior prior;           /* family of p0(z) and of the experts */
	mmi_scale_head scale_head; /* softplus(raw) + 1e-6, exp(raw / 2), or dim softmax(raw) + 1e-6 */
	int32_t nef;               /* channels of the energy trunk */
	int32_t blocks;            /* of the trunk; the first two downsample */
	int32_t shortcut_kernel;   /* 3 or 1 */
	mmi_pool_kind pool;        /* over the positions of the last map */
	mmi_head_kind head;
	bool separate_trunks;  /* every map passes a trunk of its own; otherwise maps of one size share one */
	bool trunk_bias;       /* its convolutions have biases */
	bool spectral_norm;    /* of every energy layer */
	mmi_match_kind match;  /* whether the energy model has E_match */
	double agreement;      /* weight of the mean cosine between experts in the joint energy; 0: no such term */
	int32_t agreement_dim; /* leading latents that are compared; 0: all. The others are free for what modalities do not
	                          share */
	uint64_t seed;         /* of the initial values */
} mmi_model_config;

typedef struct mmi_model {
	mmi_model_config config;
	const mmi_device *device; /* of the parameters, and of all that is made for the model */
	const mmi_modality *modalities;
	uint32_t n_modalities;
	mmi_params *generator, *inference, *energy;
	mmi_params *match; /* of E_match; NULL without, and where there is one modality only */
} mmi_model;

/* Declares and initialises the parameters of all three models. Device and modalities must outlive the model. */
mm_status mmi_model_create(const mmi_device *device, const mmi_modality *modalities, size_t n,
                           const mmi_model_config *config, mmi_model **out, mm_error *e);
/* The same with zeros for initial values, which a checkpoint's take the place of (mmi_params_update). */
mm_status mmi_model_create_blank(const mmi_device *device, const mmi_modality *modalities, size_t n,
                                 const mmi_model_config *config, mmi_model **out, mm_error *e);
void mmi_model_destroy(mmi_model *m);

/* Floats of z and of each w_m in one sample; 0 where the model has none. */
int32_t mmi_model_z_dim(const mmi_model *m);
int32_t mmi_model_w_dim(const mmi_model *m);

/* One expert q_m(z | x_m) and q_m(w_m | x_m); MMI_NONE where the model has no z or no w. */
typedef struct mmi_expert {
	mm_tensor loc, scale;     /* [z_dim] */
	mm_tensor w_loc, w_scale; /* [w_dim] */
} mmi_expert;

/* A place in latent space; MMI_NONE where the model has no z or no w. */
typedef struct mmi_place {
	mm_tensor z, w[MMI_MAX_MODALITIES];
} mmi_place;

/* Weights of the experts in q(z | X_O), per sample: share = 1/|O| for observed modalities and 0 for others; log_share
 * its logarithm, a large negative number instead of that of 0. */
typedef struct mmi_mixture {
	mm_tensor share[MMI_MAX_MODALITIES], log_share[MMI_MAX_MODALITIES]; /* [] */
} mmi_mixture;
#define MMI_LOG_OF_NOTHING (-1e30f)

/* Recorders. Failures of plugins are returned; those of operations stick to the graph. */
mm_status mmi_model_encode(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor x, mmi_expert *out,
                           mm_error *e);
/* Scale of r_m, the auxiliary prior of w_m that MMVAE+ decodes other modalities with: learned, 1 at first. [w_dim] */
mm_tensor mmi_model_auxiliary_scale(const mmi_model *m, uint32_t modality, mmi_graph *g);
/* Logits of the weights of all non-empty subsets, the one with bits s at s - 1: learned, 0 at first. [2^M - 1] */
mm_tensor mmi_model_subset_logits(const mmi_model *m, mmi_graph *g);
/* Inputs named "z" and "w". */
mmi_place mmi_model_place(const mmi_model *m, mmi_graph *g);
/* The likelihood's parameter: mean (gaussian, laplace) or logits (bernoulli, categorical). w: MMI_NONE without. */
mm_status mmi_model_decode(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor z, mm_tensor w,
                           mm_tensor *out, mm_error *e);
/* The data-space mean of a decoded parameter: itself, sigmoid or softmax of it. */
mm_tensor mmi_model_mean(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor decoded);
/* weight_m * NLL_m(x_m | decoded), summed over elements: a number per sample. */
mm_tensor mmi_model_nll(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor x, mm_tensor decoded);
/* E(x_1..x_M), a number per sample. */
mm_status mmi_model_energy(const mmi_model *m, mmi_graph *g, const mm_tensor *x, mm_tensor *out, mm_error *e);
/* u_m, the unit vector that the energy model's tower of a modality has for a sample: [MMI_MATCH_DIM]. */
enum { MMI_MATCH_DIM = 64 };
mm_status mmi_model_embed(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor x, mm_tensor *out,
                          mm_error *e);
/* log(1 / tau), a number per sample: learned, between 0 and that of the most, half of it at first (tau = 0.1). */
#define MMI_MATCH_SCALE_MOST 100.0f
mm_tensor mmi_model_match_scale(const mmi_model *m, mmi_graph *g);

/* The terms of the joint energy J, each a number per sample, the lower the better a tuple is:
 *   texture     E, whose density exp(-E / T), T = (n / s)^2, some 1e-8, the data chain samples
 *   match       E_match = - sum over pairs m < n of u_m . u_n / tau, in nats: at its optimum -log p(X) / prod p(x_m)
 *   agreement   - agreement * (mean over pairs of the cosine between experts' locations), of the inference model
 * -log pi(X) = E(X) / T + E_match(X) + const; the drift of the second in the data chain, n^2 / 2 times its gradient, is
 * below the noise, so that chain goes down E alone. J adds the terms as they are. It is a score, and what candidates
 * and latent chains go by: p(z) exp(-weight J(g(z))), or some of its terms in place of J. */
typedef enum { MMI_TERM_TEXTURE, MMI_TERM_MATCH, MMI_TERM_AGREEMENT, MMI_TERMS } mmi_term;
bool mmi_model_has_term(const mmi_model *m, mmi_term term);
/* Records one that there is. */
mm_status mmi_model_term(const mmi_model *m, mmi_term term, mmi_graph *g, const mm_tensor *x, mm_tensor *out,
                         mm_error *e);
/* log q(z) of the family with this location and scale, all of one shape. */
mm_tensor mmi_model_log_density(const mmi_model *m, mmi_graph *g, mm_tensor z, mm_tensor loc, mm_tensor scale);
/* The standard log density of the family: log p0 of a w, and of z but for some baselines. */
mm_tensor mmi_model_log_prior(const mmi_model *m, mmi_graph *g, mm_tensor z);
/* log p0(z), whichever the model has; up to a constant with a latent energy. */
mm_tensor mmi_model_log_prior_z(const mmi_model *m, mmi_graph *g, mm_tensor z);
/* p0(z) is learned, and so not the standard one. */
static inline bool mmi_model_learns_prior(const mmi_model *m)
{
	return m->config.clusters || m->config.latent_energy;
}
/* Means [clusters, z_dim] and logits of the weights [clusters] of a mixture as prior: learned, with the generator;
 * means uniform in -1..1 and logits 0 at first. Scales are 1. */
typedef struct mmi_cluster_params {
	mm_tensor means, logits;
} mmi_cluster_params;
mmi_cluster_params mmi_model_cluster_params(const mmi_model *m, mmi_graph *g);
/* f(z), a number per sample, above where z is likelier than by the standard prior. Its parameters are the energy's, so
 * that an ELBO, which trains generator and inference, leaves them alone. */
mm_tensor mmi_model_latent_energy(const mmi_model *m, mmi_graph *g, mm_tensor z);
/* log p0(z) + sum_m log p0(w_m). */
mm_tensor mmi_model_log_prior_of(const mmi_model *m, mmi_graph *g, const mmi_place *place);
/* log q(z | X) = log (1/M) sum_m q_m(z | x_m), or the mean of log q_m, or the average of the two. weights NULL: all
 * modalities are observed. */
mm_tensor mmi_model_log_q(const mmi_model *m, mmi_graph *g, mm_tensor z, const mmi_expert *experts,
                          mmi_inference_target target, const mmi_mixture *weights);

/* Clusters that latents are drawn from, on the model's device: log_weight [n], not normalised; loc [n][dim]; scale
 * [n][dim], or with `full` [n][dim][dim], lower triangular; .at NULL: 1. */
typedef struct mmi_clusters {
	uint32_t n; /* 0: none */
	size_t dim;
	mmi_prior family; /* of each */
	bool full;
	mmi_floats log_weight, loc, scale;
} mmi_clusters;
/* A prior that was fitted to what the encoders say, after training: of z, and of each w; n 0: the model's own. */
typedef struct mmi_fitted_prior {
	mmi_clusters z, w[MMI_MAX_MODALITIES];
} mmi_fitted_prior;
/* Those of the model's own prior, as they are now. */
mmi_clusters mmi_model_clusters(const mmi_model *m);

#endif
