/* amx.h - the processor's matrix unit for bfloat16, which nothing of ours uses: oneDNN does. */
#ifndef MMI_CPU_AMX_H
#define MMI_CPU_AMX_H

#include "base/base.h"

/* Whether the processor has AMX-TILE and AMX-BF16. */
bool mmi_amx_present(void);
/* Then: whether the kernel lets this process use them, which is asked for here (Linux 5.16 or newer). */
bool mmi_amx_permitted(void);

#endif
