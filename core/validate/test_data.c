/* test_data.c - data sets: splits, keys, labels, samples. */
#include "mmi_build.h"

#include "validate/tests.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KEYS = 20000, SAMPLES = 1000, SPLITS = 256 };

/* ---------------------------------------------------------------- opening */

mm_status mmi_test_open(mmi_subject *s, mm_error *e)
{
	mm_dataset *test;
	mm_status status = mmi_subject_data(s, e);
	if (status != MM_OK && !s->data && (status == MM_EIO || status == MM_ECONFIG || status == MM_EFORMAT))
		return mmi_subject_skip(s, e, "it needs data (--data, --set): %.400s", e->message);
	MMI_TRY(status);
	status = mmi_modality_open(&s->m, MM_SPLIT_TEST, &test, e);
	if (status == MM_EIO)
		return mmi_subject_warn(s, e, "no test data: %.400s", e->message);
	MMI_TRY(status);
	mmi_modality_close(&s->m, test);
	return MM_OK;
}

mm_status mmi_test_bad_split(mmi_subject *s, mm_error *e)
{
	static const int32_t splits[] = { 7, -1, INT32_MAX };
	for (size_t i = 0; i < MMI_COUNT(splits); i++) {
		mm_dataset *d = NULL;
		mm_error answer = MM_ERROR_INIT;
		mmi_call call;
		mmi_call_begin(&call, s->m.name, s->m.plugin, "open (a split that is unknown)");
		mm_status status = mmi_call_end(&call, s->m.desc->open(s->m.instance, splits[i], &d, &call.error), &answer);
		if (status == MM_OK)
			return mmi_subject_since(s, 1, e,
			                         "open gives a data set for split %d; needed is a failure, for later hosts may "
			                         "have further splits",
			                         (int)splits[i]);
		if (d)
			return mmi_subject_blame(e, "open of split %d fails and sets its output", (int)splits[i]);
	}
	return MM_OK;
}

static mm_status try_root(mmi_subject *s, const char *root, mm_error *e)
{
	mmi_subject own;
	mm_error answer = MM_ERROR_INIT;
	mmi_subject_init(&own, s->request, s->trial);
	own.data = root;
	mm_status status = mmi_subject_data(&own, &answer);
	mmi_subject_close(&own);
	if (status != MM_OK && strstr(answer.message, "the plugin gave no text"))
		return mmi_subject_blame(e, "with root = %.60s it fails without a text", root);
	if (status != MM_OK && status != MM_EABI && own.left) /* MM_EABI: open's own test tells */
		return mmi_subject_blame(e, "with root = %.60s it leaves %zu blocks of the host", root, own.left);
	return MM_OK;
}

mm_status mmi_test_missing_data(mmi_subject *s, mm_error *e)
{
	char here[512];
	MMI_TRY(try_root(s, "/nonexistent/%s%n/folder", e));
	MMI_TRY(try_root(s, "/dev/null", e));
	return getcwd(here, sizeof here) ? try_root(s, here, e) : MM_OK;
}

/* ---------------------------------------------------------------- counts, keys, labels */

mm_status mmi_test_count(mmi_subject *s, mm_error *e)
{
	MMI_TRY(mmi_contract_count(&s->m, s->n_train, e));
	for (int i = 0; i < 3; i++) {
		const uint64_t n = mmi_modality_count(&s->m, s->train);
		if (n != s->n_train)
			return mmi_subject_blame(e, "count was %llu and is %llu now", (unsigned long long)s->n_train,
			                         (unsigned long long)n);
	}
	return MM_OK;
}

mm_status mmi_use_key(mmi_subject *s, const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	mmi_call call;
	mmi_call_begin_sample(&call, s->m.name, s->m.plugin, "key");
	return mmi_call_end(&call, s->m.desc->key(d, index, out, size, &call.error), e);
}

mm_status mmi_test_keys(mmi_subject *s, mm_error *e)
{
	char key[MMI_KEY_BYTES];
	const uint64_t n = mmi_subject_some(s, KEYS);
	for (uint64_t i = 0; i < n; i++) {
		MMI_TRY(mmi_modality_key(&s->m, s->train, i, key, e));
		for (const char *p = key; *p; p++)
			if ((unsigned char)*p < ' ' || *p == 127)
				return mmi_subject_blame(e, "the key of sample %llu holds a control character", (unsigned long long)i);
	}
	return MM_OK;
}

