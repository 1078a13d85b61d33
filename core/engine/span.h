/* span.h - which rows of a batch are computed here: all of them, or one part of several that are computed elsewhere.
 *
 * Whatever is drawn is numbered by the row in the whole batch, never by the place in memory: a batch has the same
 * numbers however it is shared out. */
#ifndef MMI_SPAN_H
#define MMI_SPAN_H

#include <stdint.h>

typedef struct mmi_span {
	uint32_t first; /* number, in the whole batch, of the first row here */
	uint32_t rows;  /* here, one behind the other */
	uint32_t of;    /* rows of the whole batch */
} mmi_span;

/* All rows of a batch. */
static inline mmi_span mmi_whole(uint32_t rows)
{
	return (mmi_span){ .rows = rows, .of = rows };
}

#endif
