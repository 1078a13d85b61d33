/* device.h - where numbers live, and what is done to them there.
 *
 * A device is made once, where a run or a command is opened, and handed down: nothing above names one. Its memory is
 * reached through addresses that the host cannot follow by accident: x[i] and memcpy of an mmi_floats do not compile.
 */
#ifndef MMI_DEVICE_H
#define MMI_DEVICE_H

#include "base/base.h"
#include "engine/kernel.h"
#include "engine/vec.h"

typedef struct mmi_floats {
	float *at;
} mmi_floats;
typedef struct mmi_doubles {
	double *at;
} mmi_doubles;
typedef struct mmi_words {
	uint32_t *at;
} mmi_words;
typedef struct mmi_bytes {
	uint8_t *at;
} mmi_bytes;

typedef struct mmi_row_ops mmi_row_ops; /* row_ops.h */
typedef struct mmi_comm mmi_comm;       /* comm.h */

/* Queued: done in the order of the calls, some time before wait returns; where the device is direct, at once. */
typedef struct mmi_device_ops {
	const char *name; /* as [run] device has it: "cpu" */
	bool direct;      /* the host may follow addresses: they are host memory, and nothing is copied to get there */
	bool whole;       /* shares long arrays out by itself: row operations get them in one call */
	void *(*alloc)(const mmi_device *d, size_t bytes);         /* zeros; NULL: no memory */
	void (*release)(const mmi_device *d, void *p);             /* NULL is accepted */
	void *(*alloc_staging)(const mmi_device *d, size_t bytes); /* host memory that copies may be queued from; zeros */
	void (*release_staging)(const mmi_device *d, void *p);
	void (*upload)(const mmi_device *d, void *to, const void *host, size_t bytes);     /* queued */
	void (*download)(const mmi_device *d, void *host, const void *from, size_t bytes); /* queued */
	void (*copy)(const mmi_device *d, void *to, const void *from, size_t bytes);       /* queued */
	void (*zero)(const mmi_device *d, void *to, size_t bytes);                         /* queued */
	/* Returns when all is done. The first failure of what was queued sticks and is told here. */
	mm_status (*wait)(const mmi_device *d, mm_error *e);
	/* Queues work that is queued often: a device may record it. It is found again by its owner and a key, with which
	 * all of its addresses must be the same. NULL: it is called each time. */
	void (*sequence)(const mmi_device *d, const void *owner, uint64_t key, void (*work)(void *ctx), void *ctx);
	void (*forget)(const mmi_device *d, const void *owner); /* what an owner's sequences use is about to go; NULL */
	/* For ranks with a device each: a comm that swaps floats without the hosts, if all of these devices can, and does
	 * all else by `hosts`, which it has a copy of. Otherwise out is hosts, and the log is told why. All ranks call it,
	 * once; what it makes is the device's, until close. NULL: there is no such comm. */
	mm_status (*join)(const mmi_device *d, const mmi_comm *hosts, const mmi_log *log, mmi_comm *out, mm_error *e);
	void (*close)(const mmi_device *d); /* gives back what the device holds; NULL: nothing */
} mmi_device_ops;

struct mmi_device {
	const mmi_device_ops *ops;
	const mmi_backend *backend; /* kernels of its programs */
	const mmi_row_ops *rows;    /* what is done to its rows beside them */
	const mmi_vec *vec;         /* the host's kernels for numbers beside programs, chosen once */
	const void *own;            /* of the device; the host's: the instruction set */
	bool narrow;                /* maps inside programs may be in bfloat16, where kernels take either (narrow.h) */
	const char *text;           /* what computes, for checkpoints: "avx512", or a library and its version */
	uint32_t few; /* samples whose large maps stay in its caches, and have the bits that they have among more; 0: there
	                 is no such number */
};

static inline mmi_floats mmi_floats_at(mmi_floats x, size_t offset)
{
	return (mmi_floats){ x.at ? x.at + offset : NULL };
}

/* n floats, zeros; .at is NULL when there is no memory. */
static inline mmi_floats mmi_floats_alloc(const mmi_device *d, size_t n)
{
	return (mmi_floats){ n <= SIZE_MAX / sizeof(float) ? d->ops->alloc(d, n * sizeof(float)) : NULL };
}

static inline void mmi_floats_release(const mmi_device *d, mmi_floats *x)
{
	d->ops->release(d, x->at);
	x->at = NULL;
}

static inline void mmi_floats_copy(const mmi_device *d, mmi_floats to, mmi_floats from, size_t n)
{
	d->ops->copy(d, to.at, from.at, n * sizeof(float));
}

static inline void mmi_floats_zero(const mmi_device *d, mmi_floats x, size_t n)
{
	d->ops->zero(d, x.at, n * sizeof(float));
}

/* Host memory as an address of a direct device, which only reads what is const here. */
static inline mmi_floats mmi_floats_direct(const void *host)
{
	return (mmi_floats){ (float *)(uintptr_t)host };
}

/* n floats of the host where the device can read them: in place where it is direct, otherwise queued to `room`. */
mmi_floats mmi_floats_write(const mmi_device *d, const float *host, size_t n, mmi_floats room);

/* The same bytes on the host and on the device. Where the device is direct they are the same memory, and nothing is
 * copied. */
typedef struct mmi_mirror {
	void *host, *device;
	size_t bytes;
	bool again; /* filled again before the host has waited: see mmi_mirror_create_again */
} mmi_mirror;

/* Zeros. Clear in every case. */
mm_status mmi_mirror_create(const mmi_device *d, size_t bytes, mmi_mirror *out, mm_error *e);
/* The same for what the host fills and pushes several times before it waits: a push takes the bytes along at once. */
mm_status mmi_mirror_create_again(const mmi_device *d, size_t bytes, mmi_mirror *out, mm_error *e);
void mmi_mirror_clear(const mmi_device *d, mmi_mirror *m);
/* Queues the host's bytes to the device. */
void mmi_mirror_push(const mmi_device *d, const mmi_mirror *m);
/* The first bytes of the device on the host, when it returns. */
void mmi_mirror_pull(const mmi_device *d, const mmi_mirror *m, size_t bytes);

static inline void mmi_device_sequence(const mmi_device *d, const void *owner, uint64_t key, void (*work)(void *ctx),
                                       void *ctx)
{
	if (d->ops->sequence)
		d->ops->sequence(d, owner, key, work, ctx);
	else
		work(ctx);
}

static inline void mmi_device_forget(const mmi_device *d, const void *owner)
{
	if (d->ops->forget)
		d->ops->forget(d, owner);
}

static inline void mmi_device_close(const mmi_device *d)
{
	if (d->ops && d->ops->close)
		d->ops->close(d);
}

/* Floats of an array of n that a task is given: enough to be worth a task, few enough to stay in a cache. */
static inline size_t mmi_device_share(const mmi_device *d, size_t n)
{
	return d->ops->whole && n ? n : 16384;
}

#endif
