/* settings.h - the settings that shape the three models. */
#ifndef MMI_MODEL_SETTINGS_H
#define MMI_MODEL_SETTINGS_H

#include "config/table.h"
#include "model/model.h"

extern const mmi_key_table mmi_latent_keys, mmi_energy_keys; /* of [learner] and [energy], into an mmi_model_config */

/* What the rows cannot say about each other. */
mm_status mmi_model_check(const mmi_config *c, const mmi_model_config *m, mm_error *e);

#endif
