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
	int64_t t;                           /* updates made */
	double rate_factor;                  /* lowered by rollbacks */
} mmi_optimiser;

mm_status mmi_optimiser_create(mmi_params *params, const mmi_adam_config *config, mmi_optimiser *out, mm_error *e);
void mmi_optimiser_clear(mmi_optimiser *o);
/* Parameters, vectors and moments to their copies on the host, and back; as mmi_params_fetch. */
void mmi_optimiser_fetch(const mmi_optimiser *o);
void mmi_optimiser_push(const mmi_optimiser *o);
/* One update from a flat gradient of the given norm; schedule multiplies the rate. Repacks weights. Allocates nothing.
 * MM_ENUMERIC: what it made is not finite, parameters and moments are of no more use. */
mm_status mmi_optimiser_step(mmi_optimiser *o, mmi_pool *pool, mmi_floats grad, double norm, double schedule,
                             mm_error *e);

#endif
