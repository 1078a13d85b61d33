/* module.c - the module's entry: what oneDNN this is, and whether it can be used. */
#include "mmi_build.h"

#include "backend/onednn/module.h"

#include "backend/onednn/call.h"
#include "backend/onednn/threads.h"

#include <stdio.h>
#include <string.h>

/* Written when the module is loaded, before anybody can read it. */
static char version_text[80];

static const char *isa_name(void)
{
	static const struct {
		unsigned isa;
		const char *name;
	} names[] = {
		{ 0x27, "avx512_core" },
		{ 0x67, "avx512_core_vnni" },
		{ 0xe7, "avx512_core_bf16" },
		{ 0x1ef, "avx512_core_fp16" },
		{ 0x3e7, "avx512_core_amx" },
		{ 0xfef, "avx512_core_amx" },
		{ 0x1fef, "avx512_core_amx_fp16" },
	};
	const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
	for (size_t i = 0; i < MMI_COUNT(names); i++)
		if (names[i].isa == isa)
			return names[i].name;
	return NULL;
}

__attribute__((constructor)) static void write_version(void)
{
	const dnnl_version_t *v = dnnl_version();
	const char *name = isa_name();
	char number[32];
	snprintf(number, sizeof number, "instruction set 0x%x", (unsigned)dnnl_get_effective_cpu_isa());
	snprintf(version_text, sizeof version_text, "oneDNN %d.%d.%d (%s)", v->major, v->minor, v->patch,
	         name ? name : number);
}

static mm_status check_layout(const mmi_onednn_layout *theirs, mm_error *e)
{
	const mmi_onednn_layout ours = MMI_ONEDNN_LAYOUT;
	if (strcmp(theirs->version, ours.version))
		return mmi_fail(e, MM_EABI, "backend-onednn.so is of mmcore %s, this is %s; install both from one build",
		                ours.version, theirs->version);
	if (theirs->exec != ours.exec || theirs->node != ours.node || theirs->device != ours.device ||
	    theirs->device_ops != ours.device_ops || theirs->isa != ours.isa || theirs->simd != ours.simd ||
	    theirs->bf16 != ours.bf16)
		return mmi_fail(e, MM_EABI, "backend-onednn.so is of another build of mmcore %s; install both from one build",
		                ours.version);
	return MM_OK;
}

__attribute__((visibility("default"))) mm_status mmi_onednn_open_1(const mmi_onednn_layout *theirs,
                                                                   const mmi_onednn **out, mm_error *e)
{
	static const mmi_onednn module = { .text = version_text, .accepts = mmi_dnnl_accepts, .prepare = mmi_dnnl_prepare };
	MMI_TRY(check_layout(theirs, e));
	MMI_TRY(mmi_dnnl_threads_check(e));
	*out = &module;
	return MM_OK;
}
