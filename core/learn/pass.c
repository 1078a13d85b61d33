/* pass.c - rows of losses, chunk by chunk, into gradient lanes. */
#include "mmi_build.h"

#include "engine/vec.h"
#include "learn/losses.h"

#include <string.h>

mm_status mmi_pass_create(mmi_pool *pool, uint32_t chunk, uint32_t max_rows, mmi_pass *out, mm_error *e)
{
	mmi_pass p = { .pool = pool, .chunk = chunk, .max_chunks = max_rows / chunk + 2 };
	p.seeds = mmi_alloc(2 * (size_t)p.max_chunks * chunk, sizeof *p.seeds);
	p.sums = mmi_alloc(2 * (size_t)p.max_chunks, sizeof *p.sums);
	if (!p.seeds || !p.sums) {
		mmi_pass_clear(&p);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the losses of %u rows", max_rows);
	}
	*out = p;
	return MM_OK;
}

void mmi_pass_clear(mmi_pass *p)
{
	mmi_free(p->seeds);
	mmi_free(p->sums);
	*p = (mmi_pass){ 0 };
}

typedef struct mmi_pass_job {
	mmi_pass *pass;
	mmi_segment *segments;
	uint32_t n_segments, n_chunks, n_lanes;
} mmi_pass_job;

static void bind_place(const mmi_loss *l, const mmi_segment *s, mmi_program *program, uint32_t i, size_t row)
{
	if (s->z[i].z)
		mmi_program_bind(program, l->z[i].z, mmi_floats_direct(s->z[i].z + row * (size_t)l->count_z));
	for (uint32_t m = 0; m < l->n_x && s->z[i].w[m]; m++)
		mmi_program_bind(program, l->z[i].w[m], mmi_floats_direct(s->z[i].w[m] + row * (size_t)l->count_w));
}

static void bind_flag(mmi_program *program, mm_tensor input, const float *rows, size_t row)
{
	if (input != MMI_NONE)
		mmi_program_bind(program, input, mmi_floats_direct(rows + row));
}

static void bind_mask(const mmi_loss *l, const mmi_segment *s, mmi_program *program, size_t row)
{
	for (uint32_t m = 0; m < l->n_x; m++) {
		bind_flag(program, l->observed[m], s->mask->observed[m], row);
		bind_flag(program, l->mixture.share[m], s->mask->share[m], row);
		bind_flag(program, l->mixture.log_share[m], s->mask->log_share[m], row);
		bind_flag(program, l->subset[m], s->mask->subset[m], row);
		for (uint32_t k = 0; k < l->n_z; k++)
			bind_flag(program, l->counts_w[k][m], s->mask->counts_w[m], k * (size_t)s->rows + row);
	}
}

static void bind_chunk(const mmi_pass *p, const mmi_segment *s, mmi_program *program, uint32_t chunk, const float *seeds)
{
	const mmi_loss *l = s->loss;
	size_t row = (size_t)chunk * p->chunk, x_row = row % s->x_rows;
	for (uint32_t i = 0; i < l->n_x; i++)
		mmi_program_bind(program, l->x[i], mmi_floats_direct(s->x[i] + x_row * (size_t)l->count_x[i]));
	for (uint32_t i = 0; i < l->n_x; i++)
		if (l->seen[i] != l->x[i])
			mmi_program_bind(program, l->seen[i], mmi_floats_direct((s->seen ? s->seen : s->x)[i] + x_row * (size_t)l->count_x[i]));
	for (uint32_t i = 0; i < l->n_z; i++)
		bind_place(l, s, program, i, row);
	for (uint32_t i = 0; i < l->n_x && l->pull[i] != MMI_NONE; i++)
		mmi_program_bind(program, l->pull[i], mmi_floats_direct(s->pull[i] + row * (size_t)l->count_z));
	if (s->mask)
		bind_mask(l, s, program, row);
	mmi_program_bind(program, l->seed, mmi_floats_direct(seeds));
	if (l->l2 != MMI_NONE)
		mmi_program_bind(program, l->l2, mmi_floats_direct(seeds + p->chunk));
}

static void sum_chunk(const mmi_pass *p, const mmi_segment *s, uint32_t chunk, const float *value, double sums[2])
{
	const float *factor = s->row_seed ? s->row_seed + (size_t)chunk * p->chunk : NULL;
	sums[0] = factor ? 0 : s->loss->lanes[0]->params->device->vec->sum(value, p->chunk);
	sums[1] = factor ? 0 : s->loss->lanes[0]->params->device->vec->sum_squares(value, p->chunk);
	for (uint32_t i = 0; factor && i < p->chunk; i++) {
		sums[0] += (double)factor[i] * (double)value[i];
		sums[1] += (double)factor[i] * (double)value[i] * (double)value[i];
	}
}

static void run_chunk(const mmi_pass_job *j, uint32_t c, uint32_t lane, uint32_t worker)
{
	mmi_pass *p = j->pass;
	mmi_segment *s = j->segments;
	uint32_t own = c;
	while (own >= s->rows / p->chunk)
		own -= s++->rows / p->chunk;
	mmi_program *program = s->loss->net.programs[worker];

	bind_chunk(p, s, program, own, p->seeds + 2 * (size_t)p->chunk * c);
	for (uint32_t i = 0; i < s->loss->n_lanes; i++)
		mmi_program_bind_grads(program, s->loss->lanes[i]->params, mmi_floats_direct(s->loss->lanes[i]->lane[lane]));
	mmi_program_run(program);
	sum_chunk(p, s, own, mmi_program_data(program, s->loss->value).at, p->sums + 2 * (size_t)c);
}

/* A task is a lane: its chunks run in order on one worker, so its sums are always formed in the same order. */
static void run_lane(void *ctx, uint32_t lane, uint32_t worker)
{
	const mmi_pass_job *j = ctx;
	const mmi_loss *l = j->segments[0].loss;
	for (uint32_t i = 0; i < l->n_lanes; i++)
		memset(l->lanes[i]->lane[lane], 0, l->lanes[i]->count * sizeof(float));
	for (uint32_t c = lane; c < j->n_chunks; c += j->n_lanes)
		run_chunk(j, c, lane, worker);
}

static void fill_seeds(mmi_pass *p, const mmi_segment *segments, uint32_t n)
{
	float *at = p->seeds;
	for (uint32_t s = 0; s < n; s++)
		for (uint32_t first = 0; first < segments[s].rows; first += p->chunk, at += 2 * (size_t)p->chunk)
			for (uint32_t i = 0; i < p->chunk; i++) {
				float factor = segments[s].row_seed ? segments[s].row_seed[first + i] : 1;
				at[i] = segments[s].seed * factor;
				at[p->chunk + i] = segments[s].l2 * factor;
			}
}

void mmi_pass_run(mmi_pass *p, mmi_segment *segments, uint32_t n)
{
	mmi_pass_job j = { .pass = p, .segments = segments, .n_segments = n, .n_lanes = segments[0].loss->lanes[0]->n };
	for (uint32_t s = 0; s < n; s++)
		j.n_chunks += segments[s].rows / p->chunk;
	fill_seeds(p, segments, n);
	mmi_pool_run(p->pool, j.n_lanes, run_lane, &j);
	for (uint32_t s = 0, c = 0; s < n; s++) {
		segments[s].sum = segments[s].sum_squares = 0;
		for (uint32_t end = c + segments[s].rows / p->chunk; c < end; c++) {
			segments[s].sum += p->sums[2 * c];
			segments[s].sum_squares += p->sums[2 * c + 1];
		}
	}
}
