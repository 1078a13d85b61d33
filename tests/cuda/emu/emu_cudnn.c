/* emu_cudnn.c - as much of cuDNN's graph API as the backend uses: descriptors keep what they are given, plans run plain
 * loops in double.
 *
 * It offers a nondeterministic engine first and one with tensor cores second, so that code which does not look at the
 * notes is found out, and asks for an odd workspace whose every byte it overwrites. */
#include "emu_internal.h"

#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ATTRIBUTES = 24, MOST_TENSORS = 4, ENGINES = 3, WORKSPACE = 1003 };

typedef struct attribute {
	cudnnBackendAttributeName_t name;
	cudnnBackendAttributeType_t type;
	int64_t n;
	void *data;
} attribute;
typedef struct descriptor {
	cudnnBackendDescriptorType_t type;
	bool final;
	int n;
	attribute a[MOST_ATTRIBUTES];
	struct descriptor *made[2 * ENGINES]; /* parts that a heuristic made */
	int n_made;
} descriptor;
struct cudnnContext {
	cudaStream_t stream;
};

static char last_error[256];

static cudnnStatus_t fail(cudnnStatus_t s, const char *why)
{
	snprintf(last_error, sizeof last_error, "%s", why);
	return s;
}

/* ------------------------------------------------------------ attributes */

static size_t size_of(cudnnBackendAttributeType_t t)
{
	switch ((int)t) {
	case CUDNN_TYPE_INT64:
	case CUDNN_TYPE_HANDLE:
	case CUDNN_TYPE_VOID_PTR:
	case CUDNN_TYPE_BACKEND_DESCRIPTOR:
		return 8;
	case CUDNN_TYPE_BOOLEAN:
	case CUDNN_TYPE_CHAR:
		return 1;
	default:
		return 4;
	}
}

static const attribute *find(const descriptor *d, cudnnBackendAttributeName_t name)
{
	for (int i = 0; d && i < d->n; i++)
		if (d->a[i].name == name)
			return &d->a[i];
	return NULL;
}

static int64_t number(const descriptor *d, cudnnBackendAttributeName_t name, int64_t k)
{
	const attribute *a = find(d, name);
	return a && k < a->n ? ((const int64_t *)a->data)[k] : 0;
}

static const descriptor *part(const descriptor *d, cudnnBackendAttributeName_t name, int64_t k)
{
	const attribute *a = find(d, name);
	return a && k < a->n ? ((descriptor *const *)a->data)[k] : NULL;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *out)
{
	descriptor *d = calloc(1, sizeof *d);
	if (!d)
		abort();
	d->type = type;
	*out = d;
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t p)
{
	descriptor *d = p;
	for (int i = 0; i < d->n; i++)
		free(d->a[i].data);
	for (int i = 0; i < d->n_made; i++)
		cudnnBackendDestroyDescriptor(d->made[i]);
	free(d);
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t p, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t n, const void *data)
{
	descriptor *d = p;
	if (d->final || d->n == MOST_ATTRIBUTES)
		return fail(CUDNN_STATUS_BAD_PARAM, "attribute of a finalised descriptor");
	attribute *a = &d->a[d->n++];
	*a = (attribute){ name, type, n, malloc((size_t)n * size_of(type)) };
	if (!a->data)
		abort();
	memcpy(a->data, data, (size_t)n * size_of(type));
	return CUDNN_STATUS_SUCCESS;
}

static cudnnDataType_t type_of(const descriptor *tensor)
{
	return *(const cudnnDataType_t *)find(tensor, CUDNN_ATTR_TENSOR_DATA_TYPE)->data;
}

/* ------------------------------------------------------------ rules of a descriptor */

