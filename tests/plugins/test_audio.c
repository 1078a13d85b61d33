/* test_audio.c - the plugin audio in its host: data, keys, settings, networks, samples out and in. */
#include "mmi_build.h"

#include "../rig/sound_rig.h"

#include "../rig/device_rig.h"
#include "audio.h"
#include "model/model.h"

#include <math.h>
#include <sndfile.h>

enum { FLOATS = 64 * 64, PER_CLASS = 4 };

static const char *const class_names[SOUND_CLASSES] = { "up", "down", "flat" };

/* d/train/CLASS/K.wav and d/test/CLASS/K.wav. */
static void make_folders(rig *r)
{
	char name[80];
	for (int c = 0; c < SOUND_CLASSES; c++)
		for (int k = 0; k <= PER_CLASS; k++) {
			snprintf(name, sizeof name, "d/%s/%s/%d.wav", k < PER_CLASS ? "train" : "test", class_names[c], k);
			sound_wav(r, name, c, k);
		}
}

static void open_audio(rig *r, const char *keys, media_setup *s)
{
	mm_error e = MM_ERROR_INIT;
	assert_ok(media_setup_open(r, "audio", "d", keys, s, &e), e);
}

static mm_dataset *open_split(const media_setup *s, int32_t split)
{
	mm_error e = MM_ERROR_INIT;
	mm_dataset *d = NULL;
	assert_ok(mmi_modality_open(s->m, split, &d, &e), e);
	return d;
}

static void read_into(const media_setup *s, mm_dataset *d, uint64_t k, float *x)
{
	mm_error e = MM_ERROR_INIT;
	assert_ok(mmi_modality_read(s->m, d, k, "key", x, &e), e);
}

static const char *key_of(const media_setup *s, const mm_dataset *d, uint64_t k)
{
	static char key[256];
	mm_error e = MM_ERROR_INIT;
	assert_ok(s->m->desc->key(d, k, key, sizeof key, &e), e);
	return key;
}

/* ---------------------------------------------------------------- data */

static void sounds_are_samples_by_name_and_class(void **state)
{
	media_setup s;
	mm_error e = MM_ERROR_INIT;
	static float x[FLOATS], again[FLOATS], given[FLOATS];
	char path[300];
	make_folders(*state);
	open_audio(*state, "classes = folder", &s);
	assert_int_equal(s.m->info.n_classes, SOUND_CLASSES);
	mm_dataset *train = open_split(&s, MM_SPLIT_TRAIN), *test = open_split(&s, MM_SPLIT_TEST);
	assert_int_equal(s.m->desc->count(train), SOUND_CLASSES * PER_CLASS);
	assert_int_equal(s.m->desc->count(test), SOUND_CLASSES);
	for (uint64_t k = 0; k < s.m->desc->count(train); k++) {
		const char *key = key_of(&s, train, k), *order = strstr(key, "down") ? "0" : strstr(key, "flat") ? "1" : "2";
		assert_int_equal(s.m->desc->label(train, k), *order - '0');
		snprintf(path, sizeof path, "d/%s.wav", key);
		read_into(&s, train, k, x);
		read_into(&s, train, k, again);
		assert_memory_equal(x, again, sizeof x);
		assert_ok(mmi_modality_read_given(s.m, rig_path(*state, path), given, &e), e);
		assert_memory_equal(x, given, sizeof x);
	}
	s.m->desc->close(train);
	s.m->desc->close(test);
	assert_int_equal(s.warnings, 0);
	media_setup_close(&s);
}

