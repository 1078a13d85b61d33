/* test_audio_files.c - sound files of every format, as spectrograms, and what can be wrong with a file. */
#include "mmi_build.h"

#include "../rig/sound_rig.h"
#include "mel.h"
#include "sound_file.h"

#include <math.h>
#include <sndfile.h>

static const audio_want want = { 8000, 60 };
static const audio_mel_settings usual = { 8000, 64, 64, 80, 256, -70, -10 };

static const char *full(rig *r, const char *name)
{
	static char path[400];
	snprintf(path, sizeof path, "%s/%s", r->folder, name);
	return path;
}

/* The spectrogram of a file; free it. */
static float *spectrogram(media_host *m, rig *r, const char *name)
{
	mm_error e = MM_ERROR_INIT;
	float *x = NULL, *image = calloc(64 * 64, sizeof *image);
	size_t n = 0;
	audio_mel *tool = NULL;
	assert_non_null(image);
	assert_ok(audio_read_sound(&m->com, full(r, name), &want, &x, &n, &e), e);
	assert_ok(audio_mel_create(&m->com, &usual, &tool, &e), e);
	audio_mel_forward(tool, x, n, image);
	audio_mel_destroy(tool);
	mma_free(&m->com, x);
	return image;
}

typedef struct distance {
	double mean, most; /* of values in -1..1 */
} distance;

/* Of the bands from `top` on down: the highest ones are left out where a filter takes them. */
static distance between(const float *a, const float *b, size_t top)
{
	distance d = { 0, 0 };
	for (size_t k = top * 64; k < 64 * 64; k++) {
		const double apart = fabs((double)a[k] - (double)b[k]);
		d.mean += apart / (double)((64 - top) * 64);
		d.most = fmax(d.most, apart);
	}
	return d;
}

