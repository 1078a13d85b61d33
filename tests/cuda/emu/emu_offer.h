/* emu_offer.h - what the emulated device offers to emulated libraries that are files of their own, and find it by name.
 */
#ifndef EMU_OFFER_H
#define EMU_OFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct emu_offer {
	/* Queues work that waits, and all behind it, until `ready` says so; it is asked while memory of the device is open.
	 * Returns a cudaError_t. */
	int (*enqueue_when)(void *stream, bool (*ready)(const void *ctx), const void *ctx, size_t bytes);
	bool (*is_device)(const void *p, size_t bytes);
	bool (*is_capturing)(const void *stream);
	void (*violate)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	int (*device)(void); /* the one that was set */
} emu_offer;

extern const emu_offer emu_offered;

#endif
