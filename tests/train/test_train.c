/* test_train.c - the loop around the learner, with a test plugin's made-up data: hooks, stopping, and what a rollback
 * leaves in the run folder. */
#include "mmi_build.h"

#include "../rig/store_rig.h"

#include <math.h>

#include "train/train.h"
#include "run/saved.h"
#include "store/checkpoint.h"
#include "trained/gallery.h"

/* What a run said and did. */
typedef struct course {
	uint64_t stop_at;             /* iterations; 0: never */
	bool stop_after_rollback;     /* stop two iterations after the first rollback */
	uint64_t done, steps, before; /* last step; calls of the hook; step before the first rollback */
	uint64_t went_back_to;
	int warnings;
	char warning[512];        /* the first */
	char heard[8192];         /* every line */
	const char *spoil, *mend; /* a path that becomes a folder, or a file where it was a folder, after iteration 1; and
	                           * what is as it was again after iteration 10 */
} course;

/* What cannot be done even by root: to write into a folder that is a file, to replace or delete a folder as if it were
 * a file. */
static void spoil(const char *path)
{
	struct stat st;
	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		assert_int_equal(rmdir(path), 0);
		rig_write(path, "", 0);
		return;
	}
	unlink(path);
	assert_int_equal(mkdir(path, 0777), 0);
}

static bool stop(void *ctx)
{
	const course *c = ctx;
	if (c->stop_after_rollback)
		return c->warnings && c->done == c->went_back_to + 2;
	return c->stop_at && c->done >= c->stop_at;
}

static void step(void *ctx, uint64_t done, uint64_t total, double seconds_left, const mmi_measures *m)
{
	course *c = ctx;
	assert_true(done <= total);
	assert_true(isnan(seconds_left) || (seconds_left >= 0 && seconds_left <= 60 * 60));
	assert_true(isfinite(m->norm_generator));
	if (c->warnings == 1 && !c->went_back_to)
		c->went_back_to = done - 1;
	c->done = done;
	c->steps++;
	if (c->spoil && done == 1)
		spoil(c->spoil);
	if (c->mend && done == 10)
		spoil(c->mend);
}

static void hear(void *ctx, int level, const char *text)
{
	course *c = ctx;
	size_t used = strlen(c->heard);
	snprintf(c->heard + used, sizeof c->heard - used, "%s\n", text);
	if (level < MM_LOG_WARNING)
		return;
	if (!c->warnings++) {
		snprintf(c->warning, sizeof c->warning, "%s", text);
		c->before = c->done;
	}
}

static void write_ini(const char *path)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
	        "[run]\nthreads = 1\nlog_interval = 1\ngrid_interval = 1000\ngrid_columns = 2\ncheckpoint_interval = "
	        "4\ncheckpoint_keep = 2\n"
	        "[learner]\niterations = 20\nbatch = 8\nlatent_dim = 3\nx_steps = 2\nz_steps = 2\n[energy]\nnef = 4\n"
	        "[a]\nplugin = %s/toy.so\n[b]\nplugin = %s/toy.so\n",
	        BADPLUGIN_DIR, BADPLUGIN_DIR);
	assert_int_equal(fclose(f), 0);
}

static mm_status train(rig *r, const char *folder, mmi_train_start start, const char *const *sets, size_t n_sets,
                       course *c, mmi_train_result *result, mm_error *e)
{
	mmi_setup setup;
	const mmi_log log = { .line = hear, .ctx = c };
	const char *ini = rig_path(r, "run.ini");
	write_ini(ini);
	const mmi_setup_request request = { .ini = ini, .sets = sets, .n_sets = n_sets, .log = &log };
	const mmi_train_hooks hooks = { .ctx = c, .stop = stop, .step = step, .log = &log };
	MMI_TRY(mmi_setup_open(&request, &setup, e));
	mm_status status = mmi_train(&setup, rig_path(r, folder), start, &hooks, result, e);
	mmi_setup_close(&setup);
	return status;
}

