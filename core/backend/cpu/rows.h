/* rows.h - the host's row operations. */
#ifndef MMI_CPU_ROWS_H
#define MMI_CPU_ROWS_H

#include "engine/row_ops.h"

void mmi_host_draw(const mmi_device *d, const mmi_draw *a);
void mmi_host_place(const mmi_device *d, const mmi_placing *a);
void mmi_host_mix(const mmi_device *d, const mmi_mix *a);
void mmi_host_choose(const mmi_device *d, const mmi_choice *a);
void mmi_host_chain_start(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *rows);
void mmi_host_chain_move(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *rows, uint32_t step);
void mmi_host_chain_end(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *rows);
/* Euclidean projection of x[0..n) on the probability simplex, in place (Michelot 1986). */
void mmi_simplex_project(float *x, int64_t n);
void mmi_host_seeds(const mmi_device *d, const mmi_seeds *a);
void mmi_host_swap_factors(const mmi_device *d, const mmi_swap_factors *a);
void mmi_host_contrast(const mmi_device *d, const mmi_contrast *a);
void mmi_host_rank(const mmi_device *d, const mmi_rank *a);
void mmi_host_weights(const mmi_device *d, const mmi_weights *a);
void mmi_host_prior(const mmi_device *d, const mmi_prior_sums *a);
void mmi_host_guard(const mmi_device *d, const mmi_guard *a);
void mmi_host_gap(const mmi_device *d, const mmi_gap *a);
void mmi_host_norm(const mmi_device *d, const mmi_norm *a);
void mmi_host_adam(const mmi_device *d, const mmi_adam_rows *rows);
void mmi_host_check(const mmi_device *d, mmi_floats x, size_t n, mmi_words broken);
void mmi_host_spectral(const mmi_device *d, const mmi_spectral *a, int iterations);
void mmi_host_spectral_grad(const mmi_device *d, const mmi_spectral *a, mmi_floats grad);

extern const mmi_row_ops mmi_host_rows;

#endif