static uint64_t hash_of(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint64_t h = 0xCBF29CE484222325u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001B3u;
	return h ? h : 1;
}

/* Hashes of keys (and values) that were seen, with the sample's number. */
typedef struct seen {
	uint64_t *hash, *index, room;
} seen;

/* True when this hash was there before: *was its number. */
static bool meet(seen *t, uint64_t hash, uint64_t index, uint64_t *was)
{
	uint64_t at = hash % t->room;
	for (; t->hash[at]; at = (at + 1) % t->room)
		if (t->hash[at] == hash) {
			*was = t->index[at];
			return true;
		}
	t->hash[at] = hash;
	t->index[at] = index;
	return false;
}

static mm_status open_seen(uint64_t n, seen *t, mm_error *e)
{
	*t = (seen){ .room = 2 * n + 1 };
	t->hash = mmi_alloc(t->room, sizeof *t->hash);
	t->index = mmi_alloc(t->room, sizeof *t->index);
	return t->hash && t->index ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for keys");
}

static void close_seen(seen *t)
{
	mmi_free(t->hash);
	mmi_free(t->index);
}

mm_status mmi_test_keys_unique(mmi_subject *s, mm_error *e)
{
	seen t;
	char key[MMI_KEY_BYTES], other[MMI_KEY_BYTES];
	uint64_t was;
	const uint64_t n = mmi_subject_some(s, 10 * KEYS);
	mm_status status = open_seen(n, &t, e);
	for (uint64_t i = 0; status == MM_OK && i < n; i++) {
		status = mmi_modality_key(&s->m, s->train, i, key, e);
		if (status == MM_OK && meet(&t, hash_of(key, strlen(key)), i, &was) &&
		    mmi_modality_key(&s->m, s->train, was, other, e) == MM_OK && !strcmp(key, other))
			status = mmi_subject_blame(e, "samples %llu and %llu have the key '%.100s' both", (unsigned long long)was,
			                           (unsigned long long)i, key);
	}
	close_seen(&t);
	return status;
}

/* A key that does not fit is cut, or refused with nothing written. */
static mm_status key_in(mmi_subject *s, const char *whole, size_t size, mm_error *e)
{
	mmi_guarded *room;
	mm_error answer = MM_ERROR_INIT;
	MMI_TRY(mmi_subject_block(s, "the room for a key", size, &room, e));
	mm_status status = mmi_use_key(s, s->train, 0, (char *)room->at, size, &answer);
	MMI_TRY(mmi_guarded_check(room, e));
	if (status == MM_OK && !memchr(room->at, 0, size))
		return mmi_subject_blame(e, "key returns MM_OK and no NUL within the %zu bytes it was given", size);
	if (status == MM_OK && strncmp(whole, (const char *)room->at, strlen((const char *)room->at)) != 0)
		return mmi_subject_blame(e, "key gives '%.50s' in %zu bytes and '%.50s' in more", (const char *)room->at, size,
		                         whole);
	for (size_t i = 0; status != MM_OK && i < size; i++)
		if (room->at[i] != 0xFF)
			return mmi_subject_blame(e, "key fails for %zu bytes and writes there", size);
	return MM_OK;
}

mm_status mmi_test_key_room(mmi_subject *s, mm_error *e)
{
	char key[MMI_KEY_BYTES];
	static const size_t sizes[] = { 1, 2, 3, 5, 8, 16, 32, 64, 128, 255, 256 };
	MMI_TRY(mmi_modality_key(&s->m, s->train, 0, key, e));
	for (size_t i = 0; i < MMI_COUNT(sizes); i++)
		MMI_TRY(key_in(s, key, sizes[i], e));
	return key_in(s, key, strlen(key) + 1, e);
}

