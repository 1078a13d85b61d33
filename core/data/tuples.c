/* tuples.c - joining the data of several modalities by key. */
#include "mmi_build.h"

#include "data/tuples.h"

#include "data/holdout.h"
#include "data/keys.h"
#include "engine/streams.h"
#include "engine/vec.h"
#include "plugin/contract.h"

#include <inttypes.h>
#include <string.h>

#define ABSENT UINT64_MAX

/* One modality's part in the tuples. */
typedef struct {
	const mmi_modality *modality;
	mm_dataset *data;
	uint64_t *index;  /* [key]: the sample, or ABSENT */
	uint32_t n_index; /* keys in it; those behind them are absent */
	mmi_join join;
	char extra_key[MMI_KEY_BYTES]; /* the first that is left out */
} member;

struct mmi_tuples {
	mmi_part part;
	size_t n_members;
	member *members, **sorted; /* sorted: in the order in which their keys are taken */
	mmi_keys *keys;            /* of the first modality; of all, where incomplete tuples are kept */
	uint32_t n;
	bool keep_incomplete;
	uint32_t n_incomplete; /* tuples that lack something */
	uint32_t *hidden;      /* [tuple] bits of hidden modalities; NULL: none */
	uint32_t *key;         /* [tuple] */
	int32_t *label;        /* [tuple] */
};

static const char *const part_names[] = {
	[MMI_PART_TRAIN] = "training", [MMI_PART_VALIDATION] = "validation", [MMI_PART_TEST] = "test"
};

const char *mmi_part_name(mmi_part part)
{
	return part_names[part];
}

/* ---------------------------------------------------------------- opening and keys */

static mm_status open_member(member *m, mmi_part part, mm_error *e)
{
	MMI_TRY(mmi_modality_open(m->modality, part == MMI_PART_TEST ? MM_SPLIT_TEST : MM_SPLIT_TRAIN, &m->data, e));
	m->join.count = mmi_modality_count(m->modality, m->data);
	if (!m->join.count)
		return mmi_fail(e, MM_EFORMAT, "%s: the %s data is empty", m->modality->name, mmi_part_name(part));
	return mmi_contract_count(m->modality, m->join.count, e);
}

static mm_status key_twice(const member *m, const char *key, mm_error *e)
{
	return mmi_fail(e, MM_EFORMAT, "%s: key '%s' occurs twice, expected each key once", m->modality->name, key);
}

static mm_status allocate_index(member *m, uint32_t n_keys, mm_error *e)
{
	m->n_index = n_keys;
	m->index = mmi_alloc(n_keys, sizeof *m->index);
	if (!m->index)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", n_keys);
	for (uint32_t i = 0; i < n_keys; i++)
		m->index[i] = ABSENT;
	return MM_OK;
}

static uint64_t sample_of(const member *m, uint32_t key)
{
	return key < m->n_index ? m->index[key] : ABSENT;
}

/* The number of a key, which is a new one where `add` allows it; MMI_NO_KEY: there is none. */
static mm_status number_key(mmi_tuples *t, const char *key, bool add, uint32_t *number, mm_error *e)
{
	*number = mmi_keys_find(t->keys, key);
	return *number == MMI_NO_KEY && add ? mmi_keys_add(t->keys, key, number, e) : MM_OK;
}

/* Notes where the member has each key; keys that nobody had before are added, or counted as extra. */
static mm_status take_keys(mmi_tuples *t, member *m, bool add, mm_error *e)
{
	char key[MMI_KEY_BYTES];
	uint32_t number;

	MMI_TRY(allocate_index(m, mmi_keys_count(t->keys) + (add ? (uint32_t)m->join.count : 0), e));
	for (uint64_t i = 0; i < m->join.count; i++) {
		MMI_TRY(mmi_modality_key(m->modality, m->data, i, key, e));
		MMI_TRY(number_key(t, key, add, &number, e));
		if (number == MMI_NO_KEY) {
			if (!m->join.extra++)
				memcpy(m->extra_key, key, sizeof key);
			continue;
		}
		if (m->index[number] != ABSENT)
			return key_twice(m, key, e);
		m->index[number] = i;
	}
	return MM_OK;
}

