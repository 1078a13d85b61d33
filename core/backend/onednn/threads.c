/* threads.c - see threads.h. With OpenMP a thread's number of threads is its own. The symbols are those of the library
 * that oneDNN was linked with (GNU's, Intel's), which comes along with it: none is linked here. Without a thread pool
 * given to it, a library that was built for one computes on the calling thread, as one without threads does. */
#include "mmi_build.h"

#include "backend/onednn/threads.h"

#include "backend/onednn/api.h"

extern int omp_get_max_threads(void) __attribute__((weak));
extern void omp_set_num_threads(int n) __attribute__((weak));

mm_status mmi_dnnl_threads_check(mm_error *e)
{
	const unsigned runtime = dnnl_version()->cpu_runtime;
	if (runtime == DNNL_RUNTIME_OMP && omp_get_max_threads && omp_set_num_threads)
		return MM_OK;
	if (runtime == DNNL_RUNTIME_SEQ || runtime == DNNL_RUNTIME_THREADPOOL)
		return MM_OK;
	return mmi_fail(
		e, MM_EUNSUPPORTED,
		"backend-onednn.so: this oneDNN cannot be kept to one thread (CPU runtime %u); install one that was "
		"built with ONEDNN_CPU_RUNTIME=OMP or SEQ",
		runtime);
}

int mmi_dnnl_threads_one(void)
{
	if (!omp_set_num_threads)
		return 0;
	const int before = omp_get_max_threads();
	omp_set_num_threads(1);
	return before;
}

void mmi_dnnl_threads_restore(int before)
{
	if (before)
		omp_set_num_threads(before);
}
