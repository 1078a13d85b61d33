/* build.c - records a modality's branches and checks what the plugin gave back. */
#include "mmi_build.h"

#include "plugin/call.h"
#include "plugin/contract.h"
#include "plugin/loader.h"
#include "plugin/modality.h"

/* The callback's own failure, else the first failure of any graph call in it. */
static mm_status end(mmi_call *call, const mmi_graph *g, mm_status status, mm_error *e)
{
	if (status == MM_OK)
		status = mmi_graph_check(g, &call->error);
	else if (!call->error.message[0] && g->error.code != MM_OK)
		mmi_graph_check(g, &call->error);
	return mmi_call_end(call, status, e);
}

mm_status mmi_modality_build_encoder(const mmi_modality *m, mmi_graph *g, mm_tensor x, int32_t latent_dim,
                                     int32_t private_dim, mm_encoder_io *io, mm_error *e)
{
	static const char callback[] = "build_encoder";
	mmi_call call;
	mm_encoder_io made = {
		.struct_size = MM_SIZE_THROUGH(mm_encoder_io, w_raw),
		.x = x,
		.latent_dim = latent_dim,
		.private_dim = private_dim,
		.z_loc = MM_NO_TENSOR,
		.z_raw = MM_NO_TENSOR,
		.w_loc = MM_NO_TENSOR,
		.w_raw = MM_NO_TENSOR,
	};

	MMI_TRY(mmi_graph_check(g, e));
	mmi_call_begin(&call, m->name, m->plugin, callback);
	MMI_TRY(end(&call, g, m->desc->build_encoder(m->instance, g, &made, &call.error), e));
	const struct {
		const char *name;
		mm_tensor made;
		mm_shape shape;
	} list[] = {
		{ "z_loc", made.z_loc, mmi_shape(1, latent_dim) },
		{ "z_raw", made.z_raw, mmi_shape(1, latent_dim) },
		{ "w_loc", made.w_loc, mmi_shape(1, private_dim) },
		{ "w_raw", made.w_raw, mmi_shape(1, private_dim) },
	};
	for (size_t i = 0; i < (private_dim > 0 ? 4u : 2u); i++)
		MMI_TRY(mmi_contract_tensor(m, g, callback, list[i].name, list[i].made, &list[i].shape, e));
	if (private_dim <= 0)
		made.w_loc = made.w_raw = MM_NO_TENSOR;
	*io = made;
	return MM_OK;
}

mm_status mmi_modality_build_decoder(const mmi_modality *m, mmi_graph *g, mm_tensor z, mm_tensor w, mm_tensor *out,
                                     mm_error *e)
{
	static const char callback[] = "build_decoder";
	mmi_call call;
	mm_decoder_io io = { .struct_size = MM_SIZE_THROUGH(mm_decoder_io, out), .z = z, .w = w, .out = MM_NO_TENSOR };

	MMI_TRY(mmi_graph_check(g, e));
	mmi_call_begin(&call, m->name, m->plugin, callback);
	MMI_TRY(end(&call, g, m->desc->build_decoder(m->instance, g, &io, &call.error), e));
	MMI_TRY(mmi_contract_tensor(m, g, callback, "out", io.out, &m->info.shape, e));
	*out = io.out;
	return MM_OK;
}

mm_status mmi_modality_build_features(const mmi_modality *m, mmi_graph *g, mm_tensor x, mm_tensor *features,
                                      mm_error *e)
{
	static const char callback[] = "build_features";
	mmi_call call;
	mm_features_io io = { .struct_size = MM_SIZE_THROUGH(mm_features_io, features), .x = x, .features = MM_NO_TENSOR };

	MMI_TRY(mmi_graph_check(g, e));
	mmi_call_begin(&call, m->name, m->plugin, callback);
	MMI_TRY(end(&call, g, m->desc->build_features(m->instance, g, &io, &call.error), e));
	MMI_TRY(mmi_contract_rank(m, g, callback, "features", io.features, 1, 3, "a map [h,w,c] or a vector [c]", e));
	*features = io.features;
	return MM_OK;
}

mm_status mmi_modality_build_classifier(const mmi_modality *m, mmi_graph *g, mm_tensor x, mm_tensor *logits,
                                        mm_tensor *features, mm_error *e)
{
	static const char callback[] = "classifier build";
	mmi_call call;
	mm_classifier_io io = { .struct_size = MM_SIZE_THROUGH(mm_classifier_io, features),
		                    .x = x,
		                    .n_classes = (int32_t)m->info.n_classes,
		                    .logits = MM_NO_TENSOR,
		                    .features = MM_NO_TENSOR };

	if (!m->classifier)
		return mmi_fail(e, MM_EUNSUPPORTED, "[%s] plugin %s brings no classifier (no %s)", m->name, m->plugin->entry.id,
		                MM_MODALITY_CLASSIFIER);
	MMI_TRY(mmi_graph_check(g, e));
	mmi_call_begin(&call, m->name, m->plugin, callback);
	MMI_TRY(end(&call, g, m->classifier->build(m->instance, g, &io, &call.error), e));
	MMI_TRY(
		mmi_contract_tensor(m, g, callback, "logits", io.logits, &(mm_shape){ 1, { (int32_t)m->info.n_classes } }, e));
	MMI_TRY(mmi_contract_rank(m, g, callback, "features", io.features, 1, 1, "a vector [c]", e));
	*logits = io.logits;
	*features = io.features;
	return MM_OK;
}
