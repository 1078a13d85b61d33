/* seeds.c - writes inputs for the harnesses that no editor writes: pictures, sounds, IDX files, tensors. Arguments: the
 * folder, which has one for each harness. */
#include "mmi_build.h"

#include "store/files.h"
#include "store/safetensors.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef HAVE_LIBJPEG
#include <jpeglib.h>
#endif
#ifdef MMCORE_HAVE_SOUND
#include <sndfile.h>
#endif

static const char *folder;

static const char *path_of(const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "seeds: %s cannot be written\n", what);
	exit(1);
}

static void put(const char *name, const void *bytes, size_t n)
{
	must(mmi_write_file_atomic(path_of(name), bytes, n, NULL) == MM_OK, name);
}

/* ---------------------------------------------------------------- pictures */

/* A colour type, depth and interlacing each; a palette with transparency; EXIF that says it lies on its side. */
static void png(const char *name, int width, int height, int depth, int type, int interlace, bool exif)
{
	static const png_color palette[4] = { { 255, 0, 0 }, { 0, 255, 0 }, { 0, 0, 255 }, { 9, 9, 9 } };
	static const png_byte alpha[2] = { 0, 128 };
	static const png_byte orientation[] = "MM\0*\0\0\0\010\0\001\001\022\0\003\0\0\0\001\0\006\0\0\0\0\0";
	FILE *file = fopen(path_of(name), "wb");
	must(file, name);
	png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(p);
	png_init_io(p, file);
	png_set_IHDR(p, info, (png_uint_32)width, (png_uint_32)height, depth, type, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
	             PNG_FILTER_TYPE_DEFAULT);
	if (type == PNG_COLOR_TYPE_PALETTE) {
		png_set_PLTE(p, info, palette, depth > 1 ? 4 : 2);
		png_set_tRNS(p, info, alpha, 2, NULL);
	}
	if (exif)
		png_set_eXIf_1(p, info, sizeof orientation - 1, (png_bytep)(uintptr_t)orientation);
	png_write_info(p, info);
	png_bytep row = malloc(png_get_rowbytes(p, info) + 8);
	for (int pass = interlace ? png_set_interlace_handling(p) : 1; pass; pass--)
		for (int y = 0; y < height; y++) {
			for (size_t x = 0; x < png_get_rowbytes(p, info); x++)
				row[x] = (png_byte)(type == PNG_COLOR_TYPE_PALETTE ? (x + (size_t)y) % 2 : 3 * x + 7 * (size_t)y);
			png_write_row(p, row);
		}
	png_write_end(p, info);
	free(row);
	png_destroy_write_struct(&p, &info);
	fclose(file);
}

static void pictures(void)
{
	png("png/rgb.png", 8, 8, 8, PNG_COLOR_TYPE_RGB, 0, false);
	png("png/rgba-interlaced.png", 5, 3, 8, PNG_COLOR_TYPE_RGB_ALPHA, 1, false);
	png("png/bits.png", 9, 9, 1, PNG_COLOR_TYPE_GRAY, 0, false);
	png("png/rgb16.png", 4, 4, 16, PNG_COLOR_TYPE_RGB, 0, false);
	png("png/palette.png", 8, 4, 4, PNG_COLOR_TYPE_PALETTE, 0, false);
	png("png/grey-alpha.png", 3, 3, 8, PNG_COLOR_TYPE_GRAY_ALPHA, 1, false);
	png("png/rgba16.png", 2, 2, 16, PNG_COLOR_TYPE_RGB_ALPHA, 1, false);
	png("png/wide.png", 40, 33, 8, PNG_COLOR_TYPE_RGB, 0, true);
	png("png/wider.png", 65501, 1, 1, PNG_COLOR_TYPE_GRAY, 0, false); /* than what is read */
	png("png/digit.png", 28, 28, 8, PNG_COLOR_TYPE_RGB, 0, false);
}

