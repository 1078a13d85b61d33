/* params.c - one model's tensors: declaration, storage, initial values, spectral normalisation. */
#include "mmi_build.h"

#include "engine/params.h"
#include "engine/row_ops.h"
#include "engine/streams.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAD 16 /* floats: tensors start on 64-byte lines */

mm_status mmi_params_create(const mmi_device *device, const char *name, mmi_params **out, mm_error *e)
{
	mmi_params *p = mmi_alloc(1, sizeof *p);
	if (p)
		p->packs = mmi_packs_create(device);
	if (!p || !p->packs) {
		mmi_free(p);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the parameters of \"%s\"", name);
	}
	p->device = device;
	snprintf(p->name, sizeof p->name, "%s", name);
	*out = p;
	return MM_OK;
}

void mmi_params_destroy(mmi_params *p)
{
	if (!p)
		return;
	mmi_packs_destroy(p->packs);
	if (p->value.at != p->raw.at)
		mmi_floats_release(p->device, &p->value);
	mmi_mirror_clear(p->device, &p->raw_copy);
	mmi_mirror_clear(p->device, &p->vectors_copy);
	mmi_floats_release(p->device, &p->sigma);
	mmi_free(p->info);
	mmi_free(p);
}

static mm_status check_same(const mmi_param_info *info, const mm_shape *shape, mm_error *e)
{
	char a[64], b[64];
	if (mmi_shape_equal(&info->shape, shape))
		return MM_OK;
	return mmi_fail(e, MM_ESHAPE,
	                "parameter \"%s\" has shape %s and was asked for again with %s; shared weights must agree",
	                info->name, mmi_shape_text(&info->shape, a), mmi_shape_text(shape, b));
}

mm_status mmi_params_declare(mmi_params *p, const char *name, mm_shape shape, int32_t init, int32_t fan_in,
                             uint32_t *index, mm_error *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->info[i].name, name)) {
			*index = (uint32_t)i;
			return check_same(&p->info[i], &shape, e);
		}
	if (p->final)
		return mmi_fail(e, MM_ESTATE, "parameter \"%s\" is new after model \"%s\" got its storage", name, p->name);
	if (init < MM_INIT_DEFAULT || init > MM_INIT_ZERO)
		return mmi_fail(e, MM_EARG, "parameter \"%s\": unknown initial values %d", name, init);
	if (p->n == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 32;
		mmi_param_info *grown = mmi_grow(p->info, p->n, capacity, sizeof *grown);
		if (!grown)
			return mmi_fail(e, MM_ENOMEM, "out of memory for the parameters of \"%s\"", p->name);
		p->info = grown;
		p->capacity = capacity;
	}
	mmi_param_info *info = &p->info[p->n];
	*info = (mmi_param_info){
		.shape = shape, .offset = p->count, .count = (size_t)mmi_shape_count(&shape), .init = init, .fan_in = fan_in
	};
	snprintf(info->name, sizeof info->name, "%s", name);
	p->count += (info->count + PAD - 1) / PAD * PAD;
	*index = (uint32_t)p->n++;
	return MM_OK;
}

/* A weight as a matrix [rows, columns]: rows are all axes but the last, columns the output channels (last axis), which
 * is PyTorch's [out, in*kh*kw] transposed; singular values are the same. */
static void matrix(const mmi_param_info *info, size_t *rows, size_t *columns)
{
	*columns = (size_t)info->shape.dim[info->shape.rank - 1];
	*rows = info->count / *columns;
}

void mmi_params_spectral(mmi_params *p)
{
	for (size_t i = 0; i < p->n; i++) {
		mmi_param_info *info = &p->info[i];
		size_t rows, columns;
		if (info->shape.rank < 2)
			continue;
		matrix(info, &rows, &columns);
		info->spectral = true;
		info->u_offset = p->n_vectors;
		info->u_count = columns;
		info->v_offset = p->n_vectors + (columns + PAD - 1) / PAD * PAD;
		info->v_count = rows;
		p->n_vectors = info->v_offset + (rows + PAD - 1) / PAD * PAD;
	}
}

static void draw(const mmi_vec *vec, float *out, const mmi_param_info *info, mmi_rng r)
{
	float bound = info->fan_in > 0 ? 1.0f / sqrtf((float)info->fan_in) : 0.0f;
	size_t rows, columns;
	switch (info->init) {
	case MM_INIT_ZERO:
		return;
	case MM_INIT_XAVIER_NORMAL:
		matrix(info, &rows, &columns);
		float receptive = info->shape.rank == 4 ? (float)(info->shape.dim[0] * info->shape.dim[1]) : 1.0f;
		float deviation = sqrtf(2.0f / ((float)rows + (float)columns * receptive));
		vec->normal(out, info->count, r);
		for (size_t i = 0; i < info->count; i++)
			out[i] *= deviation;
		return;
	default:
		vec->uniform(out, info->count, r);
		for (size_t i = 0; i < info->count; i++)
			out[i] = (2.0f * out[i] - 1.0f) * bound;
	}
}

