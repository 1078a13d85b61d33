/* events.h - files that TensorBoard reads: scalars and pictures, each with its step and the time.
 *
 * A file is a row of records (TFRecord): length, its checksum, bytes, their checksum. The bytes are a message `Event`
 *of TensorFlow's protocol buffers, of which the few fields that are needed are written by hand:
 *
 *	Event       1 wall_time double, 2 step int64, 3 file_version string, 5 summary Summary, 7 session_log SessionLog
 *	SessionLog  1 status enum: 1 START
 *	Summary     1 value, each: 1 tag string, 2 simple_value float, 4 image Image
 *	Image       1 height, 2 width, 3 colorspace: 3 RGB, 4 encoded_image_string bytes
 *
 * A record is one write, so a process that is killed leaves at most one that is cut off, at which readers stop and go
 *on with the next file. Who goes on begins a new file with a START, and readers drop what older files have of steps
 *from there on. */
#ifndef MMI_EVENTS_H
#define MMI_EVENTS_H

#include "base/base.h"

typedef struct mmi_events mmi_events;

typedef struct mmi_scalar {
	const char *tag;
	double value; /* written as a float; left out where it is not finite */
} mmi_scalar;

/* A new file in a folder, which is made: events.out.tfevents.SECONDS.HOST.PID.N. now: seconds since 1970. Steps below
 * `step` stay valid; 0: there are none. */
mm_status mmi_events_open(const char *folder, double now, uint64_t step, mmi_events **out, mm_error *e);
void mmi_events_close(mmi_events *f); /* accepts NULL */
const char *mmi_events_path(const mmi_events *f);
/* What was told of steps from this one on is no more true. */
mm_status mmi_events_restart(mmi_events *f, double now, uint64_t step, mm_error *e);
mm_status mmi_events_scalars(mmi_events *f, double now, uint64_t step, const mmi_scalar *s, size_t n, mm_error *e);
/* A PNG file's bytes. */
mm_status mmi_events_picture(mmi_events *f, double now, uint64_t step, const char *tag, const void *png, size_t bytes,
                             mm_error *e);

#endif