#ifdef HAVE_LIBJPEG
static void jpeg(const char *name, int width, int height, int channels, J_COLOR_SPACE space, bool progressive,
                 int quality, unsigned restart)
{
	static const unsigned char exif[] = "Exif\0\0II*\0\010\0\0\0\001\0\022\001\003\0\001\0\0\0\010\0\0\0\0\0\0\0";
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr errors;
	unsigned char row[800];
	FILE *file = fopen(path_of(name), "wb");
	must(file, name);
	c.err = jpeg_std_error(&errors);
	jpeg_create_compress(&c);
	jpeg_stdio_dest(&c, file);
	c.image_width = (JDIMENSION)width;
	c.image_height = (JDIMENSION)height;
	c.input_components = channels;
	c.in_color_space = space;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, quality, TRUE);
	c.restart_interval = restart;
	if (progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	if (restart)
		jpeg_write_marker(&c, JPEG_APP0 + 1, exif, sizeof exif - 1);
	while (c.next_scanline < c.image_height) {
		for (int x = 0; x < width * channels; x++)
			row[x] = (unsigned char)((unsigned)x * 37 % 64 + c.next_scanline * 3);
		JSAMPROW at = row;
		jpeg_write_scanlines(&c, &at, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	fclose(file);
}

static void photographs(void)
{
	jpeg("jpeg/rgb.jpg", 40, 24, 3, JCS_RGB, false, 75, 0);
	jpeg("jpeg/grey.jpg", 17, 9, 1, JCS_GRAYSCALE, false, 50, 0);
	jpeg("jpeg/cmyk.jpg", 16, 16, 4, JCS_CMYK, false, 75, 0);
	jpeg("jpeg/progressive.jpg", 40, 24, 3, JCS_RGB, true, 75, 0);
	jpeg("jpeg/exif.jpg", 8, 8, 3, JCS_RGB, false, 5, 1);
	jpeg("jpeg/scans.jpg", 100, 70, 3, JCS_RGB, true, 20, 2);
	jpeg("jpeg/large.jpg", 200, 160, 3, JCS_RGB, false, 10, 0);
}
#else
static void photographs(void)
{
}
#endif

/* ---------------------------------------------------------------- sounds */

#ifdef MMCORE_HAVE_SOUND
static void sound(int format, int channels, int number)
{
	enum { FRAMES = 300 };
	float x[2 * FRAMES];
	char name[32];
	SF_INFO info = { .samplerate = 8000, .channels = channels, .format = format };
	for (int i = 0; i < FRAMES * channels; i++)
		x[i] = 0.5f * sinf(0.2f * (float)(i / channels));
	snprintf(name, sizeof name, "sound/%02d", number);
	SNDFILE *file = sf_open(path_of(name), SFM_WRITE, &info);
	if (!file) /* this libsndfile does not write it */
		return;
	sf_writef_float(file, x, FRAMES);
	sf_close(file);
}

static void sounds(void)
{
	static const int formats[] = {
		SF_FORMAT_WAV | SF_FORMAT_PCM_16,  SF_FORMAT_WAV | SF_FORMAT_FLOAT,    SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM,
		SF_FORMAT_WAV | SF_FORMAT_ULAW,    SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, SF_FORMAT_WAV | SF_FORMAT_GSM610,
		SF_FORMAT_WAV | SF_FORMAT_PCM_24,  SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, SF_FORMAT_RF64 | SF_FORMAT_PCM_16,
		SF_FORMAT_AIFF | SF_FORMAT_PCM_24, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,  SF_FORMAT_OGG | SF_FORMAT_VORBIS,
		SF_FORMAT_OGG | SF_FORMAT_OPUS,    SF_FORMAT_AU | SF_FORMAT_PCM_16,    SF_FORMAT_CAF | SF_FORMAT_ALAC_16,
		SF_FORMAT_W64 | SF_FORMAT_PCM_16,  SF_FORMAT_VOC | SF_FORMAT_PCM_U8,   SF_FORMAT_SVX | SF_FORMAT_PCM_16,
		SF_FORMAT_NIST | SF_FORMAT_PCM_16, SF_FORMAT_IRCAM | SF_FORMAT_PCM_16, SF_FORMAT_MAT5 | SF_FORMAT_PCM_16,
		SF_FORMAT_PVF | SF_FORMAT_PCM_16,  SF_FORMAT_XI | SF_FORMAT_DPCM_16,   SF_FORMAT_HTK | SF_FORMAT_PCM_16,
		SF_FORMAT_AVR | SF_FORMAT_PCM_16,  SF_FORMAT_PAF | SF_FORMAT_PCM_16,
	};
	for (size_t i = 0; i < MMI_COUNT(formats); i++)
		sound(formats[i], 1 + (int)(i % 2), (int)i);
}
#else
static void sounds(void)
{
}
#endif

/* ---------------------------------------------------------------- digits */

enum { IMAGES = 16 + 3 * 784, LABELS = 8 + 3 };

/* Two bytes for the length of the first file, then both. */
static void put_both(const char *name, const void *a, size_t n_a, const void *b, size_t n_b)
{
	uint8_t all[1 << 14];
	must(2 + n_a + n_b <= sizeof all, name);
	all[0] = (uint8_t)(n_a >> 8);
	all[1] = (uint8_t)n_a;
	memcpy(all + 2, a, n_a);
	memcpy(all + 2 + n_a, b, n_b);
	put(name, all, 2 + n_a + n_b);
}

static size_t zipped(const void *from, size_t n, uint8_t *to, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)from, .avail_in = (uInt)n, .next_out = to, .avail_out = (uInt)room };
	must(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK &&
	         deflate(&z, Z_FINISH) == Z_STREAM_END,
	     "gzip");
	deflateEnd(&z);
	return z.total_out;
}

