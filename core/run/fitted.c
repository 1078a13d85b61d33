/* fitted.c - a fitted prior among the tensors of a checkpoint: fitted.z.log_weight, .loc, .scale, the same of
 * fitted.w/NAME, and fitted.laplace. */
#include "mmi_build.h"

#include "run/fitted.h"

#include <stdio.h>
#include <string.h>

enum { TENSORS = 3, MOST_ITEMS = TENSORS * (MMI_MAX_MODALITIES + 1) + 1, NAME = 96 };

static const char *const kinds[TENSORS] = { "log_weight", "loc", "scale" };

/* ------------------------------------------------------------ memory */

static size_t scale_count(const mmi_fitted_part *p)
{
	return p->n * p->dim * (p->full ? p->dim : 1);
}

mm_status mmi_fitted_part_create(uint32_t n, size_t dim, bool full, mmi_fitted_part *out, mm_error *e)
{
	mmi_fitted_part p = { .n = n, .dim = dim, .full = full };
	p.log_weight = mmi_alloc(n, sizeof *p.log_weight);
	p.loc = mmi_alloc(n * dim, sizeof *p.loc);
	p.scale = mmi_alloc(scale_count(&p), sizeof *p.scale);
	*out = p;
	return p.log_weight && p.loc && p.scale ? MM_OK
	                                        : mmi_fail(e, MM_ENOMEM, "out of memory for a prior of %u components", n);
}

static mmi_fitted_part *part_at(mmi_fitted *f, uint32_t i)
{
	return i ? &f->w[i - 1] : &f->z;
}

static mmi_clusters *clusters_at(mmi_fitted *f, uint32_t i)
{
	return i ? &f->prior.w[i - 1] : &f->prior.z;
}

void mmi_fitted_clear(mmi_fitted *f)
{
	for (uint32_t i = 0; i <= MMI_MAX_MODALITIES; i++) {
		mmi_fitted_part *p = part_at(f, i);
		mmi_clusters *c = clusters_at(f, i);
		mmi_floats *const all[] = { &c->log_weight, &c->loc, &c->scale };
		for (size_t k = 0; f->device && k < MMI_COUNT(all); k++)
			mmi_floats_release(f->device, all[k]);
		mmi_free(p->log_weight);
		mmi_free(p->loc);
		mmi_free(p->scale);
	}
	*f = (mmi_fitted){ .device = NULL };
}

/* ------------------------------------------------------------ tensors */

/* i: 0 for z, else the modality behind it. */
static const char *name_of(const mmi_model *m, uint32_t i, int kind, char text[NAME])
{
	if (i)
		snprintf(text, NAME, MMI_FITTED_PREFIX "w/%s.%s", m->modalities[i - 1].name, kinds[kind]);
	else
		snprintf(text, NAME, MMI_FITTED_PREFIX "z.%s", kinds[kind]);
	return text;
}

static mmi_tensor_item item_of(const mmi_fitted_part *p, int kind, const char *name)
{
	float *const data[TENSORS] = { p->log_weight, p->loc, p->scale };
	mmi_tensor_item item = { .name = name, .dtype = MMI_F32, .data = data[kind] };
	item.rank = kind == 0 ? 1 : kind == 2 && p->full ? 3 : 2;
	item.dim[0] = p->n;
	item.dim[1] = item.dim[2] = (int64_t)p->dim;
	return item;
}

typedef struct items {
	mmi_tensor_item item[MOST_ITEMS];
	char name[MOST_ITEMS][NAME];
	size_t n;
	int64_t laplace;
} items;

static void list_items(const mmi_model *m, mmi_fitted *f, items *out)
{
	out->n = 0;
	out->laplace = f->family == MMI_PRIOR_LAPLACE;
	for (uint32_t i = 0; i <= m->n_modalities; i++)
		for (int kind = 0; kind < TENSORS && part_at(f, i)->n; kind++) {
			const char *name = name_of(m, i, kind, out->name[out->n]);
			out->item[out->n++] = item_of(part_at(f, i), kind, name);
		}
	out->item[out->n++] = mmi_item_within(mmi_item_counter(MMI_FITTED_PREFIX "laplace", &out->laplace), 0, 1);
}

/* ------------------------------------------------------------ reading */

bool mmi_fitted_there(const mmi_checkpoint *ck)
{
	return mmi_safetensors_find(mmi_checkpoint_tensors(ck), MMI_FITTED_PREFIX "laplace");
}

