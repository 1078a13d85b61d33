/* idx.h - reads the IDX files of MNIST and its relatives, gzip or plain. Nothing in the file is trusted. */
#ifndef MNIST_IDX_H
#define MNIST_IDX_H

#include "mnist.h"

#define MNIST_IDX_MAX 1048576u /* items: far above any set of this kind */

typedef struct mnist_idx {
	void *stream;     /* gzFile: reads plain files as they are */
	const char *path; /* the caller's, for messages */
	uint32_t count;   /* images or labels */
	size_t item;      /* bytes each: 784 or 1 */
} mnist_idx;

enum { MNIST_IDX_LABELS = 1, MNIST_IDX_IMAGES = 3 }; /* the number of dimensions */

/* Opens the file and checks header and size. On failure there is nothing to close. */
mm_status mnist_idx_open(mnist_idx *f, const char *path, int kind, mm_error *e);
/* The next n items. */
mm_status mnist_idx_read(mnist_idx *f, void *out, size_t n, mm_error *e);
/* After the last item: fails if anything follows or the gzip checksum is wrong. */
mm_status mnist_idx_finish(mnist_idx *f, mm_error *e);
void mnist_idx_close(mnist_idx *f);

#endif
