/* texture.c - drawn backgrounds. A pattern maps a point to 0..1, a palette maps that to a colour.
 *
 * Digits show as inverted colours, so mid-grey would hide them: each palette keeps to one side, all light or all dark.
 */
#include "mmi_build.h"

#include "texture.h"

#include <math.h>

enum { SIDE = MNIST_TEXTURE_SIDE, COLOURS = 4 };

static const float TAU = 6.2831853f;

/* ---------------------------------------------------------------- noise */

static float hash(int x, int y, uint32_t seed)
{
	uint32_t h = (uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u ^ seed * 0xcb1ab31fu;
	h = (h ^ h >> 15) * 0x2c1b3c6du;
	h = (h ^ h >> 12) * 0x297a2d39u;
	return (float)((h ^ h >> 15) >> 8) * (1.0f / 16777216.0f);
}

static float ease(float t)
{
	return t * t * (3.0f - 2.0f * t);
}

static float mix(float a, float b, float t)
{
	return a + (b - a) * t;
}

static float clamp01(float t)
{
	return t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
}

/* 0 below `edge`, 1 above, smooth within `width` of it. */
static float step(float t, float edge, float width)
{
	return ease(clamp01((t - edge) / width + 0.5f));
}

static float noise(float x, float y, uint32_t seed)
{
	float fx = floorf(x), fy = floorf(y);
	int ix = (int)fx, iy = (int)fy;
	float tx = ease(x - fx), ty = ease(y - fy);
	float top = mix(hash(ix, iy, seed), hash(ix + 1, iy, seed), tx);
	float bottom = mix(hash(ix, iy + 1, seed), hash(ix + 1, iy + 1, seed), tx);
	return mix(top, bottom, ty);
}

/* Three octaves, 0..1. */
static float cloud(float x, float y, uint32_t seed)
{
	float sum =
		4.0f * noise(x, y, seed) + 2.0f * noise(2.0f * x, 2.0f * y, seed + 1) + noise(4.0f * x, 4.0f * y, seed + 2);
	return sum / 7.0f;
}

static float wave(float phase)
{
	return 0.5f + 0.5f * sinf(TAU * phase);
}

/* ---------------------------------------------------------------- patterns: pixels to 0..1 */

static float blobs(float x, float y)
{
	float t = noise(x / 14.0f, y / 14.0f, 11);
	return 0.33f * step(t, 0.35f, 0.08f) + 0.34f * step(t, 0.52f, 0.08f) + 0.33f * step(t, 0.68f, 0.08f);
}

static float stripes(float x, float y)
{
	float bend = 6.0f * noise(x / 40.0f, y / 40.0f, 21);
	float t = (x + y + bend) / 36.0f;
	return floorf(4.0f * (t - floorf(t))) / 3.0f;
}

static float checks(float x, float y)
{
	int column = (int)floorf(x / 9.0f), row = (int)floorf(y / 9.0f);
	float tint = 0.2f * hash(column, row, 31);
	return (column + row) % 2 ? 0.75f + tint : 0.05f + tint;
}

static float marble(float x, float y)
{
	return wave((x + 0.4f * y) / 40.0f + 2.2f * cloud(x / 36.0f, y / 36.0f, 41));
}

static float dots(float x, float y)
{
	float row = floorf(y / 14.0f), shift = fmodf(row, 2.0f) * 7.0f;
	float column = floorf((x + shift) / 14.0f);
	float dx = x + shift - 14.0f * column - 7.0f, dy = y - 14.0f * row - 7.0f;
	float inside = 1.0f - step(sqrtf(dx * dx + dy * dy), 4.8f, 0.8f);
	return inside * mix(0.4f, 1.0f, hash((int)column, (int)row, 51));
}

static float rings(float x, float y)
{
	float far = 0.0f;
	for (int k = 0; k < 3; k++) {
		float dx = x - 256.0f * hash(k, 0, 61), dy = y - 256.0f * hash(k, 1, 61);
		far += sinf(TAU * sqrtf(dx * dx + dy * dy) / 18.0f);
	}
	return clamp01(0.5f + far / 4.0f);
}

static float wood(float x, float y)
{
	float grain = 9.0f * cloud(x / 90.0f, y / 22.0f, 71);
	return clamp01(0.7f * (grain - floorf(grain)) + 0.3f * noise(x / 20.0f, y / 2.0f, 72));
}

static float bricks(float x, float y)
{
	float row = floorf(y / 10.0f), shift = fmodf(row, 2.0f) * 10.0f;
	float column = floorf((x + shift) / 20.0f);
	float dx = x + shift - 20.0f * column, dy = y - 10.0f * row;
	if (dx < 1.6f || dy < 1.6f)
		return 0.0f;
	return 0.4f + 0.6f * hash((int)column, (int)row, 81);
}

/* Cells around scattered seeds, each of one tint, with darker seams. */
static float cells(float x, float y)
{
	float nearest = 1e9f, second = 1e9f, tint = 0.0f;
	int cx = (int)floorf(x / 16.0f), cy = (int)floorf(y / 16.0f);
	for (int j = cy - 1; j <= cy + 1; j++)
		for (int i = cx - 1; i <= cx + 1; i++) {
			float dx = ((float)i + hash(i, j, 91)) * 16.0f - x, dy = ((float)j + hash(i, j, 92)) * 16.0f - y;
			float d = sqrtf(dx * dx + dy * dy);
			if (d < nearest) {
				second = nearest;
				nearest = d;
				tint = hash(i, j, 93);
			} else if (d < second) {
				second = d;
			}
		}
	return second - nearest < 1.2f ? 0.0f : 0.25f + 0.75f * tint;
}

static float plasma(float x, float y)
{
	float t =
		sinf(x / 9.0f) + sinf((y + 0.5f * x) / 11.0f) + sinf((x - y) / 13.0f + 4.0f * noise(x / 30.0f, y / 30.0f, 101));
	return 0.5f + t / 6.0f;
}

static float weave(float x, float y)
{
	int column = (int)floorf(x / 8.0f), row = (int)floorf(y / 8.0f);
	bool over = (column + row) % 2;
	float across = over ? y / 8.0f - floorf(y / 8.0f) : x / 8.0f - floorf(x / 8.0f);
	float round = sinf(0.5f * TAU * across);
	return (over ? 0.0f : 0.5f) + 0.5f * round;
}

static float night(float x, float y)
{
	float glow = 0.45f * cloud(x / 50.0f, y / 50.0f, 121);
	int cx = (int)floorf(x / 10.0f), cy = (int)floorf(y / 10.0f);
	float dx = x - 10.0f * ((float)cx + 0.2f + 0.6f * hash(cx, cy, 122)),
		  dy = y - 10.0f * ((float)cy + 0.2f + 0.6f * hash(cx, cy, 123));
	float size = 0.6f + 1.2f * hash(cx, cy, 124);
	return mix(glow, 1.0f, 1.0f - step(sqrtf(dx * dx + dy * dy), size, 1.0f));
}

/* ---------------------------------------------------------------- styles */

typedef struct style {
	float (*pattern)(float x, float y);
	uint8_t palette[COLOURS][3];
} style;

static const style styles[MNIST_TEXTURE_PATTERNS] = {
	{ blobs, { { 24, 20, 110 }, { 96, 10, 120 }, { 0, 84, 110 }, { 10, 30, 60 } } },
	{ stripes, { { 255, 226, 60 }, { 255, 178, 70 }, { 255, 205, 160 }, { 255, 244, 190 } } },
	{ checks, { { 10, 90, 50 }, { 30, 60, 20 }, { 0, 40, 60 }, { 0, 20, 45 } } },
	{ marble, { { 250, 140, 180 }, { 210, 160, 255 }, { 255, 205, 225 }, { 255, 242, 215 } } },
	{ dots, { { 120, 10, 30 }, { 90, 0, 70 }, { 170, 60, 0 }, { 140, 0, 110 } } },
	{ rings, { { 120, 225, 255 }, { 170, 255, 230 }, { 200, 235, 255 }, { 130, 255, 180 } } },
	{ wood, { { 110, 62, 24 }, { 84, 44, 14 }, { 60, 28, 8 }, { 44, 18, 8 } } },
	{ bricks, { { 245, 240, 220 }, { 255, 215, 150 }, { 255, 190, 140 }, { 240, 225, 130 } } },
	{ cells, { { 20, 0, 0 }, { 110, 40, 10 }, { 0, 80, 40 }, { 100, 0, 60 } } },
	{ plasma, { { 190, 255, 90 }, { 250, 255, 120 }, { 130, 250, 150 }, { 230, 255, 210 } } },
	{ weave, { { 70, 0, 30 }, { 150, 30, 60 }, { 50, 30, 0 }, { 120, 80, 0 } } },
	{ night, { { 8, 8, 40 }, { 30, 10, 80 }, { 60, 20, 110 }, { 170, 90, 200 } } },
};

static float palette_at(const style *s, float t, int channel)
{
	float at = clamp01(t) * (COLOURS - 1);
	int k = at < COLOURS - 2 ? (int)at : COLOURS - 2;
	return mix(s->palette[k][channel], s->palette[k + 1][channel], at - (float)k);
}

/* Mean of 2 x 2 points, so that edges are soft. */
static void colour_at(const style *s, int x, int y, float rgb[3])
{
	rgb[0] = rgb[1] = rgb[2] = 0.0f;
	for (int k = 0; k < 4; k++) {
		float t = s->pattern((float)x + 0.25f + 0.5f * (float)(k & 1), (float)y + 0.25f + 0.5f * (float)(k >> 1));
		for (int c = 0; c < 3; c++)
			rgb[c] += 0.25f * palette_at(s, t, c);
	}
}

mm_status mnist_texture(const mnist_plugin *p, uint32_t number, mnist_image *out, mm_error *e)
{
	const style *s = &styles[number % MNIST_TEXTURE_PATTERNS];
	const uint32_t round = number / MNIST_TEXTURE_PATTERNS; /* turns the colours, then inverts them */
	uint8_t *rgb = mma_new(&p->host, SIDE * SIDE, 3);
	if (!rgb)
		return mma_no_memory(e, "a background");
	for (int k = 0; k < SIDE * SIDE; k++) {
		float colour[3];
		colour_at(s, k % SIDE, k / SIDE, colour);
		for (uint32_t c = 0; c < 3; c++) {
			uint8_t v = (uint8_t)(colour[(c + round) % 3] + 0.5f);
			rgb[3 * (uint32_t)k + c] = round / 3 % 2 ? (uint8_t)(255 - v) : v;
		}
	}
	*out = (mnist_image){ SIDE, SIDE, rgb };
	return MM_OK;
}
