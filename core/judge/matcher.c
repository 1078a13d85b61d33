/* matcher.c - the towers: recorded, applied to rows, and to whole sets of tuples. */
#include "mmi_build.h"

#include "judge/matcher.h"
#include "judge/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 256u     /* rows read at once */
#define SHORTEST 1e-12 /* a row below this length has no direction */

static const mmi_tower_size layers = {
	.channels = 32, .most_channels = 128, .hidden = 128, .embedding = MMI_MATCHER_DIM
};

mm_tensor mmi_matcher_record(mmi_graph *g, mm_tensor x)
{
	return mmi_tower_record(&layers, g, x);
}

/* ------------------------------------------------------------ life */

static mm_status record(mmi_matcher *m, mmi_tower *t, mm_error *e)
{
	MMI_TRY(mmi_network_open(&t->net, e));
	mmi_graph_scope(t->net.graph, m->params, "%s", t->modality->name);
	t->x = mmi_input(t->net.graph, t->modality->name, t->modality->info.shape);
	t->out = mmi_matcher_record(t->net.graph, t->x);
	return mmi_graph_check(t->net.graph, e);
}

static mm_status build(mmi_matcher *m, const mmi_device *device, const mmi_modality *modalities, uint64_t seed,
                       mm_error *e)
{
	MMI_TRY(mmi_params_create(device, "matcher", &m->params, e));
	for (uint32_t i = 0; i < m->n; i++) {
		m->tower[i].modality = &modalities[i];
		MMI_TRY(record(m, &m->tower[i], e));
	}
	MMI_TRY(mmi_params_finalise(m->params, seed, e));
	for (uint32_t i = 0; i < m->n; i++)
		MMI_TRY(mmi_network_compile(&m->tower[i].net, device, &m->tower[i].out, 1, MMI_MATCHER_CHUNK,
		                            mmi_pool_threads(m->pool), e));
	return MM_OK;
}

mm_status mmi_matcher_create(const mmi_device *device, const mmi_modality *modalities, size_t n, uint64_t seed,
                             mmi_pool *pool, mmi_matcher **out, mm_error *e)
{
	if (n < 2)
		return mmi_fail(e, MM_EUNSUPPORTED, "there is one modality only, so there is nothing to match it with");
	mmi_matcher *m = mmi_alloc(1, sizeof *m);
	if (!m)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a matcher");
	m->pool = pool;
	m->n = (uint32_t)n;
	mm_status status = build(m, device, modalities, seed, e);
	if (status != MM_OK) {
		mmi_matcher_destroy(m);
		return status;
	}
	*out = m;
	return MM_OK;
}

void mmi_matcher_destroy(mmi_matcher *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; i < m->n; i++)
		mmi_network_clear(&m->tower[i].net);
	mmi_params_destroy(m->params);
	mmi_free(m);
}

/* ------------------------------------------------------------ rows */

typedef struct rows_job {
	const mmi_tower *t;
	const float *x;
	uint32_t rows;
	float *out;
} rows_job;

void mmi_matcher_normalise(float *x, size_t rows, uint32_t d)
{
	for (size_t r = 0; r < rows; r++, x += d) {
		double sum = 0;
		for (uint32_t k = 0; k < d; k++)
			sum += (double)x[k] * (double)x[k];
		for (uint32_t k = 0; k < d && sum > SHORTEST * SHORTEST; k++)
			x[k] = (float)((double)x[k] / sqrt(sum));
	}
}

static void run_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const rows_job *j = ctx;
	mmi_program *p = j->t->net.programs[worker];
	size_t row = (size_t)chunk * MMI_MATCHER_CHUNK, count = (size_t)j->t->modality->count;
	size_t rows = j->rows - row < MMI_MATCHER_CHUNK ? j->rows - row : MMI_MATCHER_CHUNK;
	float *out = j->out + row * MMI_MATCHER_DIM;
	/* The last rows may be fewer than a chunk; what the program has behind them is of no account. */
	mmi_program_write(p, j->t->x, (int64_t)rows, j->x + row * count);
	mmi_program_run(p);
	mmi_program_read(p, j->t->out, (int64_t)rows, out);
	mmi_matcher_normalise(out, rows, MMI_MATCHER_DIM);
}

void mmi_matcher_run(mmi_matcher *m, uint32_t i, const float *x, uint32_t rows, float *out)
{
	rows_job j = { &m->tower[i], x, rows, out };
	mmi_pool_run(m->pool, (rows + MMI_MATCHER_CHUNK - 1) / MMI_MATCHER_CHUNK, run_chunk, &j);
}

/* ------------------------------------------------------------ a set of tuples */

/* FNV-1a, a float at a time. */
static uint64_t hash_of(const float *x, size_t n)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &x[i], sizeof bits);
		hash = (hash ^ bits) * 0x100000001b3u;
	}
	return hash;
}

