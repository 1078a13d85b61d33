/* test_mnist_host.c - the emulated host. */
#include "mmi_build.h"

#include "test_mnist_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- base table: blocks carry their size in front */

enum { FRONT = 64 };

static void *host_alloc(mm_host *h, size_t bytes)
{
	if (atomic_load(&h->fail_after) >= 0 && atomic_fetch_sub(&h->fail_after, 1) <= 0) {
		atomic_store(&h->fail_after, 0);
		return NULL;
	}
	char *block = calloc(1, FRONT + bytes);
	if (!block)
		return NULL;
	memcpy(block, &bytes, sizeof(bytes));
	atomic_fetch_add(&h->blocks, 1);
	atomic_fetch_add(&h->bytes, (long)bytes);
	return block + FRONT;
}

static void host_release(mm_host *h, void *block)
{
	size_t bytes;
	if (!block)
		return;
	memcpy(&bytes, (char *)block - FRONT, sizeof(bytes));
	atomic_fetch_sub(&h->blocks, 1);
	atomic_fetch_sub(&h->bytes, (long)bytes);
	free((char *)block - FRONT);
}

static void host_log(mm_host *h, int level, const char *message)
{
	h->warnings += level == MM_LOG_WARNING;
	snprintf(h->line, sizeof(h->line), "%s", message);
}

/* ---------------------------------------------------------------- settings */

static const char *lookup(const mm_config *c, const char *key)
{
	for (const setting *s = c->set; s->key; s++)
		if (!strcmp(s->key, key))
			return s->value;
	return NULL;
}

static mm_status refuse(mm_config *c, const char *key, const char *expected, mm_error *e)
{
	e->code = MM_ECONFIG;
	snprintf(e->message, sizeof(e->message), "[%s] %s = %s: expected %s", c->name, key, lookup(c, key), expected);
	return MM_ECONFIG;
}

static mm_status get_string(mm_config *c, const char *key, const char *fallback, const char **out, mm_error *e)
{
	const char *text = lookup(c, key);
	(void)e;
	*out = text ? text : fallback;
	return MM_OK;
}

static mm_status get_int(mm_config *c, const char *key, int64_t fallback, int64_t min, int64_t max, int64_t *out,
                         mm_error *e)
{
	const char *text = lookup(c, key);
	char *end = NULL;
	long long value = text ? strtoll(text, &end, 10) : fallback;
	if ((end && *end) || value < min || value > max)
		return refuse(c, key, "a number in range", e);
	*out = value;
	return MM_OK;
}

static mm_status get_float(mm_config *c, const char *key, double fallback, double min, double max, double *out,
                           mm_error *e)
{
	const char *text = lookup(c, key);
	double value = text ? strtod(text, NULL) : fallback;
	if (value < min || value > max)
		return refuse(c, key, "a number in range", e);
	*out = value;
	return MM_OK;
}

static mm_status get_choice(mm_config *c, const char *key, const char *const *names, int fallback, int *out,
                            mm_error *e)
{
	const char *text = lookup(c, key);
	int k = fallback;
	for (k = text ? 0 : fallback; text && names[k] && strcmp(names[k], text);)
		k++;
	if (!names[k])
		return refuse(c, key, "one of the names", e);
	*out = k;
	return MM_OK;
}

static mm_status get_bool(mm_config *c, const char *key, int fallback, int *out, mm_error *e)
{
	static const char *const names[] = { "no", "yes", NULL };
	return get_choice(c, key, names, fallback, out, e);
}

static const char *instance_name(mm_config *c)
{
	return c->name;
}

static const char *data_root(mm_config *c)
{
	return c->root;
}

/* ---------------------------------------------------------------- randomness: splitmix64 of the coordinates */

