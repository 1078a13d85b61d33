/* launch.c - see launch.h. */
#include "mmi_build.h"

#include "comm/launch.h"

#include <stdlib.h>

/* Open MPI's mpirun; that of MPICH and srun --mpi=pmi2; srun --mpi=pmix. The last numbers may go on, as in "2(x4),1".
 */
static const struct {
	const char *rank, *size, *here, *local;
} launchers[] = {
	{ "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK" },
	{ "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", "MPI_LOCALRANKID" },
	{ "PMIX_RANK", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_TASKS_PER_NODE", "SLURM_LOCALID" },
};

/* A whole number at the start of a variable; `none` where there is none. */
static uint32_t number_of(const char *name, uint32_t none)
{
	const char *text = getenv(name);
	char *end;
	if (!text)
		return none;
	const unsigned long n = strtoul(text, &end, 10);
	return end != text && n < UINT32_MAX ? (uint32_t)n : none;
}

mmi_launch mmi_launch_read(void)
{
	for (size_t i = 0; i < MMI_COUNT(launchers); i++) {
		const uint32_t size = number_of(launchers[i].size, 0), rank = number_of(launchers[i].rank, UINT32_MAX);
		if (size > 1 && rank < size)
			return (mmi_launch){ rank, size, number_of(launchers[i].here, 1), number_of(launchers[i].local, 0) };
	}
	return (mmi_launch){ 0, 1, 1, 0 };
}
