/* pass.h - rows run through losses, chunk by chunk on several workers; gradients to parameters added into lanes, values
 * summed. For whoever trains: the learner's models, classifiers, a matcher.
 *
 * A loss is a network that was differentiated and compiled by mmi_trainer_compile: a number per sample times that
 * sample's seed, its weight in the mean. */
#ifndef MMI_PASS_H
#define MMI_PASS_H

#include "engine/lanes.h"
#include "engine/network.h"

/* Rows that share a loss and a weight. */
typedef struct mmi_pass_rows {
	const mmi_network *net;
	mm_tensor value;         /* output, a number per sample; MMI_NONE: nothing is summed */
	mm_tensor seed, l2;      /* inputs, per sample; MMI_NONE: the loss has none */
	mmi_lanes *const *lanes; /* of the stores it trains; the same for all rows of a pass */
	uint32_t n_lanes;
	/* Has the program read n rows from `row` on, for all inputs but seed and l2. */
	void (*bind)(const void *ctx, mmi_program *program, size_t row, int64_t n);
	const void *ctx;
	uint32_t rows; /* whole chunks */
	float weight, l2_weight;
	mmi_doubles weight_at; /* unless NULL: the weight is *weight_at / weight_of, as the device has it */
	double weight_of;
	mmi_floats row_weight; /* [rows]: factors of both weights and of what is summed; .at NULL: 1 */
	mmi_doubles sums; /* out: [chunks] of the sum and the sum of squares of the values; valid until the next pass */
} mmi_pass_rows;

typedef struct mmi_pass { /* buffers of passes: made once */
	const mmi_device *device;
	mmi_pool *pool;
	uint32_t chunk;
	mmi_floats seeds; /* [chunks][3: seed, l2, factor][chunk] */
	mmi_mirror sums;  /* doubles [chunks][2] */
	uint32_t max_chunks;
} mmi_pass;

mm_status mmi_pass_create(const mmi_device *device, mmi_pool *pool, uint32_t chunk, uint32_t max_rows, mmi_pass *out,
                          mm_error *e);
void mmi_pass_clear(mmi_pass *p);
/* Zeroes the lanes, then adds the gradients of all rows. A chunk's lane depends on its place in the pass alone. Queued.
 */
void mmi_pass_run(mmi_pass *p, mmi_pass_rows *rows, uint32_t n);
/* Both sums of the values over all chunks, for the host. */
void mmi_pass_sum(const mmi_pass *p, const mmi_pass_rows *rows, double sum[2]);

#endif
