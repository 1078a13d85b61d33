/* modality.c - makes an instance of a plugin's modality from an INI section. */
#include "mmi_build.h"

#include "config/value.h"
#include "plugin/check.h"
#include "plugin/loader.h"
#include "plugin/modality.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FLOATS_MAX ((int64_t)1 << 30) /* in one sample */
#define CLASSES_MAX 1000000u
#define PICTURE_MAX 512u

static const char *const likelihoods[] = { "gaussian", "laplace", "bernoulli", "categorical", NULL };

static const char *likelihood_name(uint32_t kind)
{
	return likelihoods[kind - 1];
}

mm_status mmi_modality_result(const mmi_modality *m, const char *callback, mm_status status, mm_error *e)
{
	if (status == MM_OK)
		return MM_OK;
	status = mmi_check_result(status, e, e);
	mmi_fail_prefix(e, "[%s] plugin %s (%s): %s", m->name, m->plugin->entry.id, m->plugin->path, callback);
	return status;
}

/* A fault of the plugin that the host found. */
static mm_status blame(const mmi_modality *m, const char *callback, mm_error *e, const char *format, ...) MMI_PRINTF(4, 5);
static mm_status blame(const mmi_modality *m, const char *callback, mm_error *e, const char *format, ...)
{
	mm_error own = MM_ERROR_INIT;
	va_list ap;

	va_start(ap, format);
	vsnprintf(own.message, sizeof own.message, format, ap);
	va_end(ap);
	mm_status status = mmi_modality_result(m, callback, MM_EABI, &own);
	return mmi_fail(e, status, "%s", own.message);
}

/* ---------------------------------------------------------------- which plugin, which modality */

