/* nccl.h - as much of NCCL as the emulated device offers. Made by make_headers.py; values are NVIDIA's. */
#ifndef EMU_NCCL_H
#define EMU_NCCL_H

#include <limits.h>
#include <stddef.h>
#include <cuda_runtime_api.h>

typedef enum {
	ncclInProgress = 7,
	ncclInternalError = 3,
	ncclInvalidArgument = 4,
	ncclInvalidUsage = 5,
	ncclRemoteError = 6,
	ncclSuccess = 0,
	ncclSystemError = 2,
} ncclResult_t;
typedef enum {
	ncclFloat32 = 7,
} ncclDataType_t;

#define NCCL_UNIQUE_ID_BYTES 128
#define NCCL_CONFIG_MAGIC 0xcafebeef
typedef struct ncclComm *ncclComm_t;
typedef struct ncclUniqueId {
	char internal[NCCL_UNIQUE_ID_BYTES];
} ncclUniqueId;
/* The beginning of NVIDIA's, which gets longer with its versions. */
typedef struct ncclConfig_t {
	size_t size;
	unsigned magic, version;
	int blocking;
} ncclConfig_t;
#define NCCL_CONFIG_INITIALIZER                                 \
	{                                                           \
		sizeof(ncclConfig_t), NCCL_CONFIG_MAGIC, 22809, INT_MIN \
	}
ncclResult_t ncclGetVersion(int *version);
ncclResult_t ncclGetUniqueId(ncclUniqueId *id);
ncclResult_t ncclCommInitRankConfig(ncclComm_t *out, int n, ncclUniqueId id, int rank, ncclConfig_t *config);
ncclResult_t ncclCommFinalize(ncclComm_t c);
ncclResult_t ncclCommDestroy(ncclComm_t c);
ncclResult_t ncclCommAbort(ncclComm_t c);
ncclResult_t ncclCommGetAsyncError(ncclComm_t c, ncclResult_t *out);
const char *ncclGetErrorString(ncclResult_t r);
const char *ncclGetLastError(ncclComm_t c);
ncclResult_t ncclGroupStart(void);
ncclResult_t ncclGroupEnd(void);
ncclResult_t ncclSend(const void *from, size_t count, ncclDataType_t type, int peer, ncclComm_t c, cudaStream_t s);
ncclResult_t ncclRecv(void *to, size_t count, ncclDataType_t type, int peer, ncclComm_t c, cudaStream_t s);

#endif
