/* pool.c - worker threads: a generation counter wakes them, an atomic counter hands out tasks. */
#include "mmi_build.h"

#include "engine/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

typedef struct mmi_worker {
	mmi_pool *pool;
	uint32_t index;
	pthread_t thread;
} mmi_worker;

struct mmi_pool {
	mmi_worker *workers;
	uint32_t threads, started;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	uint64_t generation; /* counts calls of mmi_pool_run */
	uint32_t busy;       /* workers that have not finished this generation */
	bool stop;
	void (*task)(void *ctx, uint32_t i, uint32_t worker);
	void *ctx;
	uint32_t n;
	_Atomic uint32_t next;
};

static void work(mmi_pool *p, uint32_t worker)
{
	for (;;) {
		uint32_t i = atomic_fetch_add(&p->next, 1);
		if (i >= p->n)
			return;
		p->task(p->ctx, i, worker);
	}
}

static void *worker_main(void *arg)
{
	mmi_worker *w = arg;
	mmi_pool *p = w->pool;
	uint64_t seen = 0;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->stop && p->generation == seen)
			pthread_cond_wait(&p->wake, &p->lock);
		if (p->stop)
			break;
		seen = p->generation;
		pthread_mutex_unlock(&p->lock);
		work(p, w->index);
		pthread_mutex_lock(&p->lock);
		if (--p->busy == 0)
			pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are for the threads of the program; but those of a fault are for who made it. */
static int start_worker(mmi_worker *w)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	sigset_t others, before;
	sigfillset(&others);
	for (size_t i = 0; i < MMI_COUNT(faults); i++)
		sigdelset(&others, faults[i]);
	pthread_sigmask(SIG_SETMASK, &others, &before);
	int failed = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

mm_status mmi_pool_create(uint32_t threads, mmi_pool **out, mm_error *e)
{
	if (threads < 1)
		return mmi_fail(e, MM_EARG, "a pool of 0 threads; at least one is needed");
	mmi_pool *p = mmi_alloc(1, sizeof *p);
	if (p)
		p->workers = mmi_alloc(threads, sizeof *p->workers);
	if (!p || !p->workers) {
		mmi_free(p);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a pool of %u threads", threads);
	}
	p->threads = threads;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	pthread_cond_init(&p->done, NULL);
	for (uint32_t i = 1; i < threads; i++) {
		p->workers[i] = (mmi_worker){ .pool = p, .index = i };
		if (start_worker(&p->workers[i])) {
			mmi_pool_destroy(p);
			return mmi_fail(e, MM_ENOMEM, "cannot start thread %u of %u", i + 1, threads);
		}
		p->started = i;
	}
	*out = p;
	return MM_OK;
}

void mmi_pool_destroy(mmi_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (uint32_t i = 1; i <= p->started; i++)
		pthread_join(p->workers[i].thread, NULL);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	mmi_free(p->workers);
	mmi_free(p);
}

uint32_t mmi_pool_threads(const mmi_pool *p)
{
	return p->threads;
}

void mmi_pool_run(mmi_pool *p, uint32_t n, void (*task)(void *ctx, uint32_t i, uint32_t worker), void *ctx)
{
	p->task = task;
	p->ctx = ctx;
	p->n = n;
	atomic_store(&p->next, 0);
	if (p->threads > 1 && n > 1) {
		pthread_mutex_lock(&p->lock);
		p->busy = p->threads - 1;
		p->generation++;
		pthread_cond_broadcast(&p->wake);
		pthread_mutex_unlock(&p->lock);
	}
	work(p, 0);
	if (p->threads > 1 && n > 1) {
		pthread_mutex_lock(&p->lock);
		while (p->busy)
			pthread_cond_wait(&p->done, &p->lock);
		pthread_mutex_unlock(&p->lock);
	}
}
