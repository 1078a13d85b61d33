/* fuzz_host.c - the program's host as plugins see it. */
#include "mmi_build.h"

#include "fuzz_host.h"
#include "plugin/host.h"

static mm_host *host;

const mma_host *fuzz_host(void)
{
	static mma_host com;
	static const mmi_log silent = { .line = NULL };
	mm_error e = MM_ERROR_INIT;
	if (!host) {
		fuzz_must(mmi_host_create(7, &silent, &host, &e), &e);
		fuzz_must(mma_tables(mmi_host_api(host), &com, &e), &e);
	}
	return &com;
}

size_t fuzz_blocks(void)
{
	return mmi_host_blocks(host);
}

void fuzz_same_blocks(size_t before)
{
	if (fuzz_blocks() != before)
		fuzz_fail("%zu blocks before, %zu after", before, fuzz_blocks());
}
