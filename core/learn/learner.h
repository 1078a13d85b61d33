/* learner.h - the cooperative learner: three models and two chains, one iteration at a time. */
#ifndef MMI_LEARNER_H
#define MMI_LEARNER_H

#include "data/batches.h"
#include "learn/terms/alignment.h"
#include "learn/terms/given.h"
#include "learn/terms/importance.h"
#include "learn/terms/latent_prior.h"
#include "learn/losses.h"
#include "learn/readings.h"
#include "learn/masks.h"
#include "engine/optimiser.h"
#include "learn/settings.h"
#include "learn/terms/match.h"
#include "learn/terms/swaps.h"
#include "mcmc/runs.h"
#include "store/safetensors.h"

#define MMI_LEARNER_MODELS 4
#define MMI_CALIBRATE 50 /* iterations over which x_step is measured */

/* What one iteration did: means over the batch. Chains are measured with the parameters that moved them, losses and
 * norms at the first of several updates. */
struct mmi_measures {
	bool warm;       /* warm-up is not over */
	bool chains;     /* otherwise only elbo, contrast and the norms of two models were measured, and of an energy of
	                    latents e_data, e_revised and gap, as E = -f */
	double elbo;     /* negative ELBO */
	double contrast; /* contrastive loss between experts */
	double u_start, u_end; /* U at both ends of the posterior chain */
	double nll_end;        /* what of U at their end is likelihoods: NLL of the data given the revised z */
	double loss_generator, loss_inference;
	double e_data, e_generated, e_revised;
	double gap;                      /* E(data) - E(revised): the energy loss, undivided */
	double z_drift, z_noise, z_move; /* rms per element: accumulated drift and noise, displacement */
	double x_drift, x_noise, x_move; /* the same, in units of each modality's range */
	double x_step;                   /* s in use */
	double swap_rank; /* share of the batch whose tuple has less energy than it has with one modality swapped */
	double match, match_first; /* ranking loss of E_match; share of what it ranks that comes first */
	double match_tau;          /* temperature of E_match */
	double norm_generator, norm_inference, norm_energy, norm_match;
	int culprit; /* of an iteration that failed: the model to blame, as in mmi_learner_model */
};

/* What goes into a checkpoint besides parameters and moments. */
typedef struct mmi_learner_state {
	int64_t iteration; /* iterations done */
	int64_t rollbacks;
	double x_step, x_step_sum; /* in use; sum of measurements while calibrating */
	int64_t x_step_n;          /* measurements so far */
	double gaps[MMI_GAPS];     /* ring of |energy loss| */
	int64_t n_gaps;            /* written so far */
	int64_t n_buffered;        /* chains ever put into the buffer */
} mmi_learner_state;

struct mmi_learner {
	const mmi_settings *settings;
	mmi_model *model;
	mmi_pool *pool;
	mmi_sampler *sampler;
	mmi_optimiser generator, inference, energy, match_optimiser; /* the last: of E_match, where there is one */
	mmi_lanes generator_lanes, inference_lanes, energy_lanes, match_lanes;
	mmi_loss generator_loss, inference_data, inference_generated, energy_loss, elbo, locations, match_loss;
	mmi_pass pass;
	mmi_reduce reduce;        /* what is made of the rows of all ranks */
	mmi_span span;            /* rows of the batch that are computed here */
	uint32_t chunk, n_chains; /* chains per sample: M or 1 */
	bool masked;              /* modalities may be missing, or count for some chains only */
	mmi_masks masks;
	mmi_learner_state state;
	double clock; /* share of the time budget that is used; negative: there is none */
	/* Rows on the model's device, B of the span: z [chains * B], z_prior [B], eps [draws * B] each; samples [B].
	 */
	mmi_device_rows x, seen; /* the batch, and what the encoders learn from: mmi_learner_take */
	mmi_device_latents z, z_start, z_prior, eps[MMI_MAX_MODALITIES];
	uint32_t n_eps, draws; /* of an ELBO: places, and draws of each expert */
	mmi_device_experts experts;
	mmi_device_rows generated, revised;
	mmi_device_rows imputed; /* incomplete tuples, completed; nothing unless masked */
	/* Persistent chains with their latents, [x_buffer], and what checkpoints have of them; nothing without x_start =
	 * buffer. */
	mmi_device_rows buffer;
	mmi_device_latents buffer_z;
	mmi_mirror buffer_x_copy[MMI_MAX_MODALITIES], buffer_z_copy, buffer_w_copy[MMI_MAX_MODALITIES];
	mmi_mirror buffer_rows;            /* words [2 B]: which rows go to and fro */
	mmi_device_rows x_room, seen_room; /* for the batch, where the device is not direct */
	mmi_doubles prior;                 /* [chunks here of all chains]: sums of -log p0 */
	mmi_readings readings;
	mmi_all_rows all; /* rows of all ranks, where something needs them */
	mmi_given given;
	mmi_swaps swaps;
	mmi_match match;
	mmi_alignment alignment;
	mmi_latent_prior latent_prior; /* nothing unless the prior has an energy */
	mmi_importance importance;     /* nothing unless an ELBO has its draws weighted */
	mmi_mirror snapshot;           /* parameters, moments and vectors of the three models */
	mmi_learner_state snapshot_state;
	int64_t snapshot_t[MMI_LEARNER_MODELS];
};

