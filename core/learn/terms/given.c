/* given.c - see given.h. */
#include "mmi_build.h"

#include "learn/terms/given.h"
#include "model/rows.h"

#include <math.h>
#include <string.h>

mm_status mmi_given_create(const mmi_model *m, mmi_span span, double share, mmi_given *g, mm_error *e)
{
	*g = (mmi_given){ .rows = m->n_modalities > 1 ? (uint32_t)lround(share * span.of) : 0 };
	if (!g->rows)
		return MM_OK;
	g->here = g->rows <= span.first ? 0 : g->rows - span.first < span.rows ? g->rows - span.first : span.rows;
	bool ok = (g->expert = mmi_alloc(span.rows, sizeof *g->expert));
	for (uint32_t i = 0; i < m->n_modalities; i++)
		ok = ok && (g->held[i] = mmi_alloc(span.rows, 1));
	return ok ? mmi_latents_create(m, span.rows, &g->z, e)
	          : mmi_fail(e, MM_ENOMEM, "out of memory for what translations start from");
}

void mmi_given_clear(mmi_given *g)
{
	mmi_free(g->expert);
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++)
		mmi_free(g->held[i]);
	mmi_latents_clear(&g->z);
	*g = (mmi_given){ .rows = 0 };
}

void mmi_given_start(mmi_given *g, const mmi_model *m, mmi_sampler *s, const mmi_experts *experts,
                     const float *const *observed, mmi_span span, uint32_t draw, uint32_t iteration, mmi_latents *z)
{
	if (!g->rows)
		return;
	mmi_sampler_pick(s, span, iteration, observed, g->expert);
	const mmi_start_args start = { .iteration = iteration,
		                           .chain = draw,
		                           .expert = g->expert,
		                           .observed = observed,
		                           .single = true,
		                           .own = true,
		                           .temperature = 1 };
	mmi_sampler_start(s, &start, experts, span, &g->z);
	mmi_latents_copy(z, &g->z, m, g->here);
	for (uint32_t i = 0; i < m->n_modalities; i++)
		for (uint32_t b = 0; b < g->here; b++)
			g->held[i][b] = g->expert[b] == i;
}

const uint8_t *const *mmi_given_held(const mmi_given *g)
{
	return g->rows ? mmi_held_read(g->held) : NULL;
}

void mmi_given_fill(const mmi_given *g, const mmi_model *m, const float *const *data, float *const *x)
{
	for (uint32_t b = 0; b < g->here; b++) {
		size_t count = (size_t)m->modalities[g->expert[b]].count;
		memcpy(x[g->expert[b]] + b * count, data[g->expert[b]] + b * count, count * sizeof(float));
	}
}
