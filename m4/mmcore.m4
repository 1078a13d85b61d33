# mmcore.m4 - the checks of mmcore's own, one macro each; configure.ac reads as their list.

# MMCORE_WITH_LIBS(FLAGS, LIBS, COMMANDS) - runs COMMANDS with the flags added, and restores them.
AC_DEFUN([MMCORE_WITH_LIBS], [
	mmcore_save_CPPFLAGS=$CPPFLAGS
	mmcore_save_LIBS=$LIBS
	CPPFLAGS="$CPPFLAGS $1"
	LIBS="$2 $LIBS"
	$3
	CPPFLAGS=$mmcore_save_CPPFLAGS
	LIBS=$mmcore_save_LIBS
])

# MMCORE_OPENBLAS - optional, for matrix products on request, and for evaluation: HAVE_OPENBLAS, OPENBLAS_CFLAGS,
# OPENBLAS_LIBS. By pkg-config, else -lopenblas. The call that sets the number of threads tells OpenBLAS from other libraries
# with a cblas.h.
AC_DEFUN([MMCORE_OPENBLAS], [
	AC_ARG_WITH([openblas],
		[AS_HELP_STRING([--with-openblas=auto|yes|no], [matrix products by OpenBLAS for MMCORE_ISA=blas, and its LAPACK @<:@auto@:>@])],
		[], [with_openblas=auto])
	AS_CASE([$with_openblas], [auto|yes|no], [], [AC_MSG_ERROR([--with-openblas takes auto, yes or no])])
	mmcore_openblas=no
	AS_IF([test "x$with_openblas" != xno], [
		PKG_CHECK_MODULES([OPENBLAS], [openblas], [], [: ${OPENBLAS_LIBS=-lopenblas}])
		MMCORE_WITH_LIBS([$OPENBLAS_CFLAGS], [$OPENBLAS_LIBS], [
			AC_CHECK_HEADER([cblas.h], [mmcore_cblas_h=yes])
			AC_CHECK_FUNC([openblas_set_num_threads], [mmcore_openblas=yes])
		])
		AS_IF([test "x$mmcore_cblas_h$mmcore_openblas" = xyesyes],
			[AC_DEFINE([HAVE_OPENBLAS], [1], [Define to 1 if OpenBLAS computes matrix products on request.])],
			[mmcore_openblas=no
			AS_IF([test "x$with_openblas" = xyes],
				[AC_MSG_FAILURE([--with-openblas=yes, but OpenBLAS was not found (Debian: libopenblas-dev)])])])
	])
	AS_IF([test $mmcore_openblas = no], [OPENBLAS_CFLAGS= OPENBLAS_LIBS=])
	AM_CONDITIONAL([HAVE_OPENBLAS], [test $mmcore_openblas = yes])
])

# MMCORE_LAPACK - optional, for evaluation: HAVE_LAPACK, LAPACK_LIBS. OpenBLAS's where it has one (after MMCORE_OPENBLAS),
# else by pkg-config (lapack and blas), else -llapack -lblas.
AC_DEFUN([MMCORE_LAPACK], [
	AC_ARG_WITH([lapack],
		[AS_HELP_STRING([--with-lapack=auto|yes|no], [Frechet distances in mmcore eval @<:@auto@:>@])],
		[], [with_lapack=auto])
	AS_CASE([$with_lapack], [auto|yes|no], [], [AC_MSG_ERROR([--with-lapack takes auto, yes or no])])
	mmcore_lapack=no
	AS_IF([test "x$with_lapack" != xno], [
		AS_IF([test -z "$LAPACK_LIBS" && test "x$mmcore_openblas" = xyes], [
			MMCORE_WITH_LIBS([], [$OPENBLAS_LIBS], [
				AC_CHECK_FUNC([dsyevr_], [LAPACK_LIBS=$OPENBLAS_LIBS])
			])
			AS_UNSET([ac_cv_func_dsyevr_])
		])
		PKG_CHECK_MODULES([LAPACK], [lapack blas], [], [: ${LAPACK_LIBS=-llapack -lblas}])
		MMCORE_WITH_LIBS([], [$LAPACK_LIBS], [
			AC_CHECK_FUNC([dsyevr_], [AC_CHECK_FUNC([dsyrk_], [mmcore_lapack=yes])])
		])
		AS_IF([test $mmcore_lapack = yes],
			[AC_DEFINE([HAVE_LAPACK], [1], [Define to 1 if LAPACK computes Frechet distances.])],
			[AS_IF([test "x$with_lapack" = xyes],
				[AC_MSG_FAILURE([--with-lapack=yes, but LAPACK was not found (Debian: liblapack-dev)])])])
	])
	AS_IF([test $mmcore_lapack = no], [LAPACK_LIBS=])
	AM_CONDITIONAL([HAVE_LAPACK], [test $mmcore_lapack = yes])
])

