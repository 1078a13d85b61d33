/* holdout.c - which tuples are set aside for validation, with those they must not be parted from. */
#include "mmi_build.h"

#include "data/holdout.h"

#include "engine/streams.h"
#include "engine/vec.h"

#include <stdlib.h>

/* A forest: the root of a tree stands for all in it, and is the first of them. */
struct mmi_bundles {
	uint32_t n;
	uint32_t *above; /* [n]: itself at a root */
};

typedef struct {
	uint64_t group;
	uint32_t tuple;
} numbered;

mm_status mmi_bundles_create(uint32_t n, mmi_bundles **out, mm_error *e)
{
	mmi_bundles *b = mmi_alloc(1, sizeof *b);
	if (b)
		b->above = mmi_alloc(n, sizeof *b->above);
	if (!b || !b->above) {
		mmi_bundles_destroy(b);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", n);
	}
	b->n = n;
	for (uint32_t i = 0; i < n; i++)
		b->above[i] = i;
	*out = b;
	return MM_OK;
}

void mmi_bundles_destroy(mmi_bundles *b)
{
	if (b)
		mmi_free(b->above);
	mmi_free(b);
}

static uint32_t root_of(const mmi_bundles *b, uint32_t i)
{
	while (b->above[i] != i)
		i = b->above[i] = b->above[b->above[i]];
	return i;
}

static int by_group(const void *a, const void *b)
{
	const numbered *s = a, *t = b;
	if (s->group != t->group)
		return s->group < t->group ? -1 : 1;
	return (s->tuple > t->tuple) - (s->tuple < t->tuple);
}

static void unite(mmi_bundles *b, uint32_t i, uint32_t k)
{
	const uint32_t one = root_of(b, i), other = root_of(b, k);
	if (one < other)
		b->above[other] = one;
	else
		b->above[one] = other;
}

mm_status mmi_bundles_bind(mmi_bundles *b, const uint64_t *group, const bool *has, mm_error *e)
{
	uint32_t n = 0;
	numbered *list = mmi_alloc(b->n, sizeof *list);
	if (!list)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", b->n);
	for (uint32_t i = 0; i < b->n; i++)
		if (has[i])
			list[n++] = (numbered){ group[i], i };
	qsort(list, n, sizeof *list, by_group);
	for (uint32_t i = 1; i < n; i++)
		if (list[i].group == list[i - 1].group)
			unite(b, list[i - 1].tuple, list[i].tuple);
	mmi_free(list);
	return MM_OK;
}

/* Marks the roots of what is taken, in the order drawn, until there is enough; returns how many tuples that are. */
static uint32_t take(const mmi_bundles *b, const uint32_t *order, const uint32_t *size, uint32_t holdout, bool *taken)
{
	uint32_t marked = 0;
	for (uint32_t i = b->n; i-- && marked < holdout;) {
		const uint32_t root = root_of(b, order[i]);
		marked += taken[root] ? 0 : size[root];
		taken[root] = true;
	}
	return marked;
}

mm_status mmi_holdout_mark(const mmi_bundles *b, uint32_t holdout, uint64_t seed, bool *held, uint32_t *marked,
                           mm_error *e)
{
	uint32_t *order = mmi_alloc(b->n, sizeof *order), *size = mmi_alloc(b->n, sizeof *size);
	mm_status status = order && size ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", b->n);
	if (status == MM_OK) {
		mmi_rng_permutation((mmi_rng){ .key = mmi_rng_key(seed, MMI_STREAM_HOLDOUT) }, b->n, order);
		for (uint32_t i = 0; i < b->n; i++)
			size[root_of(b, i)]++;
		*marked = take(b, order, size, holdout, held);
		for (uint32_t i = 0; i < b->n; i++)
			held[i] = held[root_of(b, i)];
		if (*marked == b->n)
			status = mmi_fail(
				e, MM_ECONFIG,
				"%u samples held out for validation leave none of the %u training samples, since groups (of one "
				"speaker or recording, say) are not parted; set a smaller holdout or smaller groups",
				holdout, b->n);
	}
	mmi_free(order);
	mmi_free(size);
	return status;
}
