/* device.h - a GPU as a device. */
#ifndef MMI_CUDA_DEVICE_H
#define MMI_CUDA_DEVICE_H

#include "backend/cuda/cuda.h"
#include "backend/cuda/open.h"

typedef struct mmi_cuda_config {
	int number; /* of the card */
	mmi_cuda_precision precision;
	const mmi_vec *vec; /* the host's */
} mmi_cuda_config;

/* The card must have been chosen (cudaSetDevice). The device's `close` gives everything back. */
mm_status mmi_cuda_create(const mmi_cuda_config *config, mmi_device *out, mm_error *e);

#endif