# MMCORE_INIPARSER - INIPARSER_CFLAGS, INIPARSER_LIBS. Version 4 has no .pc file, and its header lies in a folder or not.
AC_DEFUN([MMCORE_INIPARSER], [
	AC_ARG_VAR([INIPARSER_CFLAGS], [C compiler flags for iniparser])
	AC_ARG_VAR([INIPARSER_LIBS], [linker flags for iniparser])
	: ${INIPARSER_LIBS=-liniparser}
	MMCORE_WITH_LIBS([$INIPARSER_CFLAGS], [$INIPARSER_LIBS], [
		AC_CHECK_HEADERS([iniparser/iniparser.h iniparser.h], [mmcore_iniparser_h=yes; break])
		AC_CHECK_FUNC([iniparser_load], [mmcore_iniparser=yes])
	])
	AS_IF([test "x$mmcore_iniparser_h$mmcore_iniparser" != xyesyes],
		[AC_MSG_ERROR([iniparser 4 is needed (Debian: libiniparser-dev)])])
])

# MMCORE_LIBJPEG - optional, for the plugin img: HAVE_LIBJPEG, JPEG_CFLAGS, JPEG_LIBS. Without it img reads PNG only.
AC_DEFUN([MMCORE_LIBJPEG], [
	AC_ARG_WITH([libjpeg],
		[AS_HELP_STRING([--with-libjpeg=auto|yes|no], [let the plugin img read JPEG pictures @<:@auto@:>@])],
		[], [with_libjpeg=auto])
	AS_CASE([$with_libjpeg], [auto|yes|no], [], [AC_MSG_ERROR([--with-libjpeg takes auto, yes or no])])
	mmcore_libjpeg=no
	AS_IF([test "x$with_libjpeg" != xno],
		[PKG_CHECK_MODULES([JPEG], [libjpeg], [mmcore_libjpeg=yes], [AS_IF([test "x$with_libjpeg" = xyes],
			[AC_MSG_FAILURE([--with-libjpeg=yes, but libjpeg was not found (Debian: libjpeg62-turbo-dev)])])])])
	AS_IF([test $mmcore_libjpeg = yes],
		[AC_DEFINE([HAVE_LIBJPEG], [1], [Define to 1 if the plugin img reads JPEG.])],
		[JPEG_CFLAGS= JPEG_LIBS=])
	AM_CONDITIONAL([HAVE_LIBJPEG], [test $mmcore_libjpeg = yes])
])

# MMCORE_SOUND - optional, the plugin audio: HAVE_SOUND, SOUND_CFLAGS, SOUND_LIBS. Without one of the three libraries it is left out.
AC_DEFUN([MMCORE_SOUND], [
	AC_ARG_WITH([sound],
		[AS_HELP_STRING([--with-sound=auto|yes|no], [build the plugin audio @<:@auto@:>@])],
		[], [with_sound=auto])
	AS_CASE([$with_sound], [auto|yes|no], [], [AC_MSG_ERROR([--with-sound takes auto, yes or no])])
	mmcore_sound=no
	AS_IF([test "x$with_sound" != xno],
		[PKG_CHECK_MODULES([SOUND], [sndfile samplerate kissfft-float], [mmcore_sound=yes],
			[AS_IF([test "x$with_sound" = xyes],
				[AC_MSG_FAILURE([--with-sound=yes, but not all of libsndfile, libsamplerate and kissfft were found (Debian: libsndfile1-dev, libsamplerate0-dev, libkissfft-dev)])])])])
	AM_CONDITIONAL([HAVE_SOUND], [test $mmcore_sound = yes])
])

