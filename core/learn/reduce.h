/* reduce.h - whatever is made of rows that are computed on several ranks: sums, counts, readings, decisions, and rows
 * that one rank has and another needs. Nothing else in the learner knows that a batch may be shared out.
 *
 * Ranks have equal parts of a batch, one behind the other. Sums are formed from those of chunks, in the order in which
 * one rank alone would form them, so every rank comes to its bits; the ranks then decide alike. All make the same
 * calls. */
#ifndef MMI_REDUCE_H
#define MMI_REDUCE_H

#include "engine/lanes.h"
#include "mcmc/sampler.h"
#include "model/device_rows.h"

typedef struct mmi_reduce { /* made once */
	mmi_span span;          /* rows of a batch that are computed here */
	mmi_share share;        /* the same in chunks, and who computes the others */
	double *parts, *chunks; /* sums of the chunks here and of all ranks, on the host; NULL with one */
} mmi_reduce;

/* MM_ECONFIG when the ranks cannot share a batch in whole lanes. A sum is of at most so many `chains` of rows. */
mm_status mmi_reduce_create(const mmi_comm *comm, uint32_t batch, uint32_t chunk, uint32_t chains, mmi_reduce *out,
                            mm_error *e);
void mmi_reduce_clear(mmi_reduce *r);
static inline bool mmi_reduce_shared(const mmi_reduce *r)
{
	return r->share.comm->size > 1;
}

/* sum[n] of parts [chains][chunks here][n], both of the device. With one rank it is queued. */
void mmi_reduce_chunks(const mmi_reduce *r, const mmi_device *d, mmi_doubles parts, uint32_t chains, uint32_t n,
                       mmi_doubles sum);
/* The sums of the sampler's last call over a batch, or over `chains` of it: the numbers of an mmi_chain_stats. */
void mmi_reduce_chain(const mmi_reduce *r, const mmi_device *d, const mmi_sampler *s, uint32_t chains,
                      mmi_doubles stats);
enum { MMI_CHAIN_SUMS = sizeof(mmi_chain_stats) / sizeof(double) };
/* Sum of what each rank counted. */
uint32_t mmi_reduce_count(const mmi_reduce *r, uint32_t here);
/* Rows of all ranks, `bytes` each, in the order of the batch: in `all`, or, with one rank, where they are. The rows
 * here may lie at their place in `all`. */
const void *mmi_reduce_rows(const mmi_reduce *r, const void *here, size_t bytes, void *all);
static inline const float *mmi_reduce_floats(const mmi_reduce *r, const float *here, size_t count, float *all)
{
	return mmi_reduce_rows(r, here, count * sizeof *here, all);
}
/* The same of rows of a device, `count` floats each, in `all`. */
mmi_floats mmi_reduce_on_device(const mmi_reduce *r, const mmi_device *d, mmi_floats here, size_t count,
                                const mmi_mirror *all);
/* Room for those, [batch][count]; nothing with one rank. Clear in every case. */
mm_status mmi_reduce_room(const mmi_reduce *r, const mmi_device *d, size_t count, mmi_mirror *out, mm_error *e);
/* Rows of all ranks where the device has them. */
typedef struct mmi_all_rows {
	mmi_mirror x[MMI_MAX_MODALITIES], z, w[MMI_MAX_MODALITIES]; /* [batch] */
} mmi_all_rows;

/* Nothing is there with one rank. Clear in every case. */
mm_status mmi_all_rows_create(const mmi_reduce *r, const mmi_model *m, bool latents, mmi_all_rows *out, mm_error *e);
void mmi_all_rows_clear(const mmi_model *m, mmi_all_rows *a);
mmi_device_rows mmi_reduce_samples(const mmi_reduce *r, const mmi_model *m, const mmi_device_rows *here,
                                   const mmi_all_rows *all);
mmi_device_latents mmi_reduce_latents(const mmi_reduce *r, const mmi_model *m, const mmi_device_latents *here,
                                      const mmi_all_rows *all);

/* Where rows of several modalities of all ranks come together on the device, and who has them. */
typedef struct mmi_room {
	const mmi_device *device;
	uint32_t n;
	size_t count;                                                   /* floats of a row */
	mmi_mirror rows[MMI_MAX_MODALITIES], there[MMI_MAX_MODALITIES]; /* [batch][count], [batch]; nothing with one rank */
} mmi_room;

mm_status mmi_room_create(const mmi_reduce *r, const mmi_model *m, size_t count, mmi_room *out, mm_error *e);
void mmi_room_clear(mmi_room *k);
/* all[m], all_there[m] of the whole batch, from the rows here. Where `there` is NULL nothing becomes of all_there. */
void mmi_room_fill(const mmi_room *k, const mmi_reduce *r, const mmi_floats *here, const mmi_floats *there,
                   mmi_floats *all, mmi_floats *all_there);

/* Of what was made with the rows of all ranks: `status`, unless some of them never came. */
mm_status mmi_reduce_status(const mmi_reduce *r, mm_status status, mm_error *e);
/* Whether something is so on any rank: that it was told to stop, that something failed. */
bool mmi_reduce_any(const mmi_reduce *r, bool here);
/* What the first rank's clock says. */
double mmi_reduce_clock(const mmi_reduce *r, double here);

#endif
