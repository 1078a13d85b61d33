/* reduce.c - see reduce.h. */
#include "mmi_build.h"

#include "learn/reduce.h"

mm_status mmi_reduce_create(const mmi_comm *comm, uint32_t batch, uint32_t chunk, uint32_t chains, mmi_reduce *out,
                            mm_error *e)
{
	const uint32_t chunks = batch / chunk, n = comm->size;
	if (!mmi_share_fits(chunks, n))
		return mmi_fail(e, MM_ECONFIG,
		                "a batch of %u in chunks of %u is %u chunks, which %u ranks cannot share with the results of "
		                "one; take 1, 2, 4 or 8 ranks and a batch of a multiple of %u, or smaller chunks",
		                batch, chunk, chunks, n, n * chunk);
	mmi_reduce r = { .share = { .comm = comm } };
	r.span = (mmi_span){ .first = batch / n * comm->rank, .rows = batch / n, .of = batch };
	r.share.chunks = (mmi_span){ .first = chunks / n * comm->rank, .rows = chunks / n, .of = chunks };
	const size_t most = MMI_CHAIN_SUMS * sizeof *r.parts; /* of a chunk */
	r.parts = n > 1 ? mmi_alloc((size_t)chains * r.share.chunks.rows, most) : NULL;
	r.chunks = n > 1 ? mmi_alloc((size_t)chains * chunks, most) : NULL;
	if (n > 1 && (!r.parts || !r.chunks)) {
		mmi_reduce_clear(&r);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the sums of %u chunks", chains * chunks);
	}
	*out = r;
	return MM_OK;
}

void mmi_reduce_clear(mmi_reduce *r)
{
	mmi_free(r->parts);
	mmi_free(r->chunks);
	*r = (mmi_reduce){ .chunks = NULL };
}

/* ------------------------------------------------------------ sums */

static void add(const double *part, uint32_t n, double *sum)
{
	for (uint32_t i = 0; i < n; i++)
		sum[i] += part[i];
}

/* all: [ranks][chains][chunks of a rank][n]; chains are summed one after the other. */
static void sum_ranks(const mmi_reduce *r, const double *all, uint32_t chains, uint32_t n, double *sum)
{
	const size_t here = r->share.chunks.rows;
	for (uint32_t q = 0; q < chains; q++)
		for (uint32_t rank = 0; rank < r->share.comm->size; rank++)
			for (size_t k = 0; k < here; k++)
				add(all + ((rank * (size_t)chains + q) * here + k) * n, n, sum);
}

/* By way of the host, whose code forms all sums that ranks exchange parts of. */
static void sum_of_ranks(const mmi_reduce *r, const mmi_device *d, mmi_doubles parts, uint32_t chains, uint32_t n,
                         mmi_doubles out)
{
	const mmi_comm *c = r->share.comm;
	const size_t bytes = (size_t)chains * r->share.chunks.rows * n * sizeof *r->parts;
	double sum[MMI_CHAIN_SUMS] = { 0 };
	d->ops->download(d, r->parts, parts.at, bytes);
	d->ops->wait(d, NULL);
	c->ops->gather(c, r->parts, bytes, r->chunks);
	sum_ranks(r, r->chunks, chains, n, sum);
	d->ops->upload(d, out.at, sum, n * sizeof *sum);
}

void mmi_reduce_chunks(const mmi_reduce *r, const mmi_device *d, mmi_doubles parts, uint32_t chains, uint32_t n,
                       mmi_doubles sum)
{
	if (mmi_reduce_shared(r))
		sum_of_ranks(r, d, parts, chains, n, sum);
	else
		d->rows->total(d, parts, chains * r->share.chunks.rows, n, sum);
}

void mmi_reduce_chain(const mmi_reduce *r, const mmi_device *d, const mmi_sampler *s, uint32_t chains,
                      mmi_doubles stats)
{
	mmi_reduce_chunks(r, d, (mmi_doubles){ (double *)mmi_sampler_chunk_stats(s).at }, chains, MMI_CHAIN_SUMS, stats);
}

uint32_t mmi_reduce_count(const mmi_reduce *r, uint32_t here)
{
	double n = here;
	mmi_comm_sum_doubles(r->share.comm, &n, 1);
	return n >= 0 && n <= UINT32_MAX ? (uint32_t)n : 0; /* of ranks that count, it is */
}

/* ------------------------------------------------------------ rows, decisions */

const void *mmi_reduce_rows(const mmi_reduce *r, const void *here, size_t bytes, void *all)
{
	const mmi_comm *c = r->share.comm;
	if (!mmi_reduce_shared(r))
		return here;
	c->ops->gather(c, here, r->span.rows * bytes, all);
	return all;
}

/* ------------------------------------------------------------ rows of a device */

