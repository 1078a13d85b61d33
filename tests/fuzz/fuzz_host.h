/* fuzz_host.h - the program's host as plugins see it; blocks that a plugin keeps are a finding. */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include "fuzz.h"
#include "common/common.h"

const mma_host *fuzz_host(void);
size_t fuzz_blocks(void);
/* A finding unless there are as many blocks as before. */
void fuzz_same_blocks(size_t before);

#endif
