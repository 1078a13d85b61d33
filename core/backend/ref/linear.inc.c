/* linear.inc.c - reference: linear layers and convolutions. Weights are [I,O] and [kh,kw,I,O]. */

static double bias_or_zero(const mmi_exec *x, int64_t channel)
{
	return x->n_in > 2 ? (double)((const real *)x->in[2])[channel] : 0;
}

static void linear(mmi_exec *x)
{
	const int64_t n_in = in_count(x, 0), n_out = out_count(x);
	const real *w = x->in[1];

	for (int64_t s = 0; s < x->n; s++) {
		const real *v = in_sample(x, 0, s);
		real *y = out_sample(x, s);

		for (int64_t o = 0; o < n_out; o++) {
			double sum = bias_or_zero(x, o);

			for (int64_t i = 0; i < n_in; i++)
				sum += (double)v[i] * (double)w[i * n_out + o];
			y[o] = (real)sum;
		}
	}
}

static void linear_bwd_x(mmi_exec *x)
{
	const int64_t n_out = in_count(x, 0), n_in = out_count(x);
	const real *w = x->in[1];

	for (int64_t s = 0; s < x->n; s++) {
		const real *dy = in_sample(x, 0, s);
		real *dx = out_sample(x, s);

		for (int64_t i = 0; i < n_in; i++) {
			double sum = 0;

			for (int64_t o = 0; o < n_out; o++)
				sum += (double)dy[o] * (double)w[i * n_out + o];
			dx[i] = (real)sum;
		}
	}
}

static void linear_bwd_w(mmi_exec *x)
{
	const int64_t n_in = in_count(x, 0), n_out = in_count(x, 1);
	real *dw = x->out;

	for (int64_t i = 0; i < n_in; i++) {
		for (int64_t o = 0; o < n_out; o++) {
			double sum = 0;

			for (int64_t s = 0; s < x->n; s++)
				sum += (double)in_sample(x, 0, s)[i] * (double)in_sample(x, 1, s)[o];
			dw[i * n_out + o] += (real)sum;
		}
	}
}

/* Sizes of a convolution from maps [h,w,I] (big) to maps [oh,ow,O] (small). */
typedef struct conv_view {
	const mmi_attr *attr;
	int64_t h, w, in, oh, ow, out;
} conv_view;

static conv_view view_conv(const mmi_exec *x, const mm_shape *big, const mm_shape *small)
{
	return (conv_view){ &x->node->attr, big->dim[0],   big->dim[1],  big->dim[2],
		                small->dim[0],  small->dim[1], small->dim[2] };
}

/* One output element: the window at (oy, ox) against the filter of output channel o. */
static double conv_at(const conv_view *c, const real *v, const real *w, int64_t oy, int64_t ox, int64_t o)
{
	double sum = 0;

	for (int64_t ky = 0; ky < c->attr->kh; ky++) {
		const int64_t iy = oy * c->attr->sh + ky - c->attr->ph;

		if (iy < 0 || iy >= c->h)
			continue;
		for (int64_t kx = 0; kx < c->attr->kw; kx++) {
			const int64_t ix = ox * c->attr->sw + kx - c->attr->pw;

			if (ix < 0 || ix >= c->w)
				continue;
			const real *cell = v + (iy * c->w + ix) * c->in;
			const real *tap = w + ((ky * c->attr->kw + kx) * c->in) * c->out + o;

			for (int64_t i = 0; i < c->in; i++)
				sum += (double)cell[i] * (double)tap[i * c->out];
		}
	}
	return sum;
}

static void conv(mmi_exec *x)
{
	const conv_view c = view_conv(x, &x->in_node[0]->shape, &x->node->shape);

	for (int64_t s = 0; s < x->n; s++) {
		const real *v = in_sample(x, 0, s);
		real *y = out_sample(x, s);

		for (int64_t oy = 0; oy < c.oh; oy++)
			for (int64_t ox = 0; ox < c.ow; ox++)
				for (int64_t o = 0; o < c.out; o++)
					*y++ = (real)(conv_at(&c, v, x->in[1], oy, ox, o) + bias_or_zero(x, o));
	}
}

