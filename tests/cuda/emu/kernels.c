/* kernels.c - the backend's kernels for the emulated device: the files that nvcc compiles, as they are. */
#include "backend/cuda/chain.cu"
#include "backend/cuda/draw.cu"
#include "backend/cuda/elementwise.cu"
#include "backend/cuda/fuse.cu"
#include "backend/cuda/layout.cu"
#include "backend/cuda/params.cu"
#include "backend/cuda/pool.cu"
#include "backend/cuda/reduce.cu"
