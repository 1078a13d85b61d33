/* contract.c - what a plugin's callbacks returned. */
#include "mmi_build.h"

#include "plugin/call.h"
#include "plugin/contract.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FLOATS_MAX ((int64_t)1 << 30) /* in one sample */
#define CLASSES_MAX 1000000u
#define PICTURE_MAX 512u
#define SUM_TOLERANCE 1e-3 /* of a distribution's sum */

mm_status mmi_contract_status(mm_status status, const mm_error *from, mm_error *e)
{
	char text[MM_ERROR_TEXT];

	if (status == MM_OK)
		return MM_OK;
	memcpy(text, from->message, sizeof text);
	text[sizeof text - 1] = 0;
	mmi_clean(text);
	if (status < 0 || status > MM_EINTERNAL)
		return mmi_fail(e, MM_EINTERNAL, "status %d, which this mmcore does not know%s%s", status, *text ? ": " : "",
		                text);
	if (!*text)
		return mmi_fail(e, status, "%s (the plugin gave no text)", mmi_status_name(status));
	return mmi_fail(e, status, "%s", text);
}

static mm_status blame(const mmi_modality *m, const char *callback, mm_status code, mm_error *e, const char *format,
                       va_list ap)
{
	char name[MM_ERROR_TEXT], text[MM_ERROR_TEXT];

	vsnprintf(text, sizeof text, format, ap);
	mmi_fail(e, code, "%s", mmi_clean(text));
	return mmi_fail_prefix(e, "%s", mmi_call_name(m->name, m->plugin, callback, name));
}

mm_status mmi_contract_blame(const mmi_modality *m, const char *callback, mm_status code, mm_error *e,
                             const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	blame(m, callback, code, e, format, ap);
	va_end(ap);
	return code;
}

mm_status mmi_contract_made(const mmi_modality *m, const char *callback, const void *made, const char *what,
                            mm_error *e)
{
	return made ? MM_OK : mmi_contract_blame(m, callback, MM_EABI, e, "it returned MM_OK and no %s", what);
}

/* ---------------------------------------------------------------- what the plugin says it is */

static mm_status wrong(const mmi_modality *m, mm_error *e, const char *format, ...) MMI_PRINTF(3, 4);
static mm_status wrong(const mmi_modality *m, mm_error *e, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	blame(m, "describe", MM_EABI, e, format, ap);
	va_end(ap);
	return MM_EABI;
}

static mm_status check_shape(mmi_modality *m, mm_error *e)
{
	mm_shape *s = &m->info.shape;

	if (s->rank > MM_MAX_RANK)
		return wrong(m, e, "the sample's rank is %u, needed is at most %d", s->rank, MM_MAX_RANK);
	m->count = 1;
	for (uint32_t i = 0; i < s->rank; i++) {
		if (s->dim[i] < 1 || s->dim[i] > FLOATS_MAX / m->count)
			return wrong(m, e,
			             "dimension %u of the sample's shape is %d, needed are positive ones with a product of "
			             "at most %lld",
			             i, s->dim[i], (long long)FLOATS_MAX);
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
		return wrong(m, e, "the box is %g to %g, needed are finite bounds, the lower first", (double)info->lo,
		             (double)info->hi);
	case MM_SUPPORT_SIMPLEX:
		info->lo = 0;
		info->hi = 1;
		if (info->shape.rank > 0 && info->shape.dim[info->shape.rank - 1] > 1)
			return MM_OK;
		return wrong(m, e, "a simplex needs a last axis of at least 2 entries");
	case MM_SUPPORT_REAL:
		info->lo = -INFINITY;
		info->hi = INFINITY;
		return MM_OK;
	default:
		return wrong(m, e, "support is %u, which this mmcore does not know (MM_SUPPORT_...)", info->support);
	}
}

bool mmi_contract_has_scale(uint32_t likelihood)
{
	return likelihood == MM_LIKELIHOOD_GAUSSIAN || likelihood == MM_LIKELIHOOD_LAPLACE;
}

static mm_status check_likelihood(const mmi_modality *m, mm_error *e)
{
	const mm_modality_info *info = &m->info;

	if (info->likelihood < MM_LIKELIHOOD_GAUSSIAN || info->likelihood > MM_LIKELIHOOD_CATEGORICAL)
		return wrong(m, e, "likelihood is %u, which this mmcore does not know (MM_LIKELIHOOD_...)", info->likelihood);
	if (mmi_contract_has_scale(info->likelihood) && !(isfinite(info->likelihood_scale) && info->likelihood_scale > 0))
		return wrong(m, e, "likelihood_scale is %g, needed is a positive number", (double)info->likelihood_scale);
	if (info->likelihood == MM_LIKELIHOOD_CATEGORICAL && info->support != MM_SUPPORT_SIMPLEX)
		return wrong(m, e, "a categorical likelihood needs the support MM_SUPPORT_SIMPLEX");
	if (info->likelihood == MM_LIKELIHOOD_BERNOULLI &&
	    !(info->support == MM_SUPPORT_BOX && info->lo >= 0 && info->hi <= 1))
		return wrong(m, e, "a bernoulli likelihood needs a box within 0 to 1, found %g to %g", (double)info->lo,
		             (double)info->hi);
	if (!(isfinite(info->likelihood_weight) && info->likelihood_weight > 0))
		return wrong(m, e, "likelihood_weight is %g, needed is a positive number, usually 1",
		             (double)info->likelihood_weight);
	if (info->n_classes > CLASSES_MAX)
		return wrong(m, e, "n_classes is %u, needed is at most %u", info->n_classes, CLASSES_MAX);
	return MM_OK;
}

