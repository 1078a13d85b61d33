/* rows.c - the host's table of row operations. */
#include "mmi_build.h"

#include "backend/cpu/rows.h"

const mmi_row_ops mmi_host_rows = {
	.spectral = mmi_host_spectral,
	.spectral_grad = mmi_host_spectral_grad,
};
