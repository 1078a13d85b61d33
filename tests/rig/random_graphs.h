/* random_graphs.h - networks drawn by number, for tests of what the planner does to them. */
#ifndef MMI_TEST_RANDOM_GRAPHS_H
#define MMI_TEST_RANDOM_GRAPHS_H

#include "engine/graph.h"
#include "engine/params.h"

enum { RANDOM_INPUTS = 4, RANDOM_WANTED = 64 };

typedef struct random_graph {
	mmi_graph *g;
	mmi_params *store;
	mm_tensor input[RANDOM_INPUTS];  /* a map, another, a vector, a number per sample */
	mm_tensor wanted[RANDOM_WANTED]; /* some tensors on the way, the loss, its gradients to inputs and parameters */
	uint32_t n_wanted;
} random_graph;

/* The same network for the same number. smooth: only operations whose gradient has no jumps. Aborts the test on
 * failure. */
void random_graph_make(random_graph *r, uint32_t number, bool smooth);
/* With parameters on a device of the caller's. */
void random_graph_make_on(random_graph *r, uint32_t number, bool smooth, const mmi_device *device);
void random_graph_free(random_graph *r);

#endif
