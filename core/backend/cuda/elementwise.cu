/* elementwise.cu - copies of runs, and two arrays exchanged. */
#include "backend/cuda/args.h"
#include "backend/cuda/common.h"

static __global__ void runs(const mmi_runs_args a)
{
	for (int64_t i = global_thread(); i < a.runs * a.run; i += global_threads()) {
		const int64_t r = i / a.run, k = i % a.run;
		const int64_t from = r % a.from_runs * a.from_stride + a.from_begin + k;
		store_element(a.to, a.narrow & 2u, r * a.to_stride + a.to_begin + k, load_element(a.from, a.narrow & 1u, from));
	}
}
MMI_KERNEL(runs, mmi_runs_args, 2);

static __global__ void exchange(const mmi_exchange_args a)
{
	for (int64_t i = global_thread(); i < a.n; i += global_threads()) {
		const float kept = a.a[i];
		a.a[i] = a.b[i];
		a.b[i] = kept;
	}
}
MMI_KERNEL(exchange, mmi_exchange_args, 2);
