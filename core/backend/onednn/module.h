/* module.h - what the program and backend-onednn.so say to each other. The program links no oneDNN: it opens the module
 * where products in bfloat16 are oneDNN's, and calls its one function. Both must be of one build. */
#ifndef MMI_ONEDNN_MODULE_H
#define MMI_ONEDNN_MODULE_H

#include "backend/cpu/isa.h"
#include "engine/device.h"

#define MMI_ONEDNN_ENTRY "mmi_onednn_open_1"

/* What both sides must agree on. */
typedef struct mmi_onednn_layout {
	const char *version;
	size_t exec, node, device, device_ops, isa, simd, bf16;
} mmi_onednn_layout;

#define MMI_ONEDNN_LAYOUT                                                                          \
	((mmi_onednn_layout){ PACKAGE_VERSION, sizeof(mmi_exec), sizeof(mmi_node), sizeof(mmi_device), \
	                      sizeof(mmi_device_ops), sizeof(mmi_isa), sizeof(mmi_simd), sizeof(mmi_bf16) })

/* How the state of a prepared call begins: the program's kernels, which stand in its tables, go on by it. */
typedef struct mmi_onednn_call {
	void (*run)(mmi_exec *x);
	void (*release)(mmi_exec *x);
} mmi_onednn_call;

typedef struct mmi_onednn {
	const char *text; /* "oneDNN 3.2.0/avx512_core_amx": its version, and the instruction set that it takes */
	/* Whether it has a call of LINEAR, CONV and their gradients, other than in plain loops; with AMX if `amx`. */
	bool (*accepts)(const mmi_exec *x, bool amx);
	mm_status (*prepare)(mmi_exec *x, mm_error *e);
} mmi_onednn;

/* Messages say what was found and what to do; they have no prefix. */
typedef mm_status mmi_onednn_open(const mmi_onednn_layout *theirs, const mmi_onednn **out, mm_error *e);
mmi_onednn_open mmi_onednn_open_1;

#endif
