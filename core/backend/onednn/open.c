/* open.c - finds and opens backend-onednn.so; the kernels that stand for its own in the tables of kernels. */
#include "mmi_build.h"

#include "backend/onednn/open.h"

#include "backend/cpu/amx.h"
#include "backend/cpu/kernels.h"
#include "base/module.h"

#include <string.h>

mm_status mmi_onednn_find(const char *asked, const mmi_onednn **out, mm_error *e)
{
	const mmi_module module = {
		.file = "backend-onednn.so",
		.entry = MMI_ONEDNN_ENTRY,
		.asked = asked,
		.absent = "configure --with-onednn (Debian: libdnnl-dev)",
		.wanting = "install the oneDNN that mmcore was built with",
	};
	const mmi_onednn_layout layout = MMI_ONEDNN_LAYOUT;
	mmi_onednn_open *open;
	void *entry;
	MMI_TRY(mmi_module_open(&module, &entry, e));
	memcpy(&open, &entry, sizeof open);
	return open(&layout, out, e);
}

static const mmi_onednn *found(mm_error *e)
{
	const mmi_onednn *m;
	return mmi_onednn_find("there is", &m, e) == MM_OK ? m : NULL;
}

const char *mmi_onednn_text(void)
{
	const mmi_onednn *m = found(NULL);
	return m ? m->text : "oneDNN";
}

/* ------------------------------------------------------------ the kernels */

/* What oneDNN would compute without AMX, where there is AMX, is left to our own kernels. */
static bool accepts(const mmi_exec *x)
{
	const mmi_onednn *m = mmi_uses_onednn(x) ? found(NULL) : NULL;
	return m && m->accepts(x, mmi_amx_present() && mmi_amx_permitted());
}

static mm_status prepare(mmi_exec *x, mm_error *e)
{
	const mmi_onednn *m = found(e);
	return m ? m->prepare(x, e) : MM_EUNSUPPORTED;
}

static void run(mmi_exec *x)
{
	const mmi_onednn_call *call = x->state;
	call->run(x);
}

static void release(mmi_exec *x)
{
	const mmi_onednn_call *call = x->state;
	if (call)
		call->release(x);
}

const mmi_kernel mmi_kernel_onednn_product = {
	.name = "product/onednn-bf16",
	.flags = MMI_KERNEL_ACT | MMI_KERNEL_MASK | MMI_KERNEL_NARROW,
	.accepts = accepts,
	.prepare = prepare,
	.run = run,
	.release = release,
};

const mmi_kernel mmi_kernel_onednn_gradient = {
	.name = "gradient/onednn-bf16",
	.flags = MMI_KERNEL_NARROW,
	.accepts = accepts,
	.prepare = prepare,
	.run = run,
	.release = release,
};
