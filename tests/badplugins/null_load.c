/* null_load.c - defect: no load. */
#include "toy.h"

TOY_PLUGIN("org.example.null-load", entry.load = NULL)
