/* nccl.h - NCCL, opened where ranks on several cards share a run: nothing links it. */
#ifndef MMI_CUDA_NCCL_H
#define MMI_CUDA_NCCL_H

#include "base/base.h"

#include <nccl.h>

/* The library's functions; since 2.14 it has them all. */
#define MMI_NCCL_FUNCTIONS(X) \
	X(ncclGetVersion)         \
	X(ncclGetUniqueId)        \
	X(ncclGetErrorString)     \
	X(ncclGetLastError)       \
	X(ncclCommInitRankConfig) \
	X(ncclCommGetAsyncError)  \
	X(ncclCommFinalize)       \
	X(ncclCommDestroy)        \
	X(ncclCommAbort)          \
	X(ncclGroupStart)         \
	X(ncclGroupEnd)           \
	X(ncclSend)               \
	X(ncclRecv)

typedef struct mmi_nccl {
#define MMI_NCCL_MEMBER(f) __typeof__(&f) f;
	MMI_NCCL_FUNCTIONS(MMI_NCCL_MEMBER)
#undef MMI_NCCL_MEMBER
	int version; /* 22809: 2.28.9 */
} mmi_nccl;

/* libnccl.so.2, wherever the system finds it; it is never unloaded. Messages say what is missing. */
mm_status mmi_nccl_open(mmi_nccl *out, mm_error *e);

#endif