# MMCORE_ONEDNN - optional, the module for processors with AMX, and the comparison of kernels: HAVE_DNNL, DNNL_CFLAGS, DNNL_LIBS.
# Versions 2 and 3.
AC_DEFUN([MMCORE_ONEDNN], [
	AC_ARG_WITH([onednn],
		[AS_HELP_STRING([--with-onednn=auto|yes|no], [build the module with which bfloat16 is fast on processors that have AMX @<:@auto@:>@])],
		[], [with_onednn=auto])
	AS_CASE([$with_onednn], [auto|yes|no], [], [AC_MSG_ERROR([--with-onednn takes auto, yes or no])])
	AC_ARG_VAR([DNNL_CFLAGS], [C compiler flags for oneDNN])
	AC_ARG_VAR([DNNL_LIBS], [linker flags for oneDNN])
	mmcore_onednn=no
	AS_IF([test "x$with_onednn" != xno], [
		: ${DNNL_LIBS=-ldnnl}
		MMCORE_WITH_LIBS([$DNNL_CFLAGS], [$DNNL_LIBS], [
			AC_CHECK_HEADERS([oneapi/dnnl/dnnl.h dnnl.h], [mmcore_dnnl_h=yes; break])
			AC_CHECK_FUNC([dnnl_primitive_execute], [mmcore_dnnl=yes])
		])
		AS_IF([test "x$mmcore_dnnl_h$mmcore_dnnl" = xyesyes],
			[mmcore_onednn=yes
			AC_DEFINE([HAVE_DNNL], [1], [Define to 1 if there is oneDNN: its module is built, and kernels are compared with it.])],
			[AS_IF([test "x$with_onednn" = xyes],
				[AC_MSG_FAILURE([--with-onednn=yes, but oneDNN was not found (Debian: libdnnl-dev)])])])
	])
	AS_IF([test $mmcore_onednn = no], [DNNL_CFLAGS= DNNL_LIBS=])
	AM_CONDITIONAL([HAVE_DNNL], [test $mmcore_onednn = yes])
])

# MMCORE_X86_KERNELS - whether kernels for AVX2 and AVX-512 can be built; which of them run is decided at run time.
AC_DEFUN([MMCORE_X86_KERNELS], [
	mmcore_x86_kernels=no
	AS_CASE([$host_cpu], [x86_64|i?86],
		[AX_CHECK_COMPILE_FLAG([-mavx2 -mfma],
			[AX_CHECK_COMPILE_FLAG([-mavx512f -mavx512dq -mavx512vl], [mmcore_x86_kernels=yes])])])
	AS_IF([test $mmcore_x86_kernels = yes],
		[AC_DEFINE([HAVE_X86_KERNELS], [1], [Define to 1 if kernels for AVX2 and AVX-512 are built.])])
	AM_CONDITIONAL([HAVE_X86_KERNELS], [test $mmcore_x86_kernels = yes])
	mmcore_avx512bf16=no
	AS_IF([test $mmcore_x86_kernels = yes], [AX_CHECK_COMPILE_FLAG([-mavx512bf16], [mmcore_avx512bf16=yes])])
	AS_IF([test $mmcore_avx512bf16 = yes],
		[AC_DEFINE([HAVE_AVX512BF16], [1], [Define to 1 if kernels for AVX512-BF16 are built.])])
	AM_CONDITIONAL([HAVE_AVX512BF16], [test $mmcore_avx512bf16 = yes])
])

# MMCORE_FMAX - GCC 12 for ARM fails with an internal error where a loop takes the largest value by fmax (at -O3): there fmax is
# a function like any other.
AC_DEFUN([MMCORE_FMAX], [
	AC_MSG_CHECKING([whether $CC compiles loops of fmax])
	AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
		#include <math.h>
		double largest(const float *x, unsigned n)
		{
			double most = -INFINITY;
			for (unsigned i = 0; i < n; i++)
				most = fmax(most, (double)x[i]);
			return most;
		}]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AX_APPEND_COMPILE_FLAGS([-fno-builtin-fmax -fno-builtin-fmaxf -fno-builtin-fmin -fno-builtin-fminf], [MMCORE_CFLAGS])])
])

