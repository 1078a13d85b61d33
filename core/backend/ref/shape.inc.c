/* shape.inc.c - reference: operations along an axis, and those that only move elements. */

static double row_max(const real *v, int64_t n)
{
	double max = (double)v[0];

	for (int64_t i = 1; i < n; i++)
		max = fmax(max, (double)v[i]);
	return max;
}

static double row_log_sum_exp(const real *v, int64_t n)
{
	const double max = row_max(v, n);
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += exp((double)v[i] - max);
	return max + log(sum);
}

static void softmax(mmi_exec *x)
{
	const int64_t width = last_axis(&x->node->shape), rows = x->n * out_count(x) / width;

	for (int64_t r = 0; r < rows; r++) {
		const real *v = (const real *)x->in[0] + r * width;
		const double lse = row_log_sum_exp(v, width);

		for (int64_t i = 0; i < width; i++)
			((real *)x->out)[r * width + i] = (real)exp((double)v[i] - lse);
	}
}

static void softmax_bwd(mmi_exec *x)
{
	const int64_t width = last_axis(&x->node->shape), rows = x->n * out_count(x) / width;

	for (int64_t r = 0; r < rows; r++) {
		const real *dy = (const real *)x->in[0] + r * width, *y = (const real *)x->in[1] + r * width;
		double dot = 0;

		for (int64_t i = 0; i < width; i++)
			dot += (double)dy[i] * (double)y[i];
		for (int64_t i = 0; i < width; i++)
			((real *)x->out)[r * width + i] = (real)((double)y[i] * ((double)dy[i] - dot));
	}
}

static void log_sum_exp(mmi_exec *x)
{
	const int64_t width = last_axis(&x->in_node[0]->shape), rows = x->n * out_count(x);

	for (int64_t r = 0; r < rows; r++)
		((real *)x->out)[r] = (real)row_log_sum_exp((const real *)x->in[0] + r * width, width);
}

static void log_sum_exp_bwd(mmi_exec *x)
{
	const int64_t width = last_axis(&x->node->shape), rows = x->n * out_count(x) / width;
	const real *dy = x->in[0], *v = x->in[1], *y = x->in[2];

	for (int64_t r = 0; r < rows; r++)
		for (int64_t i = r * width; i < (r + 1) * width; i++)
			((real *)x->out)[i] = (real)((double)dy[r] * exp((double)v[i] - (double)y[r]));
}

static void concat(mmi_exec *x)
{
	const int32_t axis = x->node->attr.axis;
	const axis_view whole = view_axis(&x->node->shape, axis);
	int64_t begin = 0;

	for (uint32_t k = 0; k < x->n_in; k++) {
		const axis_view part = view_axis(&x->in_node[k]->shape, axis);
		const int64_t run = part.count * part.inner;

		for (int64_t s = 0; s < x->n; s++)
			for (int64_t o = 0; o < part.outer; o++)
				memcpy(out_sample(x, s) + (o * whole.count + begin) * whole.inner, in_sample(x, k, s) + o * run,
				       (size_t)run * sizeof(real));
		begin += part.count;
	}
}

static void slice(mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	const axis_view whole = view_axis(&x->in_node[0]->shape, a->axis);
	const int64_t run = a->count * whole.inner;

	for (int64_t s = 0; s < x->n; s++)
		for (int64_t o = 0; o < whole.outer; o++)
			memcpy(out_sample(x, s) + o * run, in_sample(x, 0, s) + (o * whole.count + a->begin) * whole.inner,
			       (size_t)run * sizeof(real));
}

static void slice_bwd(mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	const axis_view whole = view_axis(&x->node->shape, a->axis);
	const int64_t run = view_axis(&x->in_node[0]->shape, a->axis).count * whole.inner;

	for (int64_t s = 0; s < x->n; s++) {
		memset(out_sample(x, s), 0, (size_t)out_count(x) * sizeof(real));
		for (int64_t o = 0; o < whole.outer; o++)
			memcpy(out_sample(x, s) + (o * whole.count + a->begin) * whole.inner, in_sample(x, 0, s) + o * run,
			       (size_t)run * sizeof(real));
	}
}

static void reshape(mmi_exec *x)
{
	for (int64_t s = 0; s < x->n; s++)
		memmove(out_sample(x, s), in_sample(x, 0, s), (size_t)out_count(x) * sizeof(real));
}

static void sum_axis(mmi_exec *x)
{
	const axis_view v = view_axis(&x->in_node[0]->shape, x->node->attr.axis);

	for (int64_t s = 0; s < x->n; s++) {
		const real *in = in_sample(x, 0, s);
		real *out = out_sample(x, s);

		for (int64_t i = 0; i < v.outer * v.inner; i++) {
			const real *first = in + i / v.inner * v.count * v.inner + i % v.inner;
			double sum = 0;

			for (int64_t k = 0; k < v.count; k++)
				sum += (double)first[k * v.inner];
			out[i] = (real)((double)x->node->attr.a * sum);
		}
	}
}

static void sum_axis_bwd(mmi_exec *x)
{
	const axis_view v = view_axis(&x->node->shape, x->node->attr.axis);

	for (int64_t s = 0; s < x->n; s++) {
		const real *dy = in_sample(x, 0, s);
		real *dx = out_sample(x, s);

		for (int64_t o = 0; o < v.outer; o++)
			for (int64_t k = 0; k < v.count; k++)
				for (int64_t i = 0; i < v.inner; i++)
					*dx++ = (real)((double)x->node->attr.a * (double)dy[o * v.inner + i]);
	}
}

static void sum_all(mmi_exec *x)
{
	const int64_t count = in_count(x, 0);

	for (int64_t s = 0; s < x->n; s++) {
		const real *in = in_sample(x, 0, s);
		double sum = 0;

		for (int64_t i = 0; i < count; i++)
			sum += (double)in[i];
		*out_sample(x, s) = (real)((double)x->node->attr.a * sum);
	}
}

static void sum_all_bwd(mmi_exec *x)
{
	const int64_t count = out_count(x);

	for (int64_t s = 0; s < x->n; s++) {
		const double each = (double)x->node->attr.a * (double)*in_sample(x, 0, s);
		real *dx = out_sample(x, s);

		for (int64_t i = 0; i < count; i++)
			dx[i] = (real)each;
	}
}
