/* orient.c - how cameras say that they were held: EXIF's orientation, and pictures turned after it. */
#include "mmi_build.h"

#include "orient.h"

#include <string.h>

enum { ORIENTATION_TAG = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };

/* ---------------------------------------------------------------- EXIF */

static uint32_t number(const uint8_t *at, size_t bytes, bool big)
{
	uint32_t value = 0;
	for (size_t k = 0; k < bytes; k++)
		value = value << 8 | at[big ? k : bytes - 1 - k];
	return value;
}

int img_exif_orientation(const uint8_t *tiff, size_t size)
{
	if (size < 8 || (memcmp(tiff, "II*\0", 4) && memcmp(tiff, "MM\0*", 4)))
		return 1;
	const bool big = tiff[0] == 'M';
	const size_t at = number(tiff + 4, 4, big);
	if (at > size - 2)
		return 1;
	size_t n = number(tiff + at, 2, big);
	for (const uint8_t *entry = tiff + at + 2; n && (size_t)(tiff + size - entry) >= ENTRY; n--, entry += ENTRY) {
		if (number(entry, 2, big) != ORIENTATION_TAG || number(entry + 2, 2, big) != TYPE_SHORT)
			continue;
		uint32_t value = number(entry + 8, 2, big);
		return value >= 1 && value <= 8 ? (int)value : 1;
	}
	return 1;
}

/* ---------------------------------------------------------------- turning */

/* How each orientation is undone: rows and columns change places, after which the picture is read from its right, from
 * below. */
static const struct turn {
	bool transpose, from_right, from_below;
} turns[9] = {
	[2] = { false, true, false }, [3] = { false, true, true }, [4] = { false, false, true },
	[5] = { true, false, false }, [6] = { true, false, true }, [7] = { true, true, true },
	[8] = { true, true, false },
};

static void copy_turned(const img_pixels *from, struct turn t, img_pixels *to)
{
	for (uint32_t y = 0; y < to->height; y++)
		for (uint32_t x = 0; x < to->width; x++) {
			uint32_t u = t.transpose ? y : x, v = t.transpose ? x : y;
			u = t.from_right ? from->width - 1 - u : u;
			v = t.from_below ? from->height - 1 - v : v;
			memcpy(to->rgb + 3 * ((size_t)y * to->width + x), from->rgb + 3 * ((size_t)v * from->width + u), 3);
		}
}

mm_status img_turn(const mma_host *h, img_pixels *p, mm_error *e)
{
	if (p->orientation < 2 || p->orientation > 8)
		return MM_OK;
	const struct turn t = turns[p->orientation];
	img_pixels turned = { .width = t.transpose ? p->height : p->width,
		                  .height = t.transpose ? p->width : p->height,
		                  .orientation = 1 };
	turned.rgb = mma_new(h, (size_t)turned.width * turned.height, 3);
	if (!turned.rgb)
		return mma_no_memory(e, "a turned picture");
	copy_turned(p, t, &turned);
	mma_free(h, p->rgb);
	*p = turned;
	return MM_OK;
}
