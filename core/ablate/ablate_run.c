/* ablate_run.c - the runs of an ablation as child processes.
 *
 * A child tells through a pipe how far it is and how it ended. It learns that it should stop when nobody holds the
 * other end of the life pipe any more: the parent closes it, or is gone, however it ended. */
#include "mmi_build.h"

#include "ablate/ablate_job.h"
#include "fit/fit_file.h"
#include "train/train.h"
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_JOBS = 64, POLL_MS = 200 };
#define NEWS_SECONDS 0.5

typedef enum { UNDER_WAY, DONE, INTERRUPTED, FAILED } stage;

/* Smaller than PIPE_BUF everywhere, so it arrives whole. */
typedef struct message {
	stage stage;
	uint64_t done, total;
	char text[MM_ERROR_TEXT - 64];
} message;

typedef struct job {
	pid_t pid;
	int news; /* read end of its pipe */
	size_t run;
	message last;
} job;

typedef struct crew {
	mmi_ablation *ablation;
	const mmi_ablation_hooks *hooks;
	job jobs[MAX_JOBS];
	size_t n_jobs, over, total;
	bool stopping;
	int life[2]; /* life[1] is the parent's alone */
} crew;

/* ---------------------------------------------------------------- the child */

typedef struct child {
	const mmi_ablation_hooks *hooks;
	int life, news;
	FILE *log;
	double told;
	const mmi_setup_request *setup;
} child;

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void log_line(void *ctx, int level, const char *text)
{
	child *c = ctx;
	fprintf(c->log, "%s%s\n", level >= MM_LOG_WARNING ? "warning: " : "", text);
	fflush(c->log);
}

static void log_call(void *ctx, const struct mmi_call *call, bool inside)
{
	const mmi_log *parent = ((child *)ctx)->setup->log;
	if (parent && parent->call)
		parent->call(parent->ctx, call, inside);
}

static bool child_stop(void *ctx)
{
	const child *c = ctx;
	struct pollfd life = { .fd = c->life, .events = POLLIN };
	return poll(&life, 1, 0) > 0 || (c->hooks->stop && c->hooks->stop(c->hooks->ctx));
}

static void tell(const child *c, const message *m)
{
	ssize_t written = write(c->news, m, sizeof *m); /* a parent that is gone does not read */
	(void)written;
}

static void child_step(void *ctx, uint64_t done, uint64_t total, double seconds_left, const mmi_measures *m)
{
	child *c = ctx;
	message news = { .stage = UNDER_WAY, .done = done, .total = total };
	double now = seconds();
	(void)m;
	(void)seconds_left;
	if (now - c->told < NEWS_SECONDS)
		return;
	c->told = now;
	tell(c, &news);
}

static void child_fit_prior(void *ctx, const char *run, uint32_t components)
{
	child *c = ctx;
	const mmi_setup_request *base = c->setup;
	const mmi_log log = { .line = log_line, .ctx = c, .call = log_call };
	const mmi_setup_request again = { .plugins = base->plugins, .n_plugins = base->n_plugins, .log = &log };
	mmi_fit_end(run, &again, components, &(mmi_fit_hooks){ .ctx = c, .stop = child_stop });
}

static mm_status write_figures(const mmi_ablation *a, size_t i, const char *name, const mmi_figures *f, mm_error *e)
{
	char *path = mmi_ablation_file(a, i, name);
	mm_status status = path ? mmi_figures_write(f, path, e) : mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_free(path);
	return status;
}

static mm_status measure(const mmi_ablation *a, size_t i, mm_error *e)
{
	mmi_figures f;
	MMI_TRY(mmi_figures_of_run(a->runs[i].folder, a->request->window, &f, e));
	mm_status status = write_figures(a, i, MMI_ABLATION_FIGURES, &f, e);
	mmi_figures_clear(&f);
	return status;
}

/* What was found of an earlier course of the run says nothing of this one. */
static mm_status forget_assessment(const mmi_ablation *a, size_t i, mm_error *e)
{
	char *path = mmi_ablation_file(a, i, MMI_ABLATION_ASSESSED);
	if (!path)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status =
		unlink(path) && errno != ENOENT ? mmi_fail(e, MM_EIO, "cannot delete %s: %s", path, strerror(errno)) : MM_OK;
	mmi_free(path);
	return status;
}

