/* map.cu - operations on elements, as small programs: what is joined is computed in one pass over memory.
 *
 * A thread has a group of elements in a row in registers and takes them through all steps. Where a group's elements lie
 * in a row in an array as well they are read and written 16 bytes at a time. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"
#include <mmcore/host.h>

enum { GROUP = MMI_MAP_GROUP };

#define EACH MMI_UNROLL for (int e = 0; e < GROUP; e++)

/* The activations with an exponential; step_group has the others. */
static __device__ float map_act(int32_t act, float v)
{
	switch (act) {
	case MM_ACT_TANH:
		return tanhf(v);
	case MM_ACT_SIGMOID: {
		const float e = expf(-fabsf(v));
		return (v < 0.f ? e : 1.f) / (1.f + e);
	}
	case MM_ACT_SOFTPLUS:
		return (v < 0.f ? 0.f : v) + log1pf(expf(-fabsf(v)));
	case MM_ACT_EXP:
		return expf(v);
	default:
		return v;
	}
}

/* The activation's derivative in terms of its output y. */
static __device__ float map_slope(int32_t act, float y)
{
	switch (act) {
	case MM_ACT_TANH:
		return 1.f - y * y;
	case MM_ACT_SIGMOID:
		return y * (1.f - y);
	case MM_ACT_SOFTPLUS:
		return -expm1f(-y);
	case MM_ACT_EXP:
		return y;
	default:
		return 1.f;
	}
}

/* ------------------------------------------------------------ groups in registers: indices are constants */

static __device__ float get(const float v[GROUP], int at)
{
	float found = 0.f;
	EACH found = e == at ? v[e] : found;
	return found;
}

static __device__ void set(float v[GROUP], int at, float x)
{
	EACH v[e] = e == at ? x : v[e];
}

/* ------------------------------------------------------------ where elements lie */

typedef struct map_group {
	int64_t first;
	int32_t count; /* GROUP, but for the last one */
} map_group;

static __device__ int64_t quotient(const mmi_map_args *a, int64_t x, int64_t by)
{
	return a->small ? (int64_t)((uint32_t)x / (uint32_t)by) : x / by;
}

/* The element's cell, counted through all samples' rows: n h + y, then x. */
typedef struct map_cell {
	int64_t row, x, c;
} map_cell;

static __device__ map_cell cell_of(const mmi_map_args *a, const mmi_map_place *p, int64_t i)
{
	const int64_t cell = quotient(a, i, p->c), row = quotient(a, cell, p->w);
	map_cell at;
	at.c = i - cell * p->c;
	at.x = cell - row * p->w;
	at.row = row;
	return at;
}

/* h and w are multiples of the factor where the other map is the smaller one, so rows can be counted through. */
static __device__ int64_t locate(const mmi_map_args *a, const mmi_map_place *p, int64_t i)
{
	if (p->how == MMI_MAP_OWN)
		return i;
	if (p->how == MMI_MAP_AT) {
		const int64_t q = p->divide < a->n ? quotient(a, i, p->divide) : 0;
		return q * p->inner + (p->inner > 1 ? i - quotient(a, i, p->inner) * p->inner : 0);
	}
	const map_cell at = cell_of(a, p, i);
	if (p->how == MMI_MAP_SMALLER)
		return (quotient(a, at.row, p->factor) * (p->w / p->factor) + quotient(a, at.x, p->factor)) * p->c + at.c;
	return (at.row * p->factor * p->w + at.x) * p->factor * p->c + at.c;
}

/* ------------------------------------------------------------ reading */

static __device__ void read_row(const void *x, int32_t narrow, int64_t at, float v[GROUP])
{
	const char *first = (const char *)x + at * (narrow ? 2 : 4);
	if ((uintptr_t)first % sizeof(quad) != 0) {
		EACH v[e] = load_element(x, (uint32_t)narrow, at + e);
		return;
	}
	const quad q = load_quad(first);
	if (!narrow) {
		const quad r = load_quad(first + sizeof(quad));
		MMI_UNROLL for (int k = 0; k < 4; k++)
		{
			v[k] = of_bits(q.word[k]);
			v[4 + k] = of_bits(r.word[k]);
		}
		return;
	}
	MMI_UNROLL for (int k = 0; k < 4; k++)
	{
		v[2 * k] = of_bits(q.word[k] << 16);
		v[2 * k + 1] = of_bits(q.word[k] & 0xFFFF0000u);
	}
}

