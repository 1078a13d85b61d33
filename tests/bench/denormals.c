/* denormals.c - where a program computes with denormal numbers, which some processors do a hundred times slower: a
 * library to preload, for x86-64 Linux.
 *
 *   gcc -O1 -shared -fPIC -o denormals.so tests/bench/denormals.c
 *   DENORMALS=/tmp/found LD_PRELOAD=$PWD/denormals.so mmcore --ini F --set run.threads=1 --out RUN
 *   addr2line -fie mmcore OFFSET
 *
 * Every 2 ms of processor time the main thread's exception for denormal operands is let through, until the first one
 * raises it: the file tells how many of these intervals had one, and at which instructions. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>

enum { DENORMAL = 1 << 1, MASKED = 1 << 8, PLACES = 4096, INTERVAL_US = 2000 };

static struct place {
	uintptr_t at;
	long n;
} places[PLACES];
static volatile long intervals, found;

static void count(uintptr_t at)
{
	size_t i = (at * 0x9e3779b97f4a7c15u >> 40) % PLACES;
	while (places[i].n && places[i].at != at)
		i = (i + 1) % PLACES;
	places[i].at = at;
	places[i].n++;
	found++;
}

static void on_denormal(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	(void)signal, (void)info;
	count((uintptr_t)u->uc_mcontext.gregs[REG_RIP]);
	u->uc_mcontext.fpregs->mxcsr = (u->uc_mcontext.fpregs->mxcsr | MASKED) & ~(uint32_t)DENORMAL;
}

static void on_interval(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	(void)signal, (void)info;
	intervals++;
	u->uc_mcontext.fpregs->mxcsr &= ~(uint32_t)(MASKED | DENORMAL);
}

static void tell(void)
{
	FILE *out = fopen(getenv("DENORMALS"), "a");
	if (!out)
		return;
	fprintf(out, "%ld of %ld intervals\n", found, intervals);
	for (size_t i = 0; i < PLACES; i++) {
		Dl_info in = { .dli_fname = "?" };
		if (!places[i].n)
			continue;
		dladdr((void *)places[i].at, &in); /* NOLINT */
		fprintf(out, "%ld %s 0x%zx\n", places[i].n, in.dli_fname, places[i].at - (uintptr_t)in.dli_fbase);
	}
	fclose(out);
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* The program must not take the signal away, or block it. */
int sigaction(int signal, const struct sigaction *a, struct sigaction *old)
{
	static int ours;
	int (*real)(int, const struct sigaction *, struct sigaction *) =
		(int (*)(int, const struct sigaction *, struct sigaction *))next("sigaction");
	if (signal != SIGFPE || !a || !ours++)
		return real(signal, a, old);
	if (old)
		memset(old, 0, sizeof *old);
	return 0;
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	int (*real)(int, const sigset_t *, sigset_t *) =
		(int (*)(int, const sigset_t *, sigset_t *))next("pthread_sigmask");
	sigset_t less;
	if (!set)
		return real(how, set, old);
	less = *set;
	sigdelset(&less, SIGFPE);
	return real(how, &less, old);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return pthread_sigmask(how, set, old);
}

__attribute__((constructor)) static void begin(void)
{
	const struct itimerval every = { { 0, INTERVAL_US }, { 0, INTERVAL_US } };
	struct sigaction a = { .sa_sigaction = on_denormal, .sa_flags = SA_SIGINFO | SA_RESTART };
	if (!getenv("DENORMALS"))
		return;
	sigaction(SIGFPE, &a, NULL);
	a.sa_sigaction = on_interval;
	sigaction(SIGPROF, &a, NULL);
	setitimer(ITIMER_PROF, &every, NULL);
	atexit(tell);
}
