/* render.c - a sample as a picture and back: 8-bit RGB for grids, PNG files that are written and read. */
#include "mmi_build.h"

#include "nets.h"
#include "picture.h"
#include "png_file.h"

static mm_status picture_size(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e)
{
	(void)i;
	(void)e;
	*width = MNIST_SIDE;
	*height = MNIST_SIDE;
	return MM_OK;
}

static mm_status picture_draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	(void)i;
	(void)e;
	mma_draw(x, MNIST_SIDE, MNIST_SIDE, 3, rgb, stride);
	return MM_OK;
}

mm_status mnist_render(mm_instance *i, const float *x, const char *path, mm_error *e)
{
	uint8_t rgb[MNIST_BYTES];
	mm_status status = picture_draw(i, x, rgb, MNIST_SIDE * 3, e);
	return status == MM_OK ? com_write_png(&i->plugin->host, path, MNIST_SIDE, MNIST_SIDE, rgb, e) : status;
}

/* A picture of any colour type, but of a view's size: to scale it is to say what the digit's strokes look like. */
static mm_status read_file(mm_instance *i, const char *path, float *out, mm_error *e)
{
	uint8_t rgb[MNIST_BYTES];
	(void)i;
	mm_status status = mnist_png_read(path, MNIST_SIDE, MNIST_SIDE, rgb, e);
	if (status == MM_OK)
		com_samples(rgb, MNIST_BYTES, out);
	return status;
}

const void *mnist_extension(const char *id)
{
	static const mm_modality_file file = {
		.struct_size = MM_SIZE_THROUGH(mm_modality_file, read_text),
		.read_file = read_file,
	};
	static const mm_modality_picture picture = {
		.struct_size = MM_SIZE_THROUGH(mm_modality_picture, draw),
		.size = picture_size,
		.draw = picture_draw,
	};
	static const mm_modality_classifier classifier = {
		.struct_size = MM_SIZE_THROUGH(mm_modality_classifier, build),
		.features_name = "hidden128",
		.build = mnist_build_classifier,
	};
	static const mma_extension list[] = {
		{ MM_MODALITY_PICTURE, &picture },
		{ MM_MODALITY_FILE, &file },
		{ MM_MODALITY_CLASSIFIER, &classifier },
		{ MM_MODALITY_SETTINGS, &mnist_settings },
	};
	return mma_find(list, MMA_COUNT(list), id);
}
