/* translations.c - translating what is given, block by block. */
#include "mmi_build.h"

#include "trained/translations.h"

#include "engine/streams.h"
#include "mcmc/translate.h"
#include "model/rows.h"

#include <string.h>

/* A block. Rows are inputs times draws, draws fastest. */
typedef struct work {
	const mmi_model *model;
	const mmi_translations_request *request;
	mmi_translator *translator;
	float *x[MMI_MAX_MODALITIES], *observed[MMI_MAX_MODALITIES];
	mmi_latents latents;
	uint32_t chunk;
} work;

static mm_status create(const mmi_saved *s, const mmi_translations_request *r, work *w, mm_error *e)
{
	*w = (work){ .model = s->model, .request = r, .chunk = mmi_sampler_chunk(s->sampler) };
	const uint32_t rows = mmi_whole_chunks(MMI_TRANSLATIONS_ROWS, w->chunk);
	MMI_TRY(mmi_rows_create(w->model, rows, w->x, e));
	MMI_TRY(mmi_latents_create(w->model, rows, &w->latents, e));
	for (uint32_t m = 0; m < w->model->n_modalities; m++)
		if (!(w->observed[m] = mmi_alloc(rows, sizeof(float))))
			return mmi_fail(e, MM_ENOMEM, "out of memory for translations");
	return mmi_translator_create(w->model, s->sampler, rows, &w->translator, e);
}

static void clear(work *w)
{
	mmi_translator_destroy(w->translator);
	mmi_latents_clear(&w->latents);
	mmi_rows_clear(w->x);
	mmi_rows_clear(w->observed);
}

static bool known(const mmi_inputs *in, uint32_t m, uint64_t input)
{
	return in->given[m] && (!in->lacking[m] || !in->lacking[m][input]);
}

/* Rows first.. of all; those behind the last repeat it, since whole chunks are computed. */
static uint32_t fill(work *w, uint64_t first, uint32_t n)
{
	const mmi_inputs *in = w->request->inputs;
	const uint32_t rows = mmi_whole_chunks(n, w->chunk);
	for (uint32_t m = 0; m < w->model->n_modalities; m++) {
		size_t count = (size_t)w->model->modalities[m].count;
		for (uint32_t r = 0; r < rows; r++) {
			uint64_t input = (first + (r < n ? r : n - 1)) / w->request->count;
			float *x = w->x[m] + r * count;
			w->observed[m][r] = known(in, m, input) ? 1.0f : 0.0f;
			if (known(in, m, input))
				memcpy(x, in->x[m] + input * count, count * sizeof *x);
			else
				memset(x, 0, count * sizeof *x);
		}
	}
	return rows;
}

double mmi_translations_temperature(const mmi_saved *s, const mmi_translations_request *r)
{
	return r->mean ? 0 : s->setup.settings.translate.temperature;
}

/* Each block has draws of its own: (number, block). */
static mm_status translate(work *w, mmi_translate_args *args, mmi_translations_sink *sink, void *ctx, mm_error *e)
{
	const mmi_translations_request *r = w->request;
	const uint64_t total = (uint64_t)r->inputs->n * r->count;
	for (uint64_t first = 0; first < total; first += MMI_TRANSLATIONS_ROWS, args->number++) {
		uint32_t n = total - first < MMI_TRANSLATIONS_ROWS ? (uint32_t)(total - first) : MMI_TRANSLATIONS_ROWS;
		if (mmi_hooks_stop(&r->hooks))
			return mmi_fail(e, MM_ECANCELLED, "interrupted after %llu of %llu translations", (unsigned long long)first,
			                (unsigned long long)total);
		uint32_t rows = fill(w, first, n);
		mmi_translate(w->translator, args, w->x, mmi_rows_read(w->observed), mmi_whole(rows), &w->latents);
		MMI_TRY(mmi_rows_check(w->model, n, w->x, "translations", e));
		MMI_TRY(sink(ctx, first, n, w->x, &w->latents, e));
		mmi_hooks_step(&r->hooks, first + n, total);
	}
	return MM_OK;
}

mm_status mmi_translations_draw(const mmi_saved *s, const mmi_translations_request *r, const mmi_chains *chains,
                                mmi_translations_sink *sink, void *ctx, mm_error *e)
{
	const uint64_t total = (uint64_t)r->inputs->n * r->count, most = (uint64_t)MMI_TRANSLATIONS_ROWS << MMI_BLOCKS_BITS;
	mmi_translate_args args = { .number = mmi_iteration_of_block(r->number, 0),
		                        .expert = r->expert,
		                        .temperature = mmi_translations_temperature(s, r),
		                        .posterior = chains->posterior,
		                        .guide = chains->guide,
		                        .revise = chains->revise };
	work w;
	if (total > most)
		return mmi_fail(e, MM_ECONFIG, "%llu translations are too many for one run; at most %llu",
		                (unsigned long long)total, (unsigned long long)most);
	MMI_TRY(mmi_sampler_prepare(s->sampler, MMI_NET_ENCODE | MMI_NET_DECODE | mmi_chains_nets(chains), e));
	mm_status status = create(s, r, &w, e);
	if (status == MM_OK)
		status = translate(&w, &args, sink, ctx, e);
	clear(&w);
	return status;
}
