/* elementwise_map.inc.c - CPU: operations on each element alone. out may be one of the inputs everywhere. */

enum { BLOCK = 2048 /* floats: input, output and mask together stay in the first-level cache */ };

/* out[i] = f(v), v = in[i], with the slope or similar constant a. */
typedef void (*map1_fn)(float *out, const float *in, int64_t n, float a);
/* out[i] = f(v, y), v = in[i], y = other[i]. */
typedef void (*map2_fn)(float *out, const float *in, const float *other, int64_t n, float a);

#define MAP1(name, value)                                             \
	static void name(float *out, const float *in, int64_t n, float a) \
	{                                                                 \
		(void)a;                                                      \
		MMI_SIMD                                                      \
		for (int64_t i = 0; i < n; i++) {                             \
			const float v = in[i];                                    \
			out[i] = (value);                                         \
		}                                                             \
	}

#define MAP2(name, value)                                                                 \
	static void name(float *out, const float *in, const float *other, int64_t n, float a) \
	{                                                                                     \
		(void)a;                                                                          \
		MMI_SIMD                                                                          \
		for (int64_t i = 0; i < n; i++) {                                                 \
			const float v = in[i], y = other[i];                                          \
			out[i] = (value);                                                             \
		}                                                                                 \
	}

MAP1(copy_map, v)
MAP1(relu_map, v < 0.f ? 0.f : v) /* NaN stays NaN */
MAP1(leaky_map, v > 0.f ? v : a * v)
MAP1(tanh_map, vm_tanh(v))
MAP1(sigmoid_map, vm_sigmoid(v))
MAP1(softplus_map, vm_softplus(v))
MAP1(exp_map, vm_exp(v))
MAP1(log_map, vm_log(v))

/* v is the gradient, y the activation's output. */
MAP2(copy_slope, ((void)y, v))
MAP2(relu_slope, y > 0.f ? v : 0.f)
MAP2(leaky_slope, y > 0.f ? v : a * v)
MAP2(tanh_slope, v *(1.f - y * y))
MAP2(sigmoid_slope, v *(y *(1.f - y)))
MAP2(softplus_slope, v *vm_one_minus_exp(y))
MAP2(exp_slope, v *y)
MAP2(log_slope, v / y)

static const map1_fn act_maps[] = {
	[MM_ACT_NONE] = copy_map, [MM_ACT_RELU] = relu_map,       [MM_ACT_LEAKY_RELU] = leaky_map,
	[MM_ACT_TANH] = tanh_map, [MM_ACT_SIGMOID] = sigmoid_map, [MM_ACT_SOFTPLUS] = softplus_map,
	[MM_ACT_EXP] = exp_map,
};

static const map2_fn act_slopes[] = {
	[MM_ACT_NONE] = copy_slope, [MM_ACT_RELU] = relu_slope,       [MM_ACT_LEAKY_RELU] = leaky_slope,
	[MM_ACT_TANH] = tanh_slope, [MM_ACT_SIGMOID] = sigmoid_slope, [MM_ACT_SOFTPLUS] = softplus_slope,
	[MM_ACT_EXP] = exp_slope,
};

static void logarithm(mmi_exec *x)
{
	log_map(x->out, x->in[0], x->n * out_count(x), 0);
}

static void logarithm_bwd(mmi_exec *x)
{
	log_slope(x->out, x->in[0], x->in[1], x->n * out_count(x), 0);
}

static void clamp(mmi_exec *x)
{
	const float lo = x->node->attr.a, hi = x->node->attr.b, *in = x->in[0];
	const int64_t n = x->n * out_count(x);
	float *out = x->out;

	MMI_SIMD
	for (int64_t i = 0; i < n; i++) {
		const float v = in[i] < lo ? lo : in[i];
		out[i] = v > hi ? hi : v;
	}
}

static void clamp_bwd(mmi_exec *x)
{
	const float lo = x->node->attr.a, hi = x->node->attr.b, *dy = x->in[0], *in = x->in[1];
	const int64_t n = x->n * out_count(x);
	float *out = x->out;

	MMI_SIMD
	for (int64_t i = 0; i < n; i++) {
		const float v = dy[i];
		out[i] = ((in[i] >= lo) & (in[i] <= hi)) ? v : 0.f;
	}
}

/* Elements at.. of a map as floats: in place, or those of a narrow one in `room`. */
static const float *floats_of(const mmi_exec *x, const void *map, bool narrow, int64_t at, int64_t n, float room[BLOCK])
{
	if (!narrow)
		return (const float *)map + at;
	mmi_bf16_of(x)->widen((const uint16_t *)map + at, room, (size_t)n);
	return room;
}

/* The block of the mask, saved where out takes the mask's place (then the mask is also an input). */
static const float *mask_block(const mmi_exec *x, int64_t begin, int64_t n, float saved[BLOCK])
{
	const float *mask = x->mask ? floats_of(x, x->mask, x->narrow_mask, begin, n, saved) : NULL;

	if (!mask || mask == saved || x->mask != x->out)
		return mask;
	memcpy(saved, mask, (size_t)n * sizeof(float));
	return saved;
}