/* Whose keys come first: of two modalities, the one that holds more; where they hold as many, the name decides. */
static bool precedes(const member *a, const member *b)
{
	return a->join.count != b->join.count ? a->join.count > b->join.count
	                                      : strcmp(a->modality->name, b->modality->name) < 0;
}

/* In the order of sections, but where incomplete tuples are kept. */
static void sort_members(mmi_tuples *t)
{
	member **sorted = t->sorted;
	for (size_t i = 0; i < t->n_members; i++) {
		size_t at = i;
		for (; t->keep_incomplete && at && precedes(&t->members[i], sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &t->members[i];
	}
}

/* Complete tuples stand in the order of the first modality. Incomplete ones are kept whichever modality holds them, in
 * an order that the order of sections cannot change. */
static mm_status join_keys(mmi_tuples *t, mm_error *e)
{
	uint64_t limit = t->members[0].join.count;

	for (size_t i = 1; i < t->n_members && t->keep_incomplete; i++)
		limit += t->members[i].join.count;
	if (limit >= MMI_NO_KEY)
		return mmi_fail(e, MM_EUNSUPPORTED, "%s: %" PRIu64 " samples, at most %u are supported",
		                t->members[0].modality->name, limit, MMI_NO_KEY - 1);
	MMI_TRY(mmi_keys_create((uint32_t)limit, &t->keys, e));
	sort_members(t);
	for (size_t i = 0; i < t->n_members; i++)
		MMI_TRY(take_keys(t, t->sorted[i], i == 0 || t->keep_incomplete, e));
	for (size_t i = 0; i < t->n_members; i++)
		t->members[i].join.absent = mmi_keys_count(t->keys) - (t->members[i].join.count - t->members[i].join.extra);
	return MM_OK;
}

/* ---------------------------------------------------------------- the join */

static bool complete(const mmi_tuples *t, uint32_t key)
{
	for (size_t m = 0; m < t->n_members; m++)
		if (sample_of(&t->members[m], key) == ABSENT)
			return false;
	return true;
}

static const char *first_absent(const mmi_tuples *t, const member *m)
{
	uint32_t key = 0;

	while (sample_of(m, key) != ABSENT)
		key++;
	return mmi_keys_text(t->keys, key);
}

static const char *first_present(const mmi_tuples *t, const member *m)
{
	uint32_t key = 0;

	while (sample_of(m, key) == ABSENT)
		key++;
	return mmi_keys_text(t->keys, key);
}

static void report_kept(const mmi_tuples *t, const mmi_log *log)
{
	for (size_t i = 0; i < t->n_members; i++) {
		const member *m = &t->members[i];
		if (m->join.absent)
			mmi_logf(log, MM_LOG_WARNING,
			         "%s data: %s lacks %" PRIu64 " of all %u keys (first: '%s'); they are kept without it",
			         mmi_part_name(t->part), m->modality->name, m->join.absent, mmi_keys_count(t->keys),
			         first_absent(t, m));
	}
}

static void report_left_out(const mmi_tuples *t, const mmi_log *log)
{
	const char *part = mmi_part_name(t->part), *first = t->members[0].modality->name;

	for (size_t i = 1; i < t->n_members; i++) {
		const member *m = &t->members[i];
		if (m->join.absent)
			mmi_logf(log, MM_LOG_WARNING,
			         "%s data: %s lacks %" PRIu64 " of %" PRIu64 " keys of %s (first: '%s'); they are left out", part,
			         m->modality->name, m->join.absent, t->members[0].join.count, first, first_absent(t, m));
		if (m->join.extra)
			mmi_logf(log, MM_LOG_WARNING,
			         "%s data: %" PRIu64 " of %" PRIu64 " keys of %s are not in %s (first: '%s'); they are "
			         "left out",
			         part, m->join.extra, m->join.count, m->modality->name, first, m->extra_key);
	}
}

/* Whether one key is the other with "#K" behind it: one section takes each caption of a picture, the other the picture.
 */
static bool differ_by_number(const char *a, const char *b)
{
	size_t n = strcspn(a, "#");

	return strcspn(b, "#") == n && !memcmp(a, b, n) && (a[n] == '#') != (b[n] == '#');
}

static const char *key_hint(const char *a, const char *b)
{
	return differ_by_number(a, b) ? "they differ by #K, the number of a caption: set `captions` alike in both sections"
	                              : "do they read the same data set?";
}

/* Names the modality with the fewest matches, which is most likely the one that is wrong. */
static mm_status nothing_joined(const mmi_tuples *t, mm_error *e)
{
	const member *worst = &t->members[t->n_members - 1];

	for (size_t i = 1; i < t->n_members; i++)
		if (t->members[i].join.absent > worst->join.absent)
			worst = &t->members[i];
	const char *own = worst->extra_key;
	return mmi_fail(
		e, MM_EFORMAT,
		"%s data: no key is present in all %zu modalities: %s shares %" PRIu64 " of the %u keys of %s (like "
		"'%.60s')%s%.60s%s; %s",
		mmi_part_name(t->part), t->n_members, worst->modality->name, mmi_keys_count(t->keys) - worst->join.absent,
		mmi_keys_count(t->keys), t->members[0].modality->name, mmi_keys_text(t->keys, 0),
		own[0] ? ", its own are like '" : "", own, own[0] ? "'" : "", key_hint(mmi_keys_text(t->keys, 0), own));
}

/* Tuples that are kept may all lack something, but data that share no key with any other's belong elsewhere. */
static bool shares(const mmi_tuples *t, const member *m)
{
	for (uint32_t key = 0; key < mmi_keys_count(t->keys); key++)
		for (size_t i = 0; i < t->n_members && sample_of(m, key) != ABSENT; i++)
			if (&t->members[i] != m && sample_of(&t->members[i], key) != ABSENT)
				return true;
	return t->n_members == 1;
}

static mm_status check_shared(const mmi_tuples *t, mm_error *e)
{
	for (size_t i = 0; i < t->n_members; i++) {
		const member *m = &t->members[i], *other = &t->members[i ? 0 : 1];
		if (!shares(t, m))
			return mmi_fail(
				e, MM_EFORMAT,
				"%s data: no key of %s (like '%.60s') is in any other modality (those of %s are like '%.60s'); %s",
				mmi_part_name(t->part), m->modality->name, first_present(t, m), other->modality->name,
				first_present(t, other), key_hint(first_present(t, m), first_present(t, other)));
	}
	return MM_OK;
}

/* The label all modalities that have one agree on. */
static mm_status agree_on_label(const mmi_tuples *t, uint32_t key, int32_t *label, mm_error *e)
{
	const char *text = mmi_keys_text(t->keys, key), *from = NULL;
	int32_t found;

	*label = -1;
	for (size_t i = 0; i < t->n_members; i++) {
		const member *m = &t->members[i];
		if (sample_of(m, key) == ABSENT)
			continue;
		MMI_TRY(mmi_modality_label(m->modality, m->data, m->index[key], text, &found, e));
		if (found < 0)
			continue;
		if (*label >= 0 && found != *label)
			return mmi_fail(e, MM_EFORMAT,
			                "%s data: key '%s' has label %d in %s, but %d in %s: the modalities do not belong "
			                "together",
			                mmi_part_name(t->part), text, *label, from, found, m->modality->name);
		if (*label < 0)
			from = m->modality->name;
		*label = found;
	}
	return MM_OK;
}

static mm_status collect_tuples(mmi_tuples *t, mm_error *e)
{
	uint32_t n_keys = mmi_keys_count(t->keys);

	t->key = mmi_alloc(n_keys, sizeof *t->key);
	t->label = mmi_alloc(n_keys, sizeof *t->label);
	if (!t->key || !t->label)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", n_keys);
	uint32_t n_complete = 0;
	for (uint32_t key = 0; key < n_keys; key++) {
		bool whole = complete(t, key);
		if (!whole && !t->keep_incomplete)
			continue;
		MMI_TRY(agree_on_label(t, key, &t->label[t->n], e));
		t->key[t->n++] = key;
		n_complete += whole;
	}
	t->n_incomplete = t->n - n_complete;
	if (t->keep_incomplete)
		return check_shared(t, e);
	return n_complete ? MM_OK : nothing_joined(t, e);
}

/* ---------------------------------------------------------------- the validation reserve */

/* Binds tuples whose samples of one modality are of one group. */
static mm_status bind_groups(const mmi_tuples *t, const member *m, mmi_bundles *bundles, mm_error *e)
{
	uint64_t *group = mmi_alloc(t->n, sizeof *group);
	bool *has = mmi_alloc(t->n, sizeof *has);
	mm_status status = group && has ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", t->n);

	for (uint32_t i = 0; i < t->n && status == MM_OK; i++) {
		const uint64_t index = sample_of(m, t->key[i]);
		has[i] = index != ABSENT;
		group[i] = has[i] ? mmi_modality_group(m->modality, m->data, index) : 0;
	}
	if (status == MM_OK)
		status = mmi_bundles_bind(bundles, group, has, e);
	mmi_free(group);
	mmi_free(has);
	return status;
}

static mm_status mark_holdout(const mmi_tuples *t, uint32_t holdout, uint64_t seed, bool *held, uint32_t *marked,
                              mm_error *e)
{
	mmi_bundles *bundles;

	MMI_TRY(mmi_bundles_create(t->n, &bundles, e));
	mm_status status = MM_OK;
	for (size_t m = 0; m < t->n_members && status == MM_OK; m++)
		if (t->members[m].modality->group)
			status = bind_groups(t, &t->members[m], bundles, e);
	if (status == MM_OK)
		status = mmi_holdout_mark(bundles, holdout, seed, held, marked, e);
	mmi_bundles_destroy(bundles);
	return status;
}

static mm_status keep_part(mmi_tuples *t, uint32_t holdout, uint64_t seed, const mmi_log *log, mm_error *e)
{
	uint32_t kept = 0, marked = 0;

	if (t->part == MMI_PART_TEST || (t->part == MMI_PART_TRAIN && !holdout))
		return MM_OK;
	if (!holdout || holdout >= t->n)
		return mmi_fail(e, MM_ECONFIG,
		                "%u samples are to be held out for validation, expected 1 to %u of the %u training samples",
		                holdout, t->n - 1, t->n);
	bool *held = mmi_alloc(t->n, sizeof *held);
	if (!held)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", t->n);
	mm_status status = mark_holdout(t, holdout, seed, held, &marked, e);
	for (uint32_t i = 0; i < t->n && status == MM_OK; i++)
		if (held[i] == (t->part == MMI_PART_VALIDATION)) {
			t->key[kept] = t->key[i];
			t->label[kept++] = t->label[i];
		}
	t->n = kept;
	mmi_free(held);
	if (status == MM_OK && marked != holdout && t->part == MMI_PART_VALIDATION)
		mmi_logf(log, MM_LOG_INFO, "validation data: %u samples for %u, since groups are not parted", marked, holdout);
	return status;
}

/* ---------------------------------------------------------------- the whole */

void mmi_tuples_close(mmi_tuples *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->members && i < t->n_members; i++) {
		mmi_modality_close(t->members[i].modality, t->members[i].data);
		mmi_free(t->members[i].index);
	}
	mmi_keys_destroy(t->keys);
	mmi_free(t->members);
	mmi_free(t->sorted);
	mmi_free(t->hidden);
	mmi_free(t->key);
	mmi_free(t->label);
	mmi_free(t);
}

static mm_status join(mmi_tuples *t, const mmi_modality *modalities, uint32_t holdout, uint64_t seed,
                      const mmi_log *log, mm_error *e)
{
	t->members = mmi_alloc(t->n_members, sizeof *t->members);
	t->sorted = mmi_alloc(t->n_members, sizeof *t->sorted);
	if (!t->members || !t->sorted)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	for (size_t i = 0; i < t->n_members; i++) {
		t->members[i].modality = &modalities[i];
		MMI_TRY(open_member(&t->members[i], t->part, e));
	}
	MMI_TRY(join_keys(t, e));
	MMI_TRY(collect_tuples(t, e));
	(t->keep_incomplete ? report_kept : report_left_out)(t, log);
	return keep_part(t, holdout, seed, log, e);
}

static mm_status open_tuples(const mmi_modality *modalities, size_t n_modalities, mmi_part part, bool keep,
                             uint32_t holdout, uint64_t seed, const mmi_log *log, mmi_tuples **out, mm_error *e)
{
	if (!n_modalities)
		return mmi_fail(e, MM_EARG, "no modality, expected at least one");
	mmi_tuples *t = mmi_alloc(1, sizeof *t);
	if (!t)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	t->part = part;
	t->keep_incomplete = keep;
	t->n_members = n_modalities;
	mm_status status = join(t, modalities, holdout, seed, log, e);
	if (status != MM_OK) {
		mmi_tuples_close(t);
		return status;
	}
	*out = t;
	return MM_OK;
}

mm_status mmi_tuples_open(const mmi_modality *modalities, size_t n_modalities, mmi_part part, uint32_t holdout,
                          uint64_t seed, const mmi_log *log, mmi_tuples **out, mm_error *e)
{
	return open_tuples(modalities, n_modalities, part, false, holdout, seed, log, out, e);
}

mm_status mmi_tuples_open_incomplete(const mmi_modality *modalities, size_t n_modalities, mmi_part part,
                                     uint32_t holdout, uint64_t seed, const mmi_log *log, mmi_tuples **out, mm_error *e)
{
	return open_tuples(modalities, n_modalities, part, true, holdout, seed, log, out, e);
}

/* ---------------------------------------------------------------- what is missing */

static bool is_present(const mmi_tuples *t, uint32_t i, size_t m)
{
	return sample_of(&t->members[m], t->key[i]) != ABSENT;
}

/* Hides each present modality of tuple i with the given probability; if that took all, a random one stays. */
static uint32_t hide_some(const mmi_tuples *t, uint32_t i, double hide, uint64_t key)
{
	uint32_t bits = 0, present[32], n = 0, left = 0, words[4];
	for (size_t m = 0; m < t->n_members && m < 32; m++) {
		if (!is_present(t, i, m))
			continue;
		mmi_philox(key, (const uint32_t[4]){ (uint32_t)m, t->key[i], MMI_HIDE_EACH, 0 }, words);
		bool gone = (double)words[0] < hide * 4294967296.0;
		bits |= (uint32_t)gone << m;
		left += !gone;
		present[n++] = (uint32_t)m;
	}
	if (n && !left)
		bits &= ~(1u << present[mmi_rng_below((mmi_rng){ .key = key, .sample = t->key[i], .step = MMI_HIDE_KEPT }, n)]);
	return bits;
}

mm_status mmi_tuples_hide(mmi_tuples *t, double hide, uint64_t seed, mm_error *e)
{
	uint64_t key = mmi_rng_key(seed, MMI_STREAM_HIDE);
	t->hidden = mmi_alloc(t->n, sizeof *t->hidden);
	if (!t->hidden)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", t->n);
	for (uint32_t i = 0; i < t->n; i++)
		t->hidden[i] = hide_some(t, i, hide, key);
	return MM_OK;
}

void mmi_tuples_drop_incomplete(mmi_tuples *t)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < t->n; i++)
		if (complete(t, t->key[i])) {
			t->key[kept] = t->key[i];
			t->label[kept++] = t->label[i];
		}
	t->n = kept;
	t->n_incomplete = 0;
}

