/* contrast_rig.h - the contrastive loss of arrays of the host, by the host's row operation. */
#ifndef CONTRAST_RIG_H
#define CONTRAST_RIG_H

#include <stdlib.h>

#include "device_rig.h"
#include "engine/row_ops.h"

/* L; da and db, unless NULL, get `weight` times its gradient added. */
static inline double contrast_loss_of(const float *a, const float *b, uint32_t rows, uint32_t dim, double temperature,
                                      double weight, float *da, float *db)
{
	double told[2] = { 0, 0 };
	const mmi_device *d = cpu_device();
	double *room = mmi_alloc(mmi_contrast_room(rows, dim), sizeof *room);
	if (!room)
		abort();
	d->rows->contrast(d, &(mmi_contrast){ .x = { mmi_floats_direct(a), mmi_floats_direct(b) },
	                                      .grad = { { da }, { db } },
	                                      .rows = rows,
	                                      .stride = dim,
	                                      .dim = dim,
	                                      .temperature = temperature,
	                                      .weight = weight,
	                                      .room = { room },
	                                      .told = { told } });
	mmi_free(room);
	return told[0] / weight;
}

#endif