static mm_status check_name(const char *name, mm_error *e)
{
	size_t length = strlen(name), legal = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	if (length > 0 && length < sizeof ((mmi_modality *)0)->name && legal == length)
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

static mm_status find_plugin(mmi_modality *m, mmi_registry *registry, mmi_config *config, const mmi_plugin *given, mm_error *e)
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

/* ---------------------------------------------------------------- what the plugin says it is */

static mm_status check_shape(mmi_modality *m, mm_error *e)
{
	mm_shape *s = &m->info.shape;

	if (s->rank > MM_MAX_RANK)
		return blame(m, "describe", e, "the sample's rank is %u, needed is at most %d", s->rank, MM_MAX_RANK);
	m->count = 1;
	for (uint32_t i = 0; i < s->rank; i++) {
		if (s->dim[i] < 1 || s->dim[i] > FLOATS_MAX / m->count)
			return blame(m, "describe", e, "dimension %u of the sample's shape is %d, needed are positive ones with a product of "
			             "at most %lld", i, s->dim[i], (long long)FLOATS_MAX);
		m->count *= s->dim[i];
	}
	for (uint32_t i = s->rank; i < MM_MAX_RANK; i++)
		s->dim[i] = 0;
	return MM_OK;
}

static mm_status check_support(mmi_modality *m, mm_error *e)
{
	mm_modality_info *info = &m->info;

	switch (info->support) {
	case MM_SUPPORT_BOX:
		if (isfinite(info->lo) && isfinite(info->hi) && info->lo < info->hi)
			return MM_OK;
		return blame(m, "describe", e, "the box is %g to %g, needed are finite bounds, the lower first", (double)info->lo,
		             (double)info->hi);
	case MM_SUPPORT_SIMPLEX:
		info->lo = 0;
		info->hi = 1;
		if (info->shape.rank > 0 && info->shape.dim[info->shape.rank - 1] > 1)
			return MM_OK;
		return blame(m, "describe", e, "a simplex needs a last axis of at least 2 entries");
	case MM_SUPPORT_REAL:
		info->lo = -INFINITY;
		info->hi = INFINITY;
		return MM_OK;
	default:
		return blame(m, "describe", e, "support is %u, which this mmcore does not know (MM_SUPPORT_...)", info->support);
	}
}

static bool has_scale(uint32_t likelihood)
{
	return likelihood == MM_LIKELIHOOD_GAUSSIAN || likelihood == MM_LIKELIHOOD_LAPLACE;
}

static mm_status check_likelihood(const mmi_modality *m, mm_error *e)
{
	const mm_modality_info *info = &m->info;

	if (info->likelihood < MM_LIKELIHOOD_GAUSSIAN || info->likelihood > MM_LIKELIHOOD_CATEGORICAL)
		return blame(m, "describe", e, "likelihood is %u, which this mmcore does not know (MM_LIKELIHOOD_...)", info->likelihood);
	if (has_scale(info->likelihood) && !(isfinite(info->likelihood_scale) && info->likelihood_scale > 0))
		return blame(m, "describe", e, "likelihood_scale is %g, needed is a positive number", (double)info->likelihood_scale);
	if (info->likelihood == MM_LIKELIHOOD_CATEGORICAL && info->support != MM_SUPPORT_SIMPLEX)
		return blame(m, "describe", e, "a categorical likelihood needs the support MM_SUPPORT_SIMPLEX");
	if (info->likelihood == MM_LIKELIHOOD_BERNOULLI && !(info->support == MM_SUPPORT_BOX && info->lo >= 0 && info->hi <= 1))
		return blame(m, "describe", e, "a bernoulli likelihood needs a box within 0 to 1, found %g to %g", (double)info->lo,
		             (double)info->hi);
	if (!(isfinite(info->likelihood_weight) && info->likelihood_weight > 0))
		return blame(m, "describe", e, "likelihood_weight is %g, needed is a positive number, usually 1",
		             (double)info->likelihood_weight);
	if (info->n_classes > CLASSES_MAX)
		return blame(m, "describe", e, "n_classes is %u, needed is at most %u", info->n_classes, CLASSES_MAX);
	return MM_OK;
}

static mm_status describe(mmi_modality *m, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;

	m->info = (mm_modality_info){ .struct_size = MM_SIZE_THROUGH(mm_modality_info, n_classes) };
	mm_status status = mmi_modality_result(m, "describe", m->desc->describe(m->instance, &m->info, &own), &own);
	if (status != MM_OK)
		return mmi_fail(e, status, "%s", own.message);
	MMI_TRY(check_shape(m, e));
	MMI_TRY(check_support(m, e));
	return check_likelihood(m, e);
}

/* ---------------------------------------------------------------- what the INI changes */

/* Gaussian and laplace read the decoder's output as a mean, the others as logits: only within the two can the INI choose,
 * since the plugin's decoder was written for one of them. */
static mm_status override_likelihood(mmi_modality *m, mmi_config *config, mm_error *e)
{
	mm_modality_info *info = &m->info;
	char number[MMI_VALUE_TEXT], fallback[2 * MMI_VALUE_TEXT], expected[160];
	double scale = mmi_value_widen(info->likelihood_scale);
	int which;
	bool has_value;

	snprintf(fallback, sizeof fallback, has_scale(info->likelihood) ? "%s(%s)" : "%s", likelihood_name(info->likelihood),
	         mmi_value_print(scale, number));
	MMI_TRY(mmi_config_call(config, m->name, "likelihood", likelihoods, fallback, &which, &has_value, &scale, e));
	uint32_t kind = (uint32_t)which + 1;
	if (has_scale(kind) != has_scale(info->likelihood) || (!has_scale(kind) && kind != info->likelihood)) {
		snprintf(expected, sizeof expected, "%s, for which the plugin's decoder is made",
		         has_scale(info->likelihood) ? "gaussian(SIGMA) or laplace(B)" : likelihood_name(info->likelihood));
		return mmi_config_refuse(config, m->name, "likelihood", expected, e);
	}
	if (!has_scale(kind) && has_value)
		return mmi_config_refuse(config, m->name, "likelihood", "no number in brackets: this one has no scale", e);
	if (has_scale(kind) && ((!has_value && kind != info->likelihood) || (float)scale <= 0 || !isfinite((float)scale)))
		return mmi_config_refuse(config, m->name, "likelihood", "a positive scale in brackets, e.g. laplace(0.75)", e);
	info->likelihood = kind;
	info->likelihood_scale = has_scale(kind) ? (float)scale : 0;
	return MM_OK;
}

static mm_status override(mmi_modality *m, mmi_config *config, mm_error *e)
{
	double weight;

	MMI_TRY(override_likelihood(m, config, e));
	MMI_TRY(mmi_config_float(config, m->name, "likelihood_weight", mmi_value_widen(m->info.likelihood_weight), 0, 1e6, &weight, e));
	m->info.likelihood_weight = (float)weight;
	return mmi_config_float(config, m->name, "x_scale", 1, DBL_MIN, 1e6, &m->x_scale, e);
}

static mm_status find_picture(mmi_modality *m, mm_error *e)
{
	const mm_modality_picture *picture = m->desc->get_extension(MM_MODALITY_PICTURE);
	if (!picture)
		return MM_OK;
	if (picture->struct_size < MM_SIZE_THROUGH(mm_modality_picture, draw) || !picture->size || !picture->draw)
		return blame(m, "get_extension", e, MM_MODALITY_PICTURE " has struct_size %u and %s functions, needed are %u and both",
		             picture->struct_size, picture->size && picture->draw ? "both" : "missing",
		             MM_SIZE_THROUGH(mm_modality_picture, draw));
	m->picture = picture;
	return MM_OK;
}

static mm_status find_file(mmi_modality *m, mm_error *e)
{
	const mm_modality_file *file = m->desc->get_extension(MM_MODALITY_FILE);
	if (file && (file->struct_size < MM_SIZE_THROUGH(mm_modality_file, read_text) || !file->read_file))
		return blame(m, "get_extension", e, MM_MODALITY_FILE " has struct_size %u and %s read_file, needed are %u and a function",
		             file->struct_size, file->read_file ? "a" : "no", MM_SIZE_THROUGH(mm_modality_file, read_text));
	m->file = file;
	return MM_OK;
}

/* Of an extension that is one function. */
static mm_status need_function(const mmi_modality *m, const char *id, uint32_t size, uint32_t needed, bool there, mm_error *e)
{
	if (size >= needed && there)
		return MM_OK;
	return blame(m, "get_extension", e, "%s has struct_size %u and %s function, needed are %u and one", id, size, there ? "a" : "no", needed);
}

static mm_status find_saved(mmi_modality *m, mm_error *e)
{
	const mm_modality_saved *x = m->saved = m->desc->get_extension(MM_MODALITY_SAVED);
	return x ? need_function(m, MM_MODALITY_SAVED, x->struct_size, MM_SIZE_THROUGH(mm_modality_saved, round), x->round, e) : MM_OK;
}

static mm_status find_variation(mmi_modality *m, mm_error *e)
{
	const mm_modality_variation *x = m->variation = m->desc->get_extension(MM_MODALITY_VARIATION);
	return x ? need_function(m, MM_MODALITY_VARIATION, x->struct_size, MM_SIZE_THROUGH(mm_modality_variation, vary), x->vary, e) : MM_OK;
}

static mm_status find_classifier(mmi_modality *m, mm_error *e)
{
	const mm_modality_classifier *c = m->desc->get_extension(MM_MODALITY_CLASSIFIER);
	if (!c)
		return MM_OK;
	if (c->struct_size < MM_SIZE_THROUGH(mm_modality_classifier, build) || !c->build)
		return blame(m, "get_extension", e, MM_MODALITY_CLASSIFIER " has struct_size %u and %s build function, needed are %u and one",
		             c->struct_size, c->build ? "a" : "no", MM_SIZE_THROUGH(mm_modality_classifier, build));
	if (!c->features_name || !mmi_check_id(c->features_name) || strlen(c->features_name) > 31)
		return blame(m, "get_extension", e, MM_MODALITY_CLASSIFIER " calls its features \"%.40s\", needed are 1 to 31 of a-z, 0-9, "
		             "'.' and '-'", c->features_name ? c->features_name : "");
	m->classifier = m->info.n_classes >= 2 ? c : NULL;
	return MM_OK;
}

static mm_status find_extensions(mmi_modality *m, mm_error *e)
{
	if (!MM_HAS(m->desc, get_extension))
		return MM_OK;
	MMI_TRY(find_picture(m, e));
	MMI_TRY(find_file(m, e));
	MMI_TRY(find_saved(m, e));
	MMI_TRY(find_variation(m, e));
	return find_classifier(m, e);
}

/* ---------------------------------------------------------------- state */

static mm_status find_state(const mmi_modality *m, const mm_modality_state **out, mm_error *e)
{
	*out = MM_HAS(m->desc, get_extension) ? m->desc->get_extension(MM_MODALITY_STATE) : NULL;
	const mm_modality_state *s = *out;
	if (!s || (s->struct_size >= MM_SIZE_THROUGH(mm_modality_state, load) && s->save && s->load))
		return MM_OK;
	return blame(m, "get_extension", e, MM_MODALITY_STATE " has struct_size %u and %s functions, needed are %u and both",
	             s->struct_size, s->save && s->load ? "both" : "missing", MM_SIZE_THROUGH(mm_modality_state, load));
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
	mm_status status = !strcmp(now, state->owner) ? MM_OK
	                   : mmi_fail(e, MM_ECONFIG, "[%s] the checkpoint was trained with the plugin and modality %s, here it is %s (%s); use the "
	                              "checkpoint's plugin, or train anew", m->name, state->owner, now, m->plugin->path);
	mmi_free(now);
	return status;
}

/* What a checkpoint remembers comes before describe, which may depend on it. */
static mm_status load_state(const mmi_modality *m, const mmi_modality_state *state, mm_error *e)
{
	const mm_modality_state *extension;
	mm_error own = MM_ERROR_INIT;

	if (!state || !state->bytes)
		return MM_OK;
	MMI_TRY(find_state(m, &extension, e));
	if (!extension)
		return mmi_fail(e, MM_EUNSUPPORTED, "[%s] the checkpoint holds a state of this modality, which plugin %s (%s) cannot read "
		                "(no %s); use the plugin it was trained with", m->name, m->plugin->entry.id, m->plugin->path, MM_MODALITY_STATE);
	mm_status status = mmi_modality_result(m, "load", extension->load(m->instance, state->bytes, state->size, &own), &own);
	return status == MM_OK ? status : mmi_fail(e, status, "%s", own.message);
}

static mm_status save_state(mmi_modality *m, mm_error *e)
{
	const mm_modality_state *extension;
	mm_error own = MM_ERROR_INIT;
	void *bytes = NULL;
	size_t size = 0;

	MMI_TRY(find_state(m, &extension, e));
	if (!extension)
		return MM_OK;
	mm_status status = mmi_modality_result(m, "save", extension->save(m->instance, &bytes, &size, &own), &own);
	if (status != MM_OK)
		return mmi_fail(e, status, "%s", own.message);
	m->state = bytes;
	m->state_bytes = size;
	return bytes && size ? MM_OK : blame(m, "save", e, "it returned MM_OK and no bytes");
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
	mm_error own = MM_ERROR_INIT;

	MMI_TRY(mmi_plugin_config_create(config, m->name, &m->config, e));
	mm_status status = m->desc->create(m->plugin->self, m->config, &m->instance, &own);
	bool told = status == MM_ECONFIG && mmi_plugin_config_failed(m->config) && own.message[0];
	mmi_plugin_config_close(m->config);
	if (status != MM_OK) {
		m->instance = NULL; /* whatever a failed create left there */
		if (!told)
			status = mmi_modality_result(m, "create", status, &own);
		return mmi_fail(e, status, "%s", own.message);
	}
	if (!m->instance)
		return blame(m, "create", e, "it returned MM_OK and no instance");
	return MM_OK;
}

static mm_status create(mmi_modality *m, mmi_registry *registry, mmi_config *config, const mmi_plugin *plugin, const char *id,
                        const mmi_modality_state *state, mm_error *e)
{
	MMI_TRY(find_plugin(m, registry, config, plugin, e));
	MMI_TRY(find_desc(m, config, id, e));
	MMI_TRY(check_owner(m, state, e));
	MMI_TRY(create_instance(m, config, e));
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
	if (m->instance)
		m->desc->destroy(m->instance);
	mmi_plugin_config_destroy(m->config);
	*m = (mmi_modality){ 0 };
}

/* ---------------------------------------------------------------- data and pictures */

mm_status mmi_modality_open(const mmi_modality *m, int32_t split, mm_dataset **out, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	mm_dataset *data = NULL;

	mm_status status = mmi_modality_result(m, "open", m->desc->open(m->instance, split, &data, &own), &own);
	if (status != MM_OK)
		return mmi_fail(e, status, "%s", own.message);
	if (!data)
		return blame(m, "open", e, "it returned MM_OK and no data set");
	*out = data;
	return MM_OK;
}

mm_status mmi_modality_render(const mmi_modality *m, const float *x, const char *path, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	mm_status status = mmi_modality_result(m, "render", m->desc->render(m->instance, x, path, &own), &own);
	return status == MM_OK ? status : mmi_fail(e, status, "%s", own.message);
}

static mm_status need_picture(const mmi_modality *m, mm_error *e)
{
	if (m->picture)
		return MM_OK;
	return mmi_fail(e, MM_EUNSUPPORTED, "[%s] plugin %s cannot draw its samples (no %s)", m->name, m->plugin->entry.id,
	                MM_MODALITY_PICTURE);
}

mm_status mmi_modality_picture_size(const mmi_modality *m, uint32_t *width, uint32_t *height, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	uint32_t w = 0, h = 0;

	MMI_TRY(need_picture(m, e));
	mm_status status = mmi_modality_result(m, "picture size", m->picture->size(m->instance, &w, &h, &own), &own);
	if (status != MM_OK)
		return mmi_fail(e, status, "%s", own.message);
	if (w < 1 || h < 1 || w > PICTURE_MAX || h > PICTURE_MAX)
		return blame(m, "picture size", e, "%u x %u pixels, needed are 1 to %u each way", w, h, PICTURE_MAX);
	*width = w;
	*height = h;
	return MM_OK;
}

mm_status mmi_modality_draw(const mmi_modality *m, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;

	MMI_TRY(need_picture(m, e));
	mm_status status = mmi_modality_result(m, "draw", m->picture->draw(m->instance, x, rgb, stride, &own), &own);
	return status == MM_OK ? status : mmi_fail(e, status, "%s", own.message);
}

/* ---------------------------------------------------------------- samples that users name */

#define SUM_TOLERANCE 1e-3 /* of a distribution's sum */

static mm_status check_box(const mmi_modality *m, const char *callback, const float *x, mm_error *e)
{
	for (int64_t i = 0; i < m->count; i++)
		if (!isfinite(x[i]) || x[i] < m->info.lo || x[i] > m->info.hi)
			return blame(m, callback, e, "value %lld is %g, needed are finite values from %g to %g", (long long)i, (double)x[i],
			             (double)m->info.lo, (double)m->info.hi);
	return MM_OK;
}

static mm_status check_sums(const mmi_modality *m, const char *callback, const float *x, mm_error *e)
{
	int64_t n = m->info.shape.dim[m->info.shape.rank - 1];
	for (int64_t i = 0; i < m->count; i += n) {
		double sum = 0;
		for (int64_t k = 0; k < n; k++)
			sum += (double)x[i + k];
		if (fabs(sum - 1) > SUM_TOLERANCE)
			return blame(m, callback, e, "the values from %lld on sum to %g, needed is 1", (long long)i, sum);
	}
	return MM_OK;
}

mm_status mmi_modality_read_given(const mmi_modality *m, const char *given, float *out, mm_error *e)
{
	mm_error own = MM_ERROR_INIT;
	struct stat st;
	if (!m->file)
		return mmi_fail(e, MM_EUNSUPPORTED, "[%s] plugin %s cannot read samples that are named (no %s); use tuples of the test data", m->name,
		                m->plugin->entry.id, MM_MODALITY_FILE);
	bool exists = !stat(given, &st);
	if (!exists && !m->file->read_text)
		return mmi_fail(e, MM_EIO, "[%s] there is no file '%s', and plugin %s reads nothing but files", m->name, given, m->plugin->entry.id);
	if (exists && S_ISDIR(st.st_mode))
		return mmi_fail(e, MM_EIO, "[%s] '%s' is a folder, expected a file", m->name, given);
	const char *callback = exists ? "read_file" : "read_text";
	mm_status status = (exists ? m->file->read_file : m->file->read_text)(m->instance, given, out, &own);
	if (mmi_modality_result(m, callback, status, &own) != MM_OK)
		return mmi_fail(e, own.code, "%s", own.message);
	MMI_TRY(check_box(m, callback, out, e));
	return m->info.support == MM_SUPPORT_SIMPLEX ? check_sums(m, callback, out, e) : MM_OK;
}
