/* module.h - parts of the program that are files of their own and are opened when they are asked for, because the
 * libraries that they link are not everywhere. */
#ifndef MMI_MODULE_H
#define MMI_MODULE_H

#include "base/base.h"

typedef struct mmi_module {
	const char *file;    /* "backend-cuda.so", in $MMCORE_BACKENDS, else where it is installed */
	const char *entry;   /* its one function */
	bool global;         /* what it links opens parts of its own, which look for its symbols */
	const char *asked;   /* what its want is told with: "there is", before "no FILE in FOLDER; " */
	const char *absent;  /* then what to do where there is no such file */
	const char *wanting; /* where it does not open: what to do, after the system's message */
} mmi_module;

/* The address of the module's function, which the caller copies to a pointer of its type with memcpy: ISO C has no
 * conversion. A module is never unloaded. */
mm_status mmi_module_open(const mmi_module *m, void **entry, mm_error *e);

#endif
