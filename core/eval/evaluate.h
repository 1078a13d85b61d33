/* evaluate.h - every figure of a trained model: coherence, Frechet distances, alignment, latents, the energy as a score, cost. */
#ifndef MMI_EVALUATE_H
#define MMI_EVALUATE_H

#include "data/tuples.h"
#include "eval/report.h"
#include "run/setup.h"

typedef enum {
	MMI_EVAL_COHERENCE,    /* of samples from the prior */
	MMI_EVAL_FRECHET,      /* of the same samples to the data */
	MMI_EVAL_CONDITIONAL,  /* from each modality to each other */
	MMI_EVAL_GIVEN,        /* by number of given modalities */
	MMI_EVAL_ALIGNMENT,    /* of modalities, by the judge's matcher: data, samples, translations */
	MMI_EVAL_LATENT,       /* classes read off the latents */
	MMI_EVAL_ENERGY,       /* E as a detector of tuples that do not fit */
	MMI_EVAL_COST,         /* time, evaluations, parameters, memory */
	MMI_EVAL_GROUPS
} mmi_eval_group;

const char *mmi_eval_name(mmi_eval_group group); /* "coherence" */
/* Turns "coherence,frechet" into flags; MM_ECONFIG names an unknown one and lists those there are. */
mm_status mmi_eval_select(const char *names, bool *wanted, mm_error *e);

typedef struct mmi_eval_request {
	const char *checkpoint;          /* or a run folder, for its best or newest one */
	const char *judge;               /* NULL: judge.safetensors in the checkpoint's run folder */
	mmi_part part;                   /* whose tuples: test or validation */
	uint32_t count;                  /* samples, and tuples at most */
	uint32_t probe;                  /* training tuples that the latent probe is fitted to, at most */
	uint64_t seed;                   /* of all draws */
	mmi_recipe_change steps;       /* of both recipes */
	bool wanted[MMI_EVAL_GROUPS];
	const char *const *other;        /* settings "section.key=value" that make another data set, for the energy; or none */
	size_t n_other;
	mmi_setup_request setup;
	void *ctx;                       /* of the hooks; both may be NULL */
	bool (*stop)(void *ctx);         /* true: give up (MM_ECANCELLED) */
	void (*step)(void *ctx, uint64_t done, uint64_t total, const char *what);
} mmi_eval_request;

/* A function of the checkpoint, the judge, the data and the request alone, but for times and memory. Figures that cannot be had
 * (no classifier, no labels, no LAPACK) are in the list with the reason. */
mm_status mmi_evaluate(const mmi_eval_request *r, mmi_report *out, mm_error *e);

#endif
