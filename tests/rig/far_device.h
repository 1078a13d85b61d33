/* far_device.h - a device whose memory the host cannot reach: it is closed (mprotect) but while the device works. Its
 * numbers are the host's, so results must be the same to the bit, and whatever follows an address of the device dies.
 * One thread at a time. */
#ifndef FAR_DEVICE_H
#define FAR_DEVICE_H

#include "engine/device.h"

/* Waits and copies between host and device since the device was made. */
typedef struct far_counts {
	uint64_t waits, uploads, downloads;
} far_counts;

const mmi_device *far_device(void);
far_counts far_counted(void);
/* From now on whoever waits is told that the device has failed. */
void far_break(void);

#endif
