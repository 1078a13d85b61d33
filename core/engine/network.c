/* network.c - one compiled graph with an instance per worker thread. */
#include "mmi_build.h"

#include "engine/network.h"

mm_status mmi_network_open(mmi_network *n, mm_error *e)
{
	*n = (mmi_network){ .graph = NULL };
	return mmi_graph_create(&n->graph, e);
}

mm_status mmi_network_compile(mmi_network *n, const mmi_device *device, const mm_tensor *outputs, uint32_t n_outputs,
                              int64_t chunk, uint32_t workers, mm_error *e)
{
	mmi_program_spec spec = {
		.graph = n->graph, .device = device, .n = chunk, .outputs = outputs, .n_outputs = n_outputs
	};
	n->programs = mmi_alloc(workers, sizeof *n->programs);
	if (!n->programs)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u programs", workers);
	for (; n->n_programs < workers; n->n_programs++)
		MMI_TRY(mmi_program_create(&spec, &n->programs[n->n_programs], e));
	return MM_OK;
}

void mmi_network_clear(mmi_network *n)
{
	for (uint32_t i = 0; i < n->n_programs; i++)
		mmi_program_destroy(n->programs[i]);
	mmi_free(n->programs);
	mmi_graph_destroy(n->graph);
	*n = (mmi_network){ .graph = NULL };
}
