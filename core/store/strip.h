/* strip.h - a checkpoint without what only training needs. */
#ifndef MMI_STRIP_H
#define MMI_STRIP_H

#include "store/checkpoint.h"

#define MMI_STRIPPED "stripped" /* "yes" in the metadata: no run can go on from it */

/* Writes `to` (atomically): parameters, what plugins keep, and the counters that a trained model needs; neither moments
 * of the optimiser nor snapshot nor persistent chains, and where a moving average stands for the generator, not the
 * generator that was trained on. */
mm_status mmi_checkpoint_strip(const char *from, const char *to, mm_error *e);

#endif
