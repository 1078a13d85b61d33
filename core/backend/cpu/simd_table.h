/* simd_table.h - the functions of the simd_*.c files, named after the instruction set that is being compiled. */
#ifndef MMI_CPU_SIMD_TABLE_H
#define MMI_CPU_SIMD_TABLE_H

#include "backend/cpu/simd.h"
#include "backend/cpu/simd_vec.h"

void MMI_NAME(mmi_patch_wide)(const mmi_patch_job *j);
void MMI_NAME(mmi_patch_narrow)(const mmi_patch_job *j);
void MMI_NAME(mmi_grad_wide)(const mmi_grad_job *j);
void MMI_NAME(mmi_grad_narrow)(const mmi_grad_job *j);
void MMI_NAME(mmi_winograd)(const mmi_wino_job *j);
void MMI_NAME(mmi_winograd_pack)(const mmi_wino_pack_job *j);
void MMI_NAME(mmi_winograd_grad)(const mmi_wino_grad_job *j);
void MMI_NAME(mmi_winograd_taps)(const mmi_wino_grad_job *j);
void MMI_NAME(mmi_line_gather)(const mmi_line_job *j);
void MMI_NAME(mmi_line_product)(const mmi_line_job *j);
void MMI_NAME(mmi_line_gather_dy)(const mmi_line_job *j);
void MMI_NAME(mmi_round_bf16)(const float *x, uint16_t *out, size_t n);
void MMI_NAME(mmi_widen_bf16)(const uint16_t *x, float *out, size_t n);
void MMI_NAME(mmi_add_bf16)(const uint16_t *x, const uint16_t *y, uint16_t *out, size_t n, float a, float b);
void MMI_NAME(mmi_pair_bf16)(const float *x, const float *y, uint32_t *out, size_t n);
void MMI_NAME(mmi_pair_narrow_bf16)(const uint16_t *x, const uint16_t *y, uint32_t *out, size_t n);
void MMI_NAME(mmi_grad_wide_bf16)(const mmi_grad_job *j);
void MMI_NAME(mmi_patch_wide_bf16)(const mmi_patch_job *j);
void MMI_NAME(mmi_patch_narrow_bf16)(const mmi_patch_job *j);
void MMI_NAME(mmi_winograd_bf16)(const mmi_wino_job *j);
void MMI_NAME(mmi_winograd_pack_bf16)(const mmi_wino_pack_job *j);
void MMI_NAME(mmi_pool_bf16)(const mmi_pool_job *j);
void MMI_NAME(mmi_unpool_bf16)(const mmi_pool_job *j);
mmi_epilogue_fn MMI_NAME(mmi_epilogue_apply_bf16);
double MMI_NAME(mmi_fma_bf16)(uint64_t rounds, float *value);
void MMI_NAME(mmi_pool)(const mmi_pool_job *j);
void MMI_NAME(mmi_unpool)(const mmi_pool_job *j);
mmi_epilogue_fn MMI_NAME(mmi_epilogue_apply);
void MMI_NAME(mmi_column_sums)(const float *x, int64_t rows, int32_t cols, double *sums);
double MMI_NAME(mmi_fma)(uint64_t rounds, float *value);

#endif
