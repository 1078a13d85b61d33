/* test_heads.c - what the energy's head can see. With the linear one, modalities whose features are vectors add terms
 * that know nothing of one another, so a tuple that is wrong only in its combination looks like any other; the mlp sees
 * it. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SETS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { B = 16, ITERATIONS = 600, BATCHES = 40, FRESH = 100000 /* number of the first batch that was not trained on */ };

static const char *const heads[] = { "energy.head=linear", "energy.head=mlp" };
enum { LINEAR, MLP, HEADS };
enum { WORDS, SENSOR, N }; /* the modalities in use */

static void train(learner_rig *r, const char *head)
{
	const mmi_modality vectors[N] = { [WORDS] = rig_modality(RIG_WORDS), [SENSOR] = rig_modality(RIG_SENSOR) };
	rig_open_with(
		r, SETS(head, "energy.swap_factor=1", "learner.lr_energy=2e-3", "learner.x_steps=2", "learner.z_steps=2"),
		vectors, N);
	rig_run(r, ITERATIONS);
}

/* The class of a row of the batch: where its first word is. */
static int class_of(const learner_rig *r, uint32_t row)
{
	const float *word = r->x[WORDS] + row * (size_t)r->modality[WORDS].count;
	int best = 0;
	for (int k = 1; k < 4; k++)
		best = word[k] > word[best] ? k : best;
	return best;
}

/* Row r with modality m of row r + 1, for even r, and the other way round. */
static void exchange(const learner_rig *r, uint32_t m, float *out)
{
	size_t count = (size_t)r->modality[m].count;
	for (uint32_t row = 0; row < B; row++)
		memcpy(out + row * count, r->x[m] + (row ^ 1) * count, count * sizeof *out);
}

typedef struct seen {
	double right, n;  /* E(tuple) < E(tuple with one modality of another class), one pair of rows each */
	double asymmetry; /* of what the exchange of a pair adds to either; 0 for a sum of terms, 1 without any relation */
} seen;

/* On batches that were not trained on, modality m swapped. */
static seen look(learner_rig *r, uint32_t m)
{
	float energy[B], swapped[B];
	double odd = 0, all = 0;
	seen s = { 0, 0, 0 };
	float *other = mmi_alloc(B * (size_t)r->modality[m].count, sizeof *other);
	assert_non_null(other);
	for (uint64_t t = 0; t < BATCHES; t++) {
		const float *x[N];
		rig_batch(r, FRESH + t);
		exchange(r, m, other);
		for (uint32_t k = 0; k < N; k++)
			x[k] = k == m ? other : r->x[k];
		mmi_sampler_energy(r->learner->sampler, (const float *const *)r->x, B, energy);
		mmi_sampler_energy(r->learner->sampler, x, B, swapped);
		for (uint32_t row = 0; row < B; row += 2) {
			double here = (double)swapped[row] - (double)energy[row],
				   there = (double)swapped[row + 1] - (double)energy[row + 1];
			if (class_of(r, row) == class_of(r, row + 1))
				continue;
			s.right += here > 0;
			s.n++;
			odd += (here + there) * (here + there);
			all += here * here + there * there;
		}
	}
	s.asymmetry = sqrt(odd / all);
	mmi_free(other);
	return s;
}

/* Pairs are drawn independently and each may as well come the other way round, so for a sum of terms the share is 1/2
 * with a standard error of 0.5 / sqrt(n), about 0.03; the bound is three of them. */
static void only_the_mlp_sees_that_parts_do_not_fit(void **state)
{
	(void)state;
	for (int head = 0; head < HEADS; head++) {
		learner_rig r;
		train(&r, heads[head]);
		for (uint32_t m = 0; m < N; m++) {
			seen s = look(&r, m);
			double share = s.right / s.n, error = 0.5 / sqrt(s.n);
			print_message("%s, %s swapped: %.3f of %.0f (standard error of chance %.3f), asymmetry %.2g\n", heads[head],
			              r.modality[m].name, share, s.n, error, s.asymmetry);
			assert_true(s.n > 200);
			if (head == MLP) {
				assert_true(share > 0.8);
				continue;
			}
			assert_true(fabs(share - 0.5) < 3 * error);
			/* And to the letter: what a swap adds to one tuple, it takes from the other. */
			assert_true(s.asymmetry < 1e-3);
		}
		rig_close(&r);
	}
}

/* How far one step with s^2/2 = 1 and no noise moves modality m: the gradient of E to it, projected for words. */
static void movement(learner_rig *r, uint32_t m, float *out)
{
	mmi_chain_stats stats;
	mmi_revise_args once = { .steps = 1, .step = sqrt(2.0) };
	float *x[N];
	for (uint32_t k = 0; k < N; k++) {
		size_t bytes = B * (size_t)r->modality[k].count * sizeof(float);
		x[k] = mmi_alloc(1, bytes);
		assert_non_null(x[k]);
		memcpy(x[k], r->x[k], bytes);
	}
	mmi_sampler_revise(r->learner->sampler, &once, x, NULL, mmi_whole(B), &stats);
	for (size_t i = 0; i < B * (size_t)r->modality[m].count; i++)
		out[i] = r->x[m][i] - x[m][i];
	for (uint32_t k = 0; k < N; k++)
		mmi_free(x[k]);
}

/* How much that changes when another modality is exchanged, beside its size. */
static double dependence(learner_rig *r, uint32_t m, uint32_t of)
{
	size_t n = B * (size_t)r->modality[m].count, bytes = B * (size_t)r->modality[of].count * sizeof(float);
	float *before = mmi_alloc(n, sizeof(float)), *after = mmi_alloc(n, sizeof(float)), *other = mmi_alloc(1, bytes);
	double moved = 0, size = 0;
	assert_true(before && after && other);
	rig_batch(r, FRESH);
	movement(r, m, before);
	exchange(r, of, other);
	memcpy(r->x[of], other, bytes);
	movement(r, m, after);
	for (size_t i = 0; i < n; i++) {
		moved += ((double)after[i] - (double)before[i]) * ((double)after[i] - (double)before[i]);
		size += (double)before[i] * (double)before[i];
	}
	mmi_free(before);
	mmi_free(after);
	mmi_free(other);
	assert_true(size > 0);
	return sqrt(moved / size);
}

/* So the chain over x can pull modalities towards one another with the mlp only. */
static void only_with_the_mlp_does_the_chain_heed_the_other_modalities(void **state)
{
	(void)state;
	for (int head = 0; head < HEADS; head++) {
		learner_rig r;
		train(&r, heads[head]);
		for (uint32_t m = 0; m < N; m++) {
			double d = dependence(&r, m, 1 - m);
			print_message("%s: the movement of %s changes by %.2g of its size with %s\n", heads[head],
			              r.modality[m].name, d, r.modality[1 - m].name);
			assert_true(head == MLP ? d > 0.1 : d < 1e-4);
		}
		rig_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_mlp_sees_that_parts_do_not_fit),
		cmocka_unit_test(only_with_the_mlp_does_the_chain_heed_the_other_modalities),
	};
	return cmocka_run_group_tests_name("heads", tests, NULL, NULL);
}
