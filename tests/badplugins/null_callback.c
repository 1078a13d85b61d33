/* null_callback.c - defect: a required callback is missing. */
#include "toy.h"

TOY_PLUGIN("org.example.null-callback", desc.build_decoder = NULL)
