/* emu_nccl.c - NCCL between processes with an emulated device each, as the backend uses it: a library of its own, which
 * is opened by its name. Letters go through a file that all map. It is strict: what NCCL punishes by waiting for ever,
 * or by wrong numbers, is told at once (test_nccl.c plants each mistake).
 *
 * EMU_NCCL=RANK:WHAT:N plants a failure on that rank: `id`, `begin`, `late` (a beginning that fails while others wait
 * for it), and at the N-th swap `send`, `async`, and `stop`, which stops the process. EMU_NCCL_COUNTS names a file that
 * each rank adds a line to when it is finalized: rank, swaps, bytes sent, swaps that were queued before the last was
 * done. */
#define _GNU_SOURCE
#include "../emu/emu_offer.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <nccl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 8, ROOM = 1 << 20 /* floats of a letter */, POLLS = 3 /* until what is begun may be done */, PARTS = 16 };
#define VISIBLE __attribute__((visibility("default")))

/* From one rank to another: one at a time. */
typedef struct letter {
	_Atomic uint32_t there;
	size_t count;
	float x[ROOM];
} letter;

typedef struct world {
	_Atomic uint32_t arrived, left, gone; /* gone: given up before all were there */
	int device[MOST];
	letter letters[MOST][MOST]; /* from, to */
} world;

typedef enum { BEGINNING, READY, CONNECTING, FINALIZING, FINALIZED, FAILED, GONE } phase;

typedef struct part {
	bool sends, done;
	float *x;
	size_t count;
	int peer;
} part;

typedef struct group {
	part parts[PARTS];
	int n;
	bool all;
	struct ncclComm *comm;
	cudaStream_t stream;
} group;

struct ncclComm {
	world *world;
	char path[NCCL_UNIQUE_ID_BYTES];
	int n, rank, polls;
	phase phase;
	bool aborted, connected[MOST];
	ncclResult_t failed;
	cudaStream_t stream;
	group *waits, *last; /* for a connection; queued last */
	unsigned long swaps, ahead;
	uint64_t bytes;
};

static int depth;
static group *open_group;

/* ------------------------------------------------------------ helpers */

/* Of the emulated device, whose module nobody links: that of a test program, or the backend's. */
static const emu_offer *device(void)
{
	static const emu_offer *found;
	void *module = found ? NULL : dlopen("backend-cuda.so", RTLD_NOW | RTLD_NOLOAD);
	if (!found)
		found = dlsym(module ? module : RTLD_DEFAULT, "emu_offered");
	if (!found) {
		fprintf(stderr, "emulated NCCL: there is no emulated device\n");
		abort();
	}
	return found;
}

static ncclResult_t refused(int told)
{
	(void)told;
	return ncclInvalidUsage;
}
#define TELL(...) refused((device()->violate("NCCL: " __VA_ARGS__), 1))

/* Whether this is to fail: at the n-th call of `what`. */
static bool planted(const char *what, int rank, unsigned long n)
{
	const char *plan = getenv("EMU_NCCL");
	char name[16] = "";
	int of = -1;
	unsigned long at = 0;
	return plan && sscanf(plan, "%d:%15[a-z]:%lu", &of, name, &at) >= 2 && of == rank && !strcmp(name, what) && n >= at;
}

static void *created(size_t bytes)
{
	void *p = calloc(1, bytes);
	if (!p)
		abort();
	return p;
}

/* Whether a call may be made; else it has been told. Nothing is ever freed, so that late calls are seen. */
static bool usable(const struct ncclComm *c, const char *call)
{
	if (!c)
		TELL("%s without a communicator", call);
	else if (c->phase == GONE)
		TELL("%s with a communicator that was destroyed", call);
	else if (c->phase == FINALIZING || c->phase == FINALIZED)
		TELL("%s with a communicator that was finalized", call);
	else if (c->phase == BEGINNING || c->phase == CONNECTING)
		TELL("%s before ncclCommGetAsyncError said that the last call is done", call);
	else
		return true;
	return false;
}

VISIBLE ncclResult_t ncclGetVersion(int *version)
{
	*version = 22809;
	return ncclSuccess;
}

VISIBLE const char *ncclGetErrorString(ncclResult_t r)
{
	switch ((int)r) {
	case ncclSuccess:
		return "no error";
	case ncclSystemError:
		return "unhandled system error";
	case ncclInvalidUsage:
		return "invalid usage";
	case ncclRemoteError:
		return "remote process exited or there was a network error";
	case ncclInProgress:
		return "NCCL operation in progress";
	default:
		return "an error of the emulated NCCL";
	}
}

VISIBLE const char *ncclGetLastError(ncclComm_t c)
{
	(void)c;
	return getenv("EMU_NCCL") ? "as planted\n" : "";
}

/* ------------------------------------------------------------ the beginning */