static void assert_checkpoints(rig *r, const char *folder, const uint64_t *expected, size_t n_expected)
{
	mm_error e = MM_ERROR_INIT;
	char path[400];
	uint64_t *list;
	size_t n;
	snprintf(path, sizeof path, "%s/checkpoints", rig_path(r, folder));
	assert_ok(mmi_checkpoint_list(path, &list, &n, &e), e);
	assert_int_equal(n, n_expected);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i], expected[i]);
	mmi_free(list);
}

static int64_t counter_in(const char *path, const char *name)
{
	mm_error e = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	int64_t value;
	assert_ok(mmi_checkpoint_open(path, &ck, &e), e);
	assert_ok(mmi_checkpoint_counter(ck, name, &value, &e), e);
	mmi_checkpoint_close(ck);
	return value;
}

static void a_run_keeps_its_newest_checkpoints(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { 0 };
	mmi_train_result result;
	assert_ok(train(*state, "run", false, NULL, 0, &c, &result, &e), e);
	assert_int_equal(c.steps, 20);
	assert_int_equal(c.warnings, 0);
	assert_int_equal(result.iterations, 20);
	assert_false(result.interrupted);
	assert_checkpoints(*state, "run", (uint64_t[]){ 16, 20 }, 2);
	assert_int_equal(counter_in(result.checkpoint, "state.iteration"), 20);
	assert_int_equal(access(result.grid, R_OK), 0);
}

static void stopping_writes_a_checkpoint_of_the_iteration_reached(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { .stop_at = 7 };
	mmi_train_result result;
	assert_ok(train(*state, "run", false, NULL, 0, &c, &result, &e), e);
	assert_true(result.interrupted);
	assert_int_equal(result.iterations, 7);
	assert_checkpoints(*state, "run", (uint64_t[]){ 4, 7 }, 2);
	c = (course){ 0 };
	assert_ok(train(*state, "run", true, NULL, 0, &c, &result, &e), e);
	assert_int_equal(c.steps, 13);
	assert_checkpoints(*state, "run", (uint64_t[]){ 16, 20 }, 2);
}

/* A limit so tight that the guard stops a step once enough losses are known, long after the snapshot it goes back to.
 */
static const char *const tight[] = { "learner.gap_limit=1", "learner.iterations=1000", "learner.snapshot_interval=40",
	                                 "learner.max_rollbacks=1", "learner.lr_energy=2e-3" };

static void a_rollback_takes_the_checkpoints_back_too(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { .stop_after_rollback = true };
	mmi_train_result result;
	assert_ok(train(*state, "run", false, tight, MMI_COUNT(tight), &c, &result, &e), e);
	assert_true(result.interrupted);
	assert_int_equal(c.warnings, 1);
	assert_non_null(strstr(c.warning, "more than 1 times its running median"));
	assert_non_null(strstr(c.warning, "going back to the last snapshot"));
	assert_int_equal(c.went_back_to, 40);
	assert_true(c.before > c.went_back_to + 3); /* a checkpoint was between, or there is nothing to see */
	/* The one written at the snapshot, and the one on stopping: none of the course that was left. */
	assert_checkpoints(*state, "run", (uint64_t[]){ c.went_back_to, c.went_back_to + 2 }, 2);
	assert_int_equal(counter_in(result.checkpoint, "state.iteration"), c.went_back_to + 2);
	assert_int_equal(counter_in(result.checkpoint, "state.rollbacks"), 1);
}

