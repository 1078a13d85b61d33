/* test_fit.c - priors that are fitted after training: mixtures against their closed forms, which clusters stay, and
 * what a checkpoint may say of them. */
#include "mmi_build.h"

#include "../rig/learner_rig.h"
#include "../rig/store_rig.h"

#include <math.h>
#include <string.h>

#include "eval/linalg.h"
#include "fit/mixture.h"
#include "fit/prune.h"
#include "run/fitted.h"
#include "store/checkpoint.h"

enum { D = 3, ROWS = 6000 };

/* ---------------------------------------------------------------- mixtures */

static const double weights[] = { 0.5, 0.3, 0.2 }, centres[][D] = { { 4, 0, 0 }, { -4, 1, 2 }, { 0, -5, 1 } };
/* Roots of their covariances. */
static const double roots[][D][D] = { { { 1, 0, 0 }, { 0.6, 0.8, 0 }, { 0, 0, 0.5 } },
	                                  { { 0.5, 0, 0 }, { 0, 1.5, 0 }, { 0.3, -0.4, 0.5 } },
	                                  { { 1, 0, 0 }, { 0, 0.7, 0 }, { 0, 0, 1.2 } } };

static double normal(uint32_t row, uint32_t number)
{
	uint32_t w[4];
	mmi_philox(mmi_rng_key(11, "rig"), (const uint32_t[4]){ number, row, 0, 0 }, w);
	const double u = ((double)w[0] + 0.5) / 4294967296.0, v = ((double)w[1] + 0.5) / 4294967296.0;
	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* Rows of the mixture: a fixed share of each component, in turns of ten. */
static void make_rows(float *x, bool full)
{
	static const int turn[] = { 0, 1, 0, 2, 0, 1, 0, 2, 0, 1 };
	for (uint32_t r = 0; r < ROWS; r++) {
		const int c = turn[r % 10];
		double eps[D];
		for (uint32_t d = 0; d < D; d++)
			eps[d] = normal(r, d);
		for (int d = 0; d < D; d++) {
			double value = centres[c][d];
			for (int k = 0; k <= d; k++)
				value += full || k == d ? roots[c][d][k] * eps[k] : 0;
			x[r * D + (uint32_t)d] = (float)value;
		}
	}
}

static mmi_fitted_part fit(const float *x, size_t n, uint32_t components, bool full, uint32_t threads,
                           mmi_mixture_outcome *outcome)
{
	const mmi_mixture_request request = {
		.components = components, .full = full, .iterations = 200, .tolerance = 1e-6, .key = 5
	};
	mmi_fitted_part out = { .n = 0 };
	mm_error e = MM_ERROR_INIT;
	mmi_pool *pool;
	assert_ok(mmi_pool_create(threads, &pool, &e), e);
	assert_ok(mmi_mixture_fit(x, n, D, &request, pool, &out, outcome, &e), e);
	mmi_pool_destroy(pool);
	return out;
}

static void drop(mmi_fitted_part *p)
{
	mmi_free(p->log_weight);
	mmi_free(p->loc);
	mmi_free(p->scale);
}

static void close_to(double found, double want, double tolerance, const char *what)
{
	if (!(fabs(found - want) <= tolerance))
		fail_msg("%s is %g, expected %g", what, found, want);
}

/* One component is the mean and the covariance of the rows, and its likelihood follows from them: the row's squared
 * distances are D on average. */
static void one_component_is_mean_and_covariance(void **state)
{
	static float x[ROWS * D];
	(void)state;
	make_rows(x, true);
	for (int full = 0; full < 2; full++) {
		double mean[D] = { 0 }, covariance[D][D] = { { 0 } }, log_det = 0;
		mmi_mixture_outcome outcome;
		if (full && !mmi_linalg_available())
			break;
		mmi_fitted_part p = fit(x, ROWS, 1, full, 1, &outcome);
		for (int r = 0; r < ROWS; r++)
			for (int d = 0; d < D; d++)
				mean[d] += (double)x[r * D + d] / ROWS;
		for (int r = 0; r < ROWS; r++)
			for (int d = 0; d < D; d++)
				for (int k = 0; k < D; k++)
					covariance[d][k] += ((double)x[r * D + d] - mean[d]) * ((double)x[r * D + k] - mean[k]) / ROWS;
		for (int d = 0; d < D; d++) {
			close_to((double)p.loc[d], mean[d], 1e-5, "a mean");
			log_det += log((double)p.scale[full ? d * D + d : d]);
			for (int k = 0; k <= d; k++) {
				double found = 0;
				for (int i = 0; full && i < D; i++)
					found += (double)p.scale[d * D + i] * (double)p.scale[k * D + i];
				if (full || k == d)
					close_to(full ? found : (double)p.scale[d] * (double)p.scale[d], covariance[d][k], 1e-4,
					         "a covariance");
			}
		}
		close_to(outcome.log_likelihood, -log_det - 0.5 * D * (1 + log(6.283185307179586)), 1e-4, "the likelihood");
		close_to((double)p.log_weight[0], 0, 0, "its weight");
		drop(&p);
	}
}

/* Found in whatever order: by their means. */
static void a_mixture_is_found_again(void **state)
{
	static float x[ROWS * D];
	(void)state;
	for (int full = 0; full < 2; full++) {
		mmi_mixture_outcome outcome;
		bool seen[3] = { false };
		if (full && !mmi_linalg_available())
			break;
		make_rows(x, full);
		mmi_fitted_part p = fit(x, ROWS, 3, full, 2, &outcome);
		assert_int_equal(p.n, 3);
		for (int c = 0; c < 3; c++) {
			int of = 0;
			for (int k = 1; k < 3; k++)
				if (fabs((double)p.loc[c * D] - centres[k][0]) < fabs((double)p.loc[c * D] - centres[of][0]))
					of = k;
			assert_false(seen[of]);
			seen[of] = true;
			close_to(exp((double)p.log_weight[c]), weights[of], 0.005, "a weight");
			for (int d = 0; d < D; d++) {
				close_to((double)p.loc[c * D + d], centres[of][d], 0.15, "a mean");
				for (int k = 0; k <= d; k++)
					if (full || k == d)
						close_to((double)p.scale[full ? c * D * D + d * D + k : c * D + d],
						         full || k == d ? roots[of][d][k] : 0, 0.1, "a scale");
			}
		}
		drop(&p);
	}
}

static void threads_do_not_matter(void **state)
{
	static float x[ROWS * D];
	mmi_mixture_outcome one, three;
	(void)state;
	make_rows(x, true);
	for (int full = 0; full < 2; full++) {
		if (full && !mmi_linalg_available())
			break;
		mmi_fitted_part a = fit(x, ROWS, 7, full, 1, &one), b = fit(x, ROWS, 7, full, 3, &three);
		assert_int_equal(a.n, b.n);
		assert_memory_equal(a.log_weight, b.log_weight, a.n * sizeof(float));
		assert_memory_equal(a.loc, b.loc, a.n * D * sizeof(float));
		assert_memory_equal(a.scale, b.scale, a.n * D * (full ? D : 1) * sizeof(float));
		assert_true(one.iterations == three.iterations && one.iterations > 1);
		drop(&a);
		drop(&b);
	}
}

/* More components raise the likelihood; those that equal rows leave nothing for are dropped; too few rows are told. */
static void components_and_rows(void **state)
{
	static float x[ROWS * D], same[8 * D];
	const mmi_mixture_request many = { .components = 9, .iterations = 5, .tolerance = 1e-3 };
	mmi_mixture_outcome few, more, equal;
	mmi_fitted_part none;
	mm_error e = MM_ERROR_INIT;
	mmi_pool *pool;
	(void)state;
	make_rows(x, false);
	mmi_fitted_part a = fit(x, ROWS, 2, false, 1, &few), b = fit(x, ROWS, 3, false, 1, &more),
					c = fit(same, 8, 4, false, 1, &equal);
	assert_true(more.log_likelihood > few.log_likelihood + 0.1);
	assert_int_equal(c.n, 1);
	assert_ok(mmi_pool_create(1, &pool, &e), e);
	assert_int_equal(mmi_mixture_fit(same, 8, D, &many, pool, &none, &equal, &e), MM_ECONFIG);
	assert_non_null(strstr(e.message, "9 components for 8 tuples"));
	mmi_pool_destroy(pool);
	drop(&a);
	drop(&b);
	drop(&c);
}

/* ---------------------------------------------------------------- clusters that stay */

/* Tuples of two experts in one dimension. Two clusters are answers; a third lies far off, a fourth on the first one's
 * place, so that no draw belongs to either alone. */
static void clusters_without_data_are_left_out(void **state)
{
	enum { TUPLES = 40, EXPERTS = 2, CLUSTERS = 4 };
	static const double means[] = { -3, 3, 50, -3 }, weight[] = { 0.3, 0.3, 0.2, 0.2 };
	static double joint[TUPLES * EXPERTS * CLUSTERS];
	static float there[TUPLES * EXPERTS];
	bool keep[CLUSTERS];
	size_t kept;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	for (uint32_t i = 0; i < TUPLES * EXPERTS; i++) {
		const double z = (i / EXPERTS % 2 ? 3 : -3) + 0.5 * normal(i, 0);
		there[i] = i % 7 ? 1.0f : 0.0f;
		for (int c = 0; c < CLUSTERS; c++)
			joint[i * CLUSTERS + (uint32_t)c] = log(weight[c]) - 0.5 * (z - means[c]) * (z - means[c]) - 0.918938533;
	}
	const mmi_prune_request request = { .log_joint = joint,
		                                .there = there,
		                                .tuples = TUPLES,
		                                .experts = EXPERTS,
		                                .clusters = CLUSTERS,
		                                .dim = 1,
		                                .weight = weight,
		                                .beta = 1 };
	assert_ok(mmi_prune(&request, keep, &kept, &e), e);
	assert_int_equal(kept, 2);
	assert_true(keep[0] && keep[1] && !keep[2] && !keep[3]);
}

/* Three groups, each with a cluster of its own: all of them stay, and one alone is never kept. */
static void clusters_with_data_stay(void **state)
{
	enum { TUPLES = 30, CLUSTERS = 3 };
	static const double weight[] = { 0.4, 0.3, 0.3 };
	static double joint[TUPLES * CLUSTERS];
	static float there[TUPLES];
	bool keep[CLUSTERS];
	size_t kept;
	mm_error e = MM_ERROR_INIT;
	(void)state;
	for (uint32_t i = 0; i < TUPLES; i++) {
		there[i] = 1;
		for (uint32_t c = 0; c < CLUSTERS; c++) {
			const double apart = 6.0 * ((double)(i % 3) - (double)c) + 0.5 * normal(i, 1);
			joint[i * CLUSTERS + c] = log(weight[c]) - 0.5 * apart * apart;
		}
	}
	mmi_prune_request request = { .log_joint = joint,
		                          .there = there,
		                          .tuples = TUPLES,
		                          .experts = 1,
		                          .clusters = CLUSTERS,
		                          .dim = 1,
		                          .weight = weight,
		                          .beta = 2.5 };
	assert_ok(mmi_prune(&request, keep, &kept, &e), e);
	assert_int_equal(kept, 3);
	request.tuples = 1; /* of one answer */
	assert_ok(mmi_prune(&request, keep, &kept, &e), e);
	assert_true(kept >= 2);
}

/* ---------------------------------------------------------------- in a checkpoint */

static const char *save_model(rig *folder, learner_rig *r)
{
	const char *path = rig_path(folder, "model.safetensors");
	const mmi_text_pair meta[] = { { "modalities", "picture,words,sensor" } };
	mm_error e = MM_ERROR_INIT;
	mmi_tensor_item *items;
	char **names;
	size_t n, n_names;
	assert_ok(mmi_learner_items(r->learner, &items, &n, &names, &n_names, &e), e);
	mmi_learner_fetch(r->learner, NULL);
	assert_ok(mmi_checkpoint_save(path, items, mmi_learner_items_due(r->learner, n), meta, 1, &e), e);
	mmi_learner_items_free(items, names, n_names);
	return path;
}

static mmi_fitted_part some_part(uint32_t n, size_t dim, bool full)
{
	mmi_fitted_part p;
	mm_error e = MM_ERROR_INIT;
	assert_ok(mmi_fitted_part_create(n, dim, full, &p, &e), e);
	for (uint32_t i = 0; i < n; i++)
		p.log_weight[i] = -(float)i;
	for (size_t i = 0; i < n * dim; i++)
		p.loc[i] = (float)i * 0.25f;
	for (size_t i = 0; i < n * dim * (full ? dim : 1); i++)
		p.scale[i] = 0.5f + (float)(i % 3);
	return p;
}

static void put_fitted(const char *from, const learner_rig *r, const mmi_fitted *f, const char *to)
{
	mm_error e = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	assert_ok(mmi_checkpoint_open(from, &ck, &e), e);
	assert_ok(mmi_fitted_write(ck, r->model, f, to, &e), e);
	mmi_checkpoint_close(ck);
}

static mm_status get_fitted(const char *path, const learner_rig *r, mmi_fitted *out, mm_error *e)
{
	mmi_checkpoint *ck;
	assert_ok(mmi_checkpoint_open(path, &ck, e), *e);
	mm_status status = mmi_fitted_read(ck, r->model, out, e);
	mmi_checkpoint_close(ck);
	return status;
}

/* Written in the checkpoint's own place, and anew over an older one; all else stays, and a run goes on from it. */
static void a_checkpoint_keeps_it(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	mmi_fitted f = { .family = MMI_PRIOR_LAPLACE, .z = some_part(3, 6, true) }, found;
	mmi_checkpoint *ck;
	rig_open(&r, (const char *const[]){ "learner.private_dim=2", NULL });
	rig_run(&r, 2);
	const char *path = save_model(*state, &r);
	put_fitted(path, &r, &f, path);
	mmi_fitted_clear(&f);
	f = (mmi_fitted){ .z = some_part(4, 6, false) };
	f.w[1] = some_part(2, 2, true);
	put_fitted(path, &r, &f, path);
	assert_ok(get_fitted(path, &r, &found, &e), e);
	assert_true(found.family == MMI_PRIOR_NORMAL && found.prior.z.family == MMI_PRIOR_NORMAL);
	assert_true(found.z.n == 4 && !found.z.full && found.w[1].n == 2 && found.w[1].full && !found.w[0].n);
	assert_memory_equal(found.z.loc, f.z.loc, 4 * 6 * sizeof(float));
	assert_memory_equal(found.prior.w[1].scale.at, f.w[1].scale, 2 * 4 * sizeof(float));
	mmi_fitted_clear(&found);
	mmi_fitted_clear(&f);
	mmi_tensor_item *items;
	char **names;
	size_t n, n_names;
	assert_ok(mmi_checkpoint_open(path, &ck, &e), e);
	assert_string_equal(mmi_checkpoint_meta(ck, "modalities"), "picture,words,sensor");
	assert_ok(mmi_learner_items(r.learner, &items, &n, &names, &n_names, &e), e);
	assert_ok(mmi_learner_restore(r.learner, ck, items, n, &e), e);
	mmi_learner_items_free(items, names, n_names);
	mmi_checkpoint_close(ck);
	rig_close(&r);
}

static void refuse(rig *folder, learner_rig *r, mmi_fitted *f, const char *text)
{
	const char *path = rig_path(folder, "odd.safetensors");
	mm_error e = MM_ERROR_INIT;
	mmi_fitted found;
	put_fitted(rig_path(folder, "model.safetensors"), r, f, path);
	assert_int_not_equal(get_fitted(path, r, &found, &e), MM_OK);
	if (!strstr(e.message, text))
		fail_msg("%s; expected: %s", e.message, text);
	mmi_fitted_clear(f);
}

static void odd_ones_are_refused(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	mmi_fitted f, found;
	rig_open(&r, NULL);
	const char *path = save_model(*state, &r);
	assert_int_equal(get_fitted(path, &r, &found, &e), MM_ECONFIG);
	assert_non_null(strstr(e.message, "fit-prior"));
	f = (mmi_fitted){ .z = some_part(3, 5, false) };
	refuse(*state, &r, &f, "does not fit 3 components of 6 numbers");
	f = (mmi_fitted){ .z = some_part(3, 5, true) };
	refuse(*state, &r, &f, "does not fit 3 components of 6 numbers");
	f = (mmi_fitted){ .z = some_part(3, 6, false) };
	f.z.scale[7] = 0;
	refuse(*state, &r, &f, "a scale of the fitted prior of z is 0");
	f = (mmi_fitted){ .z = some_part(2, 6, true) };
	f.z.scale[36 + 14] = -1;
	refuse(*state, &r, &f, "a scale of the fitted prior of z is -1");
	f = (mmi_fitted){ .z = some_part(2, 6, false) };
	f.w[0] = some_part(2, 2, false); /* the model has no w */
	refuse(*state, &r, &f, "fitted.w/picture.");
	rig_close(&r);
}

/* What is cut off at the end, or changed inside. */
static void damaged_ones_are_refused(void **state)
{
	learner_rig r;
	mm_error e = MM_ERROR_INIT;
	mmi_fitted f = { .z = some_part(3, 6, false) }, found;
	mmi_checkpoint *ck;
	rig_open(&r, NULL);
	const char *path = rig_path(*state, "damaged.safetensors");
	put_fitted(save_model(*state, &r), &r, &f, path);
	mmi_fitted_clear(&f);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, -3, SEEK_END), 0);
	fputc(77, file);
	fclose(file);
	assert_int_not_equal(get_fitted(path, &r, &found, &e), MM_OK);
	file = fopen(path, "r+b");
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	assert_int_equal(ftruncate(fileno(file), ftell(file) - 8), 0);
	fclose(file);
	assert_int_not_equal(mmi_checkpoint_open(path, &ck, &e), MM_OK);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_component_is_mean_and_covariance),
		cmocka_unit_test(a_mixture_is_found_again),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(components_and_rows),
		cmocka_unit_test(clusters_without_data_are_left_out),
		cmocka_unit_test(clusters_with_data_stay),
		cmocka_unit_test_setup_teardown(a_checkpoint_keeps_it, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(odd_ones_are_refused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(damaged_ones_are_refused, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("fitted priors", tests, NULL, NULL);
}
