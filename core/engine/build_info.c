/* build_info.c - what computes. */
#include "mmi_build.h"

#include "engine/build_info.h"
#include "base/base.h"
#include "engine/vec.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "an unknown compiler"
#endif

char *mmi_build_text(void)
{
	return mmi_format("%s, %s, cpu/%s", PACKAGE_STRING, COMPILER, mmi_vec_get()->isa);
}
