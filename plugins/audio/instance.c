/* instance.c - the settings of one modality, what it is, and what a checkpoint keeps of it. */
#include "mmi_build.h"

#include "audio.h"

static const mma_setting mel_settings[] = {
	MMA_INT("rate", mm_instance, mel.rate, 8000, 4000, 48000, "Samples a second."),
	MMA_INT("bands", mm_instance, mel.bands, 64, 16, 256, "Of the spectrogram: 16, 32, 64, 128 or 256."),
	MMA_INT("frames", mm_instance, mel.frames, 64, 16, 256, "The same."),
	MMA_INT("hop", mm_instance, mel.hop, 80, 8, 4096, "Samples from frame to frame."),
	MMA_INT(
		"window", mm_instance, mel.window, 256, 16, 8192,
		"Samples of a frame's window, an even number not below hop; transforms have 512 points or the next power of "
		"two from it."),
	MMA_REAL("low_db", mm_instance, low_db, -70, -100, 60,
	         "Decibels that -1 stands for; 0 is a sine of full scale in a narrow band."),
	MMA_REAL("high_db", mm_instance, high_db, -10, -90, 60,
	         "Decibels that 1 stands for, at least 10 more; what lies outside is clipped."),
	MMA_INT("griffin_lim", mm_instance, griffin_lim, 60, 0, 10000,
	        "Rounds of the algorithm of Griffin and Lim that finds phases when a sample is saved, from fixed ones: one "
	        "sample, one sound."),
};

static const char *const key_names[] = { "name", "class", NULL };
static const mma_setting key_settings[] = {
	MMA_CHOICE("keys", mm_instance, keys, key_names, AUDIO_KEYS_NAME,
	           "name: as the layouts say; class: \"i.c\", the i-th sound of class c, as mnist.so calls its digits."),
};

/* Of sounds that pair by class only: for others they would be keys that do nothing. */
static const mma_setting deal_settings[] = {
	MMA_INT(
		"pairs", mm_instance, pairs[MM_SPLIT_TRAIN], 0, 0, 1000000,
		"With keys = class, as the next three: so many training tuples a class, the sounds of it dealt out in a new "
		"order each round; 0: each sound once."),
	MMA_INT("test_pairs", mm_instance, pairs[MM_SPLIT_TEST], 0, 0, 1000000, "The same for testing."),
	MMA_INT("jitter", mm_instance, jitter, 0, 0, 128,
	        "A training sound that comes again begins up to so many frames later, another draw for each tuple; at most "
	        "frames / 2."),
	MMA_REAL("gain", mm_instance, gain, 0, 0, 30, "It is up to so many decibels softer."),
};

/* The trunk is affordable at 14 to 16 a side. */
static double usual_stride(const void *into)
{
	const mm_instance *i = into;
	const int32_t side = i->mel.bands < i->mel.frames ? i->mel.bands : i->mel.frames;
	return side / 16 < 8 ? side / 16 : 8;
}

static const mma_setting more_settings[] = {
	MMA_SWITCH("skip_bad", mm_instance, skip_bad, 0,
	           "Sounds that are refused are counted, the first ten named, and left out."),
	MMA_REAL("max_seconds", mm_instance, want.max_seconds, 60, 0.01, 3600, "Longer sounds are refused."),
	MMA_INT("cache_mb", mm_instance, cache_mb, 256, 0, 1 << 20,
	        "Memory for the spectrograms of each split, which are made when the data is opened; those that it does not "
	        "hold are made again each time."),
	MMA_REAL(
		"mask", mm_instance, mask, 0, 0, 0.9,
		"Encoders do not hear up to this share of the bands and up to this share of the frames, each in a row, of a "
		"sound in training, others each time it is taken; what is decoded is compared with all of it (SpecAugment)."),
	MMA_INT("width", mm_instance, width, 16, 1, 1024, "Channels of the networks."),
	MMA_INT("energy_channels", mm_instance, energy_channels, 16, 1, 1024,
	        "Channels of the convolution that feeds the energy's trunk."),
	MMA_INT_BY("energy_stride", mm_instance, energy_stride, 4, usual_stride, 1, 8,
	           "Of that convolution, 1, 2, 4 or 8. The default is the shorter side / 16, at most 8."),
};