# MMCORE_WERROR - never the default: a newer compiler must not break somebody's build.
AC_DEFUN([MMCORE_WERROR], [
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])],
		[], [enable_werror=no])
	mmcore_werror=$enable_werror
	AS_IF([test "x$enable_werror" = xyes], [MMCORE_CFLAGS="$MMCORE_CFLAGS -Werror"])
])

# MMCORE_SANITIZERS - a finding ends the program, so that a test cannot pass with one.
AC_DEFUN([MMCORE_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
			[run-time checks by the compiler, for example thread @<:@address,undefined@:>@])],
		[], [enable_sanitizers=no])
	AS_IF([test "x$enable_sanitizers" = xyes], [enable_sanitizers=address,undefined])
	mmcore_sanitizers=$enable_sanitizers
	AS_IF([test "x$enable_sanitizers" != xno], [
		AX_CHECK_LINK_FLAG([-fsanitize=$enable_sanitizers], [],
			[AC_MSG_FAILURE([the compiler cannot link with -fsanitize=$enable_sanitizers])])
		MMCORE_CFLAGS="$MMCORE_CFLAGS -fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
		MMCORE_LDFLAGS="$MMCORE_LDFLAGS -fsanitize=$enable_sanitizers"
		AC_DEFINE([MMCORE_SANITIZED], [1], [Define to 1 in a build with sanitizers.])
		dnl gcc watches arrays in a section of their own only where it is told to: shared memory of the emulated GPU.
		dnl A build for libFuzzer (make fuzz): harnesses get their main from it.
		AS_CASE([$enable_sanitizers], [*fuzzer-no-link*],
			[FUZZ_LDFLAGS=-fsanitize=fuzzer FUZZ_CPPFLAGS=-DMMCORE_LIBFUZZER])
		AX_CHECK_COMPILE_FLAG([-fsanitize-sections=emu_shared], [EMU_CFLAGS=-fsanitize-sections=emu_shared], [], [-Werror])
	])
	AC_SUBST([EMU_CFLAGS])
	AC_SUBST([FUZZ_LDFLAGS])
	AC_SUBST([FUZZ_CPPFLAGS])
	AM_CONDITIONAL([SANITIZED], [test "x$enable_sanitizers" != xno])
])

