/* judge.c - the plugins' classifiers as compiled networks: applied to rows, saved and loaded. */
#include "config.h"

#include "eval/judge.h"
#include "engine/build_info.h"
#include "plugin/loader.h"
#include "store/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "mmcore judge 1"

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

static mm_status build(mmi_judge *j, const mmi_modality *modalities, uint64_t seed, mm_error *e)
{
	uint32_t present = 0;
	size_t floats = 0;
	MMI_TRY(mmi_params_create("judge", &j->params, e));
	for (uint32_t i = 0; i < j->n; i++) {
		mmi_judge_member *m = &j->member[i];
		*m = (mmi_judge_member){ .modality = &modalities[i], .present = modalities[i].classifier, .accuracy = NAN };
		present += m->present;
		floats = (size_t)modalities[i].count > floats ? (size_t)modalities[i].count : floats;
		if (m->present)
			MMI_TRY(record(j, m, e));
	}
	if (!present)
		return mmi_fail(e, MM_EUNSUPPORTED, "no modality's plugin brings a classifier (" MM_MODALITY_CLASSIFIER "), so there is nothing to "
		                "judge samples with");
	j->pad = mmi_alloc(MMI_JUDGE_CHUNK * floats, sizeof *j->pad);
	if (!j->pad)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a judge");
	MMI_TRY(mmi_params_finalise(j->params, seed, e));
	for (uint32_t i = 0; i < j->n; i++) {
		mmi_judge_member *m = &j->member[i];
		if (m->present)
			MMI_TRY(mmi_network_compile(&m->net, &mmi_backend_cpu, (mm_tensor[]){ m->logits, m->features }, 2, MMI_JUDGE_CHUNK,
			                            mmi_pool_threads(j->pool), e));
	}
	return MM_OK;
}

mm_status mmi_judge_create(const mmi_modality *modalities, size_t n, uint64_t seed, mmi_pool *pool, mmi_judge **out, mm_error *e)
{
	mmi_judge *j = mmi_alloc(1, sizeof *j);
	if (!j)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a judge");
	j->pool = pool;
	j->n = (uint32_t)n;
	mm_status status = build(j, modalities, seed, e);
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
	mmi_params_destroy(j->params);
	mmi_free(j->pad);
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
	size_t row = (size_t)chunk * MMI_JUDGE_CHUNK, classes = m->modality->info.n_classes, count = (size_t)m->modality->count;
	size_t rows = j->rows - row < MMI_JUDGE_CHUNK ? j->rows - row : MMI_JUDGE_CHUNK;
	if (rows < MMI_JUDGE_CHUNK)
		memcpy(j->j->pad, j->x + row * count, rows * count * sizeof(float));
	mmi_program_bind(p, m->x, rows < MMI_JUDGE_CHUNK ? j->j->pad : j->x + row * count);
	mmi_program_run(p);
	const float *logits = mmi_program_data(p, m->logits);
	for (size_t i = 0; i < rows; i++)
		j->class_of[row + i] = largest(logits + i * classes, (uint32_t)classes);
	if (j->features)
		memcpy(j->features + row * m->n_features, mmi_program_data(p, m->features), rows * m->n_features * sizeof *j->features);
}

void mmi_judge_run(mmi_judge *j, uint32_t m, const float *x, uint32_t rows, int32_t *class_of, float *features)
{
	mmi_judge_job job = { j, &j->member[m], x, rows, class_of, features };
	mmi_pool_run(j->pool, (rows + MMI_JUDGE_CHUNK - 1) / MMI_JUDGE_CHUNK, run_chunk, &job);
}

void mmi_judge_as_saved(const mmi_modality *m, float *x, size_t rows)
{
	const float lo = m->info.lo, range = m->info.hi - lo;
	if (!m->picture || m->info.support != MM_SUPPORT_BOX)
		return;
	for (size_t i = 0, n = rows * (size_t)m->count; i < n; i++) {
		float level = rintf((x[i] - lo) / range * 255.0f);
		x[i] = lo + fminf(fmaxf(level, 0), 255) / 255.0f * range;
	}
}

double mmi_judge_worst(const mmi_judge *j)
{
	double worst = 1;
	for (uint32_t i = 0; i < j->n; i++)
		if (j->member[i].present)
			worst = fmin(worst, j->member[i].accuracy);
	return worst;
}

const char *mmi_judge_text(const mmi_judge *j, char *text, size_t size)
{
	size_t used = 0;
	text[0] = 0;
	for (uint32_t i = 0; i < j->n && used < size; i++)
		if (j->member[i].present)
			used += (size_t)snprintf(text + used, size - used, "%s%s %.4f", used ? ", " : "", j->member[i].modality->name,
			                         j->member[i].accuracy);
	return text;
}

/* ------------------------------------------------------------ files */

/* Items of all parameters, the names with them; both freed by items_free. */
static mm_status items_make(const mmi_judge *j, mmi_tensor_item **items, char ***names, mm_error *e)
{
	size_t n = j->params->n;
	*items = mmi_alloc(n, sizeof **items);
	*names = mmi_alloc(n, sizeof **names);
	bool ok = *items && *names;
	for (size_t i = 0; i < n && ok; i++) {
		const mmi_param_info *info = &j->params->info[i];
		ok = ((*names)[i] = mmi_format("judge.%s", info->name));
		if (ok)
			(*items)[i] = mmi_item_f32((*names)[i], info->shape, j->params->raw + info->offset);
	}
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a judge's list of tensors");
}

