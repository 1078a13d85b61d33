/* modality.c - makes an instance of a plugin's modality from an INI section. */
#include "mmi_build.h"

#include "config/value.h"
#include "plugin/call.h"
#include "plugin/contract.h"
#include "plugin/loader.h"
#include "plugin/modality.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const likelihoods[] = { "gaussian", "laplace", "bernoulli", "categorical", NULL };

static const char *likelihood_name(uint32_t kind)
{
	return likelihoods[kind - 1];
}

/* ---------------------------------------------------------------- which plugin, which modality */

static void begin(mmi_call *call, const mmi_modality *m, const char *callback)
{
	mmi_call_begin(call, m->name, m->plugin, callback);
}

static mm_status check_name(const char *name, mm_error *e)
{
	size_t length = strlen(name), legal = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	if (length > 0 && length < sizeof((mmi_modality *)0)->name && legal == length)
		return MM_OK;
	return mmi_fail(e, MM_ECONFIG, "a modality is named \"%.80s\"; needed are 1 to 31 of a-z, 0-9, '_' and '-'", name);
}

static mm_status record(mmi_config *config, const char *section, const char *key, const char *value, mm_error *e)
{
	char *assignment = mmi_format("%s.%s=%s", section, key, value);
	if (!assignment)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status = mmi_config_set(config, assignment, e);
	mmi_free(assignment);
	return status;
}

static mm_status find_plugin(mmi_modality *m, mmi_registry *registry, mmi_config *config, const mmi_plugin *given,
                             mm_error *e)
{
	const char *file;

	if (given)
		MMI_TRY(record(config, m->name, "plugin", given->path, e));
	MMI_TRY(mmi_config_string(config, m->name, "plugin", NULL, &file, e));
	if (!file || !*file)
		return mmi_config_refuse(config, m->name, "plugin", "a plugin's file, e.g. mnist.so", e);
	if (strchr(file, '/')) /* otherwise a name for the search path, and no path */
		MMI_TRY(mmi_config_path(config, m->name, "plugin", NULL, &file, e));
	m->plugin = given;
	if (given)
		return MM_OK;
	mm_error own = MM_ERROR_INIT;
	mm_status status = mmi_registry_open(registry, file, &m->plugin, &own);
	return status == MM_OK ? status : mmi_fail(e, status, "[%s] %s", m->name, own.message);
}

static mm_status find_desc(mmi_modality *m, mmi_config *config, const char *id, mm_error *e)
{
	const char *wanted;
	mm_error own = MM_ERROR_INIT;

	if (id)
		MMI_TRY(record(config, m->name, "modality", id, e));
	MMI_TRY(mmi_config_string(config, m->name, "modality", m->plugin->modalities[0].id, &wanted, e));
	mm_status status = mmi_plugin_modality(m->plugin, wanted, &m->desc, &own);
	return status == MM_OK ? status : mmi_fail(e, status, "[%s] %s", m->name, own.message);
}

static mm_status describe(mmi_modality *m, mm_error *e)
{
	mmi_call call;

	m->info = (mm_modality_info){ .struct_size = MM_SIZE_THROUGH(mm_modality_info, n_classes) };
	begin(&call, m, "describe");
	MMI_TRY(mmi_call_end(&call, m->desc->describe(m->instance, &m->info, &call.error), e));
	return mmi_contract_info(m, e);
}

/* ---------------------------------------------------------------- what the INI changes */

/* Gaussian and laplace read the decoder's output as a mean, the others as logits: only within the two can the INI
 * choose, since the plugin's decoder was written for one of them. */
static mm_status override_likelihood(mmi_modality *m, mmi_config *config, mm_error *e)
{
	mm_modality_info *info = &m->info;
	char number[MMI_VALUE_TEXT], fallback[2 * MMI_VALUE_TEXT], expected[160];
	double scale = mmi_value_widen(info->likelihood_scale);
	int which;
	bool has_value;

	snprintf(fallback, sizeof fallback, mmi_contract_has_scale(info->likelihood) ? "%s(%s)" : "%s",
	         likelihood_name(info->likelihood), mmi_value_print(scale, number));
	MMI_TRY(mmi_config_call(config, m->name, "likelihood", likelihoods, fallback, &which, &has_value, &scale, e));
	uint32_t kind = (uint32_t)which + 1;
	if (mmi_contract_has_scale(kind) != mmi_contract_has_scale(info->likelihood) ||
	    (!mmi_contract_has_scale(kind) && kind != info->likelihood)) {
		snprintf(expected, sizeof expected, "%s, for which the plugin's decoder is made",
		         mmi_contract_has_scale(info->likelihood) ? "gaussian(SIGMA) or laplace(B)"
		                                                  : likelihood_name(info->likelihood));
		return mmi_config_refuse(config, m->name, "likelihood", expected, e);
	}
	if (!mmi_contract_has_scale(kind) && has_value)
		return mmi_config_refuse(config, m->name, "likelihood", "no number in brackets: this one has no scale", e);
	if (mmi_contract_has_scale(kind) &&
	    ((!has_value && kind != info->likelihood) || (float)scale <= 0 || !isfinite((float)scale)))
		return mmi_config_refuse(config, m->name, "likelihood", "a positive scale in brackets, e.g. laplace(0.75)", e);
	info->likelihood = kind;
	info->likelihood_scale = mmi_contract_has_scale(kind) ? (float)scale : 0;
	return MM_OK;
}

