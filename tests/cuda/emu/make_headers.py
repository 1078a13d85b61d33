#!/usr/bin/env python3
"""Headers with as much of the CUDA runtime, cuDNN, cuBLASLt and NCCL as the backend uses, so that it compiles against the
emulated device where no toolkit is installed. Names are those found in the sources, values are NVIDIA's.

    make_headers.py TOOLKIT         writes include/*.h (then: make format)
    make_headers.py TOOLKIT check   compares the values of those that are there with the toolkit's
"""
import os
import re
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "..", "..", "..")

# The enumeration that a name belongs to, by its beginning.
RUNTIME = [
    ("cudaError_t", "enum cudaError", r"cudaSuccess|cudaError[A-Z]\w*"),
    (None, "enum cudaMemcpyKind", r"cudaMemcpy\w+To\w+"),
    (None, "enum cudaStreamCaptureMode", r"cudaStreamCaptureMode[A-Z]\w+"),
    (None, "enum", r"cudaStreamNonBlocking|cudaEventDisableTiming"),
]
CUDNN = [
    ("cudnnStatus_t", "enum", r"CUDNN_STATUS_\w+"),
    ("cudnnDataType_t", "enum", r"CUDNN_DATA_\w+"),
    ("cudnnBackendDescriptorType_t", "enum", r"CUDNN_BACKEND_\w+_DESCRIPTOR"),
    ("cudnnBackendAttributeName_t", "enum", r"CUDNN_ATTR_\w+"),
    ("cudnnBackendAttributeType_t", "enum", r"CUDNN_TYPE_\w+"),
    ("cudnnConvolutionMode_t", "enum", r"CUDNN_CROSS_CORRELATION"),
    ("cudnnBackendHeurMode_t", "enum", r"CUDNN_HEUR_MODE_\w+"),
    ("cudnnPointwiseMode_t", "enum", r"CUDNN_POINTWISE_\w+"),
    ("cudnnBackendNumericalNote_t", "enum", r"CUDNN_NUMERICAL_NOTE_\w+"),
    ("cudnnBackendBehaviorNote_t", "enum", r"CUDNN_BEHAVIOR_NOTE_\w+"),
]
CUBLASLT = [
    ("cublasStatus_t", "enum", r"CUBLAS_STATUS_\w+"),
    ("cublasComputeType_t", "enum", r"CUBLAS_COMPUTE_\w+"),
    ("cudaDataType_t", "enum", r"CUDA_R_\w+"),
    ("cublasOperation_t", "enum", r"CUBLAS_OP_[NT]"),
    ("cublasLtMatmulDescAttributes_t", "enum", r"CUBLASLT_MATMUL_DESC_\w+"),
    ("cublasLtMatmulPreferenceAttributes_t", "enum", r"CUBLASLT_MATMUL_PREF_\w+"),
    ("cublasLtEpilogue_t", "enum", r"CUBLASLT_EPILOGUE_\w+"),
    ("cublasLtReductionScheme_t", "enum", r"CUBLASLT_REDUCTION_SCHEME_\w+"),
]

NCCL = [
    ("ncclResult_t", "enum", r"nccl(?:Success|InProgress|(?:UnhandledCuda|System|Internal|Remote)Error|Invalid(?:Argument|Usage))"),
    ("ncclDataType_t", "enum", r"ncclFloat32"),
]

RUNTIME_REST = """
typedef struct dim3 {
	unsigned x, y, z;
} dim3;
typedef struct CUuuid_st {
	char bytes[16];
} cudaUUID_t;
struct cudaDeviceProp {
	char name[256];
	cudaUUID_t uuid;
	int major, minor, multiProcessorCount;
};
typedef struct CUstream_st *cudaStream_t;
typedef struct CUevent_st *cudaEvent_t;
typedef struct CUgraph_st *cudaGraph_t;
typedef struct CUgraphExec_st *cudaGraphExec_t;
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaGetDeviceCount(int *n);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device);
const char *cudaGetErrorString(cudaError_t e);
cudaError_t cudaMemGetInfo(size_t *left, size_t *total);
cudaError_t cudaMalloc(void **out, size_t bytes);
cudaError_t cudaFree(void *p);
cudaError_t cudaMallocHost(void **out, size_t bytes);
cudaError_t cudaFreeHost(void *p);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t s);
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t s);
cudaError_t cudaLaunchKernel(const void *function, dim3 grid, dim3 block, void **args, size_t shared, cudaStream_t s);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamSynchronize(cudaStream_t s);
cudaError_t cudaStreamQuery(cudaStream_t s);
cudaError_t cudaDeviceSynchronize(void);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t e);
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s);
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags);
cudaError_t cudaEventSynchronize(cudaEvent_t e);
cudaError_t cudaEventQuery(cudaEvent_t e);
cudaError_t cudaStreamBeginCapture(cudaStream_t s, enum cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *out);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t g, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t g, cudaStream_t s);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t g);
cudaError_t cudaGraphDestroy(cudaGraph_t g);
"""

CUDNN_REST = """
typedef struct cudnnContext *cudnnHandle_t;
typedef void *cudnnBackendDescriptor_t;
size_t cudnnGetVersion(void);
cudnnStatus_t cudnnCreate(cudnnHandle_t *out);
cudnnStatus_t cudnnDestroy(cudnnHandle_t h);
cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t s);
const char *cudnnGetErrorString(cudnnStatus_t s);
void cudnnGetLastErrorString(char *out, size_t n);
cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *out);
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d);
cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t d);
cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t n, const void *data);
cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t room, int64_t *n, void *data);
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t h, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack);
"""

