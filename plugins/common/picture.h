/* picture.h - pictures as 8-bit RGB, as samples in -1..1, and as PNG files. */
#ifndef PICTURE_H
#define PICTURE_H

#include "common.h"

/* n values 0..255 to -1..1, and back: rounded; outside values are clamped, NaN is black. */
void com_samples(const uint8_t *rgb, size_t n, float *out);
void com_bytes(const float *x, size_t n, uint8_t *rgb);

/* A new file, complete or absent: written beside its place and renamed. */
mm_status com_write_png(const com_host *h, const char *path, uint32_t width, uint32_t height, const uint8_t *rgb,
                        mm_error *e);

#endif
