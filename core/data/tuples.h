/* tuples.h - the aligned data of several modalities: samples joined by key. */
#ifndef MMI_TUPLES_H
#define MMI_TUPLES_H

#include "plugin/modality.h"

typedef enum { MMI_PART_TRAIN, MMI_PART_VALIDATION, MMI_PART_TEST } mmi_part;
const char *mmi_part_name(mmi_part part);

typedef struct mmi_tuples mmi_tuples;

/* Opens the part of every modality and joins by key. VALIDATION is the last `holdout` tuples of a permutation of the
 * training data that depends on the seed alone, and what a plugin says must not be parted from them; TRAIN is the rest.
 * Tuples stand in the order of the first modality; keys without partners are left out and told to the log; labels that
 * disagree, a key twice, or nothing in common is an error. The modalities must outlive the tuples. */
mm_status mmi_tuples_open(const mmi_modality *modalities, size_t n_modalities, mmi_part part, uint32_t holdout,
                          uint64_t seed, const mmi_log *log, mmi_tuples **out, mm_error *e);
/* The same, but every key that any modality holds is a tuple, in an order that does not depend on that of the
 * modalities: the keys of the one that holds most in its order, then what the next adds. A modality that shares no key
 * with any other is an error. */
mm_status mmi_tuples_open_incomplete(const mmi_modality *modalities, size_t n_modalities, mmi_part part,
                                     uint32_t holdout, uint64_t seed, const mmi_log *log, mmi_tuples **out,
                                     mm_error *e);
void mmi_tuples_close(mmi_tuples *t);

/* Hides this share of (tuple, modality) pairs from now on, at random from the seed and key, but never a whole tuple:
 * for experiments with missing modalities. Call before reading. */
mm_status mmi_tuples_hide(mmi_tuples *t, double hide, uint64_t seed, mm_error *e);
/* Leaves only tuples that lack nothing, in the same order: of a part that was opened with incomplete ones, so that its
 * reserve for validation is training's. */
void mmi_tuples_drop_incomplete(mmi_tuples *t);
/* Leaves n of them, or all where there are fewer, in an order drawn at random from the seed: data are often sorted by
 * class, so the first n are not like the others. Call before mmi_tuples_hide. */
mm_status mmi_tuples_pick(mmi_tuples *t, uint32_t n, uint64_t seed, mm_error *e);
/* Nothing is ever missing. */
bool mmi_tuples_complete(const mmi_tuples *t);
bool mmi_tuples_has(const mmi_tuples *t, uint32_t i, size_t m);

uint32_t mmi_tuples_count(const mmi_tuples *t);
size_t mmi_tuples_modalities(const mmi_tuples *t);
int64_t mmi_tuples_floats(const mmi_tuples *t, size_t m); /* of one sample */
const char *mmi_tuples_key(const mmi_tuples *t, uint32_t i);
int32_t mmi_tuples_label(const mmi_tuples *t, uint32_t i); /* -1: none */
/* What the join left out. */
typedef struct mmi_join {
	uint64_t count;  /* samples the modality holds */
	uint64_t absent; /* keys that this one lacks: of the first modality, or of any where incomplete tuples are kept */
	uint64_t extra;  /* keys of this one that the first lacks; 0 where incomplete tuples are kept */
} mmi_join;
mmi_join mmi_tuples_join(const mmi_tuples *t, size_t m);
/* Reads tuple i, one sample a modality (out[m] NULL: skipped; what is missing: zeros). One thread at a time. Values
 * that are not finite are an error; messages name modality and key. */
mm_status mmi_tuples_read(mmi_tuples *t, uint32_t i, float *const *out, mm_error *e);
/* Whether the plugin of a modality varies what encoders see of training samples. */
bool mmi_tuples_varies(const mmi_tuples *t, size_t m);
/* What they see of tuple i, read into x, as draw number `draw` (out[m] NULL: skipped): where the plugin does not vary,
 * or nothing is there, the same. */
mm_status mmi_tuples_vary(mmi_tuples *t, uint32_t i, uint64_t draw, float *const *x, float *const *out, mm_error *e);

#endif
