/* test_linalg.c - the host's truncated singular value decomposition and its letters. */
#include "mmi_build.h"

#include "plugin/host.h"
#include "../rig/store_rig.h"

#include <math.h>

enum { ROWS = 60, COLUMNS = 40, ENTRIES = ROWS * COLUMNS };

typedef struct problem {
	uint64_t begin[ROWS + 1];
	uint32_t column[ENTRIES];
	float value[ENTRIES];
	mm_sparse a;
} problem;

/* Entry (i, j) of a matrix of the given rank with singular values 10, 9, ... in bases of cosines. */
static double entry(int i, int j, int rank)
{
	double sum = 0;
	for (int k = 0; k < rank; k++)
		sum += (10 - k) * sqrt(2.0 / ROWS) * cos(M_PI * (i + 0.5) * (k + 1) / ROWS) * sqrt(2.0 / COLUMNS) *
		       cos(M_PI * (j + 0.5) * (k + 1) / COLUMNS);
	return sum;
}

static problem *make(int rank)
{
	problem *p = calloc(1, sizeof *p);
	uint32_t n = 0;
	assert_non_null(p);
	for (int i = 0; i < ROWS; i++) {
		for (int j = 0; j < COLUMNS; j++, n++) {
			p->column[n] = (uint32_t)j;
			p->value[n] = (float)entry(i, j, rank);
		}
		p->begin[i + 1] = n;
	}
	p->a = (mm_sparse){ MM_SIZE_THROUGH(mm_sparse, value), ROWS, COLUMNS, p->begin, p->column, p->value };
	return p;
}

static void svd(const problem *p, uint32_t rank, float *left, float *singular, float *right)
{
	mm_error e = MM_ERROR_INIT;
	assert_ok(mmi_host_linalg_table.truncated_svd(NULL, &p->a, rank, left, singular, right, &e), e);
}

static void known_singular_values_and_vectors_are_found(void **state)
{
	(void)state;
	problem *p = make(8);
	float left[ROWS * 6], right[COLUMNS * 6], singular[6];
	svd(p, 6, left, singular, right);
	for (int k = 0; k < 6; k++) {
		double sum = 0, largest = 0;
		assert_float_equal(singular[k], (float)(10 - k), 1e-4);
		for (int i = 0; i < ROWS; i++) {
			float x = left[i * 6 + k];
			sum += (double)x * (double)x;
			largest =
				fabs((double)x) > 1.001 * fabs(largest) ? (double)x : largest; /* many come twice, with both signs */
			assert_float_equal(fabsf(x), fabs(sqrt(2.0 / ROWS) * cos(M_PI * (i + 0.5) * (k + 1) / ROWS)), 1e-3);
		}
		assert_float_equal(sum, 1, 1e-5);
		assert_true(largest > 0);
	}
	free(p);
}

static void all_vectors_together_give_the_matrix_back(void **state)
{
	(void)state;
	problem *p = make(9);
	static float left[ROWS * COLUMNS], right[COLUMNS * COLUMNS], singular[COLUMNS];
	svd(p, COLUMNS, left, singular, right);
	for (int k = 9; k < COLUMNS; k++)
		assert_float_equal(singular[k], 0, 1e-4);
	for (int i = 0; i < ROWS; i++)
		for (int j = 0; j < COLUMNS; j++) {
			double sum = 0;
			for (int k = 0; k < COLUMNS; k++)
				sum += (double)left[i * COLUMNS + k] * (double)singular[k] * (double)right[j * COLUMNS + k];
			assert_float_equal(sum, entry(i, j, 9), 1e-4);
		}
	free(p);
}

static void the_same_matrix_gives_the_same_bits(void **state)
{
	(void)state;
	problem *p = make(8);
	float one[ROWS * 5], two[ROWS * 5], s1[5], s2[5];
	svd(p, 5, one, s1, NULL);
	svd(p, 5, two, s2, NULL);
	assert_memory_equal(one, two, sizeof one);
	assert_memory_equal(s1, s2, sizeof s1);
	svd(p, 5, NULL, s2, NULL);
	assert_memory_equal(s1, s2, sizeof s1);
	free(p);
}