mm_status mmi_test_labels(mmi_subject *s, mm_error *e)
{
	char key[MMI_KEY_BYTES];
	int32_t label;
	const uint64_t n = mmi_subject_some(s, KEYS);
	for (uint64_t i = 0; i < n; i++) {
		MMI_TRY(mmi_modality_key(&s->m, s->train, i, key, e));
		MMI_TRY(mmi_modality_label(&s->m, s->train, i, key, &label, e));
	}
	return MM_OK;
}

mm_status mmi_test_classes(mmi_subject *s, mm_error *e)
{
	enum { FIRST = 200 };
	const uint64_t n = mmi_subject_some(s, FIRST);
	int32_t first = -1, label;
	if (s->m.info.n_classes < 2)
		return mmi_subject_skip(s, e, "it has no classes");
	if (n < FIRST)
		return mmi_subject_skip(s, e, "%llu samples are too few to tell", (unsigned long long)n);
	for (uint64_t i = 0; i < n; i++) {
		MMI_TRY(mmi_modality_label(&s->m, s->train, i, "", &label, e));
		if (i && label != first)
			return MM_OK;
		first = label;
	}
	return mmi_subject_warn(
		s, e,
		"the first %d samples are of one class; sheets and small shares of the data show it alone, so let "
		"classes take turns",
		FIRST);
}

/* ---------------------------------------------------------------- samples */

/* `look` at each of some samples, read into a watched block. */
static mm_status each_sample(mmi_subject *s, mm_status (*look)(mmi_subject *, uint64_t, mmi_guarded *, mm_error *),
                             mm_error *e)
{
	const uint64_t n = mmi_subject_some(s, SAMPLES);
	const double until = mmi_subject_clock() + s->request->limit / 8;
	mmi_guarded *x;
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x, e));
	for (uint64_t i = 0; i < n && (i < 8 || mmi_subject_clock() < until); i++) {
		mmi_contract_poison(x->at, x->bytes);
		MMI_TRY(mmi_subject_read(s, s->train, i, x, e));
		MMI_TRY(look(s, i, x, e));
	}
	return MM_OK;
}

static mm_status look_at_nothing(mmi_subject *s, uint64_t index, mmi_guarded *x, mm_error *e)
{
	(void)s, (void)index, (void)x, (void)e;
	return MM_OK;
}

mm_status mmi_test_read_bounds(mmi_subject *s, mm_error *e)
{
	return each_sample(s, look_at_nothing, e);
}

/* Two patterns: what is neither time as it was before was written. */
static mm_status look_for_gaps(mmi_subject *s, uint64_t index, mmi_guarded *x, mm_error *e)
{
	uint32_t other, was;
	for (int64_t k = 0; k < s->m.count; k++) {
		const unsigned char *at = x->at + (size_t)k * sizeof(float);
		memcpy(&was, at, sizeof was);
		if (was != UINT32_MAX)
			continue;
		memset(x->at, 0x55, x->bytes);
		MMI_TRY(mmi_subject_read(s, s->train, index, x, e));
		memcpy(&other, at, sizeof other);
		return other == 0x55555555u ? mmi_subject_blame(e, "sample %llu: read does not write value %lld of %lld",
		                                                (unsigned long long)index, (long long)k, (long long)s->m.count)
		                            : MM_OK;
	}
	return MM_OK;
}

mm_status mmi_test_read_written(mmi_subject *s, mm_error *e)
{
	return each_sample(s, look_for_gaps, e);
}

static mm_status look_at_values(mmi_subject *s, uint64_t index, mmi_guarded *x, mm_error *e)
{
	char name[32];
	snprintf(name, sizeof name, "%llu", (unsigned long long)index);
	return mmi_contract_values(&s->m, "read", name, (const float *)(const void *)x->at, e);
}

mm_status mmi_test_read_support(mmi_subject *s, mm_error *e)
{
	return each_sample(s, look_at_values, e);
}

