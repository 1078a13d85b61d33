/* aggregate.h - draws from the aggregate posterior: a latent of every tuple, by the encoders. */
#ifndef MMI_FIT_AGGREGATE_H
#define MMI_FIT_AGGREGATE_H

#include "data/tuples.h"
#include "run/saved.h"

typedef struct mmi_fit_hooks {
	void *ctx;
	bool (*stop)(void *ctx);                                /* true: give up (MM_ECANCELLED) */
	void (*step)(void *ctx, uint64_t done, uint64_t total); /* tuples */
} mmi_fit_hooks;

typedef struct mmi_aggregate {
	uint32_t tuples, experts; /* experts: draws of z a tuple */
	float *z;                 /* [tuples][experts][z_dim], or NULL */
	float *there; /* [tuples][experts]: 1 where the tuple has that expert's modality, or with one draw any */
	float *w[MMI_MAX_MODALITIES];        /* [w_rows of it][w_dim], or NULL */
	uint32_t w_rows[MMI_MAX_MODALITIES]; /* tuples that have the modality */
} mmi_aggregate;

/* each: a draw of every expert, without w; otherwise one draw as translations from all that a tuple has start
 * ([learner] fusion), and the w of each modality that is there. The sampler allows `block` rows, whole chunks. */
mm_status mmi_aggregate_draw(const mmi_saved *s, mmi_tuples *tuples, uint32_t block, bool each,
                             const mmi_fit_hooks *hooks, mmi_aggregate *out, mm_error *e);
void mmi_aggregate_clear(mmi_aggregate *a);

#endif
