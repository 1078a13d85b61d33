/* wait.c - waiting for other ranks, up to a time; and how a rank gives up. */
#include "mmi_build.h"

#include "comm/mpi/world.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define AWAKE 0.001 /* seconds for which a wait asks again at once; after that it sleeps in between */
#define NAP 50e-6   /* seconds at first */
#define LONGEST_NAP 1e-3
#define FAREWELL 1.0 /* seconds for words to get on their way */
#define HURRY 0.4    /* seconds after which a wait tells of itself when the program is to end */

double mmi_world_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void nap(double seconds)
{
	const struct timespec t = { 0, (long)(1e9 * seconds) };
	nanosleep(&t, NULL);
}

/* ------------------------------------------------------------ giving up */

/* Whoever is there gets them; nobody waits for whoever is not. */
static void tell_others(const mmi_comm *c)
{
	mmi_world *w = mmi_world_of(c);
	MPI_Request request[MMI_MAX_RANKS];
	MPI_Status status[MMI_MAX_RANKS];
	const double until = mmi_world_seconds() + FAREWELL;
	int n = 0, done = 0;
	for (uint32_t r = 0; r < c->size; r++)
		if (r != c->rank && MPI_Isend(w->said, MMI_WORDS, MPI_CHAR, (int)r, 0, w->control, &request[n]) == MPI_SUCCESS)
			n++;
	while (!done && mmi_world_seconds() < until && MPI_Testall(n, request, &done, status) == MPI_SUCCESS && !done)
		nap(LONGEST_NAP);
}

void mmi_world_break(const mmi_comm *c, mm_status code, const char *why)
{
	mmi_world *w = mmi_world_of(c);
	if (w->broken)
		return;
	w->broken = true;
	w->code = code;
	snprintf(w->why, sizeof w->why, "%s", why);
	snprintf(w->said, sizeof w->said, "rank %u gave up: %.400s", c->rank, why);
	if (code != MM_ECANCELLED)
		tell_others(c);
}

bool mmi_mpi_ok(const mmi_comm *c, int result)
{
	char text[MPI_MAX_ERROR_STRING] = "", why[MMI_WORDS];
	int length = 0;
	if (result == MPI_SUCCESS)
		return true;
	MPI_Error_string(result, text, &length);
	snprintf(why, sizeof why, "MPI says \"%.300s\"", text);
	mmi_world_break(c, MM_EIO, why);
	return false;
}

mm_status mmi_world_listen(const mmi_comm *c)
{
	mmi_world *w = mmi_world_of(c);
	int heard = 0;
	if (!w->broken && mmi_mpi_ok(c, MPI_Test(&w->ear, &heard, MPI_STATUS_IGNORE)) && heard) {
		w->heard[MMI_WORDS - 1] = 0;
		mmi_world_break(c, MM_ECANCELLED, w->heard);
	}
	return w->broken ? w->code : MM_OK;
}

/* ------------------------------------------------------------ waiting */

/* The first one that something is still waited for of. */
static int silent_rank(const mmi_post *p)
{
	for (int i = 0; i < p->n; i++) {
		int done = 0;
		if (MPI_Request_get_status(p->request[i], &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done)
			return p->whose[i];
	}
	return p->whose[0];
}

static void look_at_clock(const mmi_comm *c, const mmi_post *p, double waited)
{
	char why[160];
	if (!(c->patience > 0) || waited < c->patience)
		return;
	const int rank = silent_rank(p);
	mmi_world_of(c)->first_silent = rank == 0;
	snprintf(why, sizeof why, "rank %d has not answered for %.4g seconds ([run] rank_timeout)", rank, c->patience);
	mmi_world_break(c, MM_EIO, why);
}

/* A launcher that ends all because one rank died leaves no time for more than a line. */
static void look_at_end(const mmi_comm *c, const mmi_post *p, double *since, double now)
{
	mmi_world *w = mmi_world_of(c);
	if (w->told || !w->interrupted || !w->interrupted())
		return;
	if (!(*since > 0))
		*since = now;
	if (now - *since < HURRY)
		return;
	w->told = true;
	mmi_logf(
		w->log, MM_LOG_WARNING,
		"told to end while waiting for rank %d; if this process is ended before it could write a checkpoint, --resume "
		"goes on from the newest one",
		silent_rank(p));
}

/* Between two questions. */
static void rest(double waited)
{
	if (waited < AWAKE)
		sched_yield();
	else
		nap(waited / 20 < NAP ? NAP : waited / 20 > LONGEST_NAP ? LONGEST_NAP : waited / 20);
}

bool mmi_post_wait(const mmi_comm *c, mmi_post *p)
{
	const mmi_world *w = mmi_world_of(c);
	const double begin = mmi_world_seconds();
	MPI_Status status[2 * MMI_MAX_RANKS]; /* those that MPI lets ignore make compilers of MPICH's headers warn */
	double ending = 0;
	int done = 0;
	while (!w->broken && mmi_mpi_ok(c, MPI_Testall(p->n, p->request, &done, status)) && !done) {
		const double now = mmi_world_seconds();
		if (now - begin >= AWAKE && mmi_world_listen(c) == MM_OK) {
			look_at_end(c, p, &ending, now);
			look_at_clock(c, p, now - begin);
		}
		rest(now - begin);
	}
	return !w->broken;
}
