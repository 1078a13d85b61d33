/* masks.c - who takes part in a batch. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "learn/masks.h"
#include "learn/objectives/objective.h"

#include <math.h>

/* ------------------------------------------------------------ life */

static bool make(float **out, size_t n, float value)
{
	*out = mmi_alloc(n, sizeof **out);
	for (size_t i = 0; *out && i < n; i++)
		(*out)[i] = value;
	return *out;
}

static bool make_modality(mmi_masks *k, uint32_t m)
{
	size_t b = k->batch, all = b * k->chains;
	bool ok = make(&k->there[m], b, 1) && make(&k->observed[m], all, 1) && make(&k->learned[m], all, 1) &&
	          make(&k->share[m], b, 1) && make(&k->log_share[m], b, 0) && make(&k->counts_w[m], all, 1) &&
	          make(&k->subset[m], b, 1);
	k->held_w[m] = mmi_alloc(all, 1);
	k->held_x[m] = mmi_alloc(b, 1);
	return ok && k->held_w[m] && k->held_x[m];
}

static void point(mmi_masks *k)
{
	for (uint32_t m = 0; m < k->n; m++) {
		k->data.observed[m] = k->learned[m];
		k->data.share[m] = k->share[m];
		k->data.log_share[m] = k->log_share[m];
		k->data.counts_w[m] = k->counts_w[m];
		k->data.subset[m] = k->subset[m];
		k->generated.observed[m] = k->generated.counts_w[m] = k->ones;
		k->generated.share[m] = k->part;
		k->generated.log_share[m] = k->log_part;
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
	size_t all = (size_t)rows * chains;
	float part = 1.0f / (float)k.n;
	bool ok = make(&k.ones, all, 1) && make(&k.part, all, part) && make(&k.log_part, all, logf(part)) &&
	          make(&k.whole, rows, 1);
	k.expert = mmi_alloc(all, sizeof *k.expert);
	for (uint32_t i = 0; ok && i < k.n; i++)
		ok = make_modality(&k, i);
	if (!ok || !k.expert) {
		mmi_masks_clear(&k);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the masks of %u samples", rows);
	}
	point(&k);
	*out = k;
	return MM_OK;
}

void mmi_masks_clear(mmi_masks *k)
{
	for (uint32_t m = 0; m < MMI_MAX_MODALITIES; m++) {
		void *all[] = { k->there[m],    k->observed[m], k->learned[m], k->share[m], k->log_share[m],
			            k->counts_w[m], k->held_w[m],   k->held_x[m],  k->subset[m] };
		for (size_t i = 0; i < MMI_COUNT(all); i++)
			mmi_free(all[i]);
	}
	mmi_free(k->ones);
	mmi_free(k->part);
	mmi_free(k->log_part);
	mmi_free(k->whole);
	mmi_free(k->expert);
	*k = (mmi_masks){ 0 };
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
			k->learned[m][i] = there ? 1.0f : 0.0f;
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

void mmi_masks_fill(mmi_masks *k, mmi_sampler *s, const mmi_reduce *r, const float *const *observed, uint32_t iteration)
{
	fill_there(k, observed);
	k->n_whole = mmi_reduce_count(r, k->n_whole);
	fill_experts(k, s, r->span, observed, iteration);
	fill_chains(k);
	(k->single ? fill_singles : fill_subsets)(k, s, r->span.first, iteration);
}