/* Room for what the file says it has of latent i; that its other shapes agree is seen when it is restored. */
static mm_status make_room(const mmi_checkpoint *ck, const mmi_model *m, uint32_t i, mmi_fitted_part *out, mm_error *e)
{
	char name[NAME];
	const mmi_safetensors *file = mmi_checkpoint_tensors(ck);
	const mmi_tensor_info *weight = mmi_safetensors_find(file, name_of(m, i, 0, name));
	const int32_t dim = i ? mmi_model_w_dim(m) : mmi_model_z_dim(m);
	if (!weight || !dim)
		return MM_OK; /* what the file has nevertheless has no place then */
	if (weight->rank != 1 || weight->dim[0] < 1 || weight->dim[0] > MMI_MAX_CLUSTERS)
		return mmi_fail(e, MM_EFORMAT, "%s: '%s' has not one dimension of 1 to %d; expected a component's weight each",
		                mmi_checkpoint_path(ck), name, MMI_MAX_CLUSTERS);
	const mmi_tensor_info *scale = mmi_safetensors_find(file, name_of(m, i, 2, name));
	const mmi_fitted_part as_told = { .n = (uint32_t)weight->dim[0],
		                              .dim = (size_t)dim,
		                              .full = scale && scale->rank == 3 };
	const mmi_tensor_item want = item_of(&as_told, 2, name);
	if (!scale || scale->rank != want.rank || memcmp(scale->dim, want.dim, want.rank * sizeof want.dim[0]))
		return mmi_fail(e, MM_ESHAPE, "%s: '%s' does not fit %u components of %d numbers: it is not of this model",
		                mmi_checkpoint_path(ck), name, as_told.n, dim);
	return mmi_fitted_part_create(as_told.n, as_told.dim, as_told.full, out, e);
}

static mm_status check_scales(const mmi_checkpoint *ck, const mmi_fitted_part *p, const char *of, mm_error *e)
{
	for (size_t i = 0; i < p->n * p->dim; i++) {
		const size_t at = p->full ? i / p->dim * p->dim * p->dim + i % p->dim * (p->dim + 1) : i;
		if (!(p->scale[at] > 0))
			return mmi_fail(e, MM_EFORMAT, "%s: a scale of the fitted prior of %s is %g; expected more than 0",
			                mmi_checkpoint_path(ck), of, (double)p->scale[at]);
	}
	return MM_OK;
}

static mm_status to_device(const mmi_device *d, const float *from, size_t n, mmi_floats *to, mm_error *e)
{
	*to = mmi_floats_alloc(d, n);
	if (!to->at)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a fitted prior");
	d->ops->upload(d, to->at, from, n * sizeof *from);
	return MM_OK;
}

static mm_status bring(const mmi_model *m, mmi_fitted *f, uint32_t i, mm_error *e)
{
	const mmi_fitted_part *p = part_at(f, i);
	mmi_clusters *c = clusters_at(f, i);
	if (!p->n)
		return MM_OK;
	*c = (mmi_clusters){ .n = p->n, .dim = p->dim, .family = f->family, .full = p->full };
	MMI_TRY(to_device(m->device, p->log_weight, p->n, &c->log_weight, e));
	MMI_TRY(to_device(m->device, p->loc, p->n * p->dim, &c->loc, e));
	return to_device(m->device, p->scale, scale_count(p), &c->scale, e);
}

static mm_status read_parts(const mmi_checkpoint *ck, const mmi_model *m, mmi_fitted *f, items *list, mm_error *e)
{
	static const char *const others[] = { "generator.",   "inference.", "energy.",   "match.",
		                                  "ema.",         "spectral.",  "adam_",     "state.",
		                                  "rate_factor.", "buffer.",    "modality.", "snapshot." };
	for (uint32_t i = 0; i <= m->n_modalities; i++)
		MMI_TRY(make_room(ck, m, i, part_at(f, i), e));
	list_items(m, f, list);
	MMI_TRY(mmi_checkpoint_restore_part(ck, list->item, list->n, others, MMI_COUNT(others), e));
	f->family = list->laplace ? MMI_PRIOR_LAPLACE : MMI_PRIOR_NORMAL;
	for (uint32_t i = 0; i <= m->n_modalities; i++) {
		MMI_TRY(check_scales(ck, part_at(f, i), i ? m->modalities[i - 1].name : "z", e));
		MMI_TRY(bring(m, f, i, e));
	}
	return m->device->ops->wait(m->device, e);
}

