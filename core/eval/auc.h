/* auc.h - area under the ROC curve: how well a score tells two sets apart. */
#ifndef MMI_AUC_H
#define MMI_AUC_H

#include "base/base.h"

/* The probability that a score drawn from `high` exceeds one drawn from `low`, ties counted half (Mann and Whitney).
 * 0.5 is chance. Both hold at least one finite number. */
mm_status mmi_auc(const float *low, size_t n_low, const float *high, size_t n_high, double *out, mm_error *e);

#endif
