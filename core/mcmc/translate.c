/* translate.c - the paper's Eq. 17, followed by the energy chain on what was not given. Rows go to the device once, and
 * come back once. */
#include "mmi_build.h"

#include "mcmc/runs.h"
#include "mcmc/translate.h"

struct mmi_translator {
	const mmi_model *model;
	mmi_sampler *sampler;
	mmi_device_experts experts;
	mmi_device_latents z, start;
	mmi_device_rows room, decoded; /* room: for the caller's rows, where the device is not direct */
	uint32_t rows;
	mmi_mirror marks; /* who takes part: words [rows], floats [modality][rows], bytes [2 modalities][rows] */
	uint32_t *expert;
	float *observed[MMI_MAX_MODALITIES];
	uint8_t *given[MMI_MAX_MODALITIES];   /* 1: observed */
	uint8_t *missing[MMI_MAX_MODALITIES]; /* 1: not */
};

static void lay_out(mmi_translator *t)
{
	const size_t n = t->model->n_modalities, rows = t->rows;
	t->expert = t->marks.host;
	float *floats = (float *)(t->expert + rows);
	uint8_t *bytes = (uint8_t *)(floats + n * rows);
	for (uint32_t m = 0; m < n; m++) {
		t->observed[m] = floats + m * rows;
		t->given[m] = bytes + m * rows;
		t->missing[m] = bytes + (n + m) * rows;
	}
}

static mm_status allocate(mmi_translator *t, mm_error *e)
{
	const mmi_model *m = t->model;
	const size_t row = sizeof(uint32_t) + m->n_modalities * (sizeof(float) + 2);
	MMI_TRY(mmi_device_experts_create(m, t->rows, &t->experts, e));
	MMI_TRY(mmi_device_latents_create(m, t->rows, &t->z, e));
	MMI_TRY(mmi_device_latents_create(m, t->rows, &t->start, e));
	MMI_TRY(mmi_device_rows_create(m, t->rows, &t->decoded, e));
	if (!m->device->ops->direct)
		MMI_TRY(mmi_device_rows_create(m, t->rows, &t->room, e));
	MMI_TRY(mmi_mirror_create(m->device, t->rows * row, &t->marks, e));
	lay_out(t);
	return MM_OK;
}

mm_status mmi_translator_create(const mmi_model *m, mmi_sampler *s, uint32_t max_rows, mmi_translator **out,
                                mm_error *e)
{
	mmi_translator *t = mmi_alloc(1, sizeof *t);
	if (!t)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a translator");
	t->model = m;
	t->sampler = s;
	t->rows = max_rows;
	mm_status status = allocate(t, e);
	if (status != MM_OK) {
		mmi_translator_destroy(t);
		return mmi_fail_prefix(e, "the translation of %u samples", max_rows);
	}
	*out = t;
	return MM_OK;
}

void mmi_translator_destroy(mmi_translator *t)
{
	if (!t)
		return;
	mmi_device_experts_clear(t->model, &t->experts);
	mmi_device_latents_clear(t->model, &t->z);
	mmi_device_latents_clear(t->model, &t->start);
	mmi_device_rows_clear(t->model, &t->decoded);
	mmi_device_rows_clear(t->model, &t->room);
	mmi_mirror_clear(t->model->device, &t->marks);
	mmi_free(t);
}

/* ------------------------------------------------------------ to the device and back */

static void *on_device(const mmi_translator *t, const void *host)
{
	return (char *)t->marks.device + ((const char *)host - (const char *)t->marks.host);
}

static void mark(mmi_translator *t, const mmi_translate_args *a, const float *const *observed, mmi_span span)
{
	if (a->expert < 0)
		mmi_sampler_pick(t->sampler, span, a->number, observed, t->expert);
	for (uint32_t r = 0; a->expert >= 0 && r < span.rows; r++)
		t->expert[r] = (uint32_t)a->expert;
	for (uint32_t m = 0; m < t->model->n_modalities; m++)
		for (uint32_t r = 0; r < span.rows; r++) {
			t->observed[m][r] = observed[m][r];
			t->given[m][r] = observed[m][r] > 0;
			t->missing[m][r] = !t->given[m][r];
		}
	mmi_mirror_push(t->model->device, &t->marks);
}

