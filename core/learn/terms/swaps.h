/* swaps.h - tuples with one modality taken from another sample, as negatives of the energy beside the revised ones.
 *
 * Maximum likelihood shows the energy only what the generator makes, and that is hardly ever a tuple whose parts are
 * right each for itself and wrong together. Matching-aware discriminators (Reed et al. 2016) are shown such tuples; so
 * is the energy here: it learns that a tuple of the data lies below the same tuple with a modality swapped, by a
 * margin. */
#ifndef MMI_SWAPS_H
#define MMI_SWAPS_H

#include "learn/reduce.h"
#include "mcmc/runs.h"

typedef struct mmi_swaps {
	mmi_device_rows x;                  /* [rows here] */
	mmi_mirror from;                    /* words [modality][rows here]: the row of the batch that each is taken from */
	mmi_floats e_data, e_swapped;       /* [rows here]: the energy model alone, without agreement */
	mmi_floats seed_data, seed_swapped; /* [batch]: factors of the rows in the energy's loss */
	mmi_mirror all_data, all_swapped, all_whole; /* floats [batch]: energies, who is complete; nothing with one rank */
	float *whole;                                /* [batch]: the same on the host */
	mmi_doubles told; /* of the last update: mean E(data), share of rows with E(data) < E(swapped) */
} mmi_swaps;

mm_status mmi_swaps_create(const mmi_model *m, const mmi_reduce *r, mmi_swaps *out, mm_error *e);
void mmi_swaps_clear(const mmi_model *m, mmi_swaps *k);
/* k->x becomes the rows of a span, each with a random modality of another row of its batch. x and whole as below, of
 * the whole batch. */
void mmi_swaps_draw(mmi_swaps *k, mmi_sampler *s, const mmi_model *m, const mmi_device_rows *x, const float *whole,
                    mmi_span span, uint32_t iteration, uint32_t number);
/* Draws them, finds the energies of originals and swapped tuples, and sets the factors: swapped rows count with
 * `factor`, and their originals by as much more, unless they lie `margin` standard deviations of E(data) above them
 * already. x: the rows here, and where those of all ranks may come together. whole [rows here], on the host and on the
 * device: 0 for rows to leave out, of which nothing is taken either; NULL: none. number: of the update in its
 * iteration; each draws anew. told: [2], where the mean E(data) and the share of rows with E(data) < E(swapped) go.
 * Allocates nothing. */
typedef struct mmi_swaps_args {
	const mmi_device_rows *x;
	const mmi_all_rows *all;
	const float *whole;
	mmi_floats whole_there;
	double factor, margin;
	mmi_doubles told;
	uint32_t iteration, number;
} mmi_swaps_args;
void mmi_swaps_make(mmi_swaps *k, mmi_sampler *s, const mmi_model *m, const mmi_reduce *r, const mmi_swaps_args *a);

#endif