/* With no room to keep spectrograms they are the same. */
static void the_cache_changes_nothing(void **state)
{
	media_setup s[2];
	mm_dataset *d[2];
	static float x[2][FLOATS];
	make_folders(*state);
	for (int i = 0; i < 2; i++) {
		open_audio(*state, i ? "cache_mb = 0" : "", &s[i]);
		d[i] = open_split(&s[i], MM_SPLIT_TRAIN);
	}
	assert_non_null(strstr(s[1].last, "cache_mb does not hold all spectrograms"));
	for (uint64_t k = 0; k < SOUND_CLASSES * PER_CLASS; k++) {
		for (int i = 0; i < 2; i++)
			read_into(&s[i], d[i], k, x[i]);
		assert_memory_equal(x[0], x[1], sizeof x[0]);
	}
	for (int i = 0; i < 2; i++) {
		s[i].m->desc->close(d[i]);
		media_setup_close(&s[i]);
	}
}

/* Two data sets of a split share what was read, whichever goes first. */
static void data_sets_of_a_split_share_their_sounds(void **state)
{
	media_setup s;
	static float x[FLOATS], y[FLOATS];
	make_folders(*state);
	open_audio(*state, "", &s);
	mm_dataset *one = open_split(&s, MM_SPLIT_TRAIN), *two = open_split(&s, MM_SPLIT_TRAIN);
	read_into(&s, one, 3, x);
	s.m->desc->close(one);
	read_into(&s, two, 3, y);
	assert_memory_equal(x, y, sizeof x);
	s.m->desc->close(two);
	two = open_split(&s, MM_SPLIT_TRAIN);
	read_into(&s, two, 3, y);
	assert_memory_equal(x, y, sizeof x);
	s.m->desc->close(two);
	media_setup_close(&s);
}

