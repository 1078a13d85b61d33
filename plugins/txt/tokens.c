/* tokens.c - captions as tokens. */
#include "mmi_build.h"

#include "tokens.h"

#include "utf8.h"

#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---------------------------------------------------------------- characters */

typedef struct range {
	uint32_t first, last;
} range;

static const range blanks[] = { { 0, 0x20 },        { 0x7F, 0xA0 },     { 0x1680, 0x1680 },
	                            { 0x2000, 0x200B }, { 0x2028, 0x2029 }, { 0x202F, 0x202F },
	                            { 0x205F, 0x2060 }, { 0x3000, 0x3000 }, { 0xFEFF, 0xFEFF } };

static const range mark_ranges[] = { { 0x21, 0x2F },     { 0x3A, 0x40 },     { 0x5B, 0x60 },     { 0x7B, 0x7E },
	                                 { 0xA1, 0xA9 },     { 0xAB, 0xB4 },     { 0xB6, 0xB9 },     { 0xBB, 0xBF },
	                                 { 0xD7, 0xD7 },     { 0xF7, 0xF7 },     { 0x2010, 0x2027 }, { 0x2030, 0x205E },
	                                 { 0x3001, 0x3003 }, { 0x3008, 0x3020 }, { 0xFF01, 0xFF0F }, { 0xFF1A, 0xFF20 } };

/* Capitals: small is `add` above; step 2 where capitals and small letters alternate. */
static const struct capital {
	uint32_t first, last, step, add;
} capitals[] = {
	{ 'A', 'Z', 1, 32 },     { 0xC0, 0xD6, 1, 32 },   { 0xD8, 0xDE, 1, 32 },   { 0x100, 0x12E, 2, 1 },
	{ 0x132, 0x136, 2, 1 },  { 0x139, 0x147, 2, 1 },  { 0x14A, 0x176, 2, 1 },  { 0x179, 0x17D, 2, 1 },
	{ 0x391, 0x3A1, 1, 32 }, { 0x3A3, 0x3AB, 1, 32 }, { 0x400, 0x40F, 1, 80 }, { 0x410, 0x42F, 1, 32 },
};

static bool within(uint32_t c, const range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static bool is_blank(uint32_t c)
{
	return c == UTF8_BAD || within(c, blanks, COUNT(blanks));
}

static bool is_mark(uint32_t c)
{
	return within(c, mark_ranges, COUNT(mark_ranges));
}

static bool is_letter(uint32_t c)
{
	return !is_blank(c) && !is_mark(c);
}

static uint32_t lower(uint32_t c)
{
	for (size_t i = 0; i < COUNT(capitals); i++)
		if (c >= capitals[i].first && c <= capitals[i].last && (c - capitals[i].first) % capitals[i].step == 0)
			return c + capitals[i].add;
	return c;
}

/* ---------------------------------------------------------------- tokens */

typedef struct cursor {
	const char *at, *end;
	uint32_t c;  /* the character at `at`; 0 at the end */
	size_t used; /* its bytes */
} cursor;

static void look(cursor *k)
{
	k->used = 0;
	k->c = k->at < k->end ? utf8_next(k->at, (size_t)(k->end - k->at), &k->used) : 0;
	if (k->c == 0x2019) /* the typographic apostrophe */
		k->c = '\'';
}

static void step(cursor *k)
{
	k->at += k->used;
	look(k);
}

/* An apostrophe or hyphen between two letters. */
static bool joins(const cursor *k)
{
	cursor next = *k;
	if (k->c != '\'' && k->c != '-')
		return false;
	step(&next);
	return next.used && is_letter(next.c);
}

static void append(char token[TOKEN_BYTES], size_t *n, uint32_t c)
{
	char bytes[4];
	size_t used = utf8_put(c, bytes);
	if (*n + used >= TOKEN_BYTES) {
		*n = TOKEN_BYTES; /* full: later characters must not slip into what is left */
		return;
	}
	memcpy(token + *n, bytes, used);
	*n += used;
	token[*n] = 0;
}

bool token_next(const char **at, char token[TOKEN_BYTES])
{
	cursor k = { .at = *at, .end = *at + strlen(*at) };
	size_t n = 0;
	token[0] = 0;
	for (look(&k); k.used && is_blank(k.c);)
		step(&k);
	if (k.used && is_mark(k.c)) {
		append(token, &n, k.c);
		step(&k);
	} else {
		for (; k.used && (is_letter(k.c) || joins(&k)); step(&k))
			append(token, &n, lower(k.c));
	}
	*at = k.at;
	return token[0] != 0;
}

bool token_next_of(const char **at, bool marks, char token[TOKEN_BYTES])
{
	size_t used;
	while (token_next(at, token))
		if (marks || !is_mark(utf8_next(token, strlen(token), &used)))
			return true;
	return false;
}

bool token_blank_between(const char *left, const char *right)
{
	static const char *const tight_before = ",.;:!?)]}%", *const tight_after = "([{#$";
	bool mark_right = right[0] && !right[1] && strchr(tight_before, right[0]);
	bool mark_left = left[0] && !left[1] && strchr(tight_after, left[0]);
	return !mark_right && !mark_left;
}
