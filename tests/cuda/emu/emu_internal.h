/* emu_internal.h - shared by the emulation's files. */
#ifndef EMU_INTERNAL_H
#define EMU_INTERNAL_H

#include "emu.h"
#include "emu_device.h"
#include "emu_offer.h"

/* ------------------------------------------------------------ rules and order */

void emu_violate(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A rule has been broken, and nobody has read which. */
bool emu_violated(void);
void emu_permute(unsigned *order, unsigned n); /* order holds 0..n-1 in any order */
unsigned emu_choose(unsigned n);               /* one of n: the first, the last, or any */
emu_counts *emu_counter(void);
bool emu_is_hollow(void);
/* Around whatever the emulation does in the place of a device: its processor time is counted. */
void emu_enter(void);
void emu_leave(void);

/* ------------------------------------------------------------ memory */

bool emu_is_device(const void *p, size_t bytes); /* all of it in one live allocation */
bool emu_is_pinned(const void *p, size_t bytes);
bool emu_in_arena(const void *p);
void emu_open_memory(bool open);
int emu_of_environment(const char *name, int otherwise);

/* ------------------------------------------------------------ streams */

/* Queues work on a stream, or adds it to the graph that the stream captures: run(ctx) later, with ctx copied. Returns a
 * cudaError_t. */
int emu_enqueue(void *stream, void (*run)(const void *ctx), const void *ctx, size_t bytes);
/* The same of work that waits: see emu_offer. */
int emu_enqueue_when(void *stream, bool (*ready)(const void *ctx), const void *ctx, size_t bytes);
bool emu_is_capturing(const void *stream);
/* A call that is forbidden while a stream captures: tells, and spoils the capture. */
bool emu_refuse_in_capture(const char *call);
void emu_wait_for_all(void);

/* Numbers in bfloat16, as the libraries round to it: to the nearest, to even at a tie. */
float emu_from_bf16(uint16_t bits);
uint16_t emu_to_bf16(float x);

void emu_run_grid(const emu_kernel *k, emu_uint3 grid, emu_uint3 block, const void *args);

#endif
