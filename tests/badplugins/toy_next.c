/* toy_next.c - no defect: a later version of the toy, whose samples mean something else. */
#include "toy.h"

TOY_PLUGIN("org.example.toy", entry.version = "2.0")
