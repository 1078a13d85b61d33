/* model.h - the three models over one set of modalities, and how each of their networks is recorded into a graph.
 *
 *   energy     E(X)            feature extractors from plugins, residual trunks and a fused head from the core
 *   generator  p(x_m | z)      decoder branches from plugins
 *   inference  q(z | x_m)      encoders from plugins; q(z | X) is their mixture
 *
 * Losses are numbers per sample; the learner weighs and reduces them. */
#ifndef MMI_MODEL_H
#define MMI_MODEL_H

#include "engine/graph.h"
#include "engine/params.h"
#include "plugin/modality.h"

#define MMI_MAX_MODALITIES 16

typedef enum { MMI_PRIOR_NORMAL, MMI_PRIOR_LAPLACE } mmi_prior;
typedef enum { MMI_SCALE_SOFTPLUS, MMI_SCALE_LOG_VARIANCE } mmi_scale_head;
typedef enum { MMI_POOL_SUM, MMI_POOL_MEAN } mmi_pool_kind;
typedef enum { MMI_HEAD_MLP, MMI_HEAD_LINEAR } mmi_head_kind;
typedef enum { MMI_TARGET_MIXTURE, MMI_TARGET_EACH, MMI_TARGET_BOTH } mmi_inference_target;

typedef struct mmi_model_config {
	int32_t latent_dim;
	mmi_prior prior;              /* family of p0(z) and of the experts */
	mmi_scale_head scale_head;    /* softplus(raw) + 1e-6, or exp(raw / 2) */
	int32_t nef;                  /* channels of the energy trunk */
	int32_t blocks;               /* of the trunk; the first two downsample */
	int32_t shortcut_kernel;      /* 3 or 1 */
	mmi_pool_kind pool;           /* over the positions of the last map */
	mmi_head_kind head;
	bool spectral_norm;           /* of every energy layer */
	uint64_t seed;                /* of the initial values */
} mmi_model_config;

typedef struct mmi_model {
	mmi_model_config config;
	const mmi_modality *modalities;
	uint32_t n_modalities;
	mmi_params *generator, *inference, *energy;
} mmi_model;

/* Declares and initialises the parameters of all three models. The modalities must outlive the model. */
mm_status mmi_model_create(const mmi_modality *modalities, size_t n, const mmi_model_config *config, mmi_model **out, mm_error *e);
void mmi_model_destroy(mmi_model *m);

/* One expert q_m(z | x_m). */
typedef struct mmi_expert {
	mm_tensor loc, scale; /* [latent_dim] */
} mmi_expert;

/* Recorders. Failures of plugins are returned; those of operations stick to the graph. */
mm_status mmi_model_encode(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor x, mmi_expert *out, mm_error *e);
/* The likelihood's parameter: mean (gaussian, laplace) or logits (bernoulli, categorical). */
mm_status mmi_model_decode(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor z, mm_tensor *out, mm_error *e);
/* The data-space mean of a decoded parameter: itself, sigmoid or softmax of it. */
mm_tensor mmi_model_mean(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor decoded);
/* weight_m * NLL_m(x_m | decoded), summed over elements: a number per sample. */
mm_tensor mmi_model_nll(const mmi_model *m, uint32_t modality, mmi_graph *g, mm_tensor x, mm_tensor decoded);
/* E(x_1..x_M), a number per sample. */
mm_status mmi_model_energy(const mmi_model *m, mmi_graph *g, const mm_tensor *x, mm_tensor *out, mm_error *e);
/* log q_m(z | x_m) of an expert. */
mm_tensor mmi_model_log_expert(const mmi_model *m, mmi_graph *g, mm_tensor z, const mmi_expert *expert);
/* log p0(z). */
mm_tensor mmi_model_log_prior(const mmi_model *m, mmi_graph *g, mm_tensor z);
/* log q(z | X) = log (1/M) sum_m q_m(z | x_m), or the mean of log q_m, or the average of the two. */
mm_tensor mmi_model_log_q(const mmi_model *m, mmi_graph *g, mm_tensor z, const mmi_expert *experts, mmi_inference_target target);

#endif
