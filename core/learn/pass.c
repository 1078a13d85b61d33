/* pass.c - rows of losses, chunk by chunk, into gradient lanes. */
#include "mmi_build.h"

#include "engine/row_ops.h"
#include "learn/losses.h"

enum { SEEDS = 3 }; /* rows of a chunk: seed, l2, and the factor in both */

mm_status mmi_pass_create(const mmi_device *device, mmi_pool *pool, const mmi_reduce *reduce, uint32_t chunk,
                          uint32_t max_rows, mmi_pass *out, mm_error *e)
{
	mmi_pass p = {
		.device = device, .pool = pool, .reduce = reduce, .chunk = chunk, .max_chunks = max_rows / chunk + 2
	};
	mm_status status = mmi_mirror_create(device, SEEDS * (size_t)p.max_chunks * chunk * sizeof(float), &p.seeds, e);
	if (status == MM_OK)
		status = mmi_mirror_create(device, 2 * (size_t)p.max_chunks * sizeof(double), &p.sums, e);
	if (status != MM_OK) {
		mmi_pass_clear(&p);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the losses of %u rows", max_rows);
	}
	*out = p;
	return MM_OK;
}

void mmi_pass_clear(mmi_pass *p)
{
	if (p->device) {
		mmi_mirror_clear(p->device, &p->seeds);
		mmi_mirror_clear(p->device, &p->sums);
	}
	*p = (mmi_pass){ 0 };
}

typedef struct mmi_pass_job {
	mmi_pass *pass;
	mmi_segment *segments;
	uint32_t n_segments, n_chunks, n_lanes;
} mmi_pass_job;

static void bind_rows(mmi_program *program, mm_tensor input, mmi_floats rows, size_t row, int64_t count)
{
	if (input != MMI_NONE && rows.at)
		mmi_program_bind(program, input, mmi_floats_at(rows, row * (size_t)count));
}

static void bind_place(const mmi_loss *l, const mmi_segment *s, mmi_program *program, uint32_t i, size_t row)
{
	bind_rows(program, l->z[i].z, s->z[i].z, row, l->count_z);
	for (uint32_t m = 0; m < l->n_x; m++)
		bind_rows(program, l->z[i].w[m], s->z[i].w[m], row, l->count_w);
}

static void bind_mask(const mmi_loss *l, const mmi_segment *s, mmi_program *program, size_t row)
{
	for (uint32_t m = 0; m < l->n_x; m++) {
		bind_rows(program, l->observed[m], s->mask->observed[m], row, 1);
		bind_rows(program, l->mixture.share[m], s->mask->share[m], row, 1);
		bind_rows(program, l->mixture.log_share[m], s->mask->log_share[m], row, 1);
		bind_rows(program, l->subset[m], s->mask->subset[m], row, 1);
		for (uint32_t k = 0; k < l->n_z; k++)
			bind_rows(program, l->counts_w[k][m], s->mask->counts_w[m], k * (size_t)s->rows + row, 1);
	}
}

static void bind_chunk(const mmi_pass *p, const mmi_segment *s, mmi_program *program, uint32_t chunk, mmi_floats seeds)
{
	const mmi_loss *l = s->loss;
	const mmi_device_rows *seen = s->seen ? s->seen : s->x;
	const size_t row = (size_t)chunk * p->chunk, x_row = row % s->x_rows;
	for (uint32_t i = 0; i < l->n_x; i++)
		bind_rows(program, l->x[i], s->x->x[i], x_row, l->count_x[i]);
	for (uint32_t i = 0; i < l->n_x; i++)
		if (l->seen[i] != l->x[i])
			bind_rows(program, l->seen[i], seen->x[i], x_row, l->count_x[i]);
	for (uint32_t i = 0; i < l->n_z; i++)
		bind_place(l, s, program, i, row);
	for (uint32_t i = 0; i < l->n_x && l->pull[i] != MMI_NONE; i++)
		bind_rows(program, l->pull[i], s->pull[i], row, l->count_pull);
	if (s->mask)
		bind_mask(l, s, program, row);
	mmi_program_bind(program, l->seed, seeds);
	if (l->l2 != MMI_NONE)
		mmi_program_bind(program, l->l2, mmi_floats_at(seeds, p->chunk));
}

