/* emu.h - what tests ask of the emulated device.
 *
 * The backend's C files and kernels are compiled against it as they are; it runs them on the processor, and is strict:
 * what a GPU punishes only now and then is an error here (emu_rules.c). */
#ifndef EMU_H
#define EMU_H

#include <stdbool.h>
#include <stddef.h>

#define EMULATED 1

/* The last rule that was broken, or NULL; reading clears it. Unless violations are expected, one ends the program. */
const char *emu_violation(void);
void emu_expect_violations(bool expected);
/* The order of blocks, of threads between barriers and of streams: 0 forwards, 1 backwards, others at random. */
void emu_set_order(unsigned seed);

/* Since the program began. */
typedef struct emu_counts {
	unsigned long launches;  /* kernels that ran, those of libraries too */
	unsigned long queued;    /* calls that put work on a stream: a graph counts once */
	unsigned long waits;     /* of the host for the device */
	unsigned long up, down;  /* copies between host and device */
	unsigned long captures;  /* graphs that were made */
	unsigned long allocated; /* calls that take memory of the device */
	double seconds;          /* of processor time, in these calls */
} emu_counts;
emu_counts emu_counted(void);

/* The next allocations of device memory fail when fewer bytes than these are left: what a full card does. */
void emu_set_memory(size_t bytes);

/* New memory is zeros that nobody has touched, in place of NaN: for programs that are made and never run. */
void emu_set_blank(bool blank);
/* Kernels, those of libraries too, are queued, recorded and counted, but do nothing: for the host's time. */
void emu_set_hollow(bool hollow);

#endif