/* What learns, by number: 0 generator, 1 inference, 2 energy, 3 E_match; NULL where there is none. */
mmi_optimiser *mmi_learner_model(const mmi_learner *l, int number);

/* comm, which must outlive the learner: who computes the rest of every batch; each rank has a learner of the same model
 * and settings, and gives it the rows of its span. */
mm_status mmi_learner_create(const mmi_settings *settings, mmi_model *model, mmi_pool *pool, const mmi_comm *comm,
                             mmi_learner **out, mm_error *e);
void mmi_learner_destroy(mmi_learner *l);

/* Experts are taught by the contrastive loss between them as well. */
bool mmi_learner_aligns(const mmi_learner *l);
/* The rows of a batch to the device: what follows is about them. They stay the batch's where it is direct. */
void mmi_learner_take(mmi_learner *l, const mmi_batch *batch);
/* One iteration on the span of one batch. MM_ENUMERIC: a guard stopped it, message in e; call mmi_learner_rollback.
 * With one rank all of it is queued on the device, and the host waits once (twice while x_step is measured). */
mm_status mmi_learner_iterate(mmi_learner *l, const mmi_batch *batch, mmi_measures *out, mm_error *e);
/* Back to the last snapshot with `culprit`'s rate halved; MM_ENUMERIC when there have been too many. Iteration counter
 * and noise follow. */
mm_status mmi_learner_rollback(mmi_learner *l, int culprit, mm_error *e);
/* Back to the last snapshot as it was, after an iteration that was given up: the state is whole again. */
void mmi_learner_revert(mmi_learner *l);
/* After a rollback: models that have not learned yet are run forward. MM_ENUMERIC when one gives what is not finite,
 * which no learning rate can mend: the message names modality, plugin and branch. chains: the iteration had them, so
 * the energy is asked too. */
mm_status mmi_learner_try_networks(mmi_learner *l, bool chains, const mmi_batch *batch, mm_error *e);
/* Everything a checkpoint holds, as items that point into the learner; the snapshot comes last. *items and *names are
 * the caller's to free. */
mm_status mmi_learner_items(mmi_learner *l, mmi_tensor_item **items, size_t *n, char ***names, size_t *n_names,
                            mm_error *e);
void mmi_learner_items_free(mmi_tensor_item *items, char **names, size_t n_names);
/* How many of the n items a checkpoint of this moment holds: without the snapshot where a run that resumes here takes
 * the same one. */
size_t mmi_learner_items_due(const mmi_learner *l, size_t n);
/* Before items are read: brings what the device has to where they point. What has failed on the device is told: the
 * items mean nothing then. */
mm_status mmi_learner_fetch(const mmi_learner *l, mm_error *e);
/* Items from a checkpoint, and what follows from them: the learner is where the one was that wrote it, to its snapshot.
 */
struct mmi_checkpoint;
mm_status mmi_learner_restore(mmi_learner *l, const struct mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n,
                              mm_error *e);
/* After items were filled: to the device, and what follows from them; a snapshot of them unless that was filled too. */
void mmi_learner_restored(mmi_learner *l, bool snapshot);
/* The generator's moving average, where it has one, takes its place, and the next time gives it back: for what is shown
 * or measured of the model that checkpoints are used with. */
void mmi_learner_exchange_average(mmi_learner *l);

#endif
