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

/* Lanes that chunks of one place in several batches take turns in. */
static uint32_t turns(const mmi_lanes *l)
{
	return l->share.chunks.of < l->n ? l->n / l->share.chunks.of : 1;
}

bool mmi_share_fits(uint32_t chunks, uint32_t ranks)
{
	const uint32_t n = lanes_for(chunks, chunks);
	return ranks <= MMI_MAX_RANKS && chunks % ranks == 0 && (chunks <= n || n % ranks == 0);
}

uint32_t mmi_lanes_of(const mmi_lanes *l, uint32_t chunk)
{
	const mmi_span *s = &l->share.chunks;
	const uint32_t place = s->first + chunk % s->rows, batch = chunk / s->rows;
	return (uint32_t)((uint64_t)place * l->n / s->of) + batch % turns(l);
}

static bool shared(const mmi_lanes *l)
{
	return l->share.comm && l->share.comm->size > 1;
}

/* The rank that has the chunks of a lane. */
static uint32_t rank_of(const mmi_lanes *l, uint32_t lane)
{
	return lane * l->share.comm->size / l->n;
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

/* A sum of the tree: of lane[to], which has the sum of the lanes from there to `from`, and lane[from], which has that
 * of the lanes from there to `end`. */
typedef struct pair {
	uint32_t to, from, end;
} pair;

typedef void visit(const mmi_lanes *l, pair p, void *ctx);

/* Of n lanes from `first` on, each of which has the sum of `of` lanes: neighbours, then pairs of them, and so on. */
static void each_among(const mmi_lanes *l, uint32_t first, uint32_t n, uint32_t of, visit *call, void *ctx)
{
	for (uint32_t distance = 1; distance < n; distance *= 2)
		for (uint32_t i = 0; i + distance < n; i += 2 * distance) {
			const uint32_t end = i + 2 * distance < n ? i + 2 * distance : n;
			call(l, (pair){ first + i * of, first + (i + distance) * of, first + end * of }, ctx);
		}
}

/* Those of one place in the batch, then places: with 8 lanes ((0+1)+(2+3)) + ((4+5)+(6+7)). */
static void each_sum(const mmi_lanes *l, visit *call, void *ctx)
{
	const uint32_t of = turns(l);
	for (uint32_t lane = 0; lane < l->n; lane += of)
		each_among(l, lane, of, 1, call, ctx);
	each_among(l, 0, l->n / of, of, call, ctx);
}

static void add_block(const mmi_lanes *l, pair p, void *ctx)
{
	const mmi_device *d = l->params->device;
	const uint32_t block = *(const uint32_t *)ctx;
	const size_t offset = block_offset(l, block);
	d->rows->add(d, mmi_floats_at(l->lane[p.to], offset), mmi_floats_at(l->lane[p.from], offset), block_size(l, block));
}

static void reduce_block(void *ctx, uint32_t block, uint32_t worker)
{
	(void)worker;
	each_sum(ctx, add_block, &block);
}

/* Between ranks: a rank first adds what it has all lanes of. Then each has a part of the parameters of its own, for
 * which the others send it their sums, and it goes on up the tree; at last all are given all parts. So a rank sends
 * about as much as a gradient has, however many there are, and none adds up while the others wait. */
typedef struct part {
	const mmi_lanes *lanes;
	uint32_t to, from;    /* lanes */
	size_t offset, count; /* of the parameters */
} part;

static void add_part(void *ctx, uint32_t block, uint32_t worker)
{
	const part *p = ctx;
	const mmi_device *d = p->lanes->params->device;
	const size_t share = mmi_device_share(d, p->count), at = share * block;
	const size_t n = p->count - at < share ? p->count - at : share;
	(void)worker;
	d->rows->add(d, mmi_floats_at(p->lanes->lane[p->to], p->offset + at),
	             mmi_floats_at(p->lanes->lane[p->from], p->offset + at), n);
}

static void run_part(part p, mmi_pool *pool)
{
	const size_t share = mmi_device_share(p.lanes->params->device, p.count);
	if (p.count)
		mmi_pool_run(pool, (uint32_t)((p.count + share - 1) / share), add_part, &p);
}

/* What rank r adds up for all: whole lines of the cache. */
static part part_of(const mmi_lanes *l, uint32_t r)
{
	const size_t n = (l->count / l->share.comm->size + 15) / 16 * 16, from = n * r < l->count ? n * r : l->count;
	const bool last = r + 1 == l->share.comm->size || l->count - from < n;
	return (part){ .lanes = l, .offset = from, .count = last ? l->count - from : n };
}

/* The rank that has the lanes from `lane` to `end`; MMI_MAX_RANKS: several have. */
static uint32_t home(const mmi_lanes *l, uint32_t lane, uint32_t end)
{
	const uint32_t rank = rank_of(l, lane);
	return rank_of(l, end - 1) == rank ? rank : MMI_MAX_RANKS;
}

static void add_own(const mmi_lanes *l, pair p, void *pool)
{
	if (home(l, p.to, p.end) == l->share.comm->rank)
		run_part((part){ l, p.to, p.from, 0, l->count }, pool);
}

static void add_others(const mmi_lanes *l, pair p, void *pool)
{
	const part own = part_of(l, l->share.comm->rank);
	if (home(l, p.to, p.end) == MMI_MAX_RANKS)
		run_part((part){ l, p.to, p.from, own.offset, own.count }, pool);
}

/* Lanes with sums of one rank that others need. */
typedef struct sums {
	uint32_t n[MMI_MAX_RANKS], lane[MMI_MAX_RANKS][MMI_MAX_LANES];
} sums;

static void list_sum(const mmi_lanes *l, sums *s, uint32_t lane, uint32_t end)
{
	const uint32_t rank = home(l, lane, end);
	if (rank != MMI_MAX_RANKS)
		s->lane[rank][s->n[rank]++] = lane;
}

static void list_sums(const mmi_lanes *l, pair p, void *all)
{
	if (home(l, p.to, p.end) != MMI_MAX_RANKS)
		return;
	list_sum(l, all, p.to, p.from);
	list_sum(l, all, p.from, p.end);
}

static mmi_floats lane_part(const part *p, uint32_t lane)
{
	return mmi_floats_at(p->lanes->lane[lane], p->offset);
}

static void swap_sums(const mmi_lanes *l, const sums *s, uint32_t with)
{
	const mmi_comm *c = l->share.comm;
	const part own = part_of(l, c->rank), theirs = part_of(l, with);
	const uint32_t out = s->n[c->rank], in = s->n[with];
	for (uint32_t i = 0; i < out || i < in; i++)
		c->ops->swap(c, l->params->device, with, lane_part(&theirs, s->lane[c->rank][i % MMI_MAX_LANES]),
		             i < out ? theirs.count : 0, lane_part(&own, s->lane[with][i % MMI_MAX_LANES]),
		             i < in ? own.count : 0);
}

static void swap_parts(const mmi_lanes *l, const sums *s, uint32_t with)
{
	const mmi_comm *c = l->share.comm;
	const part own = part_of(l, c->rank), theirs = part_of(l, with);
	(void)s;
	c->ops->swap(c, l->params->device, with, lane_part(&own, 0), own.count, lane_part(&theirs, 0), theirs.count);
}

/* In each round every rank has one partner, or none. */
static void with_all(const mmi_lanes *l, const sums *s, void (*call)(const mmi_lanes *l, const sums *s, uint32_t with))
{
	const mmi_comm *c = l->share.comm;
	for (uint32_t round = 0; round < c->size; round++) {
		const uint32_t with = (round + c->size - c->rank) % c->size;
		if (with != c->rank)
			call(l, s, with);
	}
}

/* The same tree, with lanes on several ranks. */
static void reduce_ranks(const mmi_lanes *l, mmi_pool *pool)
{
	sums s = { .n = { 0 } };
	each_sum(l, add_own, pool);
	each_sum(l, list_sums, &s);
	with_all(l, &s, swap_sums);
	each_sum(l, add_others, pool);
	with_all(l, &s, swap_parts);
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
