/* exchange.c - see exchange.h.
 *
 * NCCL's calls queue on the device's stream, in the order of all other work, so no swap has the host wait. The host
 * learns of what became of swaps where it waits for the device anyway, and there it keeps an eye on them: an error of
 * NCCL, a rank that gave up, or one that has not come for [run] rank_timeout seconds ends what is queued. For that NCCL
 * is asked for calls that do not block. */
#include "mmi_build.h"

#include "backend/cuda/exchange.h"
#include "backend/cuda/nccl.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define AWAKE 0.001 /* seconds for which a wait asks again at once; after that it sleeps in between */
#define NAP 50e-6
#define LAST_WORDS 1.0 /* seconds for another rank to say why it gave up */
#define BEGIN 60.0     /* for all ranks to find each other: the library is there, and so are they */
#define FAREWELL 60.0  /* for the end of a run that went well, where nothing else limits it */

/* On the stream, before and behind a swap: `reached` and not `done` is to wait for the other rank. */
typedef struct mark {
	cudaEvent_t reached, done;
	uint32_t with;
} mark;

struct mmi_exchange {
	mmi_comm hosts;
	mmi_cuda *cuda;
	mmi_nccl nccl;
	ncclComm_t comm; /* NULL: there is none, or it was given up */
	bool begun;      /* it is that of all ranks */
	mark *marks;     /* of the swaps since the host waited; there are n of them, and events for `made` */
	size_t n, made, capacity;
	uint64_t sent; /* bytes */
};

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Between two questions. */
static void rest(double begin)
{
	const struct timespec t = { 0, (long)(1e9 * NAP) };
	if (seconds_now() - begin < AWAKE)
		sched_yield();
	else
		nanosleep(&t, NULL);
}

/* ------------------------------------------------------------ giving up */

static bool hosts_are_well(const mmi_exchange *x)
{
	return x->hosts.ops->status(&x->hosts, NULL) == MM_OK;
}

/* The first reason stays; the other ranks are told. What is queued on the stream ends. */
static void give_up(mmi_exchange *x, const char *why)
{
	x->hosts.ops->stop(&x->hosts, why);
	x->nccl.ncclCommAbort(x->comm);
	x->comm = NULL;
}

static const char *describe(const mmi_exchange *x, ncclResult_t r, char *out, size_t bytes)
{
	const char *more = x->nccl.ncclGetLastError(x->comm);
	snprintf(out, bytes, "%s", x->nccl.ncclGetErrorString(r));
	if (more && *more)
		snprintf(out + strlen(out), bytes - strlen(out), " (%.*s)", (int)strcspn(more, "\n"), more);
	return out;
}

static void fail(mmi_exchange *x, ncclResult_t r)
{
	char why[256], text[320];
	const double begin = seconds_now();
	snprintf(text, sizeof text, "NCCL says \"%s\"", describe(x, r, why, sizeof why));
	while (r == ncclRemoteError && hosts_are_well(x) && seconds_now() - begin < LAST_WORDS)
		rest(begin);
	give_up(x, text);
}

static bool is_silent(mmi_exchange *x, uint32_t with, double waited)
{
	char why[160];
	if (!(x->hosts.patience > 0) || waited < x->hosts.patience)
		return false;
	snprintf(why, sizeof why, "rank %u has not answered for %.4g seconds ([run] rank_timeout)", with,
	         x->hosts.patience);
	give_up(x, why);
	return true;
}

/* False when it was given up. */
static bool look(mmi_exchange *x)
{
	ncclResult_t r = ncclSuccess;
	const ncclResult_t asked = x->nccl.ncclCommGetAsyncError(x->comm, &r);
	if (asked != ncclSuccess || (r != ncclSuccess && r != ncclInProgress))
		fail(x, asked != ncclSuccess ? asked : r);
	else if (!hosts_are_well(x))
		give_up(x, "another rank gave up");
	return x->comm;
}

/* What becomes of a call that began with r; still ncclInProgress after `limit` seconds (0: for ever), or when another
 * rank gave up. */
