/* narrow.h - which tensors of a program are stored in bfloat16: activations, their gradients, and the operands of
 * products on backends that have narrow maps; on devices whose kernels take either, what is large and what all take
 * that touch it.
 *
 * Floats remain: what callers bind, read or train (inputs, outputs, parameters and their gradients), sums that losses
 * are made of and what is computed from those, and what densities of latents are of. An operand of a product that is in
 * floats has a copy in bfloat16, which is made once a run. */
#ifndef MMI_NARROW_H
#define MMI_NARROW_H

#include "engine/plan.h"

/* Fills p->narrow, once roots are known. */
mm_status mmi_narrow_choose(mmi_plan *p, mm_error *e);
/* The same where kernels take either, once calls are listed. */
mm_status mmi_narrow_choose_among(mmi_plan *p, mm_error *e);
/* Whether operand k of a node has to be copied: it belongs to a product and is not in bfloat16. */
bool mmi_narrow_rounds(const mmi_plan *p, mm_tensor id, uint32_t k);
/* The tensor's copy: a further node, unless there is one. */
mm_tensor mmi_narrow_copy(mmi_plan *p, mm_tensor x);

#endif
