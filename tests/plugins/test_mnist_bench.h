/* test_mnist_bench.h - what every mnist test starts from: a loaded plugin, an empty folder, and ways to open views. */
#ifndef TEST_MNIST_BENCH_H
#define TEST_MNIST_BENCH_H

#include "test_mnist_files.h"
#include "test_mnist_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLE = 28 * 28 * 3 };

typedef struct bench {
	mm_host host;
	void *self;
	const mm_modality_desc *desc;
	char folder[256];
	mm_error e;
} bench;

#define assert_ok(b, call)                  \
	do {                                    \
		if ((call) != MM_OK)                \
			fail_msg("%s", (b)->e.message); \
	} while (0)

#define assert_fails(b, call, status, word)                   \
	do {                                                      \
		assert_int_equal(call, status);                       \
		assert_int_equal((b)->e.code, status);                \
		if (!strstr((b)->e.message, word))                    \
			fail_msg("no '%s' in: %s", word, (b)->e.message); \
	} while (0)

int set_up(void **state);
/* Unloads; fails when anything is still allocated. */
int tear_down(void **state);

/* An instance with up to two settings; a NULL key ends the list. */
mm_instance *make(bench *b, const char *name, const char *key1, const char *value1, const char *key2,
                  const char *value2);
mm_instance *plain(bench *b, const char *name);
mm_dataset *open_split(bench *b, mm_instance *i, int split);
void assert_open_fails(bench *b, mm_instance *i, int split, mm_status status, const char *word); /* destroys i */
/* One sample as bytes, after a check that it holds v / 127.5 - 1 exactly. */
void read_bytes(bench *b, mm_dataset *d, uint64_t index, uint8_t out[SAMPLE]);
/* A background that names its own coordinates: red = x, green = y, blue = 200. */
void write_map(bench *b, const char *name, uint32_t width, uint32_t height);
const char *in_folder(bench *b, const char *name, char path[512]);

#define one_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
