/* mmcore/host.h - what the host offers a plugin: tables of functions, reached through mm_host_api.get_extension.
 *
 * A plugin links nothing of mmcore: all services come through these tables, which live until its unload has returned
 * (until the process ends, without one). Growth rule: each table starts with struct_size = the end of the last member
 * the host knows; members are only appended. Test a member newer than minor 0 with MM_HAS(table, member) before the
 * call.
 *
 * Tensors. A tensor has a per-sample shape; the batch is implicit and never seen by a plugin. Memory order is that
 * of the shape, last axis fastest. Pictures and feature maps are [height, width, channels] (channels last) everywhere.
 *
 * Thread classes, named at each function:
 *   [scan]  no host pointer yet, pure, quick          [main]  the main thread
 *   [build] main thread, inside a build callback      [data]  one loader thread per data set
 *   [any]   any thread
 */
#ifndef MMCORE_HOST_H
#define MMCORE_HOST_H

#include <stddef.h>
#include <stdint.h>
#include <mmcore/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Offset of the end of a member: the only honest struct_size, since tail padding never counts. */
#define MM_SIZE_THROUGH(type, member) ((uint32_t)(offsetof(type, member) + sizeof(((type *)0)->member)))
/* True if the table pointed to is large enough to hold the member and the member is set. */
#define MM_HAS(table, member)                                                                            \
	((table)->struct_size >= (uint32_t)((const char *)(&(table)->member + 1) - (const char *)(table)) && \
	 (table)->member)

#define MM_MAX_RANK 4

/* Shape of one sample. Unused dims are 0. rank 0 is a scalar per sample. */
typedef struct mm_shape {
	uint32_t rank;
	int32_t dim[MM_MAX_RANK];
} mm_shape;

typedef struct mm_host mm_host;     /* opaque: the host as seen by one plugin */
typedef struct mm_config mm_config; /* opaque: the INI section of one modality instance */
typedef struct mm_graph mm_graph;   /* opaque: the network under construction */

/* ---------------------------------------------------------------- base table */

enum {
	MM_LOG_DEBUG = 0,
	MM_LOG_INFO = 1,
	MM_LOG_WARNING = 2,
	MM_LOG_ERROR = 3,
	MM_LOG_HOST_MISBEHAVING = 4,
	MM_LOG_PLUGIN_MISBEHAVING = 5
};

typedef struct mm_host_api {
	uint32_t struct_size;
	uint16_t abi_major, abi_minor;
	mm_host *host; /* pass it back as first argument */
	/* [any] zero-filled, 64-byte aligned; NULL when out of memory. Freed with release. */
	void *(*alloc)(mm_host *host, size_t bytes);
	/* [any] accepts NULL. */
	void (*release)(mm_host *host, void *block);
	/* [any] one line of text without newline. */
	void (*log)(mm_host *host, int level, const char *message);
	/* [any] pure; NULL when this host lacks the service. Ids below. */
	const void *(*get_extension)(mm_host *host, const char *id);
} mm_host_api;

/* ---------------------------------------------------------------- settings: "mm.host.config/1" */
#define MM_HOST_CONFIG "mm.host.config/1"

/* Keys of the instance's own INI section. All [main]; the get_ functions and refuse inside create only. A key that is
 * present but malformed or out of range fails with MM_ECONFIG and a message that names file, section, key, the value
 * found and what was expected. A key the plugin never asks for is an error the host reports after create; one asked for
 * twice has one default. The core itself reads plugin, modality, root, likelihood, likelihood_weight and x_scale.
 * Strings live as long as the instance. */
typedef struct mm_host_config {
	uint32_t struct_size;
	mm_status (*get_string)(mm_config *c, const char *key, const char *fallback, const char **out, mm_error *e);
	mm_status (*get_int)(mm_config *c, const char *key, int64_t fallback, int64_t min, int64_t max, int64_t *out,
	                     mm_error *e);
	mm_status (*get_float)(mm_config *c, const char *key, double fallback, double min, double max, double *out,
	                       mm_error *e);
	mm_status (*get_bool)(mm_config *c, const char *key, int fallback, int *out,
	                      mm_error *e); /* yes/no, true/false, on/off, 1/0 */
	/* One of the NULL-terminated names; *out is its index. */
	mm_status (*get_choice)(mm_config *c, const char *key, const char *const *names, int fallback, int *out,
	                        mm_error *e);
	/* A path, made absolute: relative to the INI's folder, or to the current folder when set on the command line.
	 * NULL fallback and absent key: *out = NULL. */
	mm_status (*get_path)(mm_config *c, const char *key, const char *fallback, const char **out, mm_error *e);
	const char *(*instance_name)(mm_config *c); /* "m0" */
	/* Root of the data: the section's own root, else [data] root; NULL when neither is set. */
	const char *(*data_root)(mm_config *c);
	/* Fails with MM_ECONFIG and the standard wording for a value the plugin itself refuses. */
	mm_status (*refuse)(mm_config *c, const char *key, const char *expected, mm_error *e);
} mm_host_config;

