/* args.h - the kernels' arguments: addresses first, as dialect.h asks. What `narrow` has the bit 1 << k of, address k
 * of the struct, is an array of numbers in bfloat16; all other arrays without a type of their own are of floats. */
#ifndef MMI_CUDA_ARGS_H
#define MMI_CUDA_ARGS_H

#include <stdint.h>

/* ------------------------------------------------------------ element-wise (map.cu) */

enum { MMI_MAP_INPUTS = 12, MMI_MAP_OUTPUTS = 14, MMI_MAP_STEPS = 32, MMI_MAP_GROUP = 8 };

/* What a step does to the value v of an element; x is its operand. */
typedef enum mmi_map_code {
	MMI_MAP_LOAD,   /* x */
	MMI_MAP_STORE,  /* v goes to output `operand`, and stays */
	MMI_MAP_ADD,    /* a v + b x */
	MMI_MAP_MUL,    /* v x */
	MMI_MAP_DIV,    /* v / x */
	MMI_MAP_AFFINE, /* a v + b */
	MMI_MAP_PART,   /* v / a, in double */
	MMI_MAP_SQUARE,
	MMI_MAP_ABS,
	MMI_MAP_SIGN,
	MMI_MAP_LOG,
	MMI_MAP_EXP,
	MMI_MAP_CLAMP,  /* into a..b */
	MMI_MAP_WITHIN, /* v where a <= x <= b, else 0 */
	MMI_MAP_ACT,    /* activation `act` with slope a */
	MMI_MAP_SLOPE   /* v times the derivative of activation `act` whose output is x */
} mmi_map_code;

typedef struct mmi_map_step {
	int32_t code, operand, act;
	float a, b;
} mmi_map_step;

/* Where element i of the program's map [n][h][w][c] has its place in an array. */
typedef enum mmi_map_how {
	MMI_MAP_OWN,     /* i */
	MMI_MAP_AT,      /* i / divide * inner + i % inner: read only */
	MMI_MAP_SMALLER, /* its cell of [n][h / factor][w / factor][c], divided by `divisor` in double: read only */
	MMI_MAP_LARGER,  /* its cells of [n][h factor][w factor][c]: read, their sum, divided so; written, all of them */
	MMI_MAP_SIGNS    /* bit i % 8 of byte i / 8: read as 1 or -1; written, whether v is above 0 */
} mmi_map_how;

/* How the elements of a group, MMI_MAP_GROUP in a row, lie: one by one, in a row as well, or all in one place. */
typedef enum mmi_map_run { MMI_MAP_EACH, MMI_MAP_ROW, MMI_MAP_SAME } mmi_map_run;

typedef struct mmi_map_place {
	int32_t how, run, narrow; /* mmi_map_how, mmi_map_run; whether elements are in bfloat16 */
	int32_t h, w, c, factor;
	int64_t divide, inner;
	double divisor;
} mmi_map_place;

typedef struct mmi_map_args {
	const void *in[MMI_MAP_INPUTS];
	void *out[MMI_MAP_OUTPUTS];
	int64_t n;
	int32_t n_steps;
	int32_t small; /* all indices fit 31 bits */
	mmi_map_place from[MMI_MAP_INPUTS], to[MMI_MAP_OUTPUTS];
	mmi_map_step step[MMI_MAP_STEPS];
} mmi_map_args;

/* Runs: element k of run r goes from from[r * from_stride + from_begin + k] to the same of `to`; the runs of `from` are
 * read again after from_runs. */
typedef struct mmi_runs_args {
	const void *from;
	void *to;
	int64_t runs, run, from_runs, from_stride, from_begin, to_stride, to_begin;
	uint32_t narrow;
} mmi_runs_args;

/* ------------------------------------------------------------ maps (pool.cu) */

/* Maps [n][h][w][c] and [n][oh][ow][c]; upsampling: oh = k h. */
typedef struct mmi_pool_args {
	const void *in;
	void *out;
	int64_t n;
	uint32_t narrow;
	int32_t h, w, c, oh, ow, k, stride, pad, count_pad;
} mmi_pool_args;

/* ------------------------------------------------------------ sums (reduce.cu) */

typedef enum mmi_term {
	MMI_TERM_VALUE,     /* x */
	MMI_TERM_GAUSSIAN,  /* ((x - y) / a)^2 / 2 */
	MMI_TERM_LAPLACE,   /* |x - y| / a */
	MMI_TERM_BERNOULLI, /* softplus(y) - x y */
	MMI_TERM_NORMAL,    /* -((x - y) / s)^2 / 2 - log s */
	MMI_TERM_DOUBLE     /* -|x - y| / s - log s: the Laplace density */
} mmi_term;

/* out[s] = factor * (sum over a sample's elements + offset); inputs that are the same for all samples have stride 0. */
typedef struct mmi_samples_args {
	const void *x, *y, *s;
	float *out;
	int64_t count, stride[3];
	double factor, offset;
	uint32_t narrow;
	int32_t term;
	float a;
} mmi_samples_args;