static mm_status override(mmi_modality *m, mmi_config *config, mm_error *e)
{
	double weight;

	MMI_TRY(override_likelihood(m, config, e));
	MMI_TRY(mmi_config_float(config, m->name, "likelihood_weight", mmi_value_widen(m->info.likelihood_weight), 0, 1e6,
	                         &weight, e));
	m->info.likelihood_weight = (float)weight;
	return mmi_config_float(config, m->name, "x_scale", 1, DBL_MIN, 1e6, &m->x_scale, e);
}

/* ---------------------------------------------------------------- extensions */

static const void *extension(const mmi_modality *m, const char *id)
{
	mmi_call call;
	if (!MM_HAS(m->desc, get_extension))
		return NULL;
	begin(&call, m, "get_extension");
	const void *found = m->desc->get_extension(id);
	mmi_call_leave(&call);
	return found;
}

#define NEED(x, type, last, functions, id, e) \
	(!(x) ? MM_OK : mmi_contract_extension(m, id, (x)->struct_size, MM_SIZE_THROUGH(type, last), functions, e))

static mm_status find_classifier(mmi_modality *m, mm_error *e)
{
	const mm_modality_classifier *c = extension(m, MM_MODALITY_CLASSIFIER);
	if (!c)
		return MM_OK;
	MMI_TRY(NEED(c, mm_modality_classifier, build, c->build, MM_MODALITY_CLASSIFIER, e));
	if (!c->features_name || !mmi_contract_id(c->features_name) || strlen(c->features_name) > 31)
		return mmi_contract_blame(m, "get_extension", MM_EABI, e,
		                          MM_MODALITY_CLASSIFIER " calls its features \"%.40s\", needed are 1 to 31 "
		                                                 "of a-z, 0-9, '.' and '-'",
		                          c->features_name ? c->features_name : "");
	m->classifier = m->info.n_classes >= 2 ? c : NULL;
	return MM_OK;
}

static mm_status find_extensions(mmi_modality *m, mm_error *e)
{
	m->picture = extension(m, MM_MODALITY_PICTURE);
	MMI_TRY(NEED(m->picture, mm_modality_picture, draw, m->picture->size && m->picture->draw, MM_MODALITY_PICTURE, e));
	m->file = extension(m, MM_MODALITY_FILE);
	MMI_TRY(NEED(m->file, mm_modality_file, read_text, m->file->read_file, MM_MODALITY_FILE, e));
	m->saved = extension(m, MM_MODALITY_SAVED);
	MMI_TRY(NEED(m->saved, mm_modality_saved, round, m->saved->round, MM_MODALITY_SAVED, e));
	m->variation = extension(m, MM_MODALITY_VARIATION);
	MMI_TRY(NEED(m->variation, mm_modality_variation, vary, m->variation->vary, MM_MODALITY_VARIATION, e));
	m->group = extension(m, MM_MODALITY_GROUP);
	MMI_TRY(NEED(m->group, mm_modality_group, group, m->group->group, MM_MODALITY_GROUP, e));
	return find_classifier(m, e);
}

/* ---------------------------------------------------------------- state */

static mm_status find_state(const mmi_modality *m, const mm_modality_state **out, mm_error *e)
{
	const mm_modality_state *s = *out = extension(m, MM_MODALITY_STATE);
	return NEED(s, mm_modality_state, load, s->save && s->load, MM_MODALITY_STATE, e);
}

char *mmi_modality_owner(const mmi_modality *m)
{
	return mmi_format("%s/%s", m->plugin->entry.id, m->desc->id);
}

static mm_status check_owner(const mmi_modality *m, const mmi_modality_state *state, mm_error *e)
{
	if (!state || !state->owner)
		return MM_OK;
	char *now = mmi_modality_owner(m);
	if (!now)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status =
		!strcmp(now, state->owner)
			? MM_OK
			: mmi_fail(e, MM_ECONFIG,
	                   "[%s] the checkpoint was trained with the plugin and modality %s, here it is %s (%s); use the "
	                   "checkpoint's plugin, or train anew",
	                   m->name, state->owner, now, m->plugin->path);
	mmi_free(now);
	return status;
}

/* Digits up to a dot or the end; 0: it begins with none, and is not compared. */
static size_t first_number(const char *version)
{
	const size_t digits = strspn(version, "0123456789");
	return version[digits] == '.' || !version[digits] ? digits : 0;
}

