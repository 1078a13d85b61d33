/* modality.h - one modality of a run: a plugin's instance with the settings that the core keeps for it. */
#ifndef MMI_MODALITY_H
#define MMI_MODALITY_H

#include "config/config.h"
#include <mmcore/plugin.h>

typedef struct mmi_plugin mmi_plugin; /* loader.h */

typedef struct mmi_modality {
	char name[32];                      /* instance and INI section: "m0" */
	const mmi_plugin *plugin;
	const mm_modality_desc *desc;       /* full-sized copy with zeros behind what the plugin knows */
	mm_instance *instance;
	mm_modality_info info;              /* as described, likelihood and weight overridden by the INI */
	const mm_modality_picture *picture; /* extension, or NULL */
	int64_t count;                      /* floats in one sample */
	double x_scale;                     /* multiplies both s and n of the data chain */
	mm_config *config;                  /* the handle the plugin got */
} mmi_modality;

#endif
