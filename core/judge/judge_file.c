/* judge_file.c - the judge as a safetensors file: what it says about itself is checked before it judges anything. */
#include "mmi_build.h"

#include "judge/judge.h"
#include "engine/build_info.h"
#include "plugin/loader.h"
#include "store/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "mmcore judge 1"

/* ------------------------------------------------------------ tensors */

/* Items of all parameters, and the names with them. */
typedef struct item_list {
	mmi_tensor_item *item;
	char **name;
	size_t n;
} item_list;

static void items_clear(item_list *l)
{
	for (size_t i = 0; l->name && i < l->n; i++)
		mmi_free(l->name[i]);
	mmi_free(l->name);
	mmi_free(l->item);
}

static bool items_add(item_list *l, const mmi_params *p)
{
	mmi_params_fetch(p);
	for (size_t i = 0; i < p->n; i++, l->n++) {
		const mmi_param_info *info = &p->info[i];
		if (!(l->name[l->n] = mmi_format("%s.%s", p->name, info->name)))
			return false;
		l->item[l->n] = mmi_item_f32(l->name[l->n], info->shape, (float *)p->raw_copy.host + info->offset);
	}
	return true;
}

/* What the plugins had learned from their data: without it a judge would not know the language of its captions. */
static bool items_add_state(item_list *l, const mmi_modality *m)
{
	if (!m->state)
		return true;
	if (!(l->name[l->n] = mmi_format(MMI_STATE_TENSOR, m->name)))
		return false;
	l->item[l->n] = (mmi_tensor_item){
		.name = l->name[l->n], .dtype = MMI_U8, .rank = 1, .dim = { (int64_t)m->state_bytes }, .data = m->state
	};
	l->n++;
	return true;
}

static mm_status items_make(const mmi_judge *j, item_list *l, mm_error *e)
{
	size_t n = j->params->n + (j->matcher ? j->matcher->params->n : 0) + j->n;
	*l = (item_list){ .item = mmi_alloc(n, sizeof *l->item), .name = mmi_alloc(n, sizeof *l->name) };
	bool ok = l->item && l->name && items_add(l, j->params) && (!j->matcher || items_add(l, j->matcher->params));
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a judge's list of tensors");
}

/* ------------------------------------------------------------ what a judge says about itself */

enum { FACTS = 7 + MMI_MAX_MODALITIES * (MMI_MAX_MODALITIES + 1) };

typedef struct fact_list {
	mmi_text_pair pair[FACTS];
	char *text[2 * FACTS]; /* keys and values, owned */
	size_t n;
	bool failed;
} fact_list;

/* Takes both texts, which are NULL when memory ran out. */
static void facts_add(fact_list *f, char *key, char *value)
{
	f->failed = f->failed || !key || !value;
	f->text[2 * f->n] = key;
	f->text[2 * f->n + 1] = value;
	f->pair[f->n++] = (mmi_text_pair){ key, value };
}

static void facts_clear(fact_list *f)
{
	for (size_t i = 0; i < 2 * f->n; i++)
		mmi_free(f->text[i]);
}

/* "org.mmcore.mnist styled-digit hidden128 0.98540000 10000": plugin, modality, features, accuracy, samples it is of.
 */
static char *member_text(const mmi_judge_member *m)
{
	return mmi_format("%s %s %s %.17g %lld", m->modality->plugin->entry.id, m->modality->desc->id,
	                  m->modality->classifier->features_name, m->accuracy, (long long)m->tested);
}

static char *recall_text(const mmi_recall *r)
{
	return mmi_format("%.17g %.17g %.17g %.17g %.17g %.17g %.17g %u %u", r->at[0], r->at[1], r->at[2], r->chance[0],
	                  r->chance[1], r->chance[2], r->area, r->queries, r->candidates);
}

static bool recall_read(const char *text, mmi_recall *r)
{
	return sscanf(text, "%lf %lf %lf %lf %lf %lf %lf %u %u", &r->at[0], &r->at[1], &r->at[2], &r->chance[0],
	              &r->chance[1], &r->chance[2], &r->area, &r->queries, &r->candidates) == 9;
}

static void add_matcher(const mmi_matcher *m, fact_list *f)
{
	facts_add(f, mmi_strdup("matcher"), mmi_format("%d", MMI_MATCHER_DIM));
	for (uint32_t i = 0; i < m->n; i++) {
		const mmi_modality *from = m->tower[i].modality;
		facts_add(f, mmi_format("matcher %s", from->name), mmi_format("%s %s", from->plugin->entry.id, from->desc->id));
		for (uint32_t k = 0; k < m->n; k++)
			if (k != i)
				facts_add(f, mmi_format("matcher %s -> %s", from->name, m->tower[k].modality->name),
				          recall_text(&m->recall[i][k]));
	}
}

