/* eval_work.h - what the parts of an evaluation share: the model, the judge, the tuples, and buffers for a block of rows. */
#ifndef MMI_EVAL_WORK_H
#define MMI_EVAL_WORK_H

#include "eval/evaluate.h"
#include "eval/judge.h"
#include "learn/saved.h"
#include "mcmc/translate.h"

#define MMI_EVAL_BLOCK 256u        /* rows in memory at once, rounded up to whole chunks */

enum { MMI_GENERATOR, MMI_REVISED, MMI_VARIANTS };
extern const char *const mmi_eval_variants[MMI_VARIANTS];

typedef struct mmi_eval_work {
	const mmi_eval_request *r;
	char *checkpoint;              /* the request's, or that of its run folder */
	mmi_saved saved;
	const mmi_model *model;
	mmi_sampler *sampler;
	mmi_judge *judge;              /* NULL: no_judge says why */
	char no_judge[200];
	mmi_tuples *tuples;
	mmi_setup other;               /* another data set for the energy, with its tuples; zero and NULL without */
	mmi_tuples *other_tuples;
	uint32_t n;                    /* modalities */
	uint32_t judged;               /* of them, with a classifier */
	uint32_t count, n_tuples;      /* samples; tuples in use */
	uint32_t block;
	bool has_energy;               /* the energy model was trained: not in a warm-up, not by a baseline */
	int variants;                  /* of samples: 1 where no chain of the energy moves them */
	mmi_posterior_args posterior;
	mmi_revise_args revise;
	mmi_guide_args guide;
	mmi_report *out;
	uint64_t done, total;          /* blocks, for progress */
	/* a block of rows, [modality][block][floats] */
	float *data[MMI_MAX_MODALITIES], *x[MMI_VARIANTS][MMI_MAX_MODALITIES];
	float *observed[MMI_MAX_MODALITIES];      /* [block] */
	uint8_t *held[MMI_MAX_MODALITIES];        /* [block], 1: observed */
	int32_t *class_of[MMI_MAX_MODALITIES];    /* [block]; NULL without a classifier */
	int32_t *label;
	uint8_t *counted;                         /* [block] */
	float *energy, *features;                 /* [block], [block][largest feature vector or component count] */
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

/* The parts, each with the figures it adds and the blocks it will take. */
mm_status mmi_eval_samples(mmi_eval_work *w, mm_error *e);     /* coherence and Frechet distance */
mm_status mmi_eval_conditional(mmi_eval_work *w, mm_error *e);
mm_status mmi_eval_given(mmi_eval_work *w, mm_error *e);
mm_status mmi_eval_latents(mmi_eval_work *w, mm_error *e);
/* Opens the request's other data set, whose shapes must be the model's. */
mm_status mmi_eval_open_other(mmi_eval_work *w, mm_error *e);
mm_status mmi_eval_energy(mmi_eval_work *w, mm_error *e);
mm_status mmi_eval_cost(mmi_eval_work *w, mm_error *e);

#endif
