/* npy.h - NumPy's .npy files, written row by row. */
#ifndef MMI_NPY_H
#define MMI_NPY_H

#include "base/base.h"

typedef enum { MMI_NPY_F32, MMI_NPY_I32 } mmi_npy_type;

typedef struct mmi_npy mmi_npy;

/* A new file of `rows` rows of this shape, an array of [rows, shape...]; NULL and rank 0 make a list of `rows` values.
 * Written to a temporary (files.h). */
mm_status mmi_npy_open(const char *path, mmi_npy_type type, uint64_t rows, const mm_shape *row, mmi_npy **out,
                       mm_error *e);
mm_status mmi_npy_write(mmi_npy *f, const void *values, uint64_t rows, mm_error *e);
/* Puts the file in place and frees f in every case; MM_ESTATE when rows are missing or too many. */
mm_status mmi_npy_commit(mmi_npy *f, mm_error *e);
void mmi_npy_abort(mmi_npy *f); /* accepts NULL */

#endif
