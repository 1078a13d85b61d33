/* newer_minor.c - defect: requires a minor version this host does not have. */
#include "toy.h"

TOY_PLUGIN("org.example.newer-minor", entry.abi_minor_built = entry.abi_minor_required = 9)
