/* test_params.c - one model's tensors: declaration, initial values, spectral normalisation, repacked copies. */
#include "mmi_build.h"

#include "engine/params.h"
#include "engine/optimiser.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../rig/ops_reference.h"
#include "../rig/device_rig.h"

static mmi_params *create(const char *name)
{
	mm_error e = MM_ERROR_INIT;
	mmi_params *p = NULL;

	assert_int_equal(mmi_params_create(cpu_device(), name, &p, &e), MM_OK);
	return p;
}

static uint32_t declare(mmi_params *p, const char *name, mm_shape shape, int32_t init, int32_t fan_in)
{
	mm_error e = MM_ERROR_INIT;
	uint32_t index = UINT32_MAX;

	assert_int_equal(mmi_params_declare(p, name, shape, init, fan_in, &index, &e), MM_OK);
	assert_true(index < p->n);
	return index;
}

static void finalise(mmi_params *p, uint64_t seed)
{
	mm_error e = MM_ERROR_INIT;

	assert_int_equal(mmi_params_finalise(p, seed, &e), MM_OK);
}

/* ------------------------------------------------------------ declaration */

static void a_name_declared_twice_is_one_tensor(void **state)
{
	mmi_params *p = create("generator");
	const uint32_t first = declare(p, "a.weight", mmi_shape(2, 3, 4), MM_INIT_DEFAULT, 3);

	(void)state;
	declare(p, "b.weight", mmi_shape(1, 4), MM_INIT_DEFAULT, 3);
	assert_int_equal(declare(p, "a.weight", mmi_shape(2, 3, 4), MM_INIT_DEFAULT, 3), first);
	assert_int_equal(p->n, 2);
	mmi_params_destroy(p);
}

static void refusals_name_the_tensor_and_both_shapes(void **state)
{
	mmi_params *p = create("generator");
	mm_error e = MM_ERROR_INIT;
	uint32_t index = 77;

	(void)state;
	declare(p, "a.weight", mmi_shape(2, 3, 4), MM_INIT_DEFAULT, 3);
	assert_int_equal(mmi_params_declare(p, "a.weight", mmi_shape(2, 4, 3), MM_INIT_DEFAULT, 3, &index, &e), MM_ESHAPE);
	assert_non_null(strstr(e.message, "a.weight"));
	assert_non_null(strstr(e.message, "[3,4]"));
	assert_non_null(strstr(e.message, "[4,3]"));
	assert_int_equal(mmi_params_declare(p, "b.weight", mmi_shape(1, 4), 99, 3, &index, &e), MM_EARG);
	assert_non_null(strstr(e.message, "b.weight"));
	finalise(p, 1);
	assert_int_equal(mmi_params_declare(p, "c.weight", mmi_shape(1, 4), MM_INIT_ZERO, 3, &index, &e), MM_ESTATE);
	assert_non_null(strstr(e.message, "c.weight"));
	assert_int_equal(mmi_params_finalise(p, 1, &e), MM_ESTATE);
	assert_int_equal(p->n, 1);
	mmi_params_destroy(p);
}

static void tensors_start_on_64_byte_lines_with_zeros_between(void **state)
{
	mmi_params *p = create("generator");
	char name[16];

	(void)state;
	for (int i = 1; i <= 40; i++) {
		snprintf(name, sizeof name, "t%d", i);
		declare(p, name, mmi_shape(1, i), MM_INIT_DEFAULT, 1);
	}
	assert_null(mmi_params_value(p, 0).at);
	finalise(p, 1);
	for (uint32_t i = 0; i < 40; i++) {
		const mmi_param_info *info = &p->info[i];
		const size_t end = i + 1 < 40 ? p->info[i + 1].offset : p->count;

		assert_int_equal(info->count, i + 1);
		assert_int_equal((uintptr_t)mmi_params_value(p, i).at % 64, 0);
		assert_true(info->offset + info->count <= end);
		for (size_t k = info->offset + info->count; k < end; k++)
			assert_true(p->raw.at[k] == 0);
	}
	assert_null(mmi_params_value(p, 40).at);
	mmi_params_destroy(p);
}

/* ------------------------------------------------------------ initial values */

typedef struct moments {
	double mean, deviation, largest;
} moments;

