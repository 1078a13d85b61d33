/* child.c - work in a child process that may crash or hang, and memory whose ends are watched. */
#include "mmi_build.h"

#include "plugin/contract.h"
#include "validate/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void *mmi_shared_alloc(size_t bytes)
{
	void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return block == MAP_FAILED ? NULL : block;
}

void mmi_shared_free(void *block, size_t bytes)
{
	if (block)
		munmap(block, bytes);
}

/* ---------------------------------------------------------------- processes */

static void redirect(int stream, const char *path)
{
	int fd = open(path ? path : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd >= 0) {
		dup2(fd, stream);
		close(fd);
	}
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void wait_for(pid_t pid, double limit, const atomic_bool *ready, mmi_child_end *end)
{
	const struct timespec tick = { 0, 1000000L };
	const double start = now();
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
		if (now() - start > limit && !end->hung && !(ready && atomic_load(ready))) {
			end->hung = true;
			kill(pid, SIGKILL);
		}
		nanosleep(&tick, NULL);
	}
	end->failed = got < 0;
	end->signal = got > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	end->status = got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

mmi_child_end mmi_child_run(void (*work)(void *ctx), void *ctx, const char *out, const char *err, double limit,
                            const atomic_bool *ready)
{
	mmi_child_end end = { 0 };

	fflush(NULL);
	static const int asked[] = { SIGINT, SIGQUIT, SIGHUP, SIGTERM };
	pid_t pid = fork();
	if (pid < 0) {
		end.failed = true;
		return end;
	}
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		for (size_t i = 0; i < MMI_COUNT(asked); i++) /* a job in the background may have been told to ignore them */
			signal(asked[i], SIG_DFL);
		redirect(STDOUT_FILENO, out);
		redirect(STDERR_FILENO, err);
		work(ctx);
		fflush(NULL);
		_exit(MMI_CHILD_DONE);
	}
	wait_for(pid, limit, ready, &end);
	return end;
}

bool mmi_child_missing(const mmi_child_end *end, char *text)
{
	if (end->failed)
		snprintf(text, MM_ERROR_TEXT, "no process could be made: %s", strerror(errno));
	return end->failed;
}

bool mmi_child_crashed(const mmi_child_end *end, double limit, char *text)
{
	if (end->hung)
		snprintf(text, MM_ERROR_TEXT, "it had not come back after %g seconds", limit);
	else if (end->signal)
		snprintf(text, MM_ERROR_TEXT, "signal %d (%s)", end->signal, strsignal(end->signal));
	else if (end->status != MMI_CHILD_DONE)
		snprintf(text, MM_ERROR_TEXT, "it ended the program (exit)");
	else
		return false;
	return true;
}

/* ---------------------------------------------------------------- watched memory */

enum { PATTERN = 0xA5 };

mm_status mmi_guarded_create(const char *name, size_t bytes, mmi_guarded *out, mm_error *e)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (bytes + page - 1) / page * page, all = body + 2 * page;
	unsigned char *map = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %s", name);
	if (body && mprotect(map + page, body, PROT_READ | PROT_WRITE) != 0) {
		munmap(map, all);
		return mmi_fail(e, MM_ENOMEM, "out of memory for %s", name);
	}
	*out = (mmi_guarded){ .at = map + page + body - bytes, .bytes = bytes, .map = map, .map_bytes = all, .name = name };
	memset(map + page, PATTERN, body - bytes);
	mmi_contract_poison(out->at, bytes);
	return MM_OK;
}

void mmi_guarded_free(mmi_guarded *g)
{
	if (g->map)
		munmap(g->map, g->map_bytes);
	*g = (mmi_guarded){ 0 };
}

mm_status mmi_guarded_check(const mmi_guarded *g, mm_error *e)
{
	const unsigned char *from = g->map + (size_t)sysconf(_SC_PAGESIZE);

	for (const unsigned char *p = from; p < g->at; p++)
		if (*p != PATTERN)
			return mmi_fail(e, MM_EABI, "it wrote %ld bytes before the start of %s", (long)(g->at - p), g->name);
	return MM_OK;
}

long mmi_guarded_off(const mmi_guarded *g, const void *address)
{
	const unsigned char *p = address;

	if (!g->map || p < g->map || p >= g->map + g->map_bytes)
		return 0;
	return p >= g->at + g->bytes ? (long)(p - (g->at + g->bytes)) + 1 : p < g->at ? (long)(p - g->at) : 0;
}