static ncclResult_t await(const mmi_exchange *x, ncclResult_t r, double limit)
{
	const double begin = seconds_now();
	while (r == ncclInProgress && hosts_are_well(x) && !(limit > 0 && seconds_now() - begin > limit)) {
		rest(begin);
		if (x->nccl.ncclCommGetAsyncError(x->comm, &r) != ncclSuccess)
			r = ncclInternalError;
	}
	return r;
}

/* Until a swap is queued: the library connects with a rank when something is first sent there. False when it was given
 * up. */
static bool settle(mmi_exchange *x, ncclResult_t begun, uint32_t with)
{
	const ncclResult_t r = await(x, begun, x->hosts.patience);
	if (r != ncclSuccess && r != ncclInProgress)
		fail(x, r);
	else if (r == ncclInProgress && !is_silent(x, with, x->hosts.patience))
		give_up(x, "another rank gave up");
	return x->comm;
}

/* ------------------------------------------------------------ swaps */

static bool make_mark(mark *m)
{
	if (cudaEventCreateWithFlags(&m->reached, cudaEventDisableTiming) != cudaSuccess)
		return false;
	if (cudaEventCreateWithFlags(&m->done, cudaEventDisableTiming) == cudaSuccess)
		return true;
	cudaEventDestroy(m->reached);
	return false;
}

/* Marks stay, so that a training step allocates nothing once it has run; NULL: no memory. */
static mark *next_mark(mmi_exchange *x)
{
	if (x->n == x->capacity) {
		const size_t capacity = x->capacity ? 2 * x->capacity : 64;
		mark *grown = mmi_grow(x->marks, x->n, capacity, sizeof *grown);
		if (!grown)
			return NULL;
		x->marks = grown;
		x->capacity = capacity;
	}
	if (x->n == x->made && make_mark(&x->marks[x->n]))
		x->made++;
	return x->n < x->made ? &x->marks[x->n++] : NULL;
}

static ncclResult_t put(const mmi_exchange *x, uint32_t with, mmi_floats out, size_t n_out, mmi_floats in, size_t n_in)
{
	const mmi_nccl *n = &x->nccl;
	ncclResult_t r = n->ncclGroupStart();
	if (r != ncclSuccess)
		return r;
	if (n_out)
		r = n->ncclSend(out.at, n_out, ncclFloat32, (int)with, x->comm, x->cuda->stream);
	if (n_in && (r == ncclSuccess || r == ncclInProgress))
		r = n->ncclRecv(in.at, n_in, ncclFloat32, (int)with, x->comm, x->cuda->stream);
	const ncclResult_t end = n->ncclGroupEnd();
	return r == ncclSuccess || r == ncclInProgress ? end : r;
}

static mmi_exchange *exchange_of(const mmi_comm *c)
{
	return c->own;
}

static void swap(const mmi_comm *c, const mmi_device *d, uint32_t with, mmi_floats out, size_t n_out, mmi_floats in,
                 size_t n_in)
{
	mmi_exchange *x = exchange_of(c);
	(void)d;
	if (!x->comm || !(n_out || n_in) || !look(x))
		return;
	mark *m = next_mark(x);
	if (!m) {
		give_up(x, "out of memory for the swaps of an iteration");
		return;
	}
	m->with = with;
	mmi_cuda_check(x->cuda, cudaEventRecord(m->reached, x->cuda->stream), "marking a swap");
	if (!settle(x, put(x, with, out, n_out, in, n_in), with))
		return;
	mmi_cuda_check(x->cuda, cudaEventRecord(m->done, x->cuda->stream), "marking a swap");
	x->sent += n_out * sizeof *out.at;
}

/* ------------------------------------------------------------ waiting */

/* For how long the first swap that is not done has waited for its rank: since *since, at which it was the one
 * numbered *at. */
static double waited(const mmi_exchange *x, size_t *at, double *since)
{
	const double now = seconds_now();
	const size_t before = *at;
	while (*at < x->n && cudaEventQuery(x->marks[*at].done) == cudaSuccess)
		++*at;
	if (*at > before || *at == x->n || cudaEventQuery(x->marks[*at].reached) != cudaSuccess)
		*since = now;
	return now - *since;
}

