/* row_ops.h - what is done to whole rows of numbers beside programs: noise, chains, sums, updates. Each takes one struct of arguments
 * whose addresses are the device's; nothing is allocated. A device queues them in the order of the calls. The host's are in
 * backend/cpu/rows.c and its neighbours. */
#ifndef MMI_ROW_OPS_H
#define MMI_ROW_OPS_H

#include "engine/device.h"

/* A weight as a matrix [rows, columns] with its singular vectors: u [columns], v [rows]. */
typedef struct mmi_spectral {
	mmi_floats raw, value, sigma;  /* value = raw / sigma, a number */
	mmi_floats u, v;
	size_t rows, columns;
} mmi_spectral;

struct mmi_row_ops {
	/* `iterations` of the power method, then sigma = v^T raw u and value = raw / sigma. */
	void (*spectral)(const mmi_device *d, const mmi_spectral *a, int iterations);
	/* grad [rows, columns] to value becomes that to raw, with u and v held. */
	void (*spectral_grad)(const mmi_device *d, const mmi_spectral *a, mmi_floats grad);
};

#endif
