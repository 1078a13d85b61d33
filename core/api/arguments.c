/* arguments.c - what the caller hands over, checked. */
#include "mmi_build.h"

#include "api/api.h"
#include "base/finite.h"

#include <string.h>

/* ---------------------------------------------------------------- options */

static bool stop(void *ctx)
{
	const mmi_api_options *a = ctx;
	return a->o.progress(a->o.progress_ctx, a->done, a->total) != 0;
}

/* What comes back after the last block is not asked for: all is done. */
static void step(void *ctx, uint64_t done, uint64_t total)
{
	mmi_api_options *a = ctx;
	a->done = done;
	if (done == total)
		a->o.progress(a->o.progress_ctx, done, total);
}

mm_status mmi_api_options_take(const mm_options *from, uint64_t rows, mmi_api_options *out, mm_error *e)
{
	*out = (mmi_api_options){ .o = MM_OPTIONS_INIT };
	mm_options *o = &out->o;
	MMI_TRY(mmi_take_struct(from, o, sizeof *o, "options", e));
	if (o->number >= 65536)
		return mmi_fail(e, MM_EARG, "options.number is %u, expected less than 65536", o->number);
	if (o->candidates == 0 || o->candidates > 65536)
		return mmi_fail(e, MM_EARG, "options.candidates is %d, expected 1 to 65536, or -1 for the settings'",
		                o->candidates);
	out->total = rows * (o->draws ? o->draws : 1);
	out->steps = (mmi_recipe_change){ .posterior_steps = o->z_steps,
		                              .candidates = o->candidates,
		                              .latent_steps = o->guide_steps,
		                              .data_steps = o->x_steps };
	if (o->progress)
		out->hooks = (mmi_hooks){ .ctx = out, .stop = stop, .step = step };
	return MM_OK;
}

/* ---------------------------------------------------------------- arrays */

mm_status mmi_api_complete(const mm_model *m, const float *const *x, const char *what, mm_error *e)
{
	if (!x)
		return mmi_fail(e, MM_EARG, "%s is NULL", what);
	for (uint32_t i = 0; i < m->saved.model->n_modalities; i++)
		if (!x[i])
			return mmi_fail(e, MM_EARG, "%s[%u] (%s) is NULL; needed are all modalities", what, i, m->about[i].name);
	return MM_OK;
}

static bool lacks(const uint8_t *const *lacking, uint32_t m, uint32_t row)
{
	return lacking && lacking[m] && lacking[m][row];
}

static mm_status check_finite(const mm_model *m, uint32_t i, uint32_t n, const mmi_inputs *in, mm_error *e)
{
	const size_t floats = (size_t)m->about[i].floats;
	for (uint32_t row = 0; row < n; row++) {
		const float *x = in->x[i] + row * floats;
		const size_t bad = lacks(in->lacking, i, row) ? floats : mmi_find_nonfinite(x, floats);
		if (bad < floats)
			return mmi_fail(e, MM_EARG, "value %zu of sample %u of %s is %g; expected finite numbers", bad, row,
			                m->about[i].name, (double)x[bad]);
	}
	return MM_OK;
}

/* Nothing is inferred from nothing. */
static mm_status check_rows(const mm_model *m, uint32_t n, const mmi_inputs *in, mm_error *e)
{
	for (uint32_t row = 0; row < n; row++) {
		bool something = false;
		for (uint32_t i = 0; i < m->saved.model->n_modalities; i++)
			something = something || (in->given[i] && !lacks(in->lacking, i, row));
		if (!something)
			return mmi_fail(e, MM_EARG, "nothing is given of tuple %u", row);
	}
	return MM_OK;
}

mm_status mmi_api_inputs(const mm_model *m, uint32_t n, const float *const *given, const uint8_t *const *lacking,
                         mmi_inputs *out, mm_error *e)
{
	*out = (mmi_inputs){ .n = n };
	if (!given)
		return mmi_fail(e, MM_EARG, "given is NULL");
	for (uint32_t i = 0; i < m->saved.model->n_modalities; i++) {
		out->x[i] = (float *)(uintptr_t)given[i]; /* which is only read */
		out->given[i] = given[i] != NULL;
		out->lacking[i] = lacking && given[i] ? lacking[i] : NULL;
	}
	for (uint32_t i = 0; i < m->saved.model->n_modalities; i++)
		if (out->given[i])
			MMI_TRY(check_finite(m, i, n, out, e));
	return check_rows(m, n, out, e);
}
