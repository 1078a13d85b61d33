/* plugin.c - the exported entry: who we are, what we offer, which host services we need. */
#include "mmi_build.h"

#include "txt.h"
#include "nets.h"

#include <string.h>

static const mm_modality_classifier classifier = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_classifier, build),
	.features_name = "words128",
	.build = txt_build_classifier,
};

static const mm_modality_saved saved = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_saved, round),
	.round = txt_round,
};

static const mm_modality_variation variation = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_variation, vary),
	.vary = txt_vary,
};

static const void *extension(const char *id)
{
	return !strcmp(id, MM_MODALITY_PICTURE)      ? (const void *)&txt_picture
	       : !strcmp(id, MM_MODALITY_STATE)      ? (const void *)&txt_state
	       : !strcmp(id, MM_MODALITY_GROUP)      ? (const void *)&txt_group
	       : !strcmp(id, MM_MODALITY_FILE)       ? (const void *)&txt_file
	       : !strcmp(id, MM_MODALITY_SAVED)      ? (const void *)&saved
	       : !strcmp(id, MM_MODALITY_VARIATION)  ? (const void *)&variation
	       : !strcmp(id, MM_MODALITY_CLASSIFIER) ? (const void *)&classifier
	                                             : NULL;
}

static const mm_modality_desc caption = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	.id = "caption",
	.default_name = "txt",
	.summary = "captions as word vectors or one-hot words, from files, tables, or folders laid out as CUB_200_2011, "
			   "MMVAE's CUB or MSCOCO",
	.render_suffix = ".txt",
	.create = txt_create,
	.destroy = txt_destroy,
	.describe = txt_describe,
	.build_encoder = txt_build_encoder,
	.build_decoder = txt_build_decoder,
	.build_features = txt_build_features,
	.open = txt_open,
	.close = txt_close,
	.count = txt_count,
	.key = txt_key,
	.label = txt_label,
	.read = txt_read,
	.render = txt_render,
	.get_extension = extension,
};

static const mm_modality_desc *const modalities[] = { &caption };

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	COM_TRY(com_load(api, sizeof(txt_plugin), self, e));
	txt_plugin *p = *self;
	p->linalg = com_optional_service(&p->host, MM_HOST_LINALG, MM_SIZE_THROUGH(mm_host_linalg, truncated_svd));
	p->text = com_optional_service(&p->host, MM_HOST_TEXT, MM_SIZE_THROUGH(mm_host_text, draw));
	return MM_OK;
}

static const mm_plugin_entry entry = COM_ENTRY("txt", modalities, load, com_unload);

const mm_plugin_entry *mm_plugin_query_1(void)
{
	return &entry;
}
