/* revise.h - a trained model's chains on rows of the caller's: tuples, and latents. Block by block, whole chunks of
 * which are computed. Rows that come back are finite, or it is an error. */
#ifndef MMI_REVISE_H
#define MMI_REVISE_H

#include "trained/chains.h"
#include "trained/hooks.h"
#include "trained/inputs.h"

#define MMI_REVISE_ROWS 64u /* what the saved model's sampler must allow */

typedef struct mmi_revise_request {
	uint32_t n, number; /* rows; which draws, below 65536 */
	const mmi_chains *chains;
	mmi_hooks hooks;
} mmi_revise_request;

/* x[m] [n][floats] down the energy, in place. held[m] [n], 1: stays as it is; NULL: all of the modality move. */
mm_status mmi_revise_tuples(const mmi_saved *s, const mmi_revise_request *r, const uint8_t *const *held,
                            float *const *x, mm_error *e);
/* Latents, in place, down U of what is given (n of `in`: r->n), by the posterior chain and, where the recipe has one,
 * the latent chain. The w of a modality that is not given stay as they are. */
mm_status mmi_revise_latents(const mmi_saved *s, const mmi_revise_request *r, const mmi_inputs *in,
                             const mmi_latents *latents, mm_error *e);
/* The decoders' means of latents: x[m] [n][floats]; NULL: not wanted. The chains are not looked at. */
mm_status mmi_revise_decode(const mmi_saved *s, const mmi_revise_request *r, const mmi_latents *latents,
                            float *const *x, mm_error *e);

#endif
