/* row_ops.h - what is done to whole rows of numbers beside programs: noise, chains, sums, updates. Each takes one
 * struct of arguments whose addresses are the device's; nothing is allocated. A device queues them in the order of the
 * calls. The host's are in backend/cpu/rows*.c; workers may call them side by side. */
#ifndef MMI_ROW_OPS_H
#define MMI_ROW_OPS_H

#include "engine/device.h"

#define MMI_MAX_STATES 32 /* of a chain; experts of a start are fewer */

/* ------------------------------------------------------------ draws */

typedef enum { MMI_DRAW_NORMAL, MMI_DRAW_LAPLACE, MMI_DRAW_UNIFORM } mmi_draw_kind;

typedef struct mmi_draw {
	mmi_floats out; /* [rows][count] */
	uint32_t rows;
	size_t count;
	mmi_draw_kind kind;
	mmi_rng rng;  /* sample: number of the first row */
	float lo, hi; /* of uniform draws */
} mmi_draw;

/* Where rows of latents start: standard draws in `out` become loc + temperature * scale * draw, of
 *   EXPERT   the row's own expert
 *   PRODUCT  the product of its observed experts (of the row's own alone, if `single`), and of N(0, 1) if `prior`
 *   HELLINGER, BARYCENTRE, CONSENSUS  what else becomes of its observed experts (learn/objectives: helvae, mwbvae,
 * codevae with `correlation`)
 *   OWN      expert `own`, where it is observed (and, if `single`, the row's own); elsewhere draws stay, or are 0
 * without temperature */
typedef enum {
	MMI_PLACE_EXPERT,
	MMI_PLACE_PRODUCT,
	MMI_PLACE_OWN,
	MMI_PLACE_HELLINGER,
	MMI_PLACE_BARYCENTRE,
	MMI_PLACE_CONSENSUS
} mmi_place_kind;

typedef struct mmi_placing {
	mmi_place_kind kind;
	mmi_floats out;        /* [rows][dim] */
	uint32_t rows, n, own; /* n: experts */
	size_t dim;
	mmi_floats loc[MMI_MAX_STATES], scale[MMI_MAX_STATES]; /* [rows][dim] */
	mmi_floats observed[MMI_MAX_STATES];                   /* [rows] of 1 and 0; .at NULL: all are */
	mmi_words expert;                                      /* [rows] */
	bool single, prior;
	double temperature, correlation;
} mmi_placing;

/* Standard draws of one of n clusters, which each row takes with probability proportional to exp(log_weight): out
 * becomes loc + scale out, or, `full`, loc + L out with L lower triangular. */
typedef struct mmi_mix {
	mmi_floats out; /* [rows][dim] */
	uint32_t rows, n;
	size_t dim;
	mmi_floats log_weight, loc, scale; /* [n], [n][dim], [n][dim] or [n][dim][dim]; .at NULL: 1 */
	bool full;
	mmi_rng rng; /* of the choice; sample: number of the first row */
} mmi_mix;

/* Row r keeps its best candidate by score = Gumbel noise - weight * energy; taken[r]: this one is it. The first is
 * taken from the start. An energy that is not finite has the lowest score. */
typedef struct mmi_choice {
	mmi_floats energy;                          /* [rows] */
	mmi_doubles score;                          /* [rows] of the best so far */
	mmi_bytes taken;                            /* [rows] */
	uint32_t rows, first, candidate, iteration; /* first: number of the first row */
	uint64_t key;
	double weight;
} mmi_choice;

/* ------------------------------------------------------------ single rows */

/* Row to_row[i] of out becomes row from_row[i] of `from`, for i = 0..rows-1 where where[i] is 1. NULL: i itself; all of
 * them. */
typedef struct mmi_pick {
	mmi_floats out, from;
	mmi_words to_row, from_row;
	mmi_bytes where;
	uint32_t rows;
	size_t count; /* floats of a row */
} mmi_pick;

/* ------------------------------------------------------------ chains */

