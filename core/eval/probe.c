/* probe.c - multinomial logistic regression. */
#include "mmi_build.h"

#include "eval/probe.h"

#include <math.h>
#include <string.h>

#define MAX_ITERATIONS 1000
#define TOLERANCE 1e-5 /* of the gradient's largest entry: far below what changes a prediction */
#define POWER_STEPS 30

typedef struct mmi_probe_fit_state {
	const mmi_probe *p;
	const double *x; /* [n][d + 1]: standardised, 1 last */
	const int32_t *label;
	size_t n;
	double penalty;
	double *logit; /* [classes] */
} mmi_probe_fit_state;

/* Column means and deviations of the rows with labels; a constant column keeps scale 1. */
static void standardise(mmi_probe *p, const float *x, const int32_t *label, size_t n, double *out, int32_t *kept)
{
	size_t d = p->d, rows = 0;
	for (size_t r = 0; r < n; r++)
		if (label[r] >= 0) {
			for (size_t i = 0; i < d; i++)
				out[rows * (d + 1) + i] = x[r * d + i];
			out[rows * (d + 1) + d] = 1;
			kept[rows++] = label[r];
		}
	for (size_t i = 0; i < d; i++) {
		double sum = 0, squares = 0;
		for (size_t r = 0; r < rows; r++)
			sum += out[r * (d + 1) + i];
		p->mean[i] = sum / (double)rows;
		for (size_t r = 0; r < rows; r++) {
			double *v = &out[r * (d + 1) + i];
			*v -= p->mean[i];
			squares += *v * *v;
		}
		double deviation = sqrt(squares / (double)rows);
		p->scale[i] = deviation > 1e-12 ? deviation : 1;
		for (size_t r = 0; r < rows; r++)
			out[r * (d + 1) + i] /= p->scale[i];
	}
}

/* The largest eigenvalue of x^T x / n from below, by power iteration: the curvature's bound is half of it. */
static double curvature(const mmi_probe_fit_state *s, double *v, double *w)
{
	size_t columns = s->p->d + 1u;
	double norm = 0;
	for (size_t i = 0; i < columns; i++)
		v[i] = 1 / sqrt((double)columns);
	for (int k = 0; k < POWER_STEPS; k++) {
		memset(w, 0, columns * sizeof *w);
		for (size_t r = 0; r < s->n; r++) {
			const double *x = s->x + r * columns;
			double dot = 0;
			for (size_t i = 0; i < columns; i++)
				dot += x[i] * v[i];
			for (size_t i = 0; i < columns; i++)
				w[i] += dot * x[i] / (double)s->n;
		}
		norm = 0;
		for (size_t i = 0; i < columns; i++)
			norm += w[i] * w[i];
		norm = sqrt(norm);
		for (size_t i = 0; i < columns; i++)
			v[i] = w[i] / norm;
	}
	return norm;
}

/* Turns logits into probabilities. */
static void softmax(double *x, uint32_t n)
{
	double top = x[0], sum = 0;
	for (uint32_t i = 1; i < n; i++)
		top = x[i] > top ? x[i] : top;
	for (uint32_t i = 0; i < n; i++)
		sum += x[i] = exp(x[i] - top);
	for (uint32_t i = 0; i < n; i++)
		x[i] /= sum;
}

