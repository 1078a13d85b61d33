/* minor_order.c - defect: requires a newer minor than it was built with. */
#include "toy.h"

TOY_PLUGIN("org.example.minor-order", entry.abi_minor_required = MM_ABI_MINOR + 1)