/* The first number of its version is how a plugin says that its networks or samples mean something else than before. */
static mm_status check_version(const mmi_modality *m, const mmi_modality_state *state, mm_error *e)
{
	const char *now = m->plugin->entry.version, *then = state ? state->version : NULL;
	const size_t digits = then ? first_number(then) : 0;
	if (!digits || !first_number(now) || (first_number(now) == digits && !strncmp(now, then, digits)))
		return MM_OK;
	return mmi_fail(
		e, MM_ECONFIG,
		"[%s] the checkpoint was trained with version %.40s of plugin %s, here it is version %.40s (%s), and "
		"models do not carry over from one first number to another; use version %.*s, or train anew",
		m->name, then, m->plugin->entry.id, now, m->plugin->path, (int)digits, then);
}

/* What a checkpoint remembers comes before describe, which may depend on it. */
static mm_status load_state(const mmi_modality *m, const mmi_modality_state *state, mm_error *e)
{
	const mm_modality_state *x;
	mmi_call call;

	if (!state || !state->bytes)
		return MM_OK;
	MMI_TRY(find_state(m, &x, e));
	if (!x)
		return mmi_fail(e, MM_EUNSUPPORTED,
		                "[%s] the checkpoint holds a state of this modality, which plugin %s (%s) cannot read "
		                "(no %s); use the plugin it was trained with",
		                m->name, m->plugin->entry.id, m->plugin->path, MM_MODALITY_STATE);
	begin(&call, m, "load");
	return mmi_call_end(&call, x->load(m->instance, state->bytes, state->size, &call.error), e);
}

static mm_status save_state(mmi_modality *m, mm_error *e)
{
	const mm_modality_state *x;
	mmi_call call;
	void *bytes = NULL;
	size_t size = 0;

	MMI_TRY(find_state(m, &x, e));
	if (!x)
		return MM_OK;
	begin(&call, m, "save");
	MMI_TRY(mmi_call_end(&call, x->save(m->instance, &bytes, &size, &call.error), e));
	m->state = bytes;
	m->state_bytes = size;
	return mmi_contract_made(m, "save", size ? bytes : NULL, "bytes", e);
}

static void release_state(mmi_modality *m)
{
	if (!m->state)
		return;
	const mm_host_api *api = mmi_host_api(m->plugin->host);
	api->release(api->host, m->state);
	m->state = NULL;
}

/* ---------------------------------------------------------------- life */

static mm_status create_instance(mmi_modality *m, mmi_config *config, mm_error *e)
{
	mmi_call call;

	MMI_TRY(mmi_plugin_config_create(config, m->name, &m->config, e));
	begin(&call, m, "create");
	mm_status status = m->desc->create(m->plugin->self, m->config, &m->instance, &call.error);
	bool told = status == MM_ECONFIG && mmi_plugin_config_failed(m->config) && call.error.message[0];
	mmi_plugin_config_close(m->config);
	if (status != MM_OK)
		m->instance = NULL; /* whatever a failed create left there */
	if (!told) {
		MMI_TRY(mmi_call_end(&call, status, e));
		return mmi_contract_made(m, "create", m->instance, "instance", e);
	}
	mmi_call_leave(&call);
	return mmi_fail(e, status, "%s", call.error.message);
}

static mm_status create(mmi_modality *m, mmi_registry *registry, mmi_config *config, const mmi_plugin *plugin,
                        const char *id, const mmi_modality_state *state, mm_error *e)
{
	MMI_TRY(find_plugin(m, registry, config, plugin, e));
	MMI_TRY(find_desc(m, config, id, e));
	MMI_TRY(check_owner(m, state, e));
	MMI_TRY(check_version(m, state, e));
	MMI_TRY(create_instance(m, config, e));
	if (MM_HAS(m->desc, get_extension))
		MMI_TRY(mmi_contract_extensions(m, m->desc->get_extension, e));
	MMI_TRY(load_state(m, state, e));
	MMI_TRY(describe(m, e));
	MMI_TRY(override(m, config, e));
	MMI_TRY(find_extensions(m, e));
	return save_state(m, e);
}

mm_status mmi_modality_restore(mmi_registry *registry, mmi_config *config, const char *name, const mmi_plugin *plugin,
                               const char *id, const mmi_modality_state *state, mmi_modality *out, mm_error *e)
{
	mmi_modality m = { 0 };

	MMI_TRY(check_name(name, e));
	snprintf(m.name, sizeof m.name, "%s", name);
	mm_status status = create(&m, registry, config, plugin, id, state, e);
	if (status != MM_OK) {
		mmi_modality_destroy(&m);
		return status;
	}
	*out = m;
	return MM_OK;
}

mm_status mmi_modality_create(mmi_registry *registry, mmi_config *config, const char *name, const mmi_plugin *plugin,
                              const char *id, mmi_modality *out, mm_error *e)
{
	return mmi_modality_restore(registry, config, name, plugin, id, NULL, out, e);
}

void mmi_modality_destroy(mmi_modality *m)
{
	if (!m)
		return;
	release_state(m);
	if (m->instance) {
		mmi_call call;
		begin(&call, m, "destroy");
		m->desc->destroy(m->instance);
		mmi_call_leave(&call);
	}
	mmi_plugin_config_destroy(m->config);
	*m = (mmi_modality){ 0 };
}
