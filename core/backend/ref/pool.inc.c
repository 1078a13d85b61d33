/* pool.inc.c - reference: average pooling and nearest upsampling of maps [h,w,c]. */

/* The cells of a pooling window that lie inside the map, and what their sum is divided by. */
typedef struct window {
	int64_t y0, y1, x0, x1;
	double divisor;
} window;

static int64_t clip(int64_t v, int64_t hi)
{
	return v < 0 ? 0 : v > hi ? hi : v;
}

static window window_at(const mmi_attr *a, const mm_shape *map, int64_t oy, int64_t ox)
{
	const int64_t top = oy * a->sh - a->ph, left = ox * a->sw - a->pw;
	window w = { clip(top, map->dim[0]), clip(top + a->kh, map->dim[0]), clip(left, map->dim[1]),
		         clip(left + a->kw, map->dim[1]), 0 };

	w.divisor = a->flag ? (double)a->kh * a->kw : (double)((w.y1 - w.y0) * (w.x1 - w.x0));
	return w;
}

static void avg_pool(mmi_exec *x)
{
	const mm_shape *map = &x->in_node[0]->shape, *pooled = &x->node->shape;
	const int64_t channels = map->dim[2];

	for (int64_t s = 0; s < x->n; s++) {
		const real *v = in_sample(x, 0, s);
		real *y = out_sample(x, s);

		for (int64_t cell = 0; cell < (int64_t)pooled->dim[0] * pooled->dim[1]; cell++) {
			const window w = window_at(&x->node->attr, map, cell / pooled->dim[1], cell % pooled->dim[1]);

			for (int64_t c = 0; c < channels; c++) {
				double sum = 0;

				for (int64_t iy = w.y0; iy < w.y1; iy++)
					for (int64_t ix = w.x0; ix < w.x1; ix++)
						sum += (double)v[(iy * map->dim[1] + ix) * channels + c];
				*y++ = (real)(sum / w.divisor);
			}
		}
	}
}

/* The windows that saw (iy, ix) are those whose origin lies in the k cells up to it. */
static double avg_pool_bwd_at(const mmi_exec *x, const real *dy, int64_t iy, int64_t ix, int64_t c)
{
	const mmi_attr *a = &x->node->attr;
	const mm_shape *map = &x->node->shape, *pooled = &x->in_node[0]->shape;
	double sum = 0;

	for (int64_t oy = 0; oy < pooled->dim[0]; oy++) {
		for (int64_t ox = 0; ox < pooled->dim[1]; ox++) {
			const window w = window_at(a, map, oy, ox);

			if (iy >= w.y0 && iy < w.y1 && ix >= w.x0 && ix < w.x1)
				sum += (double)dy[(oy * pooled->dim[1] + ox) * map->dim[2] + c] / w.divisor;
		}
	}
	return sum;
}

static void avg_pool_bwd(mmi_exec *x)
{
	const mm_shape *map = &x->node->shape;

	for (int64_t s = 0; s < x->n; s++) {
		const real *dy = in_sample(x, 0, s);
		real *dx = out_sample(x, s);

		for (int64_t iy = 0; iy < map->dim[0]; iy++)
			for (int64_t ix = 0; ix < map->dim[1]; ix++)
				for (int64_t c = 0; c < map->dim[2]; c++)
					*dx++ = (real)avg_pool_bwd_at(x, dy, iy, ix, c);
	}
}

static void upsample(mmi_exec *x)
{
	const mm_shape *map = &x->in_node[0]->shape, *big = &x->node->shape;
	const int64_t factor = x->node->attr.kh;

	for (int64_t s = 0; s < x->n; s++) {
		const real *v = in_sample(x, 0, s);
		real *y = out_sample(x, s);

		for (int64_t oy = 0; oy < big->dim[0]; oy++)
			for (int64_t ox = 0; ox < big->dim[1]; ox++)
				for (int64_t c = 0; c < big->dim[2]; c++)
					*y++ = v[((oy / factor) * map->dim[1] + ox / factor) * map->dim[2] + c];
	}
}

static void upsample_bwd(mmi_exec *x)
{
	const mm_shape *map = &x->node->shape, *big = &x->in_node[0]->shape;
	const int64_t factor = x->node->attr.kh, channels = map->dim[2];

	for (int64_t s = 0; s < x->n; s++) {
		const real *dy = in_sample(x, 0, s);
		real *dx = out_sample(x, s);

		for (int64_t i = 0; i < out_count(x); i++) {
			const int64_t c = i % channels, ix = i / channels % map->dim[1], iy = i / channels / map->dim[1];
			double sum = 0;

			for (int64_t cell = 0; cell < factor * factor; cell++) {
				const int64_t oy = iy * factor + cell / factor, ox = ix * factor + cell % factor;

				sum += (double)dy[(oy * big->dim[1] + ox) * channels + c];
			}
			dx[i] = (real)sum;
		}
	}
}
