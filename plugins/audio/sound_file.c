/* sound_file.c - sound files through libsndfile, other rates through libsamplerate. */
#include "mmi_build.h"

#include "sound_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <samplerate.h>
#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096 };

/* A file being read. */
typedef struct reader {
	const mma_host *host;
	const char *path;
	const audio_want *want;
	SNDFILE *file;
	SF_INFO info;
	float *block; /* [BLOCK][channels] */
} reader;

/* ---------------------------------------------------------------- what a header says */

static mm_status check_header(const reader *r, mm_error *e)
{
	const SF_INFO *info = &r->info;
	if (info->channels < 1 || info->channels > AUDIO_MOST_CHANNELS)
		return mma_fail(e, MM_EFORMAT, "%s: %d channels, 1 to %d are read; mix them down", r->path, info->channels,
		                AUDIO_MOST_CHANNELS);
	if (info->samplerate < AUDIO_LOWEST_RATE || info->samplerate > AUDIO_HIGHEST_RATE)
		return mma_fail(e, MM_EFORMAT, "%s: %d samples a second, %d to %d are read; resample it", r->path,
		                info->samplerate, AUDIO_LOWEST_RATE, AUDIO_HIGHEST_RATE);
	if (info->frames < 1)
		return mma_fail(e, MM_EFORMAT, "%s: empty: no samples, expected at least one; leave it out", r->path);
	const double seconds = (double)info->frames / info->samplerate;
	if (seconds > r->want->max_seconds)
		return mma_fail(e, MM_EFORMAT, "%s: too long: %.1f s, at most %g are read; cut it or raise max_seconds",
		                r->path, seconds, r->want->max_seconds);
	return MM_OK;
}

/* ---------------------------------------------------------------- samples */

static float mean_of(const float *frame, int channels)
{
	double sum = 0;
	for (int c = 0; c < channels; c++)
		sum += (double)frame[c];
	return (float)(sum / channels);
}

static mm_status mix(const reader *r, size_t got, size_t n, float *mono, mm_error *e)
{
	for (size_t k = 0; k < n; k++) {
		mono[got + k] = mean_of(r->block + k * (size_t)r->info.channels, r->info.channels);
		if (!isfinite(mono[got + k]))
			return mma_fail(e, MM_EFORMAT, "%s: sample %zu is not a number, expected finite ones; leave it out",
			                r->path, got + k);
	}
	return MM_OK;
}

/* A header may promise more than the file holds. */
static mm_status read_mono(const reader *r, float *mono, mm_error *e)
{
	const size_t want = (size_t)r->info.frames;
	size_t got = 0;
	while (got < want) {
		const size_t ask = want - got < BLOCK ? want - got : BLOCK;
		const sf_count_t n = sf_readf_float(r->file, r->block, (sf_count_t)ask);
		if (n <= 0)
			return mma_fail(e, MM_EFORMAT,
			                "%s: cut short or damaged: it ends after %zu of %zu samples (%s); copy the file again",
			                r->path, got, want, sf_error(r->file) ? sf_strerror(r->file) : "no more data");
		MMA_TRY(mix(r, got, (size_t)n, mono, e));
		got += (size_t)n;
	}
	return MM_OK;
}

static mm_status read_samples(reader *r, float **out, size_t *n, mm_error *e)
{
	*n = (size_t)r->info.frames;
	r->block = mma_new(r->host, (size_t)BLOCK * (size_t)r->info.channels, sizeof(*r->block));
	float *mono = r->block ? mma_new(r->host, *n, sizeof(*mono)) : NULL;
	mm_status status = mono ? read_mono(r, mono, e) : mma_no_memory(e, r->path);
	mma_free(r->host, r->block);
	if (status != MM_OK) {
		mma_free(r->host, mono);
		return status;
	}
	*out = mono;
	return MM_OK;
}

