/* bench_timer.h - wall and processor time of repeated work, and the process's memory. */
#ifndef MMI_BENCH_TIMER_H
#define MMI_BENCH_TIMER_H

#include "bench/bench.h"

typedef mm_status mmi_bench_task(void *ctx, mm_error *e);

/* Runs the task once untimed and then `repeats` times; fills name, repeats, median, best, cpu and the memory. */
mm_status mmi_bench_time(const char *name, uint32_t repeats, mmi_bench_task *task, void *ctx, mmi_bench_figure *out,
                         mm_error *e);
/* Gives freed memory back and forgets the largest size so far, where the system can. */
void mmi_bench_reset_peak(void);

#endif
