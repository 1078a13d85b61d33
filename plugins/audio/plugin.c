/* plugin.c - the exported entry: who we are, what we offer, which host services we need. */
#include "mmi_build.h"

#include "audio.h"

static const mm_modality_variation variation = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_variation, vary),
	.vary = audio_vary,
};

static const void *extension(const char *id)
{
	static const mma_extension list[] = {
		{ MM_MODALITY_PICTURE, &audio_picture },       { MM_MODALITY_STATE, &audio_state },
		{ MM_MODALITY_GROUP, &audio_group },           { MM_MODALITY_FILE, &audio_file },
		{ MM_MODALITY_CLASSIFIER, &audio_classifier }, { MM_MODALITY_SETTINGS, &audio_settings },
		{ MM_MODALITY_VARIATION, &variation },
	};
	return mma_find(list, MMA_COUNT(list), id);
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

MMA_PLUGIN("org.mmcore.audio", "audio", "mmcore", PACKAGE_VERSION, "MIT", &sound)