/* One element of the gradient to the input: every window that saw (iy, ix). */
static double conv_bwd_x_at(const conv_view *c, const real *dy, const real *w, int64_t iy, int64_t ix, int64_t i)
{
	double sum = 0;

	for (int64_t ky = 0; ky < c->attr->kh; ky++) {
		const int64_t top = iy + c->attr->ph - ky, oy = top / c->attr->sh;

		if (top < 0 || top % c->attr->sh || oy >= c->oh)
			continue;
		for (int64_t kx = 0; kx < c->attr->kw; kx++) {
			const int64_t left = ix + c->attr->pw - kx, ox = left / c->attr->sw;

			if (left < 0 || left % c->attr->sw || ox >= c->ow)
				continue;
			const real *cell = dy + (oy * c->ow + ox) * c->out;
			const real *tap = w + ((ky * c->attr->kw + kx) * c->in + i) * c->out;

			for (int64_t o = 0; o < c->out; o++)
				sum += (double)cell[o] * (double)tap[o];
		}
	}
	return sum;
}

static void conv_bwd_x(mmi_exec *x)
{
	const conv_view c = view_conv(x, &x->node->shape, &x->in_node[0]->shape);

	for (int64_t s = 0; s < x->n; s++) {
		const real *dy = in_sample(x, 0, s);
		real *dx = out_sample(x, s);

		for (int64_t iy = 0; iy < c.h; iy++)
			for (int64_t ix = 0; ix < c.w; ix++)
				for (int64_t i = 0; i < c.in; i++)
					*dx++ = (real)(conv_bwd_x_at(&c, dy, x->in[1], iy, ix, i) + bias_or_zero(x, i));
	}
}

/* One sample's share of one weight's gradient. */
static double conv_bwd_w_at(const conv_view *c, const real *v, const real *dy, int64_t ky, int64_t kx, int64_t i,
                            int64_t o)
{
	double sum = 0;

	for (int64_t oy = 0; oy < c->oh; oy++) {
		const int64_t iy = oy * c->attr->sh + ky - c->attr->ph;

		if (iy < 0 || iy >= c->h)
			continue;
		for (int64_t ox = 0; ox < c->ow; ox++) {
			const int64_t ix = ox * c->attr->sw + kx - c->attr->pw;

			if (ix >= 0 && ix < c->w)
				sum += (double)v[(iy * c->w + ix) * c->in + i] * (double)dy[(oy * c->ow + ox) * c->out + o];
		}
	}
	return sum;
}

static void conv_bwd_w(mmi_exec *x)
{
	const conv_view c = view_conv(x, &x->in_node[0]->shape, &x->in_node[1]->shape);
	const int64_t taps = (int64_t)c.attr->kh * c.attr->kw;
	real *dw = x->out;

	for (int64_t tap = 0; tap < taps; tap++) {
		for (int64_t i = 0; i < c.in; i++) {
			for (int64_t o = 0; o < c.out; o++) {
				double sum = 0;

				for (int64_t s = 0; s < x->n; s++)
					sum += conv_bwd_w_at(&c, in_sample(x, 0, s), in_sample(x, 1, s), tap / c.attr->kw, tap % c.attr->kw,
					                     i, o);
				*dw++ += (real)sum;
			}
		}
	}
}

static void bias_bwd(mmi_exec *x)
{
	const int64_t channels = out_count(x), rows = in_count(x, 0) / channels;
	real *db = x->out;

	for (int64_t o = 0; o < channels; o++) {
		double sum = 0;

		for (int64_t s = 0; s < x->n; s++)
			for (int64_t r = 0; r < rows; r++)
				sum += (double)in_sample(x, 0, s)[r * channels + o];
		db[o] += (real)sum;
	}
}