/* Formats, and how far what they keep may be from the original on average. */
static const struct format {
	const char *name;
	int format;
	double mean;
} formats[] = {
	{ "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1e-4 },
	{ "b.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 1e-6 },
	{ "c.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 1e-8 },
	{ "d.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0 },
	{ "e.wav", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 0 },
	{ "f.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 0.12 },
	{ "g.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW, 0.25 },
	{ "h.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 1e-4 },
	{ "i.aif", SF_FORMAT_AIFF | SF_FORMAT_PCM_S8, 0.12 },
	{ "j.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1e-4 },
	{ "k.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 1e-6 },
	{ "l.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0.05 },
	{ "m.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0.2 },
	{ "n.au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 1e-4 },
	{ "o.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 1e-4 },
	{ "p.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 1e-4 },
	{ "q.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 1e-4 },
	{ "r.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 1e-6 },
	{ "s.rifx", SF_ENDIAN_BIG | SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1e-4 },
};

static void every_format_gives_the_same_spectrogram(void **state)
{
	media_host m;
	media_host_open(&m);
	float *x = sound_word(0, 0, 8000, 5000);
	assert_true(sound_write(*state, "original.wav", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 8000, 1, x, 5000));
	float *original = spectrogram(&m, *state, "original.wav");
	size_t written = 0;
	for (size_t i = 0; i < MMI_COUNT(formats); i++) {
		if (!sound_write(*state, formats[i].name, formats[i].format, 8000, 1, x, 5000))
			continue;
		float *image = spectrogram(&m, *state, formats[i].name);
		const distance d = between(image, original, 0);
		if (d.mean > formats[i].mean)
			fail_msg("%s: %g on average, expected at most %g", formats[i].name, d.mean, formats[i].mean);
		free(image);
		written++;
	}
	assert_true(written >= 15); /* all but those of libraries that libsndfile may lack */
	free(original), free(x);
	media_host_close(&m);
}

/* What is promised in the manual: below 3.6 kHz at most 0.02 apart, on average 0.001. */
static void a_studio_recording_is_like_its_telephone_copy(void **state)
{
	media_host m;
	media_host_open(&m);
	float *high = sound_word(1, 0, 44100, 22050), *low = sound_word(1, 0, 8000, 4000);
	assert_true(sound_write(*state, "high.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100, 2, high, 22050));
	assert_true(sound_write(*state, "low.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 8000, 1, low, 4000));
	float *a = spectrogram(&m, *state, "high.wav"), *b = spectrogram(&m, *state, "low.wav");
	const distance d = between(a, b, 4);
	if (d.most > 0.02 || d.mean > 0.001)
		fail_msg("%g apart at most, %g on average", d.most, d.mean);
	free(a), free(b), free(high), free(low);
	media_host_close(&m);
}

static void loudness_does_not_matter(void **state)
{
	media_host m;
	media_host_open(&m);
	float *x = sound_word(2, 0, 8000, 4000);
	assert_true(sound_write(*state, "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, x, 4000));
	for (size_t k = 0; k < 4000; k++)
		x[k] *= 1e30f;
	assert_true(sound_write(*state, "b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, x, 4000));
	float *a = spectrogram(&m, *state, "a.wav"), *b = spectrogram(&m, *state, "b.wav");
	assert_true(between(a, b, 0).most < 1e-4);
	free(a), free(b), free(x);
	media_host_close(&m);
}

/* ---------------------------------------------------------------- what can be wrong */

/* Bytes of a good file, for damage; free them. */
static char *bytes_of(rig *r, const char *name, size_t *n)
{
	return rig_read(full(r, name), n);
}

static void put_number(char *at, uint32_t value)
{
	for (int k = 0; k < 4; k++)
		at[k] = (char)(value >> 8 * k);
}

static void check_refused(media_host *m, rig *r, const char *name, mm_status status, const char *part)
{
	mm_error e = MM_ERROR_INIT;
	float *x = NULL;
	size_t n = 0;
	assert_fails(audio_read_sound(&m->com, full(r, name), &want, &x, &n, &e), status, e, part);
	if (!strstr(e.message, name))
		fail_msg("message '%s' does not name the file", e.message);
	assert_null(x);
}

static void make_good_files(rig *r)
{
	float *x = sound_word(0, 0, 8000, 40000);
	assert_true(sound_write(r, "good.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, x, 40000));
	assert_true(sound_write(r, "good.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 8000, 1, x, 40000));
	assert_true(sound_write(r, "good.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8000, 1, x, 40000));
	assert_true(sound_write(r, "good.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 8000, 1, x, 40000));
	free(x);
}

static void files_that_are_cut_short_are_told(void **state)
{
	static const char *const names[] = { "good.wav", "good.aiff", "good.flac", "good.ogg" };
	media_host m;
	media_host_open(&m);
	make_good_files(*state);
	for (size_t i = 0; i < MMI_COUNT(names); i++)
		for (int share = 1; share < 4; share++) {
			size_t n;
			char *bytes = bytes_of(*state, names[i], &n);
			media_write(*state, "cut.wav", bytes, n * (size_t)share / 4 + 1);
			check_refused(&m, *state, "cut.wav", MM_EFORMAT, "cut short");
			free(bytes);
		}
	media_host_close(&m);
}

static void headers_that_lie_are_refused(void **state)
{
	media_host m;
	size_t n;
	media_host_open(&m);
	make_good_files(*state);
	char *bytes = bytes_of(*state, "good.wav", &n);
	put_number(bytes + 40, 0x7FFFFFFF);
	media_write(*state, "huge.wav", bytes, n);
	check_refused(&m, *state, "huge.wav", MM_EFORMAT, "its header promises 2147483647 bytes of sound, 80000 are there");
	put_number(bytes + 40, 0xFFFFFFFF); /* what programs write that stream: as long as it is */
	media_write(*state, "stream.wav", bytes, n);
	free(spectrogram(&m, *state, "stream.wav"));
	put_number(bytes + 40, 80000);
	put_number(bytes + 24, 0);
	media_write(*state, "rate.wav", bytes, n);
	check_refused(&m, *state, "rate.wav", MM_EFORMAT, "");
	put_number(bytes + 24, 500);
	media_write(*state, "slow.wav", bytes, n);
	check_refused(&m, *state, "slow.wav", MM_EFORMAT, "500 samples a second, 1000 to 384000 are read");
	free(bytes);
	media_host_close(&m);
}

static void what_is_no_sound_is_refused(void **state)
{
	media_host m;
	size_t n;
	char noise[5000];
	uint32_t chance = 1;
	media_host_open(&m);
	make_good_files(*state);
	for (size_t k = 0; k < sizeof noise; k++)
		noise[k] = (char)((chance = chance * 1664525u + 1013904223u) >> 24);
	char *bytes = bytes_of(*state, "good.wav", &n);
	media_write(*state, "empty.wav", "", 0);
	media_write(*state, "header.wav", bytes, 20);
	media_write(*state, "noise.wav", noise, sizeof noise);
	media_text(*state, "text.wav", "this is no sound\n");
	media_text(*state, "folder.wav/inside", "");
	assert_int_equal(mkfifo(full(*state, "pipe.wav"), 0600), 0);
	check_refused(&m, *state, "empty.wav", MM_EFORMAT, "empty: 0 bytes");
	check_refused(&m, *state, "header.wav", MM_EFORMAT, "no sound that libsndfile reads");
	check_refused(&m, *state, "noise.wav", MM_EFORMAT, "no sound that libsndfile reads");
	check_refused(&m, *state, "text.wav", MM_EFORMAT, "no sound that libsndfile reads");
	check_refused(&m, *state, "folder.wav", MM_EFORMAT, "not a regular file");
	check_refused(&m, *state, "pipe.wav", MM_EFORMAT, "not a regular file");
	check_refused(&m, *state, "nowhere.wav", MM_EIO, "No such file");
	free(bytes);
	media_host_close(&m);
}

static void damaged_compressed_files_are_refused(void **state)
{
	media_host m;
	size_t n;
	media_host_open(&m);
	make_good_files(*state);
	char *bytes = bytes_of(*state, "good.flac", &n);
	for (size_t k = n / 2; k < n / 2 + 200; k++)
		bytes[k] ^= 0x55;
	media_write(*state, "damaged.flac", bytes, n);
	check_refused(&m, *state, "damaged.flac", MM_EFORMAT, "cut short or damaged: it ends after");
	free(bytes);
	media_host_close(&m);
}

static void samples_that_are_none_are_refused(void **state)
{
	enum { N = 4000 };
	static const float odd[] = { NAN, INFINITY, -INFINITY };
	media_host m;
	media_host_open(&m);
	float *x = sound_word(0, 0, 8000, N);
	for (size_t i = 0; i < MMI_COUNT(odd); i++) {
		x[100] = odd[i];
		assert_true(sound_write(*state, "odd.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, x, N));
		check_refused(&m, *state, "odd.wav", MM_EFORMAT, "sample 100 is not a number");
	}
	x[100] = 0;
	assert_true(sound_write(*state, "none.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, x, 0));
	check_refused(&m, *state, "none.wav", MM_EFORMAT, "empty: no samples");
	assert_true(sound_write(*state, "wide.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 20, x, N));
	check_refused(&m, *state, "wide.wav", MM_EFORMAT, "20 channels, 1 to 16 are read");
	assert_true(sound_write(*state, "one.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 1, x + 50, 1));
	check_refused(&m, *state, "one.wav", MM_EFORMAT, "cannot be brought to 8000 a second");
	memset(x, 0, N * sizeof *x);
	assert_true(sound_write(*state, "silent.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, x, N));
	check_refused(&m, *state, "silent.wav", MM_EFORMAT, "silent: its peak is 0 of full scale");
	free(x);
	media_host_close(&m);
}

static void what_is_too_long_is_refused(void **state)
{
	media_host m;
	mm_error e = MM_ERROR_INIT;
	const audio_want longer = { 8000, 70 };
	float *x = sound_word(0, 0, 8000, 61 * 8000), *got = NULL;
	size_t n = 0;
	media_host_open(&m);
	assert_true(sound_write(*state, "long.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, x, 61 * 8000));
	check_refused(&m, *state, "long.wav", MM_EFORMAT,
	              "too long: 61.0 s, at most 60 are read; cut it or raise max_seconds");
	assert_ok(audio_read_sound(&m.com, full(*state, "long.wav"), &longer, &got, &n, &e), e);
	assert_int_equal(n, 61 * 8000);
	mma_free(&m.com, got);
	free(x);
	media_host_close(&m);
}

/* ---------------------------------------------------------------- writing */

static void what_is_written_is_read_back(void **state)
{
	enum { N = 3000 };
	media_host m;
	mm_error e = MM_ERROR_INIT;
	float *x = sound_word(1, 0, 8000, N), *back = NULL, peak = 0;
	size_t n = 0;
	media_host_open(&m);
	x[7] = 2; /* clipped */
	x[8] = -2;
	assert_ok(audio_write_wav(&m.com, full(*state, "out.wav"), 8000, x, N, &e), e);
	assert_ok(audio_read_sound(&m.com, full(*state, "out.wav"), &want, &back, &n, &e), e);
	assert_int_equal(n, N);
	for (size_t k = 0; k < N; k++)
		peak = fmaxf(peak, fabsf(back[k]));
	assert_true(peak == 1 && back[7] > 0.999f && back[8] < -0.999f);
	for (size_t k = 9; k < N; k++)
		assert_true(fabsf(back[k] - x[k]) < 1e-4f);
	mma_free(&m.com, back);
	SF_INFO info = { 0 };
	SNDFILE *file = sf_open(full(*state, "out.wav"), SFM_READ, &info);
	assert_non_null(file);
	assert_int_equal(info.format, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
	assert_int_equal(info.samplerate, 8000);
	sf_close(file);
	assert_fails(audio_write_wav(&m.com, full(*state, "no/out.wav"), 8000, x, N, &e), MM_EIO, e, "cannot be created");
	free(x);
	media_host_close(&m);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_format_gives_the_same_spectrogram),
		TEST(a_studio_recording_is_like_its_telephone_copy),
		TEST(loudness_does_not_matter),
		TEST(files_that_are_cut_short_are_told),
		TEST(headers_that_lie_are_refused),
		TEST(what_is_no_sound_is_refused),
		TEST(damaged_compressed_files_are_refused),
		TEST(samples_that_are_none_are_refused),
		TEST(what_is_too_long_is_refused),
		TEST(what_is_written_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
