/* interrupt.h - Ctrl-C as a wish that long work looks at between steps. */
#ifndef MMI_INTERRUPT_H
#define MMI_INTERRUPT_H

#include <stdbool.h>

/* From now on the first SIGINT or SIGTERM only raises a flag, and the same one again ends the program at once; SIGHUP
 * raises the flag, however often it comes. */
void mmi_interrupt_install(void);
bool mmi_interrupted(void);
/* The exit status of work that was interrupted: 128 and the signal's number. */
int mmi_interrupt_status(void);
/* From now on a write beyond the limit on the size of files fails, as on a full disk, instead of ending the program. */
void mmi_interrupt_files(void);

#endif
