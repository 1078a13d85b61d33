/* build.c - records a modality's branches and checks what the plugin gave back. */
#include "mmi_build.h"

#include "plugin/loader.h"
#include "plugin/modality.h"

/* What a plugin promised to record. */
typedef struct wanted {
	const char *name; /* of the member of io */
	mm_tensor got;
	mm_shape shape;
} wanted;

/* A build callback's own failure, else the first failure of any graph call in it. */
static mm_status check_call(const mmi_modality *m, const mmi_graph *g, const char *callback, mm_status status, mm_error *own,
                            mm_error *e)
{
	if (status == MM_OK)
		status = mmi_graph_check(g, own);
	else if (!own->message[0] && g->error.code != MM_OK)
		mmi_graph_check(g, own);
	status = mmi_modality_result(m, callback, status, own);
	return status == MM_OK ? status : mmi_fail(e, status, "%s", own->message);
}

static mm_status fault(const mmi_modality *m, const char *callback, mm_status code, mm_error *own, mm_error *e)
{
	mmi_modality_result(m, callback, code, own);
	return mmi_fail(e, code, "%s", own->message);
}

static mm_status check_tensor(const mmi_modality *m, const mmi_graph *g, const char *callback, const char *name, mm_tensor x,
                              mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	const mmi_node *node = mmi_graph_node(g, x);

	if (!node) {
		mmi_fail(&own, MM_EABI, x == MM_NO_TENSOR ? "%s was not set" : "%s is %d, which is no tensor of this graph", name, x);
		return fault(m, callback, MM_EABI, &own, e);
	}
	if (!node->batched) {
		mmi_fail(&own, MM_ESHAPE, "%s is a parameter, needed is a tensor that depends on the sample", name);
		return fault(m, callback, MM_ESHAPE, &own, e);
	}
	return MM_OK;
}

static mm_status check_wanted(const mmi_modality *m, const mmi_graph *g, const char *callback, const wanted *w, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	char found[64], needed[64];

	MMI_TRY(check_tensor(m, g, callback, w->name, w->got, e));
	const mm_shape *shape = &mmi_graph_node(g, w->got)->shape;
	if (mmi_shape_equal(shape, &w->shape))
		return MM_OK;
	mmi_fail(&own, MM_ESHAPE, "%s has shape %s, needed is %s", w->name, mmi_shape_text(shape, found),
	         mmi_shape_text(&w->shape, needed));
	return fault(m, callback, MM_ESHAPE, &own, e);
}

mm_status mmi_modality_build_encoder(const mmi_modality *m, mmi_graph *g, mm_tensor x, int32_t latent_dim, int32_t private_dim,
                                     mm_encoder_io *io, mm_error *e)
{
	static const char callback[] = "build_encoder";
	mm_error own = MM_ERROR_INIT;
	mm_encoder_io made = {
		.struct_size = MM_SIZE_THROUGH(mm_encoder_io, w_raw),
		.x = x, .latent_dim = latent_dim, .private_dim = private_dim,
		.z_loc = MM_NO_TENSOR, .z_raw = MM_NO_TENSOR, .w_loc = MM_NO_TENSOR, .w_raw = MM_NO_TENSOR,
	};

	MMI_TRY(mmi_graph_check(g, e));
	MMI_TRY(check_call(m, g, callback, m->desc->build_encoder(m->instance, g, &made, &own), &own, e));
	const wanted list[] = {
		{ "z_loc", made.z_loc, mmi_shape(1, latent_dim) }, { "z_raw", made.z_raw, mmi_shape(1, latent_dim) },
		{ "w_loc", made.w_loc, mmi_shape(1, private_dim) }, { "w_raw", made.w_raw, mmi_shape(1, private_dim) },
	};
	for (size_t i = 0; i < (private_dim > 0 ? 4u : 2u); i++)
		MMI_TRY(check_wanted(m, g, callback, &list[i], e));
	if (private_dim <= 0)
		made.w_loc = made.w_raw = MM_NO_TENSOR;
	*io = made;
	return MM_OK;
}

mm_status mmi_modality_build_decoder(const mmi_modality *m, mmi_graph *g, mm_tensor z, mm_tensor w, mm_tensor *out, mm_error *e)
{
	static const char callback[] = "build_decoder";
	mm_error own = MM_ERROR_INIT;
	mm_decoder_io io = { .struct_size = MM_SIZE_THROUGH(mm_decoder_io, out), .z = z, .w = w, .out = MM_NO_TENSOR };

	MMI_TRY(mmi_graph_check(g, e));
	MMI_TRY(check_call(m, g, callback, m->desc->build_decoder(m->instance, g, &io, &own), &own, e));
	MMI_TRY(check_wanted(m, g, callback, &(wanted){ "out", io.out, m->info.shape }, e));
	*out = io.out;
	return MM_OK;
}

mm_status mmi_modality_build_features(const mmi_modality *m, mmi_graph *g, mm_tensor x, mm_tensor *features, mm_error *e)
{
	static const char callback[] = "build_features";
	char found[64];
	mm_error own = MM_ERROR_INIT;
	mm_features_io io = { .struct_size = MM_SIZE_THROUGH(mm_features_io, features), .x = x, .features = MM_NO_TENSOR };

	MMI_TRY(mmi_graph_check(g, e));
	MMI_TRY(check_call(m, g, callback, m->desc->build_features(m->instance, g, &io, &own), &own, e));
	MMI_TRY(check_tensor(m, g, callback, "features", io.features, e));
	const mm_shape *shape = &mmi_graph_node(g, io.features)->shape;
	if (shape->rank != 1 && shape->rank != 3) {
		mmi_fail(&own, MM_ESHAPE, "features has shape %s, needed is a map [h,w,c] or a vector [c]", mmi_shape_text(shape, found));
		return fault(m, callback, MM_ESHAPE, &own, e);
	}
	*features = io.features;
	return MM_OK;
}

mm_status mmi_modality_build_classifier(const mmi_modality *m, mmi_graph *g, mm_tensor x, mm_tensor *logits, mm_tensor *features,
                                        mm_error *e)
{
	static const char callback[] = "classifier build";
	char found[64];
	mm_error own = MM_ERROR_INIT;
	mm_classifier_io io = { .struct_size = MM_SIZE_THROUGH(mm_classifier_io, features), .x = x,
	                        .n_classes = (int32_t)m->info.n_classes, .logits = MM_NO_TENSOR, .features = MM_NO_TENSOR };

	if (!m->classifier)
		return mmi_fail(e, MM_EUNSUPPORTED, "[%s] plugin %s brings no classifier (no %s)", m->name, m->plugin->entry.id,
		                MM_MODALITY_CLASSIFIER);
	MMI_TRY(mmi_graph_check(g, e));
	MMI_TRY(check_call(m, g, callback, m->classifier->build(m->instance, g, &io, &own), &own, e));
	MMI_TRY(check_wanted(m, g, callback, &(wanted){ "logits", io.logits, mmi_shape(1, (int)m->info.n_classes) }, e));
	MMI_TRY(check_tensor(m, g, callback, "features", io.features, e));
	const mm_shape *shape = &mmi_graph_node(g, io.features)->shape;
	if (shape->rank != 1) {
		mmi_fail(&own, MM_ESHAPE, "features has shape %s, needed is a vector [c]", mmi_shape_text(shape, found));
		return fault(m, callback, MM_ESHAPE, &own, e);
	}
	*logits = io.logits;
	*features = io.features;
	return MM_OK;
}
