/* rows.h - row operations on the GPU (engine/row_ops.h). */
#ifndef MMI_CUDA_ROWS_H
#define MMI_CUDA_ROWS_H

#include "backend/cuda/cuda.h"
#include "engine/row_ops.h"

void mmi_cuda_draw(const mmi_device *d, const mmi_draw *a);
void mmi_cuda_place(const mmi_device *d, const mmi_placing *a);
void mmi_cuda_mix(const mmi_device *d, const mmi_mix *a);
void mmi_cuda_choose(const mmi_device *d, const mmi_choice *a);
void mmi_cuda_pick(const mmi_device *d, const mmi_pick *a);
void mmi_cuda_simplex(const mmi_device *d, mmi_floats x, size_t runs, size_t n);
void mmi_cuda_chain_start(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r);
void mmi_cuda_chain_move(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r, uint32_t step);
void mmi_cuda_chain_end(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r);
void mmi_cuda_seeds(const mmi_device *d, const mmi_seeds *a);
void mmi_cuda_swap_factors(const mmi_device *d, const mmi_swap_factors *a);
void mmi_cuda_contrast(const mmi_device *d, const mmi_contrast *a);
void mmi_cuda_rank(const mmi_device *d, const mmi_rank *a);
void mmi_cuda_total(const mmi_device *d, mmi_doubles parts, uint32_t count, uint32_t n, mmi_doubles out);
void mmi_cuda_weights(const mmi_device *d, const mmi_weights *a);
void mmi_cuda_prior(const mmi_device *d, const mmi_prior_sums *a);
void mmi_cuda_guard(const mmi_device *d, const mmi_guard *a);
void mmi_cuda_gap(const mmi_device *d, const mmi_gap *a);
void mmi_cuda_norm(const mmi_device *d, const mmi_norm *a);
void mmi_cuda_adam(const mmi_device *d, const mmi_adam_rows *a);
void mmi_cuda_finite(const mmi_device *d, mmi_floats x, size_t n, mmi_words broken);
void mmi_cuda_spectral(const mmi_device *d, const mmi_spectral *a, int iterations);
void mmi_cuda_spectral_grad(const mmi_device *d, const mmi_spectral *a, mmi_floats grad);

/* Sum and sum of squares of x, weighted by factor unless that is NULL, to two addresses of the device; NULL: not
 * wanted. `add`: onto what is there. */
typedef struct mmi_cuda_sum {
	const float *x, *factor;
	size_t n;
	double *sum, *sum_squares;
	bool add;
} mmi_cuda_sum;
void mmi_cuda_sums(const mmi_device *d, const mmi_cuda_sum *a);

#endif
