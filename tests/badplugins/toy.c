/* toy.c - the toy as it is: a plugin without a defect. */
#include "toy.h"

TOY_PLUGIN("org.example.toy", (void)entry)