static double dot(const double *x, const double *y, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

/* The gradient at w; returns its largest entry. */
static double gradient(const mmi_probe_fit_state *s, const double *w, double *g)
{
	size_t columns = s->p->d + 1u, size = columns * s->p->classes;
	double largest = 0;
	for (size_t i = 0; i < size; i++)
		g[i] = (i + 1) % columns ? s->penalty * w[i] : 0;
	for (size_t r = 0; r < s->n; r++) {
		const double *x = s->x + r * columns;
		for (uint32_t c = 0; c < s->p->classes; c++)
			s->logit[c] = dot(x, w + c * columns, columns);
		softmax(s->logit, s->p->classes);
		s->logit[s->label[r]] -= 1;
		for (uint32_t c = 0; c < s->p->classes; c++)
			for (size_t i = 0; i < columns; i++)
				g[c * columns + i] += s->logit[c] * x[i] / (double)s->n;
	}
	for (size_t i = 0; i < size; i++)
		largest = fmax(largest, fabs(g[i]));
	return largest;
}

/* w: the weights, zero at the start. y, g, before: as large. */
static void descend(const mmi_probe_fit_state *s, mmi_probe *p, double step, double *y, double *g, double *before)
{
	size_t size = (s->p->d + 1u) * (size_t)s->p->classes;
	double theta = 1;
	for (p->iterations = 0; p->iterations < MAX_ITERATIONS; p->iterations++) {
		p->gradient = gradient(s, y, g);
		if (p->gradient < TOLERANCE)
			break;
		double uphill = 0, next = 0.5 * (1 + sqrt(1 + 4 * theta * theta));
		for (size_t i = 0; i < size; i++) {
			before[i] = p->weight[i];
			p->weight[i] = y[i] - step * g[i];
			uphill += g[i] * (p->weight[i] - before[i]);
		}
		if (uphill > 0)
			theta = next = 1; /* momentum points the wrong way: begin again from here */
		for (size_t i = 0; i < size; i++)
			y[i] = p->weight[i] + (uphill > 0 ? 0 : (theta - 1) / next) * (p->weight[i] - before[i]);
		theta = next;
	}
	memcpy(p->weight, y, size * sizeof *y);
}

static size_t count_labels(const int32_t *label, size_t n)
{
	size_t rows = 0;
	for (size_t r = 0; r < n; r++)
		rows += label[r] >= 0;
	return rows;
}

static mm_status fit(mmi_probe *p, const float *x, const int32_t *label, size_t n, double penalty, mm_error *e)
{
	size_t columns = p->d + 1u, size = columns * p->classes, rows = count_labels(label, n);
	double *table = mmi_alloc(rows * columns, sizeof *table), *work = mmi_alloc(3 * size + p->classes, sizeof *work);
	int32_t *kept = mmi_alloc(rows, sizeof *kept);
	mm_status status = table && work && kept
	                       ? MM_OK
	                       : mmi_fail(e, MM_ENOMEM, "out of memory for a logistic regression on %zu rows", rows);
	if (status == MM_OK) {
		mmi_probe_fit_state s = { p, table, kept, rows, penalty, work + 3 * size };
		standardise(p, x, label, n, table, kept);
		double bound = 0.5 * curvature(&s, work, work + size) * 1.01 + penalty;
		memset(work, 0, size * sizeof *work);
		descend(&s, p, 1 / bound, work, work + size, work + 2 * size);
	}
	mmi_free(table);
	mmi_free(work);
	mmi_free(kept);
	return status;
}

static mm_status check_labels(const int32_t *label, size_t n, uint32_t classes, mm_error *e)
{
	for (size_t r = 0; r < n; r++)
		if (label[r] >= (int32_t)classes)
			return mmi_fail(e, MM_EARG, "label %d in a logistic regression of %u classes", label[r], classes);
	if (!count_labels(label, n))
		return mmi_fail(e, MM_EARG, "a logistic regression needs labels; none of the %zu rows has one", n);
	return MM_OK;
}

mm_status mmi_probe_fit(const float *x, const int32_t *label, size_t n, uint32_t d, uint32_t classes, double penalty,
                        mmi_probe *out, mm_error *e)
{
	mmi_probe p = { .d = d, .classes = classes };
	MMI_TRY(check_labels(label, n, classes, e));
	p.mean = mmi_alloc(d, sizeof *p.mean);
	p.scale = mmi_alloc(d, sizeof *p.scale);
	p.weight = mmi_alloc((d + 1u) * (size_t)classes, sizeof *p.weight);
	mm_status status = p.mean && p.scale && p.weight
	                       ? fit(&p, x, label, n, penalty, e)
	                       : mmi_fail(e, MM_ENOMEM, "out of memory for a logistic regression");
	if (status == MM_OK)
		*out = p;
	else
		mmi_probe_clear(&p);
	return status;
}

void mmi_probe_clear(mmi_probe *p)
{
	mmi_free(p->mean);
	mmi_free(p->scale);
	mmi_free(p->weight);
	*p = (mmi_probe){ 0 };
}

int32_t mmi_probe_class(const mmi_probe *p, const float *x)
{
	int32_t best = 0;
	double top = -INFINITY;
	for (uint32_t c = 0; c < p->classes; c++) {
		const double *w = p->weight + c * (p->d + 1u);
		double logit = w[p->d];
		for (uint32_t i = 0; i < p->d; i++)
			logit += w[i] * (x[i] - p->mean[i]) / p->scale[i];
		if (logit > top) {
			top = logit;
			best = (int32_t)c;
		}
	}
	return best;
}

double mmi_probe_accuracy(const mmi_probe *p, const float *x, const int32_t *label, size_t n)
{
	size_t right = 0, all = count_labels(label, n);
	for (size_t r = 0; r < n; r++)
		right += label[r] >= 0 && mmi_probe_class(p, x + r * p->d) == label[r];
	return all ? (double)right / (double)all : NAN;
}
