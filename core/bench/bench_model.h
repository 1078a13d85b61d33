/* bench_model.h - models over views without data, for measurements. */
#ifndef MMI_BENCH_MODEL_H
#define MMI_BENCH_MODEL_H

#include "bench/bench.h"
#include "mcmc/sampler.h"

enum { MMI_BENCH_VIEWS = 5, MMI_BENCH_BATCH = 64, MMI_BENCH_LATENT = 32, MMI_BENCH_SIDE = 28 };
enum { MMI_BENCH_PIXELS = MMI_BENCH_SIDE * MMI_BENCH_SIDE * 3, MMI_BENCH_MOST_VIEWS = 8 };

/* How much work a step is. */
typedef struct mmi_bench_extent {
	uint32_t views, batch;
	uint32_t side; /* of a picture, in pixels: a multiple of 4 */
	uint32_t steps, threads;
} mmi_bench_extent;
/* What posterior and energy measure. */
static inline mmi_bench_extent mmi_bench_usual(uint32_t threads)
{
	return (mmi_bench_extent){ MMI_BENCH_VIEWS, MMI_BENCH_BATCH, MMI_BENCH_SIDE, 1, threads };
}

/* Which networks have the measured size; the others are kept as small as they can be. */
typedef enum { MMI_BENCH_DECODERS, MMI_BENCH_TRUNK } mmi_bench_size;

typedef struct mmi_bench_model {
	mmi_bench_extent extent;
	mm_instance *instance; /* of all views */
	mmi_modality views[MMI_BENCH_MOST_VIEWS];
	mmi_model *model;
	mmi_pool *pool;
	mmi_sampler *sampler;
	float *x[MMI_BENCH_MOST_VIEWS]; /* [batch][pixels], uniform in -1..1 */
	mmi_latents z;                  /* [views * batch][latent], standard normal */
} mmi_bench_model;

/* Clear in every case. */
mm_status mmi_bench_model_create(const mmi_bench_request *r, mmi_bench_size size, const mmi_bench_extent *extent,
                                 mmi_bench_model *out, mm_error *e);
void mmi_bench_model_clear(mmi_bench_model *m);
/* Chains of the extent's steps: of the latents of an expert's draw a view, or of the pictures. */
mm_status mmi_bench_posterior_steps(void *model, mm_error *e);
mm_status mmi_bench_energy_steps(void *model, mm_error *e);
/* Operations of one of these calls. */
double mmi_bench_model_flops(const mmi_bench_model *m, mmi_bench_size size);

#endif
