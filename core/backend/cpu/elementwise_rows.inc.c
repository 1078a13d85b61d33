/* elementwise_rows.inc.c - CPU: softmax and log-sum-exp over the last axis. */

/* A NaN need not come out, but then the exponentials after it are NaN. */
static float row_max(const float *v, int64_t n)
{
	enum { LANES = 16 };
	float lanes[LANES], max = v[0];
	int64_t at = 0;

	for (int i = 0; i < LANES; i++)
		lanes[i] = max;
	for (; at + LANES <= n; at += LANES) {
		MMI_SIMD
		for (int i = 0; i < LANES; i++)
			lanes[i] = v[at + i] > lanes[i] ? v[at + i] : lanes[i];
	}
	for (; at < n; at++)
		max = v[at] > max ? v[at] : max;
	for (int i = 0; i < LANES; i++)
		max = lanes[i] > max ? lanes[i] : max;
	return max;
}

/* e[i] = exp(v[i] - max); returns the sum. */
static float row_exp(float *e, const float *v, int64_t n, float max)
{
	double sum = 0;

	MMI_SIMD_SUM(sum)
	for (int64_t i = 0; i < n; i++) {
		const float value = vm_exp(v[i] - max);
		e[i] = value;
		sum += (double)value;
	}
	return (float)sum;
}

static float row_log_sum_exp(const float *v, int64_t n)
{
	const float max = row_max(v, n);
	double sum = 0;

	MMI_SIMD_SUM(sum)
	for (int64_t i = 0; i < n; i++)
		sum += (double)vm_exp(v[i] - max);
	return max + logf((float)sum);
}

static double row_sum(const float *v, int64_t n)
{
	double sum = 0;

	MMI_SIMD_SUM(sum)
	for (int64_t i = 0; i < n; i++)
		sum += (double)v[i];
	return sum;
}

static double row_dot(const float *a, const float *b, int64_t n)
{
	double sum = 0;

	MMI_SIMD_SUM(sum)
	for (int64_t i = 0; i < n; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

static void softmax(mmi_exec *x)
{
	const int64_t width = last_axis(&x->node->shape), total = x->n * out_count(x);

	for (int64_t at = 0; at < total; at += width) {
		const float *v = (const float *)x->in[0] + at;
		float *out = (float *)x->out + at;

		const float scale = 1.f / row_exp(out, v, width, row_max(v, width));

		MMI_SIMD
		for (int64_t i = 0; i < width; i++)
			out[i] *= scale;
	}
}

static void softmax_bwd(mmi_exec *x)
{
	const int64_t width = last_axis(&x->node->shape), total = x->n * out_count(x);

	for (int64_t at = 0; at < total; at += width) {
		const float *dy = (const float *)x->in[0] + at, *y = (const float *)x->in[1] + at;
		const float dot = (float)row_dot(dy, y, width);
		float *out = (float *)x->out + at;

		MMI_SIMD
		for (int64_t i = 0; i < width; i++)
			out[i] = y[i] * (dy[i] - dot);
	}
}

static void log_sum_exp(mmi_exec *x)
{
	const int64_t width = last_axis(&x->in_node[0]->shape), rows = x->n * out_count(x);

	for (int64_t r = 0; r < rows; r++)
		((float *)x->out)[r] = row_log_sum_exp((const float *)x->in[0] + r * width, width);
}

static void log_sum_exp_bwd(mmi_exec *x)
{
	const int64_t width = last_axis(&x->node->shape), rows = x->n * out_count(x) / width;

	for (int64_t r = 0; r < rows; r++) {
		const float dy = ((const float *)x->in[0])[r], y = ((const float *)x->in[2])[r];
		const float *v = (const float *)x->in[1] + r * width;
		float *out = (float *)x->out + r * width;

		MMI_SIMD
		for (int64_t i = 0; i < width; i++)
			out[i] = dy * vm_exp(v[i] - y);
	}
}
