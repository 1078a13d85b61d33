/* setup.c - modalities from settings and plugin names. */
#include "mmi_build.h"

#include "run/setup.h"
#include "engine/processors.h"
#include "backend/cpu/device.h"
#include "backend/cpu/isa.h"
#include "engine/build_info.h"
#include "backend/cuda/open.h"
#include "comm/launch.h"
#include "store/runfolder.h"

#include <stdio.h>
#include <string.h>

static bool known(const mmi_setup *s, const char *name)
{
	for (size_t i = 0; i < s->n_modalities; i++)
		if (!strcmp(s->modalities[i].name, name))
			return true;
	return false;
}

/* ------------------------------------------------------------ what a checkpoint keeps of the plugins */

/* What the modality's plugin had learned from its data: *bytes is mmi_freed, NULL when the checkpoint has nothing. */
static mm_status read_state(const mmi_checkpoint *ck, const char *name, void **bytes, size_t *size, mm_error *e)
{
	char tensor[64];
	snprintf(tensor, sizeof tensor, MMI_STATE_TENSOR, name);
	const mmi_safetensors *file = mmi_checkpoint_tensors(ck);
	const mmi_tensor_info *found = mmi_safetensors_find(file, tensor);
	*bytes = NULL;
	if (!found)
		return MM_OK;
	*size = (size_t)(found->end - found->begin);
	void *block = found->dtype == MMI_U8 ? mmi_alloc(*size, 1) : NULL;
	if (!block)
		return mmi_fail(e, found->dtype == MMI_U8 ? MM_ENOMEM : MM_EFORMAT,
		                "%s: tensor '%s' is %s of %zu bytes; expected U8 that fits memory", mmi_checkpoint_path(ck),
		                tensor, mmi_dtype_name(found->dtype), *size);
	mm_status status = mmi_safetensors_read(file, found, block, *size, e);
	if (status != MM_OK) {
		mmi_free(block);
		return status;
	}
	*bytes = block;
	return MM_OK;
}

mm_status mmi_check_states(const mmi_modality *modalities, size_t n, const mmi_checkpoint *ck, const char *so,
                           mm_error *e)
{
	for (size_t i = 0; i < n; i++) {
		const mmi_modality *m = &modalities[i];
		void *bytes;
		size_t size = 0;
		MMI_TRY(read_state(ck, m->name, &bytes, &size, e));
		bool same = !bytes || (m->state && size == m->state_bytes && !memcmp(bytes, m->state, size));
		mmi_free(bytes);
		if (!same)
			return mmi_fail(e, MM_ECONFIG,
			                "%s: what plugin %s learned from the data of [%s] then is not what it has learned now; %s",
			                mmi_checkpoint_path(ck), m->plugin->entry.id, m->name, so);
	}
	return MM_OK;
}

/* The value of NAME=VALUE in a list with commas; NULL when there is none. mmi_free. */
static char *find_value(const char *list, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, name, length) && at[length] == '=')
			return mmi_format("%.*s", (int)strcspn(at + length + 1, ","), at + length + 1);
	}
	return NULL;
}

static mm_status create_modality(mmi_setup *s, const char *name, const mmi_plugin *plugin, mmi_modality *out,
                                 mm_error *e)
{
	void *bytes = NULL;
	size_t size = 0;
	if (!s->states)
		return mmi_modality_create(s->registry, s->config, name, plugin, NULL, out, e);
	MMI_TRY(read_state(s->states, name, &bytes, &size, e));
	char *owner = find_value(mmi_checkpoint_meta(s->states, "plugins"), name);
	char *version = find_value(mmi_checkpoint_meta(s->states, "plugin_versions"), name);
	const mmi_modality_state state = { .owner = owner, .bytes = bytes, .size = size, .version = version };
	mm_status status = mmi_modality_restore(s->registry, s->config, name, plugin, NULL, &state, out, e);
	mmi_free(version);
	mmi_free(owner);
	mmi_free(bytes);
	return status;
}