static void draw_direction(const mmi_vec *vec, float *out, size_t n, mmi_rng r)
{
	vec->normal(out, n, r);
	double norm = sqrt(vec->sum_squares(out, n));
	float factor = (float)(1.0 / (norm > 1e-12 ? norm : 1e-12));
	for (size_t i = 0; i < n; i++)
		out[i] *= factor;
}

static bool any_spectral(const mmi_params *p)
{
	return p->n_vectors > 0;
}

/* Of one tensor: in host memory, whatever the device, so that they are the same everywhere. */
static void draw_tensor(const mmi_params *p, size_t i, uint64_t seed, float *raw, float *vectors)
{
	const mmi_param_info *info = &p->info[i];
	char stream[160];
	snprintf(stream, sizeof stream, MMI_STREAM_INIT, p->name, info->name);
	mmi_rng r = { .key = mmi_rng_key(seed, stream), .sample = MMI_INIT_VALUES };
	draw(p->device->vec, raw + info->offset, info, r);
	r.sample = MMI_INIT_SINGULAR;
	if (info->spectral)
		draw_direction(p->device->vec, vectors + info->u_offset, info->u_count, r);
}

/* 1 each; `upload` waits for nobody. */
static mm_status reset_sigma(const mmi_params *p, mm_error *e)
{
	const mmi_device *d = p->device;
	float *sigma = mmi_alloc(p->n, sizeof *sigma);
	if (!sigma)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the norms of %zu parameters of \"%s\"", p->n, p->name);
	for (size_t i = 0; i < p->n; i++)
		sigma[i] = 1;
	d->ops->upload(d, p->sigma.at, sigma, p->n * sizeof *sigma);
	mm_status status = d->ops->wait(d, e);
	mmi_free(sigma);
	return status;
}

mm_status mmi_params_allocate(mmi_params *p, mm_error *e)
{
	if (p->final)
		return mmi_fail(e, MM_ESTATE, "model \"%s\" already has its storage", p->name);
	MMI_TRY(mmi_mirror_create(p->device, p->count * sizeof *p->raw.at, &p->raw_copy, e));
	MMI_TRY(mmi_mirror_create(p->device, p->n_vectors * sizeof *p->raw.at, &p->vectors_copy, e));
	p->raw.at = p->raw_copy.device;
	p->vectors.at = p->vectors_copy.device;
	p->value = any_spectral(p) ? mmi_floats_alloc(p->device, p->count) : p->raw;
	p->sigma = mmi_floats_alloc(p->device, p->n);
	if (!p->value.at || !p->sigma.at)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu parameters of \"%s\"", p->count, p->name);
	MMI_TRY(reset_sigma(p, e));
	p->final = true;
	return MM_OK;
}

mm_status mmi_params_finalise(mmi_params *p, uint64_t seed, mm_error *e)
{
	MMI_TRY(mmi_params_allocate(p, e));
	for (size_t i = 0; i < p->n; i++)
		draw_tensor(p, i, seed, p->raw_copy.host, p->vectors_copy.host);
	mmi_params_push(p);
	MMI_TRY(p->device->ops->wait(p->device, e));
	/* PyTorch starts spectral norms with 15 iterations, so that sigma is right from the first step. */
	mmi_params_update(p, 15);
	return MM_OK;
}

void mmi_params_fetch(const mmi_params *p)
{
	mmi_mirror_pull(p->device, &p->raw_copy, p->raw_copy.bytes);
	mmi_mirror_pull(p->device, &p->vectors_copy, p->vectors_copy.bytes);
}

void mmi_params_push(const mmi_params *p)
{
	mmi_mirror_push(p->device, &p->raw_copy);
	mmi_mirror_push(p->device, &p->vectors_copy);
}

static mmi_spectral spectral_of(const mmi_params *p, size_t i)
{
	const mmi_param_info *info = &p->info[i];
	mmi_spectral a = { .raw = mmi_floats_at(p->raw, info->offset),
		               .value = mmi_floats_at(p->value, info->offset),
		               .sigma = mmi_floats_at(p->sigma, i),
		               .u = mmi_floats_at(p->vectors, info->u_offset),
		               .v = mmi_floats_at(p->vectors, info->v_offset) };
	matrix(info, &a.rows, &a.columns);
	return a;
}

void mmi_params_update(mmi_params *p, int iterations)
{
	if (any_spectral(p))
		mmi_floats_copy(p->device, p->value, p->raw, p->count);
	for (size_t i = 0; i < p->n; i++)
		if (p->info[i].spectral) {
			const mmi_spectral a = spectral_of(p, i);
			p->device->rows->spectral(p->device, &a, iterations);
		}
	mmi_packs_refresh(p->packs);
}

void mmi_params_grad_to_raw(const mmi_params *p, mmi_floats grad)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->info[i].spectral) {
			const mmi_spectral a = spectral_of(p, i);
			p->device->rows->spectral_grad(p->device, &a, mmi_floats_at(grad, p->info[i].offset));
		}
}

mmi_floats mmi_params_value(const mmi_params *p, uint32_t index)
{
	return p->final && index < p->n ? mmi_floats_at(p->value, p->info[index].offset) : (mmi_floats){ NULL };
}