mm_status mmi_fitted_read(const mmi_checkpoint *ck, const mmi_model *m, mmi_fitted *out, mm_error *e)
{
	if (!mmi_fitted_there(ck))
		return mmi_fail(e, MM_ECONFIG,
		                "%s: it has no fitted prior, and [sample] prior = fitted asks for one: run mmcore fit-prior "
		                "--ckpt %s first, or set sample.prior=model",
		                mmi_checkpoint_path(ck), mmi_checkpoint_path(ck));
	*out = (mmi_fitted){ .device = m->device };
	items *list = mmi_alloc(1, sizeof *list);
	mm_status status =
		list ? read_parts(ck, m, out, list, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a fitted prior");
	mmi_free(list);
	if (status != MM_OK)
		mmi_fitted_clear(out);
	return status;
}

/* ------------------------------------------------------------ writing */

typedef struct copies { /* of the tensors and texts of a file */
	mmi_tensor_item *items;
	void **data;
	mmi_text_pair *texts;
	size_t n, n_texts;
} copies;

static mm_status copy_tensor(const mmi_safetensors *file, const mmi_tensor_info *t, copies *c, mm_error *e)
{
	const size_t bytes = (size_t)(t->end - t->begin);
	mmi_tensor_item *item = &c->items[c->n];
	void *data = c->data[c->n] = mmi_alloc(bytes + 1, 1);
	if (!data)
		return mmi_fail(e, MM_ENOMEM, "%s: out of memory", mmi_safetensors_path(file));
	*item = (mmi_tensor_item){ .name = t->name, .dtype = t->dtype, .rank = t->rank, .data = data };
	memcpy(item->dim, t->dim, sizeof item->dim);
	c->n++;
	return mmi_safetensors_read(file, t, data, bytes, e);
}

/* All but a prior that was fitted before. The version of the format and the checksum are written anew. */
static mm_status copy_all(const mmi_safetensors *file, copies *c, mm_error *e)
{
	for (size_t i = 0; i < mmi_safetensors_count(file); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(file, i);
		if (strncmp(t->name, MMI_FITTED_PREFIX, strlen(MMI_FITTED_PREFIX)) != 0)
			MMI_TRY(copy_tensor(file, t, c, e));
	}
	for (size_t i = 0; i < mmi_safetensors_meta_count(file); i++) {
		const mmi_text_pair text = mmi_safetensors_meta_at(file, i);
		if (strcmp(text.key, MMI_SAFETENSORS_CRC) != 0 && strcmp(text.key, MMI_CHECKPOINT_FORMAT) != 0)
			c->texts[c->n_texts++] = text;
	}
	return MM_OK;
}

static void clear_copies(copies *c)
{
	for (size_t i = 0; c->data && i < c->n + 1; i++)
		mmi_free(c->data[i]);
	mmi_free(c->data);
	mmi_free(c->items);
	mmi_free(c->texts);
}

mm_status mmi_fitted_write(const mmi_checkpoint *ck, const mmi_model *m, const mmi_fitted *f, const char *path,
                           mm_error *e)
{
	const mmi_safetensors *file = mmi_checkpoint_tensors(ck);
	const size_t tensors = mmi_safetensors_count(file) + MOST_ITEMS;
	mmi_fitted own = *f;
	items *list = mmi_alloc(1, sizeof *list);
	copies c = { .items = mmi_alloc(tensors, sizeof *c.items),
		         .data = mmi_alloc(tensors, sizeof *c.data),
		         .texts = mmi_alloc(mmi_safetensors_meta_count(file) + 1, sizeof *c.texts) };
	mm_status status = list && c.items && c.data && c.texts ? mmi_checkpoint_verify(ck, e)
	                                                        : mmi_fail(e, MM_ENOMEM, "%s: out of memory", path);
	if (status == MM_OK)
		status = copy_all(file, &c, e);
	if (status == MM_OK) {
		list_items(m, &own, list);
		memcpy(c.items + c.n, list->item, list->n * sizeof *list->item);
		status = mmi_checkpoint_save(path, c.items, c.n + list->n, c.texts, c.n_texts, e);
	}
	clear_copies(&c);
	mmi_free(list);
	return status;
}
