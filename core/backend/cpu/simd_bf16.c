/* simd_bf16.c - rounding to bfloat16, and the table of what computes with it in one instruction set. */
#include "mmi_build.h"

#include "backend/cpu/simd_bf16.h"
#include "backend/cpu/simd_table.h"

void MMI_NAME(mmi_round_bf16)(const float *x, uint16_t *out, size_t n)
{
	uint16_t last[W];
	size_t i = 0;
	for (; i + W <= n; i += W)
		store_bf16(out + i, load(x + i));
	if (i < n) {
		store_bf16(last, load_part(x + i, (int)(n - i)));
		memcpy(out + i, last, (n - i) * sizeof *out);
	}
}

void MMI_NAME(mmi_widen_bf16)(const uint16_t *x, float *out, size_t n)
{
	size_t i = 0;
	for (; i + W <= n; i += W)
		store(out + i, load_bf16(x + i));
	if (i < n)
		store_part(out + i, load_part_bf16(x + i, (int)(n - i)), (int)(n - i));
}

void MMI_NAME(mmi_add_bf16)(const uint16_t *x, const uint16_t *y, uint16_t *out, size_t n, float a, float b)
{
	size_t i = 0;
	for (; i + W <= n; i += W)
		store_bf16(out + i, splat(a) * load_bf16(x + i) + splat(b) * load_bf16(y + i));
	if (i < n) {
		const int rest = (int)(n - i);
		store_part_bf16(out + i, splat(a) * load_part_bf16(x + i, rest) + splat(b) * load_part_bf16(y + i, rest), rest);
	}
}

void MMI_NAME(mmi_pair_bf16)(const float *x, const float *y, uint32_t *out, size_t n)
{
	const vf zero = splat(0.0f);
	size_t i = 0;
	for (; i + W <= n; i += W)
		*(vp_any *)(void *)(out + i) = pairs_of(load(x + i), y ? load(y + i) : zero);
	if (i < n) {
		const int rest = (int)(n - i);
		const vp last = pairs_of(load_part(x + i, rest), y ? load_part(y + i, rest) : zero);
		memcpy(out + i, &last, (n - i) * sizeof *out);
	}
}

void MMI_NAME(mmi_pair_narrow_bf16)(const uint16_t *x, const uint16_t *y, uint32_t *out, size_t n)
{
	size_t i = 0;
	for (; i + W <= n; i += W) {
		const vp low = __builtin_convertvector(*(const vh_any *)(x + i), vp);
		*(vp_any *)(void *)(out + i) = y ? low | (vp)load_bf16(y + i) : low;
	}
	for (; i < n; i++)
		out[i] = x[i] | (y ? (uint32_t)y[i] << 16 : 0);
}

/* Independent chains, as in simd_fma.c, but Zen 5 takes six cycles for one of two products that it starts in each. Sums
 * grow slowly and stay normal. */
#define CHAINS (W == 16 ? 16 : 10)
#define FACTORS 2

double MMI_NAME(mmi_fma_bf16)(uint64_t rounds, float *value)
{
	const uint16_t small[2] = { 0x3a83, 0x3a83 }; /* 1e-3 */
	const vp y = splat_pair(small);
	vf sums[CHAINS], sum = splat(0.0f);
	vp x[FACTORS];
	MMI_UNROLL
	for (int i = 0; i < FACTORS; i++)
		x[i] = (vp)splat((float)i + 1e-30f * *value) & 0xffff0000u;
	MMI_UNROLL
	for (int i = 0; i < CHAINS; i++)
		sums[i] = splat((float)i);
	for (uint64_t r = 0; r < rounds; r++) {
		MMI_UNROLL
		for (int i = 0; i < FACTORS; i++)
			IN_REGISTER(x[i]); /* where two steps make a product, the first one is to stay in the loop */
		MMI_UNROLL
		for (int i = 0; i < CHAINS; i++)
			sums[i] = add_pairs(sums[i], x[i % FACTORS], y);
	}
	MMI_UNROLL
	for (int i = 0; i < CHAINS; i++)
		sum += sums[i];
	*value = sum[0] / CHAINS;
	return 4.0 * CHAINS * W * (double)rounds;
}

const mmi_bf16 MMI_NAME(mmi_bf16) = {
	.round = MMI_NAME(mmi_round_bf16),
	.widen = MMI_NAME(mmi_widen_bf16),
	.add = MMI_NAME(mmi_add_bf16),
	.pair = MMI_NAME(mmi_pair_bf16),
	.pair_narrow = MMI_NAME(mmi_pair_narrow_bf16),
	.grad_wide = MMI_NAME(mmi_grad_wide_bf16),
	.patch_wide = MMI_NAME(mmi_patch_wide_bf16),
	.patch_narrow = MMI_NAME(mmi_patch_narrow_bf16),
	.winograd = MMI_NAME(mmi_winograd_bf16),
	.winograd_pack = MMI_NAME(mmi_winograd_pack_bf16),
	.pool = MMI_NAME(mmi_pool_bf16),
	.unpool = MMI_NAME(mmi_unpool_bf16),
	.epilogue = MMI_NAME(mmi_epilogue_apply_bf16),
	.fma = MMI_NAME(mmi_fma_bf16),
};
