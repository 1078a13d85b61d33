/* comm.h - ranks that compute one run together, each some rows of every batch.
 *
 * A comm is made once, where a run is opened, and handed down like the device; one rank is the comm of a run that
 * nobody shares. All ranks make the same calls in the same order. What they exchange is copied, and sums are formed by
 * our own code in an order that does not depend on the number of ranks (lanes.h, learn/reduce.h): an implementation
 * moves bytes and adds nothing, so it has no say in what is computed. */
#ifndef MMI_COMM_H
#define MMI_COMM_H

#include "engine/device.h"

#define MMI_MAX_RANKS 8 /* there are no more lanes to share out */

/* The first failure of what moves bytes sticks and is told by status; from then on nothing is moved. With one rank swap
 * is never called. */
typedef struct mmi_comm_ops {
	const char *name;
	/* all: the parts of ranks 0, 1, ..., `bytes` each, in memory of the host. A part may lie at its place in `all`. */
	void (*gather)(const mmi_comm *c, const void *part, size_t bytes, void *all);
	/* x on every rank becomes what it is on rank `from`, in memory of the host. */
	void (*broadcast)(const mmi_comm *c, void *x, size_t bytes, uint32_t from);
	/* Floats of a device to one other rank, and what that one sends back; both call, with each other. 0: none. */
	void (*swap)(const mmi_comm *c, const mmi_device *d, uint32_t with, mmi_floats out, size_t n_out, mmi_floats in,
	             size_t n_in);
	mm_status (*status)(const mmi_comm *c, mm_error *e); /* looks for words of other ranks, too */
	/* This rank gives up, and why: the others fail in what they wait for instead of waiting for ever. */
	void (*stop)(const mmi_comm *c, const char *why);
	uint64_t (*sent)(const mmi_comm *c); /* bytes, by this rank so far */
	/* The end, which all ranks come to with their work done; it may end the process where one of them failed. */
	void (*close)(mmi_comm *c);
} mmi_comm_ops;

struct mmi_comm {
	const mmi_comm_ops *ops;
	uint32_t rank, size;
	double patience; /* seconds for which a rank may not answer; 0: for ever */
	void *own;       /* of the implementation */
};

/* One rank alone. */
mmi_comm mmi_comm_alone(void);

/* n numbers, each summed over the ranks in their order, on every rank. At most MMI_COMM_SUMS. */
#define MMI_COMM_SUMS 8
void mmi_comm_sum_doubles(const mmi_comm *c, double *x, size_t n);
/* What became of something that each rank does for itself: MM_OK where it went well on all, else, on all, the status
 * and the message of the first that failed. */
mm_status mmi_comm_agree(const mmi_comm *c, mm_status status, mm_error *e);

#endif
