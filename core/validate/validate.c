/* validate.c - the tests in turn, those of one level in children of a process that has come so far with the plugin. */
#include "mmi_build.h"

#include "validate/subject.h"

#include "store/files.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OFF_BLOCK = 89 };       /* status of a child that left a watched block */
enum { PREPARING_FACTOR = 4 }; /* times a test's limit to open plugin, instance and data that many tests share */

const char *mmi_verdict_name(mmi_verdict v)
{
	static const char *const names[MMI_N_VERDICTS] = { "passed", "warning", "skipped", "failed", "crashed" };
	return names[v];
}

typedef struct validator {
	const mmi_validation *request;
	mmi_validation own; /* the request with absolute paths: children live in other folders */
	char *file, *data;
	mmi_test_result *results;
	mmi_trial *trials; /* mmi_n_tests and one for what comes before the tests */
	char *folder;
	int home;             /* the current folder */
	size_t from, to, now; /* tests of the level that is under way, and which of them */
	atomic_bool *ready;
	mm_error *why;      /* shared: why there were no tests */
	mm_error *hindered; /* shared: the first want of the machine, not of the plugin, that kept a test from being run */
} validator;

/* ---------------------------------------------------------------- choosing */

static bool names(const mmi_test *t, const char *what)
{
	return !strcmp(t->id, what) || !strcmp(t->group, what);
}

static bool chosen(const mmi_validation *v, const mmi_test *t)
{
	for (size_t i = 0; i < v->n_only; i++)
		if (names(t, v->only[i]))
			return true;
	return !v->n_only;
}

static mm_status check_only(const mmi_validation *v, mm_error *e)
{
	for (size_t i = 0; i < v->n_only; i++) {
		size_t k = 0;
		while (k < mmi_n_tests && !names(&mmi_tests[k], v->only[i]))
			k++;
		if (k == mmi_n_tests)
			return mmi_fail(e, MM_ECONFIG, "there is no test and no group of tests '%s'; --list names them",
			                v->only[i]);
	}
	return MM_OK;
}

static bool stands_in_the_way(const mmi_test_result *r, bool may_be_skipped)
{
	return r->ran && r->verdict != MMI_PASSED && r->verdict != MMI_WARNED &&
	       !(may_be_skipped && r->verdict == MMI_SKIPPED);
}

/* The first of the tests that t needs that did not pass; NULL when all did. Those that were not chosen count as passed.
 */
static const mmi_test *unmet(const validator *v, const mmi_test *t)
{
	for (const char *p = t->needs; *p;) {
		const bool may_be_skipped = *p == '?';
		p += may_be_skipped;
		const size_t length = strcspn(p, " ");
		for (size_t k = 0; k < mmi_n_tests; k++)
			if (strlen(mmi_tests[k].id) == length && !strncmp(mmi_tests[k].id, p, length) &&
			    stands_in_the_way(&v->results[k], may_be_skipped))
				return &mmi_tests[k];
		p += length;
		p += *p == ' ';
	}
	return NULL;
}

/* ---------------------------------------------------------------- one test */

/* The subject of this process, for the handler of signals alone. */
static mmi_subject *watched;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	for (size_t i = 0; watched && i < watched->n_blocks; i++) {
		const long off = mmi_guarded_off(&watched->blocks[i], info->si_addr);
		if (off) {
			watched->trial->off = off;
			strncpy(watched->trial->block, watched->blocks[i].name, sizeof watched->trial->block - 1);
			_exit(OFF_BLOCK);
		}
	}
	struct sigaction usual = { .sa_handler = SIG_DFL };
	sigaction(signal, &usual, NULL); /* happens again on return, unless it was sent */
	if (info->si_code <= 0)
		raise(signal);
}

static void watch_blocks(mmi_subject *s)
{
	struct sigaction a = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	watched = s;
	sigemptyset(&a.sa_mask);
	sigaction(SIGSEGV, &a, NULL);
	sigaction(SIGBUS, &a, NULL);
}

static void run_test(mmi_subject *s, const mmi_test *t, mmi_trial *trial)
{
	mm_error e = MM_ERROR_INIT;
	const double start = mmi_subject_clock();

	s->trial = trial;
	s->verdict = MMI_FAILED;
	const mm_status status = t->run(s, &e);
	trial->seconds = mmi_subject_clock() - start;
	trial->verdict = status == MM_OK ? MMI_PASSED : s->verdict;
	if (status != MM_OK)
		memcpy(trial->text, e.message, sizeof trial->text);
	trial->finished = true;
}

