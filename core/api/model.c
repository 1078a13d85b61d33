/* model.c - opening and closing models. */
#include "mmi_build.h"

#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *mm_version(void)
{
	return PACKAGE_VERSION;
}

const char *mm_status_name(mm_status status)
{
	return mmi_status_name(status);
}

/* ---------------------------------------------------------------- what is asked */

/* Settings of the program's kind: those that options stand for, then the caller's, which win. */
typedef struct wishes {
	const char **set;
	size_t n;
	char *own[3];
	size_t n_own;
} wishes;

static void forget(wishes *w)
{
	for (size_t i = 0; i < w->n_own; i++)
		mmi_free(w->own[i]);
	mmi_free(w->set);
}

static mm_status wish(wishes *w, char *set, mm_error *e)
{
	if (!set)
		return mmi_fail(e, MM_ENOMEM, "out of memory for options");
	w->own[w->n_own++] = set;
	w->set[w->n++] = set;
	return MM_OK;
}

static mm_status collect(const mm_open_options *o, wishes *w, mm_error *e)
{
	w->set = mmi_alloc(o->n_settings + MMI_COUNT(w->own), sizeof *w->set);
	if (!w->set)
		return mmi_fail(e, MM_ENOMEM, "out of memory for options");
	MMI_TRY(wish(w, mmi_format("run.threads=%u", o->threads), e));
	MMI_TRY(wish(w, mmi_format("run.device=%s", o->device ? o->device : "cpu"), e));
	if (o->plugin_path)
		MMI_TRY(wish(w, mmi_format("run.plugin_path=%s", o->plugin_path), e));
	for (size_t i = 0; i < o->n_settings; i++)
		w->set[w->n++] = o->settings[i];
	return MM_OK;
}

static mm_status check_list(const char *const *list, size_t n, const char *name, mm_error *e)
{
	if (n && !list)
		return mmi_fail(e, MM_EARG, "options.%s is NULL, but there are to be %zu", name, n);
	for (size_t i = 0; i < n; i++)
		if (!list[i])
			return mmi_fail(e, MM_EARG, "options.%s[%zu] is NULL", name, i);
	return MM_OK;
}

static mm_status take_options(const mm_open_options *from, mm_open_options *o, mm_error *e)
{
	*o = (mm_open_options)MM_OPEN_OPTIONS_INIT;
	MMI_TRY(mmi_take_struct(from, o, sizeof *o, "options", e));
	MMI_TRY(check_list(o->plugins, o->n_plugins, "plugins", e));
	return check_list(o->settings, o->n_settings, "settings", e);
}

/* ---------------------------------------------------------------- what is kept */

static mm_status keep_meta(mm_model *m, const mmi_checkpoint *ck, mm_error *e)
{
	const mmi_safetensors *file = mmi_checkpoint_tensors(ck);
	const size_t n = mmi_safetensors_meta_count(file);
	m->meta = mmi_alloc(n, sizeof *m->meta);
	bool ok = m->meta;
	for (size_t i = 0; ok && i < n; i++) {
		const mmi_text_pair pair = mmi_safetensors_meta_at(file, i);
		m->meta[i] = (mmi_text_pair){ mmi_strdup(pair.key), mmi_strdup(pair.value) };
		m->n_meta = i + 1;
		ok = m->meta[i].key && m->meta[i].value;
	}
	return ok ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a checkpoint's metadata");
}

static const char *support_name(uint32_t support)
{
	static const char *const names[] = {
		[MM_SUPPORT_BOX] = "box", [MM_SUPPORT_SIMPLEX] = "simplex", [MM_SUPPORT_REAL] = "real"
	};
	return names[support];
}

static const char *likelihood_name(uint32_t likelihood)
{
	static const char *const names[] = { [MM_LIKELIHOOD_GAUSSIAN] = "gaussian",
		                                 [MM_LIKELIHOOD_LAPLACE] = "laplace",
		                                 [MM_LIKELIHOOD_BERNOULLI] = "bernoulli",
		                                 [MM_LIKELIHOOD_CATEGORICAL] = "categorical" };
	return names[likelihood];
}

static uint32_t abilities(const mmi_modality *m)
{
	const bool text = m->file && m->file->read_text;
	return (m->file ? MM_CAN_READ_FILES : 0u) | (text ? MM_CAN_READ_TEXT : 0u) | (m->picture ? MM_CAN_DRAW : 0u);
}

static mm_status keep_about(mm_modality_about *a, const mmi_modality *m, mm_error *e)
{
	const mm_modality_info *i = &m->info;
	*a = (mm_modality_about){ .struct_size = sizeof *a,
		                      .rank = i->shape.rank,
		                      .floats = (uint64_t)m->count,
		                      .name = m->name,
		                      .plugin = m->plugin->entry.id,
		                      .version = m->plugin->entry.version,
		                      .kind = m->desc->id,
		                      .file_suffix = m->desc->render_suffix,
		                      .support = support_name(i->support),
		                      .likelihood = likelihood_name(i->likelihood),
		                      .lo = i->lo,
		                      .hi = i->hi,
		                      .likelihood_scale = i->likelihood_scale,
		                      .n_classes = i->n_classes,
		                      .can = abilities(m) };
	for (uint32_t d = 0; d < i->shape.rank; d++)
		a->dim[d] = i->shape.dim[d];
	return m->picture ? mmi_modality_picture_size(m, &a->picture_width, &a->picture_height, e) : MM_OK;
}

/* ---------------------------------------------------------------- opening */

