/* bound.c - a data chain goes down the energy of texture alone, and on its way may turn one digit into another. What
 * the other terms of the joint energy say of its two ends tells where it did: there it is taken back. */
#include "mmi_build.h"

#include "mcmc/sampler_nets.h"

static float *energies(const mmi_sampler *s, void *base, uint32_t end)
{
	return (float *)base + (size_t)end * s->config.max_rows;
}

static uint8_t *marks(const mmi_sampler *s, void *base)
{
	return (uint8_t *)energies(s, base, 2);
}

size_t mmi_fits_bytes(uint32_t rows)
{
	return rows * (2 * sizeof(float) + 1);
}

/* Marks the rows whose energy rose beyond the bound; how many. Not those that have no number: who looks at them tells
 * that the chain diverged. */
static uint32_t mark(mmi_sampler *s, double rise_max, uint32_t rows)
{
	const float *before = energies(s, s->fits.host, 0), *after = energies(s, s->fits.host, 1);
	uint8_t *stays = marks(s, s->fits.host);
	uint32_t n = 0;
	mmi_mirror_pull(s->model->device, &s->fits, 2 * s->config.max_rows * sizeof *before);
	for (uint32_t r = 0; r < rows; r++) {
		const bool rose = (double)after[r] - (double)before[r] > rise_max;
		stays[r] = rose ? 1 : 0;
		n += stays[r];
	}
	mmi_mirror_push(s->model->device, &s->fits);
	return n;
}

void mmi_run_bound(mmi_sampler *s, const mmi_revise_args *a, const mmi_device_rows *x, const mmi_device_rows *start,
                   uint32_t rows)
{
	const mmi_device *d = s->model->device;
	mmi_run_fit(s, a->rise_terms, start, rows, (mmi_floats){ energies(s, s->fits.device, 0) });
	mmi_run_fit(s, a->rise_terms, x, rows, (mmi_floats){ energies(s, s->fits.device, 1) });
	s->stayed = mark(s, a->rise_max, rows);
	for (uint32_t m = 0; m < s->model->n_modalities && s->stayed; m++) {
		const mmi_pick back = { .out = x->x[m],
			                    .from = start->x[m],
			                    .where = { marks(s, s->fits.device) },
			                    .rows = rows,
			                    .count = (size_t)s->model->modalities[m].count };
		d->rows->pick(d, &back);
	}
}

uint32_t mmi_sampler_stayed(const mmi_sampler *s)
{
	return s->stayed;
}
