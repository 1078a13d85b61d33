/* params.h - the parameters of one model (generator, inference or energy), flat in memory, and their repacked copies.
 */
#ifndef MMI_PARAMS_H
#define MMI_PARAMS_H

#include "engine/device.h"
#include "engine/graph.h"

typedef struct mmi_param_info {
	char name[96];  /* "m0.decoder.conv1.weight" */
	mm_shape shape; /* linear [in,out], conv [kh,kw,in,out], bias [out] */
	size_t offset;  /* in floats; each tensor starts on a multiple of 16 */
	size_t count;
	int32_t init; /* MM_INIT_... */
	int32_t fan_in;
	bool spectral;                               /* value = raw / sigma(raw) */
	size_t u_offset, u_count, v_offset, v_count; /* singular vectors of spectral tensors, in `vectors` */
} mmi_param_info;

struct mmi_params {
	char name[32]; /* "generator" */
	mmi_param_info *info;
	size_t n, capacity;
	bool final;   /* storage exists, no further tensors */
	size_t count; /* floats in each flat array, padding included */
	const mmi_device *device;
	mmi_floats raw;     /* what the optimiser moves */
	mmi_floats value;   /* what networks read: raw, or raw / sigma for spectral tensors (same array when none is) */
	mmi_floats sigma;   /* per tensor; 1 where not spectral */
	mmi_floats vectors; /* u and v of spectral tensors */
	size_t n_vectors;
	mmi_mirror raw_copy, vectors_copy; /* where the host reads and writes them, for checkpoints: fetch and push */
	mmi_packs *packs;
};

mm_status mmi_params_create(const mmi_device *device, const char *name, mmi_params **out, mm_error *e);
void mmi_params_destroy(mmi_params *p);
/* Index of a tensor, declared if new. Existing with another shape: MM_ESHAPE. New after finalise: MM_ESTATE. */
mm_status mmi_params_declare(mmi_params *p, const char *name, mm_shape shape, int32_t init, int32_t fan_in,
                             uint32_t *index, mm_error *e);
/* Marks every tensor of rank >= 2 for spectral normalisation (before finalise). */
void mmi_params_spectral(mmi_params *p);
/* Allocates storage and draws initial values from the stream "init/<store>/<tensor>". */
mm_status mmi_params_finalise(mmi_params *p, uint64_t seed, mm_error *e);
/* Allocates storage that holds zeros: for values that come from elsewhere. mmi_params_update follows them. */
mm_status mmi_params_allocate(mmi_params *p, mm_error *e);
/* Call after raw changed: spectral value = raw / sigma with `iterations` power iterations first (0: recompute value
 * from the present vectors), then refreshes all packs. Allocates nothing. */
void mmi_params_update(mmi_params *p, int iterations);
/* raw and vectors to their copies on the host, and back. Where the device is direct these are the same memory. */
void mmi_params_fetch(const mmi_params *p);
void mmi_params_push(const mmi_params *p);
/* Turns the gradient to value (flat, in place) into the gradient to raw: identity, or through 1/sigma with u, v held.
 */
void mmi_params_grad_to_raw(const mmi_params *p, mmi_floats grad);
/* The tensor's values as networks read them. .at is NULL before finalise. */
mmi_floats mmi_params_value(const mmi_params *p, uint32_t index);

/* Repacked copies, made once per update and shared by all programs. A pack is found by (source, key). */
typedef struct mmi_pack {
	const float *source; /* both are on the device */
	void *data;          /* what kernels read */
	size_t bytes;
	uint64_t key;
	void (*pack)(const float *source, void *data, const void *ctx);
	void (*release_ctx)(void *ctx); /* may be NULL */
	void *ctx;                      /* owned by the pack */
} mmi_pack;
mmi_packs *mmi_packs_create(const mmi_device *device);
void mmi_packs_destroy(mmi_packs *p);
/* Returns the pack for (source, key), made and filled if new. On a hit, and on failure, ctx is released at once. */
mm_status mmi_packs_get(mmi_packs *p, const float *source, uint64_t key, size_t bytes,
                        void (*pack)(const float *, void *, const void *), void *ctx, void (*release_ctx)(void *),
                        const mmi_pack **out, mm_error *e);
void mmi_packs_refresh(mmi_packs *p);

#endif
