/* open.c - finds and opens comm-mpi.so. */
#include "mmi_build.h"

#include "comm/open.h"

#include "comm/launch.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef MMCORE_BACKENDDIR
#define MMCORE_BACKENDDIR "/usr/local/lib/mmcore/backends-1"
#endif

/* With global symbols: MPI libraries open parts of their own that look for them. */
static mm_status find_entry(const char *path, mmi_comm_entry **out, mm_error *e)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	if (!module)
		return mmi_fail(e, MM_EUNSUPPORTED, "%s; install the MPI library that mmcore was built with", dlerror());
	void *entry = dlsym(module, MMI_COMM_ENTRY);
	if (!entry)
		return mmi_fail(e, MM_EABI, "%s has no %s; install it from this build of mmcore", path, MMI_COMM_ENTRY);
	memcpy(out, &entry, sizeof *out); /* ISO C has no conversion from object to function */
	return MM_OK;
}

static mm_status open_module(uint32_t ranks, mmi_comm_entry **out, mm_error *e)
{
	const char *own = secure_getenv("MMCORE_BACKENDS"), *folder = own && *own ? own : MMCORE_BACKENDDIR;
	char *path = mmi_format("%s/comm-mpi.so", folder);
	mm_status status;
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	if (access(path, R_OK))
		status =
			mmi_fail(e, MM_EUNSUPPORTED,
		             "started as one of %u ranks, but there is no comm-mpi.so in %s; configure --with-mpi (Debian: "
		             "libopenmpi-dev), or start one process",
		             ranks, folder);
	else
		status = find_entry(path, out, e);
	mmi_free(path);
	return status;
}

mm_status mmi_comm_join(bool (*interrupted)(void), const mmi_log *log, mmi_comm *out, mm_error *e)
{
	const mmi_launch launch = mmi_launch_read();
	const mmi_comm_request r = { MMI_COMM_LAYOUT, launch.size, interrupted, log };
	mmi_comm_entry *entry = NULL;
	*out = mmi_comm_alone();
	if (launch.size == 1)
		return MM_OK;
	MMI_TRY(open_module(launch.size, &entry, e));
	return entry(&r, out, e);
}

mm_status mmi_comm_check(mm_error *e)
{
	const mmi_launch launch = mmi_launch_read();
	mmi_comm_entry *entry = NULL;
	return launch.size == 1 ? MM_OK : open_module(launch.size, &entry, e);
}