static moments moments_of(const float *x, size_t n)
{
	moments m = { 0, 0, 0 };

	for (size_t i = 0; i < n; i++) {
		m.mean += (double)x[i] / (double)n;
		m.largest = fmax(m.largest, fabs((double)x[i]));
	}
	for (size_t i = 0; i < n; i++)
		m.deviation += pow((double)x[i] - m.mean, 2) / (double)n;
	m.deviation = sqrt(m.deviation);
	return m;
}

/* A hundred thousand values: mean within 5 standard errors, deviation within 1.5 %. */
static void check_moments(const mmi_params *p, uint32_t index, double deviation)
{
	const moments m = moments_of(mmi_params_value(p, index).at, p->info[index].count);

	assert_true(fabs(m.mean) < 5 * deviation / sqrt((double)p->info[index].count));
	assert_true(fabs(m.deviation / deviation - 1) < 0.015);
}

static void default_values_are_uniform_within_one_over_root_fan_in(void **state)
{
	mmi_params *p = create("generator");
	const uint32_t w = declare(p, "w", mmi_shape(2, 250, 400), MM_INIT_DEFAULT, 250);
	const uint32_t b = declare(p, "b", mmi_shape(1, 400), MM_INIT_DEFAULT, 250);
	const double bound = 1 / sqrt(250);

	(void)state;
	finalise(p, 1);
	check_moments(p, w, bound / sqrt(3));
	const moments weights = moments_of(mmi_params_value(p, w).at, p->info[w].count);
	const moments biases = moments_of(mmi_params_value(p, b).at, 400);
	assert_true(weights.largest <= bound * (1 + 1e-6) && weights.largest > 0.999 * bound);
	assert_true(biases.largest <= bound * (1 + 1e-6) && biases.largest > 0.9 * bound);
	mmi_params_destroy(p);
}

/* sqrt(2 / (fan_in + fan_out)), both times the kernel's area. */
static void xavier_values_are_normal_with_its_deviation(void **state)
{
	mmi_params *p = create("generator");
	const uint32_t linear = declare(p, "linear", mmi_shape(2, 200, 500), MM_INIT_XAVIER_NORMAL, 200);
	const uint32_t conv = declare(p, "conv", mmi_shape(4, 3, 3, 80, 140), MM_INIT_XAVIER_NORMAL, 720);

	(void)state;
	finalise(p, 1);
	check_moments(p, linear, sqrt(2.0 / 700));
	check_moments(p, conv, sqrt(2.0 / (9 * 220)));
	assert_true(moments_of(mmi_params_value(p, linear).at, 100000).largest >
	            3.5 * sqrt(2.0 / 700)); /* tails: not uniform */
	mmi_params_destroy(p);
}

/* A store with some tensors before and some after "w". */
static mmi_params *store_with(const char *store, const char *before, const char *after, uint64_t seed, uint32_t *w)
{
	mmi_params *p = create(store);

	if (before)
		declare(p, before, mmi_shape(2, 5, 5), MM_INIT_DEFAULT, 5);
	*w = declare(p, "w", mmi_shape(2, 30, 7), MM_INIT_DEFAULT, 30);
	if (after)
		declare(p, after, mmi_shape(2, 6, 6), MM_INIT_XAVIER_NORMAL, 6);
	finalise(p, seed);
	return p;
}

static void initial_values_depend_on_seed_store_and_name_alone(void **state)
{
	static const struct {
		const char *store, *before, *after;
		uint64_t seed;
		bool same;
	} others[] = {
		{ "generator", NULL, NULL, 5, true },  { "generator", "a", NULL, 5, true },
		{ "generator", NULL, "z", 5, true },   { "generator", "z", "a", 5, true },
		{ "generator", NULL, NULL, 6, false }, { "inference", NULL, NULL, 5, false },
	};
	uint32_t w, v;
	mmi_params *p = store_with("generator", NULL, NULL, 5, &w);

	(void)state;
	for (size_t i = 0; i < MMI_COUNT(others); i++) {
		mmi_params *q = store_with(others[i].store, others[i].before, others[i].after, others[i].seed, &v);
		const bool same = memcmp(mmi_params_value(p, w).at, mmi_params_value(q, v).at, 210 * sizeof(float)) == 0;

		assert_int_equal(same, others[i].same);
		mmi_params_destroy(q);
	}
	mmi_params_destroy(p);
}