CUBLASLT_REST = """
typedef struct cublasLtContext *cublasLtHandle_t;
typedef struct cublasLtMatmulDescOpaque *cublasLtMatmulDesc_t;
typedef struct cublasLtMatrixLayoutOpaque *cublasLtMatrixLayout_t;
typedef struct cublasLtMatmulPreferenceOpaque *cublasLtMatmulPreference_t;
typedef struct cublasLtMatmulAlgo_t {
	uint64_t data[8];
} cublasLtMatmulAlgo_t;
typedef struct cublasLtMatmulHeuristicResult_t {
	cublasLtMatmulAlgo_t algo;
	size_t workspaceSize;
	cublasStatus_t state;
	float wavesCount;
	int reserved[4];
} cublasLtMatmulHeuristicResult_t;
size_t cublasLtGetVersion(void);
const char *cublasLtGetStatusName(cublasStatus_t s);
cublasStatus_t cublasLtCreate(cublasLtHandle_t *out);
cublasStatus_t cublasLtDestroy(cublasLtHandle_t h);
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *out, cublasComputeType_t compute, cudaDataType_t scale);
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d);
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t name,
                                              const void *value, size_t bytes);
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *out, cudaDataType_t type, uint64_t rows,
                                          uint64_t columns, int64_t stride);
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l);
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *out);
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p);
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t name, const void *value,
                                                    size_t bytes);
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t h, cublasLtMatmulDesc_t d, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t to, cublasLtMatmulPreference_t p, int room,
                                              cublasLtMatmulHeuristicResult_t *out, int *found);
cublasStatus_t cublasLtMatmul(cublasLtHandle_t h, cublasLtMatmulDesc_t d, const void *alpha, const void *a,
                              cublasLtMatrixLayout_t a_layout, const void *b, cublasLtMatrixLayout_t b_layout,
                              const void *beta, const void *c, cublasLtMatrixLayout_t c_layout, void *to,
                              cublasLtMatrixLayout_t to_layout, const cublasLtMatmulAlgo_t *algo, void *workspace,
                              size_t workspace_bytes, cudaStream_t s);
"""

NCCL_REST = """
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
#define NCCL_CONFIG_INITIALIZER { sizeof(ncclConfig_t), NCCL_CONFIG_MAGIC, 22809, INT_MIN }
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
"""

HEADERS = [
    ("cuda_runtime_api.h", "the CUDA runtime", RUNTIME, RUNTIME_REST, ["<stddef.h>"]),
    ("cudnn.h", "cuDNN's graph API", CUDNN, CUDNN_REST, ["<stddef.h>", "<stdint.h>", "<cuda_runtime_api.h>"]),
    ("cublasLt.h", "cuBLASLt", CUBLASLT, CUBLASLT_REST, ["<stddef.h>", "<stdint.h>", "<cuda_runtime_api.h>"]),
    ("nccl.h", "NCCL", NCCL, NCCL_REST, ["<limits.h>", "<stddef.h>", "<cuda_runtime_api.h>"]),
]


def sources():
    text = ""
    for folder in (os.path.join(root, "core", "backend", "cuda"), here, os.path.join(here, ".."),
                   os.path.join(here, "..", "nccl")):
        for name in sorted(os.listdir(folder)):
            if name.endswith((".c", ".h", ".cu")):
                text += open(os.path.join(folder, name)).read()
    return text


def values(names, header, toolkit):
    program = f"#include <stdio.h>\n#include <{header}>\nint main(void) {{\n"
    program += "".join(f'printf("{n} %lld\\n", (long long)({n}));\n' for n in names) + "return 0; }\n"
    with tempfile.TemporaryDirectory() as d:
        open(d + "/v.c", "w").write(program)
        subprocess.run(["cc", "-w", "-isystem", toolkit + "/include", d + "/v.c", "-o", d + "/v"], check=True)
        out = subprocess.run([d + "/v"], capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in out.splitlines())


def enumerations(groups, text, header, toolkit):
    out = ""
    for typedef, tag, pattern in groups:
        names = sorted(set(re.findall(rf"\b(?:{pattern})\b", text)))
        found = values(names, header, toolkit)
        if not names:
            out += f"typedef int {typedef};\n"
            continue
        body = "{\n" + "".join(f"\t{n} = {found[n]},\n" for n in names) + "}"
        out += f"typedef {tag} {body} {typedef};\n" if typedef else f"{tag} {body};\n"
    return out


def write(toolkit):
    text = sources()
    for name, what, groups, rest, includes in HEADERS:
        guard = "EMU_" + name.replace(".", "_").upper()
        with open(os.path.join(here, "include", name), "w") as f:
            f.write(f"/* {name} - as much of {what} as the emulated device offers. Made by make_headers.py; values are "
                    f"NVIDIA's. */\n#ifndef {guard}\n#define {guard}\n\n")
            f.write("".join(f"#include {i}\n" for i in includes) + "\n")
            f.write(enumerations(groups, text, name, toolkit) + rest + "\n#endif\n")


def check(toolkit):
    wrong = 0
    for name, *_ in HEADERS:
        if not os.path.exists(os.path.join(toolkit, "include", name)):
            print(f"{name}: not compared, as it is not there")
            continue
        ours = dict(re.findall(r"^\s+(\w+) = (\d+),?$", open(os.path.join(here, "include", name)).read(), re.M))
        theirs = values(sorted(ours), name, toolkit)
        for n in sorted(ours):
            if ours[n] != theirs[n]:
                print(f"{name}: {n} is {ours[n]}, the toolkit has {theirs[n]}")
                wrong += 1
        print(f"{name}: {len(ours)} values compared")
    return wrong


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[2:] == ["check"]:
        sys.exit(check(sys.argv[1]) != 0)
    write(sys.argv[1])
