/* digits.h - the digits of one split of an IDX data set, decoded once and shared by all instances with the same root.
 */
#ifndef MNIST_DIGITS_H
#define MNIST_DIGITS_H

#include "mnist.h"

/* A tuple's name: "ordinal.label". */
typedef struct mnist_tuple {
	uint32_t ordinal; /* counts within the class, from 0 */
	uint32_t label;
} mnist_tuple;

/* Which pixels are ink (> 128): bit x of row y. 112 bytes instead of 784. */
typedef struct mnist_mask {
	uint32_t row[MNIST_SIDE];
} mnist_mask;

struct mnist_digits {
	mnist_digits *next;
	unsigned references;
	char *root;
	int split;
	uint32_t n;
	mnist_mask *mask;                       /* n, in file order */
	mnist_tuple *tuple;                     /* n: label and how many of its class came before */
	uint32_t *by_class;                     /* n indices, grouped by class */
	uint32_t class_begin[MNIST_LABELS + 1]; /* into by_class */
	int32_t classes;                        /* the largest label and 1 */
};

/* Is the images' file of the split there? */
mm_status mnist_digits_present(const mnist_plugin *p, const char *root, int split, bool *out, mm_error *e);
/* Loads the split, or shares what is loaded. [any] */
mm_status mnist_digits_acquire(mnist_plugin *p, const char *root, int split, mnist_digits **out, mm_error *e);
void mnist_digits_release(mnist_plugin *p, mnist_digits *d); /* [any] accepts NULL */

#endif