static void tensors_of_one_shape_start_differently(void **state)
{
	mmi_params *p = create("generator");
	const uint32_t a = declare(p, "a", mmi_shape(1, 50), MM_INIT_DEFAULT, 9);
	const uint32_t b = declare(p, "b", mmi_shape(1, 50), MM_INIT_DEFAULT, 9);
	int equal = 0;

	(void)state;
	finalise(p, 1);
	for (int i = 0; i < 50; i++)
		equal += mmi_params_value(p, a).at[i] == mmi_params_value(p, b).at[i];
	assert_true(equal < 2);
	mmi_params_destroy(p);
}

/* ------------------------------------------------------------ spectral normalisation */

enum { MAX_COLUMNS = 16 };

static double column_product(const double *a, size_t rows, size_t columns, size_t p, size_t q)
{
	double sum = 0;

	for (size_t r = 0; r < rows; r++)
		sum += a[r * columns + p] * a[r * columns + q];
	return sum;
}

/* Turns columns p and q so that they become orthogonal. */
static void rotate(double *a, size_t rows, size_t columns, size_t p, size_t q)
{
	const double pq = column_product(a, rows, columns, p, q);

	if (pq == 0)
		return;
	const double zeta = (column_product(a, rows, columns, q, q) - column_product(a, rows, columns, p, p)) / (2 * pq);
	const double t = copysign(1, zeta) / (fabs(zeta) + sqrt(1 + zeta * zeta)), c = 1 / sqrt(1 + t * t), s = c * t;
	for (size_t r = 0; r < rows; r++) {
		const double x = a[r * columns + p], y = a[r * columns + q];

		a[r * columns + p] = c * x - s * y;
		a[r * columns + q] = s * x + c * y;
	}
}

/* One-sided Jacobi: the largest singular value of [rows][columns]. */
static double largest_singular_value(const float *w, size_t rows, size_t columns)
{
	double *a = mmi_alloc(rows * columns, sizeof *a), largest2 = 0;

	assert_non_null(a);
	assert_true(columns <= MAX_COLUMNS);
	for (size_t i = 0; i < rows * columns; i++)
		a[i] = (double)w[i];
	for (int sweep = 0; sweep < 20; sweep++)
		for (size_t p = 0; p + 1 < columns; p++)
			for (size_t q = p + 1; q < columns; q++)
				rotate(a, rows, columns, p, q);
	for (size_t p = 0; p < columns; p++)
		largest2 = fmax(largest2, column_product(a, rows, columns, p, p));
	mmi_free(a);
	return sqrt(largest2);
}

static void values_have_largest_singular_value_one(void **state)
{
	const mm_shape shapes[] = { mmi_shape(2, 12, 16), mmi_shape(2, 40, 7), mmi_shape(2, 9, 1), mmi_shape(4, 3, 3, 5, 8),
		                        mmi_shape(4, 1, 1, 3, 4) };
	mmi_params *p = create("energy");
	char name[16];

	(void)state;
	for (size_t i = 0; i < MMI_COUNT(shapes); i++) {
		snprintf(name, sizeof name, "w%zu", i);
		declare(p, name, shapes[i], MM_INIT_DEFAULT, 4);
	}
	mmi_params_spectral(p);
	finalise(p, 3);
	mmi_params_update(p, 500);
	for (uint32_t i = 0; i < p->n; i++) {
		const size_t columns = (size_t)shapes[i].dim[shapes[i].rank - 1], rows = p->info[i].count / columns;

		assert_true(p->info[i].spectral);
		assert_true(fabs(largest_singular_value(p->raw.at + p->info[i].offset, rows, columns) / (double)p->sigma.at[i] -
		                 1) < 1e-5);
		assert_true(fabs(largest_singular_value(mmi_params_value(p, i).at, rows, columns) - 1) < 1e-5);
	}
	mmi_params_destroy(p);
}

/* One step a time from then on is enough, since weights move slowly. */
static void the_start_is_already_close_and_one_step_an_update_follows(void **state)
{
	mmi_params *p = create("energy");
	const uint32_t w = declare(p, "w", mmi_shape(2, 60, 16), MM_INIT_DEFAULT, 60);

	(void)state;
	mmi_params_spectral(p);
	finalise(p, 3);
	for (int step = 0; step < 200; step++) {
		const double size = largest_singular_value(mmi_params_value(p, w).at, 60, 16);

		assert_true(size > 0.999 && size < (step < 20 ? 1.1 : 1.02));
		for (size_t i = 0; i < p->info[w].count; i++)
			p->raw.at[i] += 1e-3f * sinf((float)(i * i + 1));
		mmi_params_update(p, 1);
	}
	mmi_params_destroy(p);
}

