/* mmcore/author.h - what every plugin would write again: errors, memory, the host's tables, settings, layers, networks
 * of a usual size, samples kept in memory. Header-only, and optional: it is compiled into the plugin, needs nothing but
 * mmcore/plugin.h, and is no part of the ABI. C11 and C++. All names begin with mma_ or MMA_.
 *
 * A plugin on it: struct mm_instance holds an mma_host; a table of mma_setting fills it; networks are recorded by
 * mma_encoder, mma_decoder and mma_features; open fills an mma_samples; MMA_PLUGIN is the exported function.
 * `mmcore new-plugin NAME FOLDER` writes one, docs/SDK.md explains another. */
#ifndef MMCORE_AUTHOR_H
#define MMCORE_AUTHOR_H

#include <mmcore/plugin.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MMA_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#if defined(__GNUC__)
#define MMA_PRINTF(format_at, first) __attribute__((format(printf, format_at, first)))
#else
#define MMA_PRINTF(format_at, first)
#endif

/* Propagates a failure to the caller: for functions without anything to clean up. */
#define MMA_TRY(expression)                       \
	do {                                          \
		mm_status mma_try_status_ = (expression); \
		if (mma_try_status_ != MM_OK)             \
			return mma_try_status_;               \
	} while (0)

/* ---------------------------------------------------------------- errors, memory, the host's tables */

/* The tables that nearly every plugin needs. Those of the plugin's life are kept by mma_load. */
typedef struct mma_host {
	const mm_host_api *api;
	const mm_host_config *config;
	const mm_host_random *random;
	const mm_host_graph *graph;
} mma_host;

/* Fills e, which may be NULL, and returns code. The text: what was found, what was expected, what to do. */
MMA_PRINTF(3, 4) static inline mm_status mma_fail(mm_error *e, mm_status code, const char *format, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, format);
		e->code = code;
		vsnprintf(e->message, sizeof e->message, format, ap);
		va_end(ap);
	}
	return code;
}

static inline mm_status mma_no_memory(mm_error *e, const char *what)
{
	return mma_fail(e, MM_ENOMEM, "out of memory for %s", what);
}

/* Host memory, zeros; NULL when there is none or n * size overflows. */
static inline void *mma_new(const mma_host *h, size_t n, size_t size)
{
	return size && n > SIZE_MAX / size ? NULL : h->api->alloc(h->api->host, n * size);
}

static inline void mma_free(const mma_host *h, void *block) /* accepts NULL */
{
	if (block)
		h->api->release(h->api->host, block);
}

/* Room for at least n + 1 elements of `size` bytes in an array that has *room; its new address, or NULL (the array
 * intact) when out of memory. */
static inline void *mma_grow(const mma_host *h, void *array, size_t n, size_t *room, size_t size)
{
	const size_t larger = *room ? 2 * *room : 64;
	void *grown;
	if (n < *room)
		return array;
	grown = mma_new(h, larger, size);
	if (!grown)
		return NULL;
	if (n)
		memcpy(grown, array, n * size);
	mma_free(h, array);
	*room = larger;
	return grown;
}

