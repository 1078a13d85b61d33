/* rows.h - the host's row operations. */
#ifndef MMI_CPU_ROWS_H
#define MMI_CPU_ROWS_H

#include "engine/row_ops.h"

void mmi_host_spectral(const mmi_device *d, const mmi_spectral *a, int iterations);
void mmi_host_spectral_grad(const mmi_device *d, const mmi_spectral *a, mmi_floats grad);

extern const mmi_row_ops mmi_host_rows;

#endif
