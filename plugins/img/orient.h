/* orient.h - how cameras say that they were held: EXIF's orientation, and pictures turned after it. */
#ifndef IMG_ORIENT_H
#define IMG_ORIENT_H

#include "decode.h"

/* The orientation, 1 (upright) to 8, in EXIF's TIFF structure; 1 where there is none or what stands there is none. */
int img_exif_orientation(const uint8_t *tiff, size_t size);
/* Turns the picture as its orientation says, so that it is upright. */
mm_status img_turn(const mma_host *h, img_pixels *p, mm_error *e);

#endif