/* One line to the host's log, MM_LOG_... */
MMA_PRINTF(3, 4) static inline void mma_log(const mma_host *h, int level, const char *format, ...)
{
	char line[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	h->api->log(h->api->host, level, line);
}

/* A table of the host that reaches at least to `size` bytes, or NULL and a message; e is NULL for what may be absent.
 */
static inline const void *mma_table(const mm_host_api *api, const char *id, uint32_t size, mm_error *e)
{
	const void *table = api->get_extension(api->host, id);
	uint32_t found = 0;
	if (table)
		memcpy(&found, table, sizeof found); /* every table begins with its size */
	if (table && found >= size)
		return table;
	if (table)
		mma_fail(e, MM_EABI, "the host's table %s has %u bytes, %u are needed; a newer mmcore has them", id,
		         (unsigned)found, (unsigned)size);
	else
		mma_fail(e, MM_EUNSUPPORTED, "this host lacks the service %s; a newer mmcore has it", id);
	return NULL;
}

/* The tables, or a message. */
static inline mm_status mma_tables(const mm_host_api *api, mma_host *out, mm_error *e)
{
	mma_host h;
	memset(&h, 0, sizeof h);
	h.api = api;
	h.config = (const mm_host_config *)mma_table(api, MM_HOST_CONFIG, MM_SIZE_THROUGH(mm_host_config, refuse), e);
	if (h.config)
		h.random =
			(const mm_host_random *)mma_table(api, MM_HOST_RANDOM, MM_SIZE_THROUGH(mm_host_random, permutation), e);
	if (h.random)
		h.graph = (const mm_host_graph *)mma_table(api, MM_HOST_GRAPH, MM_SIZE_THROUGH(mm_host_graph, fail), e);
	if (!h.graph)
		return e->code;
	*out = h;
	return MM_OK;
}

/* `load` of a plugin whose state is `size` bytes and begins with an mma_host, which is filled; the rest is zero. */
static inline mm_status mma_load_state(const mm_host_api *api, size_t size, void **self, mm_error *e)
{
	mma_host h;
	void *state;
	MMA_TRY(mma_tables(api, &h, e));
	state = mma_new(&h, 1, size);
	if (!state)
		return mma_no_memory(e, "the plugin");
	memcpy(state, &h, sizeof h);
	*self = state;
	return MM_OK;
}

/* `load` and `unload` of a plugin whose state is an mma_host. */
static inline mm_status mma_load(const mm_host_api *api, void **self, mm_error *e)
{
	return mma_load_state(api, sizeof(mma_host), self, e);
}

static inline void mma_unload(void *self)
{
	const mm_host_api *api = ((const mma_host *)self)->api;
	api->release(api->host, self);
}

/* The exported function. Behind the texts come the addresses of the modalities' descriptors. */
#define MMA_PLUGIN(ID, NAME, VENDOR, VERSION, LICENSE, ...) \
	MMA_PLUGIN_WITH(mma_load, mma_unload, ID, NAME, VENDOR, VERSION, LICENSE, __VA_ARGS__)
/* The same with a `load` and an `unload` of one's own, which may call mma_load_state and mma_unload. */
#define MMA_PLUGIN_WITH(LOAD, UNLOAD, ID, NAME, VENDOR, VERSION, LICENSE, ...)               \
	const mm_plugin_entry *mm_plugin_query_1(void)                                           \
	{                                                                                        \
		static const mm_modality_desc *const mma_list[] = { __VA_ARGS__ };                   \
		static const mm_plugin_entry mma_entry = { MM_PLUGIN_MAGIC,                          \
			                                       MM_SIZE_THROUGH(mm_plugin_entry, unload), \
			                                       MM_ABI_MAJOR,                             \
			                                       MM_ABI_MINOR,                             \
			                                       0,                                        \
			                                       0,                                        \
			                                       MM_ABI_TAG,                               \
			                                       (uint32_t)MMA_COUNT(mma_list),            \
			                                       ID,                                       \
			                                       NAME,                                     \
			                                       VENDOR,                                   \
			                                       VERSION,                                  \
			                                       LICENSE,                                  \
			                                       mma_list,                                 \
			                                       LOAD,                                     \
			                                       NULL,                                     \
			                                       UNLOAD };                                 \
		return &mma_entry;                                                                   \
	}

/* A number from 0 to 1, below 1, that is a function of its arguments: for data that are made up and the same in every
 * run. Chance that is to follow the run's seed comes from mm_host_random. */
static inline double mma_chance(uint32_t index, uint32_t k)
{
	uint32_t x = ((index + 1) * 0x9E3779B9u) ^ ((k + 1) * 0x85EBCA6Bu);
	x = (x ^ (x >> 16)) * 0x7FEB352Du;
	x = (x ^ (x >> 15)) * 0x846CA68Bu;
	return (double)(x ^ (x >> 16)) / 4294967296.0;
}

/* ---------------------------------------------------------------- what a sample is */

/* describe, for values within a box and a Gaussian likelihood: what most modalities are. Change *out afterwards for
 * another support or likelihood. */
static inline void mma_describe(mm_modality_info *out, const mm_shape *shape, float lo, float hi, float sigma,
                                uint32_t n_classes)
{
	out->shape = *shape;
	out->support = MM_SUPPORT_BOX;
	out->lo = lo;
	out->hi = hi;
	out->likelihood = MM_LIKELIHOOD_GAUSSIAN;
	out->likelihood_scale = sigma;
	out->likelihood_weight = 1;
	out->n_classes = n_classes;
}

/* ---------------------------------------------------------------- extensions */

typedef struct mma_extension {
	const char *id;
	const void *table;
} mma_extension;

/* What get_extension returns: whole ids, NULL for those not in the list. */
static inline const void *mma_find(const mma_extension *list, size_t n, const char *id)
{
	size_t k;
	for (k = 0; k < n; k++)
		if (!strcmp(list[k].id, id))
			return list[k].table;
	return NULL;
}

/* ---------------------------------------------------------------- settings: a table to a struct */

/* A setting as others see it, and where its value goes: MM_SETTING_INT an int32_t, MM_SETTING_REAL a double,
 * MM_SETTING_SWITCH and MM_SETTING_CHOICE an int, MM_SETTING_TEXT and MM_SETTING_PATH a const char * that lives as long
 * as the instance. */
typedef struct mma_setting {
	mm_setting seen;
	size_t offset;
	double (*usual)(const void *into); /* the default, a function of what was read before it; NULL: seen.fallback */
} mma_setting;

/* clang-format off */
#define MMA_INT(KEY, STRUCT, MEMBER, FALLBACK, MIN, MAX, HELP) \
	MMA_INT_BY(KEY, STRUCT, MEMBER, FALLBACK, NULL, MIN, MAX, HELP)
#define MMA_REAL(KEY, STRUCT, MEMBER, FALLBACK, MIN, MAX, HELP) \
	{ { KEY, MM_SETTING_REAL, NULL, FALLBACK, MIN, MAX, NULL, HELP }, offsetof(STRUCT, MEMBER), NULL }
#define MMA_SWITCH(KEY, STRUCT, MEMBER, FALLBACK, HELP) \
	{ { KEY, MM_SETTING_SWITCH, NULL, FALLBACK, 0, 1, NULL, HELP }, offsetof(STRUCT, MEMBER), NULL }
/* NAMES: NULL-terminated; the value is an index into it. */
#define MMA_CHOICE(KEY, STRUCT, MEMBER, NAMES, FALLBACK, HELP) \
	MMA_CHOICE_BY(KEY, STRUCT, MEMBER, NAMES, FALLBACK, NULL, HELP)
#define MMA_TEXT(KEY, STRUCT, MEMBER, FALLBACK, HELP) \
	{ { KEY, MM_SETTING_TEXT, FALLBACK, 0, 0, 0, NULL, HELP }, offsetof(STRUCT, MEMBER), NULL }
#define MMA_PATH(KEY, STRUCT, MEMBER, FALLBACK, HELP) \
	{ { KEY, MM_SETTING_PATH, FALLBACK, 0, 0, 0, NULL, HELP }, offsetof(STRUCT, MEMBER), NULL }
/* USUAL: a function that gives the default from the settings before; FALLBACK: what it gives where they are not set. */
#define MMA_INT_BY(KEY, STRUCT, MEMBER, FALLBACK, USUAL, MIN, MAX, HELP) \
	{ { KEY, MM_SETTING_INT, NULL, FALLBACK, MIN, MAX, NULL, HELP }, offsetof(STRUCT, MEMBER), USUAL }
#define MMA_CHOICE_BY(KEY, STRUCT, MEMBER, NAMES, FALLBACK, USUAL, HELP) \
	{ { KEY, MM_SETTING_CHOICE, NULL, FALLBACK, 0, 0, NAMES, HELP }, offsetof(STRUCT, MEMBER), USUAL }
/* clang-format on */

static inline mm_status mma_setting_read(const mma_host *h, mm_config *c, const mm_setting *s, void *at, mm_error *e)
{
	int64_t whole = 0;
	switch (s->kind) {
	case MM_SETTING_INT:
		MMA_TRY(h->config->get_int(c, s->key, (int64_t)s->fallback, (int64_t)s->min, (int64_t)s->max, &whole, e));
		*(int32_t *)at = (int32_t)whole;
		return MM_OK;
	case MM_SETTING_REAL:
		return h->config->get_float(c, s->key, s->fallback, s->min, s->max, (double *)at, e);
	case MM_SETTING_SWITCH:
		return h->config->get_bool(c, s->key, (int)s->fallback, (int *)at, e);
	case MM_SETTING_CHOICE:
		return h->config->get_choice(c, s->key, s->names, (int)s->fallback, (int *)at, e);
	case MM_SETTING_TEXT:
		return h->config->get_string(c, s->key, s->text, (const char **)at, e);
	default:
		return h->config->get_path(c, s->key, s->text, (const char **)at, e);
	}
}

/* Reads all settings of the table into the struct that their offsets belong to. In create. */
static inline mm_status mma_settings(const mma_host *h, mm_config *c, const mma_setting *table, size_t n, void *into,
                                     mm_error *e)
{
	size_t k;
	for (k = 0; k < n; k++) {
		mm_setting s = table[k].seen;
		if (table[k].usual)
			s.fallback = table[k].usual(into);
		MMA_TRY(mma_setting_read(h, c, &s, (char *)into + table[k].offset, e));
	}
	return MM_OK;
}

/* Tables of which some are read only where they mean something, as one. */
typedef struct mma_part {
	const mma_setting *table;
	size_t n;
} mma_part;

static inline const mm_setting *mma_setting_at(const mma_part *parts, size_t n, uint32_t index)
{
	size_t k, at = index;
	for (k = 0; k < n; at -= parts[k].n, k++)
		if (at < parts[k].n)
			return &parts[k].table[at].seen;
	return NULL;
}

/* `create` and `destroy` of an instance that is its settings: `size` bytes, an mma_host first, which is filled. */
static inline void mma_destroy(mm_instance *i)
{
	if (i) {
		mma_host h;
		memcpy(&h, (void *)i, sizeof h);
		mma_free(&h, i);
	}
}

static inline mm_status mma_create(void *self, mm_config *config, const mma_setting *table, size_t n, size_t size,
                                   mm_instance **out, mm_error *e)
{
	const mma_host *h = (const mma_host *)self;
	mm_instance *i = (mm_instance *)mma_new(h, 1, size);
	mm_status status;
	if (!i)
		return mma_no_memory(e, "an instance");
	memcpy((void *)i, h, sizeof *h);
	status = mma_settings(h, config, table, n, i, e);
	if (status == MM_OK)
		*out = i;
	else
		mma_destroy(i);
	return status;
}

/* The extension MM_MODALITY_SETTINGS of a table, called NAME: `mmcore info`, `mmcore help settings FILE.so` and `mmcore
 * validate` see the settings. */
#define MMA_SETTINGS_EXTENSION(NAME, TABLE)                            \
	static const mm_setting *NAME##_at(uint32_t index)                 \
	{                                                                  \
		return index < MMA_COUNT(TABLE) ? &(TABLE)[index].seen : NULL; \
	}                                                                  \
	static const mm_modality_settings NAME = { MM_SIZE_THROUGH(mm_modality_settings, at), NAME##_at }

/* ---------------------------------------------------------------- layers */

/* A network being recorded. A call that fails leaves MM_NO_TENSOR, and the host reports it after the callback: no
 * result needs a test. */
typedef struct mma_net {
	const mm_host_graph *ops;
	mm_graph *g;
} mma_net;

typedef struct mma_kernel {
	int32_t h, w, stride_h, stride_w, pad_h, pad_w;
} mma_kernel;

static inline mma_net mma_network(const mma_host *h, mm_graph *g)
{
	mma_net n;
	n.ops = h->graph;
	n.g = g;
	return n;
}

static inline mm_conv mma_conv_of(int32_t channels, mma_kernel k)
{
	mm_conv c;
	memset(&c, 0, sizeof c);
	c.struct_size = MM_SIZE_THROUGH(mm_conv, init);
	c.out_channels = channels;
	c.kernel_h = k.h;
	c.kernel_w = k.w;
	c.stride_h = k.stride_h;
	c.stride_w = k.stride_w;
	c.pad_h = k.pad_h;
	c.pad_w = k.pad_w;
	c.bias = 1;
	return c;
}

/* [h, w, c], with a bias. */
static inline mm_tensor mma_conv(const mma_net *n, mm_tensor x, const char *name, int32_t channels, mma_kernel k)
{
	const mm_conv c = mma_conv_of(channels, k);
	return n->ops->conv2d(n->g, x, name, &c);
}

static inline mm_tensor mma_conv_transposed(const mma_net *n, mm_tensor x, const char *name, int32_t channels,
                                            mma_kernel k)
{
	const mm_conv c = mma_conv_of(channels, k);
	return n->ops->conv2d_transposed(n->g, x, name, &c);
}

/* Sequences are [1, steps, c]: a convolution along them is one with a kernel of 1 by k. */
static inline mma_kernel mma_along(int32_t kernel, int32_t stride, int32_t pad)
{
	mma_kernel k;
	k.h = k.stride_h = 1;
	k.pad_h = 0;
	k.w = kernel;
	k.stride_w = stride;
	k.pad_w = pad;
	return k;
}

static inline mma_kernel mma_square(int32_t kernel, int32_t stride, int32_t pad)
{
	mma_kernel k;
	k.h = k.w = kernel;
	k.stride_h = k.stride_w = stride;
	k.pad_h = k.pad_w = pad;
	return k;
}

static inline mm_tensor mma_linear(const mma_net *n, mm_tensor x, const char *name, int32_t features)
{
	return n->ops->linear(n->g, x, name, features, 1, MM_INIT_DEFAULT);
}

static inline mm_tensor mma_relu(const mma_net *n, mm_tensor x)
{
	return n->ops->activation(n->g, x, MM_ACT_RELU, 0);
}

static inline mm_tensor mma_flat(const mma_net *n, mm_tensor x)
{
	const mm_shape s = n->ops->shape(n->g, x);
	mm_shape to;
	uint32_t k;
	memset(&to, 0, sizeof to);
	to.rank = 1;
	to.dim[0] = 1;
	for (k = 0; k < s.rank; k++)
		to.dim[0] *= s.dim[k];
	return n->ops->reshape(n->g, x, &to);
}

static inline mm_tensor mma_map(const mma_net *n, mm_tensor x, int32_t height, int32_t width, int32_t channels)
{
	mm_shape to;
	memset(&to, 0, sizeof to);
	to.rank = 3;
	to.dim[0] = height;
	to.dim[1] = width;
	to.dim[2] = channels;
	return n->ops->reshape(n->g, x, &to);
}

/* An encoder's heads on a vector. */
static inline void mma_experts(const mma_net *n, mm_tensor x, mm_encoder_io *io)
{
	io->w_loc = io->w_raw = MM_NO_TENSOR;
	io->z_loc = mma_linear(n, x, "z_loc", io->latent_dim);
	io->z_raw = mma_linear(n, x, "z_raw", io->latent_dim);
	if (io->private_dim > 0) {
		io->w_loc = mma_linear(n, x, "w_loc", io->private_dim);
		io->w_raw = mma_linear(n, x, "w_raw", io->private_dim);
	}
}

/* A decoder's input: z, with w before it where there is one. */
static inline mm_tensor mma_latent(const mma_net *n, const mm_decoder_io *io)
{
	mm_tensor both[2];
	both[0] = io->w;
	both[1] = io->z;
	return io->w == MM_NO_TENSOR ? io->z : n->ops->concat(n->g, both, 2, 0);
}

/* ---------------------------------------------------------------- networks of a usual kind
 *
 * For [h, w, c] (pictures, spectrograms; series as [1, steps, c]) strided convolutions, each axis halved down to 4 or
 * to where it becomes odd, an axis of 1 left alone; for vectors and all else linear layers. `width` is the number of
 * channels at first; it doubles twice. */

/* How often an axis can be halved. */
static inline int32_t mma_halvings(int32_t size)
{
	int32_t n = 0;
	for (; size % 2 == 0 && size > 4; size /= 2)
		n++;
	return n;
}

static inline int32_t mma_channels(int32_t width, int32_t stage)
{
	return width << (stage < 2 ? stage : 2);
}

/* 4 by 4 with stride 2, along the axes that are halved. */
static inline mma_kernel mma_half(int h, int w)
{
	mma_kernel k;
	k.h = h ? 4 : 1;
	k.w = w ? 4 : 1;
	k.stride_h = h ? 2 : 1;
	k.stride_w = w ? 2 : 1;
	k.pad_h = h ? 1 : 0;
	k.pad_w = w ? 1 : 0;
	return k;
}

/* Convolutions that halve the height h times and the width w times; flat. */
static inline mm_tensor mma_halve(const mma_net *n, mm_tensor x, int32_t width, int32_t h, int32_t w)
{
	char name[16];
	int32_t k;
	for (k = 0; k < (h > w ? h : w); k++) {
		snprintf(name, sizeof name, "conv%d", (int)k + 1);
		x = mma_relu(n, mma_conv(n, x, name, mma_channels(width, k), mma_half(k < h, k < w)));
	}
	return mma_flat(n, x);
}

/* The way back to a map as high and wide as `shape`, with `width` channels; the last doubling keeps them. */
static inline mm_tensor mma_double(const mma_net *n, mm_tensor x, const mm_shape *shape, int32_t width, int32_t h,
                                   int32_t w)
{
	const int32_t most = h > w ? h : w, wide = mma_channels(width, most - 1);
	char name[16];
	int32_t k;
	x = mma_relu(n, mma_linear(n, x, "hidden", (shape->dim[0] >> h) * (shape->dim[1] >> w) * wide));
	x = mma_map(n, x, shape->dim[0] >> h, shape->dim[1] >> w, wide);
	for (k = most - 1; k >= 0; k--) {
		snprintf(name, sizeof name, "conv%d", (int)(most - k));
		x = mma_relu(n, mma_conv_transposed(n, x, name, mma_channels(width, k ? k - 1 : 0), mma_half(k < h, k < w)));
	}
	return x;
}

/* A sample as a vector of what matters: convolutions down to a small map, then flat; or one linear layer. */
static inline mm_tensor mma_trunk(const mma_net *n, mm_tensor x, int32_t width)
{
	const mm_shape s = n->ops->shape(n->g, x);
	const int32_t h = s.rank == 3 ? mma_halvings(s.dim[0]) : 0, w = s.rank == 3 ? mma_halvings(s.dim[1]) : 0;
	x = mma_halve(n, x, width, h, w);
	return h || w ? x : mma_relu(n, mma_linear(n, x, "first", 8 * width));
}

/* The way back to a sample of this shape; no activation at the end. */
static inline mm_tensor mma_untrunk(const mma_net *n, mm_tensor x, const mm_shape *shape, int32_t width)
{
	const int32_t h = shape->rank == 3 ? mma_halvings(shape->dim[0]) : 0;
	const int32_t w = shape->rank == 3 ? mma_halvings(shape->dim[1]) : 0;
	int32_t k, count = 1;
	if (h || w) {
		x = mma_double(n, x, shape, width, h, w);
		return mma_conv(n, x, "out", shape->dim[2], shape->dim[0] > 1 ? mma_square(3, 1, 1) : mma_along(3, 1, 1));
	}
	for (k = 0; k < (int32_t)shape->rank; k++)
		count *= shape->dim[k];
	x = mma_relu(n, mma_linear(n, x, "hidden", 8 * width));
	return n->ops->reshape(n->g, mma_linear(n, x, "out", count), shape);
}

/* build_encoder, whole. */
static inline mm_status mma_encoder(const mma_host *host, mm_graph *g, mm_encoder_io *io, int32_t width)
{
	const mma_net n = mma_network(host, g);
	mma_experts(&n, mma_relu(&n, mma_linear(&n, mma_trunk(&n, io->x, width), "hidden", 8 * width)), io);
	return MM_OK;
}

/* build_decoder, whole. activation: MM_ACT_TANH for samples within -1..1, MM_ACT_NONE for logits and the real line. */
static inline mm_status mma_decoder(const mma_host *host, mm_graph *g, mm_decoder_io *io, const mm_shape *shape,
                                    int32_t width, int32_t activation)
{
	const mma_net n = mma_network(host, g);
	const mm_tensor out = mma_untrunk(&n, mma_latent(&n, io), shape, width);
	io->out = activation == MM_ACT_NONE ? out : n.ops->activation(g, out, activation, 0);
	return MM_OK;
}

/* build_features, whole: a vector. */
static inline mm_status mma_features(const mma_host *host, mm_graph *g, mm_features_io *io, int32_t width)
{
	const mma_net n = mma_network(host, g);
	io->features = mma_linear(&n, mma_trunk(&n, io->x, width), "features", 8 * width);
	return MM_OK;
}

/* The classifier extension's build, whole: its features have 128 entries. */
static inline mm_status mma_classifier(const mma_host *host, mm_graph *g, mm_classifier_io *io, int32_t width)
{
	const mma_net n = mma_network(host, g);
	io->features = mma_relu(&n, mma_linear(&n, mma_trunk(&n, io->x, width), "hidden", 128));
	io->logits = mma_linear(&n, io->features, "logits", io->n_classes);
	return MM_OK;
}

/* ---------------------------------------------------------------- samples kept in memory: define MMA_SAMPLES
 *
 * open makes one, adds samples, and returns its address as the data set; MMA_SAMPLES_CALLS are the other calls. Samples
 * that are joined with those of another modality have the same keys; those of mnist.so are "i.c", the i-th sample of
 * class c. Let classes take turns: sheets and small shares of the data begin at its start. */

enum { MMA_KEY = 64 /* bytes of a key, NUL included */ };

#ifdef MMA_SAMPLES
struct mm_dataset {
	mma_host host;
	size_t floats; /* of a sample */
	size_t n, key_room, label_room, x_room;
	char (*key)[MMA_KEY];
	int32_t *label;
	float *x; /* [n][floats] */
};

static inline void mma_samples_close(mm_dataset *d)
{
	if (!d)
		return;
	const mma_host h = d->host;
	mma_free(&h, d->x);
	mma_free(&h, d->label);
	mma_free(&h, d->key);
	mma_free(&h, d);
}

/* An empty one for samples of so many floats, or NULL and a message; fails as well for a split that is unknown. */
static inline mm_dataset *mma_samples_new(const mma_host *h, int32_t split, size_t floats, mm_error *e)
{
	mm_dataset *d = NULL;
	if (split != MM_SPLIT_TRAIN && split != MM_SPLIT_TEST)
		mma_fail(e, MM_EUNSUPPORTED, "split %d is unknown; there are 0 (train) and 1 (test)", (int)split);
	else if (!(d = (mm_dataset *)mma_new(h, 1, sizeof *d)))
		mma_no_memory(e, "a data set");
	if (d) {
		d->host = *h;
		d->floats = floats;
	}
	return d;
}

static inline mm_status mma_samples_room(mm_dataset *d, mm_error *e)
{
	void *key = mma_grow(&d->host, d->key, d->n, &d->key_room, sizeof *d->key);
	if (key)
		d->key = (char(*)[MMA_KEY])key;
	void *label = mma_grow(&d->host, d->label, d->n, &d->label_room, sizeof *d->label);
	if (label)
		d->label = (int32_t *)label;
	void *x = mma_grow(&d->host, d->x, d->n, &d->x_room, d->floats * sizeof *d->x);
	if (x)
		d->x = (float *)x;
	return key && label && x ? MM_OK : mma_no_memory(e, "samples");
}

/* One more sample; the caller fills in its floats, *x, before the next call. label: -1 for none. */
static inline mm_status mma_samples_add(mm_dataset *d, const char *key, int32_t label, float **x, mm_error *e)
{
	const size_t length = strlen(key);
	if (!length || length >= MMA_KEY)
		return mma_fail(e, MM_EFORMAT, "the key '%.70s' has %zu bytes, expected 1 to %d", key, length, MMA_KEY - 1);
	MMA_TRY(mma_samples_room(d, e));
	memcpy(d->key[d->n], key, length + 1);
	d->label[d->n] = label;
	*x = d->x + d->floats * d->n++;
	return MM_OK;
}

static inline mm_status mma_samples_index(const mm_dataset *d, uint64_t index, mm_error *e)
{
	return index < d->n ? MM_OK
	                    : mma_fail(e, MM_EARG, "sample %llu of a data set of %zu", (unsigned long long)index, d->n);
}

static inline uint64_t mma_samples_count(const mm_dataset *d)
{
	return d->n;
}

static inline mm_status mma_samples_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	MMA_TRY(mma_samples_index(d, index, e));
	const size_t length = strlen(d->key[index]);
	if (length >= size)
		return mma_fail(e, MM_EARG, "key %s needs %zu bytes, there are %zu", d->key[index], length + 1, size);
	memcpy(out, d->key[index], length + 1);
	return MM_OK;
}

static inline int32_t mma_samples_label(const mm_dataset *d, uint64_t index)
{
	return index < d->n ? d->label[index] : -1;
}

static inline mm_status mma_samples_read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	MMA_TRY(mma_samples_index(d, index, e));
	memcpy(out, d->x + index * d->floats, d->floats * sizeof *out);
	return MM_OK;
}

