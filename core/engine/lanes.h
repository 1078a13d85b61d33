/* lanes.h - parameter gradients of one model, summed in an order that does not depend on threads, nor on how many ranks
 * the rows of a batch are shared out among.
 *
 * A lane is the sum of some chunks of a loss, in increasing order; the lanes are added in a fixed tree. There are 8, or
 * fewer where there are few chunks. Which chunks a lane has depends on their place in the batch alone, and is such that
 * ranks which share a batch in equal parts, one behind the other, have whole lanes, one behind the other: with 8 chunks
 * or more to a batch, lane l of L has the l-th of L parts of it; with fewer, chunks of one place in several batches (a
 * loss may have those of several chains, one behind the other) take turns in lanes of their own, which are added up
 * before any others. So a rank sends one sum where its places in the batch are a subtree. */
#ifndef MMI_LANES_H
#define MMI_LANES_H

#include "engine/comm.h"
#include "engine/params.h"
#include "engine/pool.h"
#include "engine/span.h"

#define MMI_MAX_LANES 8

/* How a batch is shared out. */
typedef struct mmi_share {
	const mmi_comm *comm;
	mmi_span chunks; /* of rows: those of a whole batch, and which of them are computed here */
} mmi_share;

typedef struct mmi_lanes {
	uint32_t n; /* lanes of all ranks */
	mmi_share share;
	size_t count;                   /* floats in each */
	mmi_floats lane[MMI_MAX_LANES]; /* lane[0] holds the sum after mmi_lanes_reduce */
	mmi_mirror block_squares;       /* doubles, one per block: for the norm */
	const mmi_params *params;
} mmi_lanes;

/* Whether so many ranks can share batches of so many chunks and have whole lanes each. */
bool mmi_share_fits(uint32_t chunks, uint32_t ranks);
/* For losses of up to max_chunks chunks, of one batch or several. share NULL: a loss is one batch, all of it here. */
mm_status mmi_lanes_create(const mmi_params *params, uint32_t max_chunks, const mmi_share *share, mmi_lanes *out,
                           mm_error *e);
void mmi_lanes_clear(mmi_lanes *l);
/* The lane of chunk c here, of those of a loss: all of its first batch, then of the next. */
uint32_t mmi_lanes_of(const mmi_lanes *l, uint32_t chunk);
/* What the next gradient is added to; lanes of other ranks are left alone. */
void mmi_lanes_zero(const mmi_lanes *l, uint32_t lane);
/* Sums the lanes of all ranks into lane[0], which every rank then has, turns the gradient to the networks' weights into
 * that to the raw parameters, and leaves sums of its squares in block_squares, one a block. With one rank it is queued.
 * Returns how many blocks. */
uint32_t mmi_lanes_sum(mmi_lanes *l, mmi_pool *pool);
/* The same, and returns the gradient's Euclidean norm (NaN or infinite when any entry is). */
double mmi_lanes_reduce(mmi_lanes *l, mmi_pool *pool);

#endif
