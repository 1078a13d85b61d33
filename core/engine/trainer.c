/* trainer.c - parameters that learn. */
#include "mmi_build.h"

#include "engine/trainer.h"

#include <math.h>
#include <string.h>

mm_status mmi_trainer_compile(mmi_network *n, const mmi_grad_request *request, mm_tensor value, int64_t chunk,
                              mmi_pool *pool, mm_error *e)
{
	mmi_grad_request r = *request;
	MMI_TRY(mmi_graph_grad(n->graph, &r, e));
	mm_tensor *outputs = mmi_alloc(r.n_param_grads + 1, sizeof *outputs);
	mm_status status = outputs ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for a loss");
	if (status == MM_OK) {
		uint32_t count = 0;
		if (value != MMI_NONE)
			outputs[count++] = value;
		if (r.n_param_grads)
			memcpy(outputs + count, r.param_grads, r.n_param_grads * sizeof *outputs);
		status = mmi_network_compile(n, r.stores[0]->device, outputs, count + r.n_param_grads, chunk,
		                             mmi_pool_threads(pool), e);
	}
	mmi_free(outputs);
	mmi_free(r.param_grads);
	return status;
}

mm_status mmi_trainer_create(mmi_params *params, mmi_pool *pool, uint32_t chunks, double rate, mmi_trainer *out,
                             mm_error *e)
{
	const mmi_adam_config adam = { .rate = rate, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8 };
	*out = (mmi_trainer){ .params = params, .pool = pool };
	MMI_TRY(mmi_lanes_create(params, chunks, NULL, &out->lanes, e));
	return mmi_optimiser_create(params, &adam, &out->adam, e);
}

void mmi_trainer_clear(mmi_trainer *t)
{
	mmi_lanes_clear(&t->lanes);
	mmi_optimiser_clear(&t->adam);
}

mm_status mmi_trainer_step(mmi_trainer *t, double loss, double schedule, const char *whose, mm_error *e)
{
	double norm = mmi_lanes_reduce(&t->lanes, t->pool);
	if (!isfinite(norm) || !isfinite(loss))
		return mmi_fail(e, MM_ENUMERIC,
		                "the %s's training is not finite after %lld updates (rate %g); use a smaller rate", whose,
		                (long long)t->adam.t, t->adam.config.rate);
	return mmi_optimiser_step(&t->adam, t->pool, t->lanes.lane[0], norm, schedule, e);
}