#define MMA_SAMPLES_CALLS                                                                                       \
	.close = mma_samples_close, .count = mma_samples_count, .key = mma_samples_key, .label = mma_samples_label, \
	.read = mma_samples_read
#endif

/* ---------------------------------------------------------------- pictures */

static inline uint8_t mma_byte(float x) /* -1..1 to 0..255; NaN to 0 */
{
	return !(x > -1) ? 0 : x >= 1 ? 255 : (uint8_t)(127.5f * (x + 1) + 0.5f);
}

/* n values from lo to hi as colours from dark blue over green to yellow, for what has none of its own. */
static inline void mma_colours(const float *x, size_t n, float lo, float hi, uint8_t *rgb)
{
	static const uint8_t stops[5][3] = {
		{ 68, 1, 84 }, { 59, 82, 139 }, { 33, 145, 140 }, { 94, 201, 98 }, { 253, 231, 37 }
	};
	for (size_t i = 0; i < n; i++) {
		const float at = hi > lo ? 4 * (x[i] - lo) / (hi - lo) : 0, t = at > 0 ? at < 4 ? at : 4 : 0;
		const int k = t < 4 ? (int)t : 3;
		for (int c = 0; c < 3; c++)
			rgb[3 * i + (size_t)c] =
				(uint8_t)((float)stops[k][c] + (t - (float)k) * (float)(stops[k + 1][c] - stops[k][c]) + 0.5f);
	}
}