mm_status mmi_tuples_pick(mmi_tuples *t, uint32_t n, uint64_t seed, mm_error *e)
{
	uint32_t *order = mmi_alloc(t->n, sizeof *order), *key = mmi_alloc(t->n, sizeof *key);
	int32_t *label = mmi_alloc(t->n, sizeof *label);
	const bool ok = order && key && label;

	if (ok) {
		mmi_rng_permutation((mmi_rng){ .key = mmi_rng_key(seed, MMI_STREAM_SELECT) }, t->n, order);
		memcpy(key, t->key, t->n * sizeof *key);
		memcpy(label, t->label, t->n * sizeof *label);
		t->n = t->n < n ? t->n : n;
		t->n_incomplete = 0;
	}
	for (uint32_t i = 0; ok && i < t->n; i++) {
		t->key[i] = key[order[i]];
		t->label[i] = label[order[i]];
		t->n_incomplete += !complete(t, t->key[i]);
	}
	mmi_free(order);
	mmi_free(key);
	mmi_free(label);
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for %u samples", t->n);
}

bool mmi_tuples_complete(const mmi_tuples *t)
{
	return !t->hidden && !t->n_incomplete;
}

bool mmi_tuples_has(const mmi_tuples *t, uint32_t i, size_t m)
{
	return is_present(t, i, m) && !(t->hidden && t->hidden[i] >> m & 1);
}

