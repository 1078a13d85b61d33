/* emu_rules.c - what a GPU would punish only sometimes, told at once; the orders in which work is done; counts. */
#define _GNU_SOURCE
#include "emu_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
	char text[512];
	bool broken, expected;
} violation;
static unsigned order_seed;
static unsigned long random_state = 88172645463325252ul;
static emu_counts counts;
static unsigned depth;
static double entered;
static bool hollow;

void emu_violate(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(violation.text, sizeof violation.text, format, ap);
	va_end(ap);
	violation.broken = true;
	if (!violation.expected) {
		fprintf(stderr, "emulated device: %s\n", violation.text);
		abort();
	}
}

bool emu_violated(void)
{
	return violation.broken;
}

const char *emu_violation(void)
{
	const bool broken = violation.broken;
	violation.broken = false;
	return broken ? violation.text : NULL;
}

void emu_expect_violations(bool expected)
{
	violation.expected = expected;
}

/* ------------------------------------------------------------ order */

void emu_set_order(unsigned seed)
{
	order_seed = seed;
	random_state = 88172645463325252ul + seed * 2654435761ul;
}

static unsigned any(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 33) % n);
}

unsigned emu_choose(unsigned n)
{
	return order_seed > 1 ? any(n) : order_seed == 1 ? n - 1 : 0;
}

void emu_permute(unsigned *order, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		order[i] = order_seed == 1 ? n - 1 - i : i;
	for (unsigned i = n; order_seed > 1 && i > 1; i--) {
		const unsigned j = any(i), kept = order[i - 1];
		order[i - 1] = order[j];
		order[j] = kept;
	}
}

/* ------------------------------------------------------------ counts */

emu_counts *emu_counter(void)
{
	return &counts;
}

emu_counts emu_counted(void)
{
	return counts;
}

void emu_set_hollow(bool on)
{
	hollow = on;
}

bool emu_is_hollow(void)
{
	return hollow;
}

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void emu_enter(void)
{
	if (!depth++)
		entered = seconds_now();
}

void emu_leave(void)
{
	if (!--depth)
		counts.seconds += seconds_now() - entered;
}

float emu_from_bf16(uint16_t bits)
{
	const uint32_t word = (uint32_t)bits << 16;
	float x;
	memcpy(&x, &word, sizeof x);
	return x;
}

uint16_t emu_to_bf16(float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	const uint32_t rest = bits & 0xFFFFu, odd = bits >> 16 & 1u;
	if (x != x)
		return 0x7FFF;
	return (uint16_t)((bits >> 16) + (rest > 0x8000u || (rest == 0x8000u && odd)));
}
