/* png_file.h - PNG pictures as 8-bit RGB. Grey, palette, 16-bit, interlaced and transparent ones (on white) are
 * converted. */
#ifndef MNIST_PNG_FILE_H
#define MNIST_PNG_FILE_H

#include "mnist.h"

typedef struct mnist_image {
	uint32_t width, height;
	uint8_t *rgb; /* width * height * 3, host memory */
} mnist_image;

/* A picture of any size from 28 x 28 to 64 megapixels into new memory, freed with mma_free. */
mm_status mnist_png_load(const mnist_plugin *p, const char *path, mnist_image *out, mm_error *e);
/* A picture that must be width x height into rgb. */
mm_status mnist_png_read(const char *path, uint32_t width, uint32_t height, uint8_t *rgb, mm_error *e);

#endif
