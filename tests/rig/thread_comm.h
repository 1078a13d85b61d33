/* thread_comm.h - ranks that are threads of one process, each with a learner of its own: what they exchange is copied
 * from memory to memory. */
#ifndef THREAD_COMM_H
#define THREAD_COMM_H

#include "engine/comm.h"

typedef struct thread_comm thread_comm;

thread_comm *thread_comm_create(uint32_t size);
void thread_comm_destroy(thread_comm *t);
/* No rank was sent more or less than it waited for. */
bool thread_comm_fits(const thread_comm *t);
/* Valid as long as what it is of. */
mmi_comm thread_comm_rank(thread_comm *t, uint32_t rank);

#endif