static void digits(void)
{
	uint8_t images[IMAGES] = { 0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28 },
			labels[LABELS + 1] = { 0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 9, 9 }, a[4096], b[256];
	for (int i = 16; i < IMAGES; i++)
		images[i] = (uint8_t)(i % 11 ? 0 : i);
	put_both("idx/plain", images, IMAGES, labels, LABELS);
	put_both("idx/short", images, 16, labels, LABELS);
	for (int byte = 0; byte < 16; byte++) { /* magic numbers, numbers of items, sides */
		char name[32];
		uint8_t other[IMAGES];
		memcpy(other, images, IMAGES);
		other[byte] ^= byte == 7 ? 3 : 1;
		snprintf(name, sizeof name, "idx/header-%02d", byte);
		put_both(name, other, IMAGES, labels, LABELS);
	}
	put_both("idx/behind", images, IMAGES, labels, LABELS + 1);
	put_both("idx/cut", images, IMAGES - 1, labels, LABELS);
	const size_t n_a = zipped(images, IMAGES, a, sizeof a), n_b = zipped(labels, LABELS, b, sizeof b);
	put_both("idx/gzip", a, n_a, b, n_b);
	put_both("idx/mixed", a, n_a, labels, LABELS);
	put_both("idx/gzip-cut", a, n_a / 2, b, n_b);
	a[n_a - 6] ^= 1;
	put_both("idx/gzip-checksum", a, n_a, b, n_b);
	memset(a + n_a / 2, 0xFF, 8);
	put_both("idx/gzip-damaged", a, n_a, b, n_b);
}

/* ---------------------------------------------------------------- tensors */

static void tensors(void)
{
	float x[6] = { 0, 1, 2, 3, 4, 5 };
	int64_t count = 5;
	uint8_t bytes[3] = { 1, 2, 3 };
	const mmi_tensor_item items[] = {
		{ .name = "a", .dtype = MMI_F32, .rank = 2, .dim = { 2, 3 }, .data = x },
		{ .name = "b", .dtype = MMI_I64, .rank = 0, .data = &count },
		{ .name = "c", .dtype = MMI_U8, .rank = 1, .dim = { 3 }, .data = bytes },
		{ .name = "d", .dtype = MMI_BF16, .rank = 3, .dim = { 0, 2, 2 }, .data = bytes },
	};
	const mmi_text_pair meta[] = { { "mmcore.checkpoint", "1" }, { "settings", "[a]\nb = \"c\"\n" } };
	must(mmi_safetensors_write(path_of("safetensors/two"), items, 2, meta, 1, NULL) == MM_OK, "tensors");
	must(mmi_safetensors_write(path_of("safetensors/four"), items, 4, meta, 2, NULL) == MM_OK, "tensors");
	must(mmi_safetensors_write(path_of("safetensors/none"), items, 0, NULL, 0, NULL) == MM_OK, "tensors");
}

/* Of the harness `resume`: tensor, element, bits of a number that is odd in its place. */
static void changes(void)
{
	static const double values[] = { 0, -1, 0x1p53, 0x1p-1074, 1e308 };
	static const int64_t counts[] = { -1, INT64_MAX, INT64_MIN, 1, (int64_t)1 << 53 };
	uint8_t c[12 * 10];
	for (unsigned t = 0; t < 96; t += 5) {
		char name[32];
		for (unsigned k = 0; k < 10; k++) {
			uint8_t *at = c + 12 * k;
			memset(at, 0, 4);
			at[1] = (uint8_t)(t + k);
			at[3] = (uint8_t)k;
			memcpy(at + 4, k < 5 ? (const void *)&values[k] : (const void *)&counts[k - 5], 8);
		}
		snprintf(name, sizeof name, "resume/%02u", t);
		put(name, c, 12 * (1 + t % 10));
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	folder = argv[1];
	pictures();
	photographs();
	sounds();
	digits();
	tensors();
	changes();
	return 0;
}
