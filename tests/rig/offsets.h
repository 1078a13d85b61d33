/* offsets.h - a header's layout as the compiler sees it, against a golden list: a line for each member (offset, size)
 * and constant (value). */
#ifndef OFFSETS_H
#define OFFSETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* One line of the list. Members: where, how long. Constants: size 0. */
typedef struct fact {
	const char *type, *name;
	unsigned long value, size;
	unsigned long whole; /* sizeof the struct */
} fact;

#define MEMBER(type, member)                                                              \
	{                                                                                     \
#type, #member, offsetof(type, member), sizeof(((type *)0)->member), sizeof(type) \
	}
#define CONSTANT(name)                           \
	{                                            \
		NULL, #name, (unsigned long)(name), 0, 0 \
	}

/* Members of a struct stand one behind the other, constants at the end. */
typedef struct offsets {
	const char *path; /* below srcdir */
	const fact *facts;
	size_t n;
} offsets;

void offsets_are_where_the_list_says(void **state);
void the_list_holds_nothing_that_is_gone(void **state);
void the_table_leaves_no_gaps_in_a_struct(void **state);
#define OFFSETS_TESTS(list)                                                                        \
	cmocka_unit_test_prestate(offsets_are_where_the_list_says, (void *)(uintptr_t)(list)),         \
		cmocka_unit_test_prestate(the_list_holds_nothing_that_is_gone, (void *)(uintptr_t)(list)), \
		cmocka_unit_test_prestate(the_table_leaves_no_gaps_in_a_struct, (void *)(uintptr_t)(list))

/* The lines as they are to be. Returns 0. */
int offsets_print(const offsets *o);

#endif