static void biases_are_not_normalised(void **state)
{
	mmi_params *p = create("energy");
	const uint32_t w = declare(p, "w", mmi_shape(2, 6, 6), MM_INIT_DEFAULT, 6);
	const uint32_t b = declare(p, "b", mmi_shape(1, 6), MM_INIT_DEFAULT, 6);

	(void)state;
	mmi_params_spectral(p);
	finalise(p, 3);
	assert_true(p->info[w].spectral && !p->info[b].spectral);
	assert_true(p->sigma.at[b] == 1);
	assert_memory_equal(mmi_params_value(p, b).at, p->raw.at + p->info[b].offset, 6 * sizeof(float));
	mmi_params_destroy(p);
}

static void zero_values_stay_zero_and_finite(void **state)
{
	mmi_params *p = create("energy");
	const uint32_t w = declare(p, "w", mmi_shape(2, 6, 5), MM_INIT_ZERO, 6);
	float *grad;

	(void)state;
	mmi_params_spectral(p);
	finalise(p, 3);
	mmi_params_update(p, 1);
	assert_true(moments_of(mmi_params_value(p, w).at, 30).largest == 0);
	grad = mmi_alloc(p->count, sizeof *grad);
	assert_non_null(grad);
	grad[3] = 1;
	mmi_params_grad_to_raw(p, mmi_floats_direct(grad));
	for (size_t i = 0; i < p->count; i++)
		assert_true(isfinite(grad[i]));
	mmi_free(grad);
	mmi_params_destroy(p);
}

static void without_it_values_are_the_raw_ones_and_gradients_stay(void **state)
{
	mmi_params *p = create("energy");
	float grad[32];

	(void)state;
	declare(p, "w", mmi_shape(2, 4, 8), MM_INIT_DEFAULT, 4);
	finalise(p, 3);
	assert_ptr_equal(p->value.at, p->raw.at);
	for (int i = 0; i < 32; i++)
		grad[i] = (float)i;
	mmi_params_grad_to_raw(p, mmi_floats_direct(grad));
	for (int i = 0; i < 32; i++)
		assert_true(grad[i] == (float)i);
	mmi_params_destroy(p);
}

/* sum_k r_k value_k, with the singular vectors held. */
static double weighted_sum(mmi_params *p, const float *r)
{
	double sum = 0;

	mmi_params_update(p, 0);
	for (size_t k = 0; k < p->count; k++)
		sum += (double)r[k] * (double)p->value.at[k];
	return sum;
}

static void gradients_agree_with_differences_while_vectors_are_held(void **state)
{
	enum { N = 96 };
	mmi_params *p = create("energy");
	const float h = 1.0f / 64;
	float r[N], grad[N];

	(void)state;
	declare(p, "a", mmi_shape(2, 8, 6), MM_INIT_DEFAULT, 8);
	declare(p, "b", mmi_shape(4, 3, 2, 2, 4), MM_INIT_DEFAULT, 12);
	mmi_params_spectral(p);
	finalise(p, 9);
	assert_int_equal(p->count, N);
	for (int i = 0; i < N; i++)
		r[i] = grad[i] = cosf((float)(3 * i * i));
	mmi_params_grad_to_raw(p, mmi_floats_direct(grad));
	for (int i = 0; i < N; i++) {
		const float kept = p->raw.at[i];

		p->raw.at[i] = kept + h;
		double difference = weighted_sum(p, r);
		p->raw.at[i] = kept - h;
		difference -= weighted_sum(p, r);
		p->raw.at[i] = kept;
		assert_true(fabs(difference / (2 * (double)h) - (double)grad[i]) < 2e-3 * (1 + fabs((double)grad[i])));
	}
	mmi_params_destroy(p);
}

static void check_close(const float *got, const reference_record *want)
{
	double difference2 = 0, size2 = 0;

	assert_non_null(want);
	for (int64_t i = 0; i < want->count; i++) {
		difference2 += pow((double)got[i] - want->values[i], 2);
		size2 += want->values[i] * want->values[i];
	}
	assert_true(difference2 <= 1e-12 * size2);
}