/* What does not change from chunk to chunk. */
typedef struct mmi_chain {
	uint32_t n_states;
	mm_tensor state[MMI_MAX_STATES], grad[MMI_MAX_STATES]; /* inputs of the program, and outputs */
	mm_tensor energy;                                      /* output, a number per sample */
	int64_t count[MMI_MAX_STATES];                         /* floats of one sample */
	mmi_langevin update[MMI_MAX_STATES];
	uint64_t key[MMI_MAX_STATES];    /* of the noise */
	float unit[MMI_MAX_STATES];      /* the state's natural unit (range of a picture's values; 1) */
	float weight[MMI_MAX_STATES];    /* of its gradient in the drift, relative to s^2/2 (x_scale^2; 1) */
	int64_t simplex[MMI_MAX_STATES]; /* project each run of so many values on the simplex; 0: no */
	uint32_t steps, iteration;
	float move_max; /* bound on a sample's rms movement in units; 0: none */
} mmi_chain;

/* Sums over samples and steps; add up chunk by chunk in order. */
typedef struct mmi_chain_stats {
	double energy; /* at the start, summed over samples */
	double grad2;  /* squared gradient of what may move, at the start, times (weight / unit)^2: for calibration */
	double drift2, noise2; /* squared, in units, over all steps */
	double move2;          /* squared displacement end - start, in units; 0 without start */
	double
		elements; /* floats of all samples that may move, none that are held: what the squares above are summed over */
} mmi_chain_stats;

typedef struct mmi_chain_sums {
	mmi_chain_stats *at;
} mmi_chain_sums; /* an address of the device */

typedef struct mmi_chain_rows {
	mmi_floats state[MMI_MAX_STATES];        /* moved in place: n samples each */
	mmi_floats start[MMI_MAX_STATES];        /* where they began, for movement and its bound; all NULL: not measured */
	mmi_bytes held[MMI_MAX_STATES];          /* per sample, 1: this state stays where it is; NULL: all move */
	uint32_t n, first;                       /* samples, and the first one's number in the batch (of the noise) */
	mmi_floats energy, grad[MMI_MAX_STATES]; /* the program's outputs */
	mmi_chain_sums sums;
} mmi_chain_rows;

/* ------------------------------------------------------------ losses */

/* Seeds of the rows of a loss, chunk by chunk: [rows / chunk][3][chunk] of weight * factor, l2_weight * factor and the
 * factor itself. */
typedef struct mmi_seeds {
	mmi_floats out, factor; /* factor: [rows]; .at NULL: 1 */
	uint32_t rows, chunk;
	float weight, l2_weight;
	mmi_doubles weight_at; /* unless NULL: the weight is *weight_at / weight_of */
	double weight_of;
} mmi_seeds;

/* Factors in the energy's loss of tuples of the data and of the same tuples with one modality swapped, from their
 * energies: a swapped one counts with `factor`, and its original by as much more, unless it lies `margin` standard
 * deviations of the data's energies above it already. */
typedef struct mmi_swap_factors {
	mmi_floats data, swapped;       /* [rows] energies */
	mmi_floats whole;               /* [rows] 0: a row that is left out; .at NULL: none is */
	mmi_floats of_data, of_swapped; /* [rows] out */
	uint32_t rows;
	double factor, margin;
	mmi_doubles told; /* [2] out: mean energy of the data; share of rows whose energy the swap raises. NaN of no rows */
} mmi_swap_factors;

/* The symmetric contrastive loss of two sets of embeddings (InfoNCE, van den Oord et al. 2018; symmetric as in CLIP,
 * Radford et al. 2021). With u_i = a_i / |a_i|, v_j = b_j / |b_j| and s_ij = u_i . v_j / temperature, for the n rows
 * i, j that both sides have:
 *   L = 1/2 mean_i [ log sum_j exp s_ij - s_ii ] + 1/2 mean_j [ log sum_i exp s_ij - s_jj ]
 * Of less than two rows nothing is made. Sums are in double. */
typedef struct mmi_contrast {
	mmi_floats x[2];    /* a and b: [rows][stride], of which the leading `dim` are compared */
	mmi_floats has[2];  /* [rows] of 1 and 0; .at NULL: all rows are there */
	mmi_floats grad[2]; /* as x: `weight` times the gradient is added; both .at NULL: it is not wanted */
	uint32_t rows;
	size_t stride, dim;
	double temperature, weight;
	mmi_doubles room; /* [mmi_contrast_room] to work in */
	mmi_doubles told; /* [2]: weight * L is added to the first, 1 to the second */
} mmi_contrast;