/* The sum of an element's cells in a larger map. */
static __device__ double sum_cells(const mmi_map_place *p, const void *x, int64_t at)
{
	double sum = 0;
	for (int32_t y = 0; y < p->factor; y++)
		for (int32_t k = 0; k < p->factor; k++)
			sum += (double)load_element(x, (uint32_t)p->narrow, at + ((int64_t)y * p->w * p->factor + k) * p->c);
	return sum;
}

static __device__ void sum_rows(const mmi_map_place *p, const void *x, int64_t at, float v[GROUP])
{
	double sum[GROUP];
	EACH sum[e] = 0;
	for (int32_t y = 0; y < p->factor; y++)
		for (int32_t k = 0; k < p->factor; k++) {
			read_row(x, p->narrow, at + ((int64_t)y * p->w * p->factor + k) * p->c, v);
			EACH sum[e] += (double)v[e];
		}
	EACH v[e] = (float)(sum[e] / p->divisor);
}

static __device__ float read_one(const mmi_map_args *a, const mmi_map_place *p, const void *x, int64_t i)
{
	const int64_t at = locate(a, p, i);
	if (p->how == MMI_MAP_LARGER)
		return (float)(sum_cells(p, x, at) / p->divisor);
	const float v = load_element(x, (uint32_t)p->narrow, at);
	return p->how == MMI_MAP_SMALLER ? (float)((double)v / p->divisor) : v;
}

static __device__ void read_signs(const void *x, const map_group *g, float v[GROUP])
{
	const uint32_t bits = ((const uint8_t *)x)[g->first / GROUP];
	EACH v[e] = bits >> e & 1u ? 1.f : -1.f;
}

static __device__ void read_group(const mmi_map_args *a, int32_t k, const map_group *g, float v[GROUP])
{
	const mmi_map_place *p = &a->from[k];
	const void *x = a->in[k];
	if (p->how == MMI_MAP_SIGNS) {
		read_signs(x, g, v);
	} else if (g->count < GROUP || p->run == MMI_MAP_EACH) {
		for (int i = 0; i < g->count; i++)
			set(v, i, read_one(a, p, x, g->first + i));
	} else if (p->run == MMI_MAP_SAME) {
		const float same = read_one(a, p, x, g->first);
		EACH v[e] = same;
	} else if (p->how == MMI_MAP_LARGER) {
		sum_rows(p, x, locate(a, p, g->first), v);
	} else {
		read_row(x, p->narrow, locate(a, p, g->first), v);
		if (p->how == MMI_MAP_SMALLER)
			EACH v[e] = (float)((double)v[e] / p->divisor);
	}
}

/* ------------------------------------------------------------ writing */

static __device__ void write_row(void *x, int32_t narrow, int64_t at, const float v[GROUP])
{
	char *first = (char *)x + at * (narrow ? 2 : 4);
	quad q;
	if ((uintptr_t)first % sizeof(quad) != 0) {
		EACH store_element(x, (uint32_t)narrow, at + e, v[e]);
	} else if (narrow) {
		MMI_UNROLL for (int k = 0; k < 4; k++) q.word[k] = to_bf16(v[2 * k]) | (uint32_t)to_bf16(v[2 * k + 1]) << 16;
		store_quad(first, q);
	} else {
		MMI_UNROLL for (int k = 0; k < 4; k++) q.word[k] = bits_of(v[k]);
		store_quad(first, q);
		MMI_UNROLL for (int k = 0; k < 4; k++) q.word[k] = bits_of(v[4 + k]);
		store_quad(first + sizeof(quad), q);
	}
}

static __device__ void write_one(const mmi_map_args *a, const mmi_map_place *p, void *x, int64_t i, float v)
{
	const int64_t at = locate(a, p, i);
	if (p->how == MMI_MAP_OWN) {
		store_element(x, (uint32_t)p->narrow, at, v);
		return;
	}
	for (int32_t y = 0; y < p->factor; y++)
		for (int32_t k = 0; k < p->factor; k++)
			store_element(x, (uint32_t)p->narrow, at + ((int64_t)y * p->w * p->factor + k) * p->c, v);
}

static __device__ void write_signs(void *x, const map_group *g, const float v[GROUP])
{
	uint32_t bits = 0;
	EACH bits |= (uint32_t)(e < g->count && v[e] > 0.f) << e;
	((uint8_t *)x)[g->first / GROUP] = (uint8_t)bits;
}

