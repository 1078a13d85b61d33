/* contract.h - whatever a plugin hands over is checked here: its static data, and what its callbacks returned. Hosts
 * and tools that test plugins use the same checks. Messages begin with section, plugin, path and callback, but for
 * those about the entry. */
#ifndef MMI_CONTRACT_H
#define MMI_CONTRACT_H

#include "engine/graph.h"
#include "plugin/modality.h"

/* ---------------------------------------------------------------- static data: before any of the plugin's logic runs
 */

/* Checks the data behind `raw` and copies it: *entry and *descs (entry->n_modalities, freed with mmi_free) have their
 * full size, zeros behind what the plugin knows. Messages do not name the file. */
mm_status mmi_contract_entry(const mm_plugin_entry *raw, mm_plugin_entry *entry, mm_modality_desc **descs, mm_error *e);
/* 1..63 of [a-z0-9.-], a letter or digit first and last. */
bool mmi_contract_id(const char *id);

/* ---------------------------------------------------------------- results of callbacks */

/* The result of a callback as the host passes it on: unknown codes become MM_EINTERNAL, the text is made printable, or
 * filled in where the plugin gave none. `from` and `e` may be the same. */
mm_status mmi_contract_status(mm_status status, const mm_error *from, mm_error *e);
/* A fault of the plugin that the host found. Returns code. */
mm_status mmi_contract_blame(const mmi_modality *m, const char *callback, mm_status code, mm_error *e,
                             const char *format, ...) MMI_PRINTF(5, 6);
/* MM_EABI unless there is what the callback was to make. */
mm_status mmi_contract_made(const mmi_modality *m, const char *callback, const void *made, const char *what,
                            mm_error *e);
/* Gaussian and laplace have one. */
bool mmi_contract_has_scale(uint32_t likelihood);
/* What describe gave: m->info, whose lo, hi and unused dims are completed, and m->count. */
mm_status mmi_contract_info(mmi_modality *m, mm_error *e);
/* An extension that get_extension gave: its size is at least `needed`, and all its functions are there. */
mm_status mmi_contract_extension(const mmi_modality *m, const char *id, uint32_t size, uint32_t needed, bool functions,
                                 mm_error *e);
/* An id that nobody has and that get_extension knows all the same: its other answers mean nothing then. NULL: none. */
const char *mmi_contract_stranger(const void *(*get_extension)(const char *id));
/* MM_EABI when there is one. */
mm_status mmi_contract_extensions(const mmi_modality *m, const void *(*get_extension)(const char *id), mm_error *e);
/* A tensor of g that depends on the sample; of this shape, where one is given. */
mm_status mmi_contract_tensor(const mmi_modality *m, const mmi_graph *g, const char *callback, const char *name,
                              mm_tensor x, const mm_shape *shape, mm_error *e);
/* The same with one of two ranks; `needed` says it in words. */
mm_status mmi_contract_rank(const mmi_modality *m, const mmi_graph *g, const char *callback, const char *name,
                            mm_tensor x, uint32_t rank, uint32_t other, const char *needed, mm_error *e);
/* Samples of a data set: at least one, no more than can be numbered. */
mm_status mmi_contract_count(const mmi_modality *m, uint64_t n, mm_error *e);
/* A key in a buffer of MMI_KEY_GUARDED bytes, of which the plugin was told the first MMI_KEY_ROOM, that began as
 * mmi_contract_poison left it: NUL-terminated, 1 to 255 bytes, and nothing behind the room. */
enum { MMI_KEY_BYTES = 256, MMI_KEY_ROOM = 512, MMI_KEY_GUARDED = 1024 };
mm_status mmi_contract_key(const mmi_modality *m, uint64_t index, const char *key, mm_error *e);
mm_status mmi_contract_label(const mmi_modality *m, const char *key, int32_t label, mm_error *e);
/* So that what a callback does not write can be told from what it does. */
void mmi_contract_poison(void *block, size_t bytes);
/* A sample, m->count floats: all written, finite, within the support (rounding aside), sums of 1 on a simplex. sample:
 * its key, or NULL. */
mm_status mmi_contract_values(const mmi_modality *m, const char *callback, const char *sample, const float *x,
                              mm_error *e);
mm_status mmi_contract_picture(const mmi_modality *m, uint32_t width, uint32_t height, mm_error *e);

#endif