VISIBLE ncclResult_t ncclGetUniqueId(ncclUniqueId *id)
{
	const char *folder = getenv("TMPDIR");
	memset(id, 0, sizeof *id);
	if (planted("id", 0, 1))
		return ncclSystemError;
	snprintf(id->internal, sizeof id->internal, "%s/emu-nccl-XXXXXX", folder ? folder : "/tmp");
	const int file = mkstemp(id->internal);
	if (file < 0 || ftruncate(file, sizeof(world)))
		return ncclSystemError;
	close(file);
	return ncclSuccess;
}

VISIBLE ncclResult_t ncclCommInitRankConfig(ncclComm_t *out, int n, ncclUniqueId id, int rank, ncclConfig_t *config)
{
	if (!config || config->magic != NCCL_CONFIG_MAGIC || config->blocking != 0)
		return TELL("a communicator whose calls block cannot be given up in time");
	if (n > MOST || rank < 0 || rank >= n)
		return ncclInvalidArgument;
	if (planted("begin", rank, 1))
		return ncclSystemError;
	const int file = open(id.internal, O_RDWR);
	world *w = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (w == MAP_FAILED)
		return ncclSystemError;
	close(file);
	struct ncclComm *c = created(sizeof *c);
	*c = (struct ncclComm){ .world = w, .n = n, .rank = rank };
	memcpy(c->path, id.internal, sizeof c->path);
	w->device[rank] = device()->device();
	w->arrived += !planted("late", rank, 1);
	*out = c;
	return ncclInProgress;
}

/* As NCCL itself finds: all of them are on this host. */
static bool on_one_card(const struct ncclComm *c)
{
	for (int r = 0; r < c->n; r++)
		if (r != c->rank && c->world->device[r] == c->world->device[c->rank])
			return true;
	return false;
}

static void go_on_beginning(struct ncclComm *c)
{
	if (planted("late", c->rank, 1) || c->world->gone) {
		c->phase = FAILED;
		c->failed = c->world->gone ? ncclRemoteError : ncclSystemError;
	}
	if (c->world->arrived < (uint32_t)c->n || ++c->polls < POLLS)
		return;
	c->phase = READY;
	if (c->rank == 0)
		unlink(c->path);
	if (on_one_card(c)) {
		TELL("two ranks on one card");
		c->phase = FAILED;
		c->failed = ncclInvalidUsage;
	}
}

/* ------------------------------------------------------------ swaps */

static void put(const struct ncclComm *c, part *p)
{
	letter *l = &c->world->letters[c->rank][p->peer];
	if (l->there)
		return;
	memcpy(l->x, p->x, p->count * sizeof *p->x);
	l->count = p->count;
	l->there = 1;
	p->done = true;
}

static void take(const struct ncclComm *c, part *p)
{
	letter *l = &c->world->letters[p->peer][c->rank];
	if (!l->there)
		return;
	if (l->count != p->count)
		TELL("rank %d sends %zu floats where rank %d receives %zu", p->peer, l->count, c->rank, p->count);
	memcpy(p->x, l->x, (l->count < p->count ? l->count : p->count) * sizeof *p->x);
	l->there = 0;
	p->done = true;
}

/* When all before it on the stream is done. */
static bool ready(const void *ctx)
{
	group *g = *(group *const *)ctx;
	g->all = true;
	for (int i = 0; i < g->n && !g->comm->aborted; i++) {
		part *p = &g->parts[i];
		if (!p->done)
			(p->sends ? put : take)(g->comm, p);
		g->all = g->all && p->done;
	}
	return g->all;
}

static void queue(struct ncclComm *c, group *g)
{
	c->ahead += c->last && !c->last->all;
	c->last = g;
	for (int i = 0; i < g->n; i++)
		c->bytes += g->parts[i].sends ? g->parts[i].count * sizeof(float) : 0;
	device()->enqueue_when(g->stream, ready, &g, sizeof g);
}

VISIBLE ncclResult_t ncclGroupStart(void)
{
	depth++;
	return ncclSuccess;
}

static bool check(const struct ncclComm *c, const void *x, size_t count, int peer, cudaStream_t s, const char *call)
{
	if (!usable(c, call))
		return false;
	if (!depth)
		TELL("%s outside of a group: both sides would wait for each other", call);
	else if (peer < 0 || peer >= c->n || peer == c->rank)
		TELL("%s: rank %d has no rank %d to swap with", call, c->rank, peer);
	else if (!s)
		TELL("%s on the default stream", call);
	else if (c->stream && c->stream != s)
		TELL("%s on another stream than before", call);
	else if (device()->is_capturing(s))
		TELL("%s while a graph is recorded", call);
	else if (!device()->is_device(x, count * sizeof(float)))
		TELL("%s: %zu floats that are not all in one piece of the device's memory", call, count);
	else if (!count || count > ROOM)
		TELL("%s: %zu floats", call, count);
	else
		return true;
	return false;
}