void mmi_exchange_wait(mmi_exchange *x)
{
	const double begin = seconds_now();
	double since = begin;
	size_t at = 0;
	while (x->n && x->comm && cudaStreamQuery(x->cuda->stream) == cudaErrorNotReady && look(x)) {
		const double w = waited(x, &at, &since);
		if (at < x->n && is_silent(x, x->marks[at].with, w))
			break;
		rest(begin);
	}
	x->n = 0;
}

/* ------------------------------------------------------------ the other calls */

static void gather(const mmi_comm *c, const void *part, size_t bytes, void *all)
{
	const mmi_comm *hosts = &exchange_of(c)->hosts;
	hosts->ops->gather(hosts, part, bytes, all);
}

static void broadcast(const mmi_comm *c, void *x, size_t bytes, uint32_t from)
{
	const mmi_comm *hosts = &exchange_of(c)->hosts;
	hosts->ops->broadcast(hosts, x, bytes, from);
}

static mm_status status_of(const mmi_comm *c, mm_error *e)
{
	const mmi_comm *hosts = &exchange_of(c)->hosts;
	return hosts->ops->status(hosts, e);
}

static void stop(const mmi_comm *c, const char *why)
{
	const mmi_comm *hosts = &exchange_of(c)->hosts;
	hosts->ops->stop(hosts, why);
}

static uint64_t sent(const mmi_comm *c)
{
	const mmi_exchange *x = exchange_of(c);
	return x->hosts.ops->sent(&x->hosts) + x->sent;
}

static void close_comm(mmi_comm *c)
{
	(void)c; /* the device's end is its own, and hosts are their owner's */
}

static const mmi_comm_ops ops = { .name = "NCCL",
	                              .gather = gather,
	                              .broadcast = broadcast,
	                              .swap = swap,
	                              .status = status_of,
	                              .stop = stop,
	                              .sent = sent,
	                              .close = close_comm };

/* ------------------------------------------------------------ the beginning */

/* What ranks tell each other first. */
typedef struct hello {
	char card[16];
	char why[200]; /* this one cannot; "": it can */
} hello;

static void say_hello(mmi_exchange *x, hello *h)
{
	mm_error e = MM_ERROR_INIT;
	*h = (hello){ .why = "" };
	memcpy(h->card, x->cuda->card, sizeof h->card);
	if (mmi_nccl_open(&x->nccl, &e) != MM_OK)
		snprintf(h->why, sizeof h->why, "%s", e.message);
}

/* NCCL refuses several ranks on a card, one of them after the others have begun to wait for it. */
static mm_status check_hellos(const hello *all, uint32_t n, mm_error *e)
{
	for (uint32_t r = 0; r < n; r++)
		if (all[r].why[0])
			return mmi_fail(e, MM_EUNSUPPORTED, "rank %u: %.199s", r, all[r].why);
	for (uint32_t r = 0; r < n; r++)
		for (uint32_t s = 0; s < r; s++)
			if (!memcmp(all[r].card, all[s].card, sizeof all[r].card))
				return mmi_fail(e, MM_EUNSUPPORTED,
				                "ranks %u and %u are on one card, which NCCL does not serve; start one for each", s, r);
	return MM_OK;
}

static void drop(mmi_exchange *x)
{
	if (x->comm)
		x->nccl.ncclCommAbort(x->comm);
	x->comm = NULL;
}

/* Unless r is what a call that goes well says; then other ranks see in their calls that this one is gone. */
static mm_status must_begin(mmi_exchange *x, ncclResult_t r, ncclResult_t well, mm_error *e)
{
	char why[256];
	if (r == ncclSuccess || r == well)
		return MM_OK;
	mmi_fail(e, MM_EUNSUPPORTED, "NCCL does not begin: %s",
	         r == ncclInProgress ? "not all ranks came" : describe(x, r, why, sizeof why));
	drop(x);
	return MM_EUNSUPPORTED;
}

