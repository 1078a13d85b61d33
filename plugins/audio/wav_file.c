/* wav_file.c - sound as a WAV file: 16 bits, mono. */
#include "mmi_build.h"

#include "sound_file.h"

#include <math.h>
#include <string.h>

enum { HEADER = 44 };

static void put(unsigned char *out, uint32_t value, int bytes)
{
	for (int k = 0; k < bytes; k++)
		out[k] = (unsigned char)(value >> 8 * k);
}

static void put_header(unsigned char *out, uint32_t rate, uint32_t bytes)
{
	memcpy(out, "RIFF....WAVEfmt ....", 20);
	put(out + 4, HEADER - 8 + bytes, 4);
	put(out + 16, 16, 4);
	put(out + 20, 1, 2); /* PCM */
	put(out + 22, 1, 2); /* channels */
	put(out + 24, rate, 4);
	put(out + 28, 2 * rate, 4); /* bytes a second */
	put(out + 32, 2, 2);        /* bytes of a sample of all channels */
	put(out + 34, 16, 2);       /* bits */
	memcpy(out + 36, "data", 4);
	put(out + 40, bytes, 4);
}

static uint32_t to_bits(float x)
{
	const float clipped = x > -1 ? fminf(x, 1) : -1; /* NaN: -1 */
	return (uint32_t)(int32_t)lrintf(clipped * 32767) & 0xFFFF;
}

mm_status audio_write_wav(const mma_host *h, const char *path, int32_t rate, const float *x, size_t n, mm_error *e)
{
	if (n > (INT32_MAX - HEADER) / 2)
		return mma_fail(e, MM_EUNSUPPORTED, "%s: %zu samples are too many for a WAV file", path, n);
	unsigned char *bytes = mma_new(h, HEADER + 2 * n, 1);
	if (!bytes)
		return mma_no_memory(e, path);
	put_header(bytes, (uint32_t)rate, (uint32_t)(2 * n));
	for (size_t k = 0; k < n; k++)
		put(bytes + HEADER + 2 * k, to_bits(x[k]), 2);
	mm_status status = com_write_file(h, path, bytes, HEADER + 2 * n, e);
	mma_free(h, bytes);
	return status;
}
