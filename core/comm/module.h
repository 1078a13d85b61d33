/* module.h - what the program and comm-mpi.so say to each other. The program links no MPI: it opens the module where a
 * launcher started several ranks, and calls its one function. Both must be of one build. */
#ifndef MMI_COMM_MODULE_H
#define MMI_COMM_MODULE_H

#include "engine/comm.h"

#define MMI_COMM_ENTRY "mmi_comm_open_1"

/* What both sides must agree on. */
typedef struct mmi_comm_layout {
	const char *version;
	size_t comm, ops, device, device_ops;
} mmi_comm_layout;

#define MMI_COMM_LAYOUT                                                                              \
	((mmi_comm_layout){ PACKAGE_VERSION, sizeof(mmi_comm), sizeof(mmi_comm_ops), sizeof(mmi_device), \
	                    sizeof(mmi_device_ops) })

typedef struct mmi_comm_request {
	mmi_comm_layout layout;
	uint32_t size;             /* ranks, as the launcher says */
	bool (*interrupted)(void); /* the user, or the launcher, wants the program to end */
	const mmi_log *log;        /* outlives the comm */
} mmi_comm_request;

/* Messages say what was found and what to do; they have no prefix. */
typedef mm_status mmi_comm_entry(const mmi_comm_request *r, mmi_comm *out, mm_error *e);
mmi_comm_entry mmi_comm_open_1;

#endif
