/* text.h - text in pictures: a 5 by 7 pixel font (two rows more for descenders) drawn as smooth strokes at any size. */
#ifndef MMI_TEXT_H
#define MMI_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define MMI_TEXT_ADVANCE 6 /* font pixels from letter to letter */
#define MMI_TEXT_ASCENT 7  /* font pixels above the baseline */
#define MMI_TEXT_HEIGHT 9  /* with descenders */

typedef struct mmi_canvas {
	uint8_t *rgb; /* rows without padding */
	uint32_t width, height;
} mmi_canvas;

void mmi_canvas_fill(const mmi_canvas *c, int64_t x, int64_t y, int64_t width, int64_t height, const uint8_t colour[3]);
/* Width in pixels at `scale` pixels to the font pixel. */
uint32_t mmi_text_width(const char *text, uint32_t scale);
/* Top left corner at x, y; what falls outside is cut off. */
void mmi_text_draw(const mmi_canvas *c, int64_t x, int64_t y, const char *text, uint32_t scale,
                   const uint8_t colour[3]);

#endif
