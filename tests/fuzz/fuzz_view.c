/* fuzz_view.c - pictures as the plugin mnist reads them: a view of PolyMNIST, and a background. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "mnist/png_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t digit[MNIST_BYTES];
	const char *path = fuzz_file(0, data, n);
	const mnist_plugin plugin = { .host = *fuzz_host() };
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	mnist_image p;
	const size_t before = fuzz_blocks();
	fuzz_ok(mnist_png_read(path, MNIST_SIDE, MNIST_SIDE, digit, &e), &e);
	if (fuzz_ok(mnist_png_load(&plugin, path, &p, &f), &f))
		mma_free(fuzz_host(), p.rgb);
	fuzz_same_blocks(before);
	return 0;
}
