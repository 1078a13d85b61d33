/* sound_rig.c - sound files made up for tests, by libsndfile. */
#include "mmi_build.h"

#include "sound_rig.h"

#include <math.h>
#include <sndfile.h>

float *sound_word(int class, int variant, int rate, size_t n)
{
	static const double begin[SOUND_CLASSES] = { 300, 900, 500 }, end[SOUND_CLASSES] = { 1200, 300, 500 };
	const double seconds = (double)n / rate, shift = 1 + 0.02 * (variant % 5);
	float *x = calloc(n, sizeof *x);
	assert_non_null(x);
	for (size_t k = 0; k < n; k++) {
		const double t = (double)k / rate, rise = (end[class] - begin[class]) / seconds;
		const double phase = 2 * 3.14159265358979 * shift * (begin[class] * t + rise * t * t / 2);
		x[k] = (float)(0.6 * sin(3.14159265358979 * t / seconds) * (sin(phase) + 0.3 * sin(2 * phase)));
	}
	return x;
}

bool sound_write(rig *r, const char *name, int format, int rate, int channels, const float *x, size_t n)
{
	char path[400];
	SF_INFO info = { .samplerate = rate, .channels = channels, .format = format };
	media_text(r, name, "");
	snprintf(path, sizeof path, "%s/%s", r->folder, name);
	if (!sf_format_check(&info))
		return false;
	float *frames = calloc(n * (size_t)channels + 1, sizeof *frames);
	assert_non_null(frames);
	for (size_t k = 0; k < n; k++)
		for (int c = 0; c < channels; c++)
			frames[k * (size_t)channels + (size_t)c] = c % 2 ? x[k] / 2 : x[k];
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	assert_non_null(file);
	assert_int_equal(sf_writef_float(file, frames, (sf_count_t)n), n);
	assert_int_equal(sf_close(file), 0);
	free(frames);
	return true;
}

void sound_wav(rig *r, const char *name, int class, int variant)
{
	float *x = sound_word(class, variant, 8000, 3000);
	assert_true(sound_write(r, name, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, x, 3000));
	free(x);
}
