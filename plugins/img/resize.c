/* resize.c - separable filters: columns first into floats, then rows. */
#include "mmi_build.h"

#include "orient.h"
#include "resize.h"

#include <math.h>

/* How the pixels of one side are made of those of another: n taps each from `first`. */
typedef struct taps {
	int32_t *first; /* [size] */
	float *weight;  /* [size][n] */
	int32_t n;
} taps;

static const double PI = 3.14159265358979323846;

static double sinc(double x)
{
	return x == 0 ? 1 : sin(PI * x) / (PI * x);
}

static double lanczos3(double x)
{
	return fabs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

/* How much of the source pixel at `at` lies in centre +- half. */
static double overlap(double at, double centre, double half)
{
	double low = fmax(at, centre - half), high = fmin(at + 1, centre + half);
	return high > low ? high - low : 0;
}

/* The weight of source pixel k for a target whose centre is at `centre`, both in source pixels; `scale` of them a
 * target. */
static double weigh(const img_fit *fit, int32_t k, double centre, double scale)
{
	double stretch = fmax(scale, 1), distance = k + 0.5 - centre;
	if (fit->lanczos)
		return lanczos3(distance / stretch);
	return scale > 1 ? overlap(k, centre, scale / 2) : fmax(0, 1 - fabs(distance));
}

static void fill_tap(const img_fit *fit, const taps *t, int32_t target, int32_t offset, int32_t length, double scale)
{
	double centre = (target + 0.5) * scale, sum = 0;
	float *w = t->weight + (size_t)target * (size_t)t->n;
	int32_t first = (int32_t)floor(centre - t->n / 2.0 + 0.5);
	first = first + t->n > length ? length - t->n : first;
	first = first < 0 ? 0 : first;
	for (int32_t k = 0; k < t->n; k++)
		sum += weigh(fit, first + k, centre, scale);
	for (int32_t k = 0; k < t->n; k++)
		w[k] = (float)(weigh(fit, first + k, centre, scale) / sum);
	t->first[target] = offset + first;
}

/* Taps from `length` pixels that begin at `offset` to fit->size. */
static mm_status make_taps(const mma_host *h, const img_fit *fit, uint32_t offset, uint32_t length, taps *out,
                           mm_error *e)
{
	double scale = (double)length / fit->size, reach = fit->lanczos ? 3 * fmax(scale, 1) : fmax(scale / 2, 1);
	int32_t n = (int32_t)ceil(2 * reach) + 1;
	taps t = { .n = n < (int32_t)length ? n : (int32_t)length };
	t.first = mma_new(h, (size_t)fit->size, sizeof(*t.first));
	t.weight = mma_new(h, (size_t)fit->size * (size_t)t.n, sizeof(*t.weight));
	*out = t;
	if (!t.first || !t.weight)
		return mma_no_memory(e, "a picture's filter");
	for (int32_t i = 0; i < fit->size; i++)
		fill_tap(fit, &t, i, (int32_t)offset, (int32_t)length, scale);
	return MM_OK;
}

static void release_taps(const mma_host *h, taps *t)
{
	mma_free(h, t->first);
	mma_free(h, t->weight);
}

/* rows [begin, begin + count) of the picture, narrowed to size columns: out [count][size][3] */
static void narrow(const img_pixels *from, const taps *across, int32_t size, uint32_t begin, uint32_t count, float *out)
{
	for (size_t y = 0; y < count; y++) {
		const uint8_t *row = from->rgb + (begin + y) * (size_t)from->width * 3;
		for (int32_t x = 0; x < size; x++) {
			const uint8_t *at = row + (size_t)across->first[x] * 3;
			const float *w = across->weight + (size_t)x * (size_t)across->n;
			float sum[3] = { 0, 0, 0 };
			for (int32_t k = 0; k < across->n; k++)
				for (int c = 0; c < 3; c++)
					sum[c] += w[k] * (float)at[3 * k + c];
			for (int c = 0; c < 3; c++)
				out[(y * (size_t)size + (size_t)x) * 3 + (size_t)c] = sum[c];
		}
	}
}

static uint8_t to_byte(float x)
{
	return x <= 0 ? 0 : x >= 255 ? 255 : (uint8_t)(x + 0.5f);
}

static void lower(const float *rows, uint32_t begin, const taps *down, int32_t size, uint8_t *out)
{
	const size_t width = (size_t)size * 3;
	for (int32_t y = 0; y < size; y++) {
		const float *w = down->weight + (size_t)y * (size_t)down->n;
		const float *at = rows + (size_t)(down->first[y] - (int32_t)begin) * width;
		for (size_t x = 0; x < width; x++) {
			float sum = 0;
			for (int32_t k = 0; k < down->n; k++)
				sum += w[k] * at[(size_t)k * width + x];
			out[(size_t)y * width + x] = to_byte(sum);
		}
	}
}

mm_status img_resize(const mma_host *h, const img_pixels *from, const img_fit *fit, uint8_t *out, mm_error *e)
{
	uint32_t side = from->width < from->height ? from->width : from->height;
	uint32_t width = fit->crop ? side : from->width, height = fit->crop ? side : from->height;
	uint32_t left = (from->width - width) / 2, top = (from->height - height) / 2;
	taps across = { NULL, NULL, 0 }, down = { NULL, NULL, 0 };
	float *rows = mma_new(h, (size_t)height * (size_t)fit->size * 3, sizeof(*rows));
	mm_status status = rows ? MM_OK : mma_no_memory(e, "a picture");
	if (status == MM_OK)
		status = make_taps(h, fit, left, width, &across, e);
	if (status == MM_OK)
		status = make_taps(h, fit, top, height, &down, e);
	if (status == MM_OK) {
		narrow(from, &across, fit->size, top, height, rows);
		lower(rows, top, &down, fit->size, out);
	}
	release_taps(h, &across);
	release_taps(h, &down);
	mma_free(h, rows);
	return status;
}

mm_status img_square(const mma_host *h, const char *path, const img_fit *fit, uint8_t *out, mm_error *e)
{
	img_pixels pixels;
	MMA_TRY(img_decode(h, path, (uint32_t)fit->size, &pixels, e));
	mm_status status = fit->as_stored ? MM_OK : img_turn(h, &pixels, e);
	if (status == MM_OK)
		status = img_resize(h, &pixels, fit, out, e);
	mma_free(h, pixels.rgb);
	return status;
}
