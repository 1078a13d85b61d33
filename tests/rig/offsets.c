/* offsets.c - layouts against golden lists. */
#include "mmi_build.h"

#include "offsets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_fact(const fact *x, char *out, size_t size)
{
	if (x->type)
		snprintf(out, size, "%s.%s %lu %lu", x->type, x->name, x->value, x->size);
	else
		snprintf(out, size, "%s %lu", x->name, x->value);
}

int offsets_print(const offsets *o)
{
	char line[128];
	for (size_t i = 0; i < o->n; i++) {
		print_fact(&o->facts[i], line, sizeof line);
		puts(line);
	}
	return 0;
}

/* A newline, the list. Free it. */
static char *read_golden(const offsets *o)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	const size_t most = (o->n + 1) * 128;
	char *golden = calloc(1, most);

	snprintf(path, sizeof path, "%s/%s", srcdir ? srcdir : ".", o->path);
	FILE *file = fopen(path, "r");
	if (!file || !golden)
		fail_msg("%s cannot be opened", path);
	golden[0] = '\n';
	golden[1 + fread(golden + 1, 1, most - 2, file)] = 0;
	fclose(file);
	return golden;
}

static void need_lp64(void)
{
	if (sizeof(void *) == 8)
		return;
	print_message("the golden list is for pointers of 8 bytes, here they have %zu\n", sizeof(void *));
	skip();
}

void offsets_are_where_the_list_says(void **state)
{
	const offsets *o = *state;
	char line[128], needle[132];

	need_lp64();
	char *golden = read_golden(o);
	for (size_t i = 0; i < o->n; i++) {
		print_fact(&o->facts[i], line, sizeof line);
		snprintf(needle, sizeof needle, "\n%s\n", line);
		if (!strstr(golden, needle))
			fail_msg("\"%s\" is not in %s: a published layout changed, or a new minor's line is missing", line,
			         o->path);
	}
	free(golden);
}

void the_list_holds_nothing_that_is_gone(void **state)
{
	const offsets *o = *state;
	size_t lines = 0;

	need_lp64();
	char *golden = read_golden(o);
	for (const char *p = golden + 1; *p; p++)
		lines += *p == '\n';
	free(golden);
	assert_int_equal(lines, o->n);
}

/* Catches a member that was added to a header but not to the table. */
void the_table_leaves_no_gaps_in_a_struct(void **state)
{
	const offsets *o = *state;
	const fact *facts = o->facts;

	for (size_t i = 0; i < o->n && facts[i].type; i++) {
		int last = i + 1 == o->n || !facts[i + 1].type || strcmp(facts[i].type, facts[i + 1].type);
		int first = i == 0 || strcmp(facts[i].type, facts[i - 1].type);
		unsigned long end = facts[i].value + facts[i].size, next = last ? facts[i].whole : facts[i + 1].value;
		if (first)
			assert_int_equal(facts[i].value, 0);
		assert_true(next >= end);
		if (next - end >= sizeof(void *) || (next != end && next % sizeof(void *)))
			fail_msg("%s: bytes %lu to %lu belong to no member listed here", facts[i].type, end, next);
	}
}