uint32_t mmi_tuples_count(const mmi_tuples *t)
{
	return t->n;
}

size_t mmi_tuples_modalities(const mmi_tuples *t)
{
	return t->n_members;
}

int64_t mmi_tuples_floats(const mmi_tuples *t, size_t m)
{
	return t->members[m].modality->count;
}

const char *mmi_tuples_key(const mmi_tuples *t, uint32_t i)
{
	return mmi_keys_text(t->keys, t->key[i]);
}

int32_t mmi_tuples_label(const mmi_tuples *t, uint32_t i)
{
	return t->label[i];
}

mmi_join mmi_tuples_join(const mmi_tuples *t, size_t m)
{
	return t->members[m].join;
}

/* ---------------------------------------------------------------- reading */

mm_status mmi_tuples_read(mmi_tuples *t, uint32_t i, float *const *out, mm_error *e)
{
	uint32_t key = t->key[i];

	for (size_t m = 0; m < t->n_members; m++)
		if (out[m] && !mmi_tuples_has(t, i, m))
			memset(out[m], 0, (size_t)t->members[m].modality->count * sizeof *out[m]);
		else if (out[m])
			MMI_TRY(mmi_modality_read(t->members[m].modality, t->members[m].data, t->members[m].index[key],
			                          mmi_keys_text(t->keys, key), out[m], e));
	return MM_OK;
}

bool mmi_tuples_varies(const mmi_tuples *t, size_t m)
{
	return t->members[m].modality->variation;
}

mm_status mmi_tuples_vary(mmi_tuples *t, uint32_t i, uint64_t draw, float *const *x, float *const *out, mm_error *e)
{
	for (size_t m = 0; m < t->n_members; m++) {
		const mmi_modality *modality = t->members[m].modality;
		if (!out[m])
			continue;
		memcpy(out[m], x[m], (size_t)modality->count * sizeof *out[m]);
		if (modality->variation && mmi_tuples_has(t, i, m))
			MMI_TRY(mmi_modality_vary(modality, draw, mmi_keys_text(t->keys, t->key[i]), out[m], e));
	}
	return MM_OK;
}