/* Stopped at 43, where no checkpoint is due and the last snapshot is of 40: the same bytes in the end. */
static void a_stop_changes_nothing_of_a_rollback_after_it(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course stopped = { .stop_at = 43 }, c[2] = { { .stop_after_rollback = true }, { .stop_after_rollback = true } };
	mmi_train_result result[2];
	size_t bytes[2];
	assert_ok(train(*state, "straight", false, tight, MMI_COUNT(tight), &c[0], &result[0], &e), e);
	assert_ok(train(*state, "stopped", false, tight, MMI_COUNT(tight), &stopped, &result[1], &e), e);
	assert_int_equal(counter_in(result[1].checkpoint, "snapshot.state.iteration"), 40);
	assert_ok(train(*state, "stopped", true, tight, MMI_COUNT(tight), &c[1], &result[1], &e), e);
	assert_int_equal(c[0].went_back_to, 40);
	assert_int_equal(c[1].went_back_to, 40);
	char *straight = rig_read(result[0].checkpoint, &bytes[0]), *again = rig_read(result[1].checkpoint, &bytes[1]);
	assert_int_equal(bytes[0], bytes[1]);
	assert_memory_equal(straight, again, bytes[0]);
	free(straight);
	free(again);
}

/* Iteration of the least number in the last column; 0: there is none. */
static uint64_t least_in(const char *path)
{
	size_t bytes;
	uint64_t at = 0;
	double least = INFINITY;
	char *text = rig_read(path, &bytes);
	for (char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
		char *end = strchr(line, '\n'), *last = end;
		while (last[-1] != ',')
			last--;
		if (last < end && atof(last) < least) {
			least = atof(last);
			at = strtoull(line, NULL, 10);
		}
	}
	free(text);
	return at;
}

static void a_rollback_takes_the_best_checkpoint_back_too(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { .stop_after_rollback = true };
	mmi_train_result result;
	char best[400], metrics[400];
	const char *sets[MMI_COUNT(tight) + 2] = { "run.select=nll", "data.holdout=4" };
	memcpy(sets + 2, tight, sizeof tight);
	assert_ok(train(*state, "run", false, sets, MMI_COUNT(sets), &c, &result, &e), e);
	assert_int_equal(c.warnings, 1);
	snprintf(best, sizeof best, "%s/best.safetensors", rig_path(*state, "run"));
	snprintf(metrics, sizeof metrics, "%s/metrics.csv", rig_path(*state, "run"));
	uint64_t expected = least_in(metrics);
	assert_in_range(expected, 1, c.went_back_to);
	assert_true(c.before > c.went_back_to + 3);
	assert_int_equal(counter_in(best, "state.iteration"), expected);
	assert_int_equal(result.best_iteration, expected);
	assert_string_equal(result.best, best);
}

static void a_warm_up_is_never_the_best_of_a_cooperative_run(void **state)
{
	static const char *const objectives[] = { "learner.objective=cooperative", "learner.objective=mmvae" };
	char metrics[400];
	for (int baseline = 0; baseline < 2; baseline++) {
		mm_error e = MM_ERROR_INIT;
		course c = { 0 };
		mmi_train_result result;
		const char *folder = baseline ? "two" : "one";
		const char *const sets[] = { "run.select=nll", "data.holdout=4", "learner.warmup=18", "learner.lr_generator=1",
			                         objectives[baseline] };
		assert_ok(train(*state, folder, false, sets, MMI_COUNT(sets), &c, &result, &e), e);
		snprintf(metrics, sizeof metrics, "%s/metrics.csv", rig_path(*state, folder));
		assert_in_range(least_in(metrics), 1, 18); /* or there is nothing to see */
		if (baseline)
			assert_int_equal(result.best_iteration, least_in(metrics));
		else
			assert_int_equal(result.best_iteration, 20);
	}
}

static void metrics_go_back_with_the_run(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { .stop_after_rollback = true };
	mmi_train_result result;
	char path[400];
	size_t bytes;
	assert_ok(train(*state, "run", false, tight, MMI_COUNT(tight), &c, &result, &e), e);
	snprintf(path, sizeof path, "%s/metrics.csv", rig_path(*state, "run"));
	char *text = rig_read(path, &bytes), *line = strchr(text, '\n') + 1;
	uint64_t expected = 1;
	for (; *line; line = strchr(line, '\n') + 1) {
		assert_int_equal(strtoull(line, NULL, 10), expected);
		expected++;
	}
	assert_int_equal(expected, c.went_back_to + 3);
	free(text);
}

