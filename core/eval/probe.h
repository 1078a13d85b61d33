/* probe.h - multinomial logistic regression: what can be read off latents linearly. */
#ifndef MMI_PROBE_H
#define MMI_PROBE_H

#include "base/base.h"

typedef struct mmi_probe {
	uint32_t d, classes;
	double *mean, *scale; /* [d]: features are standardised with those of the training set */
	double *weight;       /* [classes][d + 1], the bias last */
	uint32_t iterations;  /* that the fit took */
	double gradient;      /* largest entry of the gradient it ended with */
} mmi_probe;

/* Minimises the mean cross-entropy plus penalty/2 |weights|^2 (biases free) on x [n][d], labels 0..classes-1, by
 * accelerated full-batch descent with restarts (O'Donoghue and Candes 2015): deterministic, one minimum. Rows with a
 * label below 0 are left out; none left is MM_EARG. */
mm_status mmi_probe_fit(const float *x, const int32_t *label, size_t n, uint32_t d, uint32_t classes, double penalty,
                        mmi_probe *out, mm_error *e);
void mmi_probe_clear(mmi_probe *p);
int32_t mmi_probe_class(const mmi_probe *p, const float *x /* [d] */);
/* Share of rows with a label that get it; NaN without any. */
double mmi_probe_accuracy(const mmi_probe *p, const float *x, const int32_t *label, size_t n);

#endif