/* "m0=VALUE,m1=VALUE"; the values are mmi_freed. */
static char *list_values(const mmi_setup *s, char *(*value)(const mmi_modality *m))
{
	char *all = mmi_strdup("");
	for (size_t i = 0; all && i < s->n_modalities; i++) {
		char *one = value(&s->modalities[i]);
		char *longer = one ? mmi_format("%s%s%s=%s", all, i ? "," : "", s->modalities[i].name, one) : NULL;
		mmi_free(one);
		mmi_free(all);
		all = longer;
	}
	return all;
}

char *mmi_setup_plugins(const mmi_setup *s)
{
	return list_values(s, mmi_modality_owner);
}

/* Any text may be a version; the list has commas. */
static char *version_of(const mmi_modality *m)
{
	const char *version = m->plugin->entry.version;
	return mmi_format("%.*s", (int)strcspn(version, ","), version);
}

char *mmi_setup_versions(const mmi_setup *s)
{
	return list_values(s, version_of);
}

/* ------------------------------------------------------------ modalities */

/* A plugin of the command line. */
typedef struct named_plugin {
	char name[32]; /* of the modality it serves */
	bool by_name;  /* "NAME=FILE" */
	const mmi_plugin *plugin;
} named_plugin;

typedef struct named_plugins {
	named_plugin item[MMI_MAX_MODALITIES];
	size_t n;
} named_plugins;

static const mmi_plugin *plugin_for(const named_plugins *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (!strcmp(g->item[i].name, name))
			return g->item[i].plugin;
	return NULL;
}

/* A file is code that runs: which one, a checkpoint that anyone may have written cannot say. */
static mm_status check_file(const mmi_setup *s, const char *name, mm_error *e)
{
	const char *file = mmi_config_given(s->config, name, "plugin");
	if (!s->states || !s->untrusted || mmi_config_has_option(s->config, name, "plugin") || !file || !strchr(file, '/'))
		return MM_OK;
	const char *base = strrchr(file, '/') + 1;
	return mmi_fail(
		e, MM_ECONFIG,
		"%s: [%s] its plugin is the file %.200s; a checkpoint cannot choose which file is run: give --plugin %s=FILE, "
		"if you trust one, e.g. --plugin %s=%.60s from the search path",
		mmi_checkpoint_path(s->states), name, file, name, name, base);
}

static mm_status add_modality(mmi_setup *s, const char *name, const mmi_plugin *plugin, mm_error *e)
{
	if (s->n_modalities == MMI_MAX_MODALITIES)
		return mmi_fail(e, MM_ECONFIG, "modality \"%s\" is one too many; at most %d are possible", name,
		                MMI_MAX_MODALITIES);
	if (!plugin)
		MMI_TRY(check_file(s, name, e));
	MMI_TRY(create_modality(s, name, plugin, &s->modalities[s->n_modalities], e));
	s->n_modalities++;
	return MM_OK;
}

/* "[NAME=]FILE" */
static mm_status open_plugin(mmi_setup *s, const char *argument, named_plugins *g, mm_error *e)
{
	const mm_modality_desc *desc;
	const char *equals = strchr(argument, '=');
	size_t length = equals ? (size_t)(equals - argument) : 0;
	named_plugin *x = &g->item[g->n], made = { .by_name = equals };
	if (equals && (length == 0 || length >= sizeof made.name))
		return mmi_fail(e, MM_ECONFIG, "--plugin %s: the name before '=' has %zu characters; expected 1 to %zu",
		                argument, length, sizeof made.name - 1);
	MMI_TRY(mmi_registry_open(s->registry, equals ? equals + 1 : argument, &made.plugin, e));
	MMI_TRY(mmi_plugin_modality(made.plugin, NULL, &desc, e));
	snprintf(made.name, sizeof made.name, "%.*s", equals ? (int)length : 31, equals ? argument : desc->default_name);
	if (plugin_for(g, made.name))
		return mmi_fail(e, MM_ECONFIG,
		                "modality \"%s\" is named twice; give each instance its own name (--plugin NAME=FILE)",
		                made.name);
	if (g->n == MMI_MAX_MODALITIES)
		return mmi_fail(e, MM_ECONFIG, "modality \"%s\" is one too many; at most %d are possible", made.name,
		                MMI_MAX_MODALITIES);
	*x = made;
	g->n++;
	return MM_OK;
}

