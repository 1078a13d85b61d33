/* judge.c - the plugins' classifiers as compiled networks, and their application to rows. */
#include "mmi_build.h"

#include "judge/judge.h"

#include <math.h>
#include <stdio.h>

/* ------------------------------------------------------------ life */

static mm_status record(mmi_judge *j, mmi_judge_member *m, mm_error *e)
{
	MMI_TRY(mmi_network_open(&m->net, e));
	mmi_graph_scope(m->net.graph, j->params, "%s", m->modality->name);
	m->x = mmi_input(m->net.graph, m->modality->name, m->modality->info.shape);
	MMI_TRY(mmi_modality_build_classifier(m->modality, m->net.graph, m->x, &m->logits, &m->features, e));
	m->n_features = (uint32_t)mmi_graph_node(m->net.graph, m->features)->shape.dim[0];
	return MM_OK;
}

static mm_status build(mmi_judge *j, const mmi_device *device, const mmi_modality *modalities, bool matcher,
                       uint64_t seed, mm_error *e)
{
	MMI_TRY(mmi_params_create(device, "judge", &j->params, e));
	for (uint32_t i = 0; i < j->n; i++) {
		mmi_judge_member *m = &j->member[i];
		*m = (mmi_judge_member){ .modality = &modalities[i], .present = modalities[i].classifier, .accuracy = NAN };
		j->present += m->present;
		j->most_classes =
			modalities[i].info.n_classes > j->most_classes ? modalities[i].info.n_classes : j->most_classes;
		if (m->present)
			MMI_TRY(record(j, m, e));
	}
	char why[300];
	if (!j->present && !matcher)
		return mmi_fail(e, MM_EUNSUPPORTED, "there is nothing to judge samples with: %s",
		                mmi_judge_lacks(modalities, j->n, why, sizeof why));
	j->logits = mmi_alloc((size_t)mmi_pool_threads(j->pool) * MMI_JUDGE_CHUNK * j->most_classes, sizeof *j->logits);
	if (!j->logits)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a judge");
	if (j->present)
		MMI_TRY(mmi_params_finalise(j->params, seed, e));
	for (uint32_t i = 0; i < j->n; i++) {
		mmi_judge_member *m = &j->member[i];
		if (m->present)
			MMI_TRY(mmi_network_compile(&m->net, device, (mm_tensor[]){ m->logits, m->features }, 2, MMI_JUDGE_CHUNK,
			                            mmi_pool_threads(j->pool), e));
	}
	return matcher ? mmi_matcher_create(device, modalities, j->n, seed, j->pool, &j->matcher, e) : MM_OK;
}

mm_status mmi_judge_create(const mmi_device *device, const mmi_modality *modalities, size_t n, bool matcher,
                           uint64_t seed, mmi_pool *pool, mmi_judge **out, mm_error *e)
{
	mmi_judge *j = mmi_alloc(1, sizeof *j);
	if (!j)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a judge");
	j->pool = pool;
	j->n = (uint32_t)n;
	mm_status status = build(j, device, modalities, matcher, seed, e);
	if (status != MM_OK) {
		mmi_judge_destroy(j);
		return status;
	}
	*out = j;
	return MM_OK;
}

void mmi_judge_destroy(mmi_judge *j)
{
	if (!j)
		return;
	for (uint32_t i = 0; i < j->n; i++)
		mmi_network_clear(&j->member[i].net);
	mmi_matcher_destroy(j->matcher);
	mmi_params_destroy(j->params);
	mmi_free(j->logits);
	mmi_free(j);
}

/* ------------------------------------------------------------ use */

typedef struct mmi_judge_job {
	const mmi_judge *j;
	const mmi_judge_member *m;
	const float *x;
	uint32_t rows;
	int32_t *class_of;
	float *features;
} mmi_judge_job;

static int32_t largest(const float *x, uint32_t n)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < n; i++)
		if (x[i] > x[best])
			best = i;
	return (int32_t)best;
}

static void run_chunk(void *ctx, uint32_t chunk, uint32_t worker)
{
	const mmi_judge_job *j = ctx;
	const mmi_judge_member *m = j->m;
	mmi_program *p = m->net.programs[worker];
	size_t row = (size_t)chunk * MMI_JUDGE_CHUNK, classes = m->modality->info.n_classes,
		   count = (size_t)m->modality->count;
	size_t rows = j->rows - row < MMI_JUDGE_CHUNK ? j->rows - row : MMI_JUDGE_CHUNK;
	float *logits = j->j->logits + (size_t)worker * MMI_JUDGE_CHUNK * j->j->most_classes;
	/* The last rows may be fewer than a chunk; what the program has behind them is of no account. */
	mmi_program_write(p, m->x, (int64_t)rows, j->x + row * count);
	mmi_program_run(p);
	mmi_program_read(p, m->logits, (int64_t)rows, logits);
	for (size_t i = 0; i < rows; i++)
		j->class_of[row + i] = largest(logits + i * classes, (uint32_t)classes);
	if (j->features)
		mmi_program_read(p, m->features, (int64_t)rows, j->features + row * m->n_features);
}

void mmi_judge_run(mmi_judge *j, uint32_t m, const float *x, uint32_t rows, int32_t *class_of, float *features)
{
	mmi_judge_job job = { j, &j->member[m], x, rows, class_of, features };
	mmi_pool_run(j->pool, (rows + MMI_JUDGE_CHUNK - 1) / MMI_JUDGE_CHUNK, run_chunk, &job);
}

void mmi_judge_as_saved(const mmi_modality *m, float *x, size_t rows)
{
	const float lo = m->info.lo, range = m->info.hi - lo;
	for (size_t r = 0; m->saved && r < rows; r++)
		mmi_modality_round(m, x + r * (size_t)m->count);
	if (m->saved || !m->picture || m->info.support != MM_SUPPORT_BOX)
		return;
	for (size_t i = 0, n = rows * (size_t)m->count; i < n; i++) {
		float level = rintf((x[i] - lo) / range * 255.0f);
		x[i] = lo + fminf(fmaxf(level, 0), 255) / 255.0f * range;
	}
}

const char *mmi_judge_lack(const mmi_modality *m)
{
	return m->info.n_classes < 2 ? "has fewer than two classes"
	                             : "has a plugin without a classifier (" MM_MODALITY_CLASSIFIER ")";
}

const char *mmi_judge_lacks(const mmi_modality *modalities, size_t n, char *text, size_t size)
{
	size_t used = 0;
	text[0] = 0;
	for (size_t i = 0; i < n && used < size; i++)
		if (!modalities[i].classifier)
			used += (size_t)snprintf(text + used, size - used, "%s[%s] %s", used ? ", " : "", modalities[i].name,
			                         mmi_judge_lack(&modalities[i]));
	return text;
}

const char *mmi_judge_text(const mmi_judge *j, char *text, size_t size)
{
	size_t used = 0;
	text[0] = 0;
	for (uint32_t i = 0; i < j->n && used < size; i++)
		if (j->member[i].present)
			used += (size_t)snprintf(text + used, size - used, "%s%s %.4f", used ? ", " : "",
			                         j->member[i].modality->name, j->member[i].accuracy);
	return text;
}