static cudnnStatus_t check_tensor(const descriptor *d)
{
	const attribute *dims = find(d, CUDNN_ATTR_TENSOR_DIMENSIONS), *strides = find(d, CUDNN_ATTR_TENSOR_STRIDES);
	if (!dims || !strides || dims->n != 4 || strides->n != 4 || !find(d, CUDNN_ATTR_TENSOR_DATA_TYPE) ||
	    !find(d, CUDNN_ATTR_TENSOR_UNIQUE_ID) || !find(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT))
		return fail(CUDNN_STATUS_BAD_PARAM, "a tensor needs type, id, alignment, four dimensions and strides");
	const int64_t c = number(d, CUDNN_ATTR_TENSOR_DIMENSIONS, 1), h = number(d, CUDNN_ATTR_TENSOR_DIMENSIONS, 2),
				  w = number(d, CUDNN_ATTR_TENSOR_DIMENSIONS, 3);
	const int64_t want[4] = { c * h * w, 1, w * c, c };
	for (int k = 0; k < 4; k++)
		if (number(d, CUDNN_ATTR_TENSOR_STRIDES, k) != want[k])
			return fail(CUDNN_STATUS_NOT_SUPPORTED, "only packed channels-last tensors are emulated");
	if (number(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 0) % 16)
		return fail(CUDNN_STATUS_NOT_SUPPORTED, "alignment below 16 bytes");
	return CUDNN_STATUS_SUCCESS;
}

static bool parts_are_final(const descriptor *d)
{
	for (int i = 0; i < d->n; i++)
		for (int64_t k = 0; d->a[i].type == CUDNN_TYPE_BACKEND_DESCRIPTOR && k < d->a[i].n; k++) {
			const descriptor *p = ((descriptor *const *)d->a[i].data)[k];
			if (!p || !p->final)
				return false;
		}
	return true;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t p)
{
	descriptor *d = p;
	cudnnStatus_t s = CUDNN_STATUS_SUCCESS;
	if (!parts_are_final(d))
		return fail(CUDNN_STATUS_BAD_PARAM, "a part is not finalised");
	if (d->type == CUDNN_BACKEND_TENSOR_DESCRIPTOR)
		s = check_tensor(d);
	if (d->type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR &&
	    (!find(d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG) || !find(d, CUDNN_ATTR_EXECUTION_PLAN_HANDLE)))
		s = fail(CUDNN_STATUS_BAD_PARAM, "a plan needs a configuration and a handle");
	if (d->type == CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR)
		s = fail(CUDNN_STATUS_NOT_SUPPORTED, "described devices are not emulated");
	d->final = s == CUDNN_STATUS_SUCCESS;
	return s;
}

/* ------------------------------------------------------------ engines */

static void put(descriptor *d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const void *data)
{
	cudnnBackendSetAttribute(d, name, type, 1, data);
}

static void offer(const descriptor *graph, int64_t index, descriptor *config)
{
	cudnnBackendDescriptor_t made;
	cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &made);
	descriptor *engine = made;
	put(engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, &graph);
	put(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, &index);
	engine->final = true;
	put(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, &engine);
	config->final = true;
	config->made[config->n_made++] = engine;
}

/* cuDNN has precompiled engines for tensors of one type, and for floats between the operations of a graph. */
static bool has_engine(const descriptor *tensor, const descriptor **first)
{
	if (*(const bool *)find(tensor, CUDNN_ATTR_TENSOR_IS_VIRTUAL)->data)
		return type_of(tensor) == CUDNN_DATA_FLOAT;
	*first = *first ? *first : tensor;
	return type_of(tensor) == type_of(*first);
}

static bool has_engines(const descriptor *graph)
{
	const attribute *ops = find(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS);
	const descriptor *first = NULL;
	for (int64_t k = 0; k < ops->n; k++) {
		const descriptor *op = ((descriptor *const *)ops->data)[k];
		for (int i = 0; i < op->n; i++) {
			const bool part = op->a[i].type == CUDNN_TYPE_BACKEND_DESCRIPTOR;
			const descriptor *p = part ? *(descriptor *const *)op->a[i].data : NULL;
			if (p && p->type == CUDNN_BACKEND_TENSOR_DESCRIPTOR && !has_engine(p, &first))
				return false;
		}
	}
	return true;
}

static cudnnStatus_t get_results(descriptor *d, int64_t room, int64_t *n, descriptor *const *data)
{
	const descriptor *graph = part(d, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, 0);
	*n = 0;
	if (!has_engines(graph))
		return CUDNN_STATUS_SUCCESS;
	for (*n = 0; *n < ENGINES && *n < room; (*n)++)
		offer(graph, *n, data[*n]);
	return CUDNN_STATUS_SUCCESS;
}

