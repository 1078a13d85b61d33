/* elementwise_shape.inc.c - CPU: sums along an axis and operations that only move elements. */

/* A shape seen as [outer, count, inner] around one axis. */
typedef struct axis_view {
	int64_t outer, count, inner;
} axis_view;

static axis_view view_axis(const mm_shape *s, int32_t axis)
{
	axis_view v = { 1, s->dim[axis], 1 };

	for (int32_t i = 0; i < (int32_t)s->rank; i++) {
		if (i < axis)
			v.outer *= s->dim[i];
		else if (i > axis)
			v.inner *= s->dim[i];
	}
	return v;
}

/* Rows of a map from an element on, so many elements apart. */
typedef struct map_rows {
	void *at;
	bool narrow;
	int64_t stride;
} map_rows;

static map_rows rows_to(void *map, bool narrow, int64_t first, int64_t stride)
{
	return (map_rows){ mmi_map_to(map, narrow, first), narrow, stride };
}

static map_rows rows_from(const mmi_exec *x, uint32_t k, int64_t first, int64_t stride)
{
	return rows_to((void *)(uintptr_t)x->in[k], x->narrow_in[k], first, stride);
}

static void copy_floats(float *to, int64_t to_stride, const float *from, int64_t from_stride, int64_t rows,
                        int64_t width)
{
	for (int64_t r = 0; r < rows; r++)
		for (int64_t i = 0; i < width; i++)
			to[r * to_stride + i] = from[r * from_stride + i];
}

static void copy_row(const mmi_exec *x, map_rows to, map_rows from, int64_t r, int64_t width)
{
	void *out = mmi_map_to(to.at, to.narrow, r * to.stride);
	const void *in = mmi_map_at(from.at, from.narrow, r * from.stride);
	if (to.narrow == from.narrow)
		memcpy(out, in, (size_t)width * (to.narrow ? sizeof(uint16_t) : sizeof(float)));
	else if (to.narrow)
		mmi_bf16_of(x)->round(in, out, (size_t)width);
	else
		mmi_bf16_of(x)->widen(in, out, (size_t)width);
}

/* Copies rows of `width` elements between maps of different row length. */
static void copy_rows(const mmi_exec *x, map_rows to, map_rows from, int64_t rows, int64_t width)
{
	if (width < 16 && !to.narrow && !from.narrow)
		copy_floats(to.at, to.stride, from.at, from.stride, rows, width);
	else
		for (int64_t r = 0; r < rows; r++)
			copy_row(x, to, from, r, width);
}

static void clear_rows(map_rows to, int64_t rows, int64_t width)
{
	const size_t size = to.narrow ? sizeof(uint16_t) : sizeof(float);

	for (int64_t r = 0; r < rows; r++)
		memset(mmi_map_to(to.at, to.narrow, r * to.stride), 0, (size_t)width * size);
}

static void fill(float *out, int64_t n, float value)
{
	MMI_SIMD
	for (int64_t i = 0; i < n; i++)
		out[i] = value;
}

static void concat(mmi_exec *x)
{
	const axis_view whole = view_axis(&x->node->shape, x->node->attr.axis);
	const int64_t stride = whole.count * whole.inner;
	int64_t first = 0;

	for (uint32_t k = 0; k < x->n_in; k++) {
		const int64_t width = x->in_node[k]->shape.dim[x->node->attr.axis] * whole.inner;

		copy_rows(x, rows_to(x->out, x->narrow_out, first, stride), rows_from(x, k, 0, width), x->n * whole.outer,
		          width);
		first += width;
	}
}

static void slice(mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	const axis_view whole = view_axis(&x->in_node[0]->shape, a->axis);
	const int64_t width = a->count * whole.inner;

	copy_rows(x, rows_to(x->out, x->narrow_out, 0, width),
	          rows_from(x, 0, a->begin * whole.inner, whole.count * whole.inner), x->n * whole.outer, width);
}

static void slice_bwd(mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	const axis_view whole = view_axis(&x->node->shape, a->axis);
	const int64_t rows = x->n * whole.outer, stride = whole.count * whole.inner, before = a->begin * whole.inner;
	const int64_t width = x->in_node[0]->shape.dim[a->axis] * whole.inner, behind = before + width;

	copy_rows(x, rows_to(x->out, x->narrow_out, before, stride), rows_from(x, 0, 0, width), rows, width);
	clear_rows(rows_to(x->out, x->narrow_out, 0, stride), rows, before);
	clear_rows(rows_to(x->out, x->narrow_out, behind, stride), rows, stride - behind);
}

/* out[0..inner) = a times the sum over `count` rows, inner floats apart. */
static void sum_rows(float *out, const float *in, int64_t count, int64_t inner, float a)
{
	enum { COLUMNS = 64 };

	for (int64_t first = 0; first < inner; first += COLUMNS) {
		const int64_t n = inner - first < COLUMNS ? inner - first : COLUMNS;
		double sums[COLUMNS] = { 0 };

		for (int64_t k = 0; k < count; k++) {
			const float *row = in + k * inner + first;

			MMI_SIMD
			for (int64_t i = 0; i < n; i++)
				sums[i] += (double)row[i];
		}
		for (int64_t i = 0; i < n; i++)
			out[first + i] = (float)((double)a * sums[i]);
	}
}

static void sum_axis(mmi_exec *x)
{
	const axis_view v = view_axis(&x->in_node[0]->shape, x->node->attr.axis);
	const float a = x->node->attr.a, *in = x->in[0];
	float *out = x->out;

	for (int64_t o = 0; o < x->n * v.outer; o++) {
		if (v.inner == 1)
			out[o] = (float)((double)a * row_sum(in + o * v.count, v.count));
		else
			sum_rows(out + o * v.inner, in + o * v.count * v.inner, v.count, v.inner, a);
	}
}

static void sum_axis_bwd(mmi_exec *x)
{
	const axis_view v = view_axis(&x->node->shape, x->node->attr.axis);
	const float a = x->node->attr.a, *dy = x->in[0];
	float *out = x->out;

	for (int64_t o = 0; o < x->n * v.outer; o++) {
		if (v.inner == 1) {
			fill(out + o * v.count, v.count, a * dy[o]);
			continue;
		}
		for (int64_t k = 0; k < v.count; k++)
			affine_block(out + (o * v.count + k) * v.inner, dy + o * v.inner, v.inner, a, 0.f);
	}
}

static void sum_all(mmi_exec *x)
{
	const int64_t count = in_count(x, 0);

	for (int64_t s = 0; s < x->n; s++)
		((float *)x->out)[s] = (float)((double)x->node->attr.a * row_sum((const float *)x->in[0] + s * count, count));
}

static void sum_all_bwd(mmi_exec *x)
{
	const int64_t count = out_count(x);

	for (int64_t s = 0; s < x->n; s++)
		fill((float *)x->out + s * count, count, x->node->attr.a * ((const float *)x->in[0])[s]);
}