static inline size_t mmi_contrast_room(size_t rows, size_t dim)
{
	return 4 * rows * dim + 2 * rows * rows + 8 * rows + 8;
}

/* How well each of a batch's samples of a modality is ranked among the others for the rest of its tuple
 * (learn/terms/ranking.h). For tuple i and modality m, with j over the tuples that have m and c_im = sum of u_n of
 * tuple i over its other modalities n: s_ij = u_m of tuple j . c_im / tau,   L_im = log sum_j exp s_ij - s_ii The loss
 * is the mean over all i, m that have modality m, another one, and an alternative. Sums are in double. */
typedef struct mmi_rank {
	uint32_t n, rows;                /* modalities, tuples */
	size_t dim;                      /* floats of a unit vector */
	mmi_floats unit[MMI_MAX_STATES]; /* [rows][dim] */
	mmi_floats has[MMI_MAX_STATES];  /* [rows] of 1 and 0; .at NULL: all */
	mmi_floats grad[MMI_MAX_STATES]; /* [rows][dim] out: of the loss to each unit vector */
	mmi_floats scale;                /* a number: log(1 / tau) */
	mmi_doubles room;                /* [mmi_rank_room] to work in */
	mmi_doubles told;                /* [MMI_RANK_TOLD] out; loss and first are NaN where there is nothing to rank */
} mmi_rank;

enum { MMI_RANK_LOSS, MMI_RANK_FIRST, MMI_RANK_SCALE_GRAD, MMI_RANK_SCALE, MMI_RANK_TOLD };

static inline size_t mmi_rank_room(size_t n, size_t rows, size_t dim)
{
	return (n + 2) * rows * dim + rows * rows + 3 * n * rows + 2 * n + rows + 8;
}

/* Weights of draws by importance (learn/terms/importance.h): of each expert i and row r, share[i][k rows + r] =
 * of[i][r] W_k, W = softmax over the draws k of -term[i][k rows + r]; an expert whose share `of` the row is 0 has none.
 * bound[c]: the sum over the rows of a chunk and the experts of -of[i][r] log (1/K) sum_k exp -term. */
typedef struct mmi_weights {
	uint32_t n, draws, rows, chunk; /* experts; of each of them; whole chunks */
	mmi_floats term, share;         /* [n][draws * rows] */
	mmi_floats of[MMI_MAX_STATES];  /* [rows] */
	mmi_doubles bound;              /* [rows / chunk] out */
} mmi_weights;

/* sums[c] += the sum of -log p0 over the `count` numbers of chunk c, p0 a standard Laplace or normal density. */
typedef struct mmi_prior_sums {
	mmi_floats x; /* [chunks][count] */
	uint32_t chunks;
	size_t count;
	bool laplace;
	mmi_doubles sums; /* [chunks] */
} mmi_prior_sums;

/* ------------------------------------------------------------ what stops an update
 *
 * A word of the device, 0 at first; the first check that fails writes its mark there. Updates do nothing while it is
 * set, so the host need not look before all of an iteration is queued. */

/* Sets the word to `mark` unless it is set, where one of n numbers is not finite or `broken` is set. With `blame` it is
 * mark and the place of the first of those numbers that is not finite, or of the last. */
typedef struct mmi_guard {
	mmi_words word;
	uint32_t mark;
	mmi_doubles x;
	uint32_t n;
	mmi_words broken;  /* a word; .at NULL: not looked at */
	mmi_doubles blame; /* [n_blame]; .at NULL: nobody is */
	uint32_t n_blame;
} mmi_guard;

#define MMI_GAPS 101 /* energy losses the running median looks at */

/* The energy loss data / of_data - revised / of_revised. Sets the word where it is not finite, or once half the ring is
 * written, beyond `limit` times the ring's median; otherwise it goes into the ring. */
typedef struct mmi_gap {
	mmi_words word;
	uint32_t mark;
	mmi_doubles data, revised; /* numbers */
	double of_data, of_revised, limit;
	mmi_doubles ring; /* [MMI_GAPS] of |gap| */
	int64_t written;  /* into the ring so far */
	mmi_doubles told; /* [2] out: the gap, and the median it was held against */
} mmi_gap;

/* ------------------------------------------------------------ parameters */

/* The norm of a gradient from sums of squares, added in order, and what it is to be scaled by so that it is not above
 * `clip` (0: any). */
