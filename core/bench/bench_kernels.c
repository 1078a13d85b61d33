/* bench_kernels.c - where the time of the two Langevin steps goes: each kernel call of their programs. */
#include "mmi_build.h"

#include "bench/bench.h"
#include "bench/bench_model.h"

#include <math.h>

/* Best times of `repeat` runs on the calling thread. */
static void time_calls(mmi_program *p, uint32_t repeat, size_t calls, double *now, double *best)
{
	mmi_program_run(p);
	mmi_program_profile(p, best);
	for (uint32_t i = 1; i < repeat; i++) {
		mmi_program_profile(p, now);
		for (size_t c = 0; c < calls; c++)
			best[c] = now[c] < best[c] ? now[c] : best[c];
	}
}

/* Appends the calls of one program. */
static mm_status profile(const char *work, mmi_program *p, uint32_t samples, uint32_t repeat, mmi_bench_kernel **list,
                         size_t *n, mm_error *e)
{
	const size_t calls = mmi_program_info(p).n_calls;
	double *seconds = mmi_alloc(2 * calls, sizeof *seconds);
	mmi_bench_kernel *grown = mmi_grow(*list, *n, *n + calls, sizeof *grown);
	if (grown)
		*list = grown;
	if (!seconds || !grown) {
		mmi_free(seconds);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the times of %zu kernel calls", calls);
	}
	time_calls(p, repeat, calls, seconds + calls, seconds);
	for (size_t c = 0; c < calls; c++)
		grown[(*n)++] = (mmi_bench_kernel){ work, mmi_program_call(p, c), seconds[c], samples };
	mmi_free(seconds);
	return MM_OK;
}

static mm_status profile_step(const mmi_bench_request *r, bool posterior, mmi_bench_kernel **list, size_t *n,
                              mm_error *e)
{
	mmi_bench_model m;
	mmi_chain_stats stats;
	const mmi_bench_extent usual = mmi_bench_usual(1);
	mm_status status = mmi_bench_model_create(r, posterior ? MMI_BENCH_DECODERS : MMI_BENCH_TRUNK, &usual, &m, e);
	if (status == MM_OK) {
		/* A step binds the program's inputs to the batch. */
		const mmi_posterior_args z_step = { .steps = 1, .step = 0.1, .noise = 0.1, .grad_scale = 1 };
		const mmi_revise_args x_step = { .steps = 1, .step = 0.1, .noise = 0.001, .clamp = true };
		if (posterior)
			mmi_sampler_posterior(m.sampler, &z_step, (const float *const *)m.x, mmi_whole(MMI_BENCH_BATCH), 1, &m.z,
			                      NULL, &stats);
		else
			mmi_sampler_revise(m.sampler, &x_step, m.x, NULL, mmi_whole(MMI_BENCH_BATCH), &stats);
		const mmi_sampler_part part = posterior ? MMI_SAMPLER_POSTERIOR : MMI_SAMPLER_REVISE;
		status = profile(mmi_bench_name(posterior ? MMI_BENCH_POSTERIOR : MMI_BENCH_ENERGY),
		                 mmi_sampler_program(m.sampler, part), mmi_sampler_program_rows(m.sampler, part), r->repeat,
		                 list, n, e);
	}
	mmi_bench_model_clear(&m);
	return status;
}

mm_status mmi_bench_kernels(const mmi_bench_request *r, mmi_bench_kernel **out, size_t *n, mm_error *e)
{
	mmi_bench_kernel *list = NULL;
	size_t count = 0;
	mm_status status = profile_step(r, true, &list, &count, e);
	if (status == MM_OK)
		status = profile_step(r, false, &list, &count, e);
	if (status != MM_OK) {
		mmi_free(list);
		return status;
	}
	*out = list;
	*n = count;
	return MM_OK;
}
