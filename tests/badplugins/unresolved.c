/* unresolved.c - defect: calls a function that nobody defines. */
#include "toy.h"

void toy_function_of_nobody(void);

TOY_PLUGIN("org.example.unresolved", toy_function_of_nobody())
