/* fold.h - on backends that join: an upsampling by two becomes a part of the 3x3 convolution behind it. */
#ifndef MMI_FOLD_H
#define MMI_FOLD_H

#include "engine/plan.h"

/* A 3x3 convolution of a map that was upsampled by two is a transposed one of the map itself, of 4x4 with stride 2,
 * whose weights are sums of up to four of its own; its gradient to the map is that one's, a convolution of 4x4 with
 * stride 2. Four ninths of the multiplications, and the larger map is not there, unless others read it. Rewrites the
 * plan's nodes: a CONV or CONV_BWD_X with attr.flag set has the smaller map in place of the larger one's. */
void mmi_fold_upsampling(mmi_plan *p);

#endif
