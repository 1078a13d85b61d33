/* instance.c - the settings of one modality, what it is, and what a checkpoint keeps of it. */
#include "mmi_build.h"

#include "audio.h"

#include <stdio.h>
#include <string.h>

static mm_status read_side(const com_host *h, mm_config *c, const char *key, int32_t *out, mm_error *e)
{
	COM_TRY(com_get_int32(h, c, key, 64, 16, 256, out, e));
	return *out & (*out - 1) ? h->config->refuse(c, key, "16, 32, 64, 128 or 256", e) : MM_OK;
}

static mm_status read_mel_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	double low, high;
	COM_TRY(com_get_int32(h, c, "rate", 8000, 4000, 48000, &i->mel.rate, e));
	COM_TRY(read_side(h, c, "bands", &i->mel.bands, e));
	COM_TRY(read_side(h, c, "frames", &i->mel.frames, e));
	COM_TRY(com_get_int32(h, c, "hop", 80, 8, 4096, &i->mel.hop, e));
	COM_TRY(com_get_int32(h, c, "window", 256, 16, 8192, &i->mel.window, e));
	if (i->mel.window % 2 || i->mel.window < i->mel.hop)
		return h->config->refuse(c, "window", "an even number of samples, not below hop", e);
	COM_TRY(h->config->get_float(c, "low_db", -70, -100, 60, &low, e));
	COM_TRY(h->config->get_float(c, "high_db", -10, -90, 60, &high, e));
	if (high < low + 10)
		return h->config->refuse(c, "high_db", "at least 10 more than low_db", e);
	i->mel.low_db = (float)low;
	i->mel.high_db = (float)high;
	return com_get_int32(h, c, "griffin_lim", 60, 0, 10000, &i->griffin_lim, e);
}

/* Of sounds that pair by class only: for others they would be keys that do nothing. */
static mm_status read_deal_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	if (i->keys != AUDIO_KEYS_CLASS)
		return MM_OK;
	COM_TRY(com_get_int32(h, c, "pairs", 0, 0, 1000000, &i->pairs[MM_SPLIT_TRAIN], e));
	COM_TRY(com_get_int32(h, c, "test_pairs", 0, 0, 1000000, &i->pairs[MM_SPLIT_TEST], e));
	COM_TRY(com_get_int32(h, c, "jitter", 0, 0, i->mel.frames / 2, &i->jitter, e));
	return h->config->get_float(c, "gain", 0, 0, 30, &i->gain, e);
}

static mm_status read_data_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	static const char *const keys[] = { "name", "class", NULL };
	int64_t cache;
	COM_TRY(pairs_settings(h, c, PAIRS_SOUND, &i->source, e));
	COM_TRY(h->config->get_choice(c, "keys", keys, AUDIO_KEYS_NAME, &i->keys, e));
	COM_TRY(read_deal_settings(h, c, i, e));
	COM_TRY(h->config->get_bool(c, "skip_bad", 0, &i->skip_bad, e));
	COM_TRY(h->config->get_float(c, "max_seconds", 60, 0.01, 3600, &i->want.max_seconds, e));
	COM_TRY(h->config->get_int(c, "cache_mb", 256, 0, 1 << 20, &cache, e));
	i->cache_bytes = (size_t)cache << 20;
	i->want.rate = i->mel.rate;
	return MM_OK;
}

static mm_status read_net_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	const int32_t side = i->mel.bands < i->mel.frames ? i->mel.bands : i->mel.frames;
	const int32_t stride = side / 16 < 8 ? side / 16 : 8;
	COM_TRY(com_get_int32(h, c, "width", 16, 1, 1024, &i->width, e));
	COM_TRY(com_get_int32(h, c, "energy_channels", 16, 1, 1024, &i->energy_channels, e));
	COM_TRY(com_get_int32(h, c, "energy_stride", stride, 1, 8, &i->energy_stride, e));
	return i->energy_stride & (i->energy_stride - 1) ? h->config->refuse(c, "energy_stride", "1, 2, 4 or 8", e) : MM_OK;
}

mm_status audio_create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const com_host *h = self;
	mm_instance *i = com_alloc(h, 1, sizeof(*i));
	if (!i)
		return com_no_memory(e, "an instance");
	i->host = h;
	mm_status status = read_mel_settings(h, config, i, e);
	if (status == MM_OK)
		status = read_data_settings(h, config, i, e);
	if (status == MM_OK)
		status = read_net_settings(h, config, i, e);
	if (status == MM_OK)
		status = audio_mel_create(h, &i->mel, &i->tool, e);
	if (status != MM_OK) {
		audio_destroy(i);
		return status;
	}
	*out = i;
	return MM_OK;
}

void audio_destroy(mm_instance *i)
{
	if (!i)
		return;
	audio_mel_destroy(i->tool);
	com_release(i->host, i);
}

size_t audio_floats(const mm_instance *i)
{
	return (size_t)i->mel.bands * (size_t)i->mel.frames;
}

mm_status audio_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	if (!i->knows_classes)
		COM_TRY(pairs_classes(i->host, &i->source, &i->n_classes, e));
	i->knows_classes = true;
	out->shape = (mm_shape){ 3, { i->mel.bands, i->mel.frames, 1, 0 } };
	out->support = MM_SUPPORT_BOX;
	out->lo = -1.0f;
	out->hi = 1.0f;
	out->likelihood = MM_LIKELIHOOD_GAUSSIAN;
	out->likelihood_scale = 0.5f;
	out->likelihood_weight = 1.0f;
	out->n_classes = i->n_classes;
	return MM_OK;
}

/* ---------------------------------------------------------------- state: one line of text */

#define STATE "audio 1 classes %u\n"

static mm_status save(mm_instance *i, void **bytes, size_t *size, mm_error *e)
{
	char *text = com_format(i->host, STATE, (unsigned)i->n_classes);
	if (!text)
		return com_no_memory(e, "a state");
	*bytes = text;
	*size = strlen(text);
	return MM_OK;
}

static mm_status load(mm_instance *i, const void *bytes, size_t size, mm_error *e)
{
	char text[64] = "", again[64];
	unsigned classes = 0;
	if (size && size < sizeof(text))
		memcpy(text, bytes, size);
	const bool read = sscanf(text, STATE, &classes) == 1;
	snprintf(again, sizeof(again), STATE, classes);
	if (!read || strcmp(text, again))
		return com_fail(e, MM_EFORMAT, "%zu bytes are no state of this plugin; expected \"audio 1 classes N\"", size);
	i->n_classes = classes;
	i->knows_classes = true;
	return MM_OK;
}

const mm_modality_state audio_state = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_state, load),
	.save = save,
	.load = load,
};
