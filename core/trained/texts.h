/* texts.h - samples that are texts: what a plugin writes into files whose names end in .txt. */
#ifndef MMI_TEXTS_H
#define MMI_TEXTS_H

#include "plugin/modality.h"

/* Whether a modality's files are texts. */
bool mmi_is_text(const mmi_modality *m);
/* A file that such a modality has written, without the line's end; mmi_free. */
mm_status mmi_text_read(const char *path, char **text, mm_error *e);

/* Texts without files of their own. A plugin writes files alone, so there is a folder for one at a time, which goes
 * with close. */
typedef struct mmi_texts mmi_texts;
mm_status mmi_texts_open(mmi_texts **out, mm_error *e);
void mmi_texts_close(mmi_texts *t); /* accepts NULL */
/* One sample; mmi_free. */
mm_status mmi_texts_of(mmi_texts *t, const mmi_modality *m, const float *x, char **text, mm_error *e);

#endif
