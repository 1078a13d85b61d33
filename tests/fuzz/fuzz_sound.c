/* fuzz_sound.c - sound files of all kinds that libsndfile reads, as samples and as a spectrogram. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "audio/mel.h"
#include "audio/sound_file.h"

enum { RATE = 8000, SIDE = 16 };

static audio_mel *tool(void)
{
	static const audio_mel_settings s = { RATE, SIDE, SIDE, 80, 256, -70, -10 };
	static audio_mel *made;
	mm_error e = MM_ERROR_INIT;
	if (!made)
		fuzz_must(audio_mel_create(fuzz_host(), &s, &made, &e), &e);
	return made;
}

static void use(const float *x, size_t n)
{
	static float image[SIDE * SIDE];
	if (n < 1 || n > RATE + 16)
		fuzz_fail("%zu samples", n);
	audio_mel_forward(tool(), x, n, image);
	for (size_t k = 0; k < SIDE * SIDE; k++)
		if (!(image[k] >= -1 && image[k] <= 1))
			fuzz_fail("value %zu is %g", k, (double)image[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const audio_want want = { RATE, 1 };
	mm_error e = MM_ERROR_INIT;
	float *x = NULL;
	size_t count = 0;
	tool();
	const size_t before = fuzz_blocks();
	if (fuzz_ok(audio_read_sound(fuzz_host(), fuzz_file(0, data, n), &want, &x, &count, &e), &e)) {
		use(x, count);
		mma_free(fuzz_host(), x);
	}
	fuzz_same_blocks(before);
	return 0;
}
