/* given.c - see given.h. */
#include "mmi_build.h"

#include "learn/terms/given.h"

#include <math.h>

mm_status mmi_given_create(const mmi_model *m, mmi_span span, double share, mmi_given *g, mm_error *e)
{
	*g = (mmi_given){ .rows = m->n_modalities > 1 ? (uint32_t)lround(share * span.of) : 0 };
	if (!g->rows)
		return MM_OK;
	g->here = g->rows <= span.first ? 0 : g->rows - span.first < span.rows ? g->rows - span.first : span.rows;
	MMI_TRY(mmi_mirror_create(m->device, span.rows * (sizeof *g->expert + m->n_modalities), &g->marks, e));
	g->expert = g->marks.host;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		g->held[i] = (uint8_t *)(g->expert + span.rows) + (size_t)i * span.rows;
	return mmi_device_latents_create(m, span.rows, &g->z, e);
}

void mmi_given_clear(const mmi_model *m, mmi_given *g)
{
	mmi_mirror_clear(m->device, &g->marks);
	mmi_device_latents_clear(m, &g->z);
	*g = (mmi_given){ .rows = 0 };
}

static void *on_device(const mmi_given *g, const void *host)
{
	return (char *)g->marks.device + ((const char *)host - (const char *)g->marks.host);
}

void mmi_given_start(mmi_given *g, const mmi_model *m, mmi_sampler *s, const mmi_device_experts *experts,
                     const mmi_given_batch *of, const mmi_device_latents *z)
{
	if (!g->rows)
		return;
	mmi_sampler_pick(s, of->span, of->iteration, of->observed, g->expert);
	for (uint32_t i = 0; i < m->n_modalities; i++)
		for (uint32_t b = 0; b < g->here; b++)
			g->held[i][b] = g->expert[b] == i;
	mmi_mirror_push(m->device, &g->marks);
	const mmi_start_args start = {
		.iteration = of->iteration, .chain = of->draw, .single = true, .own = true, .temperature = 1
	};
	mmi_parts parts = of->there;
	parts.expert.at = g->marks.device;
	mmi_run_start(s, &start, &parts, experts, of->span, &g->z);
	mmi_device_latents_copy(m, g->here, z, &g->z);
}

mmi_parts mmi_given_parts(const mmi_given *g, const mmi_model *m)
{
	mmi_parts p = { .expert = { NULL } };
	for (uint32_t i = 0; g->rows && i < m->n_modalities; i++)
		p.held[i].at = on_device(g, g->held[i]);
	return p;
}

void mmi_given_fill(const mmi_given *g, const mmi_model *m, const mmi_device_rows *data, const mmi_device_rows *x)
{
	for (uint32_t i = 0; g->here && i < m->n_modalities; i++) {
		const mmi_pick given = { .out = x->x[i],
			                     .from = data->x[i],
			                     .where = { on_device(g, g->held[i]) },
			                     .rows = g->here,
			                     .count = (size_t)m->modalities[i].count };
		m->device->rows->pick(m->device, &given);
	}
}