static char *seconds_in(const char *path)
{
	mm_error e = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	assert_ok(mmi_checkpoint_open(path, &ck, &e), e);
	const char *seconds = mmi_checkpoint_meta(ck, "seconds");
	char *copy = seconds ? strdup(seconds) : NULL;
	mmi_checkpoint_close(ck);
	return copy;
}

/* 20 iterations are named, but 0.6 seconds are meant: far more of these. */
static void a_time_budget_counts_over_stops_and_replaces_iterations(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static const char *const sets[] = { "run.minutes=0.01", "learner.warmup=10", "run.checkpoint_interval=100000",
		                                "run.log_interval=1" };
	course c = { .stop_at = 5 };
	mmi_train_result result;
	assert_ok(train(*state, "run", false, sets, MMI_COUNT(sets), &c, &result, &e), e);
	assert_true(result.interrupted);
	char *before = seconds_in(result.checkpoint);
	assert_non_null(before);
	assert_true(atof(before) > 0 && atof(before) < 0.6);
	c = (course){ 0 };
	assert_ok(train(*state, "run", true, sets, MMI_COUNT(sets), &c, &result, &e), e);
	assert_false(result.interrupted);
	assert_true(result.iterations > 20);
	assert_int_equal(c.done, result.iterations);
	assert_int_equal(counter_in(result.checkpoint, "state.iteration"), result.iterations);
	char *after = seconds_in(result.checkpoint);
	assert_non_null(after);
	assert_true(atof(after) >= 0.6 && atof(after) < 5);
	/* Half of it was warm-up. */
	size_t bytes;
	char path[400];
	snprintf(path, sizeof path, "%s/metrics.csv", rig_path(*state, "run"));
	char *text = rig_read(path, &bytes);
	double last = 0;
	int warm = 0, cooperative = 0;
	for (char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
		char *seconds = strchr(line, ',') + 1, *elbo = strchr(strchr(seconds, ',') + 1, ',') + 1;
		warm += *elbo != ',';
		cooperative += *elbo == ',';
		if (*elbo == ',')
			assert_true(last >= 0.3); /* when the iteration began */
		last = atof(seconds);
	}
	assert_true(warm > 10 && cooperative > 10);
	assert_true(last >= 0.6);
	free(text);
	free(before);
	free(after);
}

static void without_a_budget_checkpoints_know_no_time(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { 0 };
	mmi_train_result result;
	assert_ok(train(*state, "run", false, NULL, 0, &c, &result, &e), e);
	assert_null(seconds_in(result.checkpoint));
}

/* The same sheet is drawn from the last checkpoint, where the generator is the average. */
static void sheets_are_drawn_by_the_generator_that_checkpoints_are_used_with(void **state)
{
	static const char *const sets[] = { "learner.generator_ema=0.9", "learner.lr_generator=0.05",
		                                "learner.objective=mvae", "learner.iterations=6" };
	mm_error e = MM_ERROR_INIT;
	course c = { 0 };
	mmi_train_result result;
	mmi_saved saved;
	mmi_tuples *shown;
	mmi_gallery *gallery;
	static const char *const plugins[] = { "a=" BADPLUGIN_DIR "/toy.so", "b=" BADPLUGIN_DIR "/toy.so" };
	const mmi_chains none = { .revise = { .steps = 0 } };
	const char *path = rig_path(*state, "again.png");
	size_t bytes[2];
	assert_ok(train(*state, "run", false, sets, MMI_COUNT(sets), &c, &result, &e), e);
	assert_ok(
		mmi_saved_open(result.checkpoint, &(mmi_setup_request){ .plugins = plugins, .n_plugins = 2 }, 2, &saved, &e),
		e);
	assert_ok(mmi_sampler_prepare(saved.sampler, MMI_NET_ALL, &e), e);
	assert_ok(mmi_setup_tuples(&saved.setup, MMI_PART_TEST, NULL, &shown, &e), e);
	assert_ok(mmi_tuples_pick(shown, 2, saved.setup.settings.seed, &e), e);
	assert_ok(mmi_gallery_create(saved.model, saved.sampler, shown, 2, &gallery, &e), e);
	mmi_gallery_sample(gallery, &none, 0xFFFFFFFFu, true);
	assert_ok(mmi_gallery_write(gallery, 2, "iteration 6, no energy trained", path, &e), e);
	char *run = rig_read(result.grid, &bytes[0]), *again = rig_read(path, &bytes[1]);
	assert_int_equal(bytes[0], bytes[1]);
	assert_memory_equal(run, again, bytes[0]);
	free(run);
	free(again);
	mmi_gallery_destroy(gallery);
	mmi_tuples_close(shown);
	mmi_saved_close(&saved);
}