static mm_status facts_make(const mmi_judge *j, const mmi_setup *setup, fact_list *f, mm_error *e)
{
	char *settings;
	MMI_TRY(mmi_config_portable(setup->config, "plugin", "plugin_path", &settings, e));
	facts_add(f, mmi_strdup("format"), mmi_strdup(FORMAT));
	facts_add(f, mmi_strdup("version"), mmi_strdup(PACKAGE_VERSION));
	facts_add(f, mmi_strdup("build"), mmi_build_text(&setup->device));
	facts_add(f, mmi_strdup("settings"), settings);
	facts_add(f, mmi_strdup("split seed"), mmi_format("%llu", (unsigned long long)setup->settings.seed));
	facts_add(f, mmi_strdup("split holdout"), mmi_format("%u", setup->settings.holdout));
	for (uint32_t i = 0; i < j->n; i++)
		if (j->member[i].present)
			facts_add(f, mmi_strdup(j->member[i].modality->name), member_text(&j->member[i]));
	if (j->matcher)
		add_matcher(j->matcher, f);
	return f->failed ? mmi_fail(e, MM_ENOMEM, "out of memory for a judge's metadata") : MM_OK;
}

mm_status mmi_judge_save(const mmi_judge *j, const mmi_setup *setup, const char *path, mm_error *e)
{
	fact_list facts = { .n = 0 };
	item_list items = { .n = 0 };
	mm_status status = facts_make(j, setup, &facts, e);
	if (status == MM_OK)
		status = items_make(j, &items, e);
	for (size_t i = 0; status == MM_OK && i < j->n; i++)
		if (!items_add_state(&items, &setup->modalities[i]))
			status = mmi_fail(e, MM_ENOMEM, "out of memory for a judge's list of tensors");
	if (status == MM_OK)
		status = mmi_checkpoint_save(path, items.item, items.n, facts.pair, facts.n, e);
	items_clear(&items);
	facts_clear(&facts);
	return status;
}

/* ------------------------------------------------------------ reading */

static mm_status check_owner(const mmi_modality *m, const char *plugin, const char *id, const char *path, mm_error *e)
{
	if (!strcmp(plugin, m->plugin->entry.id) && !strcmp(id, m->desc->id))
		return MM_OK;
	return mmi_fail(e, MM_ESHAPE,
	                "%s: this judge's \"%s\" is %s of plugin %s, but the model's is %s of plugin %s; make a judge for "
	                "these modalities with mmcore judge",
	                path, m->name, id, plugin, m->desc->id, m->plugin->entry.id);
}

static mm_status is_unknown(const mmi_modality *m, const char *path, mm_error *e)
{
	return mmi_fail(e, MM_ESHAPE,
	                "%s: this judge does not know the modality \"%s\"; make one for these modalities with mmcore judge",
	                path, m->name);
}

/* What the file says about a modality must be what the modality is now. */
static mm_status check_member(mmi_judge_member *m, const mmi_checkpoint *ck, mm_error *e)
{
	const char *text = mmi_checkpoint_meta(ck, m->modality->name), *path = mmi_checkpoint_path(ck);
	char plugin[64], id[64], features[32];
	long long tested;
	if (!text)
		return is_unknown(m->modality, path, e);
	if (sscanf(text, "%63s %63s %31s %lf %lld", plugin, id, features, &m->accuracy, &tested) != 5)
		return mmi_fail(e, MM_EFORMAT,
		                "%s: metadata of \"%s\" is \"%.80s\"; expected plugin, modality, features, accuracy and number "
		                "of samples",
		                path, m->modality->name, text);
	m->tested = tested;
	MMI_TRY(check_owner(m->modality, plugin, id, path, e));
	if (strcmp(features, m->modality->classifier->features_name))
		return mmi_fail(
			e, MM_ESHAPE,
			"%s: this judge's features of \"%s\" are %s, but the plugin's are %s now; make a new judge with "
			"mmcore judge",
			path, m->modality->name, features, m->modality->classifier->features_name);
	return MM_OK;
}

static mm_status read_recall(mmi_matcher *m, uint32_t from, uint32_t to, const mmi_checkpoint *ck, mm_error *e)
{
	const char *a = m->tower[from].modality->name, *b = m->tower[to].modality->name;
	char key[96];
	snprintf(key, sizeof key, "matcher %s -> %s", a, b);
	const char *text = mmi_checkpoint_meta(ck, key);
	if (text && recall_read(text, &m->recall[from][to]))
		return MM_OK;
	return mmi_fail(e, MM_EFORMAT,
	                "%s: metadata \"%s\" is \"%.80s\"; expected nine numbers, the recall of one by the other",
	                mmi_checkpoint_path(ck), key, text ? text : "");
}