/* out[o][i] = factor * sum over k of x[o][k][i] */
typedef struct mmi_axis_args {
	const void *x;
	void *out;
	int64_t outer, count, inner;
	double factor;
	uint32_t narrow;
} mmi_axis_args;

typedef enum mmi_row_kind {
	MMI_ROW_SUM,             /* out[r] = factor * sum of x */
	MMI_ROW_LSE,             /* out[r] = log-sum-exp of x */
	MMI_ROW_SOFTMAX,         /* out = softmax of x */
	MMI_ROW_SOFTMAX_BWD,     /* x is dy, y the softmax: out = y (dy - sum dy y) */
	MMI_ROW_CATEGORICAL,     /* partial[r] = (sum x) lse(y) - sum x y */
	MMI_ROW_CATEGORICAL_BWD, /* out = ds ((sum x) softmax(y) - x) */
} mmi_row_kind;

/* Rows of `width` numbers; ds has one number for `per_sample` rows. */
typedef struct mmi_rows_args {
	const void *x, *y, *ds;
	void *out;
	double *partial;
	int64_t rows, width, per_sample;
	double factor;
	uint32_t narrow;
	int32_t kind;
} mmi_rows_args;

/* out[s] = sum of partial[s][0..count) */
typedef struct mmi_gather_args {
	const double *partial;
	float *out;
	int64_t samples, count;
} mmi_gather_args;

/* partial[segment][column] = sum over the segment's rows of x[row][column], times weight[row] unless that is NULL. */
typedef struct mmi_columns_args {
	const void *x;
	const float *weight;
	double *partial;
	int64_t rows, columns, per_segment;
	uint32_t narrow;
} mmi_columns_args;

/* out[column] = keep * out[column] + factor * sum over segments of partial[segment][column] */
typedef struct mmi_columns_end_args {
	const double *partial;
	float *out;
	int64_t segments, columns;
	float keep, factor;
} mmi_columns_end_args;

/* Block b writes partial[2 b] = sum of x and partial[2 b + 1] = sum of x^2 of its share, each times factor. */
typedef struct mmi_sums_args {
	const float *x, *factor;
	double *partial;
	int64_t n, per_block;
} mmi_sums_args;

/* sums[0] and sums[1] from the partial ones of all blocks; a NULL is passed over. `add`: onto what is there. */
typedef struct mmi_sums_end_args {
	const double *partial;
	double *sum, *sum_squares;
	int64_t blocks;
	int32_t add;
} mmi_sums_end_args;

/* ------------------------------------------------------------ weights (layout.cu) */

/* Weights [taps][in][out], and [out][taps][in], which is what cuDNN calls KRSC. */
typedef struct mmi_layout_args {
	const void *from;
	void *to;
	int32_t taps, in, out;
	uint32_t narrow;
	float factor; /* of what is added */
} mmi_layout_args;

/* ------------------------------------------------------------ rows (draw.cu, chain.cu, params.cu) */

enum { MMI_STATES = 32 }; /* as MMI_MAX_STATES */

typedef struct mmi_draw_args {
	float *out;
	int64_t rows, count;
	uint64_t key;
	uint32_t sample, step, iteration;
	int32_t kind;
	float lo, hi;
} mmi_draw_args;

typedef struct mmi_place_args {
	const float *loc[MMI_STATES], *scale[MMI_STATES], *observed[MMI_STATES];
	const uint32_t *expert;
	float *out;
	int64_t rows, dim;
	uint32_t n, own;
	int32_t kind, single, prior;
	double temperature, correlation;
} mmi_place_args;

/* As mmi_mix. */
typedef struct mmi_mix_args {
	const float *log_weight, *loc, *scale;
	float *out;
	int64_t rows, n, dim;
	uint64_t key;
	uint32_t sample, step, iteration;
	int32_t full;
} mmi_mix_args;

typedef struct mmi_choose_args {
	const float *energy;
	double *score;
	uint8_t *taken;
	uint64_t key;
	uint32_t rows, candidate, iteration, first;
	double weight;
} mmi_choose_args;

typedef struct mmi_pick_args {
	const float *from;
	const uint32_t *to_row, *from_row;
	const uint8_t *where;
	float *out;
	int64_t rows, count;
} mmi_pick_args;

typedef struct mmi_exchange_args {
	float *a, *b;
	int64_t n;
} mmi_exchange_args;

/* Runs of n values each onto the simplex; rows of `per_row` runs that are held stay. */
typedef struct mmi_simplex_args {
	float *x;
	const uint8_t *held;
	int64_t runs, n, per_row;
} mmi_simplex_args;

typedef enum mmi_chain_what {
	MMI_CHAIN_GRADIENT, /* sum of squared gradients: partial 0 */
	MMI_CHAIN_MOVE,     /* a Langevin step; squares of drift and noise */
	MMI_CHAIN_DISTANCE  /* squared distance from `other`, and elements that may move */
} mmi_chain_what;

