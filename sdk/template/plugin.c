/* plugin.c - what is exported: settings, what a sample is, and the functions of the other files. */
#define MMA_SAMPLES
#include "modality.h"

/* A line a setting: `mmcore info @NAME@.so` shows them. */
static const mma_setting settings[] = {
	MMA_INT("width", mm_instance, width, 16, 1, 256, "Channels of the networks."),
	MMA_REAL("noise", mm_instance, noise, 0.05, 0, 1, "Noise of the samples."),
};
MMA_SETTINGS_EXTENSION(settings_extension, settings);

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	return mma_create(self, config, settings, MMA_COUNT(settings), sizeof(mm_instance), out, e);
}

/* Shape, range, likelihood and classes; pictures are -1..1. */
static mm_status describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	(void)i, (void)e;
	mma_describe(out, &shape, -1, 1, 0.5f, CLASSES);
	return MM_OK;
}

/* Optional abilities: to be seen on sheets, to be read from files, to be judged. */
static const mm_modality_picture picture = { MM_SIZE_THROUGH(mm_modality_picture, draw), picture_size, draw };
static const mm_modality_file file = { MM_SIZE_THROUGH(mm_modality_file, read_text), read_file, NULL };
static const mm_modality_classifier classifier = { MM_SIZE_THROUGH(mm_modality_classifier, build), "hidden128",
	                                               build_classifier };

static const void *extension(const char *id)
{
	static const mma_extension list[] = {
		{ MM_MODALITY_PICTURE, &picture },
		{ MM_MODALITY_FILE, &file },
		{ MM_MODALITY_CLASSIFIER, &classifier },
		{ MM_MODALITY_SETTINGS, &settings_extension },
	};
	return mma_find(list, MMA_COUNT(list), id);
}

static const mm_modality_desc bars = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	.flags = 0,
	.id = "@NAME@",
	.default_name = "@NAME@",
	.summary = "pictures of a bar at one of ten angles, made up",
	.render_suffix = ".pgm",
	.create = create,
	.destroy = mma_destroy,
	.describe = describe,
	.build_encoder = build_encoder,
	.build_decoder = build_decoder,
	.build_features = build_features,
	.open = open_data,
	MMA_SAMPLES_CALLS,
	.render = render,
	.get_extension = extension,
};

MMA_PLUGIN("org.example.@NAME@", "@NAME@", "Example", "0.1", "MIT", &bars)