static void take(validator *v, size_t i)
{
	mmi_test_result *r = &v->results[i];
	const mmi_trial *trial = &v->trials[i];
	r->ran = true;
	r->seconds = trial->seconds;
	r->verdict = trial->verdict;
	memcpy(r->callback, trial->callback, sizeof r->callback);
	memcpy(r->text, trial->text, sizeof r->text);
}

/* A test before this one ended in the same callback, so this crash is no news; NULL: none did. */
static const mmi_test *crashed_before(const validator *v, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		const mmi_test_result *r = &v->results[k];
		if (r->ran && (r->verdict == MMI_CRASHED || r->verdict == MMI_FAILED) &&
		    !strcmp(r->callback, v->trials[i].callback))
			return &mmi_tests[k];
	}
	return NULL;
}

/* Why it did not finish. */
static void take_crash(validator *v, size_t i, const mmi_child_end *end)
{
	char text[MM_ERROR_TEXT];
	mmi_trial *trial = &v->trials[i];
	const bool inside = atomic_load(&trial->inside) > 0;

	trial->verdict = MMI_CRASHED;
	if (trial->finished && !end->hung) /* afterwards, when nobody asked anything of it */
		trial->finished = false;
	if (end->status == OFF_BLOCK && !end->signal && !end->hung) {
		trial->verdict = MMI_FAILED;
		snprintf(text, sizeof text, "it read or wrote %ld bytes %s %s", labs(trial->off),
		         trial->off > 0 ? "behind the end of" : "before the start of", trial->block);
	} else {
		mmi_child_crashed(end, v->request->limit, text);
	}
	const mmi_test *before = crashed_before(v, i);
	snprintf(trial->text, sizeof trial->text, "%s%s: %.300s%s%s", inside ? "in " : "after ",
	         trial->callback[0] ? trial->callback : "loading", text, before ? ", as in " : "",
	         before ? before->id : "");
	if (before)
		trial->verdict = MMI_SKIPPED;
	take(v, i);
}

static void skip(validator *v, size_t i, const char *text)
{
	mmi_test_result *r = &v->results[i];
	r->ran = true;
	r->verdict = MMI_SKIPPED;
	snprintf(r->text, sizeof r->text, "%s", text);
}

static void hinder(validator *v, mm_status code, const char *why)
{
	if (v->hindered->code == MM_OK)
		mmi_fail(v->hindered, code, "not all tests could be run: %s", why);
}

/* For want of something that the machine has not got. */
static void skip_unable(validator *v, size_t i, const char *text)
{
	hinder(v, MM_EIO, text);
	skip(v, i, text);
}

static void tell(const validator *v)
{
	for (size_t i = v->from; i < v->to; i++)
		if (v->request->done && v->results[i].ran)
			v->request->done(v->request->ctx, &mmi_tests[i], &v->results[i]);
}

/* ---------------------------------------------------------------- processes */

typedef struct stem {
	validator *v;
	mmi_subject *subject;
} stem;

static void live(void *ctx)
{
	const stem *x = ctx;
	watch_blocks(x->subject);
	run_test(x->subject, &mmi_tests[x->v->now], &x->v->trials[x->v->now]);
}

static char *path_of(const validator *v, const char *name)
{
	return mmi_format("%s/%s", v->folder, name);
}

static int forget(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	remove(path);
	return 0;
}

static void remove_all(const char *path)
{
	nftw(path, forget, 16, FTW_DEPTH | FTW_PHYS);
}

/* An empty folder of its own for each test, in which it runs. */
static bool enter_folder(const validator *v)
{
	char *path = path_of(v, "work");
	if (path)
		remove_all(path);
	const bool ok = path && mkdir(path, 0700) == 0 && chdir(path) == 0;
	mmi_free(path);
	return ok;
}

