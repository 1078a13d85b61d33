/* evaluate.h - every figure of a trained model: coherence, Frechet distances, alignment, latents, the energy as a
 * score, cost. */
#ifndef MMI_EVALUATE_H
#define MMI_EVALUATE_H

#include "data/tuples.h"
#include "eval/report.h"
#include "run/setup.h"

#define MMI_EVAL_NAMES 256
/* "alignment,coherence,...": all figures that can be asked for, see eval_table.h. */
const char *mmi_eval_names(char text[MMI_EVAL_NAMES]);
/* MM_ECONFIG names one that there is not among names with commas between them, and lists those there are. */
mm_status mmi_eval_check_names(const char *names, mm_error *e);

typedef struct mmi_eval_request {
	const char *checkpoint;   /* or a run folder, for its best or newest one */
	const char *judge;        /* NULL: judge.safetensors in the checkpoint's run folder */
	mmi_part part;            /* whose tuples: test or validation */
	uint32_t count;           /* samples, and tuples at most */
	uint32_t probe;           /* training tuples that the latent probe is fitted to, at most */
	uint64_t seed;            /* of all draws */
	mmi_recipe_change steps;  /* of both recipes */
	const char *only;         /* figures, "coherence,frechet"; NULL: all */
	const char *without;      /* these are left out; NULL: none */
	const char *const *other; /* settings "section.key=value" that make another data set, for the energy; or none */
	size_t n_other;
	mmi_setup_request setup;
	void *ctx;               /* of the hooks; both may be NULL */
	bool (*stop)(void *ctx); /* true: give up (MM_ECANCELLED) */
	void (*step)(void *ctx, uint64_t done, uint64_t total, const char *what);
} mmi_eval_request;

/* Whether a figure is asked for. */
bool mmi_eval_wants(const mmi_eval_request *r, const char *figure);

/* A function of the checkpoint, the judge, the data and the request alone, but for times and memory. Figures that
 * cannot be had (no classifier, no labels, no LAPACK) are in the list with the reason. */
mm_status mmi_evaluate(const mmi_eval_request *r, mmi_report *out, mm_error *e);

#endif
