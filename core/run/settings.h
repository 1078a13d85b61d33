/* settings.h - all settings of the core: [run] and [data] here, the others in the rooms that use them. */
#ifndef MMI_RUN_SETTINGS_H
#define MMI_RUN_SETTINGS_H

#include "config/table.h"
#include "learn/settings.h"

/* Every table, in the order of the manual; several may share a section. */
extern const mmi_key_table *const mmi_setting_tables[];
extern const size_t mmi_n_setting_tables;

/* Reads and checks every key of the core's sections. A key that is no more is refused with what became of it. */
mm_status mmi_settings_read(mmi_config *c, mmi_settings *out, mm_error *e);
/* Gives the settings that a checkpoint remembers today's names, so that models outlive a change of names. */
mm_status mmi_settings_migrate(mmi_config *c, mm_error *e);

#endif
