/* console.h - standard output and error, shared by messages and by the one line of progress. */
#ifndef MMI_CONSOLE_H
#define MMI_CONSOLE_H

#include "base/base.h"

#include <stdio.h>

/* Results go to out, messages and progress to err. */
typedef struct mmi_console {
	FILE *out, *err;
	const char *program; /* put before warnings and errors */
	bool terminal;       /* err is one: the line of progress is redrawn in place */
	int columns;         /* its width */
	int live;            /* columns the unfinished line takes now; 0: the cursor is at a line's start */
	int level;           /* lowest level shown: MM_LOG_INFO unless the user asks for more or less */
	double (*now)(void); /* seconds, monotonic */
	unsigned rank;       /* of several that a launcher started: the first one speaks for all (mmi_console_line) */
} mmi_console;

mmi_console mmi_console_standard(const char *program);
/* Text that others may have written, without control characters: file names, metadata, what plugins say. */
void mmi_console_text(FILE *out, const char *text);
/* A whole line, cleaned like that; an unfinished one is wiped first. Warnings and errors get the program's name. An
 * error of a rank other than the first says which, and waits until the first has told the same and the launcher has
 * ended all: it is seen if it is no error of all. */
void mmi_console_line(mmi_console *c, int level, const char *text);
/* Redraws the unfinished line (terminals only). */
void mmi_console_live(mmi_console *c, const char *text);
/* Keeps the unfinished line as it is and goes to the next. */
void mmi_console_settle(mmi_console *c);
mmi_log mmi_console_log(mmi_console *c);

#endif
