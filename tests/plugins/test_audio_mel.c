/* test_audio_mel.c - log-mel spectrograms and the way back, against values of NumPy and SciPy (reference/make_mel.py).
 */
#include "mmi_build.h"

#include "../rig/media_rig.h"
#include "mel.h"

#include <math.h>

typedef struct shape {
	audio_mel_settings s;
	int32_t rounds;
} shape;

/* As in make_mel.py. */
static const shape shapes[] = {
	{ { 8000, 32, 16, 80, 256, -70, -10 }, 4 },
	{ { 16000, 64, 32, 64, 800, -70, -10 }, 3 },
};

static const audio_mel_settings usual = { 8000, 64, 64, 80, 256, -70, -10 };

static audio_mel *create(media_host *m, const audio_mel_settings *s)
{
	mm_error e = MM_ERROR_INIT;
	audio_mel *tool = NULL;
	assert_ok(audio_mel_create(&m->com, s, &tool, &e), e);
	return tool;
}

static float *numbers(size_t n)
{
	float *x = calloc(n, sizeof *x);
	assert_non_null(x);
	return x;
}

/* The next n numbers of the file of reference values. */
static float *take(FILE *file, size_t n)
{
	float *x = numbers(n);
	assert_int_equal(fread(x, sizeof *x, n, file), n);
	return x;
}

static double largest_difference(const float *a, const float *b, size_t n)
{
	double most = 0;
	for (size_t k = 0; k < n; k++)
		most = fmax(most, fabs((double)a[k] - (double)b[k]));
	return most;
}

static FILE *open_reference(void)
{
	char path[600];
	const char *srcdir = getenv("srcdir");
	snprintf(path, sizeof path, "%s/tests/reference/mel.bin", srcdir ? srcdir : ".");
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	return file;
}

static void both_ways_agree_with_numpy(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	FILE *file = open_reference();
	(void)state;
	media_host_open(&m);
	for (size_t i = 0; i < MMI_COUNT(shapes); i++) {
		const audio_mel_settings *s = &shapes[i].s;
		const size_t n = audio_mel_length(s), floats = (size_t)s->bands * (size_t)s->frames;
		audio_mel *tool = create(&m, s);
		float *x = take(file, n), *image = take(file, floats), *back = take(file, n);
		float *got = numbers(floats), *sound = numbers(n);
		audio_mel_forward(tool, x, n, got);
		assert_true(largest_difference(got, image, floats) < 1e-5);
		assert_ok(audio_mel_back(tool, image, shapes[i].rounds, sound, &e), e);
		assert_true(largest_difference(sound, back, n) < 1e-5); /* of a peak of 0.9 */
		free(x), free(image), free(back), free(got), free(sound);
		audio_mel_destroy(tool);
	}
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
	media_host_close(&m);
}

/* A sine of full scale is at 0 dB, above the top of the range, where its band is narrow; 40 dB less are in the middle.
 */
static void decibels_are_of_full_scale(void **state)
{
	media_host m;
	media_host_open(&m);
	(void)state;
	audio_mel *tool = create(&m, &usual);
	const size_t n = audio_mel_length(&usual);
	float *x = numbers(n), *image = numbers(64 * 64);
	for (int db = 0; db >= -40; db -= 40) {
		float most = -1;
		for (size_t k = 0; k < n; k++)
			x[k] = (float)(pow(10, db / 20.0) * sin(2 * 3.14159265358979 * 500 / 8000 * (double)k));
		audio_mel_forward(tool, x, n, image);
		for (size_t b = 0; b < 64; b++)
			most = fmaxf(most, image[b * 64 + 32]);
		if (db)
			assert_true(most > -0.15f && most < 0.05f); /* -40 dB, less what the band's flanks leave out */
		else
			assert_true(most == 1);
	}
	free(x), free(image);
	audio_mel_destroy(tool);
	media_host_close(&m);
}

