/* nccl.c - see nccl.h. */
#include "mmi_build.h"

#include "backend/cuda/nccl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libnccl.so.2"

static const struct {
	const char *name;
	size_t place;
} functions[] = {
#define ENTRY(f) { #f, offsetof(mmi_nccl, f) },
	MMI_NCCL_FUNCTIONS(ENTRY)
#undef ENTRY
};

mm_status mmi_nccl_open(mmi_nccl *out, mm_error *e)
{
	mmi_nccl n = { .version = 0 };
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return mmi_fail(e, MM_EUNSUPPORTED, "%s", dlerror());
	for (size_t i = 0; i < MMI_COUNT(functions); i++) {
		void *f = dlsym(library, functions[i].name);
		if (!f)
			return mmi_fail(e, MM_EUNSUPPORTED, LIBRARY " has no %s; 2.14 or newer is needed", functions[i].name);
		memcpy((char *)&n + functions[i].place, &f, sizeof f); /* ISO C has no conversion */
	}
	if (n.ncclGetVersion(&n.version) != ncclSuccess)
		return mmi_fail(e, MM_EUNSUPPORTED, LIBRARY " does not say its version");
	*out = n;
	return MM_OK;
}