static mm_status resample(const reader *r, float **x, size_t *n, mm_error *e)
{
	const double ratio = (double)r->want->rate / r->info.samplerate;
	const size_t room = (size_t)ceil((double)*n * ratio) + 16;
	float *y = mma_new(r->host, room, sizeof(*y));
	if (!y)
		return mma_no_memory(e, r->path);
	SRC_DATA data = {
		.data_in = *x, .data_out = y, .input_frames = (long)*n, .output_frames = (long)room, .src_ratio = ratio
	};
	const int error = src_simple(&data, SRC_SINC_MEDIUM_QUALITY, 1);
	if (error || data.output_frames_gen < 1) {
		mma_free(r->host, y);
		return mma_fail(e, MM_EFORMAT,
		                "%s: %zu samples at %d a second cannot be brought to %d a second (%s); leave it out", r->path,
		                *n, r->info.samplerate, (int)r->want->rate, error ? src_strerror(error) : "too short");
	}
	mma_free(r->host, *x);
	*x = y;
	*n = (size_t)data.output_frames_gen;
	return MM_OK;
}

/* Before the rate changes, so that samples of any size come through. */
static mm_status scale_peak(const reader *r, float *x, size_t n, mm_error *e)
{
	enum { FLOOR_DB = -100 };
	const float least = 1e-5f; /* FLOOR_DB of full scale */
	float peak = 0;
	for (size_t k = 0; k < n; k++)
		peak = fmaxf(peak, fabsf(x[k]));
	if (peak < least)
		return mma_fail(e, MM_EFORMAT,
		                "%s: silent: its peak is %g of full scale, expected at least %g (%d dB); leave it out", r->path,
		                (double)peak, (double)least, FLOOR_DB);
	for (size_t k = 0; k < n; k++)
		x[k] = (float)((double)x[k] / (double)peak);
	return MM_OK;
}

static mm_status read_whole(reader *r, float **out, size_t *n, mm_error *e)
{
	float *x = NULL;
	MMA_TRY(check_header(r, e));
	MMA_TRY(read_samples(r, &x, n, e));
	mm_status status = scale_peak(r, x, *n, e);
	if (status == MM_OK && r->info.samplerate != r->want->rate)
		status = resample(r, &x, n, e);
	if (status != MM_OK) {
		mma_free(r->host, x);
		return status;
	}
	*out = x;
	return MM_OK;
}

/* ---------------------------------------------------------------- the file */

static mm_status open_sound(reader *r, int fd, mm_error *e)
{
	struct stat info;
	if (fstat(fd, &info))
		return mma_fail(e, MM_EIO, "%s: %s", r->path, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return mma_fail(e, MM_EFORMAT, "%s: not a regular file, expected a sound file", r->path);
	if (!info.st_size)
		return mma_fail(e, MM_EFORMAT, "%s: empty: 0 bytes, expected a sound file; leave it out", r->path);
	MMA_TRY(audio_check_whole(fd, (uint64_t)info.st_size, r->path, e));
	r->file = sf_open_fd(fd, SFM_READ, &r->info, SF_FALSE);
	if (!r->file && strstr(sf_strerror(NULL), "malloc"))
		return mma_no_memory(e, r->path);
	return r->file ? MM_OK
	               : mma_fail(e, MM_EFORMAT,
	                          "%s: no sound that libsndfile reads (%s); expected WAV, FLAC, Ogg, AIFF or another",
	                          r->path, sf_strerror(NULL));
}

mm_status audio_read_sound(const mma_host *h, const char *path, const audio_want *want, float **out, size_t *n,
                           mm_error *e)
{
	reader r = { .host = h, .path = path, .want = want };
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer must not wait */
	if (fd < 0)
		return mma_fail(e, com_errno_status(errno), "%s: %s", path, strerror(errno));
	mm_status status = open_sound(&r, fd, e);
	if (status == MM_OK) {
		status = read_whole(&r, out, n, e);
		sf_close(r.file);
	}
	close(fd);
	return status;
}
