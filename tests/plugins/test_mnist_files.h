/* test_mnist_files.h - folders, IDX files and PNG pictures the mnist tests make for themselves. */
#ifndef TEST_MNIST_FILES_H
#define TEST_MNIST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILES_TRAIN = 120, FILES_TEST = 70 };

/* A new empty folder; and its removal with all contents. */
void files_make_folder(char path[256]);
void files_remove_folder(const char *path);
void files_make_subfolder(const char *folder, const char *name); /* one level, "train" then "train/m0" */

void files_write(const char *folder, const char *name, const void *data, size_t size);
void files_write_gzip(const char *folder, const char *name, const void *data, size_t size);
size_t files_read(const char *folder, const char *name, void *out, size_t size);
bool files_exist(const char *folder, const char *name);

/* Pixel of image k of a split; covers 0..255, with 128 and 129 frequent. */
uint8_t files_pixel(int split, uint32_t k, uint32_t at);
uint8_t files_label(int split, uint32_t k);
uint32_t files_count(int split);
/* Bytes of the two IDX files of a split; returns the size. */
size_t files_idx_images(int split, uint8_t *out);
size_t files_idx_labels(int split, uint8_t *out);
/* All four files. */
void files_write_idx(const char *folder, bool gzip);

/* A PNG with rows as libpng wants them; palette (256 x RGB) for indexed pictures, else NULL. */
void files_write_png(const char *folder, const char *name, uint32_t width, uint32_t height, int colour_type, int depth,
                     const uint8_t *rows, size_t stride, const uint8_t *palette);

#endif
