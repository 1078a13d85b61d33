/* learn.c - what an instance takes from the training captions. */
#include "mmi_build.h"

#include "learn.h"

#include "tokens.h"

enum { LONGEST = 16384 }; /* bytes of a caption, joined ones included */

/* Calls `take` with every training caption. */
static mm_status each_caption(const pairs *p, mm_status (*take)(void *ctx, const char *caption, mm_error *e), void *ctx,
                              mm_error *e)
{
	char text[LONGEST];
	for (uint32_t s = 0; s < p->n_samples; s++) {
		pairs_caption(p, &p->sample[s], text, sizeof(text));
		MMA_TRY(take(ctx, text, e));
	}
	return MM_OK;
}

typedef struct counting {
	txt_counter *counter;
	bool punctuation;
} counting;

static mm_status take_words(void *ctx, const char *caption, mm_error *e)
{
	const counting *c = ctx;
	char token[TOKEN_BYTES];
	while (token_next_of(&caption, c->punctuation, token))
		MMA_TRY(txt_counter_add(c->counter, token, e));
	return MM_OK;
}

static mm_status learn_vocabulary(mm_instance *i, const pairs *p, mm_error *e)
{
	counting c = { .punctuation = i->punctuation };
	MMA_TRY(txt_counter_create(i->host, &c.counter, e));
	mm_status status = each_caption(p, take_words, &c, e);
	if (status == MM_OK)
		status = txt_counter_finish(c.counter, (uint32_t)i->min_count, (uint32_t)i->max_words, &i->vocabulary, e);
	txt_counter_destroy(c.counter);
	MMA_TRY(status);
	if (i->vocabulary.n > TXT_FIRST_WORD)
		return MM_OK;
	return mma_fail(e, MM_EFORMAT, "%s: %llu words in the training captions, but none occurs min_count = %d times",
	                i->source.root, (unsigned long long)i->vocabulary.tokens, (int)i->min_count);
}

/* ---------------------------------------------------------------- vectors */

typedef struct feeding {
	const mm_instance *instance;
	txt_contexts *contexts;
} feeding;

static mm_status take_contexts(void *ctx, const char *caption, mm_error *e)
{
	feeding *f = ctx;
	uint32_t ids[4096];
	char token[TOKEN_BYTES];
	size_t n = 0;
	while (n < MMA_COUNT(ids) && token_next_of(&caption, f->instance->punctuation, token))
		ids[n++] = txt_vocabulary_find(&f->instance->vocabulary, token);
	return txt_contexts_add(f->contexts, ids, n, e);
}

static mm_status learn_vectors(mm_instance *i, const pairs *p, mm_error *e)
{
	feeding f = { .instance = i };
	if (!i->plugin->linalg)
		return mma_fail(e, MM_EUNSUPPORTED,
		                "this host lacks the service " MM_HOST_LINALG ", without which word vectors cannot be learned; "
		                "set vectors = FILE in [%s], or use a newer mmcore",
		                i->source.instance);
	MMA_TRY(txt_contexts_create(i->host, i->vocabulary.n, (uint32_t)i->window, &f.contexts, e));
	mm_status status = each_caption(p, take_contexts, &f, e);
	if (status == MM_OK)
		status = txt_contexts_finish(f.contexts, &i->vocabulary, i->plugin->linalg, i->dim, &i->vector, e);
	txt_contexts_destroy(f.contexts);
	return status;
}

static mm_status make_vectors(mm_instance *i, const pairs *p, mm_error *e)
{
	if (i->vectors)
		return txt_vectors_read(i->host, &i->vocabulary, i->vectors, i->source.instance, &i->dim, &i->vector, e);
	if (!i->dim)
		i->dim = 32;
	return learn_vectors(i, p, e);
}

/* ---------------------------------------------------------------- all of it */

static bool has_caption(const pairs *p, const pairs_sample *s, void *ctx)
{
	(void)ctx;
	return p->item[s->item].n_captions > 0;
}

static void report(const mm_instance *i, const pairs *p)
{
	const txt_vocabulary *v = &i->vocabulary;
	mma_log(i->host, MM_LOG_INFO, "[%s] %u training captions, %u words (min_count = %d), which are %.1f %% of all",
	        i->source.instance, p->n_samples, v->n - TXT_FIRST_WORD, (int)i->min_count,
	        v->tokens ? 100.0 * (double)(v->tokens - v->unknown) / (double)v->tokens : 0.0);
}

mm_status txt_learn(mm_instance *i, mm_error *e)
{
	pairs *p;
	MMA_TRY(pairs_classes(i->host, &i->source, &i->n_classes, e));
	MMA_TRY(pairs_open(i->host, &i->source, MM_SPLIT_TRAIN, &p, e));
	pairs_filter(p, has_caption, NULL);
	mm_status status = p->n_samples ? learn_vocabulary(i, p, e)
	                                : mma_fail(e, MM_EFORMAT, "%s: no captions in the training split: %s",
	                                           i->source.root, p->absent ? p->absent : "all that are there are blank");
	if (status == MM_OK && i->representation == TXT_EMBEDDING)
		status = make_vectors(i, p, e);
	if (status == MM_OK)
		report(i, p);
	else
		txt_vocabulary_clear(&i->vocabulary);
	pairs_close(p);
	i->ready = status == MM_OK;
	return status;
}