static void fill(float *to, const reference_record *from, size_t n)
{
	assert_non_null(from);
	assert_int_equal(from->count, n);
	for (size_t i = 0; i < n; i++)
		to[i] = (float)from->values[i];
}

static mm_shape shape_of(const reference_record *record)
{
	mm_shape shape = { .rank = record->rank };

	for (uint32_t d = 0; d < record->rank; d++)
		shape.dim[d] = (int32_t)record->dim[d];
	return shape;
}

static void check_against_pytorch(const reference *ref, const char *name)
{
	const reference_record *weight = reference_find(ref, "spectral/%s/weight", name);
	const reference_record *steps = reference_find(ref, "spectral/%s/steps", name);
	mmi_params *p = create("energy");

	assert_true(weight && steps);
	declare(p, "w", shape_of(weight), MM_INIT_DEFAULT, 1);
	mmi_params_spectral(p);
	finalise(p, 1);
	fill(p->raw.at, weight, p->info[0].count);
	fill(p->vectors.at + p->info[0].u_offset, reference_find(ref, "spectral/%s/u", name), p->info[0].u_count);
	mmi_params_update(p, (int)steps->values[0]);
	check_close(mmi_params_value(p, 0).at, reference_find(ref, "spectral/%s/value", name));

	float *grad = mmi_alloc(p->count, sizeof *grad);
	assert_non_null(grad);
	fill(grad, reference_find(ref, "spectral/%s/r", name), p->info[0].count);
	mmi_params_grad_to_raw(p, mmi_floats_direct(grad));
	check_close(grad, reference_find(ref, "spectral/%s/grad", name));
	mmi_free(grad);
	mmi_params_destroy(p);
}

static void values_and_gradients_are_those_of_pytorch(void **state)
{
	reference ref;

	(void)state;
	assert_true(reference_open_file(&ref, "iteration.bin"));
	check_against_pytorch(&ref, "linear");
	check_against_pytorch(&ref, "conv");
	reference_close(&ref);
}

/* ------------------------------------------------------------ packs */

static int packed, released;

static void pack_first(const float *source, void *data, const void *ctx)
{
	packed++;
	*(float *)data = *source * *(const float *)ctx;
}

static void count_release(void *ctx)
{
	(void)ctx;
	released++;
}

static const mmi_pack *get(mmi_params *p, uint32_t index, uint64_t key, float *factor)
{
	const mmi_pack *pack = NULL;
	mm_error e = MM_ERROR_INIT;

	assert_int_equal(mmi_packs_get(p->packs, mmi_params_value(p, index).at, key, sizeof(float), pack_first, factor,
	                               count_release, &pack, &e),
	                 MM_OK);
	return pack;
}

static mmi_params *two_tensors(void)
{
	mmi_params *p = create("energy");

	declare(p, "a", mmi_shape(2, 4, 4), MM_INIT_DEFAULT, 4);
	declare(p, "b", mmi_shape(2, 4, 4), MM_INIT_DEFAULT, 4);
	mmi_params_spectral(p);
	finalise(p, 1);
	packed = released = 0;
	return p;
}

static void a_pack_is_made_once_for_each_tensor_and_layout(void **state)
{
	mmi_params *p = two_tensors();
	float factor = 2;
	const mmi_pack *first = get(p, 0, 1, &factor);

	(void)state;
	assert_true(*(const float *)first->data == 2 * mmi_params_value(p, 0).at[0]);
	assert_ptr_equal(get(p, 0, 1, &factor), first);
	assert_int_equal(packed, 1);
	assert_int_equal(released, 1); /* the second context was not needed */
	assert_ptr_not_equal(get(p, 0, 2, &factor), first);
	assert_ptr_not_equal(get(p, 1, 1, &factor), first);
	assert_int_equal(packed, 3);
	mmi_params_destroy(p);
	assert_int_equal(released, 4);
}

static void packs_stay_where_they_are_as_their_number_grows(void **state)
{
	mmi_params *p = two_tensors();
	float factor = 3;
	const mmi_pack *first = get(p, 0, 0, &factor);

	(void)state;
	for (uint64_t key = 1; key < 100; key++)
		get(p, 0, key, &factor);
	assert_ptr_equal(get(p, 0, 0, &factor), first);
	assert_int_equal(packed, 100);
	mmi_params_update(p, 1);
	assert_int_equal(packed, 200);
	mmi_params_destroy(p);
}

