/* plugin.c - the exported entry: who we are, what we offer, which host services we need. */
#include "mmi_build.h"

#include "img.h"
#include "nets.h"

static const mm_modality_classifier classifier = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_classifier, build),
	.features_name = "hidden128",
	.build = img_build_classifier,
};

static const void *extension(const char *id)
{
	static const mma_extension list[] = {
		{ MM_MODALITY_PICTURE, &img_picture },   { MM_MODALITY_STATE, &img_state },
		{ MM_MODALITY_GROUP, &img_group },       { MM_MODALITY_FILE, &img_file },
		{ MM_MODALITY_CLASSIFIER, &classifier }, { MM_MODALITY_SETTINGS, &img_settings },
	};
	return mma_find(list, MMA_COUNT(list), id);
}

static const mm_modality_desc picture = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	.id = "picture",
	.default_name = "img",
	.summary = "PNG and JPEG pictures, 32 to 256 pixels square, from files, tables, or folders laid out as "
			   "CUB_200_2011, MMVAE's CUB or MSCOCO",
	.render_suffix = ".png",
	.create = img_create,
	.destroy = img_destroy,
	.describe = img_describe,
	.build_encoder = img_build_encoder,
	.build_decoder = img_build_decoder,
	.build_features = img_build_features,
	.open = img_open,
	.close = img_close,
	.count = img_count,
	.key = img_key,
	.label = img_label,
	.read = img_read,
	.render = img_render,
	.get_extension = extension,
};

MMA_PLUGIN("org.mmcore.img", "img", "mmcore", PACKAGE_VERSION, "MIT", &picture)
