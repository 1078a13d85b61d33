/* exchange.c - tuples whose parts do not belong together. */
#include "mmi_build.h"

#include "engine/streams.h"
#include "engine/vec.h"
#include "eval/exchange.h"

#define ATTEMPTS 200u /* draws of a partner before a tuple is left as it is */

const char *const mmi_kind_names[MMI_KINDS] = { "joint", "texture", "match", "agreement" };

uint32_t mmi_eval_kinds(const mmi_eval_work *w)
{
	const bool trained[MMI_TERMS] = { w->saved.has_energy, w->saved.has_match, true };
	uint32_t kinds = 0, n = 0;
	for (int k = 0; k < MMI_TERMS; k++) {
		const bool there = trained[k] && mmi_model_has_term(w->model, (mmi_term)k);
		kinds |= (uint32_t)there << (MMI_KIND_TERM + k);
		n += there;
	}
	return w->saved.has_energy && n > 1 ? kinds | 1u << MMI_KIND_JOINT : kinds;
}

mm_status mmi_kinds_create(uint32_t kinds, size_t rows, float *at[MMI_KINDS], mm_error *e)
{
	for (int k = 0; k < MMI_KINDS; k++)
		if (kinds >> k & 1 && !(at[k] = mmi_alloc(rows, sizeof(float))))
			return mmi_fail(e, MM_ENOMEM, "out of memory for %zu energies", rows);
	return MM_OK;
}

void mmi_kinds_clear(float *at[MMI_KINDS])
{
	for (int k = 0; k < MMI_KINDS; k++) {
		mmi_free(at[k]);
		at[k] = NULL;
	}
}

void mmi_kinds_run(mmi_sampler *s, const float *const *x, uint32_t rows, float *const at[MMI_KINDS])
{
	mmi_energies out = { .joint = at[MMI_KIND_JOINT] };
	for (int k = 0; k < MMI_TERMS; k++)
		out.term[k] = at[MMI_KIND_TERM + k];
	mmi_sampler_energies(s, x, rows, &out);
}

/* False when none was met. */
static bool partner(const mmi_eval_work *w, uint64_t key, uint32_t tuple, uint32_t m, bool same, uint32_t *out)
{
	int32_t label = mmi_tuples_label(w->tuples, tuple);
	for (uint32_t a = 0; a < ATTEMPTS && label >= 0; a++) {
		uint32_t i = mmi_rng_below((mmi_rng){ .key = key, .sample = tuple, .step = a, .iteration = m }, w->n_tuples);
		int32_t theirs = mmi_tuples_label(w->tuples, i);
		if (theirs >= 0 && i != tuple && (theirs == label) == same) {
			*out = i;
			return true;
		}
	}
	return false;
}

mm_status mmi_eval_exchange(mmi_eval_work *w, uint32_t first, uint32_t rows, uint32_t m, bool same, float *to,
                            mm_error *e)
{
	uint64_t key = mmi_rng_key(w->r->seed, same ? MMI_STREAM_EVAL_SAME : MMI_STREAM_EVAL_SWAP);
	for (uint32_t r = 0; r < rows; r++) {
		float *at[MMI_MAX_MODALITIES] = { NULL };
		uint32_t i;
		w->counted[r] = partner(w, key, first + r, m, same, &i);
		at[m] = to + r * (size_t)w->model->modalities[m].count;
		if (w->counted[r])
			MMI_TRY(mmi_tuples_read(w->tuples, i, at, e));
	}
	return MM_OK;
}
