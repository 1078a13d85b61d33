/* arrays_rig.h - the same arrays on the host and on the emulated device; what an operation makes of them is compared.
 */
#ifndef ARRAYS_RIG_H
#define ARRAYS_RIG_H

#include "../rig/device_rig.h"
#include "engine/row_ops.h"

enum { SIDES = 2, MOST_ARRAYS = 160 };

typedef struct arrays {
	const mmi_device *device[SIDES];
	struct {
		void *at[SIDES];
		size_t bytes;
	} array[MOST_ARRAYS];
	int n;
} arrays;

void open_arrays(arrays *a);
int add_bytes(arrays *a, const void *from, size_t bytes);
/* n normal numbers, times scale, plus offset. */
int add_floats(arrays *a, size_t n, float scale, float offset);
mmi_floats floats_of(const arrays *a, int side, int number);
void read_array(const arrays *a, int side, int number, void *to);
void *read_new(const arrays *a, int side, int number);
/* Within tolerance of the largest. */
void assert_floats(const arrays *a, int number, const char *what, double tolerance);
void assert_doubles(const arrays *a, int number, const char *what);
void assert_bytes(const arrays *a, int number);
void close_arrays(arrays *a);

#endif
