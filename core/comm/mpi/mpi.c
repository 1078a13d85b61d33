/* mpi.c - the module's entry: joins the ranks that a launcher started; and their end. */
#include "mmi_build.h"

#include "comm/mpi/world.h"
#include "comm/module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE \
	600 /* seconds, until settings say otherwise; for the last words of a run whose settings say: for ever */

/* Who waits for something else than MPI learns here that another rank gave up. */
static mm_status status_of(const mmi_comm *c, mm_error *e)
{
	const mmi_world *w = mmi_world_of(c);
	mmi_world_listen(c);
	return w->broken ? mmi_fail(e, w->code, "%s", w->why) : MM_OK;
}

static void stop(const mmi_comm *c, const char *why)
{
	mmi_world_break(c, MM_EIO, why);
}

static uint64_t sent(const mmi_comm *c)
{
	return mmi_world_of(c)->sent;
}

/* ------------------------------------------------------------ the end */

/* The first rank writes the run's last checkpoint, and must not be ended before. */
static void leave_it_time(const mmi_comm *c)
{
	const double until = mmi_world_seconds() + (c->patience > 0 ? c->patience : PATIENCE);
	const struct timespec tick = { 0, 100000000 };
	while (c->rank && !mmi_world_of(c)->first_silent && mmi_world_seconds() < until)
		nanosleep(&tick, NULL);
}

static void close_world(mmi_comm *c)
{
	mmi_world *w = mmi_world_of(c);
	char here = 0, all[MMI_MAX_RANKS];
	mmi_mpi_gather(c, &here, 1, all);
	if (w->broken) {
		leave_it_time(c);
		MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
	} else {
		MPI_Cancel(&w->ear);
		MPI_Request_free(&w->ear);
		MPI_Finalize();
	}
	mmi_free(w->room[0]);
	mmi_free(w->room[1]);
	mmi_free(w);
	*c = (mmi_comm){ .own = NULL };
}

/* ------------------------------------------------------------ the beginning */

static mm_status check_layout(const mmi_comm_layout *theirs, mm_error *e)
{
	const mmi_comm_layout ours = MMI_COMM_LAYOUT;
	if (strcmp(theirs->version, ours.version))
		return mmi_fail(e, MM_EABI, "comm-mpi.so is of mmcore %s, this is %s; install both from one build",
		                ours.version, theirs->version);
	if (theirs->comm != ours.comm || theirs->ops != ours.ops || theirs->device != ours.device ||
	    theirs->device_ops != ours.device_ops)
		return mmi_fail(e, MM_EABI, "comm-mpi.so is of another build of mmcore %s; install both from one build",
		                ours.version);
	return MM_OK;
}

/* Open MPI would complain that crashes are watched already. */
static mm_status start_mpi(uint32_t wanted, mmi_comm *c, mm_error *e)
{
	int provided, rank, size;
	char version[MPI_MAX_LIBRARY_VERSION_STRING];
	setenv("OMPI_MCA_opal_signal", "", 0);
	if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
		return mmi_fail(e, MM_EIO, "MPI cannot be started");
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	c->rank = (uint32_t)rank;
	c->size = (uint32_t)size;
	if (c->size == wanted)
		return MM_OK;
	MPI_Get_library_version(version, &size);
	version[strcspn(version, ",\n")] = 0;
	return mmi_fail(
		e, MM_EUNSUPPORTED,
		"the launcher started %u ranks, but comm-mpi.so, built with %.60s, sees %u; start them with the mpirun "
		"of that library",
		wanted, version, c->size);
}

static mm_status join(const mmi_comm_request *r, mmi_comm *c, mm_error *e)
{
	mmi_world *w = mmi_world_of(c);
	MMI_TRY(start_mpi(r->size, c, e));
	if (c->size > MMI_MAX_RANKS)
		return mmi_fail(e, MM_ECONFIG, "%u ranks were started; expected 2, 4 or 8, at most %d", c->size, MMI_MAX_RANKS);
	if (MPI_Comm_dup(MPI_COMM_WORLD, &w->data) != MPI_SUCCESS ||
	    MPI_Comm_dup(MPI_COMM_WORLD, &w->control) != MPI_SUCCESS)
		return mmi_fail(e, MM_EIO, "MPI cannot make a communicator");
	MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	MPI_Comm_set_errhandler(w->data, MPI_ERRORS_RETURN);
	MPI_Comm_set_errhandler(w->control, MPI_ERRORS_RETURN);
	if (MPI_Irecv(w->heard, MMI_WORDS, MPI_CHAR, MPI_ANY_SOURCE, MPI_ANY_TAG, w->control, &w->ear) != MPI_SUCCESS)
		return mmi_fail(e, MM_EIO, "MPI cannot receive");
	w->interrupted = r->interrupted;
	w->log = r->log;
	return MM_OK;
}

__attribute__((visibility("default"))) mm_status mmi_comm_open_1(const mmi_comm_request *r, mmi_comm *out, mm_error *e)
{
	static const mmi_comm_ops ops = { .name = "MPI",
		                              .gather = mmi_mpi_gather,
		                              .broadcast = mmi_mpi_broadcast,
		                              .swap = mmi_mpi_swap,
		                              .status = status_of,
		                              .stop = stop,
		                              .sent = sent,
		                              .close = close_world };
	mmi_comm c = { .ops = &ops, .patience = PATIENCE };
	MMI_TRY(check_layout(&r->layout, e));
	c.own = mmi_alloc(1, sizeof(mmi_world));
	if (!c.own)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status = join(r, &c, e);
	int started = 0;
	if (status == MM_OK) {
		*out = c;
		return MM_OK;
	}
	MPI_Initialized(&started);
	if (started)
		MPI_Finalize();
	mmi_free(c.own);
	return status;
}
