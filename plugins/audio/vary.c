/* vary.c - sounds with parts that are not heard: in training encoders may miss some bands and some frames. */
#include "mmi_build.h"

#include "audio.h"

enum { FIRST, PAST };

/* first .. past - 1 of n: none to `share` of them, wherever they fit. */
static void draw_range(double share, int32_t n, const uint32_t words[2], int32_t range[2])
{
	const int32_t most = (int32_t)(share * n);
	const int32_t length = (int32_t)((uint64_t)words[0] * ((uint64_t)most + 1) >> 32);
	range[FIRST] = (int32_t)((uint64_t)words[1] * ((uint64_t)(n - length) + 1) >> 32);
	range[PAST] = range[FIRST] + length;
}

/* SpecAugment (Park et al. 2019) with one mask along each axis; what is covered is silent. */
void audio_vary(const mm_instance *i, uint64_t draw, float *x)
{
	uint32_t words[4];
	int32_t bands[2], frames[2];
	if (!(i->mask > 0))
		return;
	i->host->random->words(i->host->api->host, i->mask_stream, draw, 0, words);
	draw_range(i->mask, i->mel.bands, words, bands);
	draw_range(i->mask, i->mel.frames, words + 2, frames);
	for (int32_t b = 0; b < i->mel.bands; b++)
		for (int32_t f = 0; f < i->mel.frames; f++)
			if ((b >= bands[FIRST] && b < bands[PAST]) || (f >= frames[FIRST] && f < frames[PAST]))
				x[b * i->mel.frames + f] = -1;
}