static void an_empty_matrix_has_zeros(void **state)
{
	(void)state;
	const uint64_t begin[4] = { 0 };
	const uint32_t column[1] = { 0 };
	const float value[1] = { 0 };
	problem p = { .a = { MM_SIZE_THROUGH(mm_sparse, value), 3, 3, begin, column, value } };
	float left[6], singular[2] = { 1, 1 }, right[6];
	svd(&p, 2, left, singular, right);
	for (int k = 0; k < 6; k++)
		assert_true(left[k] == 0 && right[k] == 0);
	assert_true(singular[0] == 0 && singular[1] == 0);
}

static void matrices_that_are_none_are_refused(void **state)
{
	(void)state;
	mm_error e = MM_ERROR_INIT;
	float singular[8];
	problem *p = make(3);
	const mm_host_linalg *l = &mmi_host_linalg_table;
	assert_fails(l->truncated_svd(NULL, NULL, 1, NULL, singular, NULL, &e), MM_EARG, e, "no matrix");
	assert_fails(l->truncated_svd(NULL, &p->a, 0, NULL, singular, NULL, &e), MM_EARG, e, "expected 1 to 40");
	assert_fails(l->truncated_svd(NULL, &p->a, 41, NULL, singular, NULL, &e), MM_EARG, e, "expected 1 to 40");
	p->column[5] = COLUMNS;
	assert_fails(l->truncated_svd(NULL, &p->a, 1, NULL, singular, NULL, &e), MM_EARG, e, "entry 5 has column 40");
	p->column[5] = 5;
	p->value[7] = NAN;
	assert_fails(l->truncated_svd(NULL, &p->a, 1, NULL, singular, NULL, &e), MM_EARG, e, "entry 7");
	p->value[7] = 0;
	p->begin[2] = 0;
	assert_fails(l->truncated_svd(NULL, &p->a, 1, NULL, singular, NULL, &e), MM_EARG, e, "row 1 ends before it begins");
	free(p);
}

static void letters_do_not_depend_on_padding_and_stay_inside(void **state)
{
	enum { W = 40, H = 12, PAD = 7 };
	static const uint8_t ink[3] = { 1, 2, 3 };
	const mm_host_text *t = &mmi_host_text_table;
	mm_error e = MM_ERROR_INIT;
	uint8_t plain[W * H * 3], padded[H][W * 3 + PAD];
	(void)state;
	memset(plain, 255, sizeof plain);
	memset(padded, 255, sizeof padded);
	assert_ok(t->draw(NULL, plain, W, H, W * 3, 1, 1, "A long caption", 1, ink, &e), e);
	assert_ok(t->draw(NULL, padded[0], W, H, W * 3 + PAD, 1, 1, "A long caption", 1, ink, &e), e);
	int dark = 0;
	for (int y = 0; y < H; y++) {
		assert_memory_equal(plain + y * W * 3, padded[y], W * 3);
		for (int k = 0; k < PAD; k++)
			assert_int_equal(padded[y][W * 3 + k], 255);
		for (int x = 0; x < W * 3; x++)
			dark += plain[y * W * 3 + x] < 128;
	}
	assert_true(dark > 60);
	assert_fails(t->draw(NULL, plain, W, H, W, 0, 0, "x", 1, ink, &e), MM_EARG, e, "rows of 3 bytes a pixel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_singular_values_and_vectors_are_found),
		cmocka_unit_test(all_vectors_together_give_the_matrix_back),
		cmocka_unit_test(the_same_matrix_gives_the_same_bits),
		cmocka_unit_test(an_empty_matrix_has_zeros),
		cmocka_unit_test(matrices_that_are_none_are_refused),
		cmocka_unit_test(letters_do_not_depend_on_padding_and_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