mm_status mmi_all_rows_create(const mmi_reduce *r, const mmi_model *m, bool latents, mmi_all_rows *out, mm_error *e)
{
	const size_t z = (size_t)mmi_model_z_dim(m), w = (size_t)mmi_model_w_dim(m);
	*out = (mmi_all_rows){ .z = { .host = NULL } };
	if (latents && z)
		MMI_TRY(mmi_reduce_room(r, m->device, z, &out->z, e));
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		MMI_TRY(mmi_reduce_room(r, m->device, (size_t)m->modalities[i].count, &out->x[i], e));
		if (latents && w)
			MMI_TRY(mmi_reduce_room(r, m->device, w, &out->w[i], e));
	}
	return MM_OK;
}

void mmi_all_rows_clear(const mmi_model *m, mmi_all_rows *a)
{
	mmi_mirror_clear(m->device, &a->z);
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_mirror_clear(m->device, &a->x[i]);
		mmi_mirror_clear(m->device, &a->w[i]);
	}
}

/* By way of the host: a comm of hosts is all there is. */
mmi_floats mmi_reduce_on_device(const mmi_reduce *r, const mmi_device *d, mmi_floats here, size_t count,
                                const mmi_mirror *all)
{
	if (!mmi_reduce_shared(r) || !here.at)
		return here;
	float *own = (float *)all->host + r->span.first * count;
	d->ops->download(d, own, here.at, r->span.rows * count * sizeof *own);
	d->ops->wait(d, NULL);
	mmi_reduce_floats(r, own, count, all->host);
	mmi_mirror_push(d, all);
	return (mmi_floats){ all->device };
}

mm_status mmi_reduce_room(const mmi_reduce *r, const mmi_device *d, size_t count, mmi_mirror *out, mm_error *e)
{
	*out = (mmi_mirror){ .host = NULL };
	return mmi_reduce_shared(r) ? mmi_mirror_create(d, r->span.of * count * sizeof(float), out, e) : MM_OK;
}

mmi_device_rows mmi_reduce_samples(const mmi_reduce *r, const mmi_model *m, const mmi_device_rows *here,
                                   const mmi_all_rows *all)
{
	mmi_device_rows out = { { { NULL } } };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		out.x[i] = mmi_reduce_on_device(r, m->device, here->x[i], (size_t)m->modalities[i].count, &all->x[i]);
	return out;
}

mmi_device_latents mmi_reduce_latents(const mmi_reduce *r, const mmi_model *m, const mmi_device_latents *here,
                                      const mmi_all_rows *all)
{
	mmi_device_latents out = { .z = mmi_reduce_on_device(r, m->device, here->z, (size_t)mmi_model_z_dim(m), &all->z) };
	for (uint32_t i = 0; i < m->n_modalities; i++)
		out.w[i] = mmi_reduce_on_device(r, m->device, here->w[i], (size_t)mmi_model_w_dim(m), &all->w[i]);
	return out;
}

mm_status mmi_room_create(const mmi_reduce *r, const mmi_model *m, size_t count, mmi_room *out, mm_error *e)
{
	*out = (mmi_room){ .device = m->device, .n = m->n_modalities, .count = count };
	for (uint32_t i = 0; i < out->n; i++) {
		MMI_TRY(mmi_reduce_room(r, m->device, count, &out->rows[i], e));
		MMI_TRY(mmi_reduce_room(r, m->device, 1, &out->there[i], e));
	}
	return MM_OK;
}

void mmi_room_clear(mmi_room *k)
{
	for (uint32_t i = 0; i < k->n; i++) {
		mmi_mirror_clear(k->device, &k->rows[i]);
		mmi_mirror_clear(k->device, &k->there[i]);
	}
	*k = (mmi_room){ .n = 0 };
}

void mmi_room_fill(const mmi_room *k, const mmi_reduce *r, const mmi_floats *here, const mmi_floats *there,
                   mmi_floats *all, mmi_floats *all_there)
{
	for (uint32_t i = 0; i < k->n; i++) {
		all[i] = mmi_reduce_on_device(r, k->device, here[i], k->count, &k->rows[i]);
		if (there)
			all_there[i] = mmi_reduce_on_device(r, k->device, there[i], 1, &k->there[i]);
	}
}

/* ------------------------------------------------------------ decisions */

mm_status mmi_reduce_status(const mmi_reduce *r, mm_status status, mm_error *e)
{
	mm_error lost = MM_ERROR_INIT;
	const mm_status came = r->share.comm->ops->status(r->share.comm, &lost);
	return came == MM_OK ? status : mmi_fail(e, came, "%s", lost.message);
}

bool mmi_reduce_any(const mmi_reduce *r, bool here)
{
	double n = here;
	mmi_comm_sum_doubles(r->share.comm, &n, 1);
	return n > 0;
}

double mmi_reduce_clock(const mmi_reduce *r, double here)
{
	r->share.comm->ops->broadcast(r->share.comm, &here, sizeof here, 0);
	return here;
}