/* ---------------------------------------------------------------- randomness: "mm.host.random/1" */
#define MM_HOST_RANDOM "mm.host.random/1"

/* Counter-based (Philox4x32-10): a value is a function of (run seed, plugin id, stream, index, block), never of call
 * order. A permutation shares no draws with the words of the same stream and index. */
typedef struct mm_host_random {
	uint32_t struct_size;
	/* [any] the stream's number: a hash of the name. Cheap, but keep it out of inner loops. */
	uint64_t (*stream)(mm_host *host, const char *name);
	/* [any] four independent uniform 32-bit words. */
	void (*words)(mm_host *host, uint64_t stream, uint64_t index, uint32_t block, uint32_t out[4]);
	/* [any] a uniform permutation of 0..n-1 into out. */
	void (*permutation)(mm_host *host, uint64_t stream, uint64_t index, uint32_t n, uint32_t *out);
} mm_host_random;

/* ---------------------------------------------------------------- linear algebra: "mm.host.linalg/1" */
#define MM_HOST_LINALG "mm.host.linalg/1"

/* A sparse matrix, row by row: the entries of row i are begin[i] .. begin[i + 1] - 1, begin[0] is 0. */
typedef struct mm_sparse {
	uint32_t struct_size;
	uint32_t rows, columns; /* at least 1 each */
	const uint64_t *begin;  /* [rows + 1], ascending */
	const uint32_t *column; /* [begin[rows]], below `columns`; a column at most once a row */
	const float *value;     /* [begin[rows]], finite */
} mm_sparse;

/* What a plugin needs to prepare its data and should not link a library for. */
typedef struct mm_host_linalg {
	uint32_t struct_size;
	/* [main] The `rank` largest singular values of a (1 to the smaller side), descending, and their singular vectors:
	 * left [rows][rank], singular [rank], right [columns][rank] (left and right may be NULL). Vectors have length 1, or
	 * are 0 where the singular value is. The largest entry of each left vector, the first of those within a thousandth,
	 * is positive. Approximate (randomised subspace iteration: the error is largest where neighbouring singular values
	 * hardly differ), but the same bits for the same matrix. Fails with MM_EARG or MM_ENOMEM. */
	mm_status (*truncated_svd)(mm_host *host, const mm_sparse *a, uint32_t rank, float *left, float *singular,
	                           float *right, mm_error *e);
} mm_host_linalg;

/* ---------------------------------------------------------------- text in pictures: "mm.host.text/1" */
#define MM_HOST_TEXT "mm.host.text/1"

/* The font of the sample sheets, for modalities that draw themselves as text. ASCII; other bytes show as boxes. */
typedef struct mm_host_text {
	uint32_t struct_size;
	uint32_t advance; /* pixels from letter to letter at scale 1 */
	uint32_t height;  /* pixels of a line at scale 1, descenders included */
	/* [main] NUL-terminated text in 8-bit RGB of width x height pixels, row y at rgb + y * stride bytes, with the top
	 * left corner of the first letter at x, y. What falls outside is cut off. scale: pixels to a font pixel, at
	 * least 1. */
	mm_status (*draw)(mm_host *host, uint8_t *rgb, uint32_t width, uint32_t height, size_t stride, int32_t x, int32_t y,
	                  const char *text, uint32_t scale, const uint8_t colour[3], mm_error *e);
} mm_host_text;

/* ---------------------------------------------------------------- networks: "mm.host.graph/1" */
#define MM_HOST_GRAPH "mm.host.graph/1"

typedef int32_t mm_tensor; /* a tensor of the graph under construction */
#define MM_NO_TENSOR ((mm_tensor)-1)

