/* flags.c - defect: a flag this host does not know. */
#include "toy.h"

TOY_PLUGIN("org.example.flags", entry.flags = 4)
