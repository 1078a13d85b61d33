/* trainer.h - parameters that learn: a loss differentiated and compiled, a pass over rows (pass.h), a step of Adam. */
#ifndef MMI_TRAINER_H
#define MMI_TRAINER_H

#include "engine/lanes.h"
#include "engine/network.h"
#include "engine/optimiser.h"
#include "engine/pass.h"

/* Differentiates r->loss, weighted by r->seed, to the parameters of r's stores and compiles the gradients and `value`
 * (MMI_NONE: them alone). Clear the network also after a failure. */
mm_status mmi_trainer_compile(mmi_network *n, const mmi_grad_request *r, mm_tensor value, int64_t chunk, mmi_pool *pool,
                              mm_error *e);

typedef struct mmi_trainer { /* of one store */
	mmi_params *params;
	mmi_pool *pool;
	mmi_lanes lanes; /* what passes add gradients to */
	mmi_optimiser adam;
} mmi_trainer;

/* Adam with the usual decays; chunks: the most that a pass has. Clear also after a failure. */
mm_status mmi_trainer_create(mmi_params *params, mmi_pool *pool, uint32_t chunks, double rate, mmi_trainer *out,
                             mm_error *e);
void mmi_trainer_clear(mmi_trainer *t);
/* A step with what was added; schedule multiplies the rate. MM_ENUMERIC when loss or gradient is not finite: "the
 * `whose`'s training". */
mm_status mmi_trainer_step(mmi_trainer *t, double loss, double schedule, const char *whose, mm_error *e);

#endif
