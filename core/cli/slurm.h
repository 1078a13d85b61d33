/* slurm.h - the runs of an ablation as an array of Slurm jobs. */
#ifndef MMI_SLURM_H
#define MMI_SLURM_H

#include "ablate/ablate.h"

/* A script for sbatch: the command as it was given, but for --slurm, with a part of the runs for each task. */
void mmi_slurm_print(FILE *out, const mmi_ablation *a, int argc, char **argv);

#endif