static void run_child(validator *v, mmi_subject *subject, size_t i)
{
	char text[MM_ERROR_TEXT];
	stem x = { v, subject };
	char *out = path_of(v, "out"), *err = path_of(v, "err");
	const double start = mmi_subject_clock();

	v->now = i;
	remove(out ? out : "");
	const mmi_child_end end = mmi_child_run(live, &x, out, err, v->request->limit, NULL);
	v->trials[i].seconds = mmi_subject_clock() - start;
	if (mmi_child_missing(&end, text))
		skip_unable(v, i, text);
	else if (end.status == MMI_CHILD_DONE && !end.signal && !end.hung && v->trials[i].finished)
		take(v, i);
	else
		take_crash(v, i, &end);
	mmi_free(out);
	mmi_free(err);
}

static void run_one(validator *v, mmi_subject *subject, size_t i)
{
	const mmi_test *missing = unmet(v, &mmi_tests[i]);
	char text[128];

	if (missing) {
		snprintf(text, sizeof text, "%s did not pass", missing->id);
		skip(v, i, text);
	} else if (!enter_folder(v)) {
		skip_unable(v, i, "no folder could be made for it");
	} else if (v->request->in_process) {
		run_test(subject, &mmi_tests[i], &v->trials[i]);
		take(v, i);
	} else {
		run_child(v, subject, i);
	}
}

static void skip_level(validator *v, mm_status code, const char *why)
{
	char text[MM_ERROR_TEXT];
	if (code == MM_ENOMEM) /* data that are not there are no want of the machine */
		hinder(v, code, why);
	for (size_t i = v->from; i < v->to; i++)
		if (chosen(v->request, &mmi_tests[i]) && !v->results[i].ran) {
			const mmi_test *missing = unmet(v, &mmi_tests[i]);
			if (missing)
				snprintf(text, sizeof text, "%s did not pass", missing->id);
			else
				snprintf(text, sizeof text, "it does not come so far: %.450s", why);
			skip(v, i, text);
		}
}

static void run_stem(void *ctx)
{
	validator *v = ctx;
	mmi_subject s;

	mmi_subject_init(&s, &v->own, &v->trials[mmi_n_tests]);
	v->why->code = mmi_subject_reach(&s, mmi_tests[v->from].level, v->why);
	atomic_store(v->ready, true);
	for (size_t i = v->from; i < v->to && v->why->code == MM_OK; i++)
		if (chosen(v->request, &mmi_tests[i]))
			run_one(v, &s, i);
}

/* Each test gets a subject of its own, for nothing is undone by a process's end. */
static void run_here(validator *v)
{
	mmi_subject s;

	for (size_t i = v->from; i < v->to; i++)
		if (chosen(v->request, &mmi_tests[i])) {
			mmi_subject_init(&s, &v->own, &v->trials[mmi_n_tests]);
			*v->why = (mm_error)MM_ERROR_INIT;
			if (mmi_subject_reach(&s, mmi_tests[v->from].level, v->why) == MM_OK)
				run_one(v, &s, i);
			else if (v->why->code == MM_ENOMEM)
				skip_unable(v, i, v->why->message);
			else
				skip(v, i, v->why->message);
			mmi_subject_close(&s);
		}
	v->why->code = MM_OK;
}

static bool any(const validator *v)
{
	for (size_t i = v->from; i < v->to; i++)
		if (chosen(v->request, &mmi_tests[i]))
			return true;
	return false;
}

static void run_level(validator *v)
{
	char text[MM_ERROR_TEXT];
	mmi_trial *trial = &v->trials[mmi_n_tests];
	mmi_child_end end = { .status = MMI_CHILD_DONE };

	if (!any(v))
		return;
	memset(trial, 0, sizeof *trial);
	*v->why = (mm_error)MM_ERROR_INIT;
	atomic_store(v->ready, false);
	const double limit = PREPARING_FACTOR * v->request->limit;
	if (v->request->in_process)
		run_here(v);
	else
		end = mmi_child_run(run_stem, v, NULL, NULL, limit, v->ready);
	if (mmi_child_missing(&end, text))
		skip_level(v, MM_ENOMEM, text);
	else if (mmi_child_crashed(&end, limit, text))
		skip_level(v, MM_OK, text);
	else if (v->why->code != MM_OK)
		skip_level(v, v->why->code, v->why->message);
	tell(v);
}

/* ---------------------------------------------------------------- before the tests */

