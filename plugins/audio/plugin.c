/* plugin.c - the exported entry: who we are, what we offer, which host services we need. */
#include "mmi_build.h"

#include "audio.h"

#include <string.h>

static const void *extension(const char *id)
{
	return !strcmp(id, MM_MODALITY_PICTURE)      ? (const void *)&audio_picture
	       : !strcmp(id, MM_MODALITY_STATE)      ? (const void *)&audio_state
	       : !strcmp(id, MM_MODALITY_GROUP)      ? (const void *)&audio_group
	       : !strcmp(id, MM_MODALITY_FILE)       ? (const void *)&audio_file
	       : !strcmp(id, MM_MODALITY_CLASSIFIER) ? (const void *)&audio_classifier
	                                             : NULL;
}

static const mm_modality_desc sound = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	.id = "sound",
	.default_name = "audio",
	.summary = "log-mel spectrograms of WAV, FLAC, Ogg and other sound files; samples are saved as WAV",
	.render_suffix = ".wav",
	.create = audio_create,
	.destroy = audio_destroy,
	.describe = audio_describe,
	.build_encoder = audio_build_encoder,
	.build_decoder = audio_build_decoder,
	.build_features = audio_build_features,
	.open = audio_open,
	.close = audio_close,
	.count = audio_count,
	.key = audio_key,
	.label = audio_label,
	.read = audio_read,
	.render = audio_render,
	.get_extension = extension,
};

static const mm_modality_desc *const modalities[] = { &sound };

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	return com_load(api, sizeof(com_host), self, e);
}

static const mm_plugin_entry entry = COM_ENTRY("audio", modalities, load, com_unload);

const mm_plugin_entry *mm_plugin_query_1(void)
{
	return &entry;
}