# MMCORE_CUDA - optional, the module for NVIDIA GPUs: HAVE_CUDA, CUDA_CPPFLAGS, CUDA_LIBS, CUDA_LIBDIR, NVCC, NVCC_ARCHS.
# nvcc is of --with-cuda=DIR or of PATH, and the toolkit's folder is where it really lies.
AC_DEFUN([MMCORE_CUDA], [
	AC_ARG_WITH([cuda],
		[AS_HELP_STRING([--with-cuda@<:@=DIR@:>@],
			[build the module for NVIDIA GPUs with the CUDA Toolkit in DIR, and cuDNN 9.8 or newer @<:@auto@:>@])],
		[], [with_cuda=auto])
	AC_ARG_VAR([NVCC], [the CUDA compiler])
	AC_ARG_VAR([CUDA_ARCHS], [GPUs to build machine code for, as nvcc counts them @<:@80 90 100@:>@; PTX of the last is added])
	AC_ARG_VAR([CUDA_CPPFLAGS], [C preprocessor flags for CUDA and cuDNN])
	AC_ARG_VAR([CUDA_LIBS], [linker flags for CUDA, cuBLASLt and cuDNN])
	AS_CASE([$with_cuda], [auto|yes|no|/*], [], [AC_MSG_ERROR([--with-cuda takes auto, yes, no or a folder with a leading slash])])
	: ${CUDA_ARCHS="80 90 100"}
	mmcore_cuda=no mmcore_cuda_missing=
	AS_IF([test "x$with_cuda" != xno], [
		AS_CASE([$with_cuda], [/*], [mmcore_cuda_path=$with_cuda/bin], [mmcore_cuda_path=$PATH:/usr/local/cuda/bin])
		AC_PATH_PROG([NVCC], [nvcc], [], [$mmcore_cuda_path])
		AS_IF([test -z "$NVCC"], [mmcore_cuda_missing=" nvcc"], [MMCORE_CUDA_LIBRARIES])
		AS_IF([test -z "$mmcore_cuda_missing"], [mmcore_cuda=yes])
		AS_IF([test $mmcore_cuda = no && test "x$with_cuda" != xauto],
			[AC_MSG_FAILURE([--with-cuda=$with_cuda, but these were not found:$mmcore_cuda_missing])])
	])
	NVCC_ARCHS= CUDA_OLDEST=
	AS_IF([test $mmcore_cuda = yes], [
		AC_MSG_CHECKING([which GPUs nvcc makes code for])
		for arch in $CUDA_ARCHS; do
			AS_IF([$NVCC --list-gpu-code 2>/dev/null | grep -qx "sm_$arch"],
				[NVCC_ARCHS="$NVCC_ARCHS -gencode=arch=compute_$arch,code=sm_$arch"
				mmcore_cuda_last=$arch
				: ${CUDA_OLDEST:=$arch}
				mmcore_cuda="$mmcore_cuda sm_$arch"])
		done
		AS_IF([test -z "$NVCC_ARCHS"], [AC_MSG_FAILURE([nvcc makes code for none of CUDA_ARCHS="$CUDA_ARCHS"])])
		NVCC_ARCHS="$NVCC_ARCHS -gencode=arch=compute_$mmcore_cuda_last,code=compute_$mmcore_cuda_last"
		AC_MSG_RESULT([$mmcore_cuda])
	])
	AC_SUBST([CUDA_LIBDIR])
	AC_SUBST([CUDA_OLDEST])
	AC_SUBST([NVCC_ARCHS])
	AM_CONDITIONAL([HAVE_CUDA], [test "x$mmcore_cuda" != xno])
	MMCORE_NCCL
])

# NCCL's header, optional: HAVE_NCCL. The library is opened where it is wanted; 2.14 brought calls that do not block.
AC_DEFUN([MMCORE_NCCL], [
	mmcore_nccl=no
	AS_IF([test "x$mmcore_cuda" != xno], [
		MMCORE_WITH_LIBS([$CUDA_CPPFLAGS], [], [
			AC_CHECK_DECL([ncclCommInitRankConfig], [mmcore_nccl=yes], [], [[#include <nccl.h>]])])
	])
	AM_CONDITIONAL([HAVE_NCCL], [test $mmcore_nccl = yes])
])

# What the toolkit's folder must have; what it has not is in mmcore_cuda_missing. With -isystem: NVIDIA's headers warn.
AC_DEFUN([MMCORE_CUDA_LIBRARIES], [
	AS_CASE([$with_cuda], [/*], [mmcore_cuda_dir=$with_cuda],
		[mmcore_cuda_dir=`readlink -f "$NVCC"`
		mmcore_cuda_dir=`dirname "$mmcore_cuda_dir"`
		mmcore_cuda_dir=`dirname "$mmcore_cuda_dir"`])
	: ${CUDA_CPPFLAGS="-isystem $mmcore_cuda_dir/include"}
	for dir in lib64 lib targets/x86_64-linux/lib; do
		AS_IF([test -z "$CUDA_LIBDIR" && test -e "$mmcore_cuda_dir/$dir/libcudart.so"], [CUDA_LIBDIR=$mmcore_cuda_dir/$dir])
	done
	: ${CUDA_LIBS="-L$CUDA_LIBDIR -lcudnn -lcublasLt -lcudart"}
	MMCORE_WITH_LIBS([$CUDA_CPPFLAGS], [$CUDA_LIBS], [
		AC_CHECK_HEADERS([cuda_runtime_api.h cublasLt.h], [], [mmcore_cuda_missing="$mmcore_cuda_missing $ac_header"])
		AC_CHECK_DECL([CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION], [],
			[mmcore_cuda_missing="$mmcore_cuda_missing cuDNN-9.8"], [[#include <cudnn.h>]])
		AS_IF([test -z "$mmcore_cuda_missing"], [
			AC_MSG_CHECKING([whether the CUDA libraries link])
			AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <cuda_runtime_api.h>
#include <cublasLt.h>
#include <cudnn.h>]], [[int n; cublasLtHandle_t h; return cudaGetDeviceCount(&n) + cublasLtCreate(&h) + (int)cudnnGetVersion();]])],
				[AC_MSG_RESULT([yes])],
				[AC_MSG_RESULT([no])
				mmcore_cuda_missing="$mmcore_cuda_missing libcudart, libcublasLt or libcudnn"])
		])
	])
])

# MMCORE_MPI - optional, the module for ranks: HAVE_MPI, MPI_CFLAGS, MPI_LIBS, MPICC, MPIRUN. The flags are those that MPICC names (Open MPI
# and MPICH both do for -show), else pkg-config's. mpirun is the one beside MPICC, for the tests.
AC_DEFUN([MMCORE_MPI], [
	AC_ARG_WITH([mpi],
		[AS_HELP_STRING([--with-mpi=auto|yes|no], [build the module for mpirun -n R mmcore train @<:@auto@:>@])],
		[], [with_mpi=auto])
	AS_CASE([$with_mpi], [auto|yes|no], [], [AC_MSG_ERROR([--with-mpi takes auto, yes or no])])
	AC_ARG_VAR([MPICC], [the MPI compiler that says where MPI is @<:@mpicc@:>@])
	AC_ARG_VAR([MPI_CFLAGS], [C compiler flags for MPI])
	AC_ARG_VAR([MPI_LIBS], [linker flags for MPI])
	mmcore_mpi=no
	AS_IF([test "x$with_mpi" != xno], [
		AC_PATH_PROGS([MPICC], [mpicc mpicc.openmpi mpicc.mpich])
		AS_IF([test -z "$MPI_LIBS" && test -n "$MPICC"], [
			for mmcore_word in `$MPICC -show 2>/dev/null`; do
				AS_CASE([$mmcore_word],
					[-I*|-D*], [MPI_CFLAGS="$MPI_CFLAGS $mmcore_word"],
					[-L*|-l*|-Wl,-rpath*], [MPI_LIBS="$MPI_LIBS $mmcore_word"])
			done
		])
		AS_IF([test -z "$MPI_LIBS"], [PKG_CHECK_MODULES([MPI], [ompi-c], [],
			[PKG_CHECK_MODULES([MPI], [mpich], [], [: ${MPI_LIBS=-lmpi}])])])
		MMCORE_WITH_LIBS([$MPI_CFLAGS], [$MPI_LIBS], [
			AC_MSG_CHECKING([for MPI])
			AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <mpi.h>
]], [[int got; return MPI_Init_thread(0, 0, MPI_THREAD_FUNNELED, &got);]])],
				[mmcore_mpi=yes
				mmcore_mpi_name="yes, an MPI"
				AC_EGREP_CPP([mmcore_is_open_mpi], [#include <mpi.h>
#ifdef OMPI_MAJOR_VERSION
mmcore_is_open_mpi
#endif
], [mmcore_mpi_name="yes, Open MPI"])
				AC_EGREP_CPP([mmcore_is_mpich], [#include <mpi.h>
#ifdef MPICH_VERSION
mmcore_is_mpich
#endif
], [mmcore_mpi_name="yes, MPICH"])
				AC_MSG_RESULT([$mmcore_mpi_name])],
				[AC_MSG_RESULT([no])])
		])
		AS_IF([test "x$with_mpi$mmcore_mpi" = xyesno],
			[AC_MSG_FAILURE([--with-mpi=yes, but MPI was not found (Debian: libopenmpi-dev or libmpich-dev)])])
	])
	MPIRUN=
	AS_IF([test $mmcore_mpi = yes], [
		dnl mpicc.mpich goes with mpirun.mpich.
		mmcore_mpirun=`AS_ECHO(["$MPICC"]) | $SED 's,mpicc\([[^/]]*\)$,mpirun\1,'`
		AS_IF([test -x "$mmcore_mpirun"], [MPIRUN=$mmcore_mpirun], [AC_PATH_PROGS([MPIRUN], [mpirun mpiexec])])
	], [MPI_CFLAGS= MPI_LIBS=])
	AC_SUBST([MPIRUN])
	AM_CONDITIONAL([HAVE_MPI], [test $mmcore_mpi = yes])
	AS_IF([test $mmcore_mpi = yes], [mmcore_mpi=$mmcore_mpi_name])
])
