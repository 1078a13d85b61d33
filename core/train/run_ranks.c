/* run_ranks.c - what the ranks of a run must have in common, and what the first one gives the others. */
#include "mmi_build.h"

#include "train/run_state.h"

#include <string.h>

/* FNV-1a, 64 bits. */
#define HASH_NONE 14695981039346656037u

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	for (const unsigned char *p = bytes; n; p++, n--)
		h = (h ^ *p) * 1099511628211u;
	return h;
}

static uint64_t hash_text(uint64_t h, const char *text)
{
	return hash_bytes(h, text, strlen(text) + 1);
}

/* ------------------------------------------------------------ what must be the same */

static uint64_t of_settings(const mmi_run *r)
{
	return hash_text(HASH_NONE, r->portable);
}

static uint64_t of_build(const mmi_run *r)
{
	return hash_text(HASH_NONE, r->build);
}

static uint64_t of_plugins(const mmi_run *r)
{
	return hash_text(hash_text(HASH_NONE, r->plugins), r->versions);
}

static uint64_t of_states(const mmi_run *r)
{
	uint64_t h = HASH_NONE;
	for (size_t i = 0; i < r->setup->n_modalities; i++)
		h = hash_bytes(h, r->setup->modalities[i].state, r->setup->modalities[i].state_bytes);
	return h;
}

static uint64_t of_tuples(const mmi_run *r)
{
	uint64_t h = HASH_NONE;
	for (uint32_t i = 0; i < mmi_tuples_count(r->train); i++) {
		h = hash_text(h, mmi_tuples_key(r->train, i));
		for (size_t m = 0; m < r->setup->n_modalities; m++)
			h = h * 2 + mmi_tuples_has(r->train, i, m);
	}
	return h;
}

static const struct {
	uint64_t (*hash)(const mmi_run *r);
	const char *what, *so;
} shared[] = {
	{ of_settings, "settings", "all must be given the same" },
	{ of_build, "program or instruction set", "take one build for all, and MMCORE_ISA=avx2 where processors differ" },
	{ of_plugins, "plugins or versions of them", "take one build for all" },
	{ of_states, "knowledge of its data in a plugin", "all must see the same data, and the run's folder to go on" },
	{ of_tuples, "training data", "all must see the same" },
};

mm_status mmi_run_compare_ranks(const mmi_run *r, mm_error *e)
{
	const mmi_comm *c = r->comm;
	uint64_t own[MMI_COUNT(shared)], all[MMI_MAX_RANKS][MMI_COUNT(shared)] = { { 0 } };
	if (c->size == 1)
		return MM_OK;
	for (size_t i = 0; i < MMI_COUNT(shared); i++)
		own[i] = shared[i].hash(r);
	c->ops->gather(c, own, sizeof own, all);
	MMI_TRY(c->ops->status(c, e));
	for (size_t i = 0; i < MMI_COUNT(shared); i++)
		for (uint32_t k = 1; k < c->size; k++)
			if (all[k][i] != all[0][i])
				return mmi_fail(e, MM_ECONFIG, "rank %u has other %s than rank 0; %s", k, shared[i].what, shared[i].so);
	return MM_OK;
}

/* ------------------------------------------------------------ what the first one gives */

mm_status mmi_run_spread(mmi_run *r, mm_error *e)
{
	const mmi_comm *c = r->comm;
	uint8_t restored = r->restored;
	uint64_t bytes;
	if (c->size == 1)
		return MM_OK;
	c->ops->broadcast(c, &restored, sizeof restored, 0);
	r->restored = restored != 0;
	MMI_TRY(c->ops->status(c, e));
	if (!r->restored)
		return MM_OK; /* all begin from the seed */
	MMI_TRY(mmi_comm_agree(c, c->rank ? MM_OK : mmi_learner_fetch(r->learner, e), e));
	for (size_t i = 0; i < r->n_items; i++) {
		const mmi_tensor_item *t = &r->items[i];
		if (mmi_tensor_bytes(t->dtype, t->rank, t->dim, &bytes))
			c->ops->broadcast(c, t->data, (size_t)bytes, 0);
	}
	MMI_TRY(c->ops->status(c, e));
	if (c->rank)
		mmi_learner_restored(r->learner, true);
	return MM_OK;
}
