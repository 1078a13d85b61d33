/* fuzz_idx.c - the IDX files of MNIST and its relatives. Two bytes say how long the images' file is; then it and that
 * of the labels. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "mnist/digits.h"

static void use(const mnist_digits *d)
{
	uint64_t sum = 0;
	for (uint32_t k = 0; k < d->n; k++)
		sum += d->mask[k].row[3] + d->tuple[d->by_class[k]].label;
	if (sum == UINT64_MAX)
		fuzz_fail("%u digits", d->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static mnist_plugin plugin = { .lock = PTHREAD_MUTEX_INITIALIZER };
	mm_error e = MM_ERROR_INIT;
	mnist_digits *d = NULL;
	if (n < 2)
		return 0;
	size_t images = (size_t)data[0] << 8 | data[1];
	data += 2;
	n -= 2;
	images = images < n ? images : n;
	plugin.host = *fuzz_host();
	fuzz_put("train-images-idx3-ubyte", data, images);
	fuzz_put("train-labels-idx1-ubyte", data + images, n - images);
	const size_t before = fuzz_blocks();
	if (fuzz_ok(mnist_digits_acquire(&plugin, fuzz_folder(), MM_SPLIT_TRAIN, &d, &e), &e)) {
		use(d);
		mnist_digits_release(&plugin, d);
	}
	fuzz_same_blocks(before);
	return 0;
}