static ncclResult_t add(const void *x, size_t count, ncclDataType_t type, int peer, ncclComm_t c, cudaStream_t s,
                        bool sends)
{
	if (!check(c, x, count, peer, s, sends ? "ncclSend" : "ncclRecv"))
		return ncclInvalidUsage;
	if (sends && planted("send", c->rank, c->swaps + 1))
		return ncclSystemError;
	if (!open_group)
		open_group = created(sizeof *open_group);
	open_group->comm = c;
	open_group->stream = c->stream = s;
	if (type != ncclFloat32 || open_group->n == PARTS)
		return ncclInvalidArgument;
	open_group->parts[open_group->n++] =
		(part){ .sends = sends, .x = (float *)(uintptr_t)x, .count = count, .peer = peer };
	return ncclSuccess;
}

VISIBLE ncclResult_t ncclSend(const void *x, size_t count, ncclDataType_t type, int peer, ncclComm_t c, cudaStream_t s)
{
	return add(x, count, type, peer, c, s, true);
}

VISIBLE ncclResult_t ncclRecv(void *x, size_t count, ncclDataType_t type, int peer, ncclComm_t c, cudaStream_t s)
{
	return add(x, count, type, peer, c, s, false);
}

static void plant(const struct ncclComm *c)
{
	if (planted("stop", c->rank, c->swaps))
		raise(SIGSTOP);
}

/* The first time with a rank it is only begun. */
VISIBLE ncclResult_t ncclGroupEnd(void)
{
	group *g = open_group;
	bool fresh = false;
	if (!depth)
		return TELL("ncclGroupEnd without ncclGroupStart");
	if (--depth || !g)
		return ncclSuccess;
	struct ncclComm *c = g->comm;
	open_group = NULL;
	c->swaps++;
	plant(c);
	for (int i = 0; i < g->n; i++) {
		fresh = fresh || !c->connected[g->parts[i].peer];
		c->connected[g->parts[i].peer] = true;
	}
	if (fresh) {
		c->phase = CONNECTING;
		c->waits = g;
		c->polls = 0;
		return ncclInProgress;
	}
	queue(c, g);
	return ncclSuccess;
}

/* ------------------------------------------------------------ the end */

/* Nothing may be on its way. */
static void go_on_finalizing(struct ncclComm *c)
{
	if (++c->polls < POLLS)
		return;
	if (c->last && !c->last->all)
		TELL("finalized while a swap is not done");
	if (c->polls == POLLS)
		c->world->left++;
	if (c->world->left < (uint32_t)c->n)
		return;
	for (int r = 0; r < c->n; r++)
		if (c->world->letters[r][c->rank].there)
			TELL("rank %d sent what rank %d never received", r, c->rank);
	c->phase = FINALIZED;
}

VISIBLE ncclResult_t ncclCommGetAsyncError(ncclComm_t c, ncclResult_t *out)
{
	if (!c || c->phase == GONE)
		return TELL("ncclCommGetAsyncError with a communicator that is not there");
	if (c->phase == BEGINNING)
		go_on_beginning(c);
	if (c->phase == FINALIZING)
		go_on_finalizing(c);
	if (c->phase == CONNECTING && ++c->polls >= POLLS) {
		c->phase = READY;
		queue(c, c->waits);
	}
	if (c->phase == READY && planted("async", c->rank, c->swaps)) {
		c->phase = FAILED;
		c->failed = ncclRemoteError;
	}
	*out = c->phase == FAILED ? c->failed : c->phase == READY || c->phase == FINALIZED ? ncclSuccess : ncclInProgress;
	return ncclSuccess;
}

static void count(const struct ncclComm *c)
{
	const char *name = getenv("EMU_NCCL_COUNTS");
	FILE *f = name ? fopen(name, "a") : NULL;
	if (f) {
		fprintf(f, "%d %lu %llu %lu\n", c->rank, c->swaps, (unsigned long long)c->bytes, c->ahead);
		fclose(f);
	}
}

VISIBLE ncclResult_t ncclCommFinalize(ncclComm_t c)
{
	if (!usable(c, "ncclCommFinalize"))
		return ncclInvalidUsage;
	count(c);
	c->phase = FINALIZING;
	c->polls = 0;
	return ncclInProgress;
}

VISIBLE ncclResult_t ncclCommDestroy(ncclComm_t c)
{
	if (!c || c->phase == GONE)
		return TELL("ncclCommDestroy with a communicator that is not there");
	if (c->phase != FINALIZED)
		return TELL("ncclCommDestroy of a communicator that was not finalized, or not to the end");
	c->phase = GONE;
	return ncclSuccess;
}

VISIBLE ncclResult_t ncclCommAbort(ncclComm_t c)
{
	if (!c || c->phase == GONE)
		return TELL("ncclCommAbort with a communicator that is not there");
	c->aborted = true;
	c->world->gone += c->world->arrived < (uint32_t)c->n;
	if (c->last)
		c->last->all = true;
	c->phase = GONE;
	return ncclSuccess;
}
