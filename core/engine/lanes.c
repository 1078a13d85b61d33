/* lanes.c - gradients summed in lanes. */
#include "mmi_build.h"

#include "engine/lanes.h"
#include "engine/row_ops.h"

#include <math.h>

static uint32_t blocks_of(const mmi_params *p)
{
	const size_t share = mmi_device_share(p->device, p->count);
	return (uint32_t)((p->count + share - 1) / share);
}

/* ------------------------------------------------------------ which lane */

/* Of `chunks` to a batch and `most` to a loss. Fewer than 8 take turns, each in lanes of its own. */
static uint32_t lanes_for(uint32_t chunks, uint32_t most)
{
	const uint32_t n = most < MMI_MAX_LANES ? most : MMI_MAX_LANES;
	return chunks < n ? n / chunks * chunks : n;
}

static uint32_t lane_of(uint32_t lanes, uint32_t chunks, uint32_t chunk)
{
	return chunks < lanes ? chunk % lanes : (uint32_t)((uint64_t)(chunk % chunks) * lanes / chunks);
}

bool mmi_share_fits(uint32_t chunks, uint32_t ranks)
{
	const uint32_t n = lanes_for(chunks, chunks);
	return ranks <= MMI_MAX_RANKS && chunks % ranks == 0 && (chunks <= n || n % ranks == 0);
}

uint32_t mmi_lanes_of(const mmi_lanes *l, uint32_t chunk)
{
	const mmi_span *s = &l->share.chunks;
	return lane_of(l->n, s->of, chunk / s->rows * s->of + s->first + chunk % s->rows);
}

static bool shared(const mmi_lanes *l)
{
	return l->share.comm && l->share.comm->size > 1;
}

/* The rank that has the chunks of a lane. */
static uint32_t rank_of(const mmi_lanes *l, uint32_t lane)
{
	const mmi_span *s = &l->share.chunks;
	uint32_t chunk = 0;
	while (lane_of(l->n, s->of, chunk) != lane)
		chunk++;
	return chunk % s->of / s->rows;
}

/* ------------------------------------------------------------ life */

mm_status mmi_lanes_create(const mmi_params *params, uint32_t max_chunks, const mmi_share *share, mmi_lanes *out,
                           mm_error *e)
{
	mmi_lanes l = { .share = { .chunks = mmi_whole(max_chunks) }, .count = params->count, .params = params };
	if (share)
		l.share = *share;
	l.n = lanes_for(l.share.chunks.of, max_chunks);
	bool ok = mmi_mirror_create(params->device, blocks_of(params) * sizeof(double), &l.block_squares, e) == MM_OK;
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

/* ------------------------------------------------------------ sums */

void mmi_lanes_zero(const mmi_lanes *l, uint32_t lane)
{
	if (!shared(l) || rank_of(l, lane) == l->share.comm->rank)
		mmi_floats_zero(l->params->device, l->lane[lane], l->count);
}

static size_t block_offset(const mmi_lanes *l, uint32_t block)
{
	return (size_t)block * mmi_device_share(l->params->device, l->count);
}

static size_t block_size(const mmi_lanes *l, uint32_t block)
{
	const size_t left = l->count - block_offset(l, block), share = mmi_device_share(l->params->device, l->count);
	return left < share ? left : share;
}

static void add_block(const mmi_lanes *l, uint32_t to, uint32_t from, uint32_t block)
{
	const mmi_device *d = l->params->device;
	const size_t offset = block_offset(l, block);
	d->rows->add(d, mmi_floats_at(l->lane[to], offset), mmi_floats_at(l->lane[from], offset), block_size(l, block));
}

/* Pairs at distance 1, then 2, then 4: ((0+1)+(2+3)) + ((4+5)+(6+7)). */
static void reduce_block(void *ctx, uint32_t block, uint32_t worker)
{
	const mmi_lanes *l = ctx;
	(void)worker;
	for (uint32_t distance = 1; distance < l->n; distance *= 2)
		for (uint32_t i = 0; i + distance < l->n; i += 2 * distance)
			add_block(l, i, i + distance, block);
}

typedef struct pair {
	const mmi_lanes *lanes;
	uint32_t to, from;
} pair;

static void add_pair(void *ctx, uint32_t block, uint32_t worker)
{
	const pair *p = ctx;
	(void)worker;
	add_block(p->lanes, p->to, p->from, block);
}

/* One pair of the tree: the sum stays at the rank that has `to`. */
static void reduce_pair(pair p, mmi_pool *pool)
{
	const mmi_lanes *l = p.lanes;
	const mmi_comm *c = l->share.comm;
	const uint32_t to = rank_of(l, p.to), from = rank_of(l, p.from);
	if (to != from && c->rank == from)
		c->ops->send(c, l->params->device, l->lane[p.from], l->count, to);
	if (c->rank != to)
		return;
	if (to != from)
		c->ops->receive(c, l->params->device, l->lane[p.from], l->count, from);
	mmi_pool_run(pool, blocks_of(l->params), add_pair, &p);
}

/* The same tree, with lanes on several ranks. */
static void reduce_ranks(const mmi_lanes *l, mmi_pool *pool)
{
	const mmi_comm *c = l->share.comm;
	for (uint32_t distance = 1; distance < l->n; distance *= 2)
		for (uint32_t i = 0; i + distance < l->n; i += 2 * distance)
			reduce_pair((pair){ l, i, i + distance }, pool);
	c->ops->share(c, l->params->device, l->lane[0], l->count, rank_of(l, 0));
}

static void square_block(void *ctx, uint32_t block, uint32_t worker)
{
	mmi_lanes *l = ctx;
	const mmi_device *d = l->params->device;
	const mmi_doubles out = { (double *)l->block_squares.device + block };
	(void)worker;
	d->rows->sum_squares(d, mmi_floats_at(l->lane[0], block_offset(l, block)), block_size(l, block), out);
}

uint32_t mmi_lanes_sum(mmi_lanes *l, mmi_pool *pool)
{
	const uint32_t blocks = blocks_of(l->params);
	if (shared(l))
		reduce_ranks(l, pool);
	else
		mmi_pool_run(pool, blocks, reduce_block, l);
	mmi_params_grad_to_raw(l->params, l->lane[0]);
	mmi_pool_run(pool, blocks, square_block, l);
	return blocks;
}

double mmi_lanes_reduce(mmi_lanes *l, mmi_pool *pool)
{
	const uint32_t blocks = mmi_lanes_sum(l, pool);
	double sum = 0;
	mmi_mirror_pull(l->params->device, &l->block_squares, l->block_squares.bytes);
	const double *squares = l->block_squares.host;
	for (uint32_t i = 0; i < blocks; i++)
		sum += squares[i];
	return sqrt(sum);
}