/* What the caller asked for must fit the plugin. All else is for the tests to find. */
static void try_request(void *ctx)
{
	validator *v = ctx;
	mmi_subject s;
	const mm_modality_desc *desc;
	mm_error e = MM_ERROR_INIT;

	mmi_subject_init(&s, &v->own, &v->trials[mmi_n_tests]);
	mm_status status = mmi_subject_open(&s, &e);
	if (s.plugin && v->request->modality)
		status = mmi_plugin_modality(s.plugin, v->request->modality, &desc, &e);
	else if (!s.plugin)
		return;
	if (status == MM_OK && v->request->n_sets) {
		status = mmi_subject_make(&s, &e);
		if (status == MM_OK)
			status = mmi_config_check(s.config, &e);
	}
	if (status == MM_ECONFIG)
		*v->why = e;
}

static mm_status check_request(validator *v, mm_error *e)
{
	*v->why = (mm_error)MM_ERROR_INIT;
	atomic_store(v->ready, false);
	if (access(v->own.file, R_OK) != 0)
		return mmi_fail(e, MM_ECONFIG, "there is no file %s that could be read", v->request->file);
	if (v->own.data && access(v->own.data, R_OK) != 0)
		return mmi_fail(e, MM_ECONFIG, "there is no folder %s that could be read", v->request->data);
	MMI_TRY(check_only(v->request, e));
	if (!v->request->in_process)
		mmi_child_run(try_request, v, NULL, NULL, PREPARING_FACTOR * v->request->limit, NULL);
	return v->why->code ? mmi_fail(e, MM_ECONFIG, "%s", v->why->message) : MM_OK;
}

static mm_status absolute(const char *path, char **out, mm_error *e)
{
	char folder[4096];
	if (path[0] != '/' && !getcwd(folder, sizeof folder))
		return mmi_fail(e, MM_EIO, "the current folder has no name");
	*out = path[0] == '/' ? mmi_strdup(path) : mmi_format("%s/%s", folder, path);
	return *out ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory");
}

static mm_status prepare(validator *v, mm_error *e)
{
	v->own = *v->request;
	MMI_TRY(absolute(v->request->file, &v->file, e));
	v->own.file = v->file;
	if (v->request->data)
		MMI_TRY(absolute(v->request->data, &v->data, e));
	v->own.data = v->data;
	v->trials = mmi_shared_alloc((mmi_n_tests + 1) * sizeof *v->trials);
	v->results = mmi_shared_alloc(mmi_n_tests * sizeof *v->results);
	v->why = mmi_shared_alloc(sizeof *v->why);
	v->hindered = mmi_shared_alloc(sizeof *v->hindered);
	v->ready = mmi_shared_alloc(sizeof *v->ready);
	if (!v->trials || !v->results || !v->why || !v->hindered || !v->ready)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the results of tests");
	return mmi_make_temporary("mmcore-validate", &v->folder, e);
}

static void clear(validator *v)
{
	if (v->home >= 0 && fchdir(v->home) == 0 && v->folder)
		remove_all(v->folder);
	if (v->home >= 0)
		close(v->home);
	mmi_shared_free(v->trials, (mmi_n_tests + 1) * sizeof *v->trials);
	mmi_shared_free(v->results, mmi_n_tests * sizeof *v->results);
	mmi_shared_free(v->why, sizeof *v->why);
	mmi_shared_free(v->hindered, sizeof *v->hindered);
	mmi_shared_free(v->ready, sizeof *v->ready);
	mmi_free(v->file);
	mmi_free(v->data);
	mmi_free(v->folder);
}

mm_status mmi_validate(const mmi_validation *request, mmi_test_result *results, mm_error *e)
{
	validator v = { .request = request, .home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };

	mm_status status = prepare(&v, e);
	if (status == MM_OK)
		status = check_request(&v, e);
	for (v.from = 0; status == MM_OK && v.from < mmi_n_tests; v.from = v.to) {
		v.to = v.from + 1;
		while (v.to < mmi_n_tests && mmi_tests[v.to].level == mmi_tests[v.from].level)
			v.to++;
		run_level(&v);
	}
	if (status == MM_OK && v.hindered->code != MM_OK)
		status = mmi_fail(e, v.hindered->code, "%s", v.hindered->message);
	if (status == MM_OK)
		memcpy(results, v.results, mmi_n_tests * sizeof *results);
	clear(&v);
	return status;
}
