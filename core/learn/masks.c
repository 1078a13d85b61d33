/* masks.c - who takes part in a batch. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "learn/masks.h"
#include "learn/objectives/objective.h"

#include <math.h>

/* ------------------------------------------------------------ life */

enum { LINE = 64 /* bytes: arrays begin on multiples */ };

/* The next array of the mirror; of a mirror that is not there yet only the size grows. */
static void *take(mmi_mirror *all, size_t *used, size_t bytes)
{
	void *at = all->host ? (char *)all->host + *used : NULL;
	*used += (bytes + LINE - 1) / LINE * LINE;
	return at;
}

static size_t lay_out(mmi_masks *k)
{
	const size_t b = k->batch, all = b * k->chains, one = sizeof(float);
	size_t used = 0;
	for (uint32_t m = 0; m < k->n; m++) {
		float **const rows[] = { &k->there[m], &k->share[m], &k->log_share[m], &k->subset[m] };
		float **const chains[] = { &k->observed[m], &k->counts_w[m] };
		for (size_t i = 0; i < MMI_COUNT(rows); i++)
			*rows[i] = take(&k->all, &used, b * one);
		for (size_t i = 0; i < MMI_COUNT(chains); i++)
			*chains[i] = take(&k->all, &used, all * one);
		k->held_w[m] = take(&k->all, &used, all);
		k->held_x[m] = take(&k->all, &used, b);
	}
	k->ones = take(&k->all, &used, all * one);
	k->part = take(&k->all, &used, all * one);
	k->log_part = take(&k->all, &used, all * one);
	k->whole = take(&k->all, &used, b * one);
	k->expert = take(&k->all, &used, all * sizeof *k->expert);
	return used;
}

static void fill(float *out, size_t n, float value)
{
	for (size_t i = 0; i < n; i++)
		out[i] = value;
}

/* Everything is there and counts. */
static void begin(mmi_masks *k)
{
	const size_t b = k->batch, all = b * k->chains;
	const float part = 1.0f / (float)k->n;
	for (uint32_t m = 0; m < k->n; m++) {
		fill(k->there[m], b, 1);
		fill(k->share[m], b, 1);
		fill(k->subset[m], b, 1);
		fill(k->observed[m], all, 1);
		fill(k->counts_w[m], all, 1);
	}
	fill(k->ones, all, 1);
	fill(k->part, all, part);
	fill(k->log_part, all, logf(part));
	fill(k->whole, b, 1);
}

void *mmi_masks_on_device(const mmi_masks *k, const void *host)
{
	return (char *)k->all.device + ((const char *)host - (const char *)k->all.host);
}

static mmi_floats floats(const mmi_masks *k, const float *host)
{
	return (mmi_floats){ mmi_masks_on_device(k, host) };
}

static void point(mmi_masks *k)
{
	for (uint32_t m = 0; m < k->n; m++) {
		k->data.observed[m] = floats(k, k->there[m]);
		k->data.share[m] = floats(k, k->share[m]);
		k->data.log_share[m] = floats(k, k->log_share[m]);
		k->data.counts_w[m] = floats(k, k->counts_w[m]);
		k->data.subset[m] = floats(k, k->subset[m]);
		k->generated.observed[m] = k->generated.counts_w[m] = floats(k, k->ones);
		k->generated.share[m] = floats(k, k->part);
		k->generated.log_share[m] = floats(k, k->log_part);
	}
}

mm_status mmi_masks_create(const mmi_model *m, const mmi_settings *s, uint32_t rows, uint32_t chains, mmi_masks *out,
                           mm_error *e)
{
	mmi_masks k = { .n = m->n_modalities,
		            .batch = rows,
		            .chains = chains,
		            .own = s->private_own || s->separate_inference,
		            .separate = s->separate_inference,
		            .single = s->elbo->subset == MMI_SUBSET_ONE };
	mm_status status = mmi_mirror_create(m->device, lay_out(&k), &k.all, e);
	if (status != MM_OK) {
		mmi_masks_clear(m, &k);
		return mmi_fail_prefix(e, "the masks of %u samples", rows);
	}
	lay_out(&k);
	begin(&k);
	point(&k);
	mmi_mirror_push(m->device, &k.all);
	*out = k;
	return MM_OK;
}

void mmi_masks_clear(const mmi_model *m, mmi_masks *k)
{
	mmi_mirror_clear(m->device, &k->all);
	*k = (mmi_masks){ 0 };
}

mmi_parts mmi_masks_moved(const mmi_masks *k)
{
	mmi_parts p = { .expert = { NULL } };
	for (uint32_t m = 0; m < k->n; m++) {
		p.observed[m] = floats(k, k->observed[m]);
		p.held[m].at = mmi_masks_on_device(k, k->held_w[m]);
	}
	return p;
}