/* Into a descriptor of the caller's. */
static cudnnStatus_t get_engine(const descriptor *d, int64_t *n, descriptor *to)
{
	const descriptor *from = part(d, CUDNN_ATTR_ENGINECFG_ENGINE, 0);
	for (int i = 0; i < from->n; i++)
		put(to, from->a[i].name, from->a[i].type, from->a[i].data);
	to->final = true;
	*n = 1;
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const p, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t room, int64_t *n, void *data)
{
	descriptor *d = p;
	const int64_t index = number(d, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, 0);
	(void)type;
	if (!d->final)
		return fail(CUDNN_STATUS_NOT_INITIALIZED, "not finalised");
	switch ((int)name) {
	case CUDNN_ATTR_ENGINEHEUR_RESULTS:
		return get_results(d, room, n, data);
	case CUDNN_ATTR_ENGINECFG_ENGINE:
		return get_engine(d, n, *(descriptor **)data);
	case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
		*n = index < 2;
		if (*n)
			*(cudnnBackendNumericalNote_t *)data =
				index ? CUDNN_NUMERICAL_NOTE_TENSOR_CORE : CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
		return CUDNN_STATUS_SUCCESS;
	case CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE:
		*n = 0;
		return CUDNN_STATUS_SUCCESS;
	case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
		*n = 1;
		*(int64_t *)data = WORKSPACE;
		return CUDNN_STATUS_SUCCESS;
	default:
		return fail(CUDNN_STATUS_NOT_SUPPORTED, "an attribute that is not emulated");
	}
}

/* ------------------------------------------------------------ running */

/* A plan's convolution with its tensors' addresses. */
typedef struct job {
	char kind; /* as in the engine: f forward, d to x, w to the weights */
	int64_t n, h, w, in, out, kh, kw, sh, sw, ph, pw, oh, ow;
	const void *x, *f, *y, *bias;    /* one of x, f, y is written */
	bool relu, tensor_cores, narrow; /* narrow: all tensors are in bfloat16 */
	void *workspace;
} job;

/* Element i of a tensor; ten bits of its mantissa where tensor cores read floats. */
static double read(const job *j, const void *at, int64_t i)
{
	uint32_t bits;
	float x;
	if (j->narrow)
		return (double)emu_from_bf16(((const uint16_t *)at)[i]);
	x = ((const float *)at)[i];
	if (!j->tensor_cores)
		return (double)x;
	memcpy(&bits, &x, sizeof bits);
	bits = (bits + 0x1000u) & 0xFFFFE000u;
	memcpy(&x, &bits, sizeof x);
	return (double)x;
}

static void write(const job *j, const void *at, int64_t i, double v)
{
	if (j->narrow)
		((uint16_t *)(uintptr_t)at)[i] = emu_to_bf16((float)v);
	else
		((float *)(uintptr_t)at)[i] = (float)v;
}

static double bias_at(const job *j, int64_t o)
{
	if (!j->bias)
		return 0;
	return (double)(j->narrow ? emu_from_bf16(((const uint16_t *)j->bias)[o]) : ((const float *)j->bias)[o]);
}

/* The three tensors in doubles: pixels of x and y as they lie, and for each tap a matrix of the weights, rows of
 * outputs in a forward convolution and of inputs otherwise, so that all that is added goes along a row. */
typedef struct wide {
	double *x, *f, *y;
	int64_t n_x, n_f, n_y;
} wide;

/* Where weight k of [out][taps][in] lies. */
static int64_t weight_at(const job *j, int64_t k)
{
	const int64_t taps = j->kh * j->kw, i = k % j->in, t = k / j->in % taps, o = k / j->in / taps;
	return j->kind == 'f' ? (t * j->in + i) * j->out + o : (t * j->out + o) * j->in + i;
}

static void widen(const job *j, wide *w)
{
	w->n_x = j->n * j->h * j->w * j->in;
	w->n_f = j->out * j->kh * j->kw * j->in;
	w->n_y = j->n * j->oh * j->ow * j->out;
	w->x = calloc((size_t)(w->n_x + w->n_f + w->n_y), sizeof(double));
	if (!w->x)
		abort();
	w->f = w->x + w->n_x;
	w->y = w->f + w->n_f;
	for (int64_t k = 0; j->kind != 'd' && k < w->n_x; k++)
		w->x[k] = read(j, j->x, k);
	for (int64_t k = 0; j->kind != 'w' && k < w->n_f; k++)
		w->f[weight_at(j, k)] = read(j, j->f, k);
	for (int64_t k = 0; j->kind != 'f' && k < w->n_y; k++)
		w->y[k] = read(j, j->y, k);
}