static void too_many_rollbacks_end_training(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { 0 };
	mmi_train_result result;
	assert_fails(train(*state, "run", false, tight, MMI_COUNT(tight), &c, &result, &e), MM_ENUMERIC, e,
	             "at most 1 rollbacks are allowed");
	assert_int_equal(c.warnings, 2);
}

/* ------------------------------------------------------------ what ends a run, and what does not */

static void write_data_ini(const char *path, int broken)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
	        "[run]\nthreads = 1\nlog_interval = 1\ngrid_columns = 2\ncheckpoint_interval = 1000\n[learner]\niterations "
	        "= 1000\nbatch = 2\n"
	        "latent_dim = 3\nx_steps = 2\nz_steps = 2\n[energy]\nnef = 4\n[a]\nplugin = %s/toy_data.so\nbroken = %d\n",
	        BADPLUGIN_DIR, broken);
	assert_int_equal(fclose(f), 0);
}

static void a_sample_that_cannot_be_read_ends_a_run_with_a_checkpoint(void **state)
{
	mm_error e = MM_ERROR_INIT;
	rig *r = *state;
	course c = { 0 };
	mmi_setup setup;
	mmi_train_result result;
	const mmi_log log = { .line = hear, .ctx = &c };
	const mmi_train_hooks hooks = { .ctx = &c, .stop = stop, .step = step, .log = &log };
	const mmi_setup_request request = { .ini = rig_path(r, "data.ini"), .log = &log };
	uint64_t before = 0;
	for (int broken = 0; broken < 32 && before < 3; broken++) { /* one that is not in the first batches */
		char folder[16];
		c = (course){ 0 };
		snprintf(folder, sizeof folder, "run%d", broken);
		write_data_ini(request.ini, broken);
		assert_ok(mmi_setup_open(&request, &setup, &e), e);
		assert_fails(mmi_train(&setup, rig_path(r, folder), MMI_TRAIN_NEW, &hooks, &result, &e), MM_EFORMAT, e,
		             "cannot be read");
		mmi_setup_close(&setup);
		before = c.done;
	}
	assert_true(before >= 3);
	assert_int_equal(result.iterations, before);
	assert_int_equal(counter_in(result.checkpoint, "state.iteration"), before);
}

static void a_run_that_breaks_down_leaves_its_last_whole_state(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { 0 };
	mmi_train_result result;
	const char *sets[MMI_COUNT(tight) + 2];
	memcpy(sets, tight, sizeof tight);
	sets[MMI_COUNT(tight)] = "learner.max_rollbacks=0";
	sets[MMI_COUNT(tight) + 1] = "run.checkpoint_interval=100000";
	assert_fails(train(*state, "run", MMI_TRAIN_NEW, sets, MMI_COUNT(sets), &c, &result, &e), MM_ENUMERIC, e,
	             "at most 0 rollbacks are allowed");
	assert_int_equal(result.iterations % 40, 0);
	assert_in_range(result.iterations, 40, c.done);
	assert_int_equal(counter_in(result.checkpoint, "state.iteration"), result.iterations);
}

