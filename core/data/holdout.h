/* holdout.h - which tuples are set aside for validation. */
#ifndef MMI_HOLDOUT_H
#define MMI_HOLDOUT_H

#include "base/base.h"

/* Tuples that must not be parted, as far as is known: each starts alone. */
typedef struct mmi_bundles mmi_bundles;

mm_status mmi_bundles_create(uint32_t n, mmi_bundles **out, mm_error *e);
void mmi_bundles_destroy(mmi_bundles *b); /* accepts NULL */
/* Binds tuples of one number; group has n of them, and where has[i] is false tuple i has none. */
mm_status mmi_bundles_bind(mmi_bundles *b, const uint64_t *group, const bool *has, mm_error *e);

/* Marks `holdout` tuples, the last ones of a permutation that depends on the seed alone, and with each those it must
 * not be parted from: so a few more than asked, and an error where none would be left for training. held: [n], all
 * false. *marked: how many. */
mm_status mmi_holdout_mark(const mmi_bundles *b, uint32_t holdout, uint64_t seed, bool *held, uint32_t *marked,
                           mm_error *e);

#endif
