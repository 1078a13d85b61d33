/* test_guest.c - libmmcore in a process that is not its own: several models on several threads, callbacks, cancelling,
 * forks, and nothing of the process that is changed. */
#include "mmi_build.h"

#include "../rig/toy_model.h"

#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <sys/wait.h>

static char toys[256]; /* a folder with two runs, "one" and "two" */

static int train_once(void **state)
{
	rig *r;
	if (rig_setup(state))
		return -1;
	r = *state;
	snprintf(toys, sizeof toys, "%s", r->folder);
	toy_train(toys, "one", "--set sample.latent_steps=2");
	toy_train(toys, "two", "--set run.seed=9 --set learner.latent_dim=5");
	return 0;
}

static mm_model *open_with(const char *name, mm_open_options o)
{
	mm_error e = MM_ERROR_INIT;
	char path[300];
	mm_model *model = NULL;
	snprintf(path, sizeof path, "%s/%s", toys, name);
	o.plugin_path = getenv("MMCORE_TEST_PLUGINS");
	assert_ok(mm_model_open(path, &o, &model, &e), e);
	return model;
}

static mm_model *open_run(const char *name)
{
	return open_with(name, (mm_open_options)MM_OPEN_OPTIONS_INIT);
}

enum { N = 21, FLOATS = N * TOY_FLOATS };

typedef struct samples {
	float x[TOYS][FLOATS];
} samples;

static mm_status draw(mm_model *model, uint32_t number, samples *s, mm_error *e)
{
	mm_options q = MM_OPTIONS_INIT;
	float *const x[TOYS] = { s->x[0], s->x[1], s->x[2] };
	q.number = number;
	return mm_model_sample(model, N, &q, x, NULL, e);
}

/* ---------------------------------------------------------------- threads */

/* Opens, draws, writes a file, closes, again and again. cmocka's assertions belong to the main thread. */
typedef struct job {
	const char *name;
	samples expected;
	bool shared; /* model is another thread's as well */
	mm_model *model;
	int failures;
} job;

static void once(job *j, mm_model *model, int turn)
{
	mm_error e = MM_ERROR_INIT;
	char path[400];
	samples s;
	snprintf(path, sizeof path, "%s/%s-%d-%d.txt", toys, j->name, turn, (int)j->shared);
	if (draw(model, 4, &s, &e) != MM_OK || memcmp(&s, &j->expected, sizeof s))
		j->failures++;
	if (mm_model_render(model, 1, s.x[1], path, &e) != MM_OK)
		j->failures++;
}

static void *work(void *arg)
{
	job *j = arg;
	mm_error e = MM_ERROR_INIT;
	char path[300];
	mm_open_options o = MM_OPEN_OPTIONS_INIT;
	o.plugin_path = getenv("MMCORE_TEST_PLUGINS");
	o.threads = 2;
	snprintf(path, sizeof path, "%s/%s", toys, j->name);
	for (int turn = 0; turn < 5; turn++) {
		mm_model *model = j->model;
		if (!j->shared && mm_model_open(path, &o, &model, &e) != MM_OK) {
			j->failures++;
			continue;
		}
		once(j, model, turn);
		if (!j->shared)
			mm_model_close(model);
	}
	return NULL;
}

static void run_both(job *a, job *b)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, work, a), 0);
	work(b);
	pthread_join(thread, NULL);
	assert_int_equal(a->failures, 0);
	assert_int_equal(b->failures, 0);
}

static void models_on_two_threads_do_not_disturb_each_other(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static job a = { .name = "one" }, b = { .name = "two" };
	mm_model *one = open_run("one"), *two = open_run("two");
	(void)state;
	assert_ok(draw(one, 4, &a.expected, &e), e);
	assert_ok(draw(two, 4, &b.expected, &e), e);
	assert_true(memcmp(&a.expected, &b.expected, sizeof(samples)) != 0);
	run_both(&a, &b);
	mm_model_close(one);
	mm_model_close(two);
}

