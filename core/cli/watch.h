/* watch.h - which plugin's callback each thread is in: for plugins that end the program, or do not come back. */
#ifndef MMI_WATCH_H
#define MMI_WATCH_H

#include "cli/console.h"

struct mmi_call; /* plugin/call.h */

/* From now on a call of exit is told and ends the program with status 70 unless mmi_watch_end came before; and
 * callbacks that are told to mmi_watch_call are named after `seconds`, when the user has asked the program to stop, and
 * when they crash: then the program ends with status 70 too, unless an image of its memory (core) is wanted. */
void mmi_watch_start(const mmi_console *console, double seconds);
void mmi_watch_end(void);
/* For mmi_log. */
void mmi_watch_call(void *ctx, const struct mmi_call *call, bool inside);

#endif
