/* kinds.c - files by their first bytes. */
#include "mmi_build.h"

#include "kinds.h"

#include <string.h>

/* What stands at two places of a file. */
typedef struct kind {
	const char *name;
	const char *first; /* at the beginning */
	size_t first_bytes, at;
	const char *second; /* at byte `at`; NULL: anything */
} kind;

#define BEGINS(name, text)                          \
	{                                               \
		name, "" text, sizeof("" text) - 1, 0, NULL \
	}
#define BRAND(name, brand)               \
	{                                    \
		name, "\0\0", 2, 4, "ftyp" brand \
	}

static const kind kinds[] = {
	BEGINS("a PNG picture", "\x89PNG\r\n"),
	BEGINS("a JPEG picture", "\xFF\xD8\xFF"),
	BEGINS("a GIF picture", "GIF8"),
	{ "a WebP picture", "RIFF", 4, 8, "WEBP" },
	BEGINS("a TIFF picture", "II*\0"),
	BEGINS("a TIFF picture", "MM\0*"),
	BRAND("a HEIF picture", "hei"),
	BRAND("a HEIF picture", "hev"),
	BRAND("a HEIF picture", "mif1"),
	BRAND("an AVIF picture", "avif"),
	BRAND("an AVIF picture", "avis"),
	BRAND("a video", ""),
	BEGINS("a JPEG 2000 picture", "\0\0\0\x0CjP  "),
	BEGINS("a JPEG XL picture", "\0\0\0\x0CJXL "),
	BEGINS("a JPEG XL picture", "\xFF\x0A"),
	BEGINS("a Photoshop picture", "8BPS"),
	BEGINS("an SVG drawing", "<svg"),
	{ "an SVG drawing or other XML", "<?xml", 5, 0, NULL },
	BEGINS("an HTML page, as servers send it in place of what they have not", "<!DOCTYPE html"),
	BEGINS("an HTML page, as servers send it in place of what they have not", "<!doctype html"),
	BEGINS("an HTML page, as servers send it in place of what they have not", "<html"),
	BEGINS("a PDF document", "%PDF"),
	BEGINS("a pointer of Git LFS, whose file has not been fetched (git lfs pull)", "version https://git-lfs"),
	BEGINS("a ZIP archive", "PK\x03\x04"),
	BEGINS("a gzip file", "\x1F\x8B"),
	BEGINS("a bzip2 file", "BZh"),
	BEGINS("an xz file", "\xFD"
	                     "7zXZ"),
	BEGINS("a Zstandard file", "\x28\xB5\x2F\xFD"),
	BEGINS("a 7-Zip archive", "7z\xBC\xAF"),
	BEGINS("a NumPy array", "\x93NUMPY"),
	BEGINS("an HDF5 file", "\x89HDF"),
	BEGINS("a fastText model", "\xBA\x16\x4F\x2F"),
	BEGINS("a netpbm picture", "P4\n"),
	BEGINS("a netpbm picture", "P5\n"),
	BEGINS("a netpbm picture", "P6\n"),
	BEGINS("a BMP picture", "BM"), /* two letters that may begin a text: last */
};

static int is_kind(const kind *k, const uint8_t *start, size_t n)
{
	if (n < k->first_bytes || memcmp(start, k->first, k->first_bytes))
		return 0;
	return !k->second || (n >= k->at + strlen(k->second) && !memcmp(start + k->at, k->second, strlen(k->second)));
}

const char *com_kind(const uint8_t *start, size_t n)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (is_kind(&kinds[i], start, n))
			return kinds[i].name;
	return NULL;
}
