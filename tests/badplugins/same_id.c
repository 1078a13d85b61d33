/* same_id.c - not wrong in itself: another version of the toy with the toy's id. */
#include "toy.h"

TOY_PLUGIN("org.example.toy", entry.version = "2.0")
