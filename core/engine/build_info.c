/* build_info.c - what computes. */
#include "mmi_build.h"

#include "engine/build_info.h"
#include "base/base.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "an unknown compiler"
#endif

char *mmi_build_text(const mmi_device *device)
{
	return mmi_format("%s, %s, %s/%s", PACKAGE_STRING, COMPILER, device->ops->name, device->text);
}
