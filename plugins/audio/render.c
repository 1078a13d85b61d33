/* render.c - a sample as sound, and as a picture of its spectrogram. */
#include "mmi_build.h"

#include "audio.h"

#include <math.h>

mm_status audio_render(mm_instance *i, const float *x, const char *path, mm_error *e)
{
	const size_t n = audio_mel_length(&i->mel);
	float *sound = mma_new(i->host, n, sizeof(*sound));
	if (!sound)
		return mma_no_memory(e, "sound");
	mm_status status = audio_mel_back(i->tool, x, i->griffin_lim, sound, e);
	if (status == MM_OK)
		status = audio_write_wav(i->host, path, i->mel.rate, sound, n, e);
	mma_free(i->host, sound);
	return status;
}

/* ---------------------------------------------------------------- pictures */

static mm_status size(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e)
{
	(void)e;
	*width = (uint32_t)i->mel.frames;
	*height = (uint32_t)i->mel.bands;
	return MM_OK;
}

/* -1..1 to black, violet, orange, white, which grow brighter throughout. */
static void colour(float x, uint8_t rgb[3])
{
	static const float stop[4][3] = { { 0, 0, 0 }, { 120, 30, 140 }, { 250, 140, 40 }, { 255, 255, 240 } };
	const float at = fmaxf(0, fminf(2.999f, (x + 1) * 1.5f)); /* NaN: 0 */
	const int k = (int)at;
	for (int c = 0; c < 3; c++)
		rgb[c] = (uint8_t)(stop[k][c] + (stop[k + 1][c] - stop[k][c]) * (at - (float)k) + 0.5f);
}

static mm_status draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	const size_t frames = (size_t)i->mel.frames;
	(void)e;
	for (size_t y = 0; y < (size_t)i->mel.bands; y++)
		for (size_t t = 0; t < frames; t++)
			colour(x[y * frames + t], rgb + y * stride + 3 * t);
	return MM_OK;
}

const mm_modality_picture audio_picture = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_picture, draw),
	.size = size,
	.draw = draw,
};