static const mm_setting *setting_at(uint32_t index)
{
	static const mma_part parts[] = { { mel_settings, MMA_COUNT(mel_settings) },
		                              { key_settings, MMA_COUNT(key_settings) },
		                              { deal_settings, MMA_COUNT(deal_settings) },
		                              { more_settings, MMA_COUNT(more_settings) } };
	return pairs_setting_at(PAIRS_SOUND, parts, MMA_COUNT(parts), index);
}
const mm_modality_settings audio_settings = { MM_SIZE_THROUGH(mm_modality_settings, at), setting_at };

static mm_status check_mel(const mma_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	if (i->mel.window % 2 || i->mel.window < i->mel.hop)
		return h->config->refuse(c, "window", "an even number of samples, not below hop", e);
	if (i->high_db < i->low_db + 10)
		return h->config->refuse(c, "high_db", "at least 10 more than low_db", e);
	i->mel.low_db = (float)i->low_db;
	i->mel.high_db = (float)i->high_db;
	i->want.rate = i->mel.rate;
	return audio_mel_create(h, &i->mel, &i->tool, e);
}

static mm_status read_settings(const mma_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	MMA_TRY(mma_settings(h, c, mel_settings, MMA_COUNT(mel_settings), i, e));
	MMA_TRY(pairs_check_power(h, c, "bands", i->mel.bands, "16, 32, 64, 128 or 256", e));
	MMA_TRY(pairs_check_power(h, c, "frames", i->mel.frames, "16, 32, 64, 128 or 256", e));
	MMA_TRY(pairs_settings(h, c, PAIRS_SOUND, &i->source, e));
	MMA_TRY(mma_settings(h, c, key_settings, MMA_COUNT(key_settings), i, e));
	if (i->keys == AUDIO_KEYS_CLASS)
		MMA_TRY(mma_settings(h, c, deal_settings, MMA_COUNT(deal_settings), i, e));
	if (i->jitter > i->mel.frames / 2)
		return h->config->refuse(c, "jitter", "at most half of frames", e);
	MMA_TRY(mma_settings(h, c, more_settings, MMA_COUNT(more_settings), i, e));
	i->mask_stream = h->random->stream(h->api->host, i->source.instance);
	MMA_TRY(pairs_check_power(h, c, "energy_stride", i->energy_stride, "1, 2, 4 or 8", e));
	return check_mel(h, c, i, e);
}

mm_status audio_create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const mma_host *h = self;
	mm_instance *i = mma_new(h, 1, sizeof(*i));
	if (!i)
		return mma_no_memory(e, "an instance");
	i->host = h;
	mm_status status = read_settings(h, config, i, e);
	if (status == MM_OK)
		*out = i;
	else
		audio_destroy(i);
	return status;
}

void audio_destroy(mm_instance *i)
{
	if (!i)
		return;
	audio_mel_destroy(i->tool);
	mma_free(i->host, i);
}

size_t audio_floats(const mm_instance *i)
{
	return (size_t)i->mel.bands * (size_t)i->mel.frames;
}

mm_status audio_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	const mm_shape shape = { 3, { i->mel.bands, i->mel.frames, 1, 0 } };
	MMA_TRY(pairs_know(i->host, &i->source, &i->known, e));
	mma_describe(out, &shape, -1, 1, 0.5f, i->known.classes);
	return MM_OK;
}

/* ---------------------------------------------------------------- state */

static mm_status save(mm_instance *i, void **bytes, size_t *size, mm_error *e)
{
	return pairs_save(i->host, "audio", &i->known, bytes, size, e);
}

static mm_status load(mm_instance *i, const void *bytes, size_t size, mm_error *e)
{
	return pairs_load("audio", bytes, size, &i->known, e);
}

const mm_modality_state audio_state = { MM_SIZE_THROUGH(mm_modality_state, load), save, load };
