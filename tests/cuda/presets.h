/* presets.h - between the files of presets. */
#ifndef PRESETS_H
#define PRESETS_H

#include "engine/device.h"

/* Every convolution that the device's programs have asked cuDNN for: n h w in out kh kw sh sw ph pw, and what: f
 * forward, b with a bias, r with a bias and ReLU, x and w the gradients. */
void presets_print_plans(const mmi_device *d);

#endif
