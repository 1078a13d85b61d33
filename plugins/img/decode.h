/* decode.h - picture files as 8-bit RGB. Whatever a file holds is a picture or an error that names it. */
#ifndef IMG_DECODE_H
#define IMG_DECODE_H

#include "img.h"

#define IMG_PIXELS_MAX ((uint64_t)64 << 20) /* of one picture */
#define IMG_SIDE_MAX 65500u

typedef struct img_pixels {
	uint32_t width, height;
	int orientation; /* as EXIF has it, 1 to 8: the rows as they stand in the file are not turned yet */
	uint8_t *rgb;    /* width * height * 3, host memory */
} img_pixels;

/* PNG (any colour type, depth and interlacing; transparent parts on white; 16 bits as sRGB) or JPEG (grey, YCbCr, RGB,
 * CMYK; scaled down by a power of two while decoding as long as no side falls below 2 * wanted pixels). Told apart by
 * their first bytes, whatever the suffix. pixels->rgb is released by the caller. */
mm_status img_decode(const mma_host *h, const char *path, uint32_t wanted, img_pixels *out, mm_error *e);
/* decode.c: room for a picture of that size, refused when it is too large. */
mm_status img_make_room(const mma_host *h, const char *path, uint32_t width, uint32_t height, img_pixels *out,
                        mm_error *e);

/* The two formats, reading from the start of an open file. */
mm_status img_decode_png(const mma_host *h, const char *path, void *file, uint32_t wanted, img_pixels *out,
                         mm_error *e);
mm_status img_decode_jpeg(const mma_host *h, const char *path, void *file, uint32_t wanted, img_pixels *out,
                          mm_error *e);

#endif
