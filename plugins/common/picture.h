/* picture.h - pictures as 8-bit RGB, as samples in -1..1, and as PNG files. */
#ifndef PICTURE_H
#define PICTURE_H

#include "common.h"

/* n values 0..255 to -1..1. */
void com_samples(const uint8_t *rgb, size_t n, float *out);

/* An error unless each chunk of an open PNG file (a FILE *) fits into it: libpng takes the memory that a chunk asks for
 * before it reads any of it. The file is at its start afterwards. */
mm_status com_png_check(const char *path, void *file, mm_error *e);
/* A new file, complete or absent: written beside its place and renamed. */
mm_status com_write_png(const mma_host *h, const char *path, uint32_t width, uint32_t height, const uint8_t *rgb,
                        mm_error *e);

#endif
