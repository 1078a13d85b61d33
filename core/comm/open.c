/* open.c - finds and opens comm-mpi.so. */
#include "mmi_build.h"

#include "comm/open.h"

#include "base/module.h"
#include "comm/launch.h"

#include <stdio.h>
#include <string.h>

static mm_status open_module(uint32_t ranks, mmi_comm_entry **out, mm_error *e)
{
	char asked[64];
	const mmi_module module = {
		.file = "comm-mpi.so",
		.entry = MMI_COMM_ENTRY,
		.global = true, /* MPI libraries open parts of their own */
		.asked = asked,
		.absent = "configure --with-mpi (Debian: libopenmpi-dev), or start one process",
		.wanting = "install the MPI library that mmcore was built with",
	};
	void *entry;
	snprintf(asked, sizeof asked, "started as one of %u ranks, but there is", ranks);
	MMI_TRY(mmi_module_open(&module, &entry, e));
	memcpy(out, &entry, sizeof *out);
	return MM_OK;
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
