/* build_info.h - what computes: kept in checkpoints, since results are the same bits only within one of these. */
#ifndef MMI_BUILD_INFO_H
#define MMI_BUILD_INFO_H

#include "engine/device.h"

/* "mmcore 0.1.0, gcc 12.2.0, cpu/avx512"; free with mmi_free; NULL when out of memory. */
char *mmi_build_text(const mmi_device *device);

#endif
