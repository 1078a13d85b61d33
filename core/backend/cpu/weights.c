/* weights.c - a kernel's repacked weights. */
#include "mmi_build.h"

#include "backend/cpu/weights.h"

#include <string.h>

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
	const unsigned char *p = data;
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static bool can_share(const mmi_exec *x)
{
	return x->packs && x->in[1] && x->in_node[1]->op == MMI_OP_PARAM;
}

mm_status mmi_weights_prepare(mmi_weights *w, const mmi_exec *x, uint32_t kind, size_t floats, mmi_pack_fn pack,
                              const void *ctx, size_t ctx_bytes, mm_error *e)
{
	void *copy = mmi_alloc(1, ctx_bytes);
	if (!copy)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a kernel's settings (%zu bytes)", ctx_bytes);
	memcpy(copy, ctx, ctx_bytes);
	if (can_share(x)) {
		uint64_t key = hash_bytes(hash_bytes(0xcbf29ce484222325u, &kind, sizeof kind), ctx, ctx_bytes);
		return mmi_packs_get(x->packs, x->in[1], key, floats * sizeof(float), pack, copy, mmi_free, &w->shared, e);
	}
	w->own = mmi_alloc(floats, sizeof(float));
	w->pack = pack;
	w->ctx = copy;
	if (!w->own)
		return mmi_fail(e, MM_ENOMEM, "out of memory for packed weights (%zu floats)", floats);
	return MM_OK;
}

const float *mmi_weights_data(const mmi_weights *w, const mmi_exec *x)
{
	if (w->shared)
		return w->shared->data;
	w->pack(x->in[1], w->own, w->ctx);
	return w->own;
}

void mmi_weights_release(mmi_weights *w)
{
	mmi_free(w->own);
	mmi_free(w->ctx);
}
