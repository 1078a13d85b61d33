/* jpeg_file.c - JPEG through libjpeg-turbo. Its errors jump; the jump stays within this file. */
#include "mmi_build.h"

#include "orient.h"

#include <stdio.h>

#ifdef HAVE_LIBJPEG
#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <string.h>

/* A progressive picture has about ten scans, and each takes the time of all its pixels: hundreds are an attack on the
 * reader's time. */
enum { SCANS_MAX = 500 };
#define SCANNED_MAX (16 * IMG_PIXELS_MAX) /* scans times pixels */

typedef struct reader {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf escape;
	const mma_host *host;
	const char *path;
	uint32_t wanted;
	img_pixels pixels;
	uint8_t *row; /* one line as the decoder gives it, where that is not RGB */
	char text[JMSG_LENGTH_MAX];
} reader;

static void on_error(j_common_ptr jpeg)
{
	reader *r = jpeg->client_data;
	jpeg->err->format_message(jpeg, r->text);
	longjmp(r->escape, 1);
}

/* Warnings; only those that mean missing pixels count, since many good files have others. Nothing is decoded behind
 * one: a few bytes may promise millions of pixels. */
static void on_message(j_common_ptr jpeg, int level)
{
	reader *r = jpeg->client_data;
	int code = jpeg->err->msg_code;
	if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)) {
		jpeg->err->format_message(jpeg, r->text);
		longjmp(r->escape, 1);
	}
}

static int scans_max(const reader *r)
{
	uint64_t pixels = (uint64_t)r->jpeg.image_width * r->jpeg.image_height,
			 most = pixels ? SCANNED_MAX / pixels : SCANS_MAX;
	return most < SCANS_MAX ? (int)most : SCANS_MAX;
}

static void on_progress(j_common_ptr jpeg)
{
	reader *r = jpeg->client_data;
	if (r->jpeg.input_scan_number <= scans_max(r))
		return;
	snprintf(r->text, sizeof(r->text), "more than %d scans of %u x %u pixels", scans_max(r), r->jpeg.image_width,
	         r->jpeg.image_height);
	longjmp(r->escape, 1);
}

/* The smallest of 1, 1/2, 1/4, 1/8 that leaves twice the wanted size. */
static unsigned scale_denominator(const reader *r)
{
	unsigned scale = 8;
	while (scale > 1 && (r->jpeg.image_width / scale < 2 * r->wanted || r->jpeg.image_height / scale < 2 * r->wanted))
		scale /= 2;
	return scale;
}

/* Adobe's CMYK is inverted, as all that is met. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < 3; c++)
			rgb[3 * i + c] = (uint8_t)((cmyk[4 * i + c] * cmyk[4 * i + 3] + 127) / 255);
}

static void read_rows(reader *r)
{
	while (r->jpeg.output_scanline < r->jpeg.output_height) {
		uint8_t *to = r->pixels.rgb + (size_t)r->jpeg.output_scanline * r->pixels.width * 3;
		JSAMPROW row = r->row ? r->row : to;
		jpeg_read_scanlines(&r->jpeg, &row, 1);
		if (r->row)
			cmyk_to_rgb(r->row, to, r->pixels.width);
	}
}

static mm_status prepare(reader *r, mm_error *e)
{
	bool cmyk = r->jpeg.jpeg_color_space == JCS_CMYK || r->jpeg.jpeg_color_space == JCS_YCCK;
	if ((uint64_t)r->jpeg.image_width * r->jpeg.image_height > IMG_PIXELS_MAX) /* before scaling: that is the work */
		return mma_fail(e, MM_EFORMAT, "%s: %u x %u pixels; at most %u million are read", r->path, r->jpeg.image_width,
		                r->jpeg.image_height, (unsigned)(IMG_PIXELS_MAX >> 20));
	r->jpeg.scale_num = 1;
	r->jpeg.scale_denom = scale_denominator(r);
	r->jpeg.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
	jpeg_calc_output_dimensions(&r->jpeg);
	MMA_TRY(img_make_room(r->host, r->path, r->jpeg.output_width, r->jpeg.output_height, &r->pixels, e));
	r->row = cmyk ? mma_new(r->host, r->jpeg.output_width, 4) : NULL;
	return cmyk && !r->row ? mma_no_memory(e, r->path) : MM_OK;
}

/* Of the first EXIF segment. */
static int find_orientation(const reader *r)
{
	static const char name[] = "Exif\0";
	for (jpeg_saved_marker_ptr m = r->jpeg.marker_list; m; m = m->next)
		if (m->marker == JPEG_APP0 + 1 && m->data_length > sizeof(name) && !memcmp(m->data, name, sizeof(name)))
			return img_exif_orientation(m->data + sizeof(name), m->data_length - sizeof(name));
	return 1;
}

/* Everything that may jump; what it changes lies in *r. */
static mm_status decode(reader *r, FILE *file, mm_error *e)
{
	if (setjmp(r->escape))
		return mma_fail(e, r->errors.msg_code == JERR_OUT_OF_MEMORY ? MM_ENOMEM : MM_EFORMAT,
		                "%s: damaged or truncated JPEG picture: %s", r->path, r->text);
	jpeg_create_decompress(&r->jpeg);
	r->jpeg.progress = &r->progress;
	jpeg_stdio_src(&r->jpeg, file);
	jpeg_save_markers(&r->jpeg, JPEG_APP0 + 1, 0xFFFF);
	jpeg_read_header(&r->jpeg, TRUE);
	MMA_TRY(prepare(r, e));
	r->pixels.orientation = find_orientation(r);
	jpeg_start_decompress(&r->jpeg);
	read_rows(r);
	jpeg_finish_decompress(&r->jpeg);
	return MM_OK;
}

mm_status img_decode_jpeg(const mma_host *h, const char *path, void *file, uint32_t wanted, img_pixels *out,
                          mm_error *e)
{
	reader *r = mma_new(h, 1, sizeof(*r));
	if (!r)
		return mma_no_memory(e, path);
	r->host = h;
	r->path = path;
	r->wanted = wanted;
	r->jpeg.err = jpeg_std_error(&r->errors);
	r->jpeg.client_data = r;
	r->errors.error_exit = on_error;
	r->errors.emit_message = on_message;
	r->progress.progress_monitor = on_progress;
	mm_status status = decode(r, file, e);
	jpeg_destroy_decompress(&r->jpeg);
	mma_free(h, r->row);
	if (status == MM_OK)
		*out = r->pixels;
	else
		mma_free(h, r->pixels.rgb);
	mma_free(h, r);
	return status;
}

#else

mm_status img_decode_jpeg(const mma_host *h, const char *path, void *file, uint32_t wanted, img_pixels *out,
                          mm_error *e)
{
	(void)h, (void)file, (void)wanted, (void)out;
	return mma_fail(e, MM_EUNSUPPORTED,
	                "%s: a JPEG picture, but this img plugin was built without libjpeg and reads PNG only", path);
}

#endif
