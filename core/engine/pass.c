/* pass.c - rows of losses, chunk by chunk, into gradient lanes. */
#include "mmi_build.h"

#include "engine/pass.h"
#include "engine/row_ops.h"

enum { SEEDS = 3 }; /* rows of a chunk: seed, l2, and the factor in both */

mm_status mmi_pass_create(const mmi_device *device, mmi_pool *pool, uint32_t chunk, uint32_t max_rows, mmi_pass *out,
                          mm_error *e)
{
	mmi_pass p = { .device = device, .pool = pool, .chunk = chunk, .max_chunks = max_rows / chunk + 2 };
	p.seeds = mmi_floats_alloc(device, SEEDS * (size_t)p.max_chunks * chunk);
	if (!p.seeds.at || mmi_mirror_create(device, 2 * (size_t)p.max_chunks * sizeof(double), &p.sums, e) != MM_OK) {
		mmi_pass_clear(&p);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the losses of %u rows", max_rows);
	}
	*out = p;
	return MM_OK;
}

void mmi_pass_clear(mmi_pass *p)
{
	if (p->device) {
		mmi_floats_release(p->device, &p->seeds);
		mmi_mirror_clear(p->device, &p->sums);
	}
	*p = (mmi_pass){ 0 };
}

typedef struct pass_job {
	const mmi_pass *pass;
	const mmi_pass_rows *rows;
	uint32_t n_chunks;
} pass_job;

static void bind_seeds(const mmi_pass *p, const mmi_pass_rows *r, mmi_program *program, mmi_floats seeds)
{
	if (r->seed != MMI_NONE)
		mmi_program_bind(program, r->seed, seeds);
	if (r->l2 != MMI_NONE)
		mmi_program_bind(program, r->l2, mmi_floats_at(seeds, p->chunk));
}

static void run_chunk(const pass_job *j, uint32_t c, uint32_t lane, uint32_t worker)
{
	const mmi_pass *p = j->pass;
	const mmi_pass_rows *r = j->rows;
	uint32_t own = c;
	while (own >= r->rows / p->chunk)
		own -= r++->rows / p->chunk;
	mmi_program *program = r->net->programs[worker];
	const mmi_device *d = mmi_program_device(program);
	const mmi_floats seeds = mmi_floats_at(p->seeds, SEEDS * (size_t)p->chunk * c);
	const mmi_floats factor = { r->row_weight.at ? seeds.at + 2 * (size_t)p->chunk : NULL };
	r->bind(r->ctx, program, (size_t)own * p->chunk, p->chunk);
	bind_seeds(p, r, program, seeds);
	for (uint32_t i = 0; i < r->n_lanes; i++)
		mmi_program_bind_grads(program, r->lanes[i]->params, r->lanes[i]->lane[lane]);
	mmi_program_run(program);
	if (r->value != MMI_NONE)
		d->rows->sums(d, mmi_program_data(program, r->value), factor, p->chunk,
		              (mmi_doubles){ (double *)p->sums.device + 2 * (size_t)c });
}

/* A task is a lane: its chunks run in order on one worker, so its sums are always formed in the same order. */
static void run_lane(void *ctx, uint32_t lane, uint32_t worker)
{
	const pass_job *j = ctx;
	const mmi_pass_rows *r = j->rows;
	for (uint32_t i = 0; i < r->n_lanes; i++)
		mmi_lanes_zero(r->lanes[i], lane);
	for (uint32_t c = 0; c < j->n_chunks; c++)
		if (mmi_lanes_of(r->lanes[0], c) == lane)
			run_chunk(j, c, lane, worker);
}

static void fill_seeds(const mmi_pass *p, const mmi_pass_rows *rows, uint32_t n)
{
	mmi_floats at = p->seeds;
	for (const mmi_pass_rows *r = rows; r < rows + n; r++) {
		const mmi_seeds a = { .out = at,
			                  .factor = r->row_weight,
			                  .rows = r->rows,
			                  .chunk = p->chunk,
			                  .weight = r->weight,
			                  .l2_weight = r->l2_weight,
			                  .weight_at = r->weight_at,
			                  .weight_of = r->weight_of };
		p->device->rows->seeds(p->device, &a);
		at = mmi_floats_at(at, SEEDS * (size_t)r->rows);
	}
}

void mmi_pass_run(mmi_pass *p, mmi_pass_rows *rows, uint32_t n)
{
	pass_job j = { .pass = p, .rows = rows };
	for (uint32_t i = 0; i < n; i++) {
		rows[i].sums.at = (double *)p->sums.device + 2 * (size_t)j.n_chunks;
		j.n_chunks += rows[i].rows / p->chunk;
	}
	fill_seeds(p, rows, n);
	mmi_pool_run(p->pool, rows[0].lanes[0]->n, run_lane, &j);
}

void mmi_pass_sum(const mmi_pass *p, const mmi_pass_rows *rows, double sum[2])
{
	const double *parts = (const double *)p->sums.host + (rows->sums.at - (const double *)p->sums.device);
	sum[0] = sum[1] = 0;
	mmi_mirror_pull(p->device, &p->sums, p->sums.bytes);
	for (uint32_t c = 0; c < 2 * (rows->rows / p->chunk); c++)
		sum[c % 2] += parts[c];
}
