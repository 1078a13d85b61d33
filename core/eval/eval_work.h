/* eval_work.h - what the parts of an evaluation share: the model, the judge, the tuples, and buffers for a block of
 * rows. */
#ifndef MMI_EVAL_WORK_H
#define MMI_EVAL_WORK_H

#include "eval/eval_table.h"
#include "eval/evaluate.h"
#include "judge/judge.h"
#include "eval/spaces.h"
#include "run/saved.h"
#include "mcmc/translate.h"

#define MMI_EVAL_BLOCK 256u /* rows in memory at once, rounded up to whole chunks */

/* Samples and translations, all from the same draws: by the generator alone; moved by the data chain alone; from
 * latents that the energy chose or guided, alone; and by all that the recipe has. The two between are there where both
 * act: a reader shall see which part does what. */
enum { MMI_GENERATOR, MMI_DATA_CHAIN, MMI_GUIDED, MMI_REVISED, MMI_VARIANTS };
extern const char *const mmi_eval_variants[MMI_VARIANTS];

enum { MMI_EVAL_BUFFERS = 2 }; /* of samples: what a chain starts from, and what it made */

typedef struct mmi_eval_work {
	const mmi_eval_request *r;
	char *checkpoint; /* the request's, or that of its run folder */
	mmi_saved saved;
	const mmi_model *model;
	mmi_sampler *sampler;
	mmi_judge *judge;     /* NULL: no_judge says why */
	char no_judge[200];   /* why there is nothing to read classes with */
	char no_matcher[200]; /* why there is nothing to match with; for a judge without one too */
	mmi_embedded real;    /* the tuples in use, by the matcher; empty without one */
	mmi_tuples *tuples;
	mmi_setup other; /* another data set for the energy, with its tuples; zero and NULL without */
	mmi_tuples *other_tuples;
	uint32_t n;               /* modalities */
	uint32_t judged;          /* of them, with a classifier */
	uint32_t count, n_tuples; /* samples; tuples in use */
	uint32_t block;
	mmi_chains sample, translate;
	bool sampled[MMI_VARIANTS], translated[MMI_VARIANTS]; /* variants that there are */
	mmi_spaces spaces;
	mmi_report *out;
	uint64_t done, total; /* blocks, for progress */
	uint64_t moved, back; /* tuples that the recipe's data chain moved, and of them those that its bound took back */
	/* a block of rows, [modality][block][floats] */
	float *data[MMI_MAX_MODALITIES], *x[MMI_EVAL_BUFFERS][MMI_MAX_MODALITIES];
	float *observed[MMI_MAX_MODALITIES];   /* [block] */
	uint8_t *held[MMI_MAX_MODALITIES];     /* [block], 1: observed */
	int32_t *class_of[MMI_MAX_MODALITIES]; /* [block]; NULL without a classifier */
	float *embedding[MMI_MAX_MODALITIES];  /* [block][MMI_MATCHER_DIM]; NULL without a matcher */
	int32_t *label;
	uint8_t *counted; /* [block] */
	float *features;  /* [block][largest feature vector or component count] */
	mmi_latents z;
	mmi_translator *translator;
} mmi_eval_work;

/* Rows of the block that begins at `first`: fewer at the end. */
uint32_t mmi_eval_rows(const mmi_eval_work *w, uint32_t first, uint32_t count);
/* Reads tuples first.. into data and label; the rows behind them repeat the last. */
mm_status mmi_eval_read(mmi_eval_work *w, mmi_tuples *tuples, uint32_t first, uint32_t rows, mm_error *e);
/* A block is done: progress, and MM_ECANCELLED when the user wants to stop. */
mm_status mmi_eval_tick(mmi_eval_work *w, const char *what, mm_error *e);
/* x as saved, and the classes of `rows` rows into class_of[m]; features may be NULL. */
void mmi_eval_judge(mmi_eval_work *w, uint32_t m, float *x, uint32_t rows, float *features);

/* x as saved, and the embeddings of `rows` rows into embedding[m]. */
void mmi_eval_embed(mmi_eval_work *w, uint32_t m, float *x, uint32_t rows);

