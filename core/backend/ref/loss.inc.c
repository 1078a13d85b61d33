/* loss.inc.c - reference: losses and log densities, one scalar per sample. */

static double sign(double v)
{
	return (double)((v > 0) - (v < 0));
}

/* Sums f over the elements of each sample; a and b are the attributes' scale and the two operands. */
static void reduce2(mmi_exec *x, double (*f)(double scale, double a, double b))
{
	const int64_t count = in_count(x, 0);

	for (int64_t s = 0; s < x->n; s++) {
		const real *a = in_sample(x, 0, s), *b = in_sample(x, 1, s);
		double sum = 0;

		for (int64_t i = 0; i < count; i++)
			sum += f((double)x->node->attr.a, (double)a[i], (double)b[i]);
		*out_sample(x, s) = (real)sum;
	}
}

/* Gradients of the same: inputs dS, a, b. */
static void reduce2_bwd(mmi_exec *x, double (*f)(double scale, double a, double b))
{
	const int64_t count = out_count(x);

	for (int64_t s = 0; s < x->n; s++) {
		const real *a = in_sample(x, 1, s), *b = in_sample(x, 2, s);
		const double ds = (double)*in_sample(x, 0, s);
		real *out = out_sample(x, s);

		for (int64_t i = 0; i < count; i++)
			out[i] = (real)(ds * f((double)x->node->attr.a, (double)a[i], (double)b[i]));
	}
}

static double gaussian_of(double sigma, double v, double mean)
{
	return (v - mean) * (v - mean) / (2 * sigma * sigma) + log(sigma) + log_two_pi / 2;
}

static double gaussian_slope(double sigma, double v, double mean)
{
	return (mean - v) / (sigma * sigma);
}

static double laplace_of(double b, double v, double mean)
{
	return fabs(v - mean) / b + log(2 * b);
}

static double laplace_slope(double b, double v, double mean)
{
	return sign(mean - v) / b;
}

static double bernoulli_of(double scale, double v, double logit)
{
	(void)scale;
	return act_value(MM_ACT_SOFTPLUS, 0, logit) - v * logit;
}

static double bernoulli_slope(double scale, double v, double logit)
{
	(void)scale;
	return act_value(MM_ACT_SIGMOID, 0, logit) - v;
}

static void nll_gaussian(mmi_exec *x)
{
	reduce2(x, gaussian_of);
}
static void nll_gaussian_bwd(mmi_exec *x)
{
	reduce2_bwd(x, gaussian_slope);
}
static void nll_laplace(mmi_exec *x)
{
	reduce2(x, laplace_of);
}
static void nll_laplace_bwd(mmi_exec *x)
{
	reduce2_bwd(x, laplace_slope);
}
static void nll_bernoulli(mmi_exec *x)
{
	reduce2(x, bernoulli_of);
}
static void nll_bernoulli_bwd(mmi_exec *x)
{
	reduce2_bwd(x, bernoulli_slope);
}

static double row_sum(const real *v, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += (double)v[i];
	return sum;
}

static void nll_categorical(mmi_exec *x)
{
	const int64_t width = last_axis(&x->in_node[1]->shape), rows = in_count(x, 1) / width;

	for (int64_t s = 0; s < x->n; s++) {
		double loss = 0;

		for (int64_t r = 0; r < rows; r++) {
			const real *v = in_sample(x, 0, s) + r * width, *logits = in_sample(x, 1, s) + r * width;

			loss += row_sum(v, width) * row_log_sum_exp(logits, width);
			for (int64_t i = 0; i < width; i++)
				loss -= (double)v[i] * (double)logits[i];
		}
		*out_sample(x, s) = (real)loss;
	}
}

static void nll_categorical_bwd(mmi_exec *x)
{
	const int64_t width = last_axis(&x->node->shape), rows = out_count(x) / width;

	for (int64_t s = 0; s < x->n; s++) {
		const double ds = (double)*in_sample(x, 0, s);

		for (int64_t r = 0; r < rows; r++) {
			const real *v = in_sample(x, 1, s) + r * width, *logits = in_sample(x, 2, s) + r * width;
			const double mass = row_sum(v, width), lse = row_log_sum_exp(logits, width);
			real *out = out_sample(x, s) + r * width;

			for (int64_t i = 0; i < width; i++)
				out[i] = (real)(ds * (mass * exp((double)logits[i] - lse) - (double)v[i]));
		}
	}
}

/* Log densities: inputs z, loc, scale; gradients have dS before them. */
static void density(mmi_exec *x, double (*f)(double d, double scale))
{
	const int64_t count = in_count(x, 0);

	for (int64_t s = 0; s < x->n; s++) {
		const real *z = in_sample(x, 0, s), *loc = in_sample(x, 1, s), *scale = in_sample(x, 2, s);
		double sum = 0;

		for (int64_t i = 0; i < count; i++)
			sum += f((double)z[i] - (double)loc[i], (double)scale[i]);
		*out_sample(x, s) = (real)sum;
	}
}

/* to_z and to_scale: derivatives by d = z - loc and by the scale. */
static void density_bwd(mmi_exec *x, double (*to_z)(double d, double scale), double (*to_scale)(double d, double scale))
{
	double (*const f)(double, double) = x->node->attr.flag == 2 ? to_scale : to_z;
	const double direction = x->node->attr.flag == 1 ? -1 : 1;
	const int64_t count = out_count(x);

	for (int64_t s = 0; s < x->n; s++) {
		const real *z = in_sample(x, 1, s), *loc = in_sample(x, 2, s), *scale = in_sample(x, 3, s);
		const double ds = direction * (double)*in_sample(x, 0, s);
		real *out = out_sample(x, s);

		for (int64_t i = 0; i < count; i++)
			out[i] = (real)(ds * f((double)z[i] - (double)loc[i], (double)scale[i]));
	}
}

static double normal_of(double d, double scale)
{
	return -0.5 * (d / scale) * (d / scale) - log(scale) - log_two_pi / 2;
}

static double normal_to_z(double d, double scale)
{
	return -d / (scale * scale);
}

static double normal_to_scale(double d, double scale)
{
	return (d / scale * (d / scale) - 1) / scale;
}

static double laplace_density_of(double d, double scale)
{
	return -fabs(d) / scale - log(2 * scale);
}

static double laplace_density_to_z(double d, double scale)
{
	return -sign(d) / scale;
}

static double laplace_density_to_scale(double d, double scale)
{
	return (fabs(d) / scale - 1) / scale;
}

static void logpdf_normal(mmi_exec *x)
{
	density(x, normal_of);
}
static void logpdf_normal_bwd(mmi_exec *x)
{
	density_bwd(x, normal_to_z, normal_to_scale);
}
static void logpdf_laplace(mmi_exec *x)
{
	density(x, laplace_density_of);
}
static void logpdf_laplace_bwd(mmi_exec *x)
{
	density_bwd(x, laplace_density_to_z, laplace_density_to_scale);
}