static void items_free(const mmi_judge *j, mmi_tensor_item *items, char **names)
{
	for (size_t i = 0; names && i < j->params->n; i++)
		mmi_free(names[i]);
	mmi_free(names);
	mmi_free(items);
}

/* "org.mmcore.mnist styled-digit hidden128 0.98540000 10000": plugin, modality, features, accuracy, samples it is of. */
static char *member_text(const mmi_judge_member *m)
{
	return mmi_format("%s %s %s %.17g %lld", m->modality->plugin->entry.id, m->modality->desc->id,
	                  m->modality->classifier->features_name, m->accuracy, (long long)m->tested);
}

enum { META_FIXED = 4 };

mm_status mmi_judge_save(const mmi_judge *j, const mmi_setup *setup, const char *path, mm_error *e)
{
	mmi_text_pair meta[META_FIXED + MMI_MAX_MODALITIES] = { { "format", FORMAT }, { "version", PACKAGE_VERSION } };
	char *texts[2 + MMI_MAX_MODALITIES] = { mmi_build_text() }, **names = NULL;
	mmi_tensor_item *items = NULL;
	size_t n_meta = META_FIXED, n_texts = 2;
	mm_status status = mmi_config_resolved(setup->config, &texts[1], e);

	meta[2] = (mmi_text_pair){ "build", texts[0] };
	meta[3] = (mmi_text_pair){ "settings", texts[1] };
	bool ok = texts[0];
	for (uint32_t i = 0; i < j->n && status == MM_OK; i++)
		if (j->member[i].present) {
			char *text = texts[n_texts++] = member_text(&j->member[i]);
			ok = ok && text;
			meta[n_meta++] = (mmi_text_pair){ j->member[i].modality->name, text };
		}
	if (status == MM_OK && !ok)
		status = mmi_fail(e, MM_ENOMEM, "out of memory for a judge's metadata");
	if (status == MM_OK)
		status = items_make(j, &items, &names, e);
	if (status == MM_OK)
		status = mmi_checkpoint_save(path, items, j->params->n, meta, n_meta, e);
	items_free(j, items, names);
	for (size_t i = 0; i < n_texts; i++)
		mmi_free(texts[i]);
	return status;
}

/* What the file says about a modality must be what the modality is now. */
static mm_status check_member(mmi_judge_member *m, const mmi_checkpoint *ck, mm_error *e)
{
	const char *text = mmi_checkpoint_meta(ck, m->modality->name), *path = mmi_checkpoint_path(ck);
	char plugin[64], id[64], features[32];
	long long tested;
	if (!text)
		return mmi_fail(e, MM_ESHAPE, "%s: this judge does not know the modality \"%s\"; make one for these modalities with "
		                "mmcore judge", path, m->modality->name);
	if (sscanf(text, "%63s %63s %31s %lf %lld", plugin, id, features, &m->accuracy, &tested) != 5)
		return mmi_fail(e, MM_EFORMAT, "%s: metadata of \"%s\" is \"%.80s\"; expected plugin, modality, features, accuracy and number "
		                "of samples", path, m->modality->name, text);
	m->tested = tested;
	if (strcmp(plugin, m->modality->plugin->entry.id) || strcmp(id, m->modality->desc->id))
		return mmi_fail(e, MM_ESHAPE, "%s: this judge's \"%s\" is %s of plugin %s, but the model's is %s of plugin %s; make a judge for "
		                "these modalities with mmcore judge", path, m->modality->name, id, plugin, m->modality->desc->id,
		                m->modality->plugin->entry.id);
	if (strcmp(features, m->modality->classifier->features_name))
		return mmi_fail(e, MM_ESHAPE, "%s: this judge's features of \"%s\" are %s, but the plugin's are %s now; make a new judge with "
		                "mmcore judge", path, m->modality->name, features, m->modality->classifier->features_name);
	return MM_OK;
}

static mm_status restore(mmi_judge *j, const mmi_checkpoint *ck, mm_error *e)
{
	static const char *const others[] = { "judge." }; /* of modalities that are not asked about */
	const char *format = mmi_checkpoint_meta(ck, "format");
	mmi_tensor_item *items = NULL;
	char **names = NULL;
	if (!format || strcmp(format, FORMAT))
		return mmi_fail(e, MM_EFORMAT, "%s: its format is \"%.40s\"; expected \"" FORMAT "\", a file of mmcore judge",
		                mmi_checkpoint_path(ck), format ? format : "");
	for (uint32_t i = 0; i < j->n; i++)
		if (j->member[i].present)
			MMI_TRY(check_member(&j->member[i], ck, e));
	mm_status status = items_make(j, &items, &names, e);
	if (status == MM_OK)
		status = mmi_checkpoint_restore_part(ck, items, j->params->n, others, MMI_COUNT(others), e);
	items_free(j, items, names);
	if (status == MM_OK)
		mmi_params_update(j->params, 0);
	return status;
}

mm_status mmi_judge_open(const char *path, const mmi_modality *modalities, size_t n, mmi_pool *pool, mmi_judge **out, mm_error *e)
{
	mmi_checkpoint *ck;
	mmi_judge *j = NULL;
	MMI_TRY(mmi_checkpoint_open(path, &ck, e));
	mm_status status = mmi_judge_create(modalities, n, 0, pool, &j, e);
	if (status == MM_OK)
		status = restore(j, ck, e);
	mmi_checkpoint_close(ck);
	if (status == MM_OK)
		*out = j;
	else
		mmi_judge_destroy(j);
	return status;
}
