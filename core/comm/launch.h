/* launch.h - what a launcher of parallel programs (mpirun, srun) says of this process in its environment. No library is
 * needed to read it. */
#ifndef MMI_LAUNCH_H
#define MMI_LAUNCH_H

#include "base/base.h"

typedef struct mmi_launch {
	uint32_t rank, size; /* this process among those that were started together */
	uint32_t here;       /* those of them on this host; 1 where nobody says */
	uint32_t local;      /* this process among those; 0 where nobody says */
} mmi_launch;

/* One of one where no launcher started it. */
mmi_launch mmi_launch_read(void);

#endif
