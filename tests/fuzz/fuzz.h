/* fuzz.h - what the harnesses share: bytes as a file, parts of an input, and a finding, which ends the process.
 *
 * A harness is one source with LLVMFuzzerTestOneInput, and LLVMFuzzerInitialize where something is to be made once.
 * Built with clang's libFuzzer it looks for inputs by itself (make fuzz); else fuzz_main.c gives it the files that it
 * is told (make check). Whatever the bytes, a reader gives what it promises or fails with a message. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/base.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* A finding: says what and aborts. */
void fuzz_fail(const char *format, ...) MMI_PRINTF(1, 2) __attribute__((noreturn));
/* A failure must have a message and carry its own status. Returns whether it was none. */
bool fuzz_ok(mm_status status, const mm_error *e);
/* What the harness itself needs: its failure is no finding, but ends the process as well. */
void fuzz_must(mm_status status, const mm_error *e);

/* A file of these bytes that never leaves memory; the path is good until the next call for the same slot (0 to 3). */
const char *fuzz_file(int slot, const void *bytes, size_t n);
/* A new folder in memory, where there is such a file system; removed when the process ends well. */
const char *fuzz_folder(void);
/* FOLDER/name with these bytes; folders on the way are made. It is kept open and filled again the next time, so nobody
 * may put another file in its place. */
void fuzz_put(const char *name, const void *bytes, size_t n);
/* The next part of an input; parts end at byte 0x1E. */
size_t fuzz_part(const uint8_t **at, const uint8_t *end, const uint8_t **part);
/* The rest of an input as text of its own, without bytes behind its first NUL; free it. */
char *fuzz_text(const uint8_t *at, size_t n);

/* Whether this is one of about `of` inputs, by its bytes alone; always without libFuzzer. For what lies behind a reader
 * and takes far more time than it does. */
bool fuzz_rarely(const uint8_t *data, size_t n, unsigned of);

/* fuzz_tensors.c: makes the checksum of a safetensors file anew, in place, where it has one and its header is one. */
void fuzz_new_checksum(uint8_t *bytes, size_t n);

/* fuzz_settings.c: each type of value is asked for; `all`: also all tables, and the files that are written from them.
 */
struct mmi_config;
void fuzz_use_settings(struct mmi_config *c, bool all);

#endif
