/* store.c - the sounds of one split, read once. */
#include "mmi_build.h"

#include "store.h"

enum { NAMED = 10 /* bad files are named one by one up to here */ };

/* What reading the sounds of a split found. */
typedef struct tally {
	uint32_t cut, bad;
} tally;

static mm_status open_store(mm_instance *i, int32_t split, audio_store *s, mm_error *e)
{
	const size_t floats = audio_floats(i);
	MMA_TRY(pairs_open(i->host, &i->source, split, &s->pairs, e));
	const uint32_t n = s->pairs->n_items;
	const size_t room = ((size_t)i->cache_mb << 20) / (floats * sizeof(float));
	s->room = room < n ? (uint32_t)room : n;
	s->usable = mma_new(i->host, n, sizeof(*s->usable));
	s->place = mma_new(i->host, n, sizeof(*s->place));
	s->spectrogram = mma_new(i->host, (size_t)s->room * floats, sizeof(*s->spectrogram));
	if (!s->usable || !s->place || !s->spectrogram)
		return mma_no_memory(e, "spectrograms; set a smaller cache_mb");
	return pairs_present(s->pairs, &i->source, "sound", s->usable, e);
}

static void close_store(const mma_host *h, audio_store *s)
{
	pairs_close(s->pairs);
	mma_free(h, s->usable);
	mma_free(h, s->place);
	mma_free(h, s->spectrogram);
	mma_free(h, s);
}

/* ---------------------------------------------------------------- reading */

static mm_status make(const mm_instance *i, const audio_store *s, uint32_t item, audio_mel *tool, float *out, bool *cut,
                      mm_error *e)
{
	char *path = pairs_file(s->pairs, &i->source, item);
	if (!path)
		return mma_no_memory(e, "a path");
	mm_status status = audio_spectrogram(i, tool, path, out, cut, e);
	mma_free(i->host, path);
	return status;
}

/* A bad sound is left out and told, or an error. */
static mm_status judge_bad(const mm_instance *i, mm_status status, const mm_error *why, tally *t, mm_error *e)
{
	const char *section = i->source.instance;
	if (status == MM_ENOMEM)
		return mma_fail(e, status, "%s", why->message);
	if (!i->skip_bad)
		return mma_fail(e, status, "%s; [%s] skip_bad = yes leaves out what cannot be read", why->message, section);
	if (t->bad++ < NAMED)
		mma_log(i->host, MM_LOG_WARNING, "[%s] left out: %s", section, why->message);
	return MM_OK;
}

/* Into the store where there is room, else to see whether it can be read. */
static mm_status read_sound(const mm_instance *i, audio_store *s, uint32_t item, float *scratch, tally *t, mm_error *e)
{
	mm_error why = MM_ERROR_INIT;
	bool cut = false;
	const bool keep = s->kept < s->room;
	float *out = keep ? s->spectrogram + s->kept * audio_floats(i) : scratch;
	mm_status status = make(i, s, item, i->tool, out, &cut, &why);
	if (status != MM_OK) {
		s->usable[item] = false;
		return judge_bad(i, status, &why, t, e);
	}
	t->cut += cut;
	s->place[item] = keep ? s->kept++ : AUDIO_NOT_KEPT;
	return MM_OK;
}

static bool is_usable(const pairs *p, const pairs_sample *sample, void *ctx)
{
	const bool *usable = ctx;
	(void)p;
	return usable[sample->item];
}

static void report(const mm_instance *i, int32_t split, const audio_store *s, uint32_t usable, const tally *t)
{
	const char *section = i->source.instance, *name = split == MM_SPLIT_TRAIN ? "training" : "test";
	if (t->bad)
		mma_log(i->host, MM_LOG_WARNING,
		        "[%s] %u sounds of the %s split cannot be read and are left out (skip_bad = yes)%s", section,
		        (unsigned)t->bad, name, t->bad > NAMED ? "; the first ten are named above" : "");
	mma_log(i->host, MM_LOG_INFO, "[%s] %u sounds of the %s split; of %u the middle %.3g s is taken%s", section,
	        (unsigned)usable, name, (unsigned)t->cut, (double)audio_mel_length(&i->mel) / i->mel.rate,
	        s->kept < usable ? "; cache_mb does not hold all spectrograms, others are made each time" : "");
}

static mm_status read_sounds(mm_instance *i, int32_t split, audio_store *s, mm_error *e)
{
	tally t = { 0 };
	uint32_t usable = 0;
	float *scratch = mma_new(i->host, audio_floats(i), sizeof(*scratch));
	mm_status status = scratch ? MM_OK : mma_no_memory(e, "a spectrogram");
	for (uint32_t k = 0; status == MM_OK && k < s->pairs->n_items; k++) {
		if (s->usable[k])
			status = read_sound(i, s, k, scratch, &t, e);
		usable += s->usable[k];
	}
	mma_free(i->host, scratch);
	MMA_TRY(status);
	if (!usable)
		return mma_fail(e, MM_EFORMAT, "%s: none of %u sounds of the %s split can be read", i->source.root,
		                (unsigned)s->pairs->n_items, split == MM_SPLIT_TRAIN ? "training" : "test");
	pairs_filter(s->pairs, is_usable, s->usable);
	report(i, split, s, usable, &t);
	return MM_OK;
}

/* ---------------------------------------------------------------- sharing */

mm_status audio_store_acquire(mm_instance *i, int32_t split, audio_store **out, mm_error *e)
{
	audio_store *s = i->store[split];
	if (!s) {
		s = mma_new(i->host, 1, sizeof(*s));
		if (!s)
			return mma_no_memory(e, "a data set");
		mm_status status = open_store(i, split, s, e);
		if (status == MM_OK)
			status = read_sounds(i, split, s, e);
		if (status != MM_OK) {
			close_store(i->host, s);
			return status;
		}
		i->store[split] = s;
	}
	s->references++;
	*out = s;
	return MM_OK;
}

void audio_store_release(mm_instance *i, audio_store *s)
{
	if (!s || --s->references)
		return;
	for (size_t k = 0; k < MMA_COUNT(i->store); k++)
		if (i->store[k] == s)
			i->store[k] = NULL;
	close_store(i->host, s);
}

mm_status audio_store_get(const mm_instance *i, const audio_store *s, uint32_t item, audio_mel *tool, float *scratch,
                          const float **out, mm_error *e)
{
	bool cut;
	if (s->place[item] != AUDIO_NOT_KEPT) {
		*out = s->spectrogram + s->place[item] * audio_floats(i);
		return MM_OK;
	}
	MMA_TRY(make(i, s, item, tool, scratch, &cut, e));
	*out = scratch;
	return MM_OK;
}
