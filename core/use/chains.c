/* chains.c - the chains of a trained model. */
#include "config.h"

#include "use/chains.h"

mm_status mmi_use_need_energy(const mmi_saved *s, const char *what, mm_error *e)
{
	if (!s->setup.settings.cooperative)
		return mmi_fail(e, MM_EUNSUPPORTED, "%s needs an energy model; this checkpoint's objective trains none ([learner] objective)", what);
	if (!s->has_energy)
		return mmi_fail(e, MM_EUNSUPPORTED, "%s needs an energy model; this checkpoint is of iteration %lld, when warm-up was not over", what,
		                (long long)s->iteration);
	return MM_OK;
}

mm_status mmi_use_chains_of(const mmi_saved *s, int64_t z_steps, int64_t guide_steps, int64_t x_steps, mmi_use_chains *out, mm_error *e)
{
	if (guide_steps > 0)
		MMI_TRY(mmi_use_need_energy(s, "--guide-steps", e));
	if (x_steps > 0)
		MMI_TRY(mmi_use_need_energy(s, "--x-steps", e));
	out->posterior = mmi_saved_posterior(s, z_steps);
	out->guide = mmi_saved_guide(s, guide_steps);
	out->revise = mmi_saved_revise(s, x_steps);
	return MM_OK;
}