static bool listed(const char *names, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = names; *at; at += *at == ',') {
		size_t here = strcspn(at, ",");
		if (here == length && !strncmp(at, name, length))
			return true;
		at += here;
	}
	return false;
}

/* Those of the checkpoint, in its order. */
static mm_status add_remembered(mmi_setup *s, const named_plugins *g, const char *names, mm_error *e)
{
	char name[32];
	for (size_t i = 0; i < g->n; i++)
		if (!listed(names, g->item[i].name))
			return mmi_fail(e, MM_ECONFIG, "--plugin: the checkpoint has no modality \"%s\"; it has %.200s",
			                g->item[i].name, names);
	for (int used; names && sscanf(names, "%31[^,]%n", name, &used) == 1; names = names[used] ? names + used + 1 : NULL)
		if (!known(s, name))
			MMI_TRY(add_modality(s, name, plugin_for(g, name), e));
	return s->n_modalities ? MM_OK
	                       : mmi_fail(e, MM_EFORMAT, "%s: it names no modality", mmi_checkpoint_path(s->states));
}

/* Sections of the INI in its order, whoever names their plugin; then what the command line adds. */
static mm_status add_modalities(mmi_setup *s, const mmi_setup_request *r, const char *remembered, mm_error *e)
{
	named_plugins g = { .n = 0 };
	for (size_t i = 0; i < r->n_plugins; i++)
		MMI_TRY(open_plugin(s, r->plugins[i], &g, e));
	if (remembered)
		return add_remembered(s, &g, remembered, e);
	for (size_t i = 0; i < mmi_config_sections(s->config); i++) {
		const char *section = mmi_config_section(s->config, i);
		const mmi_plugin *plugin = plugin_for(&g, section);
		if (plugin || mmi_config_has(s->config, section, "plugin"))
			MMI_TRY(add_modality(s, section, plugin, e));
	}
	size_t in_file = s->n_modalities;
	for (size_t i = 0; i < g.n; i++) {
		if (known(s, g.item[i].name))
			continue;
		if (in_file && g.item[i].by_name)
			mmi_logf(r->log, MM_LOG_WARNING,
			         "--plugin %s=...: %s has no section [%s]; it is one more modality, after those of the file",
			         g.item[i].name, r->ini, g.item[i].name);
		MMI_TRY(add_modality(s, g.item[i].name, g.item[i].plugin, e));
	}
	if (s->n_modalities == 0)
		return mmi_fail(e, MM_ECONFIG,
		                "no modality: give --plugin [NAME=]FILE, or a section of the INI with a key \"plugin\"");
	return MM_OK;
}

/* ------------------------------------------------------------ the whole */

/* A GPU shares rows out by itself, so one thread drives it. The ranks on a host have a card each, as far as they go. */
static mm_status open_cuda(mmi_setup *s, mm_error *e)
{
	static const mmi_cuda_precision precisions[] = { [MMI_PRECISION_TF32] = MMI_CUDA_TF32,
		                                             [MMI_PRECISION_FLOAT32] = MMI_CUDA_FLOAT32,
		                                             [MMI_PRECISION_BFLOAT16] = MMI_CUDA_BFLOAT16 };
	if (mmi_cuda_open(precisions[s->settings.precision], mmi_launch_read().local, &s->device, e) != MM_OK)
		return mmi_fail_prefix(e, "[run] device = cuda");
	s->settings.threads = 1;
	s->settings.chunk = s->settings.device_chunk ? s->settings.device_chunk : s->settings.batch;
	return MM_OK;
}

static void tell_precision(const mmi_device *device, const mmi_log *log)
{
	mm_error e = MM_ERROR_INIT;
	const mmi_isa *isa = device->own;
	if (mmi_isa_wants_onednn(&e) != MM_OK)
		mmi_logf(log, MM_LOG_WARNING, "[run] precision = bfloat16: %s; products by %s", e.message, device->text);
	else if (mmi_cpu_device_emulates(device))
		mmi_logf(log, MM_LOG_WARNING,
		         "[run] precision = bfloat16: this processor has no AVX512-BF16, or may not use it; products are "
		         "emulated (%s), slower than in float32",
		         device->text);
	else
		mmi_logf(log, MM_LOG_INFO, "[run] precision = bfloat16: products by %s%s%s",
		         isa->onednn ? "" : "the processor's own (", device->text, isa->onednn ? "" : ")");
}