mm_status mmi_test_bad_index(mmi_subject *s, mm_error *e)
{
	const uint64_t wrong[] = { s->n_train, s->n_train + 1, (uint64_t)1 << 63, UINT64_MAX };
	char key[MMI_KEY_ROOM];
	mmi_guarded *x;
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x, e));
	for (size_t i = 0; i < MMI_COUNT(wrong); i++) {
		mm_error answer = MM_ERROR_INIT;
		if (mmi_subject_read(s, s->train, wrong[i], x, &answer) == MM_OK)
			return mmi_subject_since(s, 1, e, "read gives a sample %llu, there are %llu", (unsigned long long)wrong[i],
			                         (unsigned long long)s->n_train);
		if (mmi_use_key(s, s->train, wrong[i], key, sizeof key, &answer) == MM_OK)
			return mmi_subject_since(s, 1, e, "key gives one for sample %llu, there are %llu",
			                         (unsigned long long)wrong[i], (unsigned long long)s->n_train);
	}
	return MM_OK;
}

/* Keys and values of both splits: what is the same in both was trained on. */
static mm_status share_samples(mmi_subject *s, mm_dataset *test, seen *t, mm_error *e)
{
	char key[MMI_KEY_BYTES];
	mmi_guarded *x;
	uint64_t was;
	const uint64_t n_test = mmi_modality_count(&s->m, test);
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x, e));
	for (int split = 0; split < 2; split++) {
		mm_dataset *d = split ? test : s->train;
		const uint64_t n = split ? n_test : s->n_train, some = n < SPLITS ? n : SPLITS;
		const double until = mmi_subject_clock() + s->request->limit / 8;
		for (uint64_t i = 0; i < some && mmi_subject_clock() < until; i++) {
			MMI_TRY(mmi_modality_key(&s->m, d, i, key, e));
			MMI_TRY(mmi_subject_read(s, d, i, x, e));
			const uint64_t h = hash_of(x->at, x->bytes) ^ hash_of(key, strlen(key)) * 31;
			if (meet(t, h ? h : 1, i, &was) && split)
				return mmi_subject_blame(
					e, "sample %llu of the test data, key '%.100s', is sample %llu of the training data",
					(unsigned long long)i, key, (unsigned long long)was);
		}
	}
	return MM_OK;
}

mm_status mmi_test_splits(mmi_subject *s, mm_error *e)
{
	mm_dataset *test;
	mm_error answer = MM_ERROR_INIT;
	seen t;
	if (mmi_modality_open(&s->m, MM_SPLIT_TEST, &test, &answer) != MM_OK)
		return mmi_subject_skip(s, e, "no test data");
	mm_status status = open_seen(2 * SPLITS, &t, e);
	if (status == MM_OK)
		status = share_samples(s, test, &t, e);
	close_seen(&t);
	mmi_modality_close(&s->m, test);
	return status;
}

mm_status mmi_test_speed(mmi_subject *s, mm_error *e)
{
	const double slow = 0.01, long_open = 5;
	const uint64_t n = mmi_subject_some(s, 100);
	mmi_guarded *x;
	mm_dataset *again;
	uint64_t done = 0;
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x, e));
	double start = mmi_subject_clock();
	for (; done < n && mmi_subject_clock() < start + 1; done++)
		MMI_TRY(mmi_subject_read(s, s->train, done, x, e));
	const double each = (mmi_subject_clock() - start) / (double)(done ? done : 1);
	if (each > slow)
		return mmi_subject_warn(s, e, "read takes %.3g milliseconds a sample; above %g it holds training up",
		                        1e3 * each, 1e3 * slow);
	start = mmi_subject_clock();
	MMI_TRY(mmi_modality_open(&s->m, MM_SPLIT_TRAIN, &again, e));
	mmi_modality_close(&s->m, again);
	const double opening = mmi_subject_clock() - start;
	return opening <= long_open ? MM_OK : mmi_subject_warn(s, e, "open takes %.1f seconds", opening);
}

static mm_status open_anew(mmi_subject *s, void *block, mm_error *e)
{
	mm_dataset *d;
	MMI_TRY(mmi_modality_open(&s->m, MM_SPLIT_TRAIN, &d, e));
	mm_status status = mmi_subject_read(s, d, 0, block, e);
	mmi_modality_close(&s->m, d);
	return status;
}

mm_status mmi_test_data_flat(mmi_subject *s, mm_error *e)
{
	mmi_guarded *x;
	MMI_TRY(mmi_subject_sample_block(s, "the room for a sample", &x, e));
	return mmi_subject_flat(s, "open, read and close", 100, open_anew, x, e);
}