typedef struct mmi_norm {
	mmi_doubles squares; /* [n] */
	uint32_t n;
	double clip;
	mmi_doubles norm; /* a number */
	mmi_floats scale; /* a number */
} mmi_norm;

/* A weight as a matrix [rows, columns] with its singular vectors: u [columns], v [rows]. */
typedef struct mmi_spectral {
	mmi_floats raw, value, sigma; /* value = raw / sigma, a number */
	mmi_floats u, v;
	size_t rows, columns;
} mmi_spectral;

/* One step of Adam over n floats; ema, unless NULL, becomes keep * ema + (1 - keep) * raw. What was made and is not
 * finite sets `broken`: a finite gradient is no promise, its square may overflow. */
typedef struct mmi_adam_rows {
	mmi_floats raw, m, v, ema, grad;
	mmi_floats v_max; /* unless NULL: becomes max(v_max, v), and stands in for v in the step (AMSGrad) */
	size_t n;
	mmi_adam adam;
	mmi_floats scale; /* a number in place of the gradient's scale in `adam`; .at NULL: that one */
	float keep;
	mmi_words guard;  /* a word: nothing is done while it is set; .at NULL: there is none */
	mmi_words broken; /* a word; calls side by side may share it */
} mmi_adam_rows;

/* ------------------------------------------------------------ the table */

struct mmi_row_ops {
	void (*draw)(const mmi_device *d, const mmi_draw *a);
	void (*place)(const mmi_device *d, const mmi_placing *a);
	void (*mix)(const mmi_device *d, const mmi_mix *a);
	void (*choose)(const mmi_device *d, const mmi_choice *a);
	void (*pick)(const mmi_device *d, const mmi_pick *a);
	/* out[0] = sum of x, out[1] = sum of x^2, both weighted by `factor` unless that is NULL. In double. */
	void (*sums)(const mmi_device *d, mmi_floats x, mmi_floats factor, size_t n, mmi_doubles out);
	void (*sum_squares)(const mmi_device *d, mmi_floats x, size_t n, mmi_doubles out);
	/* out[i] = sum over c, in order, of parts[c][i], for i = 0..n-1. */
	void (*total)(const mmi_device *d, mmi_doubles parts, uint32_t count, uint32_t n, mmi_doubles out);
	void (*add)(const mmi_device *d, mmi_floats x, mmi_floats y, size_t n); /* x += y */
	void (*exchange)(const mmi_device *d, mmi_floats a, mmi_floats b, size_t n);
	/* Each run of n values of x onto the probability simplex, by the shortest way (Michelot 1986). */
	void (*simplex)(const mmi_device *d, mmi_floats x, size_t runs, size_t n);
	/* Energy and gradient before the first step into the sums. */
	void (*chain_start)(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r);
	/* One step of all states: drift and noise, then onto the simplex, then back within move_max of the start. */
	void (*chain_move)(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r, uint32_t step);
	/* Displacement, and what it is of, into the sums. */
	void (*chain_end)(const mmi_device *d, const mmi_chain *c, const mmi_chain_rows *r);
	void (*seeds)(const mmi_device *d, const mmi_seeds *a);
	void (*swap_factors)(const mmi_device *d, const mmi_swap_factors *a);
	void (*contrast)(const mmi_device *d, const mmi_contrast *a);
	void (*rank)(const mmi_device *d, const mmi_rank *a);
	void (*weights)(const mmi_device *d, const mmi_weights *a);
	void (*prior)(const mmi_device *d, const mmi_prior_sums *a);
	void (*guard)(const mmi_device *d, const mmi_guard *a);
	void (*gap)(const mmi_device *d, const mmi_gap *a);
	void (*norm)(const mmi_device *d, const mmi_norm *a);
	void (*adam)(const mmi_device *d, const mmi_adam_rows *a);
	/* Sets `broken` unless all of x are finite. */
	void (*check)(const mmi_device *d, mmi_floats x, size_t n, mmi_words broken);
	/* `iterations` of the power method, then sigma = v^T raw u and value = raw / sigma. */
	void (*spectral)(const mmi_device *d, const mmi_spectral *a, int iterations);
	/* grad [rows, columns] to value becomes that to raw, with u and v held. */
	void (*spectral_grad)(const mmi_device *d, const mmi_spectral *a, mmi_floats grad);
};

#endif