static mm_status check_tower(const mmi_matcher *m, uint32_t i, const mmi_checkpoint *ck, mm_error *e)
{
	const mmi_modality *modality = m->tower[i].modality;
	const char *path = mmi_checkpoint_path(ck);
	char key[48], plugin[64], id[64];
	snprintf(key, sizeof key, "matcher %s", modality->name);
	const char *text = mmi_checkpoint_meta(ck, key);
	if (!text)
		return is_unknown(modality, path, e);
	if (sscanf(text, "%63s %63s", plugin, id) != 2)
		return mmi_fail(e, MM_EFORMAT, "%s: metadata \"%s\" is \"%.80s\"; expected plugin and modality", path, key,
		                text);
	return check_owner(modality, plugin, id, path, e);
}

static mm_status check_matcher(mmi_matcher *m, const mmi_checkpoint *ck, mm_error *e)
{
	for (uint32_t i = 0; i < m->n; i++)
		MMI_TRY(check_tower(m, i, ck, e));
	for (uint32_t i = 0; i < m->n; i++)
		for (uint32_t k = 0; k < m->n; k++)
			if (k != i)
				MMI_TRY(read_recall(m, i, k, ck, e));
	return MM_OK;
}

static void read_split(mmi_judge *j, const mmi_checkpoint *ck)
{
	const char *seed = mmi_checkpoint_meta(ck, "split seed"), *holdout = mmi_checkpoint_meta(ck, "split holdout");
	j->split_known = seed && holdout;
	j->seed = j->split_known ? strtoull(seed, NULL, 10) : 0;
	j->holdout = j->split_known ? (uint32_t)strtoul(holdout, NULL, 10) : 0;
}

static mm_status check_facts(mmi_judge *j, const mmi_checkpoint *ck, mm_error *e)
{
	read_split(j, ck);
	for (uint32_t i = 0; i < j->n; i++)
		if (j->member[i].present)
			MMI_TRY(check_member(&j->member[i], ck, e));
	return j->matcher ? check_matcher(j->matcher, ck, e) : MM_OK;
}

static void load(mmi_params *p)
{
	mmi_params_push(p);
	mmi_params_update(p, 0);
}

static mm_status restore(mmi_judge *j, const mmi_modality *modalities, const mmi_checkpoint *ck, mm_error *e)
{
	static const char *const others[] = { "judge.", "matcher.",
		                                  "modality." }; /* of modalities that are not asked about, and states */
	item_list items = { .n = 0 };
	MMI_TRY(check_facts(j, ck, e));
	mm_status status = items_make(j, &items, e);
	if (status == MM_OK)
		status = mmi_checkpoint_restore_part(ck, items.item, items.n, others, MMI_COUNT(others), e);
	items_clear(&items);
	if (status == MM_OK)
		status = mmi_check_states(modalities, j->n, ck, "make a judge for this data with mmcore judge", e);
	if (status == MM_OK && j->present)
		load(j->params);
	if (status == MM_OK && j->matcher)
		load(j->matcher->params);
	return status;
}

static mm_status check_format(const mmi_checkpoint *ck, mm_error *e)
{
	const char *format = mmi_checkpoint_meta(ck, "format");
	if (format && !strcmp(format, FORMAT))
		return MM_OK;
	return mmi_fail(e, MM_EFORMAT, "%s: its format is \"%.40s\"; expected \"" FORMAT "\", a file of mmcore judge",
	                mmi_checkpoint_path(ck), format ? format : "");
}

mm_status mmi_judge_open(const char *path, const mmi_device *device, const mmi_modality *modalities, size_t n,
                         mmi_pool *pool, mmi_judge **out, mm_error *e)
{
	mmi_checkpoint *ck;
	mmi_judge *j = NULL;
	MMI_TRY(mmi_checkpoint_open(path, &ck, e));
	mm_status status = check_format(ck, e);
	if (status == MM_OK)
		status = mmi_judge_create(device, modalities, n, n > 1 && mmi_checkpoint_meta(ck, "matcher"), 0, pool, &j, e);
	if (status == MM_OK)
		status = restore(j, modalities, ck, e);
	mmi_checkpoint_close(ck);
	if (status == MM_OK)
		*out = j;
	else
		mmi_judge_destroy(j);
	return status;
}
