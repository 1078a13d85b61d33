/* fuzz_ranks.c - what the other ranks of a run send: sums, counts, decisions, messages, states of an ablation's runs.
 * The input is what they say: a comm hands it out where a rank would have waited for them. */
#include "mmi_build.h"

#include "ablate/ablate_job.h"
#include "fuzz.h"
#include "learn/reduce.h"

#include <string.h>

enum { RUNS = 3 };

typedef struct words {
	const uint8_t *at, *end;
} words;

/* The next bytes of the input, zeros behind its end. */
static void say(words *w, void *out, size_t n)
{
	const size_t left = (size_t)(w->end - w->at), here = n < left ? n : left;
	memset(out, 0, n);
	memcpy(out, w->at, here);
	w->at += here;
}

static uint8_t next(words *w)
{
	uint8_t byte;
	say(w, &byte, 1);
	return byte;
}

static void gather(const mmi_comm *c, const void *part, size_t bytes, void *all)
{
	for (uint32_t rank = 0; rank < c->size; rank++) {
		uint8_t *place = (uint8_t *)all + rank * bytes;
		if (rank != c->rank)
			say(c->own, place, bytes);
		else if (place != part)
			memcpy(place, part, bytes);
	}
}

static void broadcast(const mmi_comm *c, void *x, size_t bytes, uint32_t from)
{
	if (from >= c->size)
		fuzz_fail("something is asked of rank %u of %u", from, c->size);
	if (from != c->rank)
		say(c->own, x, bytes);
}

static mm_status connected(const mmi_comm *c, mm_error *e)
{
	(void)c, (void)e;
	return MM_OK;
}

/* An internal error of another rank is none of this one. */
static bool answered(mm_status status, const mm_error *e)
{
	if (status != MM_OK && (status > MM_EINTERNAL || !e->message[0]))
		fuzz_fail("status %d, and the message '%s'", (int)status, e->message);
	return status == MM_OK;
}

static void agree(const mmi_comm *c)
{
	mm_error own = MM_ERROR_INIT, e = MM_ERROR_INIT;
	const bool fails = next(c->own) & 1;
	const mm_status here = fails ? mmi_fail(&own, MM_EIO, "here") : MM_OK;
	if (fails)
		e = own;
	if (answered(mmi_comm_agree(c, here, &e), &e) && fails)
		fuzz_fail("a failure here was agreed to be none");
}

static void sums(const mmi_comm *c)
{
	double x[MMI_COMM_SUMS] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	mmi_comm_sum_doubles(c, x, 1 + next(c->own) % MMI_COMM_SUMS);
}

static void counts(const mmi_comm *c)
{
	const mmi_reduce r = { .share.comm = c };
	mmi_reduce_count(&r, next(c->own));
	mmi_reduce_any(&r, next(c->own) & 1);
	mmi_reduce_clock(&r, next(c->own));
}

static void runs(const mmi_comm *c)
{
	mmi_point item[RUNS] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	mmi_ablation_run run[RUNS] = { 0 };
	const mmi_ablation_request q = { .part = c->rank, .parts = c->size, .out = "nowhere" };
	mmi_ablation a = { .request = &q, .points = { .item = item, .n = RUNS }, .runs = run };
	mm_error e = MM_ERROR_INIT;
	size_t known = 0;
	answered(mmi_ablation_gather(&a, c, &e), &e);
	for (int state = MMI_RUN_NEW; state <= MMI_RUN_FAILED; state++)
		known += mmi_ablation_count(&a, (mmi_run_state)state);
	if (known != RUNS)
		fuzz_fail("%zu of %d runs have a state that there is", known, RUNS);
	for (size_t i = 0; i < RUNS; i++)
		mmi_figures_clear(&run[i].figures);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const call[])(const mmi_comm *c) = { agree, sums, counts, runs };
	static const mmi_comm_ops ops = { .name = "fuzz", .gather = gather, .broadcast = broadcast, .status = connected };
	words w = { data, data + n };
	mmi_comm c = { .ops = &ops, .own = &w };
	c.size = 2 + next(&w) % (MMI_MAX_RANKS - 1);
	c.rank = next(&w) % c.size;
	for (int i = 0; i < 16 && w.at < w.end; i++)
		call[next(&w) % MMI_COUNT(call)](&c);
	return 0;
}