mmi_parts mmi_masks_start(const mmi_masks *k, uint32_t c)
{
	mmi_parts p = { .expert = { mmi_masks_on_device(k, k->expert + (size_t)c * k->batch) } };
	for (uint32_t m = 0; m < k->n; m++)
		p.observed[m] = floats(k, k->there[m]);
	return p;
}

mmi_parts mmi_masks_imputed(const mmi_masks *k)
{
	mmi_parts p = { .expert = { NULL } };
	for (uint32_t m = 0; m < k->n; m++)
		p.held[m].at = mmi_masks_on_device(k, k->held_x[m]);
	return p;
}

/* ------------------------------------------------------------ filling */

static void fill_there(mmi_masks *k, const float *const *observed)
{
	k->n_whole = 0;
	for (uint32_t b = 0; b < k->batch; b++) {
		float count = 0;
		for (uint32_t m = 0; m < k->n; m++) {
			k->there[m][b] = observed ? observed[m][b] : 1.0f;
			k->held_x[m][b] = k->there[m][b] > 0;
			count += k->there[m][b];
		}
		for (uint32_t m = 0; m < k->n; m++) {
			k->share[m][b] = k->there[m][b] / count;
			k->log_share[m][b] = k->there[m][b] > 0 ? -logf(count) : MMI_LOG_OF_NOTHING;
		}
		k->whole[b] = count >= (float)k->n ? 1.0f : 0.0f;
		k->n_whole += k->whole[b] > 0;
	}
}

/* All experts of a sample take turns, from the one drawn; with all there, chain c is expert c's. */
static void fill_experts(mmi_masks *k, mmi_sampler *s, mmi_span span, const float *const *observed, uint32_t iteration)
{
	mmi_sampler_pick(s, span, iteration, observed ? (const float *const *)k->there : NULL, k->expert);
	for (uint32_t b = 0; k->chains > 1 && b < k->batch; b++) {
		uint32_t at = k->whole[b] > 0 ? 0 : k->expert[b];
		for (uint32_t c = 0; c < k->chains; c++) {
			while (!(k->there[at][b] > 0))
				at = (at + 1) % k->n;
			k->expert[c * k->batch + b] = at;
			at = (at + 1) % k->n;
		}
	}
}

static void fill_chains(mmi_masks *k)
{
	for (uint32_t m = 0; m < k->n; m++)
		for (uint32_t i = 0; i < k->chains * k->batch; i++) {
			bool there = k->there[m][i % k->batch] > 0, own = k->expert[i] == m;
			k->observed[m][i] = there && (!k->separate || own) ? 1.0f : 0.0f;
			bool moves = there && (!k->own || own);
			k->counts_w[m][i] = moves ? 1.0f : 0.0f;
			k->held_w[m][i] = !moves;
		}
}

/* Uniform over the non-empty subsets: draws until one is. */
static void fill_subsets(mmi_masks *k, mmi_sampler *s, uint32_t first, uint32_t iteration)
{
	for (uint32_t b = 0; b < k->batch; b++) {
		uint32_t any = 0;
		for (uint32_t attempt = 0; !any; attempt++) {
			uint32_t bits = mmi_sampler_subset(s, first + b, attempt, iteration);
			for (uint32_t m = 0; m < k->n; m++) {
				bool in = k->there[m][b] > 0 && (bits >> m & 1);
				k->subset[m][b] = in ? 1.0f : 0.0f;
				any |= in;
			}
		}
	}
}

/* Uniform over what is there. */
static void fill_singles(mmi_masks *k, mmi_sampler *s, uint32_t first, uint32_t iteration)
{
	for (uint32_t b = 0; b < k->batch; b++) {
		uint32_t count = 0;
		for (uint32_t m = 0; m < k->n; m++)
			count += k->there[m][b] > 0;
		uint32_t left = mmi_sampler_below(s, first + b, MMI_CHOICE_SINGLE, iteration, count);
		for (uint32_t m = 0; m < k->n; m++) {
			const bool there = k->there[m][b] > 0;
			k->subset[m][b] = there && !left ? 1.0f : 0.0f;
			left -= there; /* beyond 0 it counts down from the largest number */
		}
	}
}

void mmi_masks_fill(const mmi_model *m, mmi_masks *k, mmi_sampler *s, const mmi_reduce *r, const float *const *observed,
                    uint32_t iteration)
{
	fill_there(k, observed);
	k->n_whole = mmi_reduce_count(r, k->n_whole);
	fill_experts(k, s, r->span, observed, iteration);
	fill_chains(k);
	(k->single ? fill_singles : fill_subsets)(k, s, r->span.first, iteration);
	mmi_mirror_push(m->device, &k->all);
}
