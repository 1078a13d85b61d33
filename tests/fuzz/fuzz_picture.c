/* fuzz_picture.c - pictures as the plugin img reads them: PNG and JPEG, turned and resized. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "img/orient.h"
#include "img/resize.h"

enum { SIDE = 32, MOST_RESIZED = 1 << 16 };

static void resize(const img_pixels *p)
{
	static uint8_t out[SIDE * SIDE * 3];
	mm_error e = MM_ERROR_INIT;
	for (int k = 0; k < 2; k++) {
		const img_fit fit = { SIDE, k, !k, 0 };
		if (img_resize(fuzz_host(), p, &fit, out, &e) != MM_OK)
			fuzz_fail("a picture of %u x %u: %s", p->width, p->height, e.message);
	}
}

static void as_img(const char *path)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	img_pixels p;
	if (!fuzz_ok(img_decode(fuzz_host(), path, SIDE, &p, &e), &e))
		return;
	if ((uint64_t)p.width * p.height <= MOST_RESIZED) {
		if (img_turn(fuzz_host(), &p, &f) != MM_OK)
			fuzz_fail("not turned: %s", f.message);
		resize(&p);
	}
	mma_free(fuzz_host(), p.rgb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *path = fuzz_file(0, data, n);
	fuzz_host();
	const size_t before = fuzz_blocks();
	as_img(path);
	fuzz_same_blocks(before);
	return 0;
}