static void an_update_of_the_optimiser_refreshes_each_pack_once(void **state)
{
	const mmi_adam_config config = { .rate = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8 };
	mmi_params *p = two_tensors();
	mmi_optimiser o;
	mmi_pool *pool = NULL;
	mm_error e = MM_ERROR_INIT;
	float factor = 2, *grad = mmi_alloc(p->count, sizeof *grad);
	const mmi_pack *a = get(p, 0, 1, &factor), *b = get(p, 1, 1, &factor);

	(void)state;
	assert_non_null(grad);
	grad[0] = 1;
	assert_int_equal(mmi_pool_create(2, &pool, &e), MM_OK);
	assert_int_equal(mmi_optimiser_create(p, &config, &o, &e), MM_OK);
	packed = 0;
	for (int step = 1; step <= 3; step++) {
		const float before = *(const float *)a->data;

		assert_int_equal(mmi_optimiser_step(&o, pool, mmi_floats_direct(grad), 1, 1, &e), MM_OK);
		assert_int_equal(packed, 2 * step);
		assert_true(*(const float *)a->data == 2 * mmi_params_value(p, 0).at[0]);
		assert_true(*(const float *)b->data == 2 * mmi_params_value(p, 1).at[0]);
		assert_true(*(const float *)a->data != before);
	}
	mmi_optimiser_clear(&o);
	mmi_pool_destroy(pool);
	mmi_free(grad);
	mmi_params_destroy(p);
}

/* Gradient and norm are finite, but not the square in the second moment, nor what an absurd rate makes of the
 * parameters. */
static void an_update_that_is_not_finite_is_told(void **state)
{
	static const struct {
		double factor;
		float grad;
	} ways[] = { { 1, 1e30f }, { 1e300, 1 }, { (double)NAN, 1 } };
	const mmi_adam_config config = { .rate = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .ema = 0.9 };
	mmi_pool *pool = NULL;
	mm_error e = MM_ERROR_INIT;

	(void)state;
	assert_int_equal(mmi_pool_create(2, &pool, &e), MM_OK);
	for (size_t i = 0; i < MMI_COUNT(ways); i++) {
		mmi_params *p = two_tensors();
		mmi_optimiser o;
		float *grad = mmi_alloc(p->count, sizeof *grad);
		assert_non_null(grad);
		assert_int_equal(mmi_optimiser_create(p, &config, &o, &e), MM_OK);
		grad[0] = ways[i].grad;
		o.rate_factor = ways[i].factor;
		assert_int_equal(mmi_optimiser_step(&o, pool, mmi_floats_direct(grad), (double)grad[0], 1, &e), MM_ENUMERIC);
		assert_non_null(strstr(e.message, "values that are not finite"));
		mmi_optimiser_clear(&o);
		mmi_free(grad);
		mmi_params_destroy(p);
	}
	mmi_pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_that_is_not_finite_is_told),
		cmocka_unit_test(a_name_declared_twice_is_one_tensor),
		cmocka_unit_test(refusals_name_the_tensor_and_both_shapes),
		cmocka_unit_test(tensors_start_on_64_byte_lines_with_zeros_between),
		cmocka_unit_test(default_values_are_uniform_within_one_over_root_fan_in),
		cmocka_unit_test(xavier_values_are_normal_with_its_deviation),
		cmocka_unit_test(initial_values_depend_on_seed_store_and_name_alone),
		cmocka_unit_test(tensors_of_one_shape_start_differently),
		cmocka_unit_test(values_have_largest_singular_value_one),
		cmocka_unit_test(the_start_is_already_close_and_one_step_an_update_follows),
		cmocka_unit_test(biases_are_not_normalised),
		cmocka_unit_test(zero_values_stay_zero_and_finite),
		cmocka_unit_test(without_it_values_are_the_raw_ones_and_gradients_stay),
		cmocka_unit_test(gradients_agree_with_differences_while_vectors_are_held),
		cmocka_unit_test(values_and_gradients_are_those_of_pytorch),
		cmocka_unit_test(a_pack_is_made_once_for_each_tensor_and_layout),
		cmocka_unit_test(packs_stay_where_they_are_as_their_number_grows),
		cmocka_unit_test(an_update_of_the_optimiser_refreshes_each_pack_once),
	};

	return cmocka_run_group_tests_name("parameters", tests, NULL, NULL);
}
