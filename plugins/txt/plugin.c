/* plugin.c - the exported entry: who we are, what we offer, which host services we need. */
#include "mmi_build.h"

#include "txt.h"
#include "nets.h"

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
	static const mma_extension list[] = {
		{ MM_MODALITY_PICTURE, &txt_picture },   { MM_MODALITY_STATE, &txt_state },
		{ MM_MODALITY_GROUP, &txt_group },       { MM_MODALITY_FILE, &txt_file },
		{ MM_MODALITY_SAVED, &saved },           { MM_MODALITY_VARIATION, &variation },
		{ MM_MODALITY_CLASSIFIER, &classifier }, { MM_MODALITY_SETTINGS, &txt_settings },
	};
	return mma_find(list, MMA_COUNT(list), id);
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

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	MMA_TRY(mma_load_state(api, sizeof(txt_plugin), self, e));
	txt_plugin *p = *self;
	p->linalg = mma_table(api, MM_HOST_LINALG, MM_SIZE_THROUGH(mm_host_linalg, truncated_svd), NULL);
	p->text = mma_table(api, MM_HOST_TEXT, MM_SIZE_THROUGH(mm_host_text, draw), NULL);
	return MM_OK;
}

MMA_PLUGIN_WITH(load, mma_unload, "org.mmcore.txt", "txt", "mmcore", PACKAGE_VERSION, "MIT", &caption)
