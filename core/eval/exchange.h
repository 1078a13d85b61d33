/* exchange.h - tuples with one modality exchanged for another tuple's, and the energies that are asked about them. */
#ifndef MMI_EXCHANGE_H
#define MMI_EXCHANGE_H

#include "eval/eval_work.h"

/* The joint energy, then its terms. */
enum { MMI_KIND_JOINT, MMI_KIND_TERM, MMI_KINDS = MMI_KIND_TERM + MMI_TERMS };
extern const char *const mmi_kind_names[MMI_KINDS];

/* A bit 1 << kind for each that the model has and that was trained; the joint energy only where it has several terms.
 */
uint32_t mmi_eval_kinds(const mmi_eval_work *w);

/* Rows of energies by kind, [rows] each. Those that are not among the kinds are NULL. */
mm_status mmi_kinds_create(uint32_t kinds, size_t rows, float *at[MMI_KINDS], mm_error *e);
void mmi_kinds_clear(float *at[MMI_KINDS]);
/* Energies of a block of rows by any sampler of the model's networks. */
void mmi_kinds_run(mmi_sampler *s, const float *const *x, uint32_t rows, float *const at[MMI_KINDS]);

/* Modality m of partners of the tuples first.. over `to`: each any tuple of the evaluated ones of another class, or
 * another one of the same class. Rows without one are told in w->counted. */
mm_status mmi_eval_exchange(mmi_eval_work *w, uint32_t first, uint32_t rows, uint32_t m, bool same, float *to,
                            mm_error *e);

#endif
