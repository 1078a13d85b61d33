/* prune.h - which clusters of a learned prior the data want (Palumbo et al. 2024, after training). */
#ifndef MMI_FIT_PRUNE_H
#define MMI_FIT_PRUNE_H

#include "base/base.h"

typedef struct mmi_prune_request {
	const double *log_joint; /* [tuples][experts][clusters]: log pi_c + log p(z | c) at a draw z of an expert */
	const float *there;      /* [tuples][experts] of 1 and 0 */
	size_t tuples, experts, clusters, dim; /* dim: numbers in z */
	const double *weight;                  /* [clusters]: pi */
	double beta;                           /* of the training */
} mmi_prune_request;

/* As long as more than two are left, the cluster that is the answer to the fewest tuples goes (the answer: the one that
 * most experts' draws belong to; equal ones: the lightest). Of all sets on this way, the one of the least beta * mean
 * entropy of p(c | z) / log(clusters) - mean log p(z) / dim is kept: keep[c] becomes whether c is in it. Returns how
 * many are. */
mm_status mmi_prune(const mmi_prune_request *r, bool *keep, size_t *kept, mm_error *e);

#endif
