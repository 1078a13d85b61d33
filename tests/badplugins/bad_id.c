/* bad_id.c - defect: an id with forbidden characters. */
#include "toy.h"

TOY_PLUGIN("Org/Example", (void)entry)
