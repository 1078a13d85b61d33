/* langevin.h - a Langevin chain over the inputs of one program: both kernels of the learner are this function, once
 * over z with U and once over x_1..x_M with E.
 *
 *   state <- clamp(state - drift_i d energy/d state_i + noise_i xi),   drift = s^2/2, noise = n
 *
 * Its rows go through all steps at once, so their working set stays in cache and no barrier falls inside. */
#ifndef MMI_LANGEVIN_H
#define MMI_LANGEVIN_H

#include "engine/program.h"
#include "engine/row_ops.h"

/* Called with the state before each step and after the last (step == steps), for traces. */
typedef void mmi_chain_watch(void *ctx, uint32_t step, const mmi_program *program);

/* Sums are set, on the device. Energies and gradients of the rows are the program's: they need not be given. */
void mmi_chain_run(const mmi_chain *c, mmi_program *program, const mmi_chain_rows *rows, mmi_chain_watch *watch,
                   void *ctx);
void mmi_chain_stats_add(mmi_chain_stats *sum, const mmi_chain_stats *part);

#endif
