/* course.h - how far a run is: phases, the learning rates' schedule, and the step that is measured while it begins. */
#ifndef MMI_COURSE_H
#define MMI_COURSE_H

#include "learn/learner.h"

/* Whether a phase that lasts so many iterations is not over: or that share of a time budget. */
bool mmi_course_before(const mmi_learner *l, uint64_t iterations);
/* Times the learning rates. */
double mmi_course_rate(const mmi_learner *l);
/* Times the energy's: it learns from the end of the warm-up on, so its schedule begins there. */
double mmi_course_energy_rate(const mmi_learner *l);
/* x_step = auto(d): s such that the first step's drift s^2/2 dE/dx has rms d; averaged over the first iterations, then
 * held. Moves nothing, and waits for what it measures. */
void mmi_course_calibrate(mmi_learner *l);
/* A chain that starts at the generator has to end at a lower energy than it began with. Where an iteration's did not, s
 * is too long for what the energy has become: it is shortened by a tenth, and grows by a hundredth an iteration again,
 * up to what was measured, where it did. A given x_step stays. */
void mmi_course_adapt(mmi_learner *l, const mmi_measures *m);

#endif
