/* streams.h - the numbers of everything that is drawn, in one place, so that no two draws are the same by accident.
 *
 * A draw is a function of a key, made of the seed and the name of a stream, and of a counter (vec.h): block, sample,
 * step, iteration. Streams with different names share nothing; within one, the numbers below keep uses apart. Changing
 * any value changes what a seed gives. */
#ifndef MMI_STREAMS_H
#define MMI_STREAMS_H

#include <stdint.h>

/* ------------------------------------------------------------ names of streams */

/* Of a sampler; sample: row. Those of w and x go on with "/" and a modality's name. */
#define MMI_STREAM_PRIOR "prior" /* z ~ p0; step: chain or candidate */
#define MMI_STREAM_PRIOR_W "prior/w"
#define MMI_STREAM_CLUSTER "prior/cluster" /* which cluster of a prior; step as there */
#define MMI_STREAM_CLUSTER_W "prior/cluster/w"
#define MMI_STREAM_PRIOR_CHAIN "prior/chain" /* noise of the chain that draws z ~ p0; sample: draw x rows + row */
#define MMI_STREAM_DRAW "expert"             /* standard draws that become z ~ q(z | x); step: see MMI_DRAWS_ below */
#define MMI_STREAM_DRAW_W "expert/w"
#define MMI_STREAM_PICK "pick"           /* the expert that a row starts from */
#define MMI_STREAM_SUBSET "subset"       /* block: MMI_SUBSET_ below; step: attempt */
#define MMI_STREAM_CHOICE "choice"       /* swapped tuples; step: 2 x swap, and one more for the row taken from */
#define MMI_STREAM_CANDIDATE "candidate" /* importance resampling; block: candidate */
#define MMI_STREAM_CHAIN_Z "chain/z"     /* noise of Langevin chains; step: step of the chain, sample: see MMI_ROWS_ */
#define MMI_STREAM_CHAIN_W "chain/w"
#define MMI_STREAM_CHAIN_X "chain/x"

#define MMI_STREAM_INIT "init/%s/%s"     /* initial parameters: network, tensor; sample: MMI_INIT_ below */
#define MMI_STREAM_PLUGIN "plugin/%s/%s" /* mm_host's random streams: the plugin's id, its own name */
#define MMI_STREAM_LINALG "linalg/start" /* where the search for singular vectors starts; of no seed */

#define MMI_STREAM_HOLDOUT "data/holdout" /* which tuples are held out for validation */
#define MMI_STREAM_HIDE "data/hide"       /* which modalities are hidden; sample: tuple, step: MMI_HIDE_ below */
#define MMI_STREAM_SELECT "data/pick"     /* order of which a limited number of tuples are the first */
#define MMI_STREAM_EPOCH "data/epoch"     /* order of an epoch; step, iteration: its number, high and low half */

#define MMI_STREAM_EVAL_GIVEN "eval/given"       /* which modalities translations are given */
#define MMI_STREAM_EVAL_SWAP "eval/swap"         /* tuples that parts are swapped from */
#define MMI_STREAM_EVAL_SAME "eval/same"         /* the same within a class */
#define MMI_STREAM_EVAL_SHUFFLED "eval/shuffled" /* pairing by chance */

#define MMI_STREAM_FIT "fit/%s" /* where a mixture's search starts; of a latent; sample: component */

#define MMI_STREAM_BENCH_X "bench/x" /* what the benchmark runs on */
#define MMI_STREAM_BENCH_Z "bench/z"
#define MMI_STREAM_BENCH_NOISE "bench/noise"

/* ------------------------------------------------------------ within a stream */

/* Draws of experts, by number. Chains of training have 0, 1, ... to their count; an ELBO has one for each place, and
 * with several draws as many again for each further one. */
#define MMI_DRAWS_GIVEN 255u /* what the data chain's translations start from */
#define MMI_DRAWS_ELBO 256u  /* first of those of an ELBO beside chains; one without chains starts at 0 */

/* Choices, by number. Those of swapped tuples are 0, 1, ... */
#define MMI_CHOICE_SINGLE UINT32_MAX /* the expert that an ELBO draws from */

/* Rows of chains over latents. Posterior chains have 0, 1, ... to chains x rows. */
#define MMI_ROWS_GUIDE \
	(UINT32_C(1) << 30) /* first of chains that the energy guides: may follow a posterior chain at once */

/* Rows of data chains: 0 to the batch, then as many of imputed tuples, then those of further updates of the energy, 1,
 * 2, ... in an iteration. */
#define MMI_ROWS_FURTHER(update, batch) (((update) + 1) * (batch))

/* Steps of data chains are 0, 1, ... ; the last number is free for noise that they start from. */
#define MMI_STEP_START_NOISE UINT32_MAX

enum { MMI_SUBSET_BITS = 0, MMI_SUBSET_CHANCE = 1 }; /* blocks: a subset of modalities; whether a chain starts anew */
enum { MMI_INIT_VALUES = 0, MMI_INIT_SINGULAR = 1 }; /* samples: values; a start for the largest singular vector */
enum { MMI_HIDE_EACH = 0, MMI_HIDE_KEPT = 1 };       /* steps: whether each is hidden; which stays where all would be */
enum { MMI_PLUGIN_WORDS = 0, MMI_PLUGIN_PERMUTATION = 1 }; /* steps */

/* ------------------------------------------------------------ iterations, and whole runs */

/* All sheets of a training run have the same noise: its iterations are 0, 1, ... to the count's largest value - 1. */
#define MMI_ITERATION_SHEET UINT32_MAX

/* Samples and translations on demand: draws of one number come in blocks with noise of their own. */
#define MMI_BLOCKS_BITS 16
static inline uint32_t mmi_iteration_of_block(uint32_t number, uint32_t block)
{
	return (number << MMI_BLOCKS_BITS) + block;
}

/* Evaluation: each use of the translator has numbers of its own, with one for each block of tuples. Uses are modalities
 * given alone, then numbers of modalities given: far below the two that follow. */
static inline uint32_t mmi_iteration_of_eval(uint32_t use, uint32_t block)
{
	return (use + 1) << 20 | block;
}

#define MMI_ITERATION_EVAL_TRAINED UINT32_C(0x40000000) /* latents of training tuples, for probes; plus the block */
#define MMI_ITERATION_EVAL_TESTED UINT32_C(0x50000000)  /* of the evaluated tuples */

#define MMI_ITERATION_FIT UINT32_C(0x60000000) /* latents that a prior is fitted to */

/* Counts that reseed a sampler: rollbacks of training are 0, 1, ... */
#define MMI_RESEED_SELECT (UINT64_C(1) << 32) /* validation during training: no count of rollbacks gets there */

#endif
