/* data.c - the samples: 16 x 16 pictures of a bar whose angle is its class. Replace draw_bar by your own. */
#define MMA_SAMPLES
#include "modality.h"

#include <math.h>

/* The sample: values from -1 to 1, row by row. Chance comes from mma_chance: rand() would make every run another one.
 */
void draw_bar(int32_t split, uint32_t index, double noise, float *out)
{
	const uint32_t key = index + (split == MM_SPLIT_TEST ? 1000000u : 0u);
	const double angle = 3.14159265358979 * (index % CLASSES) / (double)CLASSES;
	const double x0 = SIDE / 2 + 4 * mma_chance(key, 0) - 2, y0 = SIDE / 2 + 4 * mma_chance(key, 1) - 2;
	for (uint32_t p = 0; p < SIDE * SIDE; p++) {
		const double x = p % SIDE + 0.5 - x0, y = p / SIDE + 0.5 - y0;
		const double off = fabs(y * cos(angle) - x * sin(angle)), along = fabs(x * cos(angle) + y * sin(angle));
		const double v = (off < 1.5 && along < 6 ? 0.8 : -0.8) + noise * (2 * mma_chance(key, p + 2) - 1);
		out[p] = (float)(v < -1 ? -1 : v > 1 ? 1 : v);
	}
}

/* All samples of a split. Keys join modalities: "i.c" is the i-th sample of class c, as in mnist.so. */
mm_status open_data(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	mm_dataset *d = mma_samples_new(&i->host, split, SIDE * SIDE, e);
	mm_status status = d ? MM_OK : e->code;
	for (uint32_t k = 0; status == MM_OK && k < (split == MM_SPLIT_TRAIN ? TRAIN : TEST); k++) {
		char key[MMA_KEY];
		float *x = NULL;
		snprintf(key, sizeof key, "%u.%u", k / CLASSES, k % CLASSES);
		status = mma_samples_add(d, key, (int32_t)(k % CLASSES), &x, e);
		if (status == MM_OK)
			draw_bar(split, k, i->noise, x);
	}
	if (status == MM_OK)
		*out = d;
	else
		mma_samples_close(d);
	return status;
}
