/* chains.c - the chains of a trained model. */
#include "mmi_build.h"

#include "trained/chains.h"

mm_status mmi_use_need_energy(const mmi_saved *s, const char *what, mm_error *e)
{
	if (!s->setup.settings.cooperative)
		return mmi_fail(e, MM_EUNSUPPORTED, "%s needs an energy model; this checkpoint's objective trains none ([learner] objective)", what);
	if (!s->has_energy)
		return mmi_fail(e, MM_EUNSUPPORTED, "%s needs an energy model; this checkpoint is of iteration %lld, when warm-up was not over", what,
		                (long long)s->iteration);
	return MM_OK;
}

mm_status mmi_use_chains_of(const mmi_saved *s, const mmi_use_steps *steps, mmi_use_chains *out, mm_error *e)
{
	if (steps->candidates > 1)
		MMI_TRY(mmi_use_need_energy(s, "--candidates", e));
	if (steps->guide > 0)
		MMI_TRY(mmi_use_need_energy(s, "--guide-steps", e));
	if (steps->x > 0)
		MMI_TRY(mmi_use_need_energy(s, "--x-steps", e));
	out->posterior = mmi_saved_posterior(s, steps->z);
	out->guide = mmi_saved_guide(s, false, steps->candidates, steps->guide);
	out->translation = mmi_saved_guide(s, true, steps->candidates, steps->guide);
	out->revise = mmi_saved_revise(s, false, steps->x);
	out->revise_translation = mmi_saved_revise(s, true, steps->x);
	return MM_OK;
}