/* What was fused into this call, applied to a block of the result. */
static void finish(const mmi_exec *x, float *out, const float *mask, int64_t n)
{
	if (x->act != MM_ACT_NONE)
		act_maps[x->act](out, out, n, x->act_alpha);
	if (mask && x->mask_act != MM_ACT_NONE)
		act_slopes[x->mask_act](out, out, mask, n, x->mask_alpha);
}

/* One block: out of v and y, which is NULL where the operation has but one input. */
typedef void (*block_fn)(float *out, const float *v, const float *y, int64_t n, const mmi_attr *attr);

/* The elements begin..end of a result, block by block, with what was fused. */
static void map_range(const mmi_exec *x, bool both, int64_t begin, int64_t end, block_fn block, const mmi_attr *attr)
{
	float saved[BLOCK], rooms[3][BLOCK];

	for (int64_t at = begin; at < end; at += BLOCK) {
		const int64_t n = end - at < BLOCK ? end - at : BLOCK;
		const float *mask = mask_block(x, at, n, saved), *v = floats_of(x, x->in[0], x->narrow_in[0], at, n, rooms[0]);
		const float *y = both ? floats_of(x, x->in[1], x->narrow_in[1], at, n, rooms[1]) : NULL;
		float *out = x->narrow_out ? rooms[2] : (float *)x->out + at;

		block(out, v, y, n, attr);
		finish(x, out, mask, n);
		if (x->narrow_out)
			mmi_bf16_of(x)->round(out, (uint16_t *)x->out + at, (size_t)n);
	}
}

static void map_all(const mmi_exec *x, bool both, block_fn block)
{
	map_range(x, both, 0, x->n * out_count(x), block, &x->node->attr);
}

static void act_block(float *out, const float *v, const float *y, int64_t n, const mmi_attr *attr)
{
	(void)y;
	act_maps[attr->act](out, v, n, attr->a);
}

static void slope_block(float *out, const float *v, const float *y, int64_t n, const mmi_attr *attr)
{
	act_slopes[attr->act](out, v, y, n, attr->a);
}

static void activation(mmi_exec *x)
{
	map_all(x, false, act_block);
}

static void activation_bwd(mmi_exec *x)
{
	map_all(x, true, slope_block);
}

static void affine_block(float *out, const float *in, int64_t n, float a, float b)
{
	MMI_SIMD
	for (int64_t i = 0; i < n; i++)
		out[i] = a * in[i] + b;
}

static void scaled_block(float *out, const float *v, const float *y, int64_t n, const mmi_attr *attr)
{
	(void)y;
	affine_block(out, v, n, attr->a, attr->b);
}

static void add_block(float *out, const float *v, const float *y, int64_t n, const mmi_attr *attr)
{
	const float a = attr->a, b = attr->b;

	MMI_SIMD
	for (int64_t i = 0; i < n; i++)
		out[i] = a * v[i] + b * y[i];
}

static void mul_block(float *out, const float *v, const float *y, int64_t n, const mmi_attr *attr)
{
	(void)attr;
	MMI_SIMD
	for (int64_t i = 0; i < n; i++)
		out[i] = v[i] * y[i];
}

static void affine(mmi_exec *x)
{
	map_all(x, false, scaled_block);
}

/* True where y is one scalar for a sample of several elements. Then samples are taken from the last to the first:
 * should out have taken the place of y (a slot of equal size after rounding), no scalar is overwritten before it is
 * read. */
static bool scalar_second(const mmi_exec *x)
{
	return x->in_node[1]->shape.rank == 0 && x->node->shape.rank != 0;
}

/* a v + b of a sample. */
static void scale_sample(const mmi_exec *x, int64_t sample, float a, float b)
{
	const int64_t count = out_count(x);
	const mmi_attr attr = { .a = a, .b = b };

	map_range(x, false, sample * count, (sample + 1) * count, scaled_block, &attr);
}

/* Maps that are in bfloat16, with nothing behind it. */
static bool adds_narrow(const mmi_exec *x)
{
	return x->narrow_in[0] && x->narrow_in[1] && x->narrow_out && x->act == MM_ACT_NONE && x->mask_act == MM_ACT_NONE;
}

static void add(mmi_exec *x)
{
	const mmi_attr *a = &x->node->attr;
	const float *y = x->in[1];

	if (adds_narrow(x)) {
		mmi_bf16_of(x)->add(x->in[0], x->in[1], x->out, (size_t)(x->n * out_count(x)), a->a, a->b);
		return;
	}
	if (!scalar_second(x)) {
		map_all(x, true, add_block);
		return;
	}
	for (int64_t s = x->n; s-- > 0;)
		scale_sample(x, s, a->a, a->b * y[s]);
}

static void mul(mmi_exec *x)
{
	const float *y = x->in[1];

	if (!scalar_second(x)) {
		map_all(x, true, mul_block);
		return;
	}
	for (int64_t s = x->n; s-- > 0;)
		scale_sample(x, s, y[s], 0.f);
}