static void silence_is_the_floor_and_comes_back_as_silence(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	media_host_open(&m);
	(void)state;
	audio_mel *tool = create(&m, &usual);
	const size_t n = audio_mel_length(&usual);
	float *x = numbers(n), *image = numbers(64 * 64);
	audio_mel_forward(tool, x, 100, image); /* what lies behind the end is silence too */
	for (size_t k = 0; k < 64 * 64; k++)
		assert_true(image[k] == -1);
	x[5] = 1;
	assert_ok(audio_mel_back(tool, image, 10, x, &e), e);
	for (size_t k = 0; k < n; k++)
		assert_true(x[k] == 0);
	free(x), free(image);
	audio_mel_destroy(tool);
	media_host_close(&m);
}

/* From a spectrogram to sound to a spectrogram: nearer with more rounds, the same each time, with the peak promised. */
static void more_rounds_come_nearer(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	static const int32_t rounds[] = { 0, 60 };
	double apart[2];
	FILE *file = open_reference();
	const audio_mel_settings *s = &shapes[0].s;
	const size_t n = audio_mel_length(s), floats = (size_t)s->bands * (size_t)s->frames;
	float *x = take(file, n), *image = take(file, floats), *sound = numbers(n), *again = numbers(n),
		  *heard = numbers(floats);
	(void)state;
	fclose(file);
	media_host_open(&m);
	audio_mel *tool = create(&m, s);
	for (int i = 0; i < 2; i++) {
		float peak = 0, top = -1;
		assert_ok(audio_mel_back(tool, image, rounds[i], sound, &e), e);
		assert_ok(audio_mel_back(tool, image, rounds[i], again, &e), e);
		assert_memory_equal(sound, again, n * sizeof *sound);
		for (size_t k = 0; k < n; k++)
			peak = fmaxf(peak, fabsf(sound[k]));
		assert_true(fabsf(peak - 0.9f) < 1e-5f);
		audio_mel_forward(tool, sound, n, heard);
		for (size_t k = 0; k < floats; k++)
			top = fmaxf(top, heard[k]);
		assert_true(top > 0);
		apart[i] = 0;
		for (size_t k = 0; k < floats; k++)
			apart[i] += fabs((double)heard[k] - (double)image[k]) / (double)floats;
	}
	assert_true(apart[1] < 0.75 * apart[0]);
	free(x), free(image), free(sound), free(again), free(heard);
	audio_mel_destroy(tool);
	media_host_close(&m);
}

/* Samples of a generator need not be as those of data: nothing that is not a number comes out. */
static void any_sample_becomes_sound(void **state)
{
	static const float odd[] = { 1, -1, 7, -7, INFINITY, -INFINITY, NAN };
	media_host m;
	mm_error e = MM_ERROR_INIT;
	media_host_open(&m);
	(void)state;
	audio_mel *tool = create(&m, &usual);
	const size_t n = audio_mel_length(&usual);
	float *image = numbers(64 * 64), *sound = numbers(n);
	for (size_t i = 0; i < MMI_COUNT(odd); i++) {
		for (size_t k = 0; k < 64 * 64; k++)
			image[k] = k % 7 ? 0 : odd[i];
		assert_ok(audio_mel_back(tool, image, 3, sound, &e), e);
		for (size_t k = 0; k < n; k++)
			assert_true(fabsf(sound[k]) <= 0.901f);
	}
	free(image), free(sound);
	audio_mel_destroy(tool);
	media_host_close(&m);
}

static void a_band_without_a_bin_is_refused(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	audio_mel_settings s = usual;
	audio_mel *tool = NULL;
	(void)state;
	media_host_open(&m);
	s.bands = 256;
	assert_fails(audio_mel_create(&m.com, &s, &tool, &e), MM_ECONFIG, e,
	             "lies between two bins of a transform of 512 points");
	assert_null(tool);
	media_host_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_agree_with_numpy),
		cmocka_unit_test(decibels_are_of_full_scale),
		cmocka_unit_test(silence_is_the_floor_and_comes_back_as_silence),
		cmocka_unit_test(more_rounds_come_nearer),
		cmocka_unit_test(any_sample_becomes_sound),
		cmocka_unit_test(a_band_without_a_bin_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