static void calls_on_one_model_wait_for_each_other(void **state)
{
	mm_error e = MM_ERROR_INIT;
	static job a = { .name = "first", .shared = true }, b = { .name = "second", .shared = true };
	(void)state;
	a.model = b.model = open_run("one");
	assert_ok(draw(a.model, 4, &a.expected, &e), e);
	b.expected = a.expected;
	run_both(&a, &b);
	mm_model_close(a.model);
}

static void results_do_not_depend_on_threads(void **state)
{
	mm_error e = MM_ERROR_INIT;
	samples s[3];
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		mm_open_options o = MM_OPEN_OPTIONS_INIT;
		o.threads = 1 + 3 * i;
		mm_model *model = open_with("one", o);
		assert_ok(draw(model, 0, &s[i], &e), e);
		mm_model_close(model);
	}
	assert_memory_equal(&s[0], &s[1], sizeof s[0]);
	assert_memory_equal(&s[0], &s[2], sizeof s[0]);
}

/* ---------------------------------------------------------------- callbacks */

typedef struct watch {
	mm_model *model;
	uint64_t done[16], total;
	int calls, stop_at; /* call that says stop; -1: none */
	mm_status reentered;
} watch;

static int32_t watch_progress(void *ctx, uint64_t done, uint64_t total)
{
	watch *w = ctx;
	if (w->calls < 16)
		w->done[w->calls] = done;
	w->total = total;
	if (w->model)
		w->reentered = mm_model_read_text(w->model, 0, "0 0 0 0 0 0 0 0", (float[TOY_FLOATS]){ 0 }, NULL);
	return w->calls++ == w->stop_at;
}

static void progress_is_told_and_cancels(void **state)
{
	enum { MANY = 150 };
	mm_error e = MM_ERROR_INIT;
	static float x[MANY * TOY_FLOATS];
	float *const to[TOYS] = { x, NULL, NULL };
	mm_model *model = open_run("one");
	watch w = { .model = model, .stop_at = -1 };
	mm_options q = MM_OPTIONS_INIT;
	q.progress = watch_progress;
	q.progress_ctx = &w;
	(void)state;
	assert_ok(mm_model_sample(model, MANY, &q, to, NULL, &e), e);
	assert_int_equal(w.calls, 4);
	assert_int_equal(w.total, MANY);
	assert_true(w.done[0] == 0 && w.done[1] == 64 && w.done[2] == 128 && w.done[3] == MANY);
	assert_int_equal(w.reentered, MM_ESTATE);
	w = (watch){ .stop_at = 1 };
	assert_fails(mm_model_sample(model, MANY, &q, to, NULL, &e), MM_ECANCELLED, e, "interrupted after 64 samples");
	w = (watch){ .stop_at = -1 };
	const float *const given[TOYS] = { x, NULL, NULL };
	q.draws = 50;
	assert_ok(mm_model_translate(model, 3, given, NULL, &q, NULL, NULL, &e), e);
	assert_int_equal(w.total, 150);
	mm_model_close(model);
}

static void keep_line(void *ctx, int32_t level, const char *text)
{
	char *all = ctx;
	size_t used = strlen(all);
	snprintf(all + used, 4096 - used, "%d %s\n", level, text);
}

static void the_log_is_told(void **state)
{
	char lines[4096] = "";
	mm_open_options o = MM_OPEN_OPTIONS_INIT;
	o.log = keep_line;
	o.log_ctx = lines;
	(void)state;
	mm_model_close(open_with("one", o));
	assert_non_null(strstr(lines, "1 org.example.toy: gain 2\n"));
}

/* ---------------------------------------------------------------- the process */

