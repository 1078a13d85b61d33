/* kernel.h - the contract between compiled programs and backends: one exec per kernel call. */
#ifndef MMI_KERNEL_H
#define MMI_KERNEL_H

#include "engine/graph.h"

typedef struct mmi_device mmi_device; /* device.h */

/* An operation on the elements of what a call has computed so far, in the same call: the value never leaves the kernel
 * unless somebody else reads it. */
typedef struct mmi_joined {
	const mmi_node *node;
	uint32_t value;          /* the input that is the value so far; the other one, if there is one: */
	const mmi_node *in_node; /* NULL: there is none */
	const mmi_node *through; /* as in mmi_exec, like the next two */
	const void *in;
	bool narrow_in, signs_in;
	void *out; /* NULL: nobody else reads it */
	bool narrow_out;
	void *signs; /* as in mmi_exec */
} mmi_joined;

/* One kernel call of a program instance. Everything but the pointers is fixed when the program is created; pointers of
 * bound inputs change between runs (never during one). Element type: float, or double on the "ref64" backend. */
typedef struct mmi_exec {
	const mmi_device *device; /* NULL in bare tests */
	const mmi_node *node;     /* op, attr, output shape */
	int64_t n;                /* samples */
	uint32_t n_in;
	const mmi_node *in_node[MMI_MAX_IN];
	const void *in[MMI_MAX_IN];
	void *out;
	/* Stored in bfloat16: on backends with narrow maps, else where kernels say that they honour it. */
	bool narrow_in[MMI_MAX_IN], narrow_out;
	/* On backends that join calls (join.h): */
	const mmi_node *through[MMI_MAX_IN]; /* the input is what this operation makes of in[k]; NULL: in[k] itself */
	bool signs_in[MMI_MAX_IN];           /* of the input a bit an element is read: whether it is above 0 */
	void *signs;        /* NULL, or where such bits of the result go: element i to bit i % 8 of i / 8 */
	float factor;       /* of products and BIAS_BWD: the result, without its bias, is multiplied; 0: it is not */
	mmi_joined *joined; /* operations that follow in the same call; then out may be NULL */
	uint32_t n_joined;
	/* Fused into this call when the kernel's flags allow it. Order: result, then act, then mask. */
	int32_t act; /* MM_ACT_... applied to the result; MM_ACT_NONE */
	float act_alpha;
	int32_t mask_act; /* MM_ACT_...: result *= act'(mask), mask = that activation's output */
	float mask_alpha;
	const void *mask; /* same shape as out, or NULL */
	bool narrow_mask;
	void *scratch;        /* 64-byte aligned, scratch_bytes; shared by all calls of the instance */
	size_t scratch_bytes; /* set by prepare */
	void *state;          /* the kernel's own, made by prepare */
	mmi_packs *packs;     /* shared repacked weights (params.h); NULL in bare tests: then pack in run */
} mmi_exec;

enum {
	MMI_KERNEL_INPLACE = 1, /* out may be the storage of any same-sized input that dies here */
	MMI_KERNEL_ACT = 2,     /* honours act */
	MMI_KERNEL_MASK = 4,    /* honours mask */
	MMI_KERNEL_JOIN = 8,    /* honours joined, and the signs of these */
	MMI_KERNEL_READ = 16,   /* honours through and signs_in, and the signs of its own result */
	MMI_KERNEL_RELU = 32,   /* a ReLU behind it, when it has a bias, costs nothing unless its signs are wanted */
	MMI_KERNEL_NARROW = 64  /* honours narrow_in, narrow_out and narrow_mask, in any combination */
};

typedef struct mmi_kernel {
	const char *name; /* "conv/winograd-avx512", for traces */
	uint32_t flags;
	bool (*accepts)(const mmi_exec *x);             /* NULL: everything */
	mm_status (*prepare)(mmi_exec *x, mm_error *e); /* NULL: nothing to do. May allocate; sets state, scratch_bytes */
	void (*run)(mmi_exec *x);                       /* no allocation, no lookup */
	void (*release)(mmi_exec *x);                   /* NULL, or frees state */
	double (*again)(const mmi_exec *x); /* NULL, or bytes moved beside inputs, mask and output, once each: for counts */
} mmi_kernel;

/* Computes out[0..n) for every operation. Kernels run single-threaded; callers run instances on several threads. */
typedef struct mmi_backend {
	const char *name;    /* "ref32", "ref64", "cpu" */
	size_t element_size; /* 4 or 8 */
	bool narrow;         /* maps inside programs are in bfloat16, 2 bytes an element (narrow.h) */
	bool joins;          /* calls on elements are joined (join.h), in place of act and mask of an exec */
	/* The first kernel of the operation's list that accepts x; never NULL for operations other than leaves. */
	const mmi_kernel *(*select)(const mmi_exec *x);
} mmi_backend;

extern const mmi_backend mmi_backend_ref32; /* backend/ref: plain loops, one source compiled for float ... */
extern const mmi_backend mmi_backend_ref64; /* ... and for double */
extern const mmi_backend mmi_backend_cpu;   /* backend/cpu: falls back to ref32 where it has nothing better */

#endif
