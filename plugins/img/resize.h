/* resize.h - pictures of any size as squares. */
#ifndef IMG_RESIZE_H
#define IMG_RESIZE_H

#include "decode.h"

/* size x size x 3 bytes. Area: the mean over what a pixel covers when shrinking, straight lines between pixels when
 * enlarging. Lanczos: three lobes, as wide as shrinking asks for. */
mm_status img_resize(const mma_host *h, const img_pixels *from, const img_fit *fit, uint8_t *out, mm_error *e);
/* A file as such a square: decoded, upright, resized. */
mm_status img_square(const mma_host *h, const char *path, const img_fit *fit, uint8_t *out, mm_error *e);

#endif
