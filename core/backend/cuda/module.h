/* module.h - what the program and backend-cuda.so say to each other. The program links no CUDA library: it opens the
 * module when a device is asked for, and calls its one function. Both must be of one build. */
#ifndef MMI_CUDA_MODULE_H
#define MMI_CUDA_MODULE_H

#include "backend/cuda/open.h"
#include "engine/comm.h"
#include "engine/device.h"
#include "engine/row_ops.h"

#define MMI_BACKEND_ENTRY "mmi_backend_open_1"

/* What both sides must agree on. */
typedef struct mmi_backend_layout {
	const char *version;
	size_t exec, node, backend, device, device_ops, row_ops, comm, comm_ops;
} mmi_backend_layout;

#define MMI_BACKEND_LAYOUT                                                                                    \
	((mmi_backend_layout){ PACKAGE_VERSION, sizeof(mmi_exec), sizeof(mmi_node), sizeof(mmi_backend),          \
	                       sizeof(mmi_device), sizeof(mmi_device_ops), sizeof(mmi_row_ops), sizeof(mmi_comm), \
	                       sizeof(mmi_comm_ops) })

typedef struct mmi_backend_request {
	mmi_backend_layout layout;
	mmi_cuda_precision precision;
	uint32_t card;      /* its number, counted on from the first where there are not so many */
	const mmi_vec *vec; /* the host's */
} mmi_backend_request;

/* Messages say what was found and what to do; they have no prefix. */
typedef mm_status mmi_backend_open(const mmi_backend_request *r, mmi_device *out, mm_error *e);
mmi_backend_open mmi_backend_open_1;

#endif
