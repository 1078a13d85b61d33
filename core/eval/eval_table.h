/* eval_table.h - the figures of an evaluation. A new one is a file with two functions and a line here. */
#ifndef MMI_EVAL_TABLE_H
#define MMI_EVAL_TABLE_H

/* FIGURE(name, needs, part): mmi_eval_PART(w, e) adds the figure's numbers, or why there are none;
 * mmi_eval_PART_blocks(w) are the blocks it will take, for progress, and are not asked for where a need is not met. The
 * order is that of the report. Rows of one part are numbers of the same work, which is done once; rows of one name are
 * wanted together. */
#define MMI_EVAL_TABLE(FIGURE)                                                                                        \
	FIGURE("alignment", MMI_NEEDS_JUDGE, alignment)     /* of modalities, by the judge's matcher: of the data, */     \
	FIGURE("coherence", MMI_NEEDS_JUDGE, samples)       /* of samples from the prior */                               \
	FIGURE("frechet", MMI_USES_JUDGE, samples)          /* of the same samples to the data */                         \
	FIGURE("alignment", MMI_NEEDS_JUDGE, samples)       /* ... of samples, */                                         \
	FIGURE("conditional", MMI_NEEDS_JUDGE, conditional) /* from each modality to each other */                        \
	FIGURE("cfrechet", MMI_USES_JUDGE, conditional)     /* conditional Frechet distances, of the same translations */ \
	FIGURE("alignment", MMI_NEEDS_JUDGE, conditional)   /* ... of translations */                                     \
	FIGURE("given", MMI_NEEDS_JUDGE, given)             /* by number of given modalities */                           \
	FIGURE("latent", MMI_NEEDS_NOTHING, latents)        /* classes read off the latents */                            \
	FIGURE("energy", MMI_NEEDS_ENERGY, energy)          /* E as a detector of tuples that do not fit */               \
	FIGURE("rank", MMI_NEEDS_NOTHING, rank)             /* ... of pairs of the same tuple with and without a swap */  \
	FIGURE("cost", MMI_NEEDS_NOTHING, cost)             /* time, evaluations, parameters, memory */

#endif
