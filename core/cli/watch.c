/* watch.c - which plugin's callback each thread is in: for plugins that end the program, crash, or do not come back. */
#include "mmi_build.h"

#include "cli/interrupt.h"
#include "cli/watch.h"
#include "plugin/call.h"
#include "plugin/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_BY_PLUGIN = 70, TICK_MS = 100 };
#define PATIENCE 1.0 /* seconds that a callback gets after the user has asked to stop */

/* What a thread is in. */
typedef struct place {
	const mmi_call *call; /* NULL: none */
	double since;
	bool told, told_to_wait;
	struct place *next;
} place;

/* Global like the flag of interrupt.c: handlers of exit and fork are told nothing. */
static struct {
	pthread_mutex_t lock;
	const mmi_console *console; /* NULL: not started */
	double seconds;
	place *inside;
	bool running, ended;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER };
static _Thread_local place here;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Not through the console, whose line of progress belongs to the main thread. */
static void say(const mmi_call *call, const char *what)
{
	char name[MM_ERROR_TEXT];
	const mmi_console *c = watch.console;
	fprintf(c->err, "%s%s: %s %s\n", c->terminal ? "\n" : "", c->program,
	        mmi_clean(mmi_call_name(call->section, call->plugin, call->callback, name)), what);
	fflush(c->err);
}

/* ------------------------------------------------------------ callbacks that do not come back */

static void look(place *p)
{
	char text[80];
	double lasted = now() - p->since;
	if (!p->told && lasted >= watch.seconds) {
		snprintf(text, sizeof text, "has not come back for %.3g seconds", watch.seconds);
		say(p->call, text);
		p->told = true;
	}
	if (!p->told_to_wait && mmi_interrupted() && lasted >= PATIENCE) {
		say(p->call, "has not come back yet, so the program cannot stop; a second signal ends it at once");
		p->told_to_wait = true;
	}
}

static void *look_around(void *unused)
{
	const struct timespec tick = { 0, TICK_MS * 1000000L };
	(void)unused;
	for (;;) {
		nanosleep(&tick, NULL);
		pthread_mutex_lock(&watch.lock);
		for (place *p = watch.inside; p; p = p->next)
			look(p);
		pthread_mutex_unlock(&watch.lock);
	}
	return NULL;
}

/* Signals are the other threads' business. Without a thread nothing is told; nothing else is lost. */
static void start_looking(void)
{
	pthread_t thread;
	sigset_t all, before;
	watch.running = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, look_around, NULL) == 0)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void mmi_watch_call(void *ctx, const mmi_call *call, bool inside)
{
	(void)ctx;
	pthread_mutex_lock(&watch.lock);
	if (inside) {
		here = (place){ .call = call, .since = now(), .next = watch.inside };
		watch.inside = &here;
		if (!watch.running && watch.console)
			start_looking();
	} else {
		place **at = &watch.inside;
		while (*at && *at != &here)
			at = &(*at)->next;
		if (*at)
			*at = here.next;
		here.call = NULL;
	}
	pthread_mutex_unlock(&watch.lock);
}

/* ------------------------------------------------------------ exit and fork */

static void on_exit_call(void)
{
	if (watch.ended)
		return;
	if (here.call)
		say(here.call, "called exit; a plugin must not end the program");
	else
		fprintf(watch.console->err, "%s: a plugin or a library called exit\n", watch.console->program);
	_exit(EXIT_BY_PLUGIN);
}

/* ------------------------------------------------------------ crashes */

static void put(const char *text)
{
	ssize_t written = write(STDERR_FILENO, text, strlen(text));
	(void)written;
}

/* Pieces without printf, which a handler of signals must not call. */
static void name_call(const mmi_call *call)
{
	put(watch.console->program);
	put(": ");
	if (call->section) {
		put("[");
		put(call->section);
		put("] ");
	}
	if (call->plugin) {
		put("plugin ");
		put(call->plugin->entry.id ? call->plugin->entry.id : "");
		put(" (");
		put(call->plugin->path);
		put("): ");
	}
	put(call->callback);
}

/* Where the user wants an image of the memory the usual end follows, which writes one. */
static void on_crash(int number)
{
	struct rlimit core;
	const mmi_call *call = here.call;
	if (call) {
		name_call(call);
		put(" crashed: ");
		put(number == SIGSEGV || number == SIGBUS ? "it used memory that is not its own"
		    : number == SIGFPE                    ? "a forbidden computation"
		    : number == SIGABRT                   ? "it called abort, or a library did"
		                                          : "a forbidden instruction");
		put("\n");
	}
	if (call && (getrlimit(RLIMIT_CORE, &core) || core.rlim_cur == 0))
		_exit(EXIT_BY_PLUGIN);
	signal(number, SIG_DFL);
	raise(number);
}

/* Sanitizers have handlers of their own, which say more. */
static void watch_crashes(void)
{
#ifndef MMCORE_SANITIZED
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	static char room[1 << 16];
	const stack_t stack = { .ss_sp = room, .ss_size = sizeof room };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER };
	sigaltstack(&stack, NULL);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < MMI_COUNT(signals); i++)
		sigaction(signals[i], &action, NULL);
#endif
}

static void before_fork(void)
{
	pthread_mutex_lock(&watch.lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&watch.lock);
}

/* The child has this thread alone. */
static void in_child(void)
{
	watch.running = false;
	watch.inside = here.call ? &here : NULL;
	here.next = NULL;
	pthread_mutex_unlock(&watch.lock);
}

void mmi_watch_start(const mmi_console *console, double seconds)
{
	watch.console = console;
	watch.seconds = seconds;
	watch.ended = false;
	atexit(on_exit_call);
	at_quick_exit(on_exit_call);
	watch_crashes();
	pthread_atfork(before_fork, after_fork, in_child);
}

void mmi_watch_end(void)
{
	watch.ended = true;
}
