/* elementwise_loss.inc.c - CPU: losses and log densities. Terms are floats (differences: exact in double), sums
 * doubles. */

static const double half_log_two_pi = 0.91893853320467274178;

/* The sum over n elements of a term in a[i], b[i] and, for densities, c[i]. */
#define SUM_OF(name, term)                                                           \
	static double name(const float *as, const float *bs, const float *cs, int64_t n) \
	{                                                                                \
		double sum = 0;                                                              \
		(void)cs;                                                                    \
		MMI_SIMD_SUM(sum)                                                            \
		for (int64_t i = 0; i < n; i++) {                                            \
			const float a = as[i], b = bs[i];                                        \
			sum += (term);                                                           \
		}                                                                            \
		return sum;                                                                  \
	}

SUM_OF(squared_sum, ((double)a - (double)b) * ((double)a - (double)b))
SUM_OF(absolute_sum, fabs((double)a - (double)b))
SUM_OF(bernoulli_sum, (double)(vm_softplus(b) - a * b))
SUM_OF(normal_sum, (double)(-0.5f * ((a - b) / cs[i]) * ((a - b) / cs[i]) - vm_log(cs[i])))
SUM_OF(laplace_sum, (double)(-fabsf(a - b) / cs[i] - vm_log(cs[i])))

/* out = scale * sum + shift for every sample. */
static void reduce(mmi_exec *x, double (*sum)(const float *, const float *, const float *, int64_t), double scale,
                   double shift)
{
	const int64_t count = in_count(x, 0);
	const float *a = x->in[0], *b = x->in[1], *c = x->n_in > 2 ? x->in[2] : NULL;

	for (int64_t s = 0; s < x->n; s++)
		((float *)x->out)[s] =
			(float)(scale * sum(a + s * count, b + s * count, c ? c + s * count : NULL, count) + shift);
}

static void nll_gaussian(mmi_exec *x)
{
	const double sigma = (double)x->node->attr.a;

	reduce(x, squared_sum, 1 / (2 * sigma * sigma), (double)in_count(x, 0) * (log(sigma) + half_log_two_pi));
}

static void nll_laplace(mmi_exec *x)
{
	const double b = (double)x->node->attr.a;

	reduce(x, absolute_sum, 1 / b, (double)in_count(x, 0) * log(2 * b));
}

static void nll_bernoulli(mmi_exec *x)
{
	reduce(x, bernoulli_sum, 1, 0);
}

static void logpdf_normal(mmi_exec *x)
{
	reduce(x, normal_sum, 1, -(double)in_count(x, 0) * half_log_two_pi);
}

static void logpdf_laplace(mmi_exec *x)
{
	reduce(x, laplace_sum, 1, -(double)in_count(x, 0) * log(2.0));
}

/* out[i] = scale times a slope in a[i], b[i], c[i]; out may be any of them. */
#define SLOPE_OF(name, value)                                                                               \
	static void name(float *out, const float *as, const float *bs, const float *cs, int64_t n, float scale) \
	{                                                                                                       \
		(void)cs;                                                                                           \
		MMI_SIMD                                                                                            \
		for (int64_t i = 0; i < n; i++) {                                                                   \
			const float a = as[i], b = bs[i];                                                               \
			out[i] = scale * (value);                                                                       \
		}                                                                                                   \
	}

typedef void (*slope_fn)(float *, const float *, const float *, const float *, int64_t, float);

SLOPE_OF(difference_slope, a - b)
SLOPE_OF(sign_slope, (a > b ? 1.f : 0.f) - (a < b ? 1.f : 0.f))
SLOPE_OF(bernoulli_slope, vm_sigmoid(b) - a)
SLOPE_OF(normal_slope, (a - b) / (cs[i] * cs[i]))
SLOPE_OF(normal_scale_slope, ((a - b) / cs[i] * ((a - b) / cs[i]) - 1.f) / cs[i])
SLOPE_OF(laplace_slope, ((a > b ? 1.f : 0.f) - (a < b ? 1.f : 0.f)) / cs[i])
SLOPE_OF(laplace_scale_slope, (fabsf(a - b) / cs[i] - 1.f) / cs[i])

/* Inputs dS and two or three operands; the result is scale * dS * slope. From the last sample to the first, so that out
 * may even take the place of dS: none is overwritten before it is read. */
static void spread(mmi_exec *x, slope_fn slope, float scale)
{
	const int64_t count = out_count(x);
	const float *ds = x->in[0], *a = x->in[1], *b = x->in[2], *c = x->n_in > 3 ? x->in[3] : NULL;

	for (int64_t s = x->n; s-- > 0;)
		slope((float *)x->out + s * count, a + s * count, b + s * count, c ? c + s * count : NULL, count,
		      scale * ds[s]);
}

static void nll_gaussian_bwd(mmi_exec *x)
{
	spread(x, difference_slope, -1.f / (x->node->attr.a * x->node->attr.a));
}

static void nll_laplace_bwd(mmi_exec *x)
{
	spread(x, sign_slope, -1.f / x->node->attr.a);
}

static void nll_bernoulli_bwd(mmi_exec *x)
{
	spread(x, bernoulli_slope, 1.f);
}

/* attr.flag: 0 to z, 1 to loc, 2 to the scale. */
static void density_bwd(mmi_exec *x, slope_fn to_loc, slope_fn to_scale)
{
	const int32_t which = x->node->attr.flag;

	spread(x, which == 2 ? to_scale : to_loc, which == 0 ? -1.f : 1.f);
}

static void logpdf_normal_bwd(mmi_exec *x)
{
	density_bwd(x, normal_slope, normal_scale_slope);
}

static void logpdf_laplace_bwd(mmi_exec *x)
{
	density_bwd(x, laplace_slope, laplace_scale_slope);
}

static void nll_categorical(mmi_exec *x)
{
	const int64_t count = in_count(x, 1), width = last_axis(&x->in_node[1]->shape);

	for (int64_t s = 0; s < x->n; s++) {
		const float *v = (const float *)x->in[0] + s * count, *logits = (const float *)x->in[1] + s * count;
		double loss = 0;

		for (int64_t at = 0; at < count; at += width)
			loss += row_sum(v + at, width) * (double)row_log_sum_exp(logits + at, width) -
			        row_dot(v + at, logits + at, width);
		((float *)x->out)[s] = (float)loss;
	}
}

static void categorical_row(float *out, const float *v, const float *logits, int64_t n, float ds)
{
	const float scale = ds * (float)row_sum(v, n) / row_exp(out, logits, n, row_max(logits, n));

	MMI_SIMD
	for (int64_t i = 0; i < n; i++)
		out[i] = scale * out[i] - ds * v[i];
}

static void nll_categorical_bwd(mmi_exec *x)
{
	const int64_t count = out_count(x), width = last_axis(&x->node->shape);

	for (int64_t s = 0; s < x->n; s++)
		for (int64_t at = s * count; at < (s + 1) * count; at += width)
			categorical_row((float *)x->out + at, (const float *)x->in[1] + at, (const float *)x->in[2] + at, width,
			                ((const float *)x->in[0])[s]);
}
