/* order.c - see order.h. An element's place is a sum of what each of its four indices adds, so those of the output
 * channels are worked out once for all elements of the kernel. */
#include "mmi_build.h"

#include "backend/onednn/order.h"

#include "backend/cpu/bf16.h"

enum { CO, CI, KH, KW, SOME = 256 /* output channels at a time */ };

/* What index i of a dimension adds to an element's place. */
static int64_t place(const mmi_dnnl_blocks *b, int64_t dim, int64_t i)
{
	int64_t at = 0, step = 1;
	for (int64_t k = b->n - 1; k >= 0; k--) {
		if (b->dim[k] == dim) {
			at += i % b->size[k] * step;
			i /= b->size[k];
		}
		step *= b->size[k];
	}
	return at + i * b->stride[dim];
}

/* Neighbours in our order, from index `ours` on; in oneDNN's, each at its own place behind `theirs`. */
typedef struct row {
	int64_t ours, theirs, n;
	const int64_t *places;
} row;
typedef void row_fn(const row *r, const float *from, void *to);

static void each_row(const mmi_dnnl_order *o, row_fn *f, const float *from, void *to)
{
	const mmi_dnnl_blocks *b = &o->blocks;
	int64_t places[SOME];
	row r = { .places = places };
	for (int64_t first = 0; first < o->co; first += SOME) {
		r.n = o->co - first < SOME ? o->co - first : SOME;
		for (int64_t j = 0; j < r.n; j++)
			places[j] = place(b, CO, first + j);
		for (int64_t k = 0; k < o->kh * o->kw; k++)
			for (int64_t i = 0; i < o->ci; i++) {
				r.ours = (k * o->ci + i) * o->co + first;
				r.theirs = place(b, KH, k / o->kw) + place(b, KW, k % o->kw) + place(b, CI, i);
				f(&r, from, to);
			}
	}
}

static void pack_row(const row *r, const float *from, void *to)
{
	uint16_t *packed = to;
	for (int64_t j = 0; j < r->n; j++)
		packed[r->theirs + r->places[j]] = mmi_to_bf16(from[r->ours + j]);
}

static void add_row(const row *r, const float *from, void *to)
{
	float *sums = to;
	for (int64_t j = 0; j < r->n; j++)
		sums[r->ours + j] += from[r->theirs + r->places[j]];
}

void mmi_dnnl_pack(const float *weights, void *data, const void *order)
{
	each_row(order, pack_row, weights, data);
}

void mmi_dnnl_add(const mmi_dnnl_order *order, const float *data, float *weights)
{
	each_row(order, add_row, data, weights);
}
