/* trace.h - trajectories of the chains as strips of pictures and numbers (the paper's Figure 4). */
#ifndef MMI_TRACE_H
#define MMI_TRACE_H

#include "trained/chains.h"

typedef struct mmi_trace_request {
	uint32_t tuples; /* of each chain, at most one chunk of the saved model */
	mmi_recipe_change steps;
	uint32_t number; /* another number, other draws */
	const char *out; /* folder */
	const mmi_log *log;
} mmi_trace_request;

/* OUT/posterior.png: what the latent of the first test tuples decodes to along its chain, and the tuple at the right;
 * OUT/guide.png, where there are guide steps: what latents from the prior decode to along the guided chain;
 * OUT/data.png: those samples, or the generator's, along the energy chain; OUT/trace.csv: columns chain, tuple, step,
 * energy (U or E), log_likelihood (posterior only: of the observed tuple, weighted as in U), move (rms of an element
 * since the step before; data: in units of the modality's range). Both chains of the energy are left out, with a line
 * in the log, when the checkpoint has no energy. */
mm_status mmi_trace_make(const mmi_saved *s, const mmi_trace_request *r, mm_error *e);

#endif
