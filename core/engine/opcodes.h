/* opcodes.h - every operation of the engine and its exact meaning. This list is the contract between the graph, the
 * reference kernels (backend/ref), the CPU kernels (backend/cpu) and later backends.
 *
 * Shapes are per sample; a "batched" tensor has n samples, each contiguous, last axis fastest. Pictures and maps are
 * [h, w, c]. Parameters and constants are not batched. In every operation n samples are independent, except in the
 * parameter gradients (PARAM_GRAD below), which sum over the n samples and are ADDED to out (exec->accumulate is set).
 * "S" is a scalar per sample (rank 0). Sums over many terms are taken in double (reference: always; float kernels: in
 * double or pairwise) and rounded once.
 *
 * Attributes are the fields of mmi_attr (graph.h). CONV and CONV_BWD_X with attr.flag set are of plans alone (fold.h).
 */
#ifndef MMI_OPCODES_H
#define MMI_OPCODES_H

/*      name                  inputs -> out                   meaning */
#define MMI_OPCODES(X)                                                                                                \
	/* leaves */                                                                                                      \
	X(INPUT) /* -> any                        bound by the caller */                                                  \
	X(PARAM) /* -> unbatched                  a tensor of an mmi_params store */                                      \
	X(CONST) /* -> any batched                every element = attr.a */                                               \
	/* linear and convolutions; the bias is optional (n_in 2 or 3) */                                                 \
	X(LINEAR)       /* x[..any, flat I], w[I,O], b[O] -> [O]      y = x w + b */                                      \
	X(LINEAR_BWD_X) /* dy[O], w -> shape of x        dx = dy w^T */                                                   \
	X(LINEAR_BWD_W) /* x, dy -> [I,O]   PARAM_GRAD   dw += sum_n x^T dy */                                            \
	X(CONV) /* x[h,w,I], w[kh,kw,I,O], b[O] -> [oh,ow,O] cross-correlation as PyTorch's conv2d; zero padding ph,pw;   \
	           stride sh,sw */                                                                                        \
	X(CONV_BWD_X) /* dy[oh,ow,O], w[kh,kw,I,O], (b[I]) -> [h,w,I]  gradient of CONV to x. Also the transposed         \
	                 convolution's forward, then with optional bias b over the I channels */                          \
	X(CONV_BWD_W) /* x[h,w,I], dy[oh,ow,O] -> [kh,kw,I,O]  PARAM_GRAD */                                              \
	X(BIAS_BWD)   /* dy[.., O] -> [O]  PARAM_GRAD  sum over n and all axes but the last */                            \
	/* pooling; k, s = sh, p = ph, count_pad = attr.flag */                                                           \
	X(AVG_POOL)     /* x[h,w,c] -> [oh,ow,c], floor mode; divisor k*k if count_pad else the number of cells inside */ \
	X(AVG_POOL_BWD) /* dy[oh,ow,c] -> [h,w,c]        */                                                               \
	X(UPSAMPLE)     /* x[h,w,c] -> [fh,fw,c]         nearest, factor attr.kh */                                       \
	X(UPSAMPLE_BWD) /* dy[fh,fw,c] -> [h,w,c]        sum over the f x f cells */                                      \
	/* element-wise */                                                                                                \
	X(ADD)       /* x, y -> same                  a x + b y (attr.a, attr.b); y may be S (rank 0) for any x */        \
	X(MUL)       /* x, y -> same as x             x y; y may be S (rank 0) for any x */                               \
	X(AFFINE)    /* x -> same                     a x + b */                                                          \
	X(ACT)       /* x -> same                     attr.act with slope attr.a (mm_host_graph's MM_ACT_...) */          \
	X(ACT_BWD)   /* dy, y -> same                 dy * act'(.) written in terms of the OUTPUT y: relu y>0; leaky      \
	                y>0?1:a; tanh 1-y^2; sigmoid y(1-y); softplus 1-exp(-y); exp y */                                 \
	X(CLAMP)     /* x -> same                     min(max(x, a), b) */                                                \
	X(CLAMP_BWD) /* dy, x -> same                 dy where a <= x <= b, else 0 */                                     \
	X(LOG)       /* x -> same                     natural logarithm */                                                \
	X(LOG_BWD)   /* dy, x -> same                 dy / x */                                                           \
	/* last axis */                                                                                                   \
	X(SOFTMAX)     /* x[..,c] -> same               over the last axis */                                             \
	X(SOFTMAX_BWD) /* dy, y -> same                 y (dy - sum_c dy y) */                                            \
	X(LSE)         /* x[..,c] -> [..]               log-sum-exp over the last axis */                                 \
	X(LSE_BWD)     /* dy[..], x[..,c], y[..] -> [..,c]   dy exp(x - y) */                                             \
	/* shape */                                                                                                       \
	X(CONCAT)      /* x_1..x_k -> joined along attr.axis */                                                           \
	X(SLICE)       /* x -> attr.count entries of attr.axis from attr.begin */                                         \
	X(SLICE_BWD)   /* dy -> shape of x              zero outside the slice (axis, begin in attr) */                   \
	X(RESHAPE)     /* x -> same count               no kernel where storage can be shared */                          \
	X(SUM)         /* x -> axis attr.axis removed   times attr.a (1 for sum, 1/count for mean) */                     \
	X(SUM_BWD)     /* dy -> shape of x              attr.a dy broadcast along attr.axis */                            \
	X(SUM_ALL)     /* x -> S                        attr.a times the sum of all elements of a sample */               \
	X(SUM_ALL_BWD) /* dS -> shape of x              attr.a dS everywhere */                                           \
	/* losses: S per sample */                                                                                        \
	X(NLL_GAUSSIAN) /* x, mean -> S                  sum (x-mean)^2 / (2 a^2) + count (log a + log(2 pi)/2); sigma =  \
	                   attr.a */                                                                                      \
	X(NLL_GAUSSIAN_BWD)    /* dS, x, mean -> as mean        dS (mean - x) / a^2 */                                    \
	X(NLL_LAPLACE)         /* x, mean -> S                  sum |x-mean| / a + count log(2 a); b = attr.a */          \
	X(NLL_LAPLACE_BWD)     /* dS, x, mean -> as mean        dS sign(mean - x) / a, 0 at equality */                   \
	X(NLL_BERNOULLI)       /* x, logits -> S                sum softplus(l) - x l */                                  \
	X(NLL_BERNOULLI_BWD)   /* dS, x, logits -> as logits    dS (sigmoid(l) - x) */                                    \
	X(NLL_CATEGORICAL)     /* x[..,c], logits[..,c] -> S    sum over positions: (sum_c x) lse(l) - sum_c x l */       \
	X(NLL_CATEGORICAL_BWD) /* dS, x, logits -> as logits    dS ((sum_c x) softmax(l) - x) */                          \
	/* log densities of latents, sum over the elements; loc and scale as z; which = attr.flag: 0 z, 1 loc, 2 scale */ \
	X(LOGPDF_NORMAL)      /* z, loc, scale -> S            sum -0.5 ((z-loc)/scale)^2 - log scale - log(2 pi)/2 */    \
	X(LOGPDF_NORMAL_BWD)  /* dS, z, loc, scale -> as z     gradient to one of the three (attr.flag) */                \
	X(LOGPDF_LAPLACE)     /* z, loc, scale -> S            sum -|z-loc|/scale - log(2 scale) */                       \
	X(LOGPDF_LAPLACE_BWD) /* dS, z, loc, scale -> as z     gradient to one of the three (attr.flag) */

#define MMI_OPCODE_ENUM(name) MMI_OP_##name,
typedef enum mmi_opcode { MMI_OPCODES(MMI_OPCODE_ENUM) MMI_OP_COUNT } mmi_opcode;

#endif
