/* lanes.h - parameter gradients of one model, summed in an order that does not depend on threads.
 *
 * Chunk c of a loss adds into lane c mod L, in increasing c; the lanes are added in a fixed tree. L is fixed (8, or the
 * number of chunks when that is smaller). */
#ifndef MMI_LANES_H
#define MMI_LANES_H

#include "engine/params.h"
#include "engine/pool.h"

#define MMI_MAX_LANES 8

typedef struct mmi_lanes {
	uint32_t n;                     /* lanes in use */
	size_t count;                   /* floats in each */
	mmi_floats lane[MMI_MAX_LANES]; /* lane[0] holds the sum after mmi_lanes_reduce */
	mmi_mirror block_squares;       /* doubles, one per block: for the norm */
	const mmi_params *params;
} mmi_lanes;

mm_status mmi_lanes_create(const mmi_params *params, uint32_t max_chunks, mmi_lanes *out, mm_error *e);
void mmi_lanes_clear(mmi_lanes *l);
/* What the next gradient is added to. */
void mmi_lanes_zero(const mmi_lanes *l, uint32_t lane);
/* Sums the lanes into lane[0], turns the gradient to the networks' weights into that to the raw parameters, and returns
 * its Euclidean norm (NaN or infinite when any entry is). */
double mmi_lanes_reduce(mmi_lanes *l, mmi_pool *pool);

#endif
