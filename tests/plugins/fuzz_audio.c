/* fuzz_audio.c - damaged sound files through the reader: each is a spectrogram within its range or an error that says
 * something, in bounded memory. Part of make bigcheck; tests/plugins/fuzz_audio N does N of them. */
#include "mmi_build.h"

#include "../rig/sound_rig.h"
#include "mel.h"
#include "sound_file.h"

#include <math.h>
#include <sndfile.h>
#include <sys/mman.h>

enum { FRAMES = 300, MOST_BYTES = 1 << 16, USUAL_COUNT = 50000 };

static const int formats[] = {
	SF_FORMAT_WAV | SF_FORMAT_PCM_16,  SF_FORMAT_WAV | SF_FORMAT_FLOAT,    SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM,
	SF_FORMAT_WAV | SF_FORMAT_ULAW,    SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, SF_FORMAT_WAV | SF_FORMAT_GSM610,
	SF_FORMAT_AIFF | SF_FORMAT_PCM_24, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,  SF_FORMAT_OGG | SF_FORMAT_VORBIS,
	SF_FORMAT_OGG | SF_FORMAT_OPUS,    SF_FORMAT_AU | SF_FORMAT_PCM_16,    SF_FORMAT_CAF | SF_FORMAT_ALAC_16,
	SF_FORMAT_W64 | SF_FORMAT_PCM_16,  SF_FORMAT_VOC | SF_FORMAT_PCM_U8,   SF_FORMAT_SVX | SF_FORMAT_PCM_16,
	SF_FORMAT_NIST | SF_FORMAT_PCM_16, SF_FORMAT_IRCAM | SF_FORMAT_PCM_16, SF_FORMAT_MAT5 | SF_FORMAT_PCM_16,
	SF_FORMAT_PVF | SF_FORMAT_PCM_16,  SF_FORMAT_XI | SF_FORMAT_DPCM_16,   SF_FORMAT_HTK | SF_FORMAT_PCM_16,
	SF_FORMAT_AVR | SF_FORMAT_PCM_16,  SF_FORMAT_PAF | SF_FORMAT_PCM_16,   SF_FORMAT_SD2 | SF_FORMAT_PCM_16,
};

typedef struct seed {
	char *bytes;
	size_t n;
} seed;

/* xorshift64*: another file each time, the same files in each run. */
static uint64_t chance = 0x9E3779B97F4A7C15u;

static uint32_t draw(uint32_t below)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return (uint32_t)((chance * 0x2545F4914F6CDD1Du) >> 33) % below;
}

static size_t make_seeds(rig *r, seed *out)
{
	size_t n = 0;
	float *x = sound_word(0, 0, 8000, FRAMES);
	for (size_t i = 0; i < MMI_COUNT(formats); i++) {
		char name[32];
		snprintf(name, sizeof name, "seed%zu", i);
		if (!sound_write(r, name, formats[i], 8000, 1 + (int)(i % 2), x, FRAMES))
			continue;
		out[n].bytes = rig_read(rig_path(r, name), &out[n].n);
		n += out[n].n > 0 && out[n].n < MOST_BYTES / 2;
	}
	free(x);
	return n;
}

/* One change: a byte, a number of four bytes at its ends, a part that goes or comes twice, the end cut off. */
static size_t change(unsigned char *bytes, size_t n)
{
	static const uint32_t ends[] = { 0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF };
	const size_t at = draw((uint32_t)n), left = n - at;
	const size_t part = 1 + draw((uint32_t)(left < 64 ? left : 64));
	uint32_t number = ends[draw(MMI_COUNT(ends))];
	switch (draw(6)) {
	case 0:
		bytes[at] = (unsigned char)draw(256);
		return n;
	case 1:
		bytes[at] ^= (unsigned char)(1u << draw(8));
		return n;
	case 2:
		for (size_t k = 0; k < 4 && at + k < n; k++, number >>= 8)
			bytes[at + k] = (unsigned char)number;
		return n;
	case 3:
		memmove(bytes + at, bytes + at + (part < left ? part : 0), left - (part < left ? part : 0));
		return part < left ? n - part : n;
	case 4:
		memmove(bytes + at + part, bytes + at, left);
		return n + part;
	default:
		return at ? at : 1;
	}
}

static size_t damage(const seed *from, unsigned char *bytes)
{
	size_t n = from->n;
	memcpy(bytes, from->bytes, n);
	for (uint32_t k = 1 + draw(4); k; k--) {
		/* headers are at the start: half of the changes fall there */
		const size_t head = n > 128 && draw(2) ? 128 : 0;
		if (!head) {
			n = change(bytes, n);
			continue;
		}
		unsigned char start[256];
		memcpy(start, bytes, head);
		const size_t m = change(start, head);
		memmove(bytes + m, bytes + head, n - head);
		memcpy(bytes, start, m);
		n = n - head + m;
	}
	return n;
}

static void try_file(media_host *m, audio_mel *tool, const char *path, size_t done, size_t *read)
{
	static const audio_want want = { 8000, 1 };
	static float image[16 * 16];
	mm_error e = MM_ERROR_INIT;
	float *x = NULL;
	size_t n = 0;
	const mm_status status = audio_read_sound(&m->com, path, &want, &x, &n, &e);
	if (status != MM_OK) {
		if (status == MM_ENOMEM || !e.message[0] || x)
			fail_msg("file %zu: %s", done, e.message);
		return;
	}
	++*read;
	assert_true(n >= 1 && n <= 8000 + 16);
	audio_mel_forward(tool, x, n, image);
	for (size_t k = 0; k < 16 * 16; k++)
		if (!(image[k] >= -1 && image[k] <= 1))
			fail_msg("file %zu: value %zu is %g", done, k, (double)image[k]);
	mma_free(&m->com, x);
}

static size_t count = USUAL_COUNT;

static void damaged_files_are_sounds_or_errors(void **state)
{
	static const audio_mel_settings s = { 8000, 16, 16, 80, 256, -70, -10 };
	static unsigned char bytes[MOST_BYTES];
	media_host m;
	mm_error e = MM_ERROR_INIT;
	audio_mel *tool = NULL;
	seed seeds[MMI_COUNT(formats)];
	char path[40];
	size_t read = 0;
	const size_t n_seeds = make_seeds(*state, seeds);
	const int fd = memfd_create("sound", 0);
	assert_true(fd >= 0 && n_seeds > 10);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	media_host_open(&m);
	assert_ok(audio_mel_create(&m.com, &s, &tool, &e), e);
	for (size_t k = 0; k < count; k++) {
		const size_t n = damage(&seeds[k % n_seeds], bytes);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, n, 0), n);
		try_file(&m, tool, path, k, &read);
	}
	print_message("%zu files of %zu formats, %zu of them sounds\n", count, n_seeds, read);
	assert_true(read > count / 100 && read < count);
	audio_mel_destroy(tool);
	media_host_close(&m);
	for (size_t i = 0; i < n_seeds; i++)
		free(seeds[i].bytes);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(damaged_files_are_sounds_or_errors, rig_setup, rig_teardown),
	};
	count = argc > 1 ? strtoull(argv[1], NULL, 10) : count;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