/* Settings have checked the name. auto is the host until a card has confirmed the backend. */
static mm_status open_device(mmi_setup *s, const mmi_log *log, mm_error *e)
{
	if (!strcmp(s->settings.device, "cuda"))
		return open_cuda(s, e);
	if (s->settings.precision != MMI_PRECISION_BFLOAT16) {
		s->device = mmi_cpu_device();
		return MM_OK;
	}
	s->device = mmi_cpu_device_bf16();
	tell_precision(&s->device, log);
	return MM_OK;
}

/* Workers that wait for a processor make all others wait for them. */
static void tell_threads(uint32_t threads, const mmi_log *log)
{
	const uint32_t processors = mmi_processors();
	if (threads > 2 * processors)
		mmi_logf(
			log, MM_LOG_WARNING,
			"[run] threads = %u, but this process has the time of %u processor%s: that many threads make it slower",
			threads, processors, MMI_S(processors));
}

/* `order`: names of modalities as a checkpoint remembers them, or NULL. */
static mm_status build(mmi_setup *s, const mmi_setup_request *r, const char *order, mm_error *e)
{
	for (size_t i = 0; i < r->n_sets; i++)
		MMI_TRY(mmi_config_set(s->config, r->sets[i], e));
	MMI_TRY(mmi_settings_read(s->config, &s->settings, e));
	MMI_TRY(mmi_registry_create(s->settings.seed, r->log, s->settings.plugin_path, &s->registry, e));
	MMI_TRY(add_modalities(s, r, order, e));
	MMI_TRY(mmi_config_check(s->config, e));
	MMI_TRY(open_device(s, r->log, e));
	s->comm = mmi_comm_alone();
	tell_threads(s->settings.threads, r->log);
	return mmi_pool_create(s->settings.threads, &s->pool, e);
}

static mm_status finish(mmi_setup *s, mm_status status, mmi_setup *out)
{
	s->states = NULL;
	if (status == MM_OK)
		*out = *s;
	else
		mmi_setup_close(s);
	return status;
}

mm_status mmi_setup_open(const mmi_setup_request *r, mmi_setup *out, mm_error *e)
{
	mmi_setup s = { .n_modalities = 0 };
	MMI_TRY(mmi_config_load(r->ini, &s.config, e));
	return finish(&s, build(&s, r, NULL, e), out);
}

