/* rows.h - rows of samples in memory, an array for each modality: x[m] is [rows][floats of modality m]. */
#ifndef MMI_ROWS_H
#define MMI_ROWS_H

#include "model/model.h"

/* Rows to those who only read them: C converts no pointer that deep by itself. */
static inline const float *const *mmi_rows_read(float *const *x)
{
	return (const float *const *)x;
}

/* Zeros. On failure some arrays may be there already: mmi_rows_clear. */
mm_status mmi_rows_create(const mmi_model *m, size_t rows, float **x, mm_error *e);
/* All MMI_MAX_MODALITIES arrays; those that are NULL are accepted. */
void mmi_rows_clear(float **x);
/* MM_ENUMERIC, with the modality and the row, unless the first rows are all finite; `what` is what they are: "samples".
 * Where the model's device has failed, that is told instead. */
mm_status mmi_rows_check(const mmi_model *m, size_t rows, float *const *x, const char *what, mm_error *e);
/* The first rows of all modalities. */
void mmi_rows_copy(const mmi_model *m, size_t rows, float *const *to, float *const *from);
/* Where a row begins in each modality. */
void mmi_rows_at(const mmi_model *m, float *const *x, size_t row, float **at);

#endif