static __device__ void write_group(const mmi_map_args *a, int32_t k, const map_group *g, const float v[GROUP])
{
	const mmi_map_place *p = &a->to[k];
	if (p->how == MMI_MAP_SIGNS) {
		write_signs(a->out[k], g, v);
	} else if (g->count < GROUP || p->run == MMI_MAP_EACH) {
		for (int i = 0; i < g->count; i++)
			write_one(a, p, a->out[k], g->first + i, get(v, i));
	} else if (p->how == MMI_MAP_OWN) {
		write_row(a->out[k], p->narrow, g->first, v);
	} else {
		const int64_t at = locate(a, p, g->first);
		for (int32_t y = 0; y < p->factor; y++)
			for (int32_t i = 0; i < p->factor; i++)
				write_row(a->out[k], p->narrow, at + ((int64_t)y * p->w * p->factor + i) * p->c, v);
	}
}

/* ------------------------------------------------------------ steps */

/* Steps that take long have their elements one after the other. */
static __device__ float slow_step(const mmi_map_step *s, float v, float x)
{
	switch (s->code) {
	case MMI_MAP_LOG:
		return logf(v);
	case MMI_MAP_EXP:
		return expf(v);
	case MMI_MAP_PART:
		return (float)((double)v / (double)s->a);
	case MMI_MAP_DIV:
		return v / x;
	case MMI_MAP_ACT:
		return map_act(s->act, v);
	default:
		return v * map_slope(s->act, x);
	}
}

static __device__ void step_slowly(const mmi_map_step *s, float v[GROUP], const float x[GROUP])
{
	for (int i = 0; i < GROUP; i++)
		set(v, i, slow_step(s, get(v, i), get(x, i)));
}

static __device__ int is_slope(const mmi_map_step *s)
{
	return s->act == MM_ACT_RELU || s->act == MM_ACT_LEAKY_RELU;
}

static __device__ void step_group(const mmi_map_step *s, float v[GROUP], const float x[GROUP])
{
	switch (s->code) {
	case MMI_MAP_LOAD:
		EACH v[e] = x[e];
		return;
	case MMI_MAP_ADD:
		EACH v[e] = s->a * v[e] + s->b * x[e];
		return;
	case MMI_MAP_MUL:
		EACH v[e] = v[e] * x[e];
		return;
	case MMI_MAP_AFFINE:
		EACH v[e] = s->a * v[e] + s->b;
		return;
	case MMI_MAP_SQUARE:
		EACH v[e] = v[e] * v[e];
		return;
	case MMI_MAP_ABS:
		EACH v[e] = fabsf(v[e]);
		return;
	case MMI_MAP_SIGN:
		EACH v[e] = (float)((v[e] > 0.f) - (v[e] < 0.f));
		return;
	case MMI_MAP_CLAMP:
		EACH v[e] = v[e] < s->a ? s->a : v[e] > s->b ? s->b : v[e];
		return;
	case MMI_MAP_WITHIN:
		EACH v[e] = x[e] >= s->a && x[e] <= s->b ? v[e] : 0.f;
		return;
	default:
		break;
	}
	if (s->code == MMI_MAP_ACT && s->act == MM_ACT_RELU)
		EACH v[e] = v[e] < 0.f ? 0.f : v[e]; /* NaN stays NaN */
	else if (s->code == MMI_MAP_ACT && s->act == MM_ACT_LEAKY_RELU)
		EACH v[e] = v[e] > 0.f ? v[e] : s->a * v[e];
	else if (s->code == MMI_MAP_SLOPE && is_slope(s))
		EACH v[e] = v[e] * (x[e] > 0.f ? 1.f : s->act == MM_ACT_RELU ? 0.f : s->a);
	else
		step_slowly(s, v, x);
}

static __global__ void map(const mmi_map_args a)
{
	for (int64_t i = global_thread(); i * GROUP < a.n; i += global_threads()) {
		map_group g;
		float v[GROUP], x[GROUP];
		g.first = i * GROUP;
		g.count = a.n - g.first < GROUP ? (int32_t)(a.n - g.first) : GROUP;
		EACH v[e] = x[e] = 0.f;
		for (int32_t s = 0; s < a.n_steps; s++) {
			const mmi_map_step *step = &a.step[s];
			if (step->code == MMI_MAP_STORE) {
				write_group(&a, step->operand, &g, v);
				continue;
			}
			if (step->operand >= 0)
				read_group(&a, step->operand, &g, x);
			step_group(step, v, x);
		}
	}
}
MMI_KERNEL(map, mmi_map_args, MMI_MAP_INPUTS + MMI_MAP_OUTPUTS);

#undef EACH
