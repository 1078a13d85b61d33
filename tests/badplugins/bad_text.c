/* bad_text.c - defect: a version text with a line break. */
#include "toy.h"

TOY_PLUGIN("org.example.bad-text", entry.version = "1.0\nrc")
