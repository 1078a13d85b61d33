/* mnist.h - styled views of handwritten digits: what the plugin's files share.
 *
 * View m of tuple "i.d" is the i-th digit of class d in an order of its own (one permutation per class, view and
 * split), cut out of a random crop of the view's background by inverting its colours, as PolyMNIST is made. */
#ifndef MNIST_H
#define MNIST_H

#include "common.h"

#include <pthread.h>

enum {
	MNIST_SIDE = 28,
	MNIST_PIXELS = MNIST_SIDE * MNIST_SIDE,
	MNIST_BYTES = MNIST_PIXELS * 3, /* one picture, 8-bit RGB */
	MNIST_CLASSES = 10,             /* unless set */
	MNIST_LABELS = 256,             /* that a byte can be */
	MNIST_MAX_VIEW = 999999
};

typedef struct mnist_digits mnist_digits; /* digits.h */

/* What load returns and unload releases. */
typedef struct mnist_plugin {
	mma_host host;
	pthread_mutex_t lock;   /* guards the two lists */
	mnist_digits *digits;   /* IDX data in use, shared between instances */
	mm_instance *instances; /* alive, to notice two with the same view */
} mnist_plugin;

enum { MNIST_SOURCE_AUTO = 0, MNIST_SOURCE_IDX = 1, MNIST_SOURCE_FOLDER = 2 };
enum { MNIST_OUTPUT_TANH = 0, MNIST_OUTPUT_LINEAR = 1 };

/* One modality. The strings belong to the host and live as long as the instance. */
struct mm_instance {
	mnist_plugin *plugin;
	mm_instance *next;
	const char *name;
	const char *root;       /* of the data, or NULL */
	const char *background; /* PNG file, or NULL: drawn */
	int net;                /* of mnist_net_table */
	int source, output;
	int energy_bias;
	int32_t view;  /* style number: background, pairing and crops */
	int32_t width; /* base width of net = conv */
	int32_t energy_channels;
	int32_t energy_stride; /* 2: the trunk sees 14x14, a quarter of the work */
	int32_t classes;       /* labels are below */
	int32_t limit;         /* use only the first so many tuples; 0: all */
};

/* ---------------------------------------------------------------- instance.c */

mm_status mnist_create(void *self, mm_config *config, mm_instance **out, mm_error *e);
void mnist_destroy(mm_instance *i);
extern const mm_modality_settings mnist_settings;
mm_status mnist_describe(mm_instance *i, mm_modality_info *out, mm_error *e);

/* ---------------------------------------------------------------- render.c */

mm_status mnist_render(mm_instance *i, const float *x, const char *path, mm_error *e);
const void *mnist_extension(const char *id);

#endif
