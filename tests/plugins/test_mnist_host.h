/* test_mnist_host.h - a host in miniature for plugin tests: settings from a list, counted memory, a graph that records
 * shapes and parameters only. */
#ifndef TEST_MNIST_HOST_H
#define TEST_MNIST_HOST_H

#include <mmcore/plugin.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct setting {
	const char *key, *value;
} setting;

struct mm_config {
	const char *name, *root;
	setting set[8]; /* ends at a NULL key */
};

struct mm_host {
	mm_host_api api;
	uint64_t seed;
	atomic_long blocks, bytes; /* alive */
	atomic_long fail_after;    /* allocations that still succeed; negative: all do */
	int warnings;
	char line[512];    /* last log line */
	const char *lacks; /* id of a service this host does not have */
};

enum { MAX_TENSORS = 256, MAX_PARAMETERS = 64 };

typedef struct parameter {
	char name[64];
	mm_shape shape;
} parameter;

struct mm_graph {
	mm_shape tensor[MAX_TENSORS];
	int tensors;
	parameter parameter[MAX_PARAMETERS];
	int parameters;
	int activations[8];       /* how many of each kind */
	mm_tensor concat[2];      /* inputs of the last concat */
	int activation_last;      /* kind of the activation recorded last */
	mm_tensor activation_out; /* and its result */
	int pools_with_padding;
	float axpby_b;
	const char *error; /* first failure, or NULL */
};

void host_init(mm_host *h, uint64_t seed);
/* The emulated random numbers, for direct computations. */
void host_words(mm_host *h, uint64_t stream, uint64_t index, uint32_t block, uint32_t out[4]);
uint64_t host_stream(mm_host *h, const char *name);

mm_tensor graph_input(mm_graph *g, mm_shape shape);
int64_t graph_parameter_count(const mm_graph *g);
const parameter *graph_find(const mm_graph *g, const char *name);

#endif
