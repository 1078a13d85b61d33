/* bench_model.h - models of fixed size over five views without data, for measurements. */
#ifndef MMI_BENCH_MODEL_H
#define MMI_BENCH_MODEL_H

#include "bench/bench.h"
#include "mcmc/sampler.h"

enum { MMI_BENCH_VIEWS = 5, MMI_BENCH_BATCH = 64, MMI_BENCH_LATENT = 32, MMI_BENCH_PIXELS = 28 * 28 * 3 };

/* Which networks have the measured size; the others are kept as small as they can be. */
typedef enum { MMI_BENCH_DECODERS, MMI_BENCH_TRUNK } mmi_bench_size;

typedef struct mmi_bench_model {
	mmi_modality views[MMI_BENCH_VIEWS];
	mmi_model *model;
	mmi_pool *pool;
	mmi_sampler *sampler;
	float *x[MMI_BENCH_VIEWS]; /* [batch][pixels], uniform in -1..1 */
	mmi_latents z;             /* [views * batch][latent], standard normal */
} mmi_bench_model;

/* Clear in every case. */
mm_status mmi_bench_model_create(const mmi_bench_request *r, mmi_bench_size size, uint32_t threads,
                                 mmi_bench_model *out, mm_error *e);
void mmi_bench_model_clear(mmi_bench_model *m);

#endif
