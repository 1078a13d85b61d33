/* open.h - MPI, opened where a launcher started several ranks. */
#ifndef MMI_COMM_OPEN_H
#define MMI_COMM_OPEN_H

#include "comm/module.h"

/* The ranks that a launcher started with this process (launch.h); one alone where none did: then no library is looked
 * for. comm-mpi.so is looked for in $MMCORE_BACKENDS, else where it is installed; it is never unloaded. `interrupted`
 * and `log` as in mmi_comm_request. Close in every case of success. */
mm_status mmi_comm_join(bool (*interrupted)(void), const mmi_log *log, mmi_comm *out, mm_error *e);
/* Whether join could open the module, without joining: an error where it could not. */
mm_status mmi_comm_check(mm_error *e);

#endif
