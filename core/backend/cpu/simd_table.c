/* simd_table.c - the table of one instruction set. */
#include "mmi_build.h"

#include "backend/cpu/simd_table.h"

const mmi_simd MMI_NAME(mmi_simd) = {
	.width = W,
	.patch_wide = MMI_NAME(mmi_patch_wide),
	.patch_narrow = MMI_NAME(mmi_patch_narrow),
	.grad_wide = MMI_NAME(mmi_grad_wide),
	.grad_narrow = MMI_NAME(mmi_grad_narrow),
	.winograd = MMI_NAME(mmi_winograd),
	.winograd_pack = MMI_NAME(mmi_winograd_pack),
	.winograd_grad = MMI_NAME(mmi_winograd_grad),
	.winograd_taps = MMI_NAME(mmi_winograd_taps),
	.line_gather = MMI_NAME(mmi_line_gather),
	.line_product = MMI_NAME(mmi_line_product),
	.line_gather_dy = MMI_NAME(mmi_line_gather_dy),
	.pool = MMI_NAME(mmi_pool),
	.unpool = MMI_NAME(mmi_unpool),
	.epilogue = MMI_NAME(mmi_epilogue_apply),
	.column_sums = MMI_NAME(mmi_column_sums),
	.fma = MMI_NAME(mmi_fma),
};