static void run_chunk(const mmi_pass_job *j, uint32_t c, uint32_t lane, uint32_t worker)
{
	mmi_pass *p = j->pass;
	mmi_segment *s = j->segments;
	uint32_t own = c;
	while (own >= s->rows / p->chunk)
		own -= s++->rows / p->chunk;
	mmi_program *program = s->loss->net.programs[worker];

	const mmi_device *d = mmi_program_device(program);
	const mmi_floats seeds = { (float *)p->seeds.device + SEEDS * (size_t)p->chunk * c };
	const mmi_floats factor = { s->row_seed ? seeds.at + 2 * (size_t)p->chunk : NULL };
	bind_chunk(p, s, program, own, seeds);
	for (uint32_t i = 0; i < s->loss->n_lanes; i++)
		mmi_program_bind_grads(program, s->loss->lanes[i]->params, s->loss->lanes[i]->lane[lane]);
	mmi_program_run(program);
	d->rows->sums(d, mmi_program_data(program, s->loss->value), factor, p->chunk,
	              (mmi_doubles){ (double *)p->sums.device + 2 * (size_t)c });
}

/* A task is a lane: its chunks run in order on one worker, so its sums are always formed in the same order. */
static void run_lane(void *ctx, uint32_t lane, uint32_t worker)
{
	const mmi_pass_job *j = ctx;
	const mmi_loss *l = j->segments[0].loss;
	for (uint32_t i = 0; i < l->n_lanes; i++)
		mmi_lanes_zero(l->lanes[i], lane);
	for (uint32_t c = 0; c < j->n_chunks; c++)
		if (mmi_lanes_of(l->lanes[0], c) == lane)
			run_chunk(j, c, lane, worker);
}

static void fill_seeds(mmi_pass *p, const mmi_segment *segments, uint32_t n)
{
	float *at = p->seeds.host;
	for (uint32_t s = 0; s < n; s++)
		for (uint32_t first = 0; first < segments[s].rows; first += p->chunk, at += SEEDS * (size_t)p->chunk)
			for (uint32_t i = 0; i < p->chunk; i++) {
				float factor = segments[s].row_seed ? segments[s].row_seed[first + i] : 1;
				at[i] = segments[s].seed * factor;
				at[p->chunk + i] = segments[s].l2 * factor;
				at[2 * p->chunk + i] = factor;
			}
}

static void add_up(const mmi_pass *p, const double *sums, const mmi_segment *s, double sum[2])
{
	if (p->reduce)
		mmi_reduce_chunks(p->reduce, sums, s->rows / p->reduce->span.rows, 2, sum);
	for (uint32_t c = 0; !p->reduce && c < 2 * (s->rows / p->chunk); c++)
		sum[c % 2] += sums[c];
}

void mmi_pass_run(mmi_pass *p, mmi_segment *segments, uint32_t n)
{
	mmi_pass_job j = { .pass = p, .segments = segments, .n_segments = n, .n_lanes = segments[0].loss->lanes[0]->n };
	for (uint32_t s = 0; s < n; s++)
		j.n_chunks += segments[s].rows / p->chunk;
	fill_seeds(p, segments, n);
	mmi_mirror_push(p->device, &p->seeds);
	mmi_pool_run(p->pool, j.n_lanes, run_lane, &j);
	mmi_mirror_pull(p->device, &p->sums, 2 * j.n_chunks * sizeof(double));
	const double *sums = p->sums.host;
	for (uint32_t s = 0; s < n; s++) {
		double sum[2] = { 0, 0 };
		add_up(p, sums, &segments[s], sum);
		segments[s].sum = sum[0];
		segments[s].sum_squares = sum[1];
		sums += 2 * (segments[s].rows / p->chunk);
	}
}