typedef struct embedder {
	mmi_matcher *m;
	mmi_embedded *out;
	float *x[MMI_MAX_MODALITIES];       /* [BLOCK][floats] */
	uint64_t *hash[MMI_MAX_MODALITIES]; /* [n] */
} embedder;

static mm_status open_embedder(embedder *b, mm_error *e)
{
	bool ok = true;
	for (uint32_t i = 0; i < b->m->n; i++) {
		ok = ok && (b->x[i] = mmi_alloc(BLOCK * (size_t)b->m->tower[i].modality->count, sizeof(float)));
		ok = ok && (b->hash[i] = mmi_alloc(b->out->n, sizeof(uint64_t)));
		ok = ok && (b->out->of[i] = mmi_alloc((size_t)b->out->n * MMI_MATCHER_DIM, sizeof(float)));
		ok = ok && (b->out->kind[i] = mmi_alloc(b->out->n, sizeof(uint32_t)));
	}
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for embeddings of %u tuples", b->out->n);
}

static void close_embedder(embedder *b)
{
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_free(b->x[i]);
		mmi_free(b->hash[i]);
	}
}

static mm_status embed_block(embedder *b, mmi_tuples *tuples, uint32_t first, uint32_t rows, mm_error *e)
{
	for (uint32_t r = 0; r < rows; r++) {
		float *at[MMI_MAX_MODALITIES];
		for (uint32_t i = 0; i < b->m->n; i++)
			at[i] = b->x[i] + r * (size_t)b->m->tower[i].modality->count;
		MMI_TRY(mmi_tuples_read(tuples, first + r, at, e));
	}
	for (uint32_t i = 0; i < b->m->n; i++) {
		const mmi_modality *modality = b->m->tower[i].modality;
		size_t count = (size_t)modality->count;
		mmi_judge_as_saved(modality, b->x[i], rows);
		for (uint32_t r = 0; r < rows; r++)
			b->hash[i][first + r] = hash_of(b->x[i] + r * count, count);
		mmi_matcher_run(b->m, i, b->x[i], rows, b->out->of[i] + (size_t)first * MMI_MATCHER_DIM);
	}
	return MM_OK;
}

static mm_status embed_all(embedder *b, mmi_tuples *tuples, mm_status (*tick)(void *, mm_error *), void *ctx,
                           mm_error *e)
{
	for (uint32_t first = 0, rows; first < b->out->n; first += rows) {
		rows = b->out->n - first < BLOCK ? b->out->n - first : BLOCK;
		MMI_TRY(embed_block(b, tuples, first, rows, e));
		if (tick)
			MMI_TRY(tick(ctx, e));
	}
	for (uint32_t i = 0; i < b->m->n; i++)
		MMI_TRY(mmi_retrieval_kinds(b->hash[i], b->out->n, b->out->kind[i], e));
	return MM_OK;
}

mm_status mmi_matcher_embed(mmi_matcher *m, mmi_tuples *tuples, uint32_t count,
                            mm_status (*tick)(void *ctx, mm_error *e), void *ctx, mmi_embedded *out, mm_error *e)
{
	mmi_embedded made = { .n = count < mmi_tuples_count(tuples) ? count : mmi_tuples_count(tuples),
		                  .modalities = m->n };
	embedder b = { .m = m, .out = &made };
	mm_status status = open_embedder(&b, e);
	if (status == MM_OK)
		status = embed_all(&b, tuples, tick, ctx, e);
	close_embedder(&b);
	if (status == MM_OK)
		*out = made;
	else
		mmi_embedded_clear(&made);
	return status;
}

void mmi_embedded_clear(mmi_embedded *x)
{
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_free(x->of[i]);
		mmi_free(x->kind[i]);
	}
	*x = (mmi_embedded){ .n = 0 };
}

mm_status mmi_embedded_recall(const mmi_embedded *x, uint32_t from, uint32_t to, mmi_pool *pool, mmi_recall *out,
                              mm_error *e)
{
	const mmi_retrieval r = { .n = x->n,
		                      .d = MMI_MATCHER_DIM,
		                      .item = x->of[to],
		                      .item_kind = x->kind[to],
		                      .n_queries = x->n,
		                      .query = x->of[from],
		                      .query_kind = x->kind[from],
		                      .answers = x->kind[from] };
	return mmi_retrieve(&r, pool, out, e);
}

const char *mmi_matcher_text(const mmi_matcher *m, char *text, size_t size)
{
	size_t used = 0;
	text[0] = 0;
	for (uint32_t a = 0; a < m->n; a++)
		for (uint32_t b = 0; b < m->n && used < size; b++) {
			const mmi_recall *r = &m->recall[a][b];
			if (a != b)
				used += (size_t)snprintf(text + used, size - used, "%s%s -> %s %.3f %.3f %.3f of %u", used ? ", " : "",
				                         m->tower[a].modality->name, m->tower[b].modality->name, r->at[0], r->at[1],
				                         r->at[2], r->candidates);
		}
	return text;
}