mm_status mmi_contract_info(mmi_modality *m, mm_error *e)
{
	MMI_TRY(check_shape(m, e));
	MMI_TRY(check_support(m, e));
	return check_likelihood(m, e);
}

mm_status mmi_contract_extension(const mmi_modality *m, const char *id, uint32_t size, uint32_t needed, bool functions,
                                 mm_error *e)
{
	if (size >= needed && functions)
		return MM_OK;
	return mmi_contract_blame(m, "get_extension", MM_EABI, e,
	                          "%s has struct_size %u and %s functions, needed are %u and all", id, size,
	                          functions ? "all" : "missing", needed);
}

const char *mmi_contract_stranger(const void *(*get_extension)(const char *id))
{
	static const char *const nobody[] = { "mm.none/0", MM_MODALITY_PICTURE "x" };
	for (size_t i = 0; i < MMI_COUNT(nobody); i++)
		if (get_extension(nobody[i]))
			return nobody[i];
	return NULL;
}

mm_status mmi_contract_extensions(const mmi_modality *m, const void *(*get_extension)(const char *id), mm_error *e)
{
	mmi_call call;
	mmi_call_begin(&call, m->name, m->plugin, "get_extension");
	const char *stranger = mmi_contract_stranger(get_extension);
	mmi_call_leave(&call);
	if (!stranger)
		return MM_OK;
	return mmi_contract_blame(m, "get_extension", MM_EABI, e,
	                          "it has an answer for \"%s\", an id that nobody has; needed is NULL for "
	                          "every id it does not know, compared as a whole",
	                          stranger);
}

/* ---------------------------------------------------------------- what build callbacks recorded */

mm_status mmi_contract_tensor(const mmi_modality *m, const mmi_graph *g, const char *callback, const char *name,
                              mm_tensor x, const mm_shape *shape, mm_error *e)
{
	const mmi_node *node = mmi_graph_node(g, x);
	char found[64], needed[64];

	if (!node && x == MM_NO_TENSOR)
		return mmi_contract_blame(m, callback, MM_EABI, e, "%s was not set", name);
	if (!node)
		return mmi_contract_blame(m, callback, MM_EABI, e, "%s is %d, which is no tensor of this graph", name, x);
	if (!node->batched)
		return mmi_contract_blame(m, callback, MM_ESHAPE, e,
		                          "%s is a parameter, needed is a tensor that depends on the sample", name);
	if (shape && !mmi_shape_equal(&node->shape, shape))
		return mmi_contract_blame(m, callback, MM_ESHAPE, e, "%s has shape %s, needed is %s", name,
		                          mmi_shape_text(&node->shape, found), mmi_shape_text(shape, needed));
	return MM_OK;
}

mm_status mmi_contract_rank(const mmi_modality *m, const mmi_graph *g, const char *callback, const char *name,
                            mm_tensor x, uint32_t rank, uint32_t other, const char *needed, mm_error *e)
{
	char found[64];

	MMI_TRY(mmi_contract_tensor(m, g, callback, name, x, NULL, e));
	const mm_shape *shape = &mmi_graph_node(g, x)->shape;
	if (shape->rank == rank || shape->rank == other)
		return MM_OK;
	return mmi_contract_blame(m, callback, MM_ESHAPE, e, "%s has shape %s, needed is %s", name,
	                          mmi_shape_text(shape, found), needed);
}

/* ---------------------------------------------------------------- data */

mm_status mmi_contract_count(const mmi_modality *m, uint64_t n, mm_error *e)
{
	if (n > 0 && n < UINT32_MAX)
		return MM_OK;
	return mmi_contract_blame(m, "count", n ? MM_EABI : MM_EFORMAT, e,
	                          "the data set has %llu samples, needed are 1 to %u", (unsigned long long)n,
	                          UINT32_MAX - 1);
}

static bool behind_room(const char *key)
{
	for (size_t i = MMI_KEY_ROOM; i < MMI_KEY_GUARDED; i++)
		if ((unsigned char)key[i] != 0xFF)
			return true;
	return false;
}

