/* coherence.c - counting agreement. */
#include "mmi_build.h"

#include "eval/coherence.h"

#include <math.h>

uint64_t mmi_coherence_agree(const int32_t *const *class_of, uint32_t n_modalities, uint32_t rows)
{
	uint64_t agree = 0;
	for (uint32_t r = 0; r < rows; r++) {
		const int32_t *first = NULL;
		bool same = true;
		for (uint32_t m = 0; m < n_modalities; m++) {
			if (!class_of[m])
				continue;
			same = same && (!first || first[r] == class_of[m][r]);
			first = class_of[m];
		}
		agree += same;
	}
	return agree;
}

void mmi_confusion_add(mmi_confusion *c, uint32_t source, uint32_t target, const int32_t *class_of,
                       const int32_t *label, const uint8_t *counted, uint32_t rows)
{
	for (uint32_t r = 0; r < rows; r++) {
		if ((counted && !counted[r]) || label[r] < 0)
			continue;
		c->all[source][target]++;
		c->right[source][target] += class_of[r] == label[r];
	}
}

double mmi_confusion_share(const mmi_confusion *c, uint32_t source, uint32_t target)
{
	uint64_t all = c->all[source][target];
	return all ? (double)c->right[source][target] / (double)all : NAN;
}

/* The mean of what is there. */
typedef struct mmi_mean {
	double sum;
	uint32_t n;
} mmi_mean;

static void mean_add(mmi_mean *m, double value)
{
	if (isnan(value))
		return;
	m->sum += value;
	m->n++;
}

static double mean_of(const mmi_mean *m)
{
	return m->n ? m->sum / m->n : NAN;
}

double mmi_confusion_mean(const mmi_confusion *c, uint32_t n)
{
	mmi_mean over_targets = { 0 };
	for (uint32_t t = 0; t < n; t++) {
		mmi_mean over_sources = { 0 };
		for (uint32_t s = 0; s < n; s++)
			if (s != t)
				mean_add(&over_sources, mmi_confusion_share(c, s, t));
		mean_add(&over_targets, mean_of(&over_sources));
	}
	return mean_of(&over_targets);
}

double mmi_confusion_row(const mmi_confusion *c, uint32_t source, uint32_t n)
{
	mmi_mean over_targets = { 0 };
	for (uint32_t t = 0; t < n; t++)
		mean_add(&over_targets, mmi_confusion_share(c, source, t));
	return mean_of(&over_targets);
}
