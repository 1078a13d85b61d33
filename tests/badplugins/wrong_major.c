/* wrong_major.c - defect: built for another major version. */
#include "toy.h"

TOY_PLUGIN("org.example.wrong-major", entry.abi_major = 2)