mm_status mmi_setup_resume(const mmi_setup_request *r, const char *folder, mmi_setup *out, mm_error *e)
{
	mmi_setup s = { .n_modalities = 0 };
	mmi_checkpoint *ck = NULL;
	char *checkpoints = mmi_runfolder_checkpoints_in(folder);
	mm_status status =
		checkpoints ? mmi_checkpoint_latest(checkpoints, NULL, &ck, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_free(checkpoints);
	MMI_TRY(status);
	s.states = ck;
	status = mmi_config_load(r->ini, &s.config, e);
	if (status == MM_OK)
		status = build(&s, r, NULL, e);
	status = finish(&s, status, out);
	mmi_checkpoint_close(ck);
	return status;
}

/* Where the caller has the run's INI, its files are the user's own choice. */
static mm_status take_plugins(mmi_config *to, const char *ini, mm_error *e)
{
	mmi_config *from;
	MMI_TRY(mmi_config_load(ini, &from, e));
	mm_status status = MM_OK;
	for (size_t i = 0; i < mmi_config_sections(from) && status == MM_OK; i++) {
		const char *section = mmi_config_section(from, i), *key = !strcmp(section, "run") ? "plugin_path" : "plugin";
		const char *value = mmi_config_given(from, section, key), *path = value;
		if (!value)
			continue;
		if (strchr(value, '/') && !strcmp(key, "plugin"))
			status = mmi_config_path(from, section, key, NULL, &path, e);
		char *assignment = status == MM_OK ? mmi_format("%s.%s=%s", section, key, path) : NULL;
		if (status == MM_OK)
			status = assignment ? mmi_config_set(to, assignment, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
		mmi_free(assignment);
	}
	mmi_config_destroy(from);
	return status;
}

mm_status mmi_setup_reopen(const mmi_checkpoint *ck, const mmi_setup_request *r, mmi_setup *out, mm_error *e)
{
	mmi_setup s = { .n_modalities = 0 };
	const char *text = mmi_checkpoint_meta(ck, "settings"), *order = mmi_checkpoint_meta(ck, "modalities");
	if (!text || !order)
		return mmi_fail(e, MM_EFORMAT, "%s: no settings in its metadata; expected a checkpoint written by mmcore train",
		                mmi_checkpoint_path(ck));
	MMI_TRY(mmi_config_load_text(mmi_checkpoint_path(ck), text, &s.config, e));
	s.states = ck;
	s.untrusted = true;
	mmi_config_forget(s.config, "run", "plugin_path");
	mm_status status = mmi_settings_migrate(s.config, e);
	if (status == MM_OK && r->ini)
		status = take_plugins(s.config, r->ini, e);
	return finish(&s, status == MM_OK ? build(&s, r, order, e) : status, out);
}

mm_status mmi_setup_tuples(const mmi_setup *s, mmi_part part, const mmi_log *log, mmi_tuples **out, mm_error *e)
{
	const mmi_settings *set = &s->settings;
	if (!set->keep_incomplete)
		return mmi_tuples_open(s->modalities, s->n_modalities, part, set->holdout, set->seed, log, out, e);
	MMI_TRY(mmi_tuples_open_incomplete(s->modalities, s->n_modalities, part, set->holdout, set->seed, log, out, e));
	mmi_tuples_drop_incomplete(*out);
	if (mmi_tuples_count(*out))
		return MM_OK;
	mmi_tuples_close(*out);
	return mmi_fail(e, MM_EFORMAT, "%s data: no tuple is complete, and what is asked for needs complete ones",
	                mmi_part_name(part));
}

bool mmi_part_absent(mm_status status)
{
	return status == MM_EIO || status == MM_EFORMAT || status == MM_EUNSUPPORTED;
}

/* All ranks ask, whatever their devices: whether these are the same is looked at later. */
static bool all_can_join(const mmi_setup *s)
{
	const mmi_comm *c = &s->comm;
	char own = s->device.ops->join != NULL, all[MMI_MAX_RANKS] = { 0 };
	c->ops->gather(c, &own, 1, all);
	return !memchr(all, 0, c->size);
}

/* Each rank's card takes its part of a batch at once, unless settings say how much. */
mm_status mmi_setup_share(mmi_setup *s, const mmi_comm *comm, const mmi_log *log, mm_error *e)
{
	mmi_settings *set = &s->settings;
	mmi_comm hosts = *comm;
	hosts.patience = set->rank_timeout;
	s->comm = hosts;
	if (s->device.ops->whole && !set->device_chunk && set->batch % comm->size == 0)
		set->chunk = set->batch / comm->size;
	if (comm->size == 1)
		return MM_OK;
	if (all_can_join(s))
		return s->device.ops->join(&s->device, &hosts, log, &s->comm, e);
	if (!s->device.ops->direct)
		mmi_logf(log, MM_LOG_WARNING,
		         "gradients go from card to card through the memory of hosts: backend-cuda.so was built without NCCL "
		         "(configure found no nccl.h)");
	return comm->ops->status(comm, e);
}

mmi_device mmi_setup_host(void)
{
	return mmi_cpu_device();
}

char *mmi_setup_build_text(void)
{
	const mmi_device host = mmi_setup_host();
	return mmi_build_text(&host);
}

void mmi_setup_close(mmi_setup *s)
{
	mmi_pool_destroy(s->pool);
	for (size_t i = 0; i < s->n_modalities; i++)
		mmi_modality_destroy(&s->modalities[i]);
	mmi_registry_destroy(s->registry);
	mmi_config_destroy(s->config);
	mmi_device_close(&s->device);
	*s = (mmi_setup){ .n_modalities = 0 };
}
