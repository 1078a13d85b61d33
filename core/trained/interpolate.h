/* interpolate.h - from one tuple to another through the latent space (the paper's Figure 6). */
#ifndef MMI_INTERPOLATE_H
#define MMI_INTERPOLATE_H

#include "trained/inputs.h"

#define MMI_INTERPOLATE_STEPS 64u /* most, and the rows that the saved model's sampler must allow */

typedef struct mmi_interpolate_request {
	const mmi_inputs
		*ends;      /* two tuples: their latents are inferred from what is given; NULL: two draws from the prior */
	uint32_t steps; /* points, both ends included; 2 to MMI_INTERPOLATE_STEPS */
	bool spherical; /* along a great circle instead of a line */
	int64_t z_steps, x_steps; /* negative: as trained */
	uint32_t number;          /* another number, other draws */
	const char *grid;         /* the sheet */
} mmi_interpolate_request;

/* The ends' latents start from an encoder's mean and are revised by the posterior chain; the points between them are
 * decoded and, unless x_steps is 0, revised by the energy chain. The sheet has a row of each for every modality that
 * can be drawn, and the two tuples at its sides where they are known. */
mm_status mmi_interpolate_make(const mmi_saved *s, const mmi_interpolate_request *r, mm_error *e);
/* a to b at t in 0..1, n values each: linear, or along the great circle through both (linear when they are nearly
 * parallel). */
void mmi_interpolate(const float *a, const float *b, size_t n, double t, bool spherical, float *out);

#endif
