/* test_mnist_bench.c - the common start of the mnist tests. */
#include "mmi_build.h"

#include "test_mnist_bench.h"

#include <math.h>
#include <png.h>
#include <stdio.h>

int set_up(void **state)
{
	bench *b = calloc(1, sizeof(*b));
	assert_non_null(b);
	host_init(&b->host, 42);
	b->e.struct_size = sizeof(b->e);
	files_make_folder(b->folder);
	b->desc = mm_plugin_query_1()->modalities[0];
	assert_int_equal(mm_plugin_query_1()->load(&b->host.api, &b->self, &b->e), MM_OK);
	*state = b;
	return 0;
}

int tear_down(void **state)
{
	bench *b = *state;
	files_remove_folder(b->folder);
	mm_plugin_query_1()->unload(b->self);
	long blocks = atomic_load(&b->host.blocks);
	free(b);
	return blocks ? -1 : 0;
}

mm_instance *make(bench *b, const char *name, const char *key1, const char *value1, const char *key2,
                  const char *value2)
{
	mm_config c = { name, b->folder, { { key1, value1 }, { key2, value2 }, { NULL, NULL } } };
	mm_instance *i = NULL;
	assert_ok(b, b->desc->create(b->self, &c, &i, &b->e));
	return i;
}

mm_instance *plain(bench *b, const char *name)
{
	return make(b, name, NULL, NULL, NULL, NULL);
}

mm_dataset *open_split(bench *b, mm_instance *i, int split)
{
	mm_dataset *d = NULL;
	assert_ok(b, b->desc->open(i, split, &d, &b->e));
	return d;
}

void read_bytes(bench *b, mm_dataset *d, uint64_t index, uint8_t out[SAMPLE])
{
	float x[SAMPLE];
	assert_ok(b, b->desc->read(d, index, x, &b->e));
	for (int k = 0; k < SAMPLE; k++) {
		assert_true(x[k] >= -1.0f && x[k] <= 1.0f);
		out[k] = (uint8_t)lrintf((x[k] + 1.0f) * 127.5f);
		assert_true(x[k] == (float)out[k] / 127.5f - 1.0f);
	}
}

void write_map(bench *b, const char *name, uint32_t width, uint32_t height)
{
	uint8_t *rgb = malloc((size_t)width * height * 3);
	assert_non_null(rgb);
	for (uint32_t k = 0; k < width * height; k++) {
		rgb[3 * k] = (uint8_t)(k % width);
		rgb[3 * k + 1] = (uint8_t)(k / width);
		rgb[3 * k + 2] = 200;
	}
	files_write_png(b->folder, name, width, height, PNG_COLOR_TYPE_RGB, 8, rgb, width * 3, NULL);
	free(rgb);
}

const char *in_folder(bench *b, const char *name, char path[512])
{
	snprintf(path, 512, "%s/%s", b->folder, name);
	return path;
}

void assert_open_fails(bench *b, mm_instance *i, int split, mm_status status, const char *word)
{
	mm_dataset *d = NULL;
	assert_fails(b, b->desc->open(i, split, &d, &b->e), status, word);
	assert_null(d);
	b->desc->destroy(i);
}
