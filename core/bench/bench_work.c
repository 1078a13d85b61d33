/* bench_work.c - the pieces of work that need no data: arithmetic peak, the two Langevin steps, noise. */
#include "mmi_build.h"

#include "bench/bench_model.h"
#include "bench/bench_timer.h"

#include "backend/cpu/isa.h"
#include "engine/streams.h"

/* ------------------------------------------------------------ peak */

typedef struct mmi_peak_work {
	double (*fma)(uint64_t rounds, float *value);
	mmi_pool *pool;
	uint32_t threads;
} mmi_peak_work;

enum { PEAK_ROUNDS = 4000000, PEAK_PARTS = 8 };

/* Small parts, so that a worker that was held up leaves its rest to the others. */
static void peak_part(void *ctx, uint32_t i, uint32_t worker)
{
	const mmi_peak_work *w = ctx;
	float value = (float)i * 1e-9f;
	(void)worker;
	w->fma(PEAK_ROUNDS / PEAK_PARTS, &value);
}

static mm_status peak_task(void *ctx, mm_error *e)
{
	mmi_peak_work *w = ctx;
	(void)e;
	mmi_pool_run(w->pool, w->threads * PEAK_PARTS, peak_part, w);
	return MM_OK;
}

static mm_status peak_of(const mmi_bench_request *r, const char *name, uint32_t threads, mmi_bench_figure *out,
                         mm_error *e)
{
	const uint32_t repeat =
		r->repeat < 15 ? 15 : r->repeat; /* short, and its best is what everything is compared with */
	const mmi_isa *isa = r->device->own;
	float value = 0;
	mmi_peak_work w = { .fma = isa->bf16 ? isa->bf16->fma : isa->simd->fma, .threads = threads };
	MMI_TRY(mmi_pool_create(threads, &w.pool, e));
	mm_status status = mmi_bench_time(name, repeat, peak_task, &w, out, e);
	mmi_pool_destroy(w.pool);
	if (status == MM_OK) {
		out->threads = threads;
		out->flops = w.fma(1, &value) * (PEAK_ROUNDS / PEAK_PARTS) * PEAK_PARTS * threads;
		out->resident = out->peak = 0;
	}
	return status;
}

mm_status mmi_bench_peak(const mmi_bench_request *r, mmi_bench_figure *one, mmi_bench_figure *all, mm_error *e)
{
	MMI_TRY(peak_of(r, "peak, 1 thread", 1, one, e));
	return peak_of(r, "peak", r->threads, all, e);
}

/* ------------------------------------------------------------ the Langevin steps */

static mm_status time_step(const mmi_bench_request *r, mmi_bench_kind kind, mmi_bench_figure *out, mm_error *e)
{
	const bool posterior = kind == MMI_BENCH_POSTERIOR;
	const mmi_bench_size size = posterior ? MMI_BENCH_DECODERS : MMI_BENCH_TRUNK;
	mmi_bench_task *const task = posterior ? mmi_bench_posterior_steps : mmi_bench_energy_steps;
	const mmi_bench_extent usual = mmi_bench_usual(r->threads);
	mmi_bench_model m;

	mmi_bench_reset_peak();
	mm_status status = mmi_bench_model_create(r, size, &usual, &m, e);
	if (status == MM_OK)
		status = mmi_bench_time(mmi_bench_name(kind), r->repeat, task, &m, out, e);
	if (status == MM_OK) {
		out->threads = r->threads;
		out->flops = mmi_bench_model_flops(&m, size);
	}
	mmi_bench_model_clear(&m);
	return status;
}

mm_status mmi_bench_posterior(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e)
{
	return time_step(r, MMI_BENCH_POSTERIOR, out, e);
}

mm_status mmi_bench_energy(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e)
{
	return time_step(r, MMI_BENCH_ENERGY, out, e);
}

/* ------------------------------------------------------------ noise */

enum { NOISE_ROWS = 256 * MMI_BENCH_VIEWS, NOISE_TASKS = 80 };

typedef struct mmi_noise_work {
	const mmi_vec *vec;
	mmi_pool *pool;
	float *x, *grad;
	uint32_t iteration;
	uint64_t key;
} mmi_noise_work;

static void noise_rows(void *ctx, uint32_t task, uint32_t worker)
{
	const mmi_noise_work *w = ctx;
	const mmi_langevin update = { .drift = 0.005f, .noise = 0.01f, .lo = -1, .hi = 1 };
	double sums[2] = { 0, 0 };
	(void)worker;
	for (uint32_t row = task * (NOISE_ROWS / NOISE_TASKS); row < (task + 1) * (NOISE_ROWS / NOISE_TASKS); row++) {
		const size_t at = (size_t)row * MMI_BENCH_PIXELS;
		const mmi_rng rng = { .key = w->key, .sample = row, .iteration = w->iteration };
		w->vec->langevin(w->x + at, w->grad + at, MMI_BENCH_PIXELS, &update, rng, sums);
	}
}

static mm_status noise_task(void *ctx, mm_error *e)
{
	mmi_noise_work *w = ctx;
	(void)e;
	w->iteration++;
	mmi_pool_run(w->pool, NOISE_TASKS, noise_rows, w);
	return MM_OK;
}

mm_status mmi_bench_noise(const mmi_bench_request *r, mmi_bench_figure *out, mm_error *e)
{
	const size_t n = (size_t)NOISE_ROWS * MMI_BENCH_PIXELS;
	mmi_noise_work w = { .vec = r->device->vec,
		                 .x = mmi_alloc(n, sizeof *w.x),
		                 .grad = mmi_alloc(n, sizeof *w.grad),
		                 .key = mmi_rng_key(1, MMI_STREAM_BENCH_NOISE) };
	mm_status status = w.x && w.grad ? mmi_pool_create(r->threads, &w.pool, e)
	                                 : mmi_fail(e, MM_ENOMEM, "out of memory for %zu floats", n);
	if (status == MM_OK) {
		w.vec->normal(w.grad, n, (mmi_rng){ .key = w.key });
		status = mmi_bench_time(mmi_bench_name(MMI_BENCH_NOISE), 4 * r->repeat, noise_task, &w, out, e);
	}
	if (status == MM_OK) {
		out->threads = r->threads;
		out->elements = (double)n;
	}
	mmi_pool_destroy(w.pool);
	mmi_free(w.x);
	mmi_free(w.grad);
	return status;
}
