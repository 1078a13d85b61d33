/* wrong_tag.c - defect: compiled for another layout, here pointers of 4 bytes. */
#include "toy.h"

TOY_PLUGIN("org.example.wrong-tag", entry.abi_tag = (MM_ABI_TAG & ~255u) | 4)