/* Longer sounds give their middle, shorter ones begin at once and are followed by silence. */
static void long_sounds_are_cropped_and_short_ones_padded(void **state)
{
	enum { LENGTH = 64 * 80 };
	media_setup s;
	mm_error e = MM_ERROR_INIT;
	static float x[3 * LENGTH], whole[FLOATS], middle[FLOATS], brief[FLOATS];
	float *word = sound_word(0, 0, 8000, LENGTH);
	make_folders(*state);
	open_audio(*state, "", &s);
	memcpy(x + LENGTH, word, LENGTH * sizeof *word);
	x[10] = 0.1f; /* elsewhere */
	assert_true(sound_write(*state, "whole.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, word, LENGTH));
	assert_true(sound_write(*state, "long.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, x, 3 * LENGTH));
	assert_true(sound_write(*state, "brief.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, word + 100, 16 * 80));
	assert_ok(mmi_modality_read_given(s.m, rig_path(*state, "whole.wav"), whole, &e), e);
	assert_ok(mmi_modality_read_given(s.m, rig_path(*state, "long.wav"), middle, &e), e);
	assert_ok(mmi_modality_read_given(s.m, rig_path(*state, "brief.wav"), brief, &e), e);
	assert_memory_equal(whole, middle, sizeof whole);
	for (int b = 0; b < 64; b++)
		for (int t = 20; t < 64; t++)
			assert_true(brief[b * 64 + t] == -1);
	free(word);
	media_setup_close(&s);
}

static void bad_sounds_are_refused_or_left_out(void **state)
{
	media_setup s;
	mm_error e = MM_ERROR_INIT;
	mm_dataset *d = NULL;
	float silence[1000] = { 0 };
	make_folders(*state);
	media_text(*state, "d/train/up/text.wav", "no sound");
	assert_true(
		sound_write(*state, "d/train/up/silent.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8000, 1, silence, 1000));
	open_audio(*state, "", &s);
	assert_fails(mmi_modality_open(s.m, MM_SPLIT_TRAIN, &d, &e), MM_EFORMAT, e, "silent.flac: silent: its peak is 0");
	assert_non_null(strstr(e.message, "[audio] skip_bad = yes leaves out what cannot be read"));
	media_setup_close(&s);
	open_audio(*state, "skip_bad = yes", &s);
	d = open_split(&s, MM_SPLIT_TRAIN);
	assert_int_equal(s.m->desc->count(d), SOUND_CLASSES * PER_CLASS);
	assert_int_equal(s.warnings, 3); /* each by name, and how many */
	assert_non_null(strstr(s.first, "left out: "));
	s.m->desc->close(d);
	media_setup_close(&s);
	open_audio(*state, "skip_bad = yes\nmax_seconds = 0.1", &s);
	assert_fails(mmi_modality_open(s.m, MM_SPLIT_TRAIN, &d, &e), MM_EFORMAT, e,
	             "none of 14 sounds of the training split");
	media_setup_close(&s);
}

/* ---------------------------------------------------------------- pairing by class */

static void make_digits(rig *r)
{
	char name[80];
	for (int c = 0; c < SOUND_CLASSES; c++)
		for (int k = 0; k < PER_CLASS + c; k++) {
			snprintf(name, sizeof name, "d/%d_ann_%d.wav", c, k);
			sound_wav(r, name, c, k);
		}
}

#define DIGITS "names = {label}_{}_{}\ntest_names = *_0\nkeys = class\n"

static void keys_of_a_class_are_those_of_digits(void **state)
{
	media_setup s;
	uint32_t ordinal, class;
	uint32_t count[SOUND_CLASSES] = { 0 };
	make_digits(*state);
	open_audio(*state, DIGITS "pairs = 10\n", &s);
	mm_dataset *train = open_split(&s, MM_SPLIT_TRAIN), *test = open_split(&s, MM_SPLIT_TEST);
	assert_int_equal(s.m->desc->count(train), 10 * SOUND_CLASSES);
	assert_int_equal(s.m->desc->count(test), SOUND_CLASSES);
	assert_string_equal(key_of(&s, test, 2), "0.2");
	for (uint64_t k = 0; k < 10 * SOUND_CLASSES; k++) {
		assert_int_equal(sscanf(key_of(&s, train, k), "%u.%u", &ordinal, &class), 2);
		assert_int_equal(class, k % SOUND_CLASSES); /* in turn */
		assert_int_equal(ordinal, count[class]++);
		assert_int_equal(s.m->desc->label(train, k), class);
	}
	s.m->desc->close(train);
	s.m->desc->close(test);
	media_setup_close(&s);
}

static uint64_t sum_of(const float *x)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t k = 0; k < FLOATS * sizeof *x; k++)
		hash = (hash ^ ((const unsigned char *)x)[k]) * 0x100000001b3u;
	return hash;
}

/* Class 2 has five sounds for training: in each five tuples every one of them, in another order each round. */
static void every_round_deals_every_sound(void **state)
{
	enum { SOUNDS = PER_CLASS + 2 - 1, ROUNDS = 4 };
	media_setup s;
	static float x[FLOATS];
	uint64_t round[ROUNDS][SOUNDS];
	int same = 0;
	make_digits(*state);
	open_audio(*state, DIGITS "pairs = 20\n", &s);
	mm_dataset *d = open_split(&s, MM_SPLIT_TRAIN);
	for (uint64_t k = 0; k < ROUNDS * SOUNDS; k++) {
		read_into(&s, d, SOUND_CLASSES * k + 2, x);
		round[k / SOUNDS][k % SOUNDS] = sum_of(x);
	}
	for (int r = 0; r < ROUNDS; r++)
		for (int i = 0; i < SOUNDS; i++) {
			int found = 0;
			for (int k = 0; k < SOUNDS; k++)
				found += round[r][k] == round[0][i];
			assert_int_equal(found, 1);
			same += r && round[r][i] == round[0][i];
		}
	assert_true(same < (ROUNDS - 1) * SOUNDS);
	s.m->desc->close(d);
	media_setup_close(&s);
}

/* Whether y is x, later by `shift` frames and softer by at most 6 dB of the 60 of the range. */
static bool is_later_and_softer(const float *x, const float *y, size_t shift)
{
	for (size_t p = 0; p < FLOATS; p++) {
		const float from = p % 64 < shift ? -1 : x[p - shift];
		if (y[p] > from || from - y[p] > 0.2001f)
			return false;
	}
	return true;
}

static void sounds_that_come_again_are_later_and_softer(void **state)
{
	media_setup s[2];
	mm_dataset *d[2];
	static float x[2][FLOATS];
	int changed = 0;
	make_digits(*state);
	for (int i = 0; i < 2; i++) {
		open_audio(*state, i ? DIGITS "pairs = 12\njitter = 5\ngain = 6\n" : DIGITS "pairs = 12\n", &s[i]);
		d[i] = open_split(&s[i], MM_SPLIT_TRAIN);
	}
	for (uint64_t k = 0; k < 12; k++) { /* class 0 has three sounds for training */
		size_t shift = 0;
		for (int i = 0; i < 2; i++)
			read_into(&s[i], d[i], SOUND_CLASSES * k, x[i]);
		changed += memcmp(x[0], x[1], sizeof x[0]) != 0;
		if (k < 3)
			assert_int_equal(changed, 0);
		while (shift < 6 && !is_later_and_softer(x[0], x[1], shift))
			shift++;
		assert_true(shift < 6);
	}
	assert_in_range(changed, 7, 9);
	for (int i = 0; i < 2; i++) {
		s[i].m->desc->close(d[i]);
		media_setup_close(&s[i]);
	}
}

/* Whole bands and whole frames become silent, each in a row, and nothing else changes. x has no silence of its own. */
static void count_covered(const float *x, const float *y, int *bands, int *frames)
{
	bool band[64], frame[64];
	*bands = *frames = 0;
	for (int k = 0; k < 64; k++) {
		band[k] = frame[k] = true;
		for (int j = 0; j < 64; j++) {
			band[k] = band[k] && y[64 * k + j] == -1;
			frame[k] = frame[k] && y[64 * j + k] == -1;
		}
		*bands += band[k];
		*frames += frame[k];
	}
	for (int k = 1, ends[2] = { 0 }; k <= 64; k++) {
		ends[0] += band[k - 1] && (k == 64 || !band[k]);
		ends[1] += frame[k - 1] && (k == 64 || !frame[k]);
		assert_true(ends[0] <= 1 && ends[1] <= 1);
	}
	for (int k = 0; k < (int)FLOATS; k++)
		assert_true(band[k / 64] || frame[k % 64] ? y[k] == -1 : y[k] == x[k]);
}

static void encoders_miss_bands_and_frames_in_training(void **state)
{
	enum { DRAWS = 2000, MOST = 19 /* 0.3 of 64 */ };
	media_setup s;
	static float x[FLOATS], y[FLOATS], again[FLOATS];
	int bands, frames, full[2] = { 0 };
	double sum[2] = { 0 };
	make_digits(*state);
	for (int k = 0; k < (int)FLOATS; k++)
		x[k] = (float)(k % 100) / 100;
	open_audio(*state, "mask = 0.3", &s);
	for (uint64_t draw = 0; draw < DRAWS; draw++) {
		memcpy(y, x, sizeof x);
		memcpy(again, x, sizeof x);
		s.m->variation->vary(s.i, draw, y);
		s.m->variation->vary(s.i, draw, again);
		assert_memory_equal(y, again, sizeof y);
		count_covered(x, y, &bands, &frames);
		assert_true(bands <= MOST && frames <= MOST);
		full[0] += bands == MOST;
		full[1] += frames == MOST;
		sum[0] += bands;
		sum[1] += frames;
	}
	/* 0 to 19 alike: mean 9.5, standard error 0.13; the longest in 100 of 2,000 draws, standard deviation 9.7. */
	for (int k = 0; k < 2; k++) {
		assert_true(fabs(sum[k] / DRAWS - 9.5) < 0.6);
		assert_in_range(full[k], 60, 140);
	}
	media_setup_close(&s);
}

static void without_a_mask_encoders_hear_all(void **state)
{
	media_setup s;
	static float x[FLOATS], y[FLOATS];
	make_digits(*state);
	open_audio(*state, "", &s);
	for (uint64_t draw = 0; draw < 50; draw++) {
		s.m->variation->vary(s.i, draw, y);
		assert_memory_equal(x, y, sizeof x);
	}
	media_setup_close(&s);
}

/* Tuples of one recording, or of one speaker where names say who that is, are of one group. */
static void tuples_of_a_recording_or_speaker_are_a_group(void **state)
{
	media_setup s;
	static float x[FLOATS];
	uint64_t sum[20], group[20];
	make_digits(*state);
	for (int by_speaker = 0; by_speaker < 2; by_speaker++) {
		open_audio(*state,
		           by_speaker ? "names = {label}_{group}_{}\ntest_names = *_0\nkeys = class\npairs = 20\n"
		                      : DIGITS "pairs = 20\n",
		           &s);
		mm_dataset *d = open_split(&s, MM_SPLIT_TRAIN);
		for (uint64_t k = 0; k < 20; k++) {
			read_into(&s, d, SOUND_CLASSES * k, x);
			sum[k] = sum_of(x);
			group[k] = mmi_modality_group(s.m, d, SOUND_CLASSES * k);
		}
		for (int i = 0; i < 20; i++)
			for (int k = 0; k < 20; k++)
				assert_int_equal(group[i] == group[k], by_speaker || sum[i] == sum[k]);
		s.m->desc->close(d);
		media_setup_close(&s);
	}
}

static void pairing_by_class_needs_classes(void **state)
{
	media_setup s;
	mm_error e = MM_ERROR_INIT;
	mm_dataset *d = NULL;
	make_folders(*state);
	open_audio(*state, "keys = class", &s);
	assert_fails(mmi_modality_open(s.m, MM_SPLIT_TRAIN, &d, &e), MM_ECONFIG, e, "but the data has no classes");
	media_setup_close(&s);
}

/* ---------------------------------------------------------------- settings and networks */

static void settings_out_of_range_are_refused(void **state)
{
	static const char *const wrong[][2] = {
		{ "bands = 48", "16, 32, 64, 128 or 256" },
		{ "window = 255", "an even number of samples, not below hop" },
		{ "hop = 300", "an even number of samples, not below hop" },
		{ "high_db = -65", "at least 10 more than low_db" },
		{ "energy_stride = 3", "1, 2, 4 or 8" },
		{ "layout = cub", "one of auto, pairs, list" },
		{ "pairs = 3", "unknown key" }, /* without keys = class */
		{ "names = {speaker}", "fields {label}, {group} and {}" },
		{ "bands = 256", "lies between two bins" },
	};
	make_folders(*state);
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		mm_error e = MM_ERROR_INIT;
		media_setup s;
		assert_fails(media_setup_open(*state, "audio", "d", wrong[i][0], &s, &e), MM_ECONFIG, e, wrong[i][1]);
	}
}

static void networks_fit_every_shape(void **state)
{
	static const int shape[][2] = { { 64, 64 }, { 16, 16 }, { 32, 128 }, { 64, 16 } };
	make_folders(*state);
	for (size_t i = 0; i < MMI_COUNT(shape); i++) {
		mm_error e = MM_ERROR_INIT;
		media_setup s;
		mmi_model *model;
		char keys[120];
		snprintf(keys, sizeof keys, "bands = %d\nframes = %d\nwidth = 4", shape[i][0], shape[i][1]);
		open_audio(*state, keys, &s);
		assert_ok(mmi_model_create(cpu_device(), s.setup.modalities, 1, &s.setup.settings.model, &model, &e), e);
		mmi_model_destroy(model);
		media_setup_close(&s);
	}
}

static void what_a_checkpoint_keeps_is_checked(void **state)
{
	static const char *const damaged[] = { "", "audio 1 classes 3", "audio 1 classes -3\n", "audio 1 classes 03\n",
		                                   "img 1 classes 3\n" };
	mm_error e = MM_ERROR_INIT;
	media_setup s;
	void *bytes = NULL;
	size_t size = 0;
	make_folders(*state);
	open_audio(*state, "classes = folder", &s);
	assert_ok(audio_state.save(s.i, &bytes, &size, &e), e);
	assert_ok(audio_state.load(s.i, bytes, size, &e), e);
	assert_int_equal(size, strlen("audio 1 classes 3\n"));
	mma_free(s.i->host, bytes);
	for (size_t i = 0; i < MMI_COUNT(damaged); i++)
		assert_fails(audio_state.load(s.i, damaged[i], strlen(damaged[i]), &e), MM_EFORMAT, e,
		             "no state of this plugin");
	media_setup_close(&s);
}

/* ---------------------------------------------------------------- samples out */

static void samples_are_saved_as_sound(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup s;
	static float x[FLOATS], heard[FLOATS];
	double apart = 0;
	make_folders(*state);
	open_audio(*state, "", &s);
	assert_ok(mmi_modality_read_given(s.m, rig_path(*state, "d/train/up/0.wav"), x, &e), e);
	assert_ok(mmi_modality_render(s.m, x, rig_path(*state, "out.wav"), &e), e);
	assert_ok(mmi_modality_read_given(s.m, rig_path(*state, "out.wav"), heard, &e), e);
	for (size_t k = 0; k < FLOATS; k++)
		apart += fabs((double)x[k] - (double)heard[k]) / FLOATS;
	assert_true(apart < 0.1);                               /* 3 dB of 60 */
	assert_int_equal(rig_entries(rig_path(*state, "")), 3); /* d, run.ini, out.wav */
	media_setup_close(&s);
}

static void spectrograms_are_pictures(void **state)
{
	mm_error e = MM_ERROR_INIT;
	media_setup s;
	static float x[FLOATS];
	static uint8_t rgb[64 * 200];
	uint32_t width, height;
	make_folders(*state);
	open_audio(*state, "", &s);
	for (size_t k = 0; k < FLOATS; k++)
		x[k] = (float)(k % 64) * 2 / 63 - 1;
	memset(rgb, 7, sizeof rgb);
	assert_ok(mmi_modality_picture_size(s.m, &width, &height, &e), e);
	assert_true(width == 64 && height == 64);
	assert_ok(mmi_modality_draw(s.m, x, rgb, 200, &e), e);
	int last = -1;
	for (int t = 0; t < 64; t++) { /* brighter throughout */
		const int sum = rgb[3 * t] + rgb[3 * t + 1] + rgb[3 * t + 2];
		assert_true(sum >= last);
		last = sum;
	}
	assert_int_equal(last, 255 + 255 + 240);
	assert_int_equal(rgb[0] + rgb[1] + rgb[2], 0);
	for (int y = 0; y < 64; y++)
		for (int k = 192; k < 200; k++)
			assert_int_equal(rgb[y * 200 + k], 7);
	media_setup_close(&s);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(sounds_are_samples_by_name_and_class),
		TEST(the_cache_changes_nothing),
		TEST(data_sets_of_a_split_share_their_sounds),
		TEST(long_sounds_are_cropped_and_short_ones_padded),
		TEST(bad_sounds_are_refused_or_left_out),
		TEST(keys_of_a_class_are_those_of_digits),
		TEST(every_round_deals_every_sound),
		TEST(sounds_that_come_again_are_later_and_softer),
		TEST(encoders_miss_bands_and_frames_in_training),
		TEST(without_a_mask_encoders_hear_all),
		TEST(tuples_of_a_recording_or_speaker_are_a_group),
		TEST(pairing_by_class_needs_classes),
		TEST(settings_out_of_range_are_refused),
		TEST(networks_fit_every_shape),
		TEST(what_a_checkpoint_keeps_is_checked),
		TEST(samples_are_saved_as_sound),
		TEST(spectrograms_are_pictures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