static mm_status train(const mmi_ablation *a, size_t i, child *c, const mmi_log *log, message *end, mm_error *e)
{
	const mmi_train_hooks hooks = { c, child_stop, child_step, child_fit_prior, log };
	mmi_setup setup;
	mmi_train_result result;
	MMI_TRY(forget_assessment(a, i, e));
	MMI_TRY(mmi_ablation_open_run(a, i, log, &setup, e));
	mm_status status =
		mmi_train(&setup, a->runs[i].folder, a->runs[i].state == MMI_RUN_HALF ? MMI_TRAIN_RESUME : MMI_TRAIN_NEW,
	              &hooks, &result, e);
	mmi_setup_close(&setup);
	MMI_TRY(status);
	end->stage = result.interrupted ? INTERRUPTED : DONE;
	end->done = end->total = result.iterations;
	return MM_OK;
}

static mm_status assess(const mmi_ablation *a, size_t i, child *c, const mmi_log *log, message *end, mm_error *e)
{
	const mmi_ablation_assessor *assessor = a->request->assessor;
	const char *threads = a->threads;
	const mmi_ablation_trained trained = { .folder = a->runs[i].folder,
		                                   .ctx = c,
		                                   .stop = child_stop,
		                                   .setup = { .sets = &threads, .n_sets = threads[0] ? 1 : 0, .log = log } };
	mmi_figures f = { 0 };
	mm_status status = mmi_figures_append(&f, &a->runs[i].stamp, e);
	if (status == MM_OK)
		status = assessor->assess(assessor->ctx, &trained, &f, e);
	if (status == MM_OK)
		status = write_figures(a, i, MMI_ABLATION_ASSESSED, &f, e);
	mmi_figures_clear(&f);
	if (status == MM_ECANCELLED)
		end->stage = INTERRUPTED;
	return status == MM_ECANCELLED ? MM_OK : status;
}

/* What is still to be done, one thing after the other. */
static mm_status go_on(const mmi_ablation *a, size_t i, child *c, message *end, mm_error *e)
{
	c->setup = &a->request->setup;
	const mmi_log log = { .line = log_line, .ctx = c, .call = log_call };
	const mmi_ablation_run *run = &a->runs[i];
	end->stage = DONE;
	if (!run->trained)
		MMI_TRY(train(a, i, c, &log, end, e));
	if (end->stage == DONE && !run->measured)
		MMI_TRY(measure(a, i, e));
	return end->stage == DONE && a->request->assessor ? assess(a, i, c, &log, end, e) : MM_OK;
}

/* The whole life of a child. Ctrl-C reaches it as well and is left to the parent. */
static mm_status live(const crew *w, size_t i, int news, mm_error *e)
{
	child c = { .hooks = w->hooks, .life = w->life[0], .news = news };
	message end = { .stage = FAILED };
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	close(w->life[1]);
	char *path = mmi_format("%s/log.txt", w->ablation->runs[i].folder);
	int log = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666) : -1;
	c.log = log >= 0 ? fdopen(log, "a") : NULL;
	mm_status status = c.log ? go_on(w->ablation, i, &c, &end, e)
	                         : mmi_fail(e, MM_EIO, "cannot write %s: %s", path ? path : "a log", strerror(errno));
	if (status != MM_OK) {
		end.stage = FAILED;
		snprintf(end.text, sizeof end.text, "%.*s", (int)sizeof end.text - 1, e->message);
		if (c.log)
			fprintf(c.log, "%s\n", e->message);
	}
	if (c.log)
		fclose(c.log);
	tell(&c, &end);
	close(news);
	return status;
}

/* ---------------------------------------------------------------- the parent */

static mm_status start(crew *w, size_t i, mm_error *e)
{
	int news[2];
	MMI_TRY(mmi_make_folders(w->ablation->runs[i].folder, e));
	if (pipe(news))
		return mmi_fail(e, MM_EIO, "cannot make a pipe: %s", strerror(errno));
	fflush(NULL); /* or the child would have a copy of what is in the buffers */
	pid_t pid = fork();
	if (pid == 0) {
		close(news[0]);
		w->ablation->is_child = true;
		return live(w, i, news[1], e);
	}
	close(news[1]);
	if (pid < 0) {
		close(news[0]);
		return mmi_fail(e, MM_EIO, "cannot start a process: %s", strerror(errno));
	}
	w->jobs[w->n_jobs++] = (job){ .pid = pid, .news = news[0], .run = i };
	return MM_OK;
}