static void write_result(const job *j, const wide *w)
{
	for (int64_t k = 0; j->kind == 'd' && k < w->n_x; k++)
		write(j, j->x, k, w->x[k]);
	for (int64_t k = 0; j->kind == 'w' && k < w->n_f; k++)
		write(j, j->f, k, w->f[weight_at(j, k)]);
	for (int64_t k = 0; j->kind == 'f' && k < w->n_y; k++) {
		const double v = w->y[k] + bias_at(j, k % j->out);
		write(j, j->y, k, j->relu && v < 0 ? 0 : v);
	}
}

static void add(int64_t n, double a, const double *restrict from, double *restrict to)
{
	for (int64_t i = 0; i < n; i++)
		to[i] += a * from[i];
}

/* What a pixel of x and one of y have with each other in a tap. */
static void add_tap(const job *j, double *x, double *f, double *y)
{
	if (j->kind == 'f')
		for (int64_t i = 0; i < j->in; i++)
			add(j->out, x[i], f + i * j->out, y);
	else
		for (int64_t o = 0; o < j->out; o++)
			if (j->kind == 'd')
				add(j->in, y[o], f + o * j->in, x);
			else
				add(j->in, y[o], x, f + o * j->in);
}

static void convolve(const job *j, const wide *w)
{
	for (int64_t k = 0; k < j->n * j->oh * j->ow; k++)
		for (int64_t t = 0; t < j->kh * j->kw; t++) {
			const int64_t ox = k % j->ow, oy = k / j->ow % j->oh, n = k / j->ow / j->oh;
			const int64_t iy = oy * j->sh - j->ph + t / j->kw, ix = ox * j->sw - j->pw + t % j->kw;
			if (iy >= 0 && iy < j->h && ix >= 0 && ix < j->w)
				add_tap(j, w->x + ((n * j->h + iy) * j->w + ix) * j->in, w->f + t * j->in * j->out, w->y + k * j->out);
		}
}

static void run(const void *ctx)
{
	const job *j = ctx;
	wide w;
	emu_counter()->launches++;
	if (emu_is_hollow())
		return;
	memset(j->workspace, 0xA5, WORKSPACE);
	widen(j, &w);
	convolve(j, &w);
	write_result(j, &w);
	free(w.x);
}

/* ------------------------------------------------------------ from a plan to a job */

typedef struct bindings {
	const attribute *ids, *at;
} bindings;

static size_t bytes_of(const descriptor *tensor)
{
	size_t count = type_of(tensor) == CUDNN_DATA_BFLOAT16 ? sizeof(uint16_t) : sizeof(float);
	for (int k = 0; k < 4; k++)
		count *= (size_t)number(tensor, CUDNN_ATTR_TENSOR_DIMENSIONS, k);
	return count;
}

/* The address that the pack gives a tensor: aligned memory of the device that holds all of it. */
static const void *bound(const bindings *b, const descriptor *tensor)
{
	const int64_t id = number(tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID, 0);
	for (int64_t i = 0; i < b->ids->n; i++) {
		const void *at = ((void *const *)b->at->data)[i];
		if (((const int64_t *)b->ids->data)[i] != id)
			continue;
		if (emu_is_device(at, bytes_of(tensor)) && (uintptr_t)at % 16 == 0)
			return at;
		emu_violate("cudnnBackendExecute: tensor '%c' at %p is not memory of the device, %zu bytes aligned to 16",
		            (char)id, at, bytes_of(tensor));
		return NULL;
	}
	emu_violate("cudnnBackendExecute: the pack has no address for tensor '%c'", (char)id);
	return NULL;
}

typedef struct names {
	cudnnBackendDescriptorType_t type;
	char kind;
	cudnnBackendAttributeName_t x, f, y, conv;
} names;

static const names kinds[] = {
	{ CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, 'f', CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
	  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
	  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC },
	{ CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, 'd', CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
	  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
	  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC },
	{ CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, 'w',
	  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
	  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC },
};