/* The communicator of all ranks, or none. What fails on one before it waits for the others fails on all. */
static mm_status connect_ranks(mmi_exchange *x, mm_error *e)
{
	struct {
		ncclUniqueId id;
		ncclResult_t made;
	} first = { .made = ncclSuccess };
	const mmi_comm *hosts = &x->hosts;
	ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
	config.blocking = 0;
	if (hosts->rank == 0)
		first.made = x->nccl.ncclGetUniqueId(&first.id);
	hosts->ops->broadcast(hosts, &first, sizeof first, 0);
	MMI_TRY(hosts->ops->status(hosts, e));
	ncclResult_t r = first.made;
	if (r == ncclSuccess)
		r = x->nccl.ncclCommInitRankConfig(&x->comm, (int)hosts->size, first.id, (int)hosts->rank, &config);
	MMI_TRY(mmi_comm_agree(hosts, must_begin(x, r, ncclInProgress, e), e));
	r = await(x, r, hosts->patience > 0 && hosts->patience < 2 * BEGIN ? hosts->patience / 2 : BEGIN);
	return mmi_comm_agree(hosts, must_begin(x, r, ncclSuccess, e), e);
}

static mm_status meet(mmi_exchange *x, mm_error *e)
{
	hello own, all[MMI_MAX_RANKS];
	const mmi_comm *hosts = &x->hosts;
	say_hello(x, &own);
	memset(all, 0, sizeof all);
	hosts->ops->gather(hosts, &own, sizeof own, all);
	MMI_TRY(hosts->ops->status(hosts, e));
	MMI_TRY(check_hellos(all, hosts->size, e));
	return connect_ranks(x, e);
}

mm_status mmi_exchange_join(const mmi_device *d, const mmi_comm *hosts, const mmi_log *log, mmi_comm *out, mm_error *e)
{
	mmi_cuda *c = mmi_cuda_of(d);
	mm_error why = MM_ERROR_INIT;
	mmi_exchange *x = mmi_alloc(1, sizeof *x);
	*out = *hosts;
	mm_status status = x ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for the exchange of ranks");
	status = mmi_comm_agree(hosts, status, e);
	if (status != MM_OK) {
		mmi_free(x);
		return status;
	}
	*x = (mmi_exchange){ .hosts = *hosts, .cuda = c };
	if (meet(x, &why) != MM_OK) {
		mmi_exchange_destroy(x);
		MMI_TRY(hosts->ops->status(hosts, e));
		mmi_logf(log, MM_LOG_WARNING, "gradients go from card to card through the memory of hosts: %s", why.message);
		return MM_OK;
	}
	x->begun = true;
	c->exchange = x;
	*out = (mmi_comm){ .ops = &ops, .rank = hosts->rank, .size = hosts->size, .patience = hosts->patience, .own = x };
	mmi_logf(log, MM_LOG_INFO, "gradients go from card to card by NCCL %d.%d.%d", x->nccl.version / 10000,
	         x->nccl.version / 100 % 100, x->nccl.version % 100);
	return MM_OK;
}

/* ------------------------------------------------------------ the end */

/* Where all went well NCCL's threads part in peace; that must not take for ever. */
static void part(mmi_exchange *x)
{
	const double limit = x->hosts.patience > 0 ? x->hosts.patience : FAREWELL;
	const ncclResult_t r = hosts_are_well(x) ? await(x, x->nccl.ncclCommFinalize(x->comm), limit) : ncclRemoteError;
	if (r == ncclSuccess)
		x->nccl.ncclCommDestroy(x->comm);
	else
		x->nccl.ncclCommAbort(x->comm);
	x->comm = NULL;
}

void mmi_exchange_destroy(mmi_exchange *x)
{
	if (!x)
		return;
	mmi_exchange_wait(x);
	if (x->comm && x->begun)
		part(x);
	drop(x);
	for (size_t i = 0; i < x->made; i++) {
		cudaEventDestroy(x->marks[i].reached);
		cudaEventDestroy(x->marks[i].done);
	}
	mmi_free(x->marks);
	mmi_free(x);
}