/* The last word of a run; a child that said none died. */
static void conclude(crew *w, job *j, int status)
{
	mmi_ablation *a = w->ablation;
	mmi_ablation_run *run = &a->runs[j->run];
	const char *name = a->points.item[j->run].name;
	const mmi_log *log = a->request->setup.log;
	mm_error e = MM_ERROR_INIT;

	if (j->last.stage == DONE) {
		if (mmi_ablation_read(a, j->run, &e) != MM_OK || run->state != MMI_RUN_FINISHED)
			run->state = MMI_RUN_FAILED;
		snprintf(run->message, sizeof run->message, "%s", e.message);
	} else if (j->last.stage == INTERRUPTED) {
		run->state = MMI_RUN_HALF;
	} else {
		run->state = MMI_RUN_FAILED;
		if (j->last.stage == FAILED)
			snprintf(run->message, sizeof run->message, "%s", j->last.text);
		else
			snprintf(run->message, sizeof run->message, "its process was ended by signal %d; see %.300s/log.txt",
			         WIFSIGNALED(status) ? WTERMSIG(status) : 0, run->folder);
	}
	if (run->state == MMI_RUN_FAILED)
		mmi_logf(log, MM_LOG_WARNING, "%s failed: %s", name, run->message);
	else if (j->last.total)
		mmi_logf(log, MM_LOG_INFO, "%s: %s after %llu iterations", name,
		         run->state == MMI_RUN_FINISHED ? "finished" : "stopped", (unsigned long long)j->last.done);
	else
		mmi_logf(log, MM_LOG_INFO, "%s: %s", name,
		         run->state == MMI_RUN_FINISHED ? "finished, trained before" : "stopped, trained already");
}

static void reap(crew *w, size_t k)
{
	int status = 0;
	while (waitpid(w->jobs[k].pid, &status, 0) < 0 && errno == EINTR)
		;
	close(w->jobs[k].news);
	conclude(w, &w->jobs[k], status);
	w->over++;
	w->jobs[k] = w->jobs[--w->n_jobs];
}

static void listen(crew *w)
{
	struct pollfd news[MAX_JOBS];
	for (size_t k = 0; k < w->n_jobs; k++)
		news[k] = (struct pollfd){ .fd = w->jobs[k].news, .events = POLLIN };
	if (poll(news, (nfds_t)w->n_jobs, POLL_MS) <= 0)
		return;
	for (size_t k = w->n_jobs; k-- > 0;) {
		message m;
		if (!news[k].revents)
			continue;
		if (read(news[k].fd, &m, sizeof m) == (ssize_t)sizeof m)
			w->jobs[k].last = m;
		else
			reap(w, k); /* the last job takes its place; that one was looked at already */
	}
}

static void look_up(crew *w)
{
	const mmi_ablation_hooks *h = w->hooks;
	double share = (double)w->over;
	if (!w->stopping && h->stop && h->stop(h->ctx)) {
		w->stopping = true;
		close(w->life[1]);
	}
	for (size_t k = 0; k < w->n_jobs; k++)
		if (w->jobs[k].last.total)
			share += (double)w->jobs[k].last.done / (double)w->jobs[k].last.total;
	if (h->progress)
		h->progress(h->ctx, w->over, w->total, w->total ? share / (double)w->total : 1);
}

static mm_status work(crew *w, mm_error *e)
{
	const mmi_ablation *a = w->ablation;
	size_t next = 0, jobs = a->request->jobs < MAX_JOBS ? a->request->jobs : MAX_JOBS;
	mm_status status = MM_OK;
	for (;;) {
		look_up(w);
		for (; next < a->points.n && w->n_jobs < jobs && !w->stopping && status == MM_OK && !a->is_child; next++)
			if (mmi_ablation_mine(a, next) && a->runs[next].state != MMI_RUN_FINISHED)
				status = start(w, next, e);
		if (a->is_child)
			return status;
		if (!w->n_jobs)
			return status;
		listen(w);
	}
}

mm_status mmi_ablation_train(mmi_ablation *a, const mmi_ablation_hooks *hooks, mm_error *e)
{
	crew w = { .ablation = a, .hooks = hooks };
	for (size_t i = 0; i < a->points.n; i++) {
		w.total += mmi_ablation_mine(a, i);
		w.over += mmi_ablation_mine(a, i) && a->runs[i].state == MMI_RUN_FINISHED;
	}
	if (pipe(w.life))
		return mmi_fail(e, MM_EIO, "cannot make a pipe: %s", strerror(errno));
	mm_status status = work(&w, e);
	if (a->is_child)
		return status;
	if (!w.stopping)
		close(w.life[1]);
	close(w.life[0]);
	if (status == MM_OK && w.stopping)
		return mmi_fail(e, MM_ECANCELLED, "interrupted; the same command goes on with the runs that are not finished");
	return status;
}
