/* lanes.c - gradients summed in lanes. */
#include "mmi_build.h"

#include "engine/lanes.h"
#include "engine/row_ops.h"

#include <math.h>

#define BLOCK 16384 /* floats: a task's share */

static uint32_t blocks_of(size_t count)
{
	return (uint32_t)((count + BLOCK - 1) / BLOCK);
}

mm_status mmi_lanes_create(const mmi_params *params, uint32_t max_chunks, mmi_lanes *out, mm_error *e)
{
	mmi_lanes l = { .n = max_chunks < MMI_MAX_LANES ? max_chunks : MMI_MAX_LANES,
		            .count = params->count,
		            .params = params };
	bool ok = mmi_mirror_create(params->device, blocks_of(l.count) * sizeof(double), &l.block_squares, e) == MM_OK;
	for (uint32_t i = 0; i < l.n; i++) {
		l.lane[i] = mmi_floats_alloc(params->device, l.count);
		ok = ok && l.lane[i].at;
	}
	if (!ok) {
		mmi_lanes_clear(&l);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u gradients of %zu parameters each", l.n, l.count);
	}
	*out = l;
	return MM_OK;
}

void mmi_lanes_clear(mmi_lanes *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		mmi_floats_release(l->params->device, &l->lane[i]);
	if (l->params)
		mmi_mirror_clear(l->params->device, &l->block_squares);
	*l = (mmi_lanes){ 0 };
}

void mmi_lanes_zero(const mmi_lanes *l, uint32_t lane)
{
	mmi_floats_zero(l->params->device, l->lane[lane], l->count);
}

static size_t block_size(const mmi_lanes *l, uint32_t block)
{
	size_t left = l->count - (size_t)block * BLOCK;
	return left < BLOCK ? left : BLOCK;
}

/* Pairs at distance 1, then 2, then 4: ((0+1)+(2+3)) + ((4+5)+(6+7)). */
static void reduce_block(void *ctx, uint32_t block, uint32_t worker)
{
	mmi_lanes *l = ctx;
	const mmi_device *d = l->params->device;
	size_t offset = (size_t)block * BLOCK;
	(void)worker;
	for (uint32_t distance = 1; distance < l->n; distance *= 2)
		for (uint32_t i = 0; i + distance < l->n; i += 2 * distance)
			d->rows->add(d, mmi_floats_at(l->lane[i], offset), mmi_floats_at(l->lane[i + distance], offset),
			             block_size(l, block));
}

static void square_block(void *ctx, uint32_t block, uint32_t worker)
{
	mmi_lanes *l = ctx;
	const mmi_device *d = l->params->device;
	const mmi_doubles out = { (double *)l->block_squares.device + block };
	(void)worker;
	d->rows->sum_squares(d, mmi_floats_at(l->lane[0], (size_t)block * BLOCK), block_size(l, block), out);
}

double mmi_lanes_reduce(mmi_lanes *l, mmi_pool *pool)
{
	uint32_t blocks = blocks_of(l->count);
	double sum = 0;
	mmi_pool_run(pool, blocks, reduce_block, l);
	mmi_params_grad_to_raw(l->params, l->lane[0]);
	mmi_pool_run(pool, blocks, square_block, l);
	mmi_mirror_pull(l->params->device, &l->block_squares, l->block_squares.bytes);
	const double *squares = l->block_squares.host;
	for (uint32_t i = 0; i < blocks; i++)
		sum += squares[i];
	return sqrt(sum);
}
