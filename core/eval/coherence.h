/* coherence.h - counting whether the modalities of samples show the same class. */
#ifndef MMI_COHERENCE_H
#define MMI_COHERENCE_H

#include "model/model.h"

/* Rows for which all predictions agree. class_of[i] NULL: modality i is not judged. At least two are. */
uint64_t mmi_coherence_agree(const int32_t *const *class_of, uint32_t n_modalities, uint32_t rows);

/* Right predictions by source and target; a source may be any number, e.g. how many modalities were given. */
typedef struct mmi_confusion {
	uint64_t right[MMI_MAX_MODALITIES][MMI_MAX_MODALITIES], all[MMI_MAX_MODALITIES][MMI_MAX_MODALITIES];
} mmi_confusion;

/* Rows with counted[r] != 0 (NULL: all) and a label (>= 0) count. */
void mmi_confusion_add(mmi_confusion *c, uint32_t source, uint32_t target, const int32_t *class_of,
                       const int32_t *label, const uint8_t *counted, uint32_t rows);
/* NaN where nothing was counted. */
double mmi_confusion_share(const mmi_confusion *c, uint32_t source, uint32_t target);
/* Over sources (self excluded), then over targets: DESIGN's mean of a matrix source by target. Cells without counts are
 * left out; NaN when there is none. */
double mmi_confusion_mean(const mmi_confusion *c, uint32_t n);
/* Over the targets of one source. */
double mmi_confusion_row(const mmi_confusion *c, uint32_t source, uint32_t n);

#endif