enum {
	MM_ACT_NONE = 0,
	MM_ACT_RELU = 1,
	MM_ACT_LEAKY_RELU = 2 /* alpha = slope */,
	MM_ACT_TANH = 3,
	MM_ACT_SIGMOID = 4,
	MM_ACT_SOFTPLUS = 5,
	MM_ACT_EXP = 6
};
enum {
	MM_INIT_DEFAULT = 0 /* weights and bias U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as PyTorch */,
	MM_INIT_XAVIER_NORMAL = 1,
	MM_INIT_ZERO = 2
};

/* A convolution. Output size: conv (in + 2 pad - kernel) / stride + 1; transposed (in - 1) stride - 2 pad + kernel +
 * output_pad. Along a sequence, [1, steps, c]: kernel_h = stride_h = 1, pad_h = 0. */
typedef struct mm_conv {
	uint32_t struct_size;
	int32_t out_channels;
	int32_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
	int32_t output_pad_h, output_pad_w; /* transposed only */
	int32_t bias;                       /* 0 or 1 */
	int32_t init;                       /* MM_INIT_... */
} mm_conv;

/* All [build]. Errors are sticky: a call that fails returns MM_NO_TENSOR, later calls that get MM_NO_TENSOR return it
 * unchanged, and the host reports the first failure after the callback; so a plugin need not test each result.
 * `name` is the parameter's name inside the branch ("conv1"); the same name twice means shared weights and must agree
 * in shape. Stored layouts: linear [in, out], conv [kh, kw, in, out], transposed conv [kh, kw, out, in], bias [out]. */
typedef struct mm_host_graph {
	uint32_t struct_size;
	mm_shape (*shape)(mm_graph *g, mm_tensor x); /* rank 0 and zero dims for MM_NO_TENSOR */
	mm_tensor (*linear)(mm_graph *g, mm_tensor x /* [in] */, const char *name, int32_t out_features, int32_t bias,
	                    int32_t init);
	mm_tensor (*conv2d)(mm_graph *g, mm_tensor x /* [h,w,c] */, const char *name, const mm_conv *conv);
	mm_tensor (*conv2d_transposed)(mm_graph *g, mm_tensor x /* [h,w,c] */, const char *name, const mm_conv *conv);
	mm_tensor (*avg_pool)(mm_graph *g, mm_tensor x, int32_t kernel, int32_t stride, int32_t pad,
	                      int32_t count_include_pad);
	mm_tensor (*global_avg_pool)(mm_graph *g, mm_tensor x); /* [h,w,c] -> [c] */
	mm_tensor (*upsample_nearest)(mm_graph *g, mm_tensor x, int32_t factor);
	mm_tensor (*add)(mm_graph *g, mm_tensor x, mm_tensor y);                     /* same shape */
	mm_tensor (*mul)(mm_graph *g, mm_tensor x, mm_tensor y);                     /* same shape */
	mm_tensor (*affine)(mm_graph *g, mm_tensor x, float scale, float shift);     /* scale x + shift */
	mm_tensor (*axpby)(mm_graph *g, float a, mm_tensor x, float b, mm_tensor y); /* a x + b y */
	mm_tensor (*activation)(mm_graph *g, mm_tensor x, int32_t kind, float alpha);
	mm_tensor (*clamp)(mm_graph *g, mm_tensor x, float lo, float hi);
	mm_tensor (*softmax)(mm_graph *g, mm_tensor x);     /* over the last axis */
	mm_tensor (*log_sum_exp)(mm_graph *g, mm_tensor x); /* over the last axis, which disappears */
	mm_tensor (*concat)(mm_graph *g, const mm_tensor *x, uint32_t n, uint32_t axis);
	mm_tensor (*slice)(mm_graph *g, mm_tensor x, uint32_t axis, int32_t begin, int32_t count);
	mm_tensor (*reshape)(mm_graph *g, mm_tensor x, const mm_shape *shape);
	mm_tensor (*sum)(mm_graph *g, mm_tensor x, uint32_t axis);  /* the axis disappears */
	mm_tensor (*mean)(mm_graph *g, mm_tensor x, uint32_t axis); /* the axis disappears */
	/* Marks the build as failed with the plugin's own words; returns MM_NO_TENSOR. */
	mm_tensor (*fail)(mm_graph *g, mm_status code, const char *message);
} mm_host_graph;

#ifdef __cplusplus
}
#endif
#endif
