/* open.h - oneDNN's products in bfloat16, opened where they are taken. */
#ifndef MMI_ONEDNN_OPEN_H
#define MMI_ONEDNN_OPEN_H

#include "backend/onednn/module.h"

/* backend-onednn.so is looked for in $MMCORE_BACKENDS, else where it is installed; it is never unloaded, so what was
 * found once is found again at once. `asked` as in mmi_module, for the message. */
mm_status mmi_onednn_find(const char *asked, const mmi_onednn **out, mm_error *e);
/* Version and instruction set as oneDNN tells them. */
const char *mmi_onednn_text(void);

#endif
