/* generate.h - samples from the prior: the generator's, and what guide and data chain make of the same draws. */
#ifndef MMI_GENERATE_H
#define MMI_GENERATE_H

#include "mcmc/recipe.h"

#define MMI_GUIDE_TEXT 64
#define MMI_GENERATE_TEXT (MMI_GUIDE_TEXT + 32)

/* Draws `number` of z and w, decoded into generated[m] [rows][floats of modality m]. Unless revised is NULL: the same
 * draws, or those of the guide's candidates that it chooses, moved by the guided chain, decoded, and moved by the data
 * chain; with revise.from_noise the data chain starts at noise instead, and nothing is guided. span: whole chunks; z
 * [rows] comes back with anything in it. Allocates nothing. */
void mmi_generate(const mmi_model *m, mmi_sampler *s, const mmi_chains *a, uint32_t number, mmi_span span,
                  mmi_latents *z, float *const *generated, float *const *revised);
/* Whether both latents and data are moved, so that it is worth seeing what each does. */
bool mmi_generate_has_parts(const mmi_chains *a);
/* As mmi_generate; where there are both parts, chained (NULL: not wanted) is moved by the data chain alone and guided
 * not by it. z comes back with the latents that revised was decoded from, before the data chain moved it; from noise
 * there are none. */
void mmi_generate_parts(const mmi_model *m, mmi_sampler *s, const mmi_chains *a, uint32_t number, mmi_span span,
                        mmi_latents *z, float *const *generated, float *const *chained, float *const *guided,
                        float *const *revised);
/* "16 candidates, 40 guide steps, ", for titles; of each only where there are some. */
const char *mmi_guide_text(const mmi_guide_args *a, char text[MMI_GUIDE_TEXT]);
/* What moved samples are to be called on sheets, "guided latents + data chain": of each only what acts; "bounded data
 * chain" with a bound on what may rise. */
const char *mmi_generate_label(const mmi_chains *a, char text[MMI_GENERATE_TEXT]);
/* As mmi_guide_text, and "10 data chain steps". */
const char *mmi_generate_text(const mmi_chains *a, char text[MMI_GENERATE_TEXT]);

#endif
