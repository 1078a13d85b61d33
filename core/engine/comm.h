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

typedef struct mmi_comm mmi_comm;

/* The first failure of what moves bytes sticks and is told by status. With one rank send, receive and share are never
 * called. */
typedef struct mmi_comm_ops {
	const char *name;
	/* all: the parts of ranks 0, 1, ..., `bytes` each, in memory of the host. A part may lie at its place in `all`. */
	void (*gather)(const mmi_comm *c, const void *part, size_t bytes, void *all);
	/* x on every rank becomes what it is on rank `from`, in memory of the host. */
	void (*broadcast)(const mmi_comm *c, void *x, size_t bytes, uint32_t from);
	/* n floats of a device, from one rank to one other; these two alone call. */
	void (*send)(const mmi_comm *c, const mmi_device *d, mmi_floats x, size_t n, uint32_t to);
	void (*receive)(const mmi_comm *c, const mmi_device *d, mmi_floats x, size_t n, uint32_t from);
	/* broadcast of n floats of a device. */
	void (*share)(const mmi_comm *c, const mmi_device *d, mmi_floats x, size_t n, uint32_t from);
	mm_status (*status)(const mmi_comm *c, mm_error *e);
	/* This rank gives up: the others fail in what they wait for instead of waiting for ever. */
	void (*stop)(const mmi_comm *c);
} mmi_comm_ops;

struct mmi_comm {
	const mmi_comm_ops *ops;
	uint32_t rank, size;
	void *own; /* of the implementation */
};

/* One rank alone. */
mmi_comm mmi_comm_alone(void);

/* n numbers, each summed over the ranks in their order, on every rank. At most MMI_COMM_SUMS. */
#define MMI_COMM_SUMS 8
void mmi_comm_sum_doubles(const mmi_comm *c, double *x, size_t n);

#endif
