/* module.c - see module.h. */
#include "mmi_build.h"

#include "base/module.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef MMCORE_BACKENDDIR
#define MMCORE_BACKENDDIR "/usr/local/lib/mmcore/backends-1"
#endif

static mm_status find_entry(const mmi_module *m, const char *path, void **entry, mm_error *e)
{
	void *module = dlopen(path, RTLD_NOW | (m->global ? RTLD_GLOBAL : RTLD_LOCAL));
	if (!module)
		return mmi_fail(e, MM_EUNSUPPORTED, "%s; %s", dlerror(), m->wanting);
	*entry = dlsym(module, m->entry);
	return *entry ? MM_OK : mmi_fail(e, MM_EABI, "%s has no %s; install it from this build of mmcore", path, m->entry);
}

mm_status mmi_module_open(const mmi_module *m, void **entry, mm_error *e)
{
	const char *own = secure_getenv("MMCORE_BACKENDS"); /* whose code is run */
	const char *folder = own && *own ? own : MMCORE_BACKENDDIR;
	char *path = mmi_format("%s/%s", folder, m->file);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status = MM_OK;
	if (access(path, R_OK))
		status = mmi_fail(e, MM_EUNSUPPORTED, "%s no %s in %s; %s", m->asked, m->file, folder, m->absent);
	else
		status = find_entry(m, path, entry, e);
	mmi_free(path);
	return status;
}