/* What goes to standard output and error meanwhile. */
static void nothing_is_printed_and_no_handler_set(void **state)
{
	mm_error e = MM_ERROR_INIT;
	char path[300];
	samples s;
	struct stat st;
	struct sigaction before, after;
	float energy[N];
	snprintf(path, sizeof path, "%s/printed", toys);
	(void)state;
	fflush(NULL);
	const int file = open(path, O_RDWR | O_CREAT, 0600), out = dup(1), err = dup(2);
	assert_true(file >= 0 && dup2(file, 1) == 1 && dup2(file, 2) == 2);
	sigaction(SIGINT, NULL, &before);
	mm_model *model = open_run("one");
	const float *const x[TOYS] = { s.x[0], s.x[1], s.x[2] };
	mm_status drawn = draw(model, 1, &s, &e), scored = mm_model_score(model, N, x, NULL, energy, &e);
	mm_model *none = NULL;
	mm_status missing = mm_model_open("/nowhere", NULL, &none, &e);
	mm_model_close(model);
	sigaction(SIGINT, NULL, &after);
	fflush(NULL);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	assert_int_equal(fstat(file, &st), 0);
	close(file);
	assert_int_equal(drawn, MM_OK);
	assert_int_equal(scored, MM_OK);
	assert_int_equal(missing, MM_EIO);
	assert_int_equal(st.st_size, 0);
	assert_true(before.sa_handler == after.sa_handler);
}

static void locale_and_rounding_are_the_callers_and_change_nothing(void **state)
{
	mm_error e = MM_ERROR_INIT;
	samples here, there;
	char number[16], folder[2][4096];
	mm_model *model = open_run("one");
	(void)state;
	assert_ok(draw(model, 2, &here, &e), e);
	mm_model_close(model);
	const bool comma = setlocale(LC_ALL, "de_DE.UTF-8") || setlocale(LC_ALL, "de_DE.utf8");
	if (!comma)
		print_message("no German locale here; rounding alone is tried\n");
	assert_non_null(getcwd(folder[0], sizeof folder[0]));
	assert_int_equal(fesetround(FE_UPWARD), 0);
	model = open_run("one");
	mm_status status = draw(model, 2, &there, &e);
	const int rounding = fegetround();
	mm_model_close(model);
	fesetround(FE_TONEAREST);
	snprintf(number, sizeof number, "%.1f", 0.5);
	setlocale(LC_ALL, "C");
	assert_int_equal(status, MM_OK);
	assert_int_equal(rounding, FE_UPWARD);
	assert_string_equal(number, comma ? "0,5" : "0.5");
	assert_memory_equal(&here, &there, sizeof here);
	assert_non_null(getcwd(folder[1], sizeof folder[1]));
	assert_string_equal(folder[0], folder[1]);
}

/* A model's threads stay behind; a model of the child's own works. */
static void a_forked_child_opens_its_own(void **state)
{
	mm_error e = MM_ERROR_INIT;
	samples expected;
	mm_open_options o = MM_OPEN_OPTIONS_INIT;
	o.threads = 2;
	mm_model *model = open_with("one", o);
	int status;
	(void)state;
#ifdef __SANITIZE_THREAD__
	mm_model_close(model);
	skip(); /* ThreadSanitizer starts no threads in the child of a process that had several */
#endif
	assert_ok(draw(model, 0, &expected, &e), e);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		static samples s;
		if (draw(model, 0, &s, &e) != MM_ESTATE || !strstr(e.message, "before a fork"))
			_exit(1);
		mm_model_close(model);
		model = open_with("one", o);
		if (draw(model, 0, &s, &e) != MM_OK || memcmp(&s, &expected, sizeof s))
			_exit(2);
		mm_model_close(model);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	mm_model_close(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_on_two_threads_do_not_disturb_each_other),
		cmocka_unit_test(calls_on_one_model_wait_for_each_other),
		cmocka_unit_test(results_do_not_depend_on_threads),
		cmocka_unit_test(progress_is_told_and_cancels),
		cmocka_unit_test(the_log_is_told),
		cmocka_unit_test(nothing_is_printed_and_no_handler_set),
		cmocka_unit_test(locale_and_rounding_are_the_callers_and_change_nothing),
		cmocka_unit_test(a_forked_child_opens_its_own),
	};
	return cmocka_run_group_tests(tests, train_once, rig_teardown);
}
