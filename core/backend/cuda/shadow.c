/* shadow.c - parameters in bfloat16. */
#include "mmi_build.h"

#include "backend/cuda/shadow.h"
#include "backend/cuda/map.h"
#include "backend/cuda/scratch.h"

#define KEY ((uint64_t)1 << 63) /* no other pack of this backend has it */

typedef struct rounding {
	const mmi_device *device;
	int64_t n;
} rounding;

static void round_all(const float *source, void *data, const void *ctx)
{
	const rounding *r = ctx;
	const void *const from = source;
	mmi_walk p;
	mmi_walk_begin(&p, r->n);
	mmi_walk_step(&p, MMI_MAP_LOAD, mmi_walk_in(&p, &from, false), 0, 0);
	mmi_walk_store(&p, &data, true);
	mmi_walk_run(&p, r->device);
}

static rounding rounding_of(const mmi_exec *x, uint32_t k)
{
	return (rounding){ x->device, mmi_shape_count(&x->in_node[k]->shape) };
}

mm_status mmi_shadow_prepare(mmi_exec *x, uint32_t k, mmi_shadow *out, mm_error *e)
{
	const rounding r = rounding_of(x, k);
	const size_t bytes = (size_t)r.n * sizeof(uint16_t);
	*out = (mmi_shadow){ .pack = NULL };
	if (!x->packs) {
		out->room = mmi_scratch_take(x, bytes);
		return MM_OK;
	}
	rounding *kept = mmi_alloc(1, sizeof *kept);
	if (!kept)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a parameter in bfloat16");
	*kept = r;
	return mmi_packs_get(x->packs, x->in[k], KEY, bytes, round_all, kept, mmi_free, &out->pack, e);
}

const void *mmi_shadow_at(const mmi_exec *x, uint32_t k, const mmi_shadow *s)
{
	if (s->pack)
		return s->pack->data;
	const rounding r = rounding_of(x, k);
	void *own = mmi_scratch_at(x, s->room);
	round_all(x->in[k], own, &r);
	return own;
}
