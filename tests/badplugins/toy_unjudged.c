/* toy_unjudged.c - brings no extensions: no classifier, no pictures, no words. */
#include "toy.h"

TOY_PLUGIN("org.example.toy-unjudged", desc.get_extension = NULL)
