/* order.h - the order of a program's calls. */
#ifndef MMI_ORDER_H
#define MMI_ORDER_H

#include "engine/plan.h"

/* Moves each call to where its result is first wanted, in place of where it was recorded. What a branch of the network
 * computed is then read back while it is near: a decoder's maps by its own gradients before the next decoder begins,
 * which takes over their storage. Gradients to parameters keep their order, in which they add up. */
mm_status mmi_order_calls(mmi_plan *p, mm_error *e);

#endif
