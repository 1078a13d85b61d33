/* losses.h - the learner's losses as networks with parameter gradients, and passes over rows.
 *
 * A loss is a number per sample times that sample's seed (its weight in the mean); a pass runs segments of rows through
 * their losses and adds parameter gradients into lanes. */
#ifndef MMI_LOSSES_H
#define MMI_LOSSES_H

#include "engine/network.h"
#include "engine/pass.h"
#include "learn/reduce.h"
#include "model/device_rows.h"

typedef struct mmi_loss {
	mmi_network net;
	uint32_t n_x, n_z;
	mm_tensor x[MMI_MAX_MODALITIES];     /* inputs */
	mm_tensor seen[MMI_MAX_MODALITIES];  /* what encoders see: x, or inputs of an ELBO on modalities that are varied in
	                                        training */
	mmi_place z[MMI_MAX_MODALITIES];     /* inputs: latents, or standard draws for an ELBO */
	mm_tensor seed, l2;                  /* inputs, per sample; l2 MMI_NONE but for the energy */
	mm_tensor pull[MMI_MAX_MODALITIES];  /* inputs: the gradient of some other loss to each expert's location, for an
	                                        ELBO with one, or of the ranking loss to each unit vector; else MMI_NONE */
	mmi_expert held[MMI_MAX_MODALITIES]; /* inputs: the experts as constants; MMI_NONE unless it has draws weighted */
	mm_tensor value;                     /* per sample, before the seed and without what pulls */
	mm_tensor each[MMI_MAX_MODALITIES];  /* of mmi_loss_weights: what each expert's draw contributes */
	int64_t count_x[MMI_MAX_MODALITIES], count_z, count_w, count_pull;
	mmi_lanes *lanes[2]; /* of the stores it trains */
	uint32_t n_lanes;
	/* Inputs, per sample, of what is masked; all MMI_NONE when every modality is there and counts. */
	bool masked;
	mm_tensor observed[MMI_MAX_MODALITIES];
	mmi_mixture mixture;
	mm_tensor counts_w[MMI_MAX_MODALITIES][MMI_MAX_MODALITIES]; /* [chain][modality] */
	mm_tensor subset[MMI_MAX_MODALITIES];                       /* of an ELBO that draws one per sample */
} mmi_loss;

/* The values of those inputs, 1 and 0 but for the shares. */
typedef struct mmi_mask {
	mmi_floats observed[MMI_MAX_MODALITIES];                             /* [x_rows]: whose likelihood counts */
	mmi_floats share[MMI_MAX_MODALITIES], log_share[MMI_MAX_MODALITIES]; /* [rows], [x_rows]: weights of the experts */
	mmi_floats counts_w[MMI_MAX_MODALITIES]; /* [chains][rows of one chain]: whose q(w | x) learns from the chain's w */
	mmi_floats subset[MMI_MAX_MODALITIES];   /* [rows] */
} mmi_mask;

typedef struct mmi_loss_place { /* where losses are compiled */
	uint32_t chunk;
	mmi_pool *pool;
	bool masked; /* modalities may be missing, or count for some chains only */
} mmi_loss_place;

/* sum_m weight_m NLL_m(x_m | z, w_m) over what is observed: trains the generator. */
mm_status mmi_loss_generator(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *generator, mmi_loss *out,
                             mm_error *e);
/* -(1/n_z) sum_k [ log q(z_k | X) + sum_m counts_w_km log q(w_km | x_m) ]: trains the inference model. target as in
 * mmi_model_log_q; `separate`: chain k teaches expert k alone (an ablation; n_z is the number of modalities). */
mm_status mmi_loss_inference(const mmi_model *m, const mmi_loss_place *p, uint32_t n_z, mmi_inference_target target,
                             bool separate, mmi_lanes *inference, mmi_loss *out, mm_error *e);
