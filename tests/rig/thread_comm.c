/* thread_comm.c - see thread_comm.h. */
#include "mmi_build.h"

#include "thread_comm.h"

#include <pthread.h>
#include <string.h>

struct thread_comm {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t size, waiting;
	uint64_t meetings; /* of all ranks, that are over */
	bool stopped;
	const void *shown[MMI_MAX_RANKS];                 /* what each rank shows the others */
	const void *letter[MMI_MAX_RANKS][MMI_MAX_RANKS]; /* from, to; NULL: none is on its way */
	size_t size_of[MMI_MAX_RANKS][MMI_MAX_RANKS];     /* its floats */
	uint64_t sent[MMI_MAX_RANKS];                     /* bytes */
	uint32_t misfits;                                 /* letters of another size than was waited for */
};

thread_comm *thread_comm_create(uint32_t size)
{
	thread_comm *t = mmi_alloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->size = size;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	return t;
}

void thread_comm_destroy(thread_comm *t)
{
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	mmi_free(t);
}

/* Waits for all; false when one has given up. */
static bool meet(thread_comm *t)
{
	pthread_mutex_lock(&t->lock);
	const uint64_t number = t->meetings;
	if (++t->waiting == t->size) {
		t->waiting = 0;
		t->meetings++;
		pthread_cond_broadcast(&t->changed);
	}
	while (t->meetings == number && !t->stopped)
		pthread_cond_wait(&t->changed, &t->lock);
	const bool all = !t->stopped;
	pthread_mutex_unlock(&t->lock);
	return all;
}

static void copy(void *to, const void *from, size_t bytes)
{
	if (bytes && to != from)
		memcpy(to, from, bytes);
}

static void gather(const mmi_comm *c, const void *part, size_t bytes, void *all)
{
	thread_comm *t = c->own;
	t->shown[c->rank] = part;
	t->sent[c->rank] += bytes * (t->size - 1);
	if (!meet(t))
		return;
	for (uint32_t r = 0; r < t->size; r++)
		copy((char *)all + r * bytes, t->shown[r], bytes);
	meet(t); /* before anybody changes what others read */
}

static void broadcast(const mmi_comm *c, void *x, size_t bytes, uint32_t from)
{
	thread_comm *t = c->own;
	t->shown[c->rank] = x;
	t->sent[c->rank] += c->rank == from ? bytes * (t->size - 1) : 0;
	if (!meet(t))
		return;
	copy(x, t->shown[from], bytes);
	meet(t);
}

/* Until a letter is on its way, or until it has been taken. */
static bool wait_for(thread_comm *t, const void **letter, bool there)
{
	while (!t->stopped && (*letter != NULL) != there)
		pthread_cond_wait(&t->changed, &t->lock);
	return !t->stopped;
}

/* Both put a letter for the other, take the other's, and wait until theirs has been taken. */
static void swap(const mmi_comm *c, const mmi_device *d, uint32_t with, mmi_floats out, size_t n_out, mmi_floats in,
                 size_t n_in)
{
	thread_comm *t = c->own;
	const void **to = &t->letter[c->rank][with], **from = &t->letter[with][c->rank];
	(void)d;
	pthread_mutex_lock(&t->lock);
	*to = out.at;
	t->size_of[c->rank][with] = n_out;
	t->sent[c->rank] += n_out * sizeof *out.at;
	pthread_cond_broadcast(&t->changed);
	if (wait_for(t, from, true)) {
		t->misfits += t->size_of[with][c->rank] != n_in;
		copy(in.at, *from, n_in * sizeof *in.at);
		*from = NULL;
	}
	pthread_cond_broadcast(&t->changed);
	wait_for(t, to, false);
	pthread_mutex_unlock(&t->lock);
}

static mm_status status(const mmi_comm *c, mm_error *e)
{
	thread_comm *t = c->own;
	pthread_mutex_lock(&t->lock);
	const bool stopped = t->stopped;
	pthread_mutex_unlock(&t->lock);
	return stopped ? mmi_fail(e, MM_ECANCELLED, "another rank gave up") : MM_OK;
}

static void stop(const mmi_comm *c, const char *why)
{
	thread_comm *t = c->own;
	(void)why;
	pthread_mutex_lock(&t->lock);
	t->stopped = true;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static uint64_t sent(const mmi_comm *c)
{
	const thread_comm *t = c->own;
	return t->sent[c->rank];
}

bool thread_comm_fits(const thread_comm *t)
{
	return !t->misfits;
}

mmi_comm thread_comm_rank(thread_comm *t, uint32_t rank)
{
	static const mmi_comm_ops ops = { .name = "threads",
		                              .gather = gather,
		                              .broadcast = broadcast,
		                              .swap = swap,
		                              .status = status,
		                              .stop = stop,
		                              .sent = sent };
	return (mmi_comm){ .ops = &ops, .rank = rank, .size = t->size, .own = t };
}
