/* made.h - what is told of each sample that was made: in a manifest, on the screen, as JSON. */
#ifndef MMI_MADE_H
#define MMI_MADE_H

#include "trained/texts.h"

typedef struct mmi_made {
	const mmi_modality *modality;
	uint64_t input;   /* number of the input, or of the sample */
	int64_t draw;     /* of the input; -1: what was given */
	const char *kind; /* of samples: "generator", "revised"; NULL */
	const char *file; /* in the folder; NULL: none */
	const char *text; /* of a modality whose files are texts; NULL */
} mmi_made;

/* Who is told; call NULL: nobody. */
typedef struct mmi_made_to {
	void *ctx;
	mm_status (*call)(void *ctx, const mmi_made *made, mm_error *e);
} mmi_made_to;

static inline mm_status mmi_made_tell(const mmi_made_to *to, const mmi_made *made, mm_error *e)
{
	return to->call ? to->call(to->ctx, made, e) : MM_OK;
}

#endif
