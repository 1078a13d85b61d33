/* network.h - one compiled graph with an instance per worker thread. */
#ifndef MMI_NETWORK_H
#define MMI_NETWORK_H

#include "engine/pool.h"
#include "engine/program.h"

typedef struct mmi_network {
	mmi_graph *graph;
	mmi_program **programs; /* one per worker */
	uint32_t n_programs;
} mmi_network;

/* Starts recording. Clear with mmi_network_clear, also after a failure. */
mm_status mmi_network_open(mmi_network *n, mm_error *e);
/* Compiles the recorded graph for `chunk` samples a run, once per worker. The graph's parameters must have storage. */
mm_status mmi_network_compile(mmi_network *n, const mmi_device *device, const mm_tensor *outputs, uint32_t n_outputs,
                              int64_t chunk, uint32_t workers, mm_error *e);
void mmi_network_clear(mmi_network *n);

#endif