mm_status mmi_contract_key(const mmi_modality *m, uint64_t index, const char *key, mm_error *e)
{
	if (behind_room(key))
		return mmi_contract_blame(m, "key", MM_EABI, e, "sample %llu: it wrote behind the %d bytes it was given",
		                          (unsigned long long)index, MMI_KEY_ROOM);
	const char *end = memchr(key, 0, MMI_KEY_ROOM);

	if (end && end > key && end < key + MMI_KEY_BYTES)
		return MM_OK;
	return mmi_contract_blame(m, "key", MM_EABI, e, "sample %llu: the key %s, needed are 1 to %d bytes and a NUL",
	                          (unsigned long long)index,
	                          !end         ? "has no end"
	                          : end == key ? "is empty"
	                                       : "is too long",
	                          MMI_KEY_BYTES - 1);
}

mm_status mmi_contract_label(const mmi_modality *m, const char *key, int32_t label, mm_error *e)
{
	if (label < 0 || (uint32_t)label < m->info.n_classes)
		return MM_OK;
	return mmi_contract_blame(m, "label", MM_EFORMAT, e, "key '%.100s' has label %d, expected 0 to %u, or -1 for none",
	                          key, label, m->info.n_classes - 1);
}

/* All bits set: a NaN that no computation gives, and no end of a text. */
void mmi_contract_poison(void *block, size_t bytes)
{
	memset(block, 0xFF, bytes);
}

static bool poisoned(const float *x)
{
	static const uint32_t poison = UINT32_MAX;
	return !memcmp(x, &poison, sizeof poison);
}

/* A comparison with NaN is false. */
static bool all_within(const float *x, int64_t n, float lo, float hi)
{
	int outside = 0;

	for (int64_t i = 0; i < n; i++)
		outside |= !(x[i] >= lo && x[i] <= hi);
	return !outside;
}

static mm_status bad_sample(const mmi_modality *m, const char *callback, const char *sample, mm_error *e,
                            const char *format, ...) MMI_PRINTF(5, 6);
static mm_status bad_sample(const mmi_modality *m, const char *callback, const char *sample, mm_error *e,
                            const char *format, ...)
{
	char text[MM_ERROR_TEXT];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	return mmi_contract_blame(m, callback, MM_EFORMAT, e, "%s%.255s%s%s", sample ? "sample '" : "",
	                          sample ? sample : "", sample ? "': " : "", text);
}

static mm_status check_range(const mmi_modality *m, const char *callback, const char *sample, const float *x,
                             mm_error *e)
{
	const mm_modality_info *info = &m->info;
	const bool bounded = info->support != MM_SUPPORT_REAL;
	const float slack =
		bounded ? 1e-4f * (info->hi - info->lo) : 0; /* rounding: the chains are clamped to the range anyway */
	const float lo = bounded ? info->lo - slack : -FLT_MAX, hi = bounded ? info->hi + slack : FLT_MAX;
	int64_t i = 0;

	if (all_within(x, m->count, lo, hi))
		return MM_OK;
	while (x[i] >= lo && x[i] <= hi)
		i++;
	if (poisoned(&x[i]))
		return bad_sample(m, callback, sample, e, "value %lld of %lld was not written", (long long)i,
		                  (long long)m->count);
	return bad_sample(m, callback, sample, e, "value %lld is %g, expected a number from %g to %g", (long long)i,
	                  (double)x[i], (double)(bounded ? info->lo : lo), (double)(bounded ? info->hi : hi));
}

static mm_status check_sums(const mmi_modality *m, const char *callback, const char *sample, const float *x,
                            mm_error *e)
{
	int64_t n = m->info.shape.dim[m->info.shape.rank - 1];
	for (int64_t i = 0; i < m->count; i += n) {
		double sum = 0;
		for (int64_t k = 0; k < n; k++)
			sum += (double)x[i + k];
		if (fabs(sum - 1) > SUM_TOLERANCE)
			return bad_sample(m, callback, sample, e, "the values from %lld on sum to %g, expected 1", (long long)i,
			                  sum);
	}
	return MM_OK;
}

mm_status mmi_contract_values(const mmi_modality *m, const char *callback, const char *sample, const float *x,
                              mm_error *e)
{
	MMI_TRY(check_range(m, callback, sample, x, e));
	return m->info.support == MM_SUPPORT_SIMPLEX ? check_sums(m, callback, sample, x, e) : MM_OK;
}

mm_status mmi_contract_picture(const mmi_modality *m, uint32_t width, uint32_t height, mm_error *e)
{
	if (width >= 1 && height >= 1 && width <= PICTURE_MAX && height <= PICTURE_MAX)
		return MM_OK;
	return mmi_contract_blame(m, "picture size", MM_EABI, e, "%u x %u pixels, needed are 1 to %u each way", width,
	                          height, PICTURE_MAX);
}
