/* joint.c - the posterior of z given all that is observed. */
#include "mmi_build.h"

#include "trained/joint.h"

#include "model/rows.h"

#include <math.h>

mm_status mmi_joint_create(const mmi_saved *s, uint32_t rows, mmi_joint *out, mm_error *e)
{
	const size_t z = (size_t)mmi_model_z_dim(s->model);
	mmi_joint j = { .loc = mmi_alloc(rows * z, sizeof(float)), .scale = mmi_alloc(rows * z, sizeof(float)) };
	bool ok = j.loc && j.scale;
	for (uint32_t m = 0; m < s->model->n_modalities; m++)
		ok = (j.observed[m] = mmi_alloc(rows, sizeof(float))) && ok;
	if (!ok) {
		mmi_joint_clear(&j);
		return mmi_fail(e, MM_ENOMEM, "out of memory for the joint latents of %u tuples", rows);
	}
	*out = j;
	return MM_OK;
}

void mmi_joint_clear(mmi_joint *j)
{
	mmi_free(j->loc);
	mmi_free(j->scale);
	mmi_rows_clear(j->observed);
	*j = (mmi_joint){ .loc = NULL };
}

/* Variance of a member of the family over its scale squared. */
static double variance_of_one(const mmi_model *m)
{
	return m->config.prior == MMI_PRIOR_LAPLACE ? 2 : 1;
}

static void mix(const mmi_joint *j, const mmi_model *m, uint32_t row, const mmi_experts *x)
{
	const size_t z = (size_t)mmi_model_z_dim(m);
	const double unit = variance_of_one(m);
	for (size_t k = row * z; k < (row + 1) * z; k++) {
		double n = 0, mean = 0, variance = 0;
		for (uint32_t i = 0; i < m->n_modalities; i++) {
			n += (double)j->observed[i][row];
			mean += (double)j->observed[i][row] * (double)x->loc[i][k];
		}
		mean /= n;
		for (uint32_t i = 0; i < m->n_modalities; i++) {
			const double apart = (double)x->loc[i][k] - mean, scale = (double)x->scale[i][k];
			variance += (double)j->observed[i][row] * (unit * scale * scale + apart * apart);
		}
		j->loc[k] = (float)mean;
		j->scale[k] = (float)sqrt(variance / n / unit);
	}
}

void mmi_joint_of(const mmi_joint *j, const mmi_saved *s, const mmi_tuples *tuples, uint32_t first, uint32_t rows,
                  const mmi_experts *experts)
{
	const mmi_model *m = s->model;
	for (uint32_t i = 0; i < m->n_modalities; i++)
		for (uint32_t r = 0; r < rows; r++)
			j->observed[i][r] = mmi_tuples_has(tuples, first + r, i) ? 1 : 0;
	if (m->config.fusion != MMI_FUSION_MIXTURE)
		mmi_sampler_fuse(s->sampler, mmi_rows_read(j->observed), experts, rows, j->loc, j->scale);
	for (uint32_t r = 0; m->config.fusion == MMI_FUSION_MIXTURE && r < rows; r++)
		mix(j, m, r, experts);
}
