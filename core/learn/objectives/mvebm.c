/* mvebm.c - a latent energy-based prior, p0(z) proportional to exp(f(z)) times the standard one (Pang et al. 2020; of
 * the multimodal method an abstract alone was found, so that this is the closest reading of it). Generator and
 * inference model learn as by mmvae, or with private latents by mmvae+, with log p0(z) + f(z) for the log prior: f is
 * constant there, and log Z, which is no function of what they learn, is left out. How f learns is in
 * terms/latent_prior.c, how z is drawn from p0 in mcmc/sampler.c. */
#include "mmi_build.h"

#include "learn/objectives/objective.h"

static mm_status record(const mmi_elbo_io *io, mm_tensor *out, mm_error *e)
{
	return io->model->config.private_dim ? mmi_elbo_mmvae_plus(io, out, e) : mmi_elbo_mmvae(io, out, e);
}

const mmi_objective mmi_objective_mvebm = {
	"mvebm",         MMI_FUSION_MIXTURE, .baseline_only = true, .latent_energy = true, .draws = mmi_elbo_draw_each,
	.record = record
};
