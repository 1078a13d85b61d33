/* arrays_rig.c - see arrays_rig.h. */
#include "mmi_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arrays_rig.h"
#include "cuda_rig.h"

void open_arrays(arrays *a)
{
	*a = (arrays){ .device = { cpu_device(), cuda_device() } };
}

int add_bytes(arrays *a, const void *from, size_t bytes)
{
	assert_true(a->n < MOST_ARRAYS);
	for (int s = 0; s < SIDES; s++) {
		const mmi_device *d = a->device[s];
		a->array[a->n].at[s] = d->ops->alloc(d, bytes);
		assert_non_null(a->array[a->n].at[s]);
		d->ops->upload(d, a->array[a->n].at[s], from, bytes);
	}
	a->array[a->n].bytes = bytes;
	return a->n++;
}

int add_floats(arrays *a, size_t n, float scale, float offset)
{
	float *x = mmi_alloc(n, sizeof *x);
	assert_non_null(x);
	cpu_device()->vec->normal(x, n, (mmi_rng){ .key = 77, .step = (uint32_t)a->n });
	for (size_t i = 0; i < n; i++)
		x[i] = scale * x[i] + offset;
	const int number = add_bytes(a, x, n * sizeof *x);
	mmi_free(x);
	return number;
}

mmi_floats floats_of(const arrays *a, int side, int number)
{
	return (mmi_floats){ a->array[number].at[side] };
}

void read_array(const arrays *a, int side, int number, void *to)
{
	const mmi_device *d = a->device[side];
	d->ops->download(d, to, a->array[number].at[side], a->array[number].bytes);
	assert_int_equal(d->ops->wait(d, NULL), MM_OK);
}

void *read_new(const arrays *a, int side, int number)
{
	void *to = mmi_alloc(a->array[number].bytes, 1);
	assert_non_null(to);
	read_array(a, side, number, to);
	return to;
}

void assert_floats(const arrays *a, int number, const char *what, double tolerance)
{
	float *host = read_new(a, 0, number), *cuda = read_new(a, 1, number);
	const size_t n = a->array[number].bytes / sizeof *host;
	double largest = 0;
	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs((double)host[i]));
	for (size_t i = 0; i < n; i++)
		if (!(fabs((double)host[i] - (double)cuda[i]) <= tolerance * largest))
			fail_msg("%s, element %zu of %zu: %.9g, the host has %.9g", what, i, n, (double)cuda[i], (double)host[i]);
	mmi_free(host);
	mmi_free(cuda);
}

void assert_doubles(const arrays *a, int number, const char *what)
{
	double *host = read_new(a, 0, number), *cuda = read_new(a, 1, number);
	for (size_t i = 0; i < a->array[number].bytes / sizeof *host; i++)
		if (!(fabs(host[i] - cuda[i]) <= 1e-6 * fabs(host[i]) + 1e-12))
			fail_msg("%s, number %zu: %.17g, the host has %.17g", what, i, cuda[i], host[i]);
	mmi_free(host);
	mmi_free(cuda);
}

void assert_bytes(const arrays *a, int number)
{
	void *host = read_new(a, 0, number), *cuda = read_new(a, 1, number);
	assert_memory_equal(host, cuda, a->array[number].bytes);
	mmi_free(host);
	mmi_free(cuda);
}

void close_arrays(arrays *a)
{
	for (int i = 0; i < a->n; i++)
		for (int s = 0; s < SIDES; s++)
			a->device[s]->ops->release(a->device[s], a->array[i].at[s]);
}
