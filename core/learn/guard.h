/* guard.h - what stops an update beside gradients that are not finite (update.h). */
#ifndef MMI_GUARD_H
#define MMI_GUARD_H

#include "learn/learner.h"

/* MM_ENUMERIC when the energy loss is not finite, or so far beyond its running median that it has left the regime in
 * which its gradient means something. Otherwise it goes into the median. */
mm_status mmi_guard_gap(mmi_learner *l, double gap, mm_error *e);

#endif
