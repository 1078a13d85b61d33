/* rows.c - rows of samples in memory. */
#include "mmi_build.h"

#include "model/rows.h"
#include "base/finite.h"

#include <string.h>

mm_status mmi_rows_create(const mmi_model *m, size_t rows, float **x, mm_error *e)
{
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		x[i] = mmi_alloc(rows * (size_t)m->modalities[i].count, sizeof(float));
		if (!x[i])
			return mmi_fail(e, MM_ENOMEM, "out of memory for %zu samples of [%s]", rows, m->modalities[i].name);
	}
	return MM_OK;
}

void mmi_rows_clear(float **x)
{
	for (uint32_t i = 0; i < MMI_MAX_MODALITIES; i++) {
		mmi_free(x[i]);
		x[i] = NULL;
	}
}

mm_status mmi_rows_check(const mmi_model *m, size_t rows, float *const *x, const char *what, mm_error *e)
{
	MMI_TRY(m->device->ops->wait(m->device, e)); /* what failed there made them */
	for (uint32_t i = 0; i < m->n_modalities; i++) {
		const size_t count = (size_t)m->modalities[i].count;
		if (!mmi_finite(x[i], rows * count))
			return mmi_fail(e, MM_ENUMERIC,
			                "%s of [%s] are not finite numbers, number %zu first: the model has diverged, or the steps "
			                "of its chains "
			                "are too large",
			                what, m->modalities[i].name, mmi_find_nonfinite(x[i], rows * count) / count);
	}
	return MM_OK;
}

void mmi_rows_copy(const mmi_model *m, size_t rows, float *const *to, float *const *from)
{
	for (uint32_t i = 0; i < m->n_modalities; i++)
		memcpy(to[i], from[i], rows * (size_t)m->modalities[i].count * sizeof(float));
}

void mmi_rows_at(const mmi_model *m, float *const *x, size_t row, float **at)
{
	for (uint32_t i = 0; i < m->n_modalities; i++)
		at[i] = x[i] + row * (size_t)m->modalities[i].count;
}
