/* optimiser.h - Adam over one model's flat parameters (Kingma and Ba 2015, as PyTorch's Adam). */
#ifndef MMI_OPTIMISER_H
#define MMI_OPTIMISER_H

#include "engine/params.h"
#include "engine/pool.h"

typedef struct mmi_adam_config {
	double rate, beta1, beta2, eps, weight_decay;
	double clip;  /* largest norm of a gradient; 0: no clipping */
	bool amsgrad; /* steps divide by the largest second moment so far */
	double ema;   /* decay of the parameters' moving average; 0: none is kept */
} mmi_adam_config;

typedef struct mmi_optimiser {
	mmi_params *params;
	mmi_adam_config config;
	mmi_floats m, v;  /* moments, flat as params->raw */
	mmi_floats ema;   /* moving average, or NULL; mean of the first updates while there are few */
	mmi_floats v_max; /* largest v so far, or NULL */
	mmi_mirror v_max_copy;
	mmi_mirror m_copy, v_copy, ema_copy; /* where the host reads and writes them: mmi_optimiser_fetch and _push */
	mmi_mirror broken;                   /* a word: something that was made is not finite */
	mmi_mirror scale;                    /* a float: what the next gradient is to be scaled by */
	int64_t t;                           /* updates made */
	double rate_factor;                  /* lowered by rollbacks */
} mmi_optimiser;

mm_status mmi_optimiser_create(mmi_params *params, const mmi_adam_config *config, mmi_optimiser *out, mm_error *e);
void mmi_optimiser_clear(mmi_optimiser *o);
/* Parameters, vectors and moments to their copies on the host, and back; as mmi_params_fetch. */
void mmi_optimiser_fetch(const mmi_optimiser *o);
void mmi_optimiser_push(const mmi_optimiser *o);
/* The norm of a gradient from the sums of squares of its blocks, to a place of the device; the next update clips by it.
 * Queued. */
void mmi_optimiser_clip(const mmi_optimiser *o, mmi_doubles squares, uint32_t n, mmi_doubles norm);
/* One update from a flat gradient, clipped as was said last; schedule multiplies the rate. Repacks weights. Queued:
 * `broken` is set where what it made is not finite, and nothing is done while a guard is set (.at NULL: there is none).
 * Allocates nothing. */
void mmi_optimiser_queue(mmi_optimiser *o, mmi_pool *pool, mmi_floats grad, double schedule, mmi_words guard);
/* What is said where update t broke something. MM_ENUMERIC. */
mm_status mmi_optimiser_failed(const mmi_optimiser *o, int64_t t, mm_error *e);
/* One update from a flat gradient of the given norm; schedule multiplies the rate. Repacks weights. Allocates nothing.
 * MM_ENUMERIC: what it made is not finite, parameters and moments are of no more use. */
mm_status mmi_optimiser_step(mmi_optimiser *o, mmi_pool *pool, mmi_floats grad, double norm, double schedule,
                             mm_error *e);

#endif
