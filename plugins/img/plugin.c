/* plugin.c - the exported entry: who we are, what we offer, which host services we need. */
#include "mmi_build.h"

#include "img.h"
#include "nets.h"

#include <string.h>

static const mm_modality_classifier classifier = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_classifier, build),
	.features_name = "hidden128",
	.build = img_build_classifier,
};

static const void *extension(const char *id)
{
	return !strcmp(id, MM_MODALITY_PICTURE)      ? (const void *)&img_picture
	       : !strcmp(id, MM_MODALITY_STATE)      ? (const void *)&img_state
	       : !strcmp(id, MM_MODALITY_GROUP)      ? (const void *)&img_group
	       : !strcmp(id, MM_MODALITY_FILE)       ? (const void *)&img_file
	       : !strcmp(id, MM_MODALITY_CLASSIFIER) ? (const void *)&classifier
	                                             : NULL;
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

static const mm_modality_desc *const modalities[] = { &picture };

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	return com_load(api, sizeof(com_host), self, e);
}

static const mm_plugin_entry entry = COM_ENTRY("img", modalities, load, com_unload);

const mm_plugin_entry *mm_plugin_query_1(void)
{
	return &entry;
}