static uint64_t scramble(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t host_stream(mm_host *h, const char *name)
{
	uint64_t s = h->seed;
	while (*name)
		s = scramble(s ^ (unsigned char)*name++);
	return s;
}

void host_words(mm_host *h, uint64_t stream, uint64_t index, uint32_t block, uint32_t out[4])
{
	uint64_t base = scramble(scramble(stream ^ scramble(h->seed)) ^ index) ^ block;
	for (uint64_t k = 0; k < 4; k++)
		out[k] = (uint32_t)(scramble(base + 0x10001u * k) >> 16);
}

static void host_permutation(mm_host *h, uint64_t stream, uint64_t index, uint32_t n, uint32_t *out)
{
	for (uint32_t k = 0; k < n; k++) {
		uint32_t word[4];
		host_words(h, stream, index, k, word);
		uint32_t j = word[0] % (k + 1);
		out[k] = out[j];
		out[j] = k;
	}
}

/* ---------------------------------------------------------------- networks */

static mm_tensor graph_fail(mm_graph *g, const char *why)
{
	if (!g->error)
		g->error = why;
	return MM_NO_TENSOR;
}

mm_tensor graph_input(mm_graph *g, mm_shape shape)
{
	if (g->tensors == MAX_TENSORS)
		return graph_fail(g, "too many tensors");
	g->tensor[g->tensors] = shape;
	return g->tensors++;
}

static int64_t elements(const mm_shape *s)
{
	int64_t n = 1;
	for (uint32_t k = 0; k < s->rank; k++)
		n *= s->dim[k];
	return n;
}

static bool same(const mm_shape *a, const mm_shape *b)
{
	return a->rank == b->rank && !memcmp(a->dim, b->dim, a->rank * sizeof(a->dim[0]));
}

const parameter *graph_find(const mm_graph *g, const char *name)
{
	for (int k = 0; k < g->parameters; k++)
		if (!strcmp(g->parameter[k].name, name))
			return &g->parameter[k];
	return NULL;
}

static void declare(mm_graph *g, const char *name, const char *what, mm_shape shape)
{
	char full[64];
	snprintf(full, sizeof(full), "%s.%s", name, what);
	const parameter *known = graph_find(g, full);
	if (known) {
		if (!same(&known->shape, &shape))
			graph_fail(g, "one name, two shapes");
		return;
	}
	if (g->parameters == MAX_PARAMETERS) {
		graph_fail(g, "too many parameters");
		return;
	}
	parameter *p = &g->parameter[g->parameters++];
	memcpy(p->name, full, sizeof(full));
	p->shape = shape;
}

int64_t graph_parameter_count(const mm_graph *g)
{
	int64_t n = 0;
	for (int k = 0; k < g->parameters; k++)
		n += elements(&g->parameter[k].shape);
	return n;
}

static mm_shape op_shape(mm_graph *g, mm_tensor x)
{
	return x == MM_NO_TENSOR ? (mm_shape){ 0 } : g->tensor[x];
}

static mm_tensor op_linear(mm_graph *g, mm_tensor x, const char *name, int32_t out, int32_t bias, int32_t init)
{
	(void)init;
	if (x == MM_NO_TENSOR)
		return x;
	if (g->tensor[x].rank != 1)
		return graph_fail(g, "linear needs a vector");
	declare(g, name, "weight", (mm_shape){ 2, { g->tensor[x].dim[0], out } });
	if (bias)
		declare(g, name, "bias", (mm_shape){ 1, { out } });
	return graph_input(g, (mm_shape){ 1, { out } });
}

static mm_tensor convolve(mm_graph *g, mm_tensor x, const char *name, const mm_conv *c, bool transposed)
{
	if (x == MM_NO_TENSOR)
		return x;
	const mm_shape in = g->tensor[x];
	if (in.rank != 3 || c->struct_size != MM_SIZE_THROUGH(mm_conv, init))
		return graph_fail(g, "bad convolution");
	const int32_t channels = in.dim[2];
	mm_shape weight = { 4, { c->kernel_h, c->kernel_w, channels, c->out_channels } };
	mm_shape out = { 3,
		             { (in.dim[0] + 2 * c->pad_h - c->kernel_h) / c->stride_h + 1,
		               (in.dim[1] + 2 * c->pad_w - c->kernel_w) / c->stride_w + 1, c->out_channels } };
	if (transposed) {
		weight = (mm_shape){ 4, { c->kernel_h, c->kernel_w, c->out_channels, channels } };
		out.dim[0] = (in.dim[0] - 1) * c->stride_h - 2 * c->pad_h + c->kernel_h + c->output_pad_h;
		out.dim[1] = (in.dim[1] - 1) * c->stride_w - 2 * c->pad_w + c->kernel_w + c->output_pad_w;
	}
	declare(g, name, "weight", weight);
	if (c->bias)
		declare(g, name, "bias", (mm_shape){ 1, { c->out_channels } });
	return graph_input(g, out);
}

static mm_tensor op_conv(mm_graph *g, mm_tensor x, const char *name, const mm_conv *c)
{
	return convolve(g, x, name, c, false);
}

static mm_tensor op_conv_transposed(mm_graph *g, mm_tensor x, const char *name, const mm_conv *c)
{
	return convolve(g, x, name, c, true);
}

static mm_tensor op_avg_pool(mm_graph *g, mm_tensor x, int32_t kernel, int32_t stride, int32_t pad,
                             int32_t count_include_pad)
{
	if (x == MM_NO_TENSOR)
		return x;
	mm_shape s = g->tensor[x];
	for (int k = 0; k < 2; k++)
		s.dim[k] = (s.dim[k] + 2 * pad - kernel) / stride + 1;
	g->pools_with_padding += kernel == 3 && stride == 2 && pad == 1 && count_include_pad;
	return graph_input(g, s);
}

static mm_tensor op_upsample(mm_graph *g, mm_tensor x, int32_t factor)
{
	if (x == MM_NO_TENSOR)
		return x;
	mm_shape s = g->tensor[x];
	s.dim[0] *= factor;
	s.dim[1] *= factor;
	return graph_input(g, s);
}

static mm_tensor op_axpby(mm_graph *g, float a, mm_tensor x, float b, mm_tensor y)
{
	if (x == MM_NO_TENSOR || y == MM_NO_TENSOR)
		return MM_NO_TENSOR;
	if (!same(&g->tensor[x], &g->tensor[y]) || a != 1.0f)
		return graph_fail(g, "bad sum");
	g->axpby_b = b;
	return graph_input(g, g->tensor[x]);
}

static mm_tensor op_activation(mm_graph *g, mm_tensor x, int32_t kind, float alpha)
{
	if (x == MM_NO_TENSOR)
		return x;
	if (kind == MM_ACT_LEAKY_RELU && alpha != 0.2f)
		return graph_fail(g, "slope is not 0.2");
	g->activations[kind]++;
	g->activation_last = kind;
	return g->activation_out = graph_input(g, g->tensor[x]);
}

static mm_tensor op_concat(mm_graph *g, const mm_tensor *x, uint32_t n, uint32_t axis)
{
	if (n != 2 || axis || x[0] == MM_NO_TENSOR || x[1] == MM_NO_TENSOR)
		return graph_fail(g, "bad concat");
	memcpy(g->concat, x, sizeof(g->concat));
	return graph_input(g, (mm_shape){ 1, { g->tensor[x[0]].dim[0] + g->tensor[x[1]].dim[0] } });
}

static mm_tensor op_reshape(mm_graph *g, mm_tensor x, const mm_shape *shape)
{
	if (x == MM_NO_TENSOR)
		return x;
	if (elements(&g->tensor[x]) != elements(shape))
		return graph_fail(g, "reshape changes the size");
	return graph_input(g, *shape);
}

/* ---------------------------------------------------------------- tables */

static const mm_host_config config_table = {
	.struct_size = MM_SIZE_THROUGH(mm_host_config, refuse),
	.get_string = get_string,
	.get_int = get_int,
	.get_float = get_float,
	.get_bool = get_bool,
	.get_choice = get_choice,
	.get_path = get_string,
	.instance_name = instance_name,
	.data_root = data_root,
	.refuse = refuse,
};

static const mm_host_random random_table = {
	.struct_size = MM_SIZE_THROUGH(mm_host_random, permutation),
	.stream = host_stream,
	.words = host_words,
	.permutation = host_permutation,
};

static const mm_host_graph graph_table = {
	.struct_size = MM_SIZE_THROUGH(mm_host_graph, fail),
	.shape = op_shape,
	.linear = op_linear,
	.conv2d = op_conv,
	.conv2d_transposed = op_conv_transposed,
	.avg_pool = op_avg_pool,
	.upsample_nearest = op_upsample,
	.axpby = op_axpby,
	.activation = op_activation,
	.concat = op_concat,
	.reshape = op_reshape,
};

static const void *host_extension(mm_host *h, const char *id)
{
	if (h->lacks && !strcmp(h->lacks, id))
		return NULL;
	if (!strcmp(id, MM_HOST_CONFIG))
		return &config_table;
	if (!strcmp(id, MM_HOST_RANDOM))
		return &random_table;
	return strcmp(id, MM_HOST_GRAPH) ? NULL : &graph_table;
}

void host_init(mm_host *h, uint64_t seed)
{
	memset(h, 0, sizeof(*h));
	h->seed = seed;
	atomic_store(&h->fail_after, -1);
	h->api = (mm_host_api){
		.struct_size = MM_SIZE_THROUGH(mm_host_api, get_extension),
		.abi_major = MM_ABI_MAJOR,
		.abi_minor = MM_ABI_MINOR,
		.host = h,
		.alloc = host_alloc,
		.release = host_release,
		.log = host_log,
		.get_extension = host_extension,
	};
}
