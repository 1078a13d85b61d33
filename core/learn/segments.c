/* segments.c - what the learner's losses read of a batch, and their passes. */
#include "mmi_build.h"

#include "learn/losses.h"

static void bind_input(mmi_program *program, mm_tensor input, mmi_floats rows, size_t row, int64_t count)
{
	if (input != MMI_NONE && rows.at)
		mmi_program_bind(program, input, mmi_floats_at(rows, row * (size_t)count));
}

static void bind_place(const mmi_loss *l, const mmi_segment *s, mmi_program *program, uint32_t i, size_t row)
{
	bind_input(program, l->z[i].z, s->z[i].z, row, l->count_z);
	for (uint32_t m = 0; m < l->n_x; m++)
		bind_input(program, l->z[i].w[m], s->z[i].w[m], row, l->count_w);
}

/* What is so of a row of x is so of all that repeat it. */
static void bind_mask(const mmi_loss *l, const mmi_segment *s, mmi_program *program, size_t row)
{
	const size_t x_row = row % s->x_rows;
	for (uint32_t m = 0; m < l->n_x; m++) {
		bind_input(program, l->observed[m], s->mask->observed[m], x_row, 1);
		bind_input(program, l->mixture.share[m], s->mask->share[m], row, 1);
		bind_input(program, l->mixture.log_share[m], s->mask->log_share[m], x_row, 1);
		bind_input(program, l->subset[m], s->mask->subset[m], row, 1);
		for (uint32_t k = 0; k < l->n_z; k++)
			bind_input(program, l->counts_w[k][m], s->mask->counts_w[m], k * (size_t)s->rows + row, 1);
	}
}

static void bind_held(const mmi_loss *l, const mmi_segment *s, mmi_program *program, size_t x_row)
{
	for (uint32_t m = 0; m < l->n_x; m++) {
		bind_input(program, l->held[m].loc, s->held->loc[m], x_row, l->count_z);
		bind_input(program, l->held[m].scale, s->held->scale[m], x_row, l->count_z);
		bind_input(program, l->held[m].w_loc, s->held->w_loc[m], x_row, l->count_w);
		bind_input(program, l->held[m].w_scale, s->held->w_scale[m], x_row, l->count_w);
	}
}

static void bind_rows(const void *ctx, mmi_program *program, size_t row, int64_t n)
{
	const mmi_segment *s = ctx;
	const mmi_loss *l = s->loss;
	const mmi_device_rows *seen = s->seen ? s->seen : s->x;
	const size_t x_row = row % s->x_rows;
	(void)n;
	for (uint32_t i = 0; i < l->n_x; i++)
		bind_input(program, l->x[i], s->x->x[i], x_row, l->count_x[i]);
	for (uint32_t i = 0; i < l->n_x; i++)
		if (l->seen[i] != l->x[i])
			bind_input(program, l->seen[i], seen->x[i], x_row, l->count_x[i]);
	for (uint32_t i = 0; i < l->n_z; i++)
		bind_place(l, s, program, i, row);
	for (uint32_t i = 0; i < l->n_x && l->pull[i] != MMI_NONE; i++)
		bind_input(program, l->pull[i], s->pull[i], x_row, l->count_pull);
	if (s->held)
		bind_held(l, s, program, x_row);
	if (s->mask)
		bind_mask(l, s, program, row);
}

static mmi_pass_rows rows_of(const mmi_segment *s)
{
	const mmi_loss *l = s->loss;
	return (mmi_pass_rows){ .net = &l->net,
		                    .value = l->value,
		                    .seed = l->seed,
		                    .l2 = l->l2,
		                    .lanes = l->lanes,
		                    .n_lanes = l->n_lanes,
		                    .bind = bind_rows,
		                    .ctx = s,
		                    .rows = s->rows,
		                    .weight = s->seed,
		                    .weight_at = s->seed_at,
		                    .weight_of = s->seed_of,
		                    .l2_weight = s->l2,
		                    .row_weight = s->row_seed };
}

void mmi_segments_run(mmi_pass *p, mmi_segment *segments, uint32_t n)
{
	mmi_pass_rows rows[MMI_MAX_TERMS];
	for (uint32_t i = 0; i < n; i++)
		rows[i] = rows_of(&segments[i]);
	mmi_pass_run(p, rows, n);
	for (uint32_t i = 0; i < n; i++)
		segments[i].sums = rows[i].sums;
}

void mmi_segments_sum(const mmi_pass *p, const mmi_reduce *reduce, const mmi_segment *segments, uint32_t n,
                      mmi_doubles sums)
{
	for (uint32_t i = 0; i < n; i++)
		mmi_reduce_chunks(reduce, p->device, segments[i].sums, segments[i].rows / reduce->span.rows, 2,
		                  (mmi_doubles){ sums.at + 2 * (size_t)i });
}

/* ------------------------------------------------------------ forward alone */

typedef struct forward_job {
	const mmi_segment *segment;
	const mmi_device *device;
	uint32_t chunk;
	const mmi_floats *out;
} forward_job;

static void forward_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const forward_job *j = ctx;
	const mmi_loss *l = j->segment->loss;
	mmi_program *program = l->net.programs[worker];
	const size_t row = (size_t)chunk * j->chunk;
	bind_rows(j->segment, program, row, j->chunk);
	mmi_program_run(program);
	for (uint32_t m = 0; m < l->n_x; m++)
		mmi_floats_copy(j->device, mmi_floats_at(j->out[m], row), mmi_program_data(program, l->each[m]), j->chunk);
}

void mmi_segment_forward(const mmi_segment *s, const mmi_device *d, mmi_pool *pool, uint32_t chunk,
                         const mmi_floats *out)
{
	forward_job j = { s, d, chunk, out };
	mmi_pool_run(pool, s->rows / chunk, forward_chunk, &j);
}
