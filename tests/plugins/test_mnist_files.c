/* test_mnist_files.c - makes the mnist tests' input. */
#include "mmi_build.h"

#include "test_mnist_files.h"

#include <dirent.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

void files_make_folder(char path[256])
{
	const char *base = getenv("TMPDIR");
	snprintf(path, 256, "%s/test_mnist.XXXXXX", base && *base ? base : "/tmp");
	assert_non_null(mkdtemp(path));
}

static void join(char *out, size_t size, const char *folder, const char *name)
{
	assert_true((size_t)snprintf(out, size, "%s/%s", folder, name) < size);
}

void files_remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	if (!folder)
		return;
	for (const struct dirent *entry; (entry = readdir(folder));) {
		char inside[1024];
		struct stat info;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		join(inside, sizeof(inside), path, entry->d_name);
		if (!lstat(inside, &info) && S_ISDIR(info.st_mode))
			files_remove_folder(inside);
		else
			unlink(inside);
	}
	closedir(folder);
	rmdir(path);
}

void files_make_subfolder(const char *folder, const char *name)
{
	char path[1024];
	join(path, sizeof(path), folder, name);
	assert_int_equal(mkdir(path, 0777), 0);
}

void files_write(const char *folder, const char *name, const void *data, size_t size)
{
	char path[1024];
	join(path, sizeof(path), folder, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

void files_write_gzip(const char *folder, const char *name, const void *data, size_t size)
{
	char path[1024];
	join(path, sizeof(path), folder, name);
	gzFile f = gzopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(gzwrite(f, data, (unsigned)size), (int)size);
	assert_int_equal(gzclose(f), Z_OK);
}

size_t files_read(const char *folder, const char *name, void *out, size_t size)
{
	char path[1024];
	join(path, sizeof(path), folder, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t got = fread(out, 1, size, f);
	fclose(f);
	return got;
}

bool files_exist(const char *folder, const char *name)
{
	char path[1024];
	join(path, sizeof(path), folder, name);
	return !access(path, F_OK);
}

uint8_t files_pixel(int split, uint32_t k, uint32_t at)
{
	uint32_t h = ((uint32_t)split * 7919u + k) * 2654435761u ^ at * 2246822519u;
	h = (h ^ h >> 13) * 3266489917u;
	h ^= h >> 16;
	return h % 4 == 0 ? (uint8_t)(128 + (h >> 8) % 2) : (uint8_t)(h >> 8);
}

uint8_t files_label(int split, uint32_t k)
{
	return (uint8_t)((k * k + (uint32_t)split + k / 10) % 10);
}

uint32_t files_count(int split)
{
	return split ? FILES_TEST : FILES_TRAIN;
}

static size_t put_header(uint8_t *out, int rank, uint32_t count)
{
	const uint8_t header[16] = { 0, 0, 8, (uint8_t)rank, 0, 0, (uint8_t)(count >> 8), (uint8_t)count, 0, 0, 0, 28, 0,
		                         0, 0, 28 };
	size_t size = 4 + 4 * (size_t)rank;
	memcpy(out, header, size);
	return size;
}

size_t files_idx_images(int split, uint8_t *out)
{
	size_t size = put_header(out, 3, files_count(split));
	for (uint32_t k = 0; k < files_count(split); k++)
		for (uint32_t at = 0; at < 784; at++)
			out[size++] = files_pixel(split, k, at);
	return size;
}

size_t files_idx_labels(int split, uint8_t *out)
{
	size_t size = put_header(out, 1, files_count(split));
	for (uint32_t k = 0; k < files_count(split); k++)
		out[size++] = files_label(split, k);
	return size;
}

void files_write_idx(const char *folder, bool gzip)
{
	static uint8_t data[16 + 784 * FILES_TRAIN];
	static const char *const prefix[] = { "train", "t10k" };
	for (int split = 0; split < 2; split++) {
		char name[64];
		void (*write)(const char *, const char *, const void *, size_t) = gzip ? files_write_gzip : files_write;
		snprintf(name, sizeof(name), "%s-images-idx3-ubyte%s", prefix[split], gzip ? ".gz" : "");
		write(folder, name, data, files_idx_images(split, data));
		snprintf(name, sizeof(name), "%s-labels-idx1-ubyte%s", prefix[split], gzip ? ".gz" : "");
		write(folder, name, data, files_idx_labels(split, data));
	}
}

void files_write_png(const char *folder, const char *name, uint32_t width, uint32_t height, int colour_type, int depth,
                     const uint8_t *rows, size_t stride, const uint8_t *palette)
{
	char path[1024];
	join(path, sizeof(path), folder, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	assert_non_null(info);
	if (setjmp(png_jmpbuf(png)))
		fail_msg("libpng failed");
	png_init_io(png, f);
	png_set_IHDR(png, info, width, height, depth, colour_type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
	             PNG_FILTER_TYPE_DEFAULT);
	if (palette) {
		png_color colour[256];
		for (int k = 0; k < 256; k++)
			colour[k] = (png_color){ palette[3 * k], palette[3 * k + 1], palette[3 * k + 2] };
		png_set_PLTE(png, info, colour, 256);
	}
	png_write_info(png, info);
	for (uint32_t y = 0; y < height; y++)
		png_write_row(png, rows + y * stride);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	assert_int_equal(fclose(f), 0);
}
