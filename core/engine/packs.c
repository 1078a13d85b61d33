/* packs.c - repacked copies of weights, one per (tensor, layout), shared by all programs of a model. */
#include "mmi_build.h"

#include "base/slabs.h"
#include "engine/params.h"

struct mmi_packs {
	const mmi_device *device;
	mmi_slabs slabs;  /* the data of long packs, on the host */
	mmi_pack **items; /* pointers: kernels keep them across growth */
	size_t n, capacity;
};

mmi_packs *mmi_packs_create(const mmi_device *device)
{
	mmi_packs *p = mmi_alloc(1, sizeof *p);
	if (p)
		p->device = device;
	return p;
}

static void release_ctx(void (*release)(void *), void *ctx)
{
	if (release)
		release(ctx);
}

static bool in_slabs(const mmi_device *device, size_t bytes)
{
	enum { LONG = 1 << 16 };
#ifdef MMCORE_SANITIZED
	return false; /* so that they see what is read behind a block */
#endif
	return device->ops->direct && bytes >= LONG;
}

static void *take(mmi_packs *p, size_t bytes)
{
	return in_slabs(p->device, bytes) ? mmi_slabs_take(&p->slabs, bytes) : p->device->ops->alloc(p->device, bytes);
}

static void give_back(const mmi_device *device, void *data, size_t bytes)
{
	if (!in_slabs(device, bytes))
		device->ops->release(device, data);
}

static void pack_destroy(const mmi_device *device, mmi_pack *pack)
{
	if (!pack)
		return;
	release_ctx(pack->release_ctx, pack->ctx);
	give_back(device, pack->data, pack->bytes);
	mmi_free(pack);
}

void mmi_packs_destroy(mmi_packs *p)
{
	if (!p)
		return;
	mmi_device_forget(p->device, p);
	for (size_t i = 0; i < p->n; i++)
		pack_destroy(p->device, p->items[i]);
	mmi_slabs_clear(&p->slabs);
	mmi_free(p->items);
	mmi_free(p);
}

static mmi_pack *find(const mmi_packs *p, const float *source, uint64_t key)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i]->source == source && p->items[i]->key == key)
			return p->items[i];
	return NULL;
}

static bool reserve(mmi_packs *p)
{
	if (p->n < p->capacity)
		return true;
	size_t capacity = p->capacity ? 2 * p->capacity : 32;
	mmi_pack **grown = mmi_grow(p->items, p->n, capacity, sizeof *grown);
	if (!grown)
		return false;
	p->items = grown;
	p->capacity = capacity;
	return true;
}

mm_status mmi_packs_get(mmi_packs *p, const float *source, uint64_t key, size_t bytes,
                        void (*pack)(const float *, void *, const void *), void *ctx, void (*release)(void *),
                        const mmi_pack **out, mm_error *e)
{
	mmi_pack *item = find(p, source, key);
	if (item) {
		release_ctx(release, ctx);
		*out = item;
		return MM_OK;
	}
	item = mmi_alloc(1, sizeof *item);
	void *data = item && reserve(p) ? take(p, bytes) : NULL;
	if (!data) {
		mmi_free(item);
		release_ctx(release, ctx);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu bytes of repacked weights", bytes);
	}
	*item = (mmi_pack){
		.source = source, .data = data, .bytes = bytes, .key = key, .pack = pack, .release_ctx = release, .ctx = ctx
	};
	p->items[p->n++] = item;
	pack(source, data, ctx);
	*out = item;
	return MM_OK;
}

static void refresh(void *ctx)
{
	mmi_packs *p = ctx;
	for (size_t i = 0; i < p->n; i++)
		p->items[i]->pack(p->items[i]->source, p->items[i]->data, p->items[i]->ctx);
}

void mmi_packs_refresh(mmi_packs *p)
{
	mmi_device_sequence(p->device, p, p->n, refresh, p);
}
