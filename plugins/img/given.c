/* given.c - a picture that a user names. */
#include "mmi_build.h"

#include "picture.h"
#include "resize.h"

static mm_status read_file(mm_instance *i, const char *path, float *out, mm_error *e)
{
	const size_t n = (size_t)i->fit.size * (size_t)i->fit.size * 3;
	uint8_t *rgb = mma_new(i->host, n, 1);
	mm_status status = rgb ? img_square(i->host, path, &i->fit, rgb, e) : mma_no_memory(e, "a picture");
	if (status == MM_OK)
		com_samples(rgb, n, out);
	mma_free(i->host, rgb);
	return status;
}

const mm_modality_file img_file = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_file, read_text),
	.read_file = read_file,
};