/* Sums of cosines between the modalities i < k of tuples. */
typedef struct mmi_cosines {
	double sum[MMI_MAX_MODALITIES][MMI_MAX_MODALITIES];
	uint64_t rows;
} mmi_cosines;

/* a and b [modality][rows][MMI_MATCHER_DIM]: i from row r of a, k from row partner[r] of b (NULL: r). */
void mmi_cosines_add(mmi_cosines *t, uint32_t n, const float *const *a, const float *const *b, const uint32_t *partner,
                     uint32_t rows);
mm_status mmi_cosines_report(mmi_eval_work *w, const char *name, const mmi_cosines *t, const char *const *variant,
                             const bool *has, int variants, mm_error *e);
/* The data chain of a recipe has run on a block. */
void mmi_eval_count_moved(mmi_eval_work *w);
/* The share of what was moved, since who asks set both counts to 0, that a bound took back; no row where the chain has
 * none. */
mm_status mmi_eval_add_taken_back(mmi_eval_work *w, const char *of, const mmi_chains *chains, mm_error *e);
/* One row of a table: a number for each variant that there is. */
mm_status mmi_eval_add_row(mmi_eval_work *w, const char *name, const char *of, const bool has[MMI_VARIANTS],
                           const double value[MMI_VARIANTS], mm_error *e);

/* Sums over translations, source by target. */
typedef struct mmi_fits {
	double cosine[MMI_MAX_MODALITIES][MMI_MAX_MODALITIES];             /* of what was given and what was made */
	double found[MMI_MAX_MODALITIES][MMI_MAX_MODALITIES][MMI_RECALLS]; /* hits: what was given, by what was made */
	uint64_t rows[MMI_MAX_MODALITIES];
} mmi_fits;

/* All modalities of x but the source, which were made from the tuples first.. */
mm_status mmi_eval_fit(mmi_eval_work *w, mmi_fits *f, float *const *x, uint32_t source, uint32_t first, uint32_t rows,
                       mm_error *e);
/* Frechet distances of translations to the data, source by target. */
typedef struct mmi_pair_fits {
	bool open;
	mmi_sample_fits fit[MMI_VARIANTS][MMI_MAX_MODALITIES][MMI_MAX_MODALITIES];
} mmi_pair_fits;
mm_status mmi_pair_fits_create(mmi_eval_work *w, mmi_pair_fits *out, mm_error *e);
void mmi_pair_fits_clear(mmi_pair_fits *f);
/* All modalities of x but the source. */
void mmi_pair_fits_add(mmi_eval_work *w, mmi_pair_fits *f, int variant, float *const *x, uint32_t source,
                       uint32_t rows);
mm_status mmi_pair_fits_report(mmi_eval_work *w, const char *suffix, const mmi_pair_fits *f, mm_error *e);

/* f [MMI_VARIANTS]; the suffix is ", z revised" or "". */
mm_status mmi_eval_add_fits(mmi_eval_work *w, const char *suffix, const mmi_fits *f, mm_error *e);

/* Embeds the tuples in use and finds each modality by each other: refuses a matcher that was made for other data. */
mm_status mmi_eval_check_matcher(mmi_eval_work *w, mm_error *e);

/* Opens the request's other data set, whose shapes must be the model's. */
mm_status mmi_eval_open_other(mmi_eval_work *w, mm_error *e);

/* Blocks that so many rows are read in. */
uint64_t mmi_eval_blocks(const mmi_eval_work *w, uint32_t rows);
/* Whether alignment is asked for and the judge can say anything of it. */
bool mmi_eval_aligns(const mmi_eval_work *w);

/* What a figure cannot be without; it USES a judge if there is one. */
enum { MMI_NEEDS_NOTHING = 0, MMI_NEEDS_JUDGE = 1, MMI_USES_JUDGE = 2, MMI_NEEDS_ENERGY = 4 };

#define MMI_EVAL_DECLARE(name, needs, part)                   \
	mm_status mmi_eval_##part(mmi_eval_work *w, mm_error *e); \
	uint64_t mmi_eval_##part##_blocks(const mmi_eval_work *w);
MMI_EVAL_TABLE(MMI_EVAL_DECLARE)
#undef MMI_EVAL_DECLARE

#endif
