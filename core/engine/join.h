/* join.h - on backends that join: which operations on elements are computed in the call in front of them.
 *
 * An operation joins the call whose last value it works on, if all else that it reads is there by then; the call may be
 * put off until it is. Values in between are stored where others read them and nowhere else. Resampling by whole cells
 * is no call where one operation on elements reads it: that one reads through it. Of an activation with one slope on
 * either side of 0 its gradient reads signs, a bit each. A factor in front of products goes into these. */
#ifndef MMI_JOIN_H
#define MMI_JOIN_H

#include "engine/plan.h"

/* Takes factors out of the plan's operands of products: before the choice of types. */
mm_status mmi_join_factors(mmi_plan *p, mm_error *e);
/* Joins the operation to a call of the list, or only prepares it for one of its own: false. */
bool mmi_join(mmi_plan *p, mm_tensor id);
/* When all calls are listed: which values are stored. */
void mmi_join_store(mmi_plan *p);

#endif