/* A block has MMI_SEGMENT elements of a row of a state: grid [rows][segments][states]. Its partial sums, each times the
 * state's factor, go to its own place. */
typedef struct mmi_chain_args {
	float *state[MMI_STATES];
	const float *other[MMI_STATES]; /* gradient, or start; NULL: no distance */
	const uint8_t *held[MMI_STATES];
	double *partial;
	int64_t count[MMI_STATES];
	uint64_t key[MMI_STATES];
	double factor[MMI_STATES];
	float drift[MMI_STATES], noise[MMI_STATES], lo[MMI_STATES], hi[MMI_STATES];
	uint32_t n_states, first, step, iteration;
	int32_t what;
	float move_max;
} mmi_chain_args;

enum { MMI_SEGMENT = 1024, MMI_CHAIN_POINTERS = 3 * MMI_STATES + 1 };

/* [rows / chunk][3][chunk] of weight, l2_weight and 1, each times the row's factor; a weight of the device is divided.
 */
typedef struct mmi_seeds_args {
	const float *factor;
	const double *weight_at;
	float *out;
	int64_t rows, chunk;
	double weight_of;
	float weight, l2_weight;
} mmi_seeds_args;

/* As mmi_swap_factors. */
typedef struct mmi_swap_args {
	const float *data, *swapped, *whole;
	float *of_data, *of_swapped;
	double *told;
	int64_t rows;
	double factor, margin;
} mmi_swap_args;

/* As mmi_contrast. */
typedef struct mmi_contrast_args {
	const float *x[2], *has[2];
	float *grad[2];
	double *room, *told;
	int64_t rows, dim, stride;
	double temperature, weight;
} mmi_contrast_args;

/* As mmi_rank; m: the modality of this launch. */
typedef struct mmi_rank_args {
	const float *unit[MMI_STATES], *has[MMI_STATES];
	float *grad[MMI_STATES];
	const float *scale;
	double *room, *told;
	int64_t n, rows, dim, m;
} mmi_rank_args;

enum { MMI_RANK_POINTERS = 3 * MMI_STATES + 3 };

/* As mmi_weights. */
typedef struct mmi_weights_args {
	const float *of[MMI_STATES];
	const float *term;
	float *share;
	double *bound;
	int64_t n, draws, rows, chunk;
} mmi_weights_args;

/* out[i] = sum over c, in order, of parts[c][i] */
typedef struct mmi_total_args {
	const double *parts;
	double *out;
	int64_t count, n;
} mmi_total_args;

/* Block c adds to sums[c]: of `count` numbers the sum of |x| or x^2 / 2, and `offset`. */
typedef struct mmi_prior_args {
	const float *x;
	double *sums;
	int64_t count;
	double offset;
	int32_t laplace;
} mmi_prior_args;

/* As mmi_guard, mmi_gap and mmi_norm. */
typedef struct mmi_guard_args {
	uint32_t *word;
	const uint32_t *broken;
	const double *x, *blame;
	uint32_t mark, n, n_blame;
} mmi_guard_args;

typedef struct mmi_gap_args {
	uint32_t *word;
	const double *data, *revised;
	double *ring, *told;
	double of_data, of_revised, limit;
	int64_t written, size;
	uint32_t mark;
} mmi_gap_args;

typedef struct mmi_norm_args {
	const double *squares;
	double *norm;
	float *scale;
	double clip;
	int64_t n;
} mmi_norm_args;

typedef struct mmi_adam_args {
	float *raw, *m, *v, *ema, *v_max;
	const float *grad, *scale;
	const uint32_t *guard;
	uint32_t *broken;
	int64_t n;
	float beta1, beta2, eps, weight_decay, step, root, grad_scale, keep;
} mmi_adam_args;

typedef struct mmi_check_args {
	const float *x;
	uint32_t *broken;
	int64_t n;
} mmi_check_args;

/* out[row] = sum over columns of w[row][column] u[column] */
typedef struct mmi_times_args {
	const float *w, *u;
	float *out;
	int64_t rows, columns;
} mmi_times_args;

/* x *= 1 / sqrt(*square), for lengths above 1e-12 */
typedef struct mmi_normalise_args {
	const double *square;
	float *x;
	int64_t n;
} mmi_normalise_args;

/* *sigma = max(*sum, 1e-12) and value = raw / *sigma */
typedef struct mmi_divide_args {
	const double *sum;
	const float *raw;
	float *sigma, *value;
	int64_t n;
} mmi_divide_args;

/* grad[row][column] = (grad - *dot v[row] u[column]) / *sigma */
typedef struct mmi_spectral_args {
	const double *dot;
	const float *u, *v, *sigma;
	float *grad;
	int64_t rows, columns;
} mmi_spectral_args;

#endif