static void log_line(void *ctx, int level, const char *text)
{
	const mm_model *m = ctx;
	m->log(m->log_ctx, level, text);
}

static mm_status load(mm_model *m, const mmi_checkpoint *ck, const mm_open_options *o, mm_error *e)
{
	const mmi_log log = { .line = o->log ? log_line : NULL, .ctx = m, .call = mmi_guest_call, .guest = true };
	mmi_setup_request request = { .plugins = o->plugins, .n_plugins = o->n_plugins, .log = &log };
	wishes w = { .n = 0 };
	mm_status status = collect(o, &w, e);
	request.sets = w.set;
	request.n_sets = w.n;
	if (status == MM_OK)
		status = mmi_saved_open_checkpoint(ck, &request, 0, &m->saved, e);
	forget(&w);
	MMI_TRY(status);
	for (uint32_t i = 0; i < m->saved.model->n_modalities; i++)
		MMI_TRY(keep_about(&m->about[i], &m->saved.model->modalities[i], e));
	return keep_meta(m, ck, e);
}

mm_status mmi_api_sampler(mm_model *m, uint64_t rows, mm_error *e)
{
	const uint32_t most = m->saved.setup.settings.chunk, threads = mmi_pool_threads(m->saved.setup.pool);
	uint32_t i = 0;
	while (i + 1 < MMI_API_CHUNKS && 1u << i < most && rows > (uint64_t)threads << i)
		i++;
	const uint32_t chunk = 1u << i < most ? 1u << i : most;
	if (!m->samplers[i])
		MMI_TRY(mmi_saved_sampler(&m->saved, chunk, MMI_API_ROWS, &m->samplers[i], e));
	m->saved.sampler = m->samplers[i];
	return MM_OK;
}

static void destroy(mm_model *m)
{
	m->saved.sampler = NULL;
	for (size_t i = 0; i < MMI_API_CHUNKS; i++)
		mmi_sampler_destroy(m->samplers[i]);
	mmi_saved_close(&m->saved);
	for (size_t i = 0; i < m->n_meta; i++) {
		mmi_free((char *)(uintptr_t)m->meta[i].key);
		mmi_free((char *)(uintptr_t)m->meta[i].value);
	}
	mmi_free(m->meta);
	pthread_mutex_destroy(&m->lock);
	mmi_free(m);
}

static mm_model *create(const mm_open_options *o)
{
	pthread_mutexattr_t once;
	mm_model *m = mmi_alloc(1, sizeof *m);
	if (!m)
		return NULL;
	pthread_mutexattr_init(&once);
	pthread_mutexattr_settype(&once, PTHREAD_MUTEX_ERRORCHECK); /* tells a callback that calls back */
	pthread_mutex_init(&m->lock, &once);
	pthread_mutexattr_destroy(&once);
	m->process = getpid();
	m->log = o->log;
	m->log_ctx = o->log_ctx;
	return m;
}

static mm_status open_checkpoint(const mmi_checkpoint *ck, const mm_open_options *o, mm_model **out, mm_error *e)
{
	mm_model *m = create(o);
	if (!m)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a model");
	mm_status status = load(m, ck, o, e);
	if (status == MM_OK)
		*out = m;
	else
		destroy(m);
	return status;
}

static mm_status open_file(const char *path, mmi_checkpoint **ck, mm_error *e)
{
	char *file;
	MMI_TRY(mmi_checkpoint_resolve(path, &file, e));
	mm_status status = mmi_checkpoint_open(file, ck, e);
	mmi_free(file);
	return status;
}

/* bytes NULL: path is a file or a folder. */
static mm_status open_any(const char *path, const void *bytes, size_t size, const mm_open_options *options,
                          mm_model **out, mm_error *e)
{
	mm_open_options o;
	mmi_checkpoint *ck;
	MMI_TRY(take_options(options, &o, e));
	if (bytes)
		MMI_TRY(mmi_checkpoint_open_memory(path, bytes, size, &ck, e));
	else
		MMI_TRY(open_file(path, &ck, e));
	mm_status status = open_checkpoint(ck, &o, out, e);
	mmi_checkpoint_close(ck);
	return status;
}

mm_status mm_model_open(const char *path, const mm_open_options *options, mm_model **out, mm_error *e)
{
	mmi_visit v;
	MMI_TRY(mmi_visit_begin(&v, NULL, e));
	if (!path || !out)
		return mmi_visit_end(&v, mmi_fail(&v.error, MM_EARG, "%s is NULL", path ? "out" : "path"));
	return mmi_visit_end(&v, open_any(path, NULL, 0, options, out, &v.error));
}

mm_status mm_model_open_memory(const void *bytes, size_t size, const char *name, const mm_open_options *options,
                               mm_model **out, mm_error *e)
{
	mmi_visit v;
	MMI_TRY(mmi_visit_begin(&v, NULL, e));
	if (!bytes || !out)
		return mmi_visit_end(&v, mmi_fail(&v.error, MM_EARG, "%s is NULL", bytes ? "out" : "bytes"));
	return mmi_visit_end(&v, open_any(name ? name : "memory", bytes, size, options, out, &v.error));
}

/* After a fork the model is the parent's: its threads cannot be waited for here, and its memory goes with the child. */
void mm_model_close(mm_model *model)
{
	mmi_visit v;
	if (!model || model->process != getpid() || mmi_visit_begin(&v, NULL, NULL) != MM_OK)
		return;
	destroy(model);
	mmi_visit_end(&v, MM_OK);
}
