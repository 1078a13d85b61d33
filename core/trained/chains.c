/* chains.c - the chains of a trained model. */
#include "mmi_build.h"

#include "trained/chains.h"

mm_status mmi_use_need_energy(const mmi_saved *s, const char *what, mm_error *e)
{
	if (!s->setup.settings.cooperative)
		return mmi_fail(e, MM_EUNSUPPORTED,
		                "%s needs an energy model; this checkpoint's objective trains none ([learner] objective)",
		                what);
	if (!s->has_energy)
		return mmi_fail(e, MM_EUNSUPPORTED,
		                "%s needs an energy model; this checkpoint is of iteration %lld, when warm-up was not over",
		                what, (long long)s->iteration);
	return MM_OK;
}

mm_status mmi_use_chains_of(const mmi_saved *s, const mmi_recipe_change *change, mmi_use_chains *out, mm_error *e)
{
	if (change->candidates > 1)
		MMI_TRY(mmi_use_need_energy(s, "--candidates", e));
	if (change->latent_steps > 0)
		MMI_TRY(mmi_use_need_energy(s, "--guide-steps", e));
	if (change->data_steps > 0)
		MMI_TRY(mmi_use_need_energy(s, "--x-steps", e));
	out->sample = mmi_saved_chains(s, &s->setup.settings.sample, change);
	out->translate = mmi_saved_chains(s, &s->setup.settings.translate, change);
	return MM_OK;
}
