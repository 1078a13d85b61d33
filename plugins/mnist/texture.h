/* texture.h - drawn backgrounds, one look per style number. */
#ifndef MNIST_TEXTURE_H
#define MNIST_TEXTURE_H

#include "png_file.h"

enum { MNIST_TEXTURE_SIDE = 256, MNIST_TEXTURE_PATTERNS = 12 };

/* Draws style number `style`, 256 x 256; the same for every seed. Twelve patterns with a palette each; further styles
 * repeat the patterns in other colours (72 differ). Freed with mma_free. */
mm_status mnist_texture(const mnist_plugin *p, uint32_t style, mnist_image *out, mm_error *e);

#endif
