/* dataset.h - one split of one view, from IDX digits (styled.c) or from PolyMNIST's folders (folder.c). */
#ifndef MNIST_DATASET_H
#define MNIST_DATASET_H

#include "digits.h"
#include "mnist.h"
#include "png_file.h"

/* After open nothing changes but through close, so all calls may come from any thread. */
struct mm_dataset {
	mnist_plugin *plugin;
	uint64_t n;
	const mnist_tuple *tuple; /* at least n: keys and labels */
	mm_status (*paint)(const mm_dataset *d, uint64_t index, uint8_t rgb[MNIST_BYTES], mm_error *e);

	/* styled.c */
	mnist_digits *digits;
	mnist_image background;
	uint32_t *digit; /* n: which digit is in the picture */
	uint64_t crop_stream, crop_base;

	/* folder.c */
	char *folder;
	mnist_tuple *found;
};

mm_status mnist_dataset_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e);
void mnist_dataset_close(mm_dataset *d);
uint64_t mnist_dataset_count(const mm_dataset *d);
mm_status mnist_dataset_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e);
int32_t mnist_dataset_label(const mm_dataset *d, uint64_t index);
mm_status mnist_dataset_read(mm_dataset *d, uint64_t index, float *out, mm_error *e);

/* How many of `all` tuples the instance wants. */
uint64_t mnist_limited(const mm_instance *i, uint64_t all);
/* Fill a data set whose plugin is set; what they made is released by mnist_dataset_close, also after a failure. */
mm_status mnist_styled_open(const mm_instance *i, int split, mm_dataset *d, mm_error *e);
mm_status mnist_folder_open(const mm_instance *i, int split, mm_dataset *d, mm_error *e);
/* Has root, root/PolyMNIST or root/MMNIST the split's folder? */
mm_status mnist_folder_present(const mnist_plugin *p, const char *root, int split, bool *out, mm_error *e);

#endif