static size_t floats_of(const mmi_translator *t, uint32_t m, uint32_t rows)
{
	return rows * (size_t)t->model->modalities[m].count;
}

static mmi_device_rows take(const mmi_translator *t, float *const *x, uint32_t rows)
{
	mmi_device_rows out = { { { NULL } } };
	for (uint32_t m = 0; m < t->model->n_modalities; m++)
		out.x[m] = mmi_floats_write(t->model->device, x[m], floats_of(t, m, rows), t->room.x[m]);
	return out;
}

static void bring(const mmi_translator *t, float *host, mmi_floats from, size_t n)
{
	if (host && n)
		t->model->device->ops->download(t->model->device, host, from.at, n * sizeof *host);
}

/* What was made. A failure sticks to the device. */
static void give(const mmi_translator *t, const mmi_device_rows *made, float *const *x, uint32_t rows,
                 const mmi_latents *latents)
{
	const mmi_model *model = t->model;
	for (uint32_t m = 0; m < model->n_modalities; m++)
		bring(t, x[m], made->x[m], floats_of(t, m, rows));
	if (latents)
		bring(t, latents->z, t->z.z, rows * (size_t)mmi_model_z_dim(model));
	for (uint32_t m = 0; latents && m < model->n_modalities; m++)
		bring(t, latents->w[m], t->z.w[m], rows * (size_t)mmi_model_w_dim(model));
	model->device->ops->wait(model->device, NULL);
}

/* ------------------------------------------------------------ a translation */

static void infer(mmi_translator *t, const mmi_translate_args *a, const mmi_parts *there, const mmi_device_rows *x,
                  mmi_span span)
{
	const mmi_start_args start = { .iteration = a->number, .single = a->expert >= 0, .temperature = a->temperature };
	const mmi_proposal draws = { &start, there, &t->experts };
	mmi_posterior_args posterior = a->posterior;
	mmi_guide_args guide = a->guide;
	mmi_parts revised = *there;
	posterior.iteration = guide.iteration = a->number;
	for (uint32_t m = 0; m < t->model->n_modalities; m++)
		revised.held[m].at = on_device(t, t->missing[m]);
	mmi_run_encode(t->sampler, x, span.rows, &t->experts);
	mmi_run_choose(t->sampler, &guide, there, x, &draws, span, &t->z);
	mmi_device_latents_copy(t->model, span.rows, &t->start, &t->z);
	mmi_run_posterior(t->sampler, &posterior, &revised, x, span, 1, &t->z, &t->start, a->posterior_stats);
	if (guide.steps)
		mmi_run_guide(t->sampler, &guide, &revised, x, span, &t->z, NULL, NULL);
}

/* Decodes everything and keeps what was not given; the others begin where they are. */
static void fill(mmi_translator *t, const mmi_device_rows *x, uint32_t rows)
{
	const mmi_device *d = t->model->device;
	mmi_run_decode(t->sampler, &t->z, rows, &t->decoded);
	for (uint32_t m = 0; m < t->model->n_modalities; m++) {
		mmi_pick pick = { .out = x->x[m],
			              .from = t->decoded.x[m],
			              .where = { on_device(t, t->missing[m]) },
			              .rows = rows,
			              .count = floats_of(t, m, 1) };
		d->rows->pick(d, &pick);
		pick.out = t->decoded.x[m];
		pick.from = x->x[m];
		pick.where.at = on_device(t, t->given[m]);
		d->rows->pick(d, &pick);
	}
}

void mmi_translate(mmi_translator *t, const mmi_translate_args *a, float *const *x, const float *const *observed,
                   mmi_span span, mmi_latents *latents)
{
	mmi_revise_args revise = a->revise;
	mmi_parts there, held = { .expert = { NULL } };
	mark(t, a, observed, span);
	there = (mmi_parts){ .expert = { on_device(t, t->expert) } };
	for (uint32_t m = 0; m < t->model->n_modalities; m++) {
		there.observed[m].at = on_device(t, t->observed[m]);
		held.held[m].at = on_device(t, t->given[m]);
	}
	const mmi_device_rows at = take(t, x, span.rows);
	infer(t, a, &there, &at, span);
	fill(t, &at, span.rows);
	revise.iteration = a->number;
	mmi_run_revise(t->sampler, &revise, &held, &at, &t->decoded, span, a->revise_stats);
	give(t, &at, x, span.rows, latents);
}