static void take_shapes(job *j, const descriptor *x, const descriptor *f, const descriptor *y, const descriptor *conv)
{
	const cudnnBackendAttributeName_t dims = CUDNN_ATTR_TENSOR_DIMENSIONS;
	j->n = number(x, dims, 0);
	j->in = number(x, dims, 1);
	j->h = number(x, dims, 2);
	j->w = number(x, dims, 3);
	j->out = number(f, dims, 0);
	j->kh = number(f, dims, 2);
	j->kw = number(f, dims, 3);
	j->oh = number(y, dims, 2);
	j->ow = number(y, dims, 3);
	j->sh = number(conv, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 0);
	j->sw = number(conv, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 1);
	j->ph = number(conv, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0);
	j->pw = number(conv, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 1);
}

/* What is point-wise behind a convolution: a bias, then ReLU. Returns the last tensor. */
static const descriptor *take_rest(job *j, const attribute *ops, const descriptor *y, const bindings *b)
{
	for (int64_t k = 1; k < ops->n; k++) {
		const descriptor *op = ((descriptor *const *)ops->data)[k];
		const descriptor *pointwise = part(op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, 0);
		const cudnnPointwiseMode_t mode =
			*(const cudnnPointwiseMode_t *)find(pointwise, CUDNN_ATTR_POINTWISE_MODE)->data;
		if (mode == CUDNN_POINTWISE_ADD)
			j->bias = bound(b, part(op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, 0));
		j->relu = j->relu || mode == CUDNN_POINTWISE_RELU_FWD;
		y = part(op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, 0);
	}
	return y;
}

static bool take_job(job *j, const descriptor *graph, const bindings *b)
{
	const attribute *ops = find(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS);
	const descriptor *conv = ((descriptor *const *)ops->data)[0];
	const names *k = kinds;
	while (k->type != conv->type)
		k++;
	const descriptor *x = part(conv, k->x, 0), *f = part(conv, k->f, 0), *y = part(conv, k->y, 0);
	j->kind = k->kind;
	j->narrow = type_of(x) == CUDNN_DATA_BFLOAT16;
	take_shapes(j, x, f, y, part(conv, k->conv, 0));
	j->x = bound(b, x);
	j->f = bound(b, f);
	j->y = bound(b, take_rest(j, ops, y, b));
	return j->x && j->f && j->y;
}

static cudnnStatus_t execute(cudnnHandle_t h, cudnnBackendDescriptor_t p, cudnnBackendDescriptor_t pack)
{
	const descriptor *plan = p;
	const descriptor *engine =
		part(part(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, 0), CUDNN_ATTR_ENGINECFG_ENGINE, 0);
	const bindings b = { find(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS),
		                 find(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS) };
	const int64_t index = number(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, 0);
	job j = { .workspace = *(void **)find(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE)->data, .tensor_cores = index == 1 };
	if (index == 0)
		emu_violate("cudnnBackendExecute: a plan of an engine that is not deterministic");
	if (!emu_is_device(j.workspace, WORKSPACE)) {
		emu_violate("cudnnBackendExecute: the workspace at %p does not hold %d bytes", j.workspace, WORKSPACE);
		return fail(CUDNN_STATUS_BAD_PARAM, "workspace");
	}
	if (!take_job(&j, part(engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, 0), &b))
		return fail(CUDNN_STATUS_BAD_PARAM, "a tensor's address");
	return emu_enqueue(h->stream, run, &j, sizeof j) ? CUDNN_STATUS_EXECUTION_FAILED : CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t h, cudnnBackendDescriptor_t p, cudnnBackendDescriptor_t pack)
{
	emu_enter();
	const cudnnStatus_t status = execute(h, p, pack);
	emu_leave();
	return status;
}

/* ------------------------------------------------------------ the handle */

size_t cudnnGetVersion(void)
{
	return 90800;
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *out)
{
	*out = calloc(1, sizeof **out);
	return *out ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_ALLOC_FAILED;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t h)
{
	free(h);
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t s)
{
	h->stream = s;
	return CUDNN_STATUS_SUCCESS;
}

void cudnnGetLastErrorString(char *out, size_t n)
{
	snprintf(out, n, "%s", last_error);
}

const char *cudnnGetErrorString(cudnnStatus_t s)
{
	return s == CUDNN_STATUS_SUCCESS ? "success" : "an error of the emulated cuDNN";
}
