/* checkpoint.h - the state of a run as one safetensors file: parameters, optimiser, counters, and text about them.
 *
 * Written atomically; the data carries a CRC-32, so a damaged file is refused, never half loaded. NaN and infinity are
 * neither written nor read. Counters are tensors of rank 0: what Python's safetensors reads is all there is. */
#ifndef MMI_CHECKPOINT_H
#define MMI_CHECKPOINT_H

#include "store/safetensors.h"

#define MMI_CHECKPOINT_FORMAT "mmcore.checkpoint" /* key of the metadata: the format's version */
#define MMI_STATE_TENSOR "modality.%s.state"      /* U8: what a modality's plugin keeps in checkpoints */

typedef struct mmi_checkpoint mmi_checkpoint;

/* Items for save and restore; names and data stay the caller's. */
mmi_tensor_item mmi_item_f32(const char *name, mm_shape shape, float *data);
mmi_tensor_item mmi_item_f32_flat(const char *name, size_t count, float *data);
mmi_tensor_item mmi_item_counter(const char *name, int64_t *value); /* 0 to MMI_COUNTER_MAX */
mmi_tensor_item mmi_item_double(const char *name, double *value);
/* The same item, an F64 or I64, whose values restore refuses outside of a range. */
mmi_tensor_item mmi_item_within(mmi_tensor_item item, double min, double max);
#define MMI_COUNTER_MAX 9007199254740992.0 /* 2^53: exact, and nobody counts so far */

mm_status mmi_checkpoint_save(const char *path, const mmi_tensor_item *items, size_t n, const mmi_text_pair *meta,
                              size_t n_meta, mm_error *e);
mm_status mmi_checkpoint_open(const char *path, mmi_checkpoint **out, mm_error *e);
/* The same of a file's contents in memory, which must stay until close. `name` stands for the path. */
mm_status mmi_checkpoint_open_memory(const char *name, const void *bytes, size_t n_bytes, mmi_checkpoint **out,
                                     mm_error *e);
void mmi_checkpoint_close(mmi_checkpoint *ck);
const char *mmi_checkpoint_path(const mmi_checkpoint *ck);
const char *mmi_checkpoint_meta(const mmi_checkpoint *ck, const char *key); /* NULL: none */
const mmi_safetensors *mmi_checkpoint_tensors(const mmi_checkpoint *ck);
/* A scalar on its own, before the run it belongs to exists. */
mm_status mmi_checkpoint_counter(const mmi_checkpoint *ck, const char *name, int64_t *value, mm_error *e);
/* Reads all data against its CRC; numbers that are not finite are refused (MM_ENUMERIC), as they are by save. */
mm_status mmi_checkpoint_verify(const mmi_checkpoint *ck, mm_error *e);

/* Fills the items. Refused, with nothing touched, when the file's data is damaged, when it and the items differ, or
 * when a number is outside its item's range: the message names the first tensor that is missing, of another shape, one
 * too many, or out of range. */
mm_status mmi_checkpoint_restore(const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n, mm_error *e);
/* The same, but what the file holds under names that start with one of the n_others prefixes may be left unread. */
mm_status mmi_checkpoint_restore_part(const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n,
                                      const char *const *others, size_t n_others, mm_error *e);
/* The same in one reading of the file, for items that nobody needs when it fails: then they hold anything. */
mm_status mmi_checkpoint_load_part(const mmi_checkpoint *ck, const mmi_tensor_item *items, size_t n,
                                   const char *const *others, size_t n_others, mm_error *e);

/* Checkpoints of a folder: checkpoint-00001200.safetensors. */
char *mmi_checkpoint_file(const char *folder, uint64_t iteration); /* mmi_free; NULL when out of memory */
/* Iterations present, ascending; a missing folder holds none. mmi_free *iterations. */
mm_status mmi_checkpoint_list(const char *folder, uint64_t **iterations, size_t *n, mm_error *e);
/* Deletes all but the newest `keep` (at least 1) and those of the n iterations in `held`, and temporaries of killed
 * processes. Not while one is being saved. */
mm_status mmi_checkpoint_prune(const char *folder, size_t keep, const uint64_t *held, size_t n, mm_error *e);
/* Deletes those of later iterations, the newest first: a run that went back leaves another course behind. */
mm_status mmi_checkpoint_drop_after(const char *folder, uint64_t iteration, mm_error *e);
/* Opens and verifies the newest; each one that is broken is a warning in the log, then the one before it is tried.
 * *out = NULL when the folder holds none. */
mm_status mmi_checkpoint_latest(const char *folder, const mmi_log *log, mmi_checkpoint **out, mm_error *e);
/* The checkpoint that stands for a run folder: its best one if it has one, else the newest. MM_ECONFIG when there is
 * none. mmi_free *out. */
#define MMI_CHECKPOINT_BEST "best.safetensors"
mm_status mmi_checkpoint_of_run(const char *run, char **out, mm_error *e);
/* The same for a folder; anything else is a checkpoint's name already. */
mm_status mmi_checkpoint_resolve(const char *path, char **out, mm_error *e);

#endif