/* E(X), with the optional penalty l2 E(X)^2: trains the energy model. */
mm_status mmi_loss_energy(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *energy, mmi_loss *out, mm_error *e);
/* seed log(1 / tau) + sum_m <u_m, pull_m>, where seed and pull are the ranking loss's gradient to them
 * (terms/ranking.h): trains E_match. */
mm_status mmi_loss_match(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *match, mmi_loss *out, mm_error *e);
/* An objective's negative ELBO (objectives/objective.h): trains generator and inference. */
struct mmi_objective;
typedef struct mmi_elbo_form {
	const struct mmi_objective *objective;
	double beta;
	double pull_factor; /* above 0: the gradients in `pull` times it, of a loss that is no sum over samples, go through
	                       the same encoders, so that no second pass is needed for them */
	bool dreg;          /* draws are doubly reparametrised (objective->expert must be there, and the loss be masked) */
} mmi_elbo_form;
mm_status mmi_loss_elbo(const mmi_model *m, const mmi_loss_place *p, const mmi_elbo_form *form, mmi_lanes *generator,
                        mmi_lanes *inference, mmi_loss *out, mm_error *e);
/* What each expert's draw contributes to the mean that the objective is, with the experts as inputs: forward alone. */
mm_status mmi_loss_weights(const mmi_model *m, const mmi_loss_place *p, const mmi_elbo_form *form, mmi_loss *out,
                           mm_error *e);
/* sum over m of observed_m weight_m NLL_m(x_m | place): for the recorders of objectives as well. */
mm_status mmi_loss_nll(const mmi_model *m, mmi_loss *l, const mmi_place *place, mm_tensor *out, mm_error *e);
/* f(z), the energy of a latent prior: trains the energy model. */
mm_status mmi_loss_latent_energy(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *energy, mmi_loss *out,
                                 mm_error *e);
/* sum_m <loc_m, z_m.z>, with the locations of the experts and, in the places of latents, the gradient of some loss to
 * them: trains the inference model by losses that are no sum over samples. One place for each modality. */
mm_status mmi_loss_locations(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *inference, mmi_loss *out,
                             mm_error *e);
void mmi_loss_clear(mmi_loss *l);

/* Rows that share a loss and a seed. */
typedef struct mmi_segment {
	mmi_loss *loss;
	const mmi_device_rows *x;                 /* [x_rows]; NULL where the loss has none */
	const mmi_device_rows *seen;              /* the same, of a loss whose encoders may see something else; NULL: x */
	mmi_device_latents z[MMI_MAX_MODALITIES]; /* rows of each place of the loss */
	const mmi_floats *pull;                   /* [modality][x_rows][floats]: of a loss that takes it */
	const mmi_device_experts *held;           /* [x_rows]: the same */
	const mmi_mask *mask;                     /* of a masked loss */
	uint32_t rows, x_rows;                    /* x and what is of its rows repeat after x_rows */
	float seed, l2;
	mmi_doubles seed_at; /* unless NULL: the seed is *seed_at / seed_of, as the device has it */
	double seed_of;
	mmi_floats row_seed; /* [rows]: factors of seed and of what is summed; .at NULL: 1 */
	mmi_doubles sums; /* out: [chunks][2], sum and sum of squares of the values before the seed; until the next pass */
} mmi_segment;

#define MMI_MAX_TERMS 4 /* segments of a pass */

/* A pass over the segments, which train the same stores: their gradients in the lanes. Queued. */
void mmi_segments_run(mmi_pass *p, mmi_segment *segments, uint32_t n);
/* Their sums over the rows of all ranks: [n][2] of the device. */
void mmi_segments_sum(const mmi_pass *p, const mmi_reduce *reduce, const mmi_segment *segments, uint32_t n,
                      mmi_doubles sums);
/* What the segment's loss has in `each`, forward alone: to out[modality] [rows]. */
void mmi_segment_forward(const mmi_segment *s, const mmi_device *d, mmi_pool *pool, uint32_t chunk,
                         const mmi_floats *out);

#endif