/* [height, width, channels] of -1..1 with 1 or 3 channels as 8-bit RGB, row y at rgb + y * stride. */
static inline void mma_draw(const float *x, int32_t height, int32_t width, int32_t channels, uint8_t *rgb,
                            size_t stride)
{
	for (int32_t y = 0; y < height; y++)
		for (int32_t k = 0; k < 3 * width; k++)
			rgb[(size_t)y * stride + (size_t)k] = mma_byte(x[(y * width + k / 3) * channels + k % 3 * (channels / 3)]);
}

static inline int mma_pnm_header(char *text, size_t size, int32_t height, int32_t width, int32_t channels)
{
	return snprintf(text, size, "P%d\n%d %d\n255\n", channels == 1 ? 5 : 6, (int)width, (int)height);
}

/* The same as a file: PGM or PPM, which most programs read and which need no library. */
static inline mm_status mma_pnm_write(const char *path, const float *x, int32_t height, int32_t width, int32_t channels,
                                      mm_error *e)
{
	char header[64];
	FILE *f = fopen(path, "wb");
	if (!f)
		return mma_fail(e, MM_EIO, "%.400s cannot be written", path);
	mma_pnm_header(header, sizeof header, height, width, channels);
	fputs(header, f);
	for (int32_t k = 0; k < height * width * channels; k++)
		fputc(mma_byte(x[k]), f);
	const int failed = ferror(f);
	return fclose(f) || failed ? mma_fail(e, MM_EIO, "%.400s cannot be written", path) : MM_OK;
}

/* What that wrote, and nothing else: the file may be anything. out is scratch when this fails. */
static inline mm_status mma_pnm_read(const char *path, float *out, int32_t height, int32_t width, int32_t channels,
                                     mm_error *e)
{
	char wanted[64], found[64];
	const size_t start = (size_t)mma_pnm_header(wanted, sizeof wanted, height, width, channels);
	const int32_t n = height * width * channels;
	int32_t k = 0;
	int c = 0;
	FILE *f = fopen(path, "rb");
	if (!f)
		return mma_fail(e, MM_EIO, "%.400s cannot be read", path);
	if (fread(found, 1, start, f) == start && !memcmp(found, wanted, start))
		for (; k < n && (c = fgetc(f)) != EOF; k++)
			out[k] = (float)c / 127.5f - 1;
	const int more = fgetc(f);
	fclose(f);
	if (k < n || more != EOF)
		return mma_fail(e, MM_EFORMAT, "%.300s is no P%d file of %d x %d pixels with 255 steps", path,
		                channels == 1 ? 5 : 6, (int)width, (int)height);
	return MM_OK;
}

#ifdef __cplusplus
}
#endif
#endif
