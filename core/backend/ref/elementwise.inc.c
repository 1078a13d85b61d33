/* elementwise.inc.c - reference: operations on each element alone. */

/* ADD and MUL: y is as x, or one scalar per sample. From the last sample to the first: should out have taken the place
 * of such scalars, none is overwritten before it is read. */
static bool full_second(const mmi_exec *x)
{
	return x->in_node[1]->shape.rank == x->node->shape.rank;
}

static void add(mmi_exec *x)
{
	const int64_t count = out_count(x);
	const bool full = full_second(x);
	const double a = (double)x->node->attr.a, b = (double)x->node->attr.b;

	for (int64_t s = x->n; s-- > 0;) {
		const real *v = in_sample(x, 0, s), *y = in_sample(x, 1, s);
		const double scalar = (double)y[0];
		real *out = out_sample(x, s);

		for (int64_t i = 0; i < count; i++)
			out[i] = (real)(a * (double)v[i] + b * (full ? (double)y[i] : scalar));
	}
}

static void mul(mmi_exec *x)
{
	const int64_t count = out_count(x);
	const bool full = full_second(x);

	for (int64_t s = x->n; s-- > 0;) {
		const real *v = in_sample(x, 0, s), *y = in_sample(x, 1, s);
		const double scalar = (double)y[0];
		real *out = out_sample(x, s);

		for (int64_t i = 0; i < count; i++)
			out[i] = (real)((double)v[i] * (full ? (double)y[i] : scalar));
	}
}

static double act_value(int32_t act, double alpha, double v)
{
	switch (act) {
	case MM_ACT_RELU:
		return v < 0 ? 0 : v; /* NaN stays NaN */
	case MM_ACT_LEAKY_RELU:
		return v > 0 ? v : alpha * v;
	case MM_ACT_TANH:
		return tanh(v);
	case MM_ACT_SIGMOID:
		return v >= 0 ? 1 / (1 + exp(-v)) : exp(v) / (1 + exp(v));
	case MM_ACT_SOFTPLUS:
		return fmax(v, 0) + log1p(exp(-fabs(v)));
	case MM_ACT_EXP:
		return exp(v);
	default:
		return v;
	}
}

/* The activation's derivative in terms of its output y. */
static double act_slope(int32_t act, double alpha, double y)
{
	switch (act) {
	case MM_ACT_RELU:
		return y > 0;
	case MM_ACT_LEAKY_RELU:
		return y > 0 ? 1 : alpha;
	case MM_ACT_TANH:
		return 1 - y * y;
	case MM_ACT_SIGMOID:
		return y * (1 - y);
	case MM_ACT_SOFTPLUS:
		return -expm1(-y);
	case MM_ACT_EXP:
		return y;
	default:
		return 1;
	}
}

/* One element of the unary operation of this node; v is the (first) input, y the second of a gradient. */
static double affine_of(const mmi_attr *a, double v)
{
	return (double)a->a * v + (double)a->b;
}

static double act_of(const mmi_attr *a, double v)
{
	return act_value(a->act, (double)a->a, v);
}

static double clamp_of(const mmi_attr *a, double v)
{
	return v < (double)a->a ? (double)a->a : v > (double)a->b ? (double)a->b : v;
}

static double log_of(const mmi_attr *a, double v)
{
	(void)a;
	return log(v);
}

static double act_bwd_of(const mmi_attr *a, double dy, double y)
{
	return dy * act_slope(a->act, (double)a->a, y);
}

static double clamp_bwd_of(const mmi_attr *a, double dy, double v)
{
	return v >= (double)a->a && v <= (double)a->b ? dy : 0;
}

static double log_bwd_of(const mmi_attr *a, double dy, double v)
{
	(void)a;
	return dy / v;
}

static void map1(mmi_exec *x, double (*f)(const mmi_attr *, double))
{
	const int64_t count = out_count(x);

	for (int64_t s = 0; s < x->n; s++) {
		const real *v = in_sample(x, 0, s);
		real *out = out_sample(x, s);

		for (int64_t i = 0; i < count; i++)
			out[i] = (real)f(&x->node->attr, (double)v[i]);
	}
}

static void map2(mmi_exec *x, double (*f)(const mmi_attr *, double, double))
{
	const int64_t count = out_count(x);

	for (int64_t s = 0; s < x->n; s++) {
		const real *v = in_sample(x, 0, s), *y = in_sample(x, 1, s);
		real *out = out_sample(x, s);

		for (int64_t i = 0; i < count; i++)
			out[i] = (real)f(&x->node->attr, (double)v[i], (double)y[i]);
	}
}

static void affine(mmi_exec *x)
{
	map1(x, affine_of);
}
static void activation(mmi_exec *x)
{
	map1(x, act_of);
}
static void clamp(mmi_exec *x)
{
	map1(x, clamp_of);
}
static void logarithm(mmi_exec *x)
{
	map1(x, log_of);
}
static void activation_bwd(mmi_exec *x)
{
	map2(x, act_bwd_of);
}
static void clamp_bwd(mmi_exec *x)
{
	map2(x, clamp_bwd_of);
}
static void logarithm_bwd(mmi_exec *x)
{
	map2(x, log_bwd_of);
}