/* What fails is one kind of output each; the run ends as ever, with one warning. */
static void output_beside_checkpoints_that_fails_ends_no_run(void **state)
{
	static const struct {
		const char *path, *says;
	} ways[] = {
		{ "grids", "cannot write" },
		{ "best.safetensors", "best.safetensors" },
		{ "checkpoints/checkpoint-00000008.safetensors", "cannot delete" },
	};
	static const char *const sets[] = { "run.select=nll", "data.holdout=4", "run.grid_interval=2",
		                                "run.checkpoint_keep=1", "learner.iterations=12" };
	for (size_t i = 0; i < MMI_COUNT(ways); i++) {
		mm_error e = MM_ERROR_INIT;
		course c = { 0 };
		mmi_train_result result;
		char folder[8], path[400];
		snprintf(folder, sizeof folder, "run%zu", i);
		snprintf(path, sizeof path, "%s/%s", rig_path(*state, folder), ways[i].path);
		if (i == 2)
			c.mend = path; /* after the checkpoint of iteration 8, before it is deleted */
		else
			c.spoil = path;
		const size_t skip = i == 2 ? 2 : 0; /* checkpoints that were the best once are not deleted so soon */
		assert_ok(train(*state, folder, MMI_TRAIN_NEW, sets + skip, MMI_COUNT(sets) - skip, &c, &result, &e), e);
		assert_int_equal(c.done, 12);
		assert_int_equal(counter_in(result.checkpoint, "state.iteration"), 12);
		assert_int_equal(c.warnings, 1);
		assert_non_null(strstr(c.warning, ways[i].says));
		assert_non_null(strstr(c.warning, "training goes on without, and this is tried again"));
	}
}

static void sheets_come_back_when_they_can(void **state)
{
	static const char *const sets[] = { "run.grid_interval=2" };
	mm_error e = MM_ERROR_INIT;
	course c = { 0 };
	mmi_train_result result;
	char path[400];
	snprintf(path, sizeof path, "%s/grids", rig_path(*state, "run"));
	c.spoil = c.mend = path;
	assert_ok(train(*state, "run", MMI_TRAIN_NEW, sets, 1, &c, &result, &e), e);
	assert_non_null(strstr(c.heard, "sample sheets works again"));
	assert_int_equal(rig_entries(path), 6); /* of iterations 10 to 20 */
}

/* ------------------------------------------------------------ going on */

static double seconds_at_end(rig *r, const char *folder, double *largest_before)
{
	char path[400];
	size_t bytes;
	double last = 0;
	snprintf(path, sizeof path, "%s/metrics.csv", rig_path(r, folder));
	char *text = rig_read(path, &bytes);
	*largest_before = 0;
	for (char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
		double now = atof(strchr(line, ',') + 1);
		*largest_before = fmax(*largest_before, last);
		assert_true(now > last);
		last = now;
	}
	free(text);
	return last;
}

static void seconds_of_metrics_go_on_without_a_time_budget(void **state)
{
	mm_error e = MM_ERROR_INIT;
	course c = { .stop_at = 9 };
	mmi_train_result result;
	double before;
	assert_ok(train(*state, "run", MMI_TRAIN_NEW, NULL, 0, &c, &result, &e), e);
	double first = seconds_at_end(*state, "run", &before);
	c = (course){ 0 };
	assert_ok(train(*state, "run", MMI_TRAIN_RESUME, NULL, 0, &c, &result, &e), e);
	assert_true(seconds_at_end(*state, "run", &before) > first);
}

