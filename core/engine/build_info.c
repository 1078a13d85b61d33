/* build_info.c - what computes. */
#include "config.h"

#include "engine/build_info.h"
#include "base/base.h"
#include "engine/vec.h"

#include <cblas.h>
#if HAVE_DNNL
#include <dnnl.h>
#endif

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "an unknown compiler"
#endif

char *mmi_build_text(void)
{
#if HAVE_DNNL
	const dnnl_version_t *v = dnnl_version();
	char *dnnl = mmi_format("oneDNN %d.%d.%d", v->major, v->minor, v->patch);
#else
	char *dnnl = mmi_strdup("no oneDNN");
#endif
	char *text = dnnl ? mmi_format("%s, %s, cpu/%s, %s, %s", PACKAGE_STRING, COMPILER, mmi_vec_get()->isa, dnnl, openblas_get_config()) : NULL;
	mmi_free(dnnl);
	return text;
}
