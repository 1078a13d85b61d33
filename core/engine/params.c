/* params.c - one model's tensors: declaration, storage, initial values, spectral normalisation. */
#include "mmi_build.h"

#include "engine/params.h"
#include "engine/vec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAD 16 /* floats: tensors start on 64-byte lines */

mm_status mmi_params_create(const char *name, mmi_params **out, mm_error *e)
{
	mmi_params *p = mmi_alloc(1, sizeof *p);
	if (p)
		p->packs = mmi_packs_create();
	if (!p || !p->packs) {
		mmi_free(p);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the parameters of \"%s\"", name);
	}
	snprintf(p->name, sizeof p->name, "%s", name);
	*out = p;
	return MM_OK;
}

void mmi_params_destroy(mmi_params *p)
{
	if (!p)
		return;
	mmi_packs_destroy(p->packs);
	if (p->value != p->raw)
		mmi_free(p->value);
	mmi_free(p->raw);
	mmi_free(p->sigma);
	mmi_free(p->vectors);
	mmi_free(p->info);
	mmi_free(p);
}

static mm_status check_same(const mmi_param_info *info, const mm_shape *shape, mm_error *e)
{
	char a[64], b[64];
	if (mmi_shape_equal(&info->shape, shape))
		return MM_OK;
	return mmi_fail(e, MM_ESHAPE, "parameter \"%s\" has shape %s and was asked for again with %s; shared weights must agree",
	                info->name, mmi_shape_text(&info->shape, a), mmi_shape_text(shape, b));
}

mm_status mmi_params_declare(mmi_params *p, const char *name, mm_shape shape, int32_t init, int32_t fan_in, uint32_t *index, mm_error *e)
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
	*info = (mmi_param_info){ .shape = shape, .offset = p->count, .count = (size_t)mmi_shape_count(&shape), .init = init, .fan_in = fan_in };
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

static void draw(float *out, const mmi_param_info *info, mmi_rng r)
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
		mmi_vec_get()->normal(out, info->count, r);
		for (size_t i = 0; i < info->count; i++)
			out[i] *= deviation;
		return;
	default:
		mmi_vec_get()->uniform(out, info->count, r);
		for (size_t i = 0; i < info->count; i++)
			out[i] = (2.0f * out[i] - 1.0f) * bound;
	}
}

static void normalise(float *x, size_t n)
{
	double norm = sqrt(mmi_vec_get()->sum_squares(x, n));
	float factor = (float)(1.0 / (norm > 1e-12 ? norm : 1e-12));
	for (size_t i = 0; i < n; i++)
		x[i] *= factor;
}

static bool any_spectral(const mmi_params *p)
{
	return p->n_vectors > 0;
}

mm_status mmi_params_finalise(mmi_params *p, uint64_t seed, mm_error *e)
{
	if (p->final)
		return mmi_fail(e, MM_ESTATE, "model \"%s\" already has its storage", p->name);
	p->raw = mmi_alloc(p->count, sizeof *p->raw);
	p->value = any_spectral(p) ? mmi_alloc(p->count, sizeof *p->value) : p->raw;
	p->sigma = mmi_alloc(p->n, sizeof *p->sigma);
	p->vectors = mmi_alloc(p->n_vectors, sizeof *p->vectors);
	if (!p->raw || !p->value || !p->sigma || !p->vectors)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu parameters of \"%s\"", p->count, p->name);
	for (size_t i = 0; i < p->n; i++) {
		const mmi_param_info *info = &p->info[i];
		char stream[160];
		snprintf(stream, sizeof stream, "init/%s/%s", p->name, info->name);
		draw(p->raw + info->offset, info, (mmi_rng){ .key = mmi_rng_key(seed, stream) });
		p->sigma[i] = 1;
		if (!info->spectral)
			continue;
		mmi_vec_get()->normal(p->vectors + info->u_offset, info->u_count, (mmi_rng){ .key = mmi_rng_key(seed, stream), .sample = 1 });
		normalise(p->vectors + info->u_offset, info->u_count);
	}
	p->final = true;
	/* PyTorch starts spectral norms with 15 iterations, so that sigma is right from the first step. */
	mmi_params_update(p, 15);
	return MM_OK;
}

/* v = W u, row by row; W is [rows, columns]. */
static void times(const float *w, size_t rows, size_t columns, const float *u, float *v)
{
	for (size_t r = 0; r < rows; r++) {
		float sum = 0;
		for (size_t c = 0; c < columns; c++)
			sum += w[r * columns + c] * u[c];
		v[r] = sum;
	}
}

/* u = W^T v */
static void times_transposed(const float *w, size_t rows, size_t columns, const float *v, float *u)
{
	memset(u, 0, columns * sizeof *u);
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < columns; c++)
			u[c] += w[r * columns + c] * v[r];
}

/* Power iteration as in Miyato et al. 2018; sigma = u^T (W^T v). */
static float spectral_norm(mmi_params *p, const mmi_param_info *info, int iterations)
{
	const float *w = p->raw + info->offset;
	float *u = p->vectors + info->u_offset, *v = p->vectors + info->v_offset;
	size_t rows, columns;
	matrix(info, &rows, &columns);
	for (int i = 0; i < iterations; i++) {
		times(w, rows, columns, u, v);
		normalise(v, rows);
		times_transposed(w, rows, columns, v, u);
		normalise(u, columns);
	}
	double sigma = 0;
	for (size_t r = 0; r < rows; r++) {
		double dot = 0;
		for (size_t c = 0; c < columns; c++)
			dot += (double)w[r * columns + c] * (double)u[c];
		sigma += dot * (double)v[r];
	}
	return (float)(sigma > 1e-12 ? sigma : 1e-12);
}

void mmi_params_update(mmi_params *p, int iterations)
{
	if (any_spectral(p)) {
		memcpy(p->value, p->raw, p->count * sizeof *p->value);
		for (size_t i = 0; i < p->n; i++) {
			const mmi_param_info *info = &p->info[i];
			if (!info->spectral)
				continue;
			p->sigma[i] = spectral_norm(p, info, iterations);
			for (size_t k = 0; k < info->count; k++)
				p->value[info->offset + k] = p->raw[info->offset + k] / p->sigma[i];
		}
	}
	mmi_packs_refresh(p->packs);
}

/* value = raw / sigma and sigma = v^T W u with u, v held: d raw = (d value - <d value, value> v u^T) / sigma. */
static void spectral_grad(const mmi_params *p, size_t i, float *grad)
{
	const mmi_param_info *info = &p->info[i];
	const float *value = p->value + info->offset;
	const float *u = p->vectors + info->u_offset, *v = p->vectors + info->v_offset;
	float *g = grad + info->offset;
	size_t rows, columns;
	double dot = 0;

	matrix(info, &rows, &columns);
	for (size_t k = 0; k < info->count; k++)
		dot += (double)g[k] * (double)value[k];
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < columns; c++)
			g[r * columns + c] = (g[r * columns + c] - (float)dot * v[r] * u[c]) / p->sigma[i];
}

void mmi_params_grad_to_raw(const mmi_params *p, float *grad)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->info[i].spectral)
			spectral_grad(p, i, grad);
}

const float *mmi_params_value(const mmi_params *p, uint32_t index)
{
	return p->final && index < p->n ? p->value + p->info[index].offset : NULL;
}