/* Of the doubly reparametrised gradient, where an ELBO has it. */
static void a_biased_gradient_is_told(void **state)
{
	static const struct {
		const char *sets[4], *says;
	} ways[] = {
		{ { "learner.objective=mmvae", "learner.draws=2", "learner.gradient=dreg", "learner.iterations=1" },
		  "[learner] gradient = dreg is biased with more than one draw" },
		{ { "learner.objective=mmvae", "learner.draws=1", "learner.gradient=dreg", "learner.iterations=1" },
		  "[learner] gradient = dreg is exact with one draw alone" },
		{ { "learner.objective=mmvae", "learner.draws=2", "learner.gradient=bound", "learner.iterations=1" }, NULL },
		{ { "learner.objective=cooperative", "learner.draws=2", "learner.gradient=dreg", "learner.iterations=1" },
		  NULL },
	};
	for (size_t i = 0; i < MMI_COUNT(ways); i++) {
		mm_error e = MM_ERROR_INIT;
		course c = { 0 };
		mmi_train_result result;
		char folder[16];
		snprintf(folder, sizeof folder, "dreg%zu", i);
		assert_ok(train(*state, folder, MMI_TRAIN_NEW, ways[i].sets, 4, &c, &result, &e), e);
		assert_true(!strstr(c.heard, "gradient = dreg") == !ways[i].says);
		assert_true(!ways[i].says || strstr(c.warning, ways[i].says));
	}
}

static void other_data_needs_a_word_and_other_settings_are_told(void **state)
{
	static const char *const data[] = { "run.seed=7",    "learner.batch=4", "data.holdout=3",
		                                "data.hide=0.1", "a.label=other",   "data.incomplete=keep" };
	static const char *const rates[] = { "learner.lr_generator=0.01", "learner.iterations=40",
		                                 "learner.schedule=cosine", "run.log_interval=2" };
	mm_error e = MM_ERROR_INIT;
	mmi_train_result result;
	course c = { .stop_at = 5 };
	assert_ok(train(*state, "run", MMI_TRAIN_NEW, NULL, 0, &c, &result, &e), e);
	for (size_t i = 0; i < MMI_COUNT(data); i++) {
		c = (course){ .stop_at = 6 };
		assert_fails(train(*state, "run", MMI_TRAIN_RESUME, &data[i], 1, &c, &result, &e), MM_ECONFIG, e,
		             "--changed-data");
		assert_int_equal(c.steps, 0);
	}
	c = (course){ .stop_at = 6 };
	assert_fails(train(*state, "run", MMI_TRAIN_RESUME, data, 1, &c, &result, &e), MM_ECONFIG, e,
	             "[run] seed was 1, is 7");
	assert_ok(train(*state, "run", MMI_TRAIN_RESUME_CHANGED_DATA, data, 1, &c, &result, &e), e);
	assert_int_equal(c.steps, 1);
	assert_non_null(strstr(c.heard, "changed: [run] seed was 1, is 7"));
	c = (course){ .stop_at = 7 };
	assert_fails(train(*state, "run", MMI_TRAIN_RESUME, NULL, 0, &c, &result, &e), MM_ECONFIG, e,
	             "[run] seed was 7, is 1");
	const char *sets[5] = { data[0] };
	memcpy(sets + 1, rates, sizeof rates);
	assert_ok(train(*state, "run", MMI_TRAIN_RESUME, sets, 5, &c, &result, &e), e);
	assert_non_null(strstr(c.heard, "changed: [learner] lr_generator was 0.001, is 0.01\n"));
	assert_non_null(strstr(c.heard, "changed: [learner] iterations was 20, is 40\n"));
	assert_non_null(strstr(c.heard, "changed: [run] log_interval was 1, is 2\n"));
	assert_non_null(
		strstr(c.heard, "changed: the schedule's factor of the learning rates was 1 at this point, is 0.94"));
	assert_null(strstr(c.heard, "seed was"));
}

/* ------------------------------------------------------------ what will end a run */

