/* given.c - the spectrogram of a sound file, of the data or as a user names it. */
#include "mmi_build.h"

#include "audio.h"

mm_status audio_spectrogram(const mm_instance *i, audio_mel *tool, const char *path, float *out, bool *cut, mm_error *e)
{
	const size_t length = audio_mel_length(&i->mel);
	float *x;
	size_t n;
	MMA_TRY(audio_read_sound(i->host, path, &i->want, &x, &n, e));
	*cut = n > length;
	const size_t begin = *cut ? (n - length) / 2 : 0;
	audio_mel_forward(tool, x + begin, *cut ? length : n, out);
	mma_free(i->host, x);
	return MM_OK;
}

static mm_status read_file(mm_instance *i, const char *path, float *out, mm_error *e)
{
	bool cut;
	return audio_spectrogram(i, i->tool, path, out, &cut, e);
}

const mm_modality_file audio_file = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_file, read_text),
	.read_file = read_file,
};
