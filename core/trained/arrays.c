/* arrays.c - samples and latents as NumPy's arrays. */
#include "mmi_build.h"

#include "trained/arrays.h"

#include "store/files.h"

struct mmi_arrays {
	const mmi_model *model;
	mmi_npy *x[MMI_MAX_MODALITIES], *z, *w[MMI_MAX_MODALITIES];
};

/* Takes the path, which is NULL when memory ran out. */
static mm_status open_one(char *path, uint64_t rows, const mm_shape *row, mmi_npy **out, mm_error *e)
{
	mm_status status = path ? mmi_npy_open(path, MMI_NPY_F32, rows, row, out, e)
	                        : mmi_fail(e, MM_ENOMEM, "out of memory for the name of an array");
	mmi_free(path);
	return status;
}

static mm_status open_latents(mmi_arrays *a, const mmi_arrays_request *r, mm_error *e)
{
	const mm_shape z = { 1, { mmi_model_z_dim(r->model) } }, w = { 1, { mmi_model_w_dim(r->model) } };
	char *folder = mmi_format("%s/latents", r->folder);
	mm_status status = folder ? mmi_make_folders(folder, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a folder");
	mmi_free(folder);
	MMI_TRY(status);
	if (z.dim[0])
		MMI_TRY(open_one(mmi_format("%s/latents/z.npy", r->folder), r->rows, &z, &a->z, e));
	for (uint32_t m = 0; w.dim[0] && m < r->model->n_modalities; m++)
		MMI_TRY(open_one(mmi_format("%s/latents/w-%s.npy", r->folder, r->model->modalities[m].name), r->rows, &w,
		                 &a->w[m], e));
	return MM_OK;
}

static mm_status open_all(mmi_arrays *a, const mmi_arrays_request *r, mm_error *e)
{
	MMI_TRY(mmi_make_folders(r->folder, e));
	for (uint32_t m = 0; m < r->model->n_modalities; m++) {
		const mmi_modality *modality = &r->model->modalities[m];
		if (!r->which || r->which[m])
			MMI_TRY(open_one(mmi_format("%s/%s%s.npy", r->folder, modality->name, r->tail), r->rows,
			                 &modality->info.shape, &a->x[m], e));
	}
	return r->latents ? open_latents(a, r, e) : MM_OK;
}

mm_status mmi_arrays_open(const mmi_arrays_request *r, mmi_arrays **out, mm_error *e)
{
	mmi_arrays *a = mmi_alloc(1, sizeof *a);
	if (!a)
		return mmi_fail(e, MM_ENOMEM, "out of memory for arrays");
	a->model = r->model;
	mm_status status = open_all(a, r, e);
	if (status == MM_OK)
		*out = a;
	else
		mmi_arrays_abort(a);
	return status;
}

mm_status mmi_arrays_write(mmi_arrays *a, uint32_t rows, float *const *x, const mmi_latents *latents, mm_error *e)
{
	for (uint32_t m = 0; m < a->model->n_modalities; m++) {
		if (a->x[m])
			MMI_TRY(mmi_npy_write(a->x[m], x[m], rows, e));
		if (a->w[m])
			MMI_TRY(mmi_npy_write(a->w[m], latents->w[m], rows, e));
	}
	return a->z ? mmi_npy_write(a->z, latents->z, rows, e) : MM_OK;
}

static mm_status commit_one(mmi_npy **f, mm_error *e)
{
	mmi_npy *file = *f;
	*f = NULL;
	return file ? mmi_npy_commit(file, e) : MM_OK;
}

static mm_status commit_all(mmi_arrays *a, mm_error *e)
{
	for (uint32_t m = 0; m < a->model->n_modalities; m++) {
		MMI_TRY(commit_one(&a->x[m], e));
		MMI_TRY(commit_one(&a->w[m], e));
	}
	return commit_one(&a->z, e);
}

mm_status mmi_arrays_commit(mmi_arrays *a, mm_error *e)
{
	mm_status status = commit_all(a, e);
	mmi_arrays_abort(a);
	return status;
}

void mmi_arrays_abort(mmi_arrays *a)
{
	if (!a)
		return;
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++) {
		mmi_npy_abort(a->x[m]);
		mmi_npy_abort(a->w[m]);
	}
	mmi_npy_abort(a->z);
	mmi_free(a);
}
