/* joint.h - what all that is observed of a tuple tells of z together. */
#ifndef MMI_JOINT_H
#define MMI_JOINT_H

#include "data/tuples.h"
#include "run/saved.h"

typedef struct mmi_joint {
	float *loc, *scale;                  /* [rows][z_dim] */
	float *observed[MMI_MAX_MODALITIES]; /* [rows] of 1 and 0 */
} mmi_joint;

/* For blocks of so many rows, whole chunks. */
mm_status mmi_joint_create(const mmi_saved *s, uint32_t rows, mmi_joint *out, mm_error *e);
void mmi_joint_clear(mmi_joint *j);
/* Location and scale of q(z | X_O) of tuples first to first + rows - 1, of which `experts` tell, by the model's fusion:
 * what translations start from. Of a mixture, which is none of the family, the mean, and the scale with which a member
 * of the family has its variance. */
void mmi_joint_of(const mmi_joint *j, const mmi_saved *s, const mmi_tuples *tuples, uint32_t first, uint32_t rows,
                  const mmi_experts *experts);

#endif
