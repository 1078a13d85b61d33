/* losses.h - the learner's losses as networks with parameter gradients, and passes over rows.
 *
 * A loss is a number per sample times that sample's seed (its weight in the mean); a pass runs segments of rows through
 * their losses and adds parameter gradients into lanes. */
#ifndef MMI_LOSSES_H
#define MMI_LOSSES_H

#include "engine/network.h"
#include "learn/lanes.h"
#include "model/model.h"

typedef struct mmi_loss {
	mmi_network net;
	uint32_t n_x, n_z;
	mm_tensor x[MMI_MAX_MODALITIES]; /* inputs */
	mm_tensor z[MMI_MAX_MODALITIES]; /* inputs: latents, or standard draws for the ELBO */
	mm_tensor seed, l2;              /* inputs, per sample; l2 MMI_NONE but for the energy */
	mm_tensor value;                 /* per sample, before the seed */
	int64_t count_x[MMI_MAX_MODALITIES], count_z;
	mmi_lanes *lanes[2];             /* of the stores it trains */
	uint32_t n_lanes;
} mmi_loss;

typedef struct mmi_loss_place { /* where losses are compiled */
	const mmi_backend *backend;
	uint32_t chunk;
	mmi_pool *pool;
} mmi_loss_place;

/* sum_m weight_m NLL_m(x_m | z): trains the generator. */
mm_status mmi_loss_generator(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *generator, mmi_loss *out, mm_error *e);
/* -(1/n_z) sum_k log q(z_k | X): trains the inference model. */
mm_status mmi_loss_inference(const mmi_model *m, const mmi_loss_place *p, uint32_t n_z, mmi_inference_target target,
                             mmi_lanes *inference, mmi_loss *out, mm_error *e);
/* E(X), with the optional penalty l2 E(X)^2: trains the energy model. */
mm_status mmi_loss_energy(const mmi_model *m, const mmi_loss_place *p, mmi_lanes *energy, mmi_loss *out, mm_error *e);
/* The stratified mixture's negative ELBO (MMVAE with one draw per expert):
 * (1/M) sum_e [ sum_m weight_m NLL_m(x_m | z_e) + beta (log q(z_e | X) - log p0(z_e)) ], z_e = loc_e + scale_e eps_e. */
mm_status mmi_loss_elbo(const mmi_model *m, const mmi_loss_place *p, double beta, mmi_lanes *generator, mmi_lanes *inference,
                        mmi_loss *out, mm_error *e);
void mmi_loss_clear(mmi_loss *l);

/* Rows that share a loss and a seed. */
typedef struct mmi_segment {
	mmi_loss *loss;
	const float *const *x;           /* [modality][x_rows][floats] */
	const float *z[MMI_MAX_MODALITIES]; /* [rows][latent_dim] each */
	uint32_t rows, x_rows;           /* x repeats after x_rows */
	float seed, l2;
	double sum, sum_squares;         /* out: of the unseeded values */
} mmi_segment;

typedef struct mmi_pass {            /* buffers of passes: made once */
	mmi_pool *pool;
	uint32_t chunk;
	float *seeds;                    /* [2 segments][2: seed, l2][chunk] */
	double *sums;                    /* [chunks][2] */
	uint32_t max_chunks;
} mmi_pass;

mm_status mmi_pass_create(mmi_pool *pool, uint32_t chunk, uint32_t max_rows, mmi_pass *out, mm_error *e);
void mmi_pass_clear(mmi_pass *p);
/* Zeroes the lanes, then adds the gradients of up to two segments. */
void mmi_pass_run(mmi_pass *p, mmi_segment *segments, uint32_t n);

#endif