static void a_run_says_what_will_end_it_and_when_the_energy_starts(void **state)
{
	static const struct {
		const char *sets[3], *says;
		int warnings;
	} ways[] = {
		{ { "learner.warmup=4", NULL },
		  "the run ends after 20 iterations; the energy model is trained after 4 iterations of warm-up\n",
		  0 },
		{ { "learner.warmup=1", NULL },
		  "the run ends after 20 iterations; the energy model is trained after 1 iteration of warm-up\n",
		  0 },
		{ { "learner.objective=mmvae", NULL },
		  "the run ends after 20 iterations; a baseline: no energy model is trained\n",
		  0 },
		{ { "run.minutes=0.002", "learner.warmup=10" },
		  "the run ends after 0.002 minutes of training (iterations = 20 is only what warm-up is a share of); "
		  "the energy model is trained after 0.001 minutes of warm-up\n",
		  0 },
		{ { "learner.warmup=20", NULL },
		  "the energy model will not be trained: warmup = 20 lasts as long as the run, iterations = 20\n",
		  2 },
	};
	for (size_t i = 0; i < MMI_COUNT(ways); i++) {
		mm_error e = MM_ERROR_INIT;
		course c = { 0 };
		mmi_train_result result;
		char folder[8];
		snprintf(folder, sizeof folder, "run%zu", i);
		assert_ok(train(*state, folder, MMI_TRAIN_NEW, ways[i].sets, ways[i].sets[1] ? 2 : 1, &c, &result, &e), e);
		if (!strstr(c.heard, ways[i].says))
			fail_msg("'%s' lacks '%s'", c.heard, ways[i].says);
		assert_int_equal(c.warnings, ways[i].warnings);
		assert_true(!strstr(c.heard, "the energy model was not trained") == !ways[i].warnings);
	}
}

/* An energy of latents whose rate is far too high grows without a guard's stopping it. */
static void an_energy_that_leaves_all_bounds_is_told_once(void **state)
{
	static const char *const ways[][4] = {
		{ "learner.objective=mvebm", "learner.prior_steps=2", "learner.lr_energy=10", "run.log_interval=5" },
		{ "learner.objective=mvebm", "learner.prior_steps=2", "learner.lr_energy=0.001", "run.log_interval=5" },
	};
	for (size_t i = 0; i < MMI_COUNT(ways); i++) {
		mm_error e = MM_ERROR_INIT;
		course c = { 0 };
		mmi_train_result result;
		const char *first;
		train(*state, i ? "calm" : "wild", MMI_TRAIN_NEW, ways[i], 4, &c, &result, &e);
		first = strstr(c.heard, "the energy of data is ");
		assert_true((first != NULL) == (i == 0));
		assert_true(!first || !strstr(first + 1, "the energy of data is "));
		assert_true(!first || strstr(first, "lower [learner] lr_energy (now 10)"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_run_keeps_its_newest_checkpoints, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(stopping_writes_a_checkpoint_of_the_iteration_reached, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_rollback_takes_the_checkpoints_back_too, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_stop_changes_nothing_of_a_rollback_after_it, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_rollback_takes_the_best_checkpoint_back_too, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_warm_up_is_never_the_best_of_a_cooperative_run, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(metrics_go_back_with_the_run, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_time_budget_counts_over_stops_and_replaces_iterations, rig_setup,
		                                rig_teardown),
		cmocka_unit_test_setup_teardown(without_a_budget_checkpoints_know_no_time, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(sheets_are_drawn_by_the_generator_that_checkpoints_are_used_with, rig_setup,
		                                rig_teardown),
		cmocka_unit_test_setup_teardown(too_many_rollbacks_end_training, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_sample_that_cannot_be_read_ends_a_run_with_a_checkpoint, rig_setup,
		                                rig_teardown),
		cmocka_unit_test_setup_teardown(a_run_that_breaks_down_leaves_its_last_whole_state, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(output_beside_checkpoints_that_fails_ends_no_run, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(sheets_come_back_when_they_can, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(seconds_of_metrics_go_on_without_a_time_budget, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_biased_gradient_is_told, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(other_data_needs_a_word_and_other_settings_are_told, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_run_says_what_will_end_it_and_when_the_energy_starts, rig_setup,
		                                rig_teardown),
		cmocka_unit_test_setup_teardown(an_energy_that_leaves_all_bounds_is_told_once, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
