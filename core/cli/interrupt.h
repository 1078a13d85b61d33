/* interrupt.h - Ctrl-C as a wish that long work looks at between steps. */
#ifndef MMI_INTERRUPT_H
#define MMI_INTERRUPT_H

#include <stdbool.h>

/* From now on the first SIGINT or SIGTERM only raises a flag; the second one ends the program at once. */
void mmi_interrupt_install(void);
bool mmi_interrupted(void);

#endif
