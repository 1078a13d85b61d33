/* linear_rig.h - three linear modalities, x_m = [z, w_m] A_m + b_m + noise, whose posteriors are known in closed form.
 */
#ifndef MMI_TEST_LINEAR_RIG_H
#define MMI_TEST_LINEAR_RIG_H

#include <stdarg.h>

#include "mcmc/translate.h"

enum { LINEAR = 3, LINEAR_WIDTH = 4, LINEAR_CHUNK = 64 };

typedef struct linear_rig {
	mmi_modality modality[LINEAR];
	mmi_model *model;
	mmi_pool *pool;
	mmi_sampler *sampler;
	uint32_t rows;
	float *x[LINEAR];         /* [rows][LINEAR_WIDTH] */
	float *observed[LINEAR];  /* [rows] */
	uint8_t *missing[LINEAR]; /* [rows] */
} linear_rig;

extern const float linear_sigmas[LINEAR], linear_weights[LINEAR];

/* The model's latent sizes, prior, generators and fusion come from the config; the rest is set here. Fails the test on
 * errors. */
void linear_open(linear_rig *r, mmi_model_config config, uint32_t rows);
void linear_close(linear_rig *r);
/* bit m: modality m is observed, in every row */
void linear_observe(linear_rig *r, uint32_t subset);
/* "m1.decoder.out.weight" of the generator, and the like; fails the test when there is none. */
const float *linear_parameter(const mmi_params *p, const char *format, ...) MMI_PRINTF(2, 3);

#endif
