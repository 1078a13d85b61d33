/* call.h - a call into a plugin: the program is told who is inside, and what a plugin must not change is put back
 *afterwards: rounding and other floating point modes, the locale, the current folder.
 *
 *	mmi_call call;
 *	mmi_call_begin(&call, m->name, m->plugin, "open");
 *	return mmi_call_end(&call, m->desc->open(m->instance, split, &data, &call.error), e);
 */
#ifndef MMI_CALL_H
#define MMI_CALL_H

#include "base/base.h"
#include <fenv.h>

typedef struct mmi_plugin mmi_plugin; /* loader.h */

enum { MMI_LOCALE_NAME = 256 };

/* What a callback left changed, and the host put back. */
enum { MMI_CHANGED_MODE = 1, MMI_CHANGED_LOCALE = 2, MMI_CHANGED_FOLDER = 4 };

typedef struct mmi_call {
	const char *section;      /* the instance's; NULL: none yet */
	const mmi_plugin *plugin; /* NULL: a modality of no plugin */
	const char *callback;
	mm_error error; /* for the plugin to fill */
	fenv_t mode;
	int folder; /* open, or -1 */
	bool any;   /* of class [any] or [data]: others may be inside at the same time */
	char locale[MMI_LOCALE_NAME];
	unsigned control, changed; /* of the mode, without the flags of exceptions; MMI_CHANGED_... once it has left */
} mmi_call;

void mmi_call_begin(mmi_call *c, const char *section, const mmi_plugin *plugin, const char *callback);
/* For callbacks that run once a sample, in any thread: the current folder is not looked after. */
void mmi_call_begin_sample(mmi_call *c, const char *section, const mmi_plugin *plugin, const char *callback);
void mmi_call_leave(mmi_call *c);
/* Leaves, and passes on the callback's status with section, plugin, path and callback in front of its text. */
mm_status mmi_call_end(mmi_call *c, mm_status status, mm_error *e);
/* "[m0] plugin org.example.toy (/opt/p/toy.so): read" in a buffer of MM_ERROR_TEXT bytes. */
char *mmi_call_name(const char *section, const mmi_plugin *plugin, const char *callback, char *text);

#endif
