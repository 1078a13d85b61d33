/* files.c - single samples as files, words and pictures, by the plugins. */
#include "mmi_build.h"

#include "api/api.h"

static mm_status begin(mmi_visit *v, mm_model *model, uint32_t modality, const void *a, const void *b, mm_error *e)
{
	if (!model || !a || !b)
		return mmi_fail(e, MM_EARG, "an argument is NULL");
	if (modality >= model->saved.model->n_modalities)
		return mmi_fail(e, MM_EARG, "there is no modality %u; they are 0 to %u", modality,
		                model->saved.model->n_modalities - 1);
	return mmi_visit_begin(v, model, e);
}

static const mmi_modality *of(const mm_model *m, uint32_t modality)
{
	return &m->saved.model->modalities[modality];
}

mm_status mm_model_read_file(mm_model *model, uint32_t modality, const char *path, float *x, mm_error *e)
{
	mmi_visit v;
	MMI_TRY(begin(&v, model, modality, path, x, e));
	return mmi_visit_end(&v, mmi_modality_read_as(of(model, modality), MMI_GIVEN_FILE, path, x, &v.error));
}

mm_status mm_model_read_text(mm_model *model, uint32_t modality, const char *text, float *x, mm_error *e)
{
	mmi_visit v;
	MMI_TRY(begin(&v, model, modality, text, x, e));
	return mmi_visit_end(&v, mmi_modality_read_as(of(model, modality), MMI_GIVEN_WORDS, text, x, &v.error));
}

mm_status mm_model_render(mm_model *model, uint32_t modality, const float *x, const char *path, mm_error *e)
{
	mmi_visit v;
	MMI_TRY(begin(&v, model, modality, x, path, e));
	return mmi_visit_end(&v, mmi_modality_render(of(model, modality), x, path, &v.error));
}

mm_status mm_model_draw(mm_model *model, uint32_t modality, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	mmi_visit v;
	MMI_TRY(begin(&v, model, modality, x, rgb, e));
	const size_t row = 3 * (size_t)model->about[modality].picture_width;
	if (stride < row)
		return mmi_visit_end(
			&v, mmi_fail(&v.error, MM_EARG, "stride is %zu; a row of the picture has %zu bytes", stride, row));
	return mmi_visit_end(&v, mmi_modality_draw(of(model, modality), x, rgb, stride, &v.error));
}
